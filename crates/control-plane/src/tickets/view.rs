//! Tickets, as pages show them.

use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use domain::TicketVoice;
use pages::console::{ConsoleTicketRow, Fact, TicketFigures};
use pages::{RatingForm, TicketEntry, TicketFile};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::conversation::{self, Entry};
use super::facts::Facts;
use super::figures::{self, Figures};
use super::{Ticket, rating};
use crate::app::Core;
use crate::error::AppError;

/// The entries for a page at whose address files are found below `/attachments`. Support is called by what it supports where
/// a customer reads it.
pub(crate) fn entries(entries: Vec<Entry>, url: &str, support: Option<&str>) -> Vec<TicketEntry> {
    let view = |entry: Entry| TicketEntry {
        voice: entry.voice,
        who: match (entry.voice, support) {
            (TicketVoice::Support, Some(product)) => format!("{product} support"),
            _ => entry.author,
        },
        at: entry.at,
        text: entry.text,
        quoted: entry.quoted,
        files: entry
            .attachments
            .into_iter()
            .map(|file| TicketFile {
                url: format!("{url}/attachments/{}", file.number),
                name: file.name,
                size: file.size,
            })
            .collect(),
    };
    entries.into_iter().map(view).collect()
}

/// The question how content they are, as a form.
pub(crate) fn question(core: &Core, ticket: &Ticket) -> RatingForm {
    RatingForm {
        url: rating::path(core, ticket.id),
        chosen: ticket.rated.as_ref().map(|rated| rated.rating.get()),
        comment: ticket.rated.as_ref().map(|rated| rated.comment.clone()).unwrap_or_default(),
    }
}

pub(crate) fn row(ticket: &Ticket) -> ConsoleTicketRow {
    ConsoleTicketRow {
        id: ticket.id.to_string(),
        subject: ticket.subject.clone(),
        requester: match ticket.name.as_str() {
            "" => ticket.requester.to_string(),
            name => format!("{name} ({})", ticket.requester),
        },
        hostname: hostname(ticket),
        kind: ticket.kind,
        state: ticket.state,
        assignee: ticket.assignee.as_ref().map(ToString::to_string),
        waiting_since: ticket.waiting_since,
        opened_at: ticket.opened_at,
    }
}

/// The instance that a ticket is about, as it was called then.
pub(crate) fn hostname(ticket: &Ticket) -> Option<String> {
    ticket.facts.instance.as_ref().map(|facts| facts.hostname.clone())
}

/// What was known, one thing a line.
pub(crate) fn facts(ticket: &Ticket) -> Vec<Fact> {
    let fact = |label: &str, value: String| Fact { label: label.to_owned(), value };
    let Facts { instance, payment, incidents, .. } = &ticket.facts;
    let mut facts = Vec::new();
    if let Some(instance) = instance {
        facts.push(fact("Instance", format!("{}, {}", instance.hostname, instance.state)));
        facts.push(fact("Release", instance.release.clone().unwrap_or_else(|| "unknown".to_owned())));
        let looked =
            instance.looked_at.map(|at| format!(", its provider looked {}", at.strftime("%-d %b %Y, %H:%M UTC")));
        facts.push(fact("Health", format!("{}{}", instance.health, looked.unwrap_or_default())));
    }
    if ticket.customer.is_none() {
        facts.push(fact("Customer", "none: a stranger".to_owned()));
    }
    facts.push(fact("Payment", payment.clone().unwrap_or_else(|| "nothing was charged yet".to_owned())));
    let open: Vec<String> =
        incidents.iter().map(|incident| format!("{} ({})", incident.title, incident.state)).collect();
    facts.push(fact("Open incidents", if open.is_empty() { "none".to_owned() } else { open.join("; ") }));
    facts.push(fact("Came by", ticket.channel.as_str().to_owned()));
    facts
}

pub(crate) fn figures_view(figures: &Figures) -> TicketFigures {
    TicketFigures {
        open: figures.open,
        waiting: figures.waiting,
        oldest: figures.oldest,
        days: figures::DAYS,
        opened: figures.opened,
        median_first_answer: figures.median_first_answer,
        ratings: figures.ratings,
        average_tenths: figures.average_tenths,
    }
}

/// A file, to be saved and never shown: whoever sent it may want it to run here.
pub(crate) async fn file(core: &Core, ticket: &Ticket, number: &str) -> Result<Response, AppError> {
    let number = number.parse().map_err(|_| AppError::NotFound)?;
    let found = conversation::store::attachment(&core.db, &core.sealer, ticket.id, number).await?;
    let (name, content) = found.ok_or(AppError::NotFound)?;
    let name = utf8_percent_encode(&name, NON_ALPHANUMERIC);
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{name}")),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, content).into_response())
}
