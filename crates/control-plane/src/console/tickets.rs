use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use domain::{Email, OperatorRole};
use pages::console::{
    CannedAnswerForm, CannedAnswerRow, ConsoleCannedAnswers, ConsoleTicket, ConsoleTickets, TicketFilter,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::{PAGE, console_shell};
use crate::app::App;
use crate::error::{AppError, refused};
use crate::operators;
use crate::person::{Person, Reader, Supporter};
use crate::site::PageError;
use crate::tickets::{self, Then, Ticket, Words, canned, conversation, figures, view};

const HERE: &str = "/admin/tickets";
const ANSWERS: &str = "/admin/tickets/answers";

/// Which tickets.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Listing {
    state: Option<String>,
    #[serde(default)]
    assignee: String,
    #[serde(default)]
    order: String,
    #[serde(default)]
    cursor: String,
}

pub(crate) async fn index(
    State(app): State<App>,
    Reader(person): Reader,
    Query(listing): Query<Listing>,
) -> Result<Html<String>, PageError> {
    // What nobody asked for otherwise is what there is to do.
    let state = listing.state.unwrap_or_else(|| "unfinished".to_owned());
    let by_waiting = listing.order == "waiting";
    let found = if by_waiting {
        tickets::store::waiting(&app.db, &listing.assignee, PAGE).await?
    } else {
        let filter = tickets::store::Filter {
            state: state.clone(),
            assignee: listing.assignee.clone(),
            instance: String::new(),
            before: listing.cursor,
        };
        tickets::store::list(&app.db, &filter, PAGE).await?
    };
    let last = found.last().filter(|_| !by_waiting && found.len() == PAGE as usize);
    let assignee = utf8_percent_encode(&listing.assignee, NON_ALPHANUMERIC).to_string();
    let next = last.map(|last| format!("{HERE}?state={state}&assignee={assignee}&cursor={}", last.id));
    let page = ConsoleTickets {
        shell: console_shell(&app, "Tickets", &person),
        figures: view::figures_view(&figures::read(&app).await?),
        tickets: found.iter().map(view::row).collect(),
        filter: TicketFilter { state, assignee: listing.assignee, order: listing.order },
        people: people(&app).await?,
        next,
    };
    Ok(Html(page.render()))
}

/// A canned answer that is to be filled in.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Chosen {
    #[serde(default)]
    canned: String,
}

pub(crate) async fn show(
    State(app): State<App>,
    Reader(person): Reader,
    Path(id): Path<String>,
    Query(chosen): Query<Chosen>,
) -> Result<Html<String>, PageError> {
    let ticket = tickets::find(&app, &id).await?;
    let kept = canned::store::list(&app.db).await?;
    let entered = kept.iter().find(|answer| answer.id.to_string() == chosen.canned);
    let entered = entered.map(|answer| canned::filled(&answer.text, &ticket)).unwrap_or_default();
    Ok(Html(one(&app, &person, &ticket, entered, None).await?.render()))
}

async fn one(
    app: &App,
    person: &Person,
    ticket: &Ticket,
    entered: String,
    error: Option<String>,
) -> Result<ConsoleTicket, AppError> {
    let said = conversation::store::all(&app.db, &app.sealer, ticket.id).await?;
    let kept = canned::store::list(&app.db).await?;
    Ok(ConsoleTicket {
        shell: console_shell(app, &ticket.subject, person),
        ticket: view::row(ticket),
        facts: view::facts(ticket),
        facts_at: ticket.facts.taken_at,
        entries: view::entries(said, &format!("{HERE}/{}", ticket.id), None),
        rating: ticket.rated.as_ref().map(|rated| (rated.rating.get(), rated.comment.clone())),
        may_act: may_act(person),
        key: hex::encode(app.entropy.bytes::<16>()),
        entered,
        error,
        canned: kept.into_iter().map(|answer| (answer.id.to_string(), answer.name)).collect(),
        people: people(app).await?,
        reader: person.email.to_string(),
    })
}

/// What support says.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Spoken {
    #[serde(default)]
    key: String,
    #[serde(default)]
    text: String,
    /// `solve`, or else its customer's turn.
    #[serde(default)]
    then: String,
}

pub(crate) async fn answer(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
    Form(spoken): Form<Spoken>,
) -> Result<Response, PageError> {
    let ticket = tickets::find(&app, &id).await?;
    let then = if spoken.then == "solve" { Then::Solve } else { Then::Wait };
    let by = person.email.as_str();
    let answered = tickets::answer(&app, ticket.id, by, words(&person, &spoken), then).await;
    said(&app, &person, &ticket, spoken.text, answered).await
}

