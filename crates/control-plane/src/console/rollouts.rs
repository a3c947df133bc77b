//! Rollouts as operators see them. Support may hold one, go on after that, and leave instances out; what lets a release
//! reach customers, or takes it back, is an owner's: beginning, going on after a halt, cancelling, taking back.

pub(crate) mod plan;

use axum::extract::{Path, Query, State};
use axum::response::{Html, Redirect};
use domain::{OperatorRole, RolloutId};
use fleet::{AtOnce, RolloutCommand, RolloutState, Strategy, Tolerated, UnitState};
use pages::console::{
    ConfirmRolloutAction, ConsoleRollout, ConsoleRollouts, Fact, HistoryRow, RolloutAction, RolloutRights, RolloutRow,
    UnitRow, WaveRow,
};

use super::releases::is_owner;
use super::{Listing, PAGE, console_shell, next};
use crate::app::App;
use crate::error::{AppError, refused};
use crate::person::{Owner, Person, Reader, Supporter};
use crate::rollouts::report::{self, NamedUnit, Place};
use crate::rollouts::{self, Occasion, Rollout, store, units};
use crate::site::PageError;

pub(crate) async fn index(
    State(app): State<App>,
    Reader(person): Reader,
    Query(listing): Query<Listing>,
) -> Result<Html<String>, PageError> {
    let found = store::list(&app.db, listing.cursor.as_deref(), PAGE).await?;
    let last = found.last().map(|rollout| rollout.id.to_string());
    let next = next("/admin/rollouts", None, last, found.len());
    let mut rows = Vec::new();
    for rollout in &found {
        rows.push(row(&app, rollout).await?);
    }
    let shell = console_shell(&app, "Rollouts", &person);
    Ok(Html(ConsoleRollouts { shell, rollouts: rows, may_start: is_owner(&person), next }.render()))
}

pub(crate) async fn show(
    State(app): State<App>,
    Reader(person): Reader,
    Path(id): Path<String>,
    Query(listing): Query<Listing>,
) -> Result<Html<String>, PageError> {
    let rollout = named(&app, &id).await?;
    let id = rollout.id;
    let filter = listing.state.as_deref().and_then(UnitState::parse);
    let after = listing.cursor.as_deref().and_then(Place::parse);
    let found = report::units(&app.db, id, filter, after.as_ref(), PAGE).await?;
    let last = found.last().map(|unit| unit.place.to_string());
    let next = next(&url(id), filter.map(UnitState::as_str), last, found.len());
    let mut failed = Vec::new();
    for state in [UnitState::Stuck, UnitState::RolledBack] {
        failed.extend(report::units(&app.db, id, Some(state), None, PAGE).await?);
    }
    let may = RolloutRights { look_after: person.role >= Some(OperatorRole::Support), decide: is_owner(&person) };
    let waves = report::waves(&app.db, id).await?;
    let has_waves = waves.len() > 1;
    let waves = waves.into_iter().filter(|_| has_waves).map(|(wave, counts)| WaveRow { wave: wave + 1, counts });
    let log = store::told(&app.db, id).await?;
    let log = log.into_iter().rev().map(|entry| HistoryRow { at: entry.at, what: entry.what, by: entry.who });
    let unit = |unit: &NamedUnit| unit_row(&app, unit, may, rollout.state);
    let page = ConsoleRollout {
        shell: console_shell(&app, "Rollout", &person),
        rollout: row(&app, &rollout).await?,
        why: rollout.why.clone(),
        facts: facts(&rollout),
        expected_seconds: u64::try_from(rollout.expected.as_secs()).unwrap_or(0),
        waves: waves.collect(),
        failed: failed.iter().map(unit).collect(),
        filter,
        units: found.iter().map(unit).collect(),
        next,
        log: log.collect(),
        may,
    };
    Ok(Html(page.render()))
}

pub(crate) async fn pause(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    Ok(command(&app, &person, &id, RolloutCommand::Pause).await?)
}

pub(crate) async fn resume(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    if named(&app, &id).await?.state == RolloutState::Halted && !is_owner(&person) {
        let next = "Ask an owner: going on after a halt accepts the failures so far.";
        return Err(refused(403, "Your role does not allow this", next).into());
    }
    Ok(command(&app, &person, &id, RolloutCommand::Resume).await?)
}

pub(crate) async fn confirm_cancel(
    state: State<App>,
    Owner(person): Owner,
    id: Path<String>,
) -> Result<Html<String>, PageError> {
    confirm(state, &person, id, RolloutAction::Cancel).await
}

pub(crate) async fn confirm_roll_back(
    state: State<App>,
    Owner(person): Owner,
    id: Path<String>,
) -> Result<Html<String>, PageError> {
    confirm(state, &person, id, RolloutAction::RollBack).await
}

