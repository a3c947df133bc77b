use api::{
    AssignTicket, CannedAnswer, NewCannedAnswer, NewTicket, NewTicketAnswer, NewTicketNote, Page, Ticket,
    TicketAttachment, TicketFacts, TicketFigures, TicketMessage, TicketWithMessages,
};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::{TicketKind, TicketState};
use serde::Deserialize;

use super::{Json, Query, Refusal};
use crate::app::App;
use crate::error::{AppError, refused};
use crate::person::Program;
use crate::tickets::{self, Asker, Channel, Then, Words, canned, conversation, figures, view};
use crate::{customers, instances};

const MOST: u32 = 200;

/// Which tickets.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Listing {
    cursor: Option<String>,
    limit: Option<u32>,
    #[serde(default)]
    state: String,
    #[serde(default)]
    assignee: String,
    #[serde(default)]
    instance: String,
    #[serde(default)]
    order: String,
}

pub(crate) async fn index(
    State(app): State<App>,
    _: Program,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<Page<Ticket>>, Refusal> {
    let limit = listing.limit.unwrap_or(50).clamp(1, MOST);
    if !["", "unfinished"].contains(&listing.state.as_str()) {
        TicketState::parse(&listing.state)
            .map_err(|error| refused(422, &error.to_string(), "Use one of them, or unfinished."))?;
    }
    match listing.order.as_str() {
        "" => {}
        "waiting" => {
            let found = tickets::store::waiting(&app.db, &listing.assignee, limit).await?;
            return Ok(axum::Json(Page { data: found.iter().map(ticket).collect(), next_cursor: None }));
        }
        other => return Err(refused(422, &format!("{other:?} is no order"), "Use waiting, or leave it out.").into()),
    }
    let instance = match listing.instance.as_str() {
        "" => String::new(),
        reference => find_instance(&app, reference).await?.id.to_string(),
    };
    let before = listing.cursor.unwrap_or_default();
    let filter = tickets::store::Filter { state: listing.state, assignee: listing.assignee, instance, before };
    let found = tickets::store::list(&app.db, &filter, limit).await?;
    let next_cursor = found.last().filter(|_| found.len() == limit as usize).map(|ticket| ticket.id.to_string());
    Ok(axum::Json(Page { data: found.iter().map(ticket).collect(), next_cursor }))
}

pub(crate) async fn show(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
) -> Result<axum::Json<TicketWithMessages>, Refusal> {
    let found = tickets::find(&app, &id).await?;
    let said = conversation::store::all(&app.db, &app.sealer, found.id).await?;
    Ok(axum::Json(TicketWithMessages {
        ticket: ticket(&found),
        facts: facts(&found),
        messages: said.into_iter().map(message).collect(),
        rating_comment: found.rated.map(|rated| rated.comment).filter(|comment| !comment.is_empty()),
    }))
}

pub(crate) async fn open(
    State(app): State<App>,
    _: Program,
    headers: HeaderMap,
    Json(new): Json<NewTicket>,
) -> Result<(StatusCode, axum::Json<Ticket>), Refusal> {
    let kind = TicketKind::parse(&new.kind).map_err(|error| refused(422, &error.to_string(), "Use one of them."))?;
    let instance = match &new.instance {
        Some(reference) => Some(find_instance(&app, reference).await?),
        None => None,
    };
    let own = customers::store::find_by_email(&app.db, &new.requester).await?;
    let name = own.as_ref().map(|customer| customer.name.clone()).unwrap_or_default();
    let customer = instance.as_ref().map(|instance| instance.customer).or(own.map(|customer| customer.id));
    let about = tickets::NewTicket {
        asker: Asker { email: new.requester, name, customer },
        instance: instance.as_ref(),
        kind,
        subject: new.subject,
        channel: Channel::Api,
    };
    let opened = tickets::open(&app, about, words(&app, &headers, "new", &new.text)).await?;
    Ok((StatusCode::CREATED, axum::Json(ticket(&opened))))
}

pub(crate) async fn answer(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(new): Json<NewTicketAnswer>,
) -> Result<axum::Json<Ticket>, Refusal> {
    let found = tickets::find(&app, &id).await?;
    let then = if new.solved { Then::Solve } else { Then::Wait };
    let words = words(&app, &headers, &format!("answer {}", found.id), &new.text);
    let answered = tickets::answer(&app, found.id, Program::NAME, words, then).await?;
    Ok(axum::Json(ticket(&answered)))
}

pub(crate) async fn note(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(new): Json<NewTicketNote>,
) -> Result<axum::Json<Ticket>, Refusal> {
    let found = tickets::find(&app, &id).await?;
    let words = words(&app, &headers, &format!("note {}", found.id), &new.text);
    let noted = tickets::note(&app, found.id, Program::NAME, words).await?;
    Ok(axum::Json(ticket(&noted)))
}

pub(crate) async fn assign(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
    Json(assign): Json<AssignTicket>,
) -> Result<axum::Json<Ticket>, Refusal> {
    let found = tickets::find(&app, &id).await?;
    let assigned = tickets::assign(&app, found.id, assign.assignee.as_ref(), Program::NAME).await?;
    Ok(axum::Json(ticket(&assigned)))
}

pub(crate) async fn close(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
) -> Result<axum::Json<Ticket>, Refusal> {
    let found = tickets::find(&app, &id).await?;
    Ok(axum::Json(ticket(&tickets::close(&app, found.id, Program::NAME).await?)))
}

pub(crate) async fn attachment(
    State(app): State<App>,
    _: Program,
    Path((id, number)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let found = tickets::find(&app, &id).await?;
    Ok(view::file(&app, &found, &number).await?)
}

pub(crate) async fn show_figures(State(app): State<App>, _: Program) -> Result<axum::Json<TicketFigures>, Refusal> {
    let figures = figures::read(&app).await?;
    Ok(axum::Json(TicketFigures {
        open: figures.open,
        waiting: figures.waiting,
        oldest_waiting_since: figures.oldest,
        days: figures::DAYS,
        opened: figures.opened,
        median_first_answer_seconds: figures.median_first_answer.map(|took| took.as_secs()),
        ratings: figures.ratings,
        average_rating_tenths: figures.average_tenths,
    }))
}

pub(crate) async fn canned_answers(
    State(app): State<App>,
    _: Program,
) -> Result<axum::Json<Page<CannedAnswer>>, Refusal> {
    let kept = canned::store::list(&app.db).await?;
    Ok(axum::Json(Page { data: kept.into_iter().map(canned_answer).collect(), next_cursor: None }))
}

pub(crate) async fn keep_canned_answer(
    State(app): State<App>,
    _: Program,
    Json(new): Json<NewCannedAnswer>,
) -> Result<(StatusCode, axum::Json<CannedAnswer>), Refusal> {
    let kept = canned::add(&app, &new.name, &new.text, Program::NAME).await?;
    Ok((StatusCode::CREATED, axum::Json(canned_answer(kept))))
}

pub(crate) async fn remove_canned_answer(
    State(app): State<App>,
    _: Program,
    Path(answer): Path<String>,
) -> Result<StatusCode, Refusal> {
    canned::remove(&app, &answer, Program::NAME).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find_instance(app: &App, reference: &str) -> Result<instances::Instance, AppError> {
    instances::store::find_by_reference(&app.db, reference).await?.ok_or(AppError::NotFound)
}

/// What is said under the key that the request names, or under one of its own. `about` is what the key is used for, so that
/// the same key says something else elsewhere.
fn words(app: &App, headers: &HeaderMap, about: &str, text: &str) -> Words {
    let given = headers.get(::api::IDEMPOTENCY_KEY).and_then(|key| key.to_str().ok()).map(str::to_owned);
    let key = given.unwrap_or_else(|| hex::encode(app.entropy.bytes::<16>()));
    Words::plain(format!("api {about} {key}"), text)
}

fn ticket(ticket: &tickets::Ticket) -> Ticket {
    Ticket {
        id: ticket.id,
        customer_id: ticket.customer,
        requester: ticket.requester.clone(),
        instance_id: ticket.instance,
        kind: ticket.kind.as_str().to_owned(),
        subject: ticket.subject.clone(),
        channel: ticket.channel.as_str().to_owned(),
        state: ticket.state.as_str().to_owned(),
        assignee: ticket.assignee.clone(),
        opened_at: ticket.opened_at,
        changed_at: ticket.changed_at,
        waiting_since: ticket.waiting_since,
        first_answer_at: ticket.first_answer_at,
        ended_at: ticket.ended_at,
        rating: ticket.rated.as_ref().map(|rated| rated.rating.get()),
    }
}

fn facts(ticket: &tickets::Ticket) -> TicketFacts {
    let facts = ticket.facts.clone();
    let instance = facts.instance.as_ref();
    TicketFacts {
        taken_at: facts.taken_at,
        hostname: instance.map(|instance| instance.hostname.clone()),
        instance_state: instance.map(|instance| instance.state.clone()),
        release: instance.and_then(|instance| instance.release.clone()),
        health: instance.map(|instance| instance.health.clone()),
        payment: facts.payment,
        incidents: facts.incidents.into_iter().map(|incident| incident.title).collect(),
    }
}

fn message(entry: conversation::Entry) -> TicketMessage {
    let file =
        |file: conversation::Attachment| TicketAttachment { number: file.number, name: file.name, size: file.size };
    TicketMessage {
        voice: entry.voice.as_str().to_owned(),
        author: entry.author,
        at: entry.at,
        text: entry.text,
        quoted: entry.quoted,
        attachments: entry.attachments.into_iter().map(file).collect(),
    }
}

fn canned_answer(answer: canned::CannedAnswer) -> CannedAnswer {
    CannedAnswer { id: answer.id, name: answer.name, text: answer.text }
}