pub(crate) async fn note(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
    Form(spoken): Form<Spoken>,
) -> Result<Response, PageError> {
    let ticket = tickets::find(&app, &id).await?;
    let noted = tickets::note(&app, ticket.id, person.email.as_str(), words(&person, &spoken)).await;
    said(&app, &person, &ticket, String::new(), noted).await
}

/// Back to the ticket, or to the form with what is wrong.
async fn said(
    app: &App,
    person: &Person,
    ticket: &Ticket,
    entered: String,
    done: Result<Ticket, AppError>,
) -> Result<Response, PageError> {
    match done {
        Ok(_) => Ok(Redirect::to(&format!("{HERE}/{}", ticket.id)).into_response()),
        Err(error) => {
            let (status, ..) = error.describe();
            let why = error.about_what_was_entered()?;
            Ok((status, Html(one(app, person, ticket, entered, Some(why)).await?.render())).into_response())
        }
    }
}

fn words(person: &Person, spoken: &Spoken) -> Words {
    Words::plain(format!("console {} {}", person.email, spoken.key), &spoken.text)
}

/// Who is to see to it; nobody, when it is empty.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Assigned {
    #[serde(default)]
    assignee: String,
}

pub(crate) async fn assign(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
    Form(assigned): Form<Assigned>,
) -> Result<Redirect, PageError> {
    let ticket = tickets::find(&app, &id).await?;
    let to = match assigned.assignee.as_str() {
        "" => None,
        address => {
            Some(Email::parse(address).map_err(|error| refused(422, &error.to_string(), "Choose one of the list."))?)
        }
    };
    tickets::assign(&app, ticket.id, to.as_ref(), person.email.as_str()).await?;
    Ok(Redirect::to(&format!("{HERE}/{}", ticket.id)))
}

pub(crate) async fn close(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    let ticket = tickets::find(&app, &id).await?;
    tickets::close(&app, ticket.id, person.email.as_str()).await?;
    Ok(Redirect::to(&format!("{HERE}/{}", ticket.id)))
}

pub(crate) async fn attachment(
    State(app): State<App>,
    _: Reader,
    Path((id, number)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let ticket = tickets::find(&app, &id).await?;
    Ok(view::file(&app, &ticket, &number).await?)
}

pub(crate) async fn canned_answers(State(app): State<App>, Reader(person): Reader) -> Result<Html<String>, PageError> {
    Ok(Html(list_of_canned(&app, &person, CannedAnswerForm::default(), None).await?.render()))
}

async fn list_of_canned(
    app: &App,
    person: &Person,
    entered: CannedAnswerForm,
    error: Option<String>,
) -> Result<ConsoleCannedAnswers, AppError> {
    let kept = canned::store::list(&app.db).await?;
    let row = |answer: canned::CannedAnswer| CannedAnswerRow {
        id: answer.id.to_string(),
        name: answer.name,
        text: answer.text,
    };
    Ok(ConsoleCannedAnswers {
        shell: console_shell(app, "Canned answers", person),
        answers: kept.into_iter().map(row).collect(),
        may_act: may_act(person),
        entered,
        error,
    })
}

/// An answer that is to be kept.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Kept {
    #[serde(default)]
    name: String,
    #[serde(default)]
    text: String,
}

pub(crate) async fn add_canned(
    State(app): State<App>,
    Supporter(person): Supporter,
    Form(new): Form<Kept>,
) -> Result<Response, PageError> {
    match canned::add(&app, &new.name, &new.text, person.email.as_str()).await {
        Ok(_) => Ok(Redirect::to(ANSWERS).into_response()),
        Err(error) => {
            let why = error.about_what_was_entered()?;
            let entered = CannedAnswerForm { name: new.name, text: new.text };
            let page = list_of_canned(&app, &person, entered, Some(why)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page.render())).into_response())
        }
    }
}

pub(crate) async fn remove_canned(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(answer): Path<String>,
) -> Result<Redirect, PageError> {
    canned::remove(&app, &answer, person.email.as_str()).await?;
    Ok(Redirect::to(ANSWERS))
}

/// What waits for an answer, for the overview: how many, and since when the first of them.
pub(super) async fn waiting(app: &App) -> Result<Option<(u64, jiff::Timestamp)>, AppError> {
    let figures = figures::read(app).await?;
    Ok(figures.oldest.map(|oldest| (figures.open, oldest)))
}

async fn people(app: &App) -> Result<Vec<String>, AppError> {
    let people = operators::store::at_least(&app.db, OperatorRole::Support).await?;
    Ok(people.iter().map(ToString::to_string).collect())
}

fn may_act(person: &Person) -> bool {
    person.role >= Some(OperatorRole::Support)
}
