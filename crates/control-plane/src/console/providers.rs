use axum::extract::{Path, State};
use axum::response::{Html, Redirect};
use pages::console::{
    CeilingRow, CheckRow, CheckVerdict, ConfirmRepair, ConsoleProviders, FindingClass, FindingRow, PoolCard, PoolRow,
    ProviderCard, SaidRow,
};
use providers::inventory::{Line, Verdict};
use providers::status_feed::Condition;

use super::{PAGE, console_shell};
use crate::app::App;
use crate::error::AppError;
use crate::inventory::remedy::Remedy;
use crate::inventory::store::{self, What};
use crate::inventory::{Class, Finding, Role, repair, sweep};
use crate::limits;
use crate::person::{Reader, Supporter};
use crate::pool;
use crate::provider_status::{self, Said};
use crate::site::PageError;
use crate::text::capital;

pub(crate) async fn index(State(app): State<App>, Reader(person): Reader) -> Result<Html<String>, PageError> {
    let (mut cards, mut looked_at) = (Vec::new(), Some(app.clock.now()));
    for role in Role::ALL {
        let seen_at = store::look(&app.db, role, What::Inventory).await?.seen_at;
        looked_at = looked_at.zip(seen_at).map(|(all, one)| all.min(one));
        cards.push(card(&app, role).await?);
    }
    let mut findings = Vec::new();
    for finding in store::list(&app.db, true, PAGE).await? {
        findings.push(row(&app, finding).await?);
    }
    let page = ConsoleProviders {
        shell: console_shell(&app, "Providers", &person),
        providers: cards,
        findings,
        said: said(&app).await?,
        pool: pool_of(&app).await?,
        looked_at,
        currency: app.settings.plan.currency.clone(),
    };
    Ok(Html(page.render()))
}

/// What companies say of themselves; what was read too long ago says nothing of the present.
async fn said(app: &App) -> Result<Vec<SaidRow>, AppError> {
    let now = app.clock.now();
    let row = |said: Said| SaidRow {
        condition: match said.condition {
            _ if now.duration_since(said.at) > provider_status::FRESH => pages::Condition::Unknown,
            Condition::Fine | Condition::Maintenance => pages::Condition::Fine,
            Condition::Minor => pages::Condition::Degraded,
            Condition::Major => pages::Condition::Broken,
        },
        name: said.name,
        words: said.words,
        at: said.at,
        trouble: said.trouble,
    };
    Ok(provider_status::store::list(&app.db).await?.into_iter().map(row).collect())
}

/// What is made ahead; nothing where nothing is, and nothing is to be.
async fn pool_of(app: &App) -> Result<Option<PoolCard>, AppError> {
    let stock = pool::stock(app).await?;
    if app.settings.pool_size == 0 && stock.all.is_empty() {
        return Ok(None);
    }
    let row = |one: pool::Warm| PoolRow {
        name: app.shown_hostname(&one.place.subdomain),
        project: one.place.project.to_string(),
        state: one.state.as_str().to_owned(),
        since: one.changed_at,
        monthly_cost: one.monthly_cost,
    };
    Ok(Some(PoolCard {
        size: app.settings.pool_size,
        ready: stock.ready,
        monthly_cost: stock.monthly_cost,
        rows: stock.all.into_iter().map(row).collect(),
    }))
}

pub(crate) async fn confirm_repair(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
) -> Result<Html<String>, PageError> {
    let found = store::find(&app.db, &id).await?.ok_or(AppError::NotFound)?;
    let url = repair_url(&found.id);
    let finding = row(&app, found).await?;
    Ok(Html(ConfirmRepair { shell: console_shell(&app, "Repair", &person), finding, url }.render()))
}

pub(crate) async fn repair(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    let workflow = repair::request(&app, &id, person.email.as_str()).await?;
    Ok(Redirect::to(&format!("/admin/workflows/{workflow}")))
}

pub(crate) async fn sweep(State(app): State<App>, Supporter(person): Supporter) -> Result<Redirect, PageError> {
    let workflow = sweep::request(&app, person.email.as_str()).await?;
    Ok(Redirect::to(&format!("/admin/workflows/{workflow}")))
}

fn repair_url(id: &str) -> String {
    format!("/admin/providers/findings/{id}/repair")
}

async fn card(app: &App, role: Role) -> Result<ProviderCard, AppError> {
    let looked = store::look(&app.db, role, What::Inventory).await?;
    let counted = store::look(&app.db, role, What::Ceilings).await?;
    let checks = store::checks(&app.db, role).await?.into_iter().map(|check| CheckRow {
        name: check.name,
        verdict: match check.verdict {
            Verdict::Ok => CheckVerdict::Ok,
            Verdict::Warn => CheckVerdict::Warn,
            Verdict::Fail => CheckVerdict::Fail,
        },
        found: check.found,
        advice: check.advice,
    });
    let ceilings = limits::store::list(&app.db, role).await?.into_iter().map(|ceiling| CeilingRow {
        name: ceiling.name,
        used: ceiling.used,
        limit: ceiling.limit,
        advice: ceiling.advice,
        renews_at: ceiling.renews_at,
        observed_at: ceiling.observed_at,
    });
    let line = match role {
        Role::Compute => app.drivers.compute.line().await?,
        Role::Edge | Role::Payments => None,
    };
    Ok(ProviderCard {
        role: capital(role.as_str()),
        name: role.driver(app).to_owned(),
        checks: checks.collect(),
        checked_at: store::look(&app.db, role, What::Checks).await?.seen_at,
        ceilings: ceilings.collect(),
        trouble: looked.trouble.or(counted.trouble),
        line: line.map(in_words),
    })
}

/// Who stands in line, and when the last of them gets what it waits for.
fn in_words(line: Line) -> String {
    let each = line.every.unsigned_abs().as_secs();
    match line.length {
        0 => format!("It makes one project every {each} seconds; nobody waits for one."),
        length => {
            let minutes = (u64::from(length) * each).div_ceil(60);
            format!(
                "It makes one project every {each} seconds, and {length} instances wait for theirs: the last one for \
                 about {minutes} min."
            )
        }
    }
}

async fn row(app: &App, finding: Finding) -> Result<FindingRow, AppError> {
    let repairs = workflow::of_subject(&app.db, &finding.id).await?;
    let difference = finding.difference;
    Ok(FindingRow {
        class: match difference.class {
            Class::Orphan => FindingClass::Orphan,
            Class::Missing => FindingClass::Missing,
            Class::Drifted => FindingClass::Drifted,
        },
        repair_url: (difference.remedy != Remedy::ByHand).then(|| repair_url(&finding.id)),
        workflow_url: repairs.first().map(|record| format!("/admin/workflows/{}", record.id)),
        removes: difference.remedy.removes(),
        advice: difference.remedy.advice().to_owned(),
        provider: difference.provider,
        kind: difference.kind,
        name: difference.name,
        words: difference.words,
        trouble: finding.trouble,
        created_at: difference.created_at,
        first_seen_at: finding.first_seen_at,
        monthly_cost: difference.monthly_cost,
    })
}
