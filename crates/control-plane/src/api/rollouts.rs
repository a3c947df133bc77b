use std::num::NonZeroU16;

use api::{
    LeftOut, NewRollout, Page, PlannedUnit, Rollout, RolloutEvent, RolloutOccasion, RolloutPlan, RolloutStrategy,
    RolloutUnit, RolloutWave, UnitCounts,
};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use domain::{RolloutId, WorkflowId};
use fleet::{AtOnce, RolloutCommand, Strategy, Tolerated, UnitState};
use jiff::SignedDuration;

use super::{Json, Listing, Query, Refusal};
use crate::app::App;
use crate::error::{AppError, refused};
use crate::person::Program;
use crate::rollouts::preview::Preview;
use crate::rollouts::report::{self, NamedUnit, Place};
use crate::rollouts::{self, Occasion, store, units};

pub(crate) async fn index(
    State(app): State<App>,
    _: Program,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<Page<Rollout>>, Refusal> {
    let found = match listing.state.as_deref() {
        None => store::list(&app.db, listing.cursor.as_deref(), listing.limit()).await?,
        Some("open") => store::open(&app.db).await?.into_iter().collect(),
        Some(other) => {
            return Err(
                refused(422, &format!("{other:?} is no choice of rollouts"), "Use open, or leave it out.").into()
            );
        }
    };
    let mut data = Vec::new();
    for rollout in found {
        data.push(view(&app, rollout).await?);
    }
    Ok(listing.page(data, |rollout: &Rollout| rollout.id.to_string()))
}

pub(crate) async fn show(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
) -> Result<axum::Json<Rollout>, Refusal> {
    Ok(axum::Json(whole(&app, named(&id)?).await?))
}

pub(crate) async fn start(
    State(app): State<App>,
    _: Program,
    Json(new): Json<NewRollout>,
) -> Result<Response, Refusal> {
    let strategy = strategy(&new.strategy)?;
    let reach = report::reach(&app, new.only.as_deref()).await?;
    let version = new.version.as_str();
    if new.dry_run {
        let (release, preview) = rollouts::planned(&app, version, &strategy, &reach).await?;
        let waits_for = store::open(&app.db).await?.map(|open| open.id);
        let plan = plan(&release, &preview, waits_for);
        return Ok(axum::Json(plan).into_response());
    }
    let begun = rollouts::start(&app, version, &strategy, &reach, Program::NAME).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(whole(&app, begun.id).await?)).into_response())
}

pub(crate) async fn units(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<Page<RolloutUnit>>, Refusal> {
    let rollout = rollouts::find(&app, named(&id)?).await?;
    let state = listing.state.as_deref().map(unit_state).transpose()?;
    let wrong = || refused(422, "That is no cursor of this list", "Use `next_cursor` of the page before.");
    let after = listing.cursor.as_deref().map(|text| Place::parse(text).ok_or_else(wrong)).transpose()?;
    let found = report::units(&app.db, rollout.id, state, after.as_ref(), listing.limit()).await?;
    let next_cursor =
        found.last().filter(|_| found.len() >= listing.limit() as usize).map(|last| last.place.to_string());
    Ok(axum::Json(Page { data: found.into_iter().map(unit).collect(), next_cursor }))
}

pub(crate) async fn pause(app: State<App>, _: Program, id: Path<String>) -> Result<axum::Json<Rollout>, Refusal> {
    command(app, id, RolloutCommand::Pause).await
}

pub(crate) async fn resume(app: State<App>, _: Program, id: Path<String>) -> Result<axum::Json<Rollout>, Refusal> {
    command(app, id, RolloutCommand::Resume).await
}

pub(crate) async fn cancel(app: State<App>, _: Program, id: Path<String>) -> Result<axum::Json<Rollout>, Refusal> {
    command(app, id, RolloutCommand::Cancel).await
}

pub(crate) async fn roll_back(app: State<App>, _: Program, id: Path<String>) -> Result<axum::Json<Rollout>, Refusal> {
    command(app, id, RolloutCommand::RollBack).await
}

pub(crate) async fn skip(
    State(app): State<App>,
    _: Program,
    Path((id, instance)): Path<(String, String)>,
) -> Result<axum::Json<Rollout>, Refusal> {
    let id = named(&id)?;
    rollouts::skip(&app, id, &instance, Program::NAME).await?;
    app.engine.wake();
    Ok(axum::Json(whole(&app, id).await?))
}

async fn command(
    State(app): State<App>,
    Path(id): Path<String>,
    command: RolloutCommand,
) -> Result<axum::Json<Rollout>, Refusal> {
    let id = named(&id)?;
    rollouts::command(&app, id, command, Program::NAME).await?;
    app.engine.wake();
    Ok(axum::Json(whole(&app, id).await?))
}

fn named(id: &str) -> Result<RolloutId, AppError> {
    let unknown = |_| refused(404, &format!("There is no rollout {id}"), "`spinoff rollouts list` shows all.");
    RolloutId::parse(id).map_err(unknown)
}

fn unit_state(word: &str) -> Result<UnitState, AppError> {
    UnitState::parse(word).ok_or_else(|| {
        let words = UnitState::ALL.map(UnitState::as_str).join(", ");
        refused(422, &format!("{word:?} is not the state of an instance in a rollout"), &format!("Use one of {words}."))
    })
}

/// What is meant by a strategy as it is asked for.
pub(crate) fn strategy(wanted: &RolloutStrategy) -> Result<Strategy, AppError> {
    let at_once = match (&wanted.waves, wanted.at_once) {
        (None, None) => AtOnce::One,
        (waves, deploying) => AtOnce::Waves {
            percents: waves.clone().unwrap_or_default(),
            deploying: deploying.unwrap_or(NonZeroU16::MIN),
        },
    };
    Ok(Strategy {
        at_once,
        soak_minutes: wanted.soak_minutes,
        tolerated: wanted.tolerated.as_deref().map(tolerated).transpose()?.unwrap_or_default(),
        notice_hours: wanted.notice_hours,
        without_backup: wanted.without_backup,
    })
}

fn tolerated(text: &str) -> Result<Tolerated, AppError> {
    let text = text.trim();
    let read = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse().ok().map(Tolerated::Percent),
        None => text.parse().ok().map(Tolerated::Failures),
    };
    read.ok_or_else(|| {
        let what = format!("{text:?} does not say how many may fail");
        refused(422, &what, "Write a number such as 3, or a share such as 2%.")
    })
}

