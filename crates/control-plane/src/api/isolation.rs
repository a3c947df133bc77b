use api::{Isolation, IsolationPlace, IsolationProof, IsolationRound, NewIsolationRound, NotTried, WorkflowAccepted};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::WorkflowId;

use super::{Json, Refusal};
use crate::app::App;
use crate::error::AppError;
use crate::instances;
use crate::isolation::report::{self, Report};
use crate::isolation::tally::Standing;
use crate::isolation::{round, store};
use crate::person::Program;

/// Rounds shown beside the proofs.
const ROUNDS: u32 = 20;

pub(crate) async fn index(State(app): State<App>, _: Program) -> Result<axum::Json<Isolation>, Refusal> {
    let mut proofs = Vec::new();
    for proof in store::proofs(&app.db).await? {
        proofs.push(IsolationProof {
            hostname: report::hostname(&app, proof.instance).await?,
            instance_id: proof.instance,
            proven_at: proof.proven_at,
            refused: proof.refused,
            neighbours: proof.neighbours,
        });
    }
    let mut rounds = Vec::new();
    for kept in store::list(&app.db, None, ROUNDS).await? {
        if let Some(report) = report::of_round(&app, &kept.id).await? {
            rounds.push(IsolationRound { places: Vec::new(), ..view(&report)? });
        }
    }
    Ok(axum::Json(Isolation { proofs, rounds }))
}

pub(crate) async fn begin(
    State(app): State<App>,
    _: Program,
    Json(new): Json<NewIsolationRound>,
) -> Result<(StatusCode, axum::Json<WorkflowAccepted>), Refusal> {
    let only = match &new.instance {
        Some(reference) => {
            Some(instances::store::find_by_reference(&app.db, reference).await?.ok_or(AppError::NotFound)?)
        }
        None => None,
    };
    let workflow_id = round::request(&app, only.as_ref(), Program::NAME).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(WorkflowAccepted { workflow_id })))
}

pub(crate) async fn show(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
) -> Result<axum::Json<IsolationRound>, Refusal> {
    let report = report::of_round(&app, &id).await?.ok_or(AppError::NotFound)?;
    Ok(axum::Json(view(&report)?))
}

fn view(report: &Report) -> Result<IsolationRound, AppError> {
    let (round, tally, sample) = (&report.round, &report.tally, report.sample());
    let not_tried = tally.not_tried.iter().map(|(reason, attempts)| NotTried {
        reason: reason.as_str().to_owned(),
        words: reason.in_words().to_owned(),
        attempts: *attempts,
    });
    let places = report.places.iter().map(|place| IsolationPlace {
        instance_id: place.seat.instance,
        hostname: place.hostname.clone(),
        standing: place.seat.standing.as_str().to_owned(),
        refused: place.seat.tally.refused(),
        admitted: place.seat.tally.admitted,
        not_tried: place.seat.tally.left_out(),
        why: if place.seat.standing == Standing::Proven { String::new() } else { report::why(&place.seat) },
    });
    Ok(IsolationRound {
        id: WorkflowId::parse(&round.id).map_err(AppError::internal)?,
        requested_by: round.requested_by.clone(),
        only: round.only,
        began_at: round.began_at,
        ended_at: round.ended_at,
        instances: round.instances.unwrap_or(0),
        neighbours_each: sample.each() as u64,
        rounds_for_all: sample.turns_for_all(),
        attempts: tally.attempts(),
        refused: tally.refused(),
        refused_by_edge: tally.refused_by_edge,
        admitted: tally.admitted,
        not_tried: tally.left_out(),
        not_tried_because: not_tried.collect(),
        proven: report.number(Standing::Proven),
        not_proven: report.number(Standing::NotProven),
        limits: report.limits(),
        entrances: report.entrances.clone(),
        places: places.collect(),
    })
}