async fn confirm(
    State(app): State<App>,
    person: &Person,
    Path(id): Path<String>,
    action: RolloutAction,
) -> Result<Html<String>, PageError> {
    let rollout = row(&app, &named(&app, &id).await?).await?;
    Ok(Html(ConfirmRolloutAction { shell: console_shell(&app, "Rollout", person), action, rollout }.render()))
}

pub(crate) async fn cancel(
    State(app): State<App>,
    Owner(person): Owner,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    Ok(command(&app, &person, &id, RolloutCommand::Cancel).await?)
}

pub(crate) async fn roll_back(
    State(app): State<App>,
    Owner(person): Owner,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    Ok(command(&app, &person, &id, RolloutCommand::RollBack).await?)
}

pub(crate) async fn skip(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path((id, instance)): Path<(String, String)>,
) -> Result<Redirect, PageError> {
    let id = named(&app, &id).await?.id;
    rollouts::skip(&app, id, &instance, person.email.as_str()).await?;
    app.engine.wake();
    Ok(Redirect::to(&url(id)))
}

async fn command(app: &App, person: &Person, id: &str, command: RolloutCommand) -> Result<Redirect, AppError> {
    let id = named(app, id).await?.id;
    rollouts::command(app, id, command, person.email.as_str()).await?;
    app.engine.wake();
    Ok(Redirect::to(&url(id)))
}

async fn named(app: &App, id: &str) -> Result<Rollout, AppError> {
    rollouts::find(app, RolloutId::parse(id).map_err(|_| AppError::NotFound)?).await
}

fn url(id: RolloutId) -> String {
    format!("/admin/rollouts/{id}")
}

async fn row(app: &App, rollout: &Rollout) -> Result<RolloutRow, AppError> {
    let counts = units::store::counts(&app.db, rollout.id).await?;
    Ok(RolloutRow {
        id: rollout.id,
        version: rollout.version.clone(),
        stage: rollout.stage,
        state: rollout.state,
        planned: counts.iter().filter(|(state, _)| *state != UnitState::Excused).map(|(_, number)| *number).sum(),
        counts,
        made_at: rollout.made_at,
        made_by: by(rollout),
        finished_at: rollout.finished_at,
    })
}

fn by(rollout: &Rollout) -> String {
    match rollout.occasion {
        Occasion::Asked => rollout.made_by.clone(),
        Occasion::Settings => "the server's settings".to_owned(),
        Occasion::CatchUp => "itself, to bring along who was left behind".to_owned(),
    }
}

fn unit_row(app: &App, named: &NamedUnit, may: RolloutRights, state: RolloutState) -> UnitRow {
    let NamedUnit { unit, subdomain, from, .. } = named;
    let can_be_left_out = matches!(unit.state, UnitState::Waiting | UnitState::Stuck) && !state.is_over();
    UnitRow {
        hostname: app.shown_hostname(subdomain),
        url: format!("/admin/instances/{}", unit.instance),
        stage: unit.stage,
        wave: unit.wave.saturating_add(1),
        state: unit.state,
        from: from.clone(),
        opens_at: unit.opens_at,
        why: unit.why.clone(),
        workflow_url: unit.workflow.as_ref().map(|workflow| format!("/admin/workflows/{workflow}")),
        skip_url: (may.look_after && can_be_left_out)
            .then(|| format!("{}/units/{}/skip", url(unit.rollout), unit.instance)),
    }
}

fn facts(rollout: &Rollout) -> Vec<Fact> {
    let fact = |label: &str, value: String| Fact { label: label.to_owned(), value };
    let Strategy { at_once, soak_minutes, notice_hours, without_backup, .. } = &rollout.strategy;
    let pace = match at_once {
        AtOnce::One => "one by one".to_owned(),
        AtOnce::Waves { percents, deploying } => {
            let percents: Vec<String> = percents.iter().map(|percent| format!("{percent} %")).collect();
            format!("waves of {} and the rest, {deploying} at a time", percents.join(", "))
        }
    };
    let share = match rollout.strategy.tolerated {
        Tolerated::Failures(_) => String::new(),
        Tolerated::Percent(percent) => format!(" ({percent} %)"),
    };
    let mut facts = vec![
        fact("Goes", pace),
        fact("Halts", format!("when more than {}{share} fail", rollout.tolerated)),
        fact("Watches each for", format!("{soak_minutes} minutes")),
        fact(
            "Reaches",
            if rollout.is_whole {
                format!("{} and the stages before", rollout.stage)
            } else {
                "those that were named".to_owned()
            },
        ),
        fact("Ran it already", rollout.ran_it_already.to_string()),
    ];
    if *notice_hours > 0 {
        facts.push(fact("Customers were told", format!("{notice_hours} hours before the first")));
    }
    if *without_backup {
        facts.push(fact("Backups", "none; what fails keeps its data as it is".to_owned()));
    }
    facts
}
