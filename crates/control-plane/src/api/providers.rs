use api::{
    Ceiling, CheckVerdict, Finding, FindingClass, Page, Provider, ProviderCheck, ProviderLine, WorkflowAccepted,
};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::WorkflowId;
use providers::inventory::Verdict;

use super::{Listing, Query, Refusal};
use crate::app::App;
use crate::error::{AppError, refused};
use crate::inventory::remedy::Remedy;
use crate::inventory::store::What;
use crate::inventory::{self, Class, Role, repair, sweep};
use crate::limits;
use crate::person::Program;

pub(crate) async fn index(State(app): State<App>, _: Program) -> Result<axum::Json<Page<Provider>>, Refusal> {
    let mut all = Vec::new();
    for role in Role::ALL {
        all.push(provider(&app, role).await?);
    }
    all.push(Provider {
        role: "mail".to_owned(),
        name: app.drivers.mail.name().to_owned(),
        observed_at: None,
        trouble: None,
        checks: Vec::new(),
        checked_at: None,
        ceilings: Vec::new(),
        line: None,
    });
    Ok(axum::Json(Page::whole(all)))
}

pub(crate) async fn findings(
    State(app): State<App>,
    _: Program,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<Page<Finding>>, Refusal> {
    let is_open = match listing.state.as_deref() {
        None | Some("open") => true,
        Some("closed") => false,
        Some(word) => {
            let next = "Use open or closed.";
            return Err(refused(422, &format!("{word:?} is not the state of a finding"), next).into());
        }
    };
    let mut data = Vec::new();
    for finding in inventory::store::list(&app.db, is_open, super::MOST).await? {
        data.push(view(&app, finding).await?);
    }
    Ok(axum::Json(Page::whole(data)))
}

pub(crate) async fn finding(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
) -> Result<axum::Json<Finding>, Refusal> {
    let found = inventory::store::find(&app.db, &id).await?.ok_or(AppError::NotFound)?;
    Ok(axum::Json(view(&app, found).await?))
}

pub(crate) async fn repair(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
) -> Result<(StatusCode, axum::Json<WorkflowAccepted>), Refusal> {
    let workflow_id = repair::request(&app, &id, Program::NAME).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(WorkflowAccepted { workflow_id })))
}

pub(crate) async fn sweep(
    State(app): State<App>,
    _: Program,
) -> Result<(StatusCode, axum::Json<WorkflowAccepted>), Refusal> {
    let workflow_id = sweep::request(&app, Program::NAME).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(WorkflowAccepted { workflow_id })))
}

async fn provider(app: &App, role: Role) -> Result<Provider, AppError> {
    let looked = inventory::store::look(&app.db, role, What::Inventory).await?;
    let counted = inventory::store::look(&app.db, role, What::Ceilings).await?;
    let checks = inventory::store::checks(&app.db, role).await?;
    let line = match role {
        Role::Compute => app.drivers.compute.line().await?,
        Role::Edge | Role::Payments => None,
    };
    Ok(Provider {
        role: role.as_str().to_owned(),
        name: role.driver(app).to_owned(),
        observed_at: looked.seen_at,
        trouble: looked.trouble.or(counted.trouble),
        checks: checks.into_iter().map(check).collect(),
        checked_at: inventory::store::look(&app.db, role, What::Checks).await?.seen_at,
        ceilings: limits::store::list(&app.db, role).await?.into_iter().map(ceiling).collect(),
        line: line.map(|line| ProviderLine { length: line.length, seconds_each: line.every.unsigned_abs().as_secs() }),
    })
}

fn check(check: providers::inventory::Check) -> ProviderCheck {
    ProviderCheck {
        name: check.name,
        verdict: match check.verdict {
            Verdict::Ok => CheckVerdict::Ok,
            Verdict::Warn => CheckVerdict::Warn,
            Verdict::Fail => CheckVerdict::Fail,
        },
        found: check.found,
        advice: check.advice,
    }
}

fn ceiling(held: limits::Ceiling) -> Ceiling {
    Ceiling {
        name: held.name,
        used: held.used,
        limit: held.limit,
        per_instance: held.per_instance,
        advice: held.advice,
        renews_at: held.renews_at,
        observed_at: held.observed_at,
    }
}

async fn view(app: &App, found: inventory::Finding) -> Result<Finding, AppError> {
    let repairs = workflow::of_subject(&app.db, &found.id).await?;
    let difference = found.difference;
    Ok(Finding {
        workflow_id: repairs.first().and_then(|record| WorkflowId::parse(&record.id).ok()),
        id: found.id,
        class: match difference.class {
            Class::Orphan => FindingClass::Orphan,
            Class::Missing => FindingClass::Missing,
            Class::Drifted => FindingClass::Drifted,
        },
        role: difference.role.as_str().to_owned(),
        provider: difference.provider,
        kind: difference.kind,
        name: difference.name,
        external_id: difference.external_id,
        instance_id: difference.instance,
        words: difference.words,
        advice: difference.remedy.advice().to_owned(),
        may_repair: difference.remedy != Remedy::ByHand && found.gone_at.is_none(),
        removes: difference.remedy.removes(),
        created_at: difference.created_at,
        monthly_cents: difference.monthly_cost,
        first_seen_at: found.first_seen_at,
        last_seen_at: found.last_seen_at,
        gone_at: found.gone_at,
        repaired_at: found.repaired_at,
        trouble: found.trouble,
    })
}
