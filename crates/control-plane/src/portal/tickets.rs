use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use domain::TicketKind;
use pages::{Area, NewTicketPage, PortalTicket, PortalTickets, TicketRow, TicketValues};
use serde::Deserialize;

use super::owned;
use crate::app::App;
use crate::customers;
use crate::error::AppError;
use crate::instances::{self, Instance};
use crate::person::Person;
use crate::site::{PageError, documents, shell};
use crate::tickets::form::Form;
use crate::tickets::{self, Asker, Channel, NewTicket, Ticket, Words, conversation, view};

const HERE: &str = "/portal/tickets";
const PAGE: u32 = 50;
/// So many places of the documentation are offered before a ticket is sent.
const MOST_OFFERED: usize = 3;

/// Which part of the list.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Listing {
    #[serde(default)]
    cursor: String,
}

pub(crate) async fn index(
    State(app): State<App>,
    person: Person,
    Query(listing): Query<Listing>,
) -> Result<Html<String>, PageError> {
    let found = tickets::store::list_of(&app.db, &person.email, &listing.cursor, PAGE).await?;
    let last = found.last().filter(|_| found.len() == PAGE as usize);
    let next = last.map(|ticket| format!("{HERE}?cursor={}", ticket.id));
    let row = |ticket: &Ticket| TicketRow {
        url: url_of(ticket),
        subject: ticket.subject.clone(),
        state: ticket.state,
        hostname: view::hostname(ticket),
        changed_at: ticket.changed_at,
    };
    let tickets = found.iter().map(row).collect();
    Ok(Html(PortalTickets { shell: shell(&app, Area::Portal, "Support", Some(&person)), tickets, next }.render()))
}

/// What was entered in the first step.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct About {
    #[serde(default)]
    instance: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    subject: String,
}

pub(crate) async fn form(
    State(app): State<App>,
    person: Person,
    Query(about): Query<About>,
) -> Result<Html<String>, PageError> {
    let values = TicketValues {
        key: new_key(&app),
        instance: about.instance,
        kind: TicketKind::parse(&about.kind).unwrap_or(TicketKind::Question),
        subject: about.subject,
        text: String::new(),
    };
    Ok(Html(page(&app, &person, values, None).await?.render()))
}

async fn page(
    app: &App,
    person: &Person,
    values: TicketValues,
    error: Option<String>,
) -> Result<NewTicketPage, AppError> {
    let mut all = instances::store::owned_by(&app.db, &person.email, app.clock.now()).await?;
    all.retain(|instance| !instance.state.is_over());
    let named = |instance: &Instance| (instance.subdomain.to_string(), app.shown_hostname(&instance.subdomain));
    let asked = values.subject.trim();
    let answers = (!asked.is_empty()).then(|| documents::answers(asked, MOST_OFFERED));
    let shell = shell(app, Area::Portal, "Ask support", Some(person));
    Ok(NewTicketPage { shell, instances: all.iter().map(named).collect(), values, answers, error })
}

pub(crate) async fn open(State(app): State<App>, person: Person, request: Request) -> Result<Response, PageError> {
    let form = Form::read(request).await?;
    let kind = TicketKind::parse(form.field("kind")).unwrap_or(TicketKind::Question);
    let instance = match form.field("instance") {
        "" => None,
        name => Some(owned(&app, &person, name).await?),
    };
    let values = TicketValues {
        key: form.field("key").to_owned(),
        instance: form.field("instance").to_owned(),
        kind,
        subject: form.field("subject").to_owned(),
        text: form.field("text").to_owned(),
    };
    match send(&app, &person, instance.as_ref(), &values, form).await {
        Ok(ticket) => Ok(Redirect::to(&url_of(&ticket)).into_response()),
        Err(error) => {
            let (status, ..) = error.describe();
            let why = error.about_what_was_entered()?;
            let values = TicketValues { key: new_key(&app), ..values };
            let page = page(&app, &person, values, Some(why)).await?;
            Ok((status, Html(page.render())).into_response())
        }
    }
}

