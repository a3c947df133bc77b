//! The outbox as a mailbox that people can read: on one machine only, where no mail leaves.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use pages::{Area, MAIL_CONTENT_SECURITY_POLICY, Mailbox, MailboxMessage, MailboxRow};
use serde::{Deserialize, Serialize};

use super::store;
use crate::app::App;
use crate::error::AppError;
use crate::person::Person;
use crate::site::{PageError, shell};

const PAGE: u32 = 50;
const PREVIEW: usize = 140;

#[derive(Deserialize)]
pub(crate) struct Listing {
    cursor: Option<String>,
}

/// A mail as `GET /mailbox/messages.json` gives it.
#[derive(Serialize)]
pub(crate) struct MessageJson {
    id: String,
    to: String,
    subject: String,
    text: String,
    html: String,
    at: Timestamp,
    /// Where answers to it go, if not to the sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<domain::Email>,
}

pub(crate) async fn index(
    State(app): State<App>,
    person: Option<Person>,
    Query(listing): Query<Listing>,
) -> Result<Html<String>, PageError> {
    let found = store::list(&app.db, &app.sealer, listing.cursor.as_deref(), PAGE).await?;
    let last = found.last().filter(|_| found.len() == PAGE as usize);
    let next = last.map(|entry| format!("/mailbox?cursor={}", entry.message.id));
    let messages = found
        .iter()
        .map(|entry| MailboxRow {
            id: entry.message.id.clone(),
            to: entry.message.to.to_string(),
            subject: entry.message.subject.clone(),
            at: entry.at,
            text_preview: entry.message.text.chars().take(PREVIEW).collect(),
        })
        .collect();
    Ok(Html(Mailbox { shell: shell(&app, Area::Site, "Mailbox", person.as_ref()), messages, next }.render()))
}

pub(crate) async fn messages(State(app): State<App>) -> Result<Json<Vec<MessageJson>>, PageError> {
    let found = store::list(&app.db, &app.sealer, None, PAGE).await?;
    let json = |entry: store::Entry| MessageJson {
        id: entry.message.id,
        to: entry.message.to.to_string(),
        subject: entry.message.subject,
        text: entry.message.text,
        html: entry.message.html,
        at: entry.at,
        reply_to: entry.message.thread.reply_to,
    };
    Ok(Json(found.into_iter().map(json).collect()))
}

pub(crate) async fn show(
    State(app): State<App>,
    person: Option<Person>,
    Path(id): Path<String>,
) -> Result<Html<String>, PageError> {
    let entry = store::find(&app.db, &app.sealer, &id).await?.ok_or(AppError::NotFound)?;
    let page = MailboxMessage {
        shell: shell(&app, Area::Site, &entry.message.subject, person.as_ref()),
        html_src: Some(format!("/mailbox/{id}/body")),
        id,
        to: entry.message.to.to_string(),
        subject: entry.message.subject.clone(),
        at: entry.at,
        text: entry.message.text,
    };
    Ok(Html(page.render()))
}

/// The HTML of a mail, for the frame that shows it: nothing in it may run or load.
pub(crate) async fn body(State(app): State<App>, Path(id): Path<String>) -> Result<Response, PageError> {
    let entry = store::find(&app.db, &app.sealer, &id).await?.ok_or(AppError::NotFound)?;
    let policy = [(header::CONTENT_SECURITY_POLICY, MAIL_CONTENT_SECURITY_POLICY)];
    Ok((policy, Html(entry.message.html)).into_response())
}
