use api::{AskForAccess, Page, SupportAccess, SupportHour};
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::{Json, Refusal};
use crate::app::{App, Core};
use crate::error::AppError;
use crate::instances::{self, Instance};
use crate::person::Program;
use crate::support_access::{self, Standing, hours, store};

pub(crate) async fn index(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
) -> Result<axum::Json<Page<SupportAccess>>, Refusal> {
    let instance = find(&app, &reference).await?;
    let mut all = Vec::new();
    for access in store::of_instance(&app.db, instance.id).await? {
        all.push(view(&app, access).await?);
    }
    Ok(axum::Json(Page::whole(all)))
}

pub(crate) async fn ask(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
    Json(ask): Json<AskForAccess>,
) -> Result<(StatusCode, axum::Json<SupportAccess>), Refusal> {
    let instance = find(&app, &reference).await?;
    let asked = support_access::ask(&app, &instance, &ask.reason, Program::NAME).await?;
    Ok((StatusCode::CREATED, axum::Json(view(&app, asked).await?)))
}

pub(crate) async fn end(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
) -> Result<StatusCode, Refusal> {
    let instance = find(&app, &reference).await?;
    support_access::end(&app, &instance, Program::NAME).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(app: &App, reference: &str) -> Result<Instance, AppError> {
    instances::store::find_by_reference(&app.db, reference).await?.ok_or(AppError::NotFound)
}

async fn view(core: &Core, access: support_access::SupportAccess) -> Result<SupportAccess, AppError> {
    let hour = |entered: hours::Entered| SupportHour {
        start: entered.hour.start(),
        who: entered.who,
        alone: entered.is_alone,
    };
    let entered = hours::entered(core, &access).await?.into_iter().map(hour).collect();
    let (state, leave) = (access.word().to_owned(), access.leave().cloned());
    let end = match &access.state {
        Standing::Ended { by, at, .. } | Standing::Declined { by, at } => Some((by.clone(), *at)),
        Standing::Asked | Standing::Given(_) => None,
    };
    let asked = access.asked;
    Ok(SupportAccess {
        id: access.id,
        state,
        asked_by: asked.as_ref().map(|asked| asked.by.clone()),
        reason: asked.as_ref().map(|asked| asked.reason.clone()),
        asked_at: asked.as_ref().map(|asked| asked.at),
        given_by: leave.as_ref().map(|leave| leave.by.clone()),
        given_at: leave.as_ref().map(|leave| leave.at),
        until: leave.as_ref().map(|leave| leave.until),
        may_change: leave.is_some_and(|leave| leave.may_change),
        ended_at: end.as_ref().map(|(_, at)| *at),
        ended_by: end.map(|(by, _)| by),
        hours: entered,
    })
}
