use api::{Contest, ContestState, DecideContest, HoursWaived, NewContest, WaiveHours};
use axum::extract::{Path, State};
use domain::UsageHour;

use super::{Json, Listing, Query, Refusal, instances};
use crate::app::App;
use crate::billing::contests;
use crate::billing::waivers::{self, Waiver};
use crate::error::refused;
use crate::person::Program;

pub(crate) async fn index(
    State(app): State<App>,
    _: Program,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<api::Page<Contest>>, Refusal> {
    let state = match listing.state.as_deref() {
        Some(word) => Some(contests::ContestState::parse(word).ok_or_else(|| {
            refused(422, &format!("{word:?} is not the state of a contest"), "Use open, accepted or refused.")
        })?),
        None => None,
    };
    let found = contests::store::list(&app.db, state, listing.cursor.as_deref(), listing.limit()).await?;
    Ok(listing.page(found.into_iter().map(view).collect(), |contest: &Contest| contest.id.clone()))
}

pub(crate) async fn open(
    State(app): State<App>,
    _: Program,
    Json(new): Json<NewContest>,
) -> Result<axum::Json<Contest>, Refusal> {
    let instance = instances::find(&app, &new.instance).await?;
    let hour = UsageHour::of(new.hour);
    Ok(axum::Json(view(contests::open(&app, instance.id, hour, &new.reason, Program::NAME).await?)))
}

pub(crate) async fn decide(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
    Json(decision): Json<DecideContest>,
) -> Result<axum::Json<Contest>, Refusal> {
    let state = match decision.state {
        ContestState::Accepted => contests::ContestState::Accepted,
        ContestState::Refused => contests::ContestState::Refused,
        ContestState::Open => {
            return Err(refused(422, "To leave it open is no decision", "Use accepted or refused.").into());
        }
    };
    Ok(axum::Json(view(contests::decide(&app, &id, state, &decision.answer, Program::NAME).await?)))
}

pub(crate) async fn waive(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
    Json(wanted): Json<WaiveHours>,
) -> Result<axum::Json<HoursWaived>, Refusal> {
    let instance = instances::find(&app, &reference).await?;
    let hours: Vec<UsageHour> = wanted.hours.into_iter().map(UsageHour::of).collect();
    let waiver = Waiver { reason: &wanted.reason, author: Program::NAME };
    Ok(axum::Json(HoursWaived { added: waivers::waive(&app, instance.id, &hours, &waiver).await? }))
}

pub(super) fn view(contest: contests::Contest) -> Contest {
    Contest {
        id: contest.id,
        instance_id: contest.instance,
        hour_start: contest.hour.start(),
        reason: contest.reason,
        author: contest.author,
        state: match contest.state {
            contests::ContestState::Open => ContestState::Open,
            contests::ContestState::Accepted => ContestState::Accepted,
            contests::ContestState::Refused => ContestState::Refused,
        },
        opened_at: contest.opened_at,
        decided_by: contest.decided_by,
        decided_at: contest.decided_at,
        answer: contest.answer,
    }
}