fn told(strategy: &Strategy) -> RolloutStrategy {
    let (waves, at_once) = match &strategy.at_once {
        AtOnce::One => (None, None),
        AtOnce::Waves { percents, deploying } => (Some(percents.clone()), Some(*deploying)),
    };
    let tolerated = match strategy.tolerated {
        Tolerated::Failures(number) => number.to_string(),
        Tolerated::Percent(percent) => format!("{percent}%"),
    };
    RolloutStrategy {
        waves,
        at_once,
        soak_minutes: strategy.soak_minutes,
        tolerated: Some(tolerated),
        notice_hours: strategy.notice_hours,
        without_backup: strategy.without_backup,
    }
}

fn plan(release: &crate::releases::Release, preview: &Preview, waits_for: Option<RolloutId>) -> RolloutPlan {
    let units = preview.plan.units.iter().filter_map(|unit| {
        let entry = preview.entry(unit.id)?;
        Some(PlannedUnit {
            instance_id: unit.id,
            subdomain: entry.subdomain.clone(),
            stage: entry.stage,
            runs: unit.runs.clone(),
            wave: unit.wave.saturating_add(1),
            rest: unit.rest,
            opens_at: unit.opening.map(|opening| opening.opens),
        })
    });
    let left_out = preview.left_with_reason().filter_map(|(id, why)| {
        Some(LeftOut { instance_id: id, subdomain: preview.entry(id)?.subdomain.clone(), why })
    });
    RolloutPlan {
        version: release.made.version.clone(),
        stage: release.stage,
        units: units.collect(),
        left_out: left_out.collect(),
        ran_it_already: preview.ran_it_already(),
        waves: preview.plan.waves.clone(),
        tolerated: preview.plan.tolerated,
        expected_seconds: seconds(preview.plan.estimate.work),
        last_opening: preview.plan.estimate.last_opening,
        waits_for,
    }
}

fn seconds(duration: SignedDuration) -> u64 {
    u64::try_from(duration.as_secs()).unwrap_or(0)
}

/// A rollout with its waves and what happened.
async fn whole(app: &App, id: RolloutId) -> Result<Rollout, AppError> {
    let mut view = view(app, rollouts::find(app, id).await?).await?;
    let waves = report::waves(&app.db, id).await?;
    if waves.len() > 1 {
        view.waves = waves.iter().map(|(wave, counted)| of_wave(*wave, counted)).collect();
    }
    let log = store::told(&app.db, id).await?;
    view.log = log.into_iter().map(|entry| RolloutEvent { at: entry.at, by: entry.who, what: entry.what }).collect();
    Ok(view)
}

fn of_wave(wave: u32, counted: &[(UnitState, u32)]) -> RolloutWave {
    let planned = counted.iter().map(|(_, number)| *number).sum();
    RolloutWave { wave: wave.saturating_add(1), planned, counts: counts(counted) }
}

fn counts(counted: &[(UnitState, u32)]) -> UnitCounts {
    let mut counts = UnitCounts::default();
    for (state, number) in counted {
        counts.set(*state, *number);
    }
    counts
}

async fn view(app: &App, rollout: rollouts::Rollout) -> Result<Rollout, AppError> {
    let counted = units::store::counts(&app.db, rollout.id).await?;
    let planned = counted.iter().filter(|(state, _)| *state != UnitState::Excused).map(|(_, number)| *number).sum();
    Ok(Rollout {
        id: rollout.id,
        version: rollout.version,
        stage: rollout.stage,
        occasion: match rollout.occasion {
            Occasion::Asked => RolloutOccasion::Asked,
            Occasion::Settings => RolloutOccasion::Settings,
            Occasion::CatchUp => RolloutOccasion::CatchUp,
        },
        state: rollout.state,
        why: rollout.why,
        strategy: told(&rollout.strategy),
        tolerated: rollout.tolerated,
        planned,
        counts: counts(&counted),
        ran_it_already: rollout.ran_it_already,
        whole: rollout.is_whole,
        expected_seconds: seconds(rollout.expected),
        made_by: rollout.made_by,
        made_at: rollout.made_at,
        finished_at: rollout.finished_at,
        waves: Vec::new(),
        log: Vec::new(),
    })
}

fn unit(named: NamedUnit) -> RolloutUnit {
    let NamedUnit { unit, subdomain, from, .. } = named;
    RolloutUnit {
        instance_id: unit.instance,
        subdomain,
        stage: unit.stage,
        wave: unit.wave.saturating_add(1),
        state: unit.state,
        why: unit.why,
        from,
        opens_at: unit.opens_at,
        workflow_id: unit.workflow.as_deref().and_then(|id| WorkflowId::parse(id).ok()),
        backup_id: unit.backup,
        begun_at: unit.begun_at,
        settled_at: unit.settled_at,
    }
}
