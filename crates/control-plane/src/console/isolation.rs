use axum::extract::{Form, Path, State};
use axum::response::{Html, Redirect};
use pages::console::{ConsoleIsolation, ConsoleIsolationRound, IsolationPlaceRow, IsolationRoundRow};
use serde::Deserialize;

use super::console_shell;
use crate::app::App;
use crate::error::AppError;
use crate::instances;
use crate::isolation::report::{self, Report};
use crate::isolation::tally::Standing;
use crate::isolation::{round, store};
use crate::person::{Reader, Supporter};
use crate::site::PageError;

/// Rounds on the page.
const ROUNDS: u32 = 20;

pub(crate) async fn index(State(app): State<App>, Reader(person): Reader) -> Result<Html<String>, PageError> {
    let mut rounds = Vec::new();
    for kept in store::list(&app.db, None, ROUNDS).await? {
        if let Some(report) = report::of_round(&app, &kept.id).await? {
            rounds.push(row(&app, &report).await?);
        }
    }
    let open = store::number_open(&app.db).await?;
    let proofs = store::proofs(&app.db).await?;
    let page = ConsoleIsolation {
        shell: console_shell(&app, "Isolation", &person),
        open,
        proven: proofs.len() as u64,
        oldest: proofs.first().map(|proof| proof.proven_at),
        rounds,
    };
    Ok(Html(page.render()))
}

/// Which instance is to be tried; all where nothing is said.
#[derive(Deserialize)]
pub(crate) struct Wish {
    #[serde(default)]
    instance: String,
}

pub(crate) async fn begin(
    State(app): State<App>,
    Supporter(person): Supporter,
    Form(wish): Form<Wish>,
) -> Result<Redirect, PageError> {
    let only = match wish.instance.trim() {
        "" => None,
        reference => Some(instances::store::find_by_reference(&app.db, reference).await?.ok_or(AppError::NotFound)?),
    };
    let id = round::request(&app, only.as_ref(), person.email.as_str()).await?;
    Ok(Redirect::to(&format!("/admin/isolation/{id}")))
}

pub(crate) async fn show(
    State(app): State<App>,
    Reader(person): Reader,
    Path(id): Path<String>,
) -> Result<Html<String>, PageError> {
    let report = report::of_round(&app, &id).await?.ok_or(AppError::NotFound)?;
    let places = report.places.iter().map(|place| IsolationPlaceRow {
        hostname: place.hostname.clone(),
        url: format!("/admin/instances/{}", place.seat.instance),
        standing: shown(place.seat.standing),
        refused: place.seat.tally.refused(),
        not_tried: place.seat.tally.left_out(),
        why: if place.seat.standing == Standing::Proven { String::new() } else { report::why(&place.seat) },
    });
    let not_tried = report.tally.not_tried.iter();
    let page = ConsoleIsolationRound {
        shell: console_shell(&app, "Round of the isolation prover", &person),
        round: row(&app, &report).await?,
        not_tried: not_tried.map(|(reason, number)| (reason.in_words().to_owned(), *number)).collect(),
        limits: report.limits(),
        entrances: report.entrances.clone(),
        places: places.collect(),
        workflow_url: format!("/admin/workflows/{id}"),
    };
    Ok(Html(page.render()))
}

async fn row(app: &App, report: &Report) -> Result<IsolationRoundRow, AppError> {
    let round = &report.round;
    let what = match round.only {
        Some(only) => report::hostname(app, only).await?,
        None => report::instances_in_words(round.instances.unwrap_or(0)),
    };
    Ok(IsolationRoundRow {
        url: format!("/admin/isolation/{}", round.id),
        what,
        by: round.requested_by.clone(),
        began_at: round.began_at,
        ended_at: round.ended_at,
        refused: report.tally.refused(),
        admitted: report.tally.admitted,
        not_tried: report.tally.left_out(),
        proven: report.number(Standing::Proven),
        tried: report.places.len() as u64,
    })
}

fn shown(standing: Standing) -> pages::IsolationStanding {
    match standing {
        Standing::Waiting => pages::IsolationStanding::Waiting,
        Standing::Proven => pages::IsolationStanding::Proven,
        Standing::NotProven => pages::IsolationStanding::NotProven,
        Standing::Breached => pages::IsolationStanding::Breached,
    }
}