async fn send(
    app: &App,
    person: &Person,
    instance: Option<&Instance>,
    values: &TicketValues,
    form: Form,
) -> Result<Ticket, AppError> {
    let words = words(person, form)?;
    // For an instance that somebody owns together with its customer, the customer is the one that pays.
    let own = customers::store::find_by_email(&app.db, &person.email).await?;
    let name = own.as_ref().map(|customer| customer.name.clone()).unwrap_or_default();
    let customer = instance.map(|instance| instance.customer).or(own.map(|customer| customer.id));
    let asker = Asker { email: person.email.clone(), name, customer };
    let new =
        NewTicket { asker, instance, kind: values.kind, subject: values.subject.clone(), channel: Channel::Portal };
    tickets::open(app, new, words).await
}

pub(crate) async fn show(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Html<String>, PageError> {
    let ticket = tickets::of_person(&app, &person.email, &id).await?;
    Ok(Html(one(&app, &person, &ticket, String::new(), None).await?.render()))
}

async fn one(
    app: &App,
    person: &Person,
    ticket: &Ticket,
    entered: String,
    error: Option<String>,
) -> Result<PortalTicket, AppError> {
    let said = conversation::store::for_customer(&app.db, &app.sealer, ticket.id).await?;
    let url = url_of(ticket);
    Ok(PortalTicket {
        shell: shell(app, Area::Portal, &ticket.subject, Some(person)),
        entries: view::entries(said, &url, Some(&app.settings.product)),
        url,
        subject: ticket.subject.clone(),
        state: ticket.state,
        hostname: view::hostname(ticket),
        opened_at: ticket.opened_at,
        key: new_key(app),
        entered,
        error,
        rating: ticket.state.is_done().then(|| view::question(app, ticket)),
    })
}

pub(crate) async fn write(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PageError> {
    let ticket = tickets::of_person(&app, &person.email, &id).await?;
    let form = Form::read(request).await?;
    let entered = form.field("text").to_owned();
    let written = match words(&person, form) {
        Ok(words) => tickets::reply(&app, ticket.id, &person.email, words).await,
        Err(error) => Err(error),
    };
    match written {
        Ok(_) => Ok(Redirect::to(&url_of(&ticket)).into_response()),
        Err(error) => {
            let (status, ..) = error.describe();
            let why = error.about_what_was_entered()?;
            let page = one(&app, &person, &ticket, entered, Some(why)).await?;
            Ok((status, Html(page.render())).into_response())
        }
    }
}

pub(crate) async fn solve(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    let ticket = tickets::of_person(&app, &person.email, &id).await?;
    tickets::solve(&app, ticket.id, &person.email).await?;
    Ok(Redirect::to(&url_of(&ticket)))
}

pub(crate) async fn attachment(
    State(app): State<App>,
    person: Person,
    Path((id, number)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let ticket = tickets::of_person(&app, &person.email, &id).await?;
    Ok(view::file(&app, &ticket, &number).await?)
}

/// What was written, with its files. The key is the person's own, so that nobody's form can stand in another's way.
fn words(person: &Person, form: Form) -> Result<Words, AppError> {
    if let Some(trouble) = &form.trouble {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let next_step = "Choose the files anew: at most 5, each up to 5 MB, 10 MB together.".to_owned();
        return Err(AppError::Refused { status, title: trouble.trim_end_matches('.').to_owned(), next_step });
    }
    let words = Words::plain(format!("portal {} {}", person.email, form.field("key")), form.field("text"));
    Ok(Words { attachments: form.files, ..words })
}

fn url_of(ticket: &Ticket) -> String {
    format!("{HERE}/{}", ticket.id)
}

fn new_key(app: &App) -> String {
    hex::encode(app.entropy.bytes::<16>())
}
