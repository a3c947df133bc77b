//! What is written to whoever opened a ticket, and to whoever sees to it.

use ::store::Tx;
use ::store::sqlx::Error;
use domain::Email;
use pages::mail::TicketLetter;

use super::thread::{self, Reply};
use super::{Channel, Ticket, Words, rating};
use crate::app::Core;
use crate::mail;

/// So many characters of what somebody says are in the notice of it.
const EXCERPT: usize = 600;

/// It came to us.
pub(super) async fn received(tx: &mut Tx, core: &Core, ticket: &Ticket) -> Result<(), Error> {
    let paragraphs = vec![
        format!("We have your message \u{201c}{}\u{201d}, and answer as soon as we can.", ticket.subject),
        "You get the answer by mail. There is nothing that you have to do until then.".to_owned(),
    ];
    let reply = Reply {
        ticket: ticket.id,
        key: &format!("ticket received {}", ticket.id),
        to: &ticket.requester,
        written: letter(core, ticket, paragraphs).written(),
        is_automatic: true,
    };
    thread::post(tx, core, reply).await
}

/// Support answered; a solved ticket asks how content its customer is.
pub(super) async fn answered(
    tx: &mut Tx,
    core: &Core,
    ticket: &mut Ticket,
    key: &str,
    text: &str,
) -> Result<(), Error> {
    let paragraphs = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    let mut letter = letter(core, ticket, paragraphs);
    if ticket.state.is_done() {
        letter.rating_url = question(core, ticket);
    }
    let key = format!("ticket answer {key}");
    let reply =
        Reply { ticket: ticket.id, key: &key, to: &ticket.requester, written: letter.written(), is_automatic: false };
    thread::post(tx, core, reply).await
}

/// It was put away. Who was asked before is not written to again.
pub(super) async fn closed(tx: &mut Tx, core: &Core, ticket: &mut Ticket) -> Result<(), Error> {
    let Some(rating_url) = question(core, ticket) else { return Ok(()) };
    let paragraphs = vec![format!(
        "We closed your ticket \u{201c}{}\u{201d}. If something is left, write to us again; that opens a new one.",
        ticket.subject
    )];
    let letter = TicketLetter { rating_url: Some(rating_url), ..letter(core, ticket, paragraphs) };
    let reply = Reply {
        ticket: ticket.id,
        key: &format!("ticket closed {}", ticket.id),
        to: &ticket.requester,
        written: letter.written(),
        is_automatic: true,
    };
    thread::post(tx, core, reply).await
}

/// Where the question is answered, once: after that it counts as asked.
fn question(core: &Core, ticket: &mut Ticket) -> Option<String> {
    if ticket.rating_asked_at.is_some() || ticket.rated.is_some() {
        return None;
    }
    ticket.rating_asked_at = Some(core.clock.now());
    Some(core.site_url(&rating::path(core, ticket.id)))
}

/// The customer's side said something.
pub(super) async fn tell_support(tx: &mut Tx, core: &Core, ticket: &Ticket, words: &Words) -> Result<(), Error> {
    let to = ticket.assignee.as_ref().unwrap_or(&core.settings.operator);
    let what = format!("{} wrote: {}", ticket.requester, ticket.subject);
    let excerpt: String = words.text.chars().take(EXCERPT).collect();
    tell(tx, core, to, &format!("ticket notice {}", words.key), &what, &excerpt, ticket).await
}

/// Somebody is to see to it.
pub(super) async fn tell_assignee(tx: &mut Tx, core: &Core, ticket: &Ticket) -> Result<(), Error> {
    let Some(to) = &ticket.assignee else { return Ok(()) };
    let what = format!("A ticket is yours now: {}", ticket.subject);
    // Who gets it, loses it and gets it again is told again.
    let key = format!("ticket assigned {} {}", ticket.id, core.clock.now().as_millisecond());
    tell(tx, core, to, &key, &what, &format!("{} asked.", ticket.requester), ticket).await
}

async fn tell(
    tx: &mut Tx,
    core: &Core,
    to: &Email,
    key: &str,
    what: &str,
    why: &str,
    ticket: &Ticket,
) -> Result<(), Error> {
    mail::alert_to(tx, core, to, key, what, why, &format!("/admin/tickets/{}", ticket.id)).await
}

fn letter(core: &Core, ticket: &Ticket, paragraphs: Vec<String>) -> TicketLetter {
    // Strangers can't sign in to the portal.
    let has_portal = ticket.customer.is_some() || ticket.channel == Channel::Portal;
    TicketLetter {
        product: core.settings.product.clone(),
        subject: ticket.subject.clone(),
        name: ticket.name.clone(),
        paragraphs,
        url: has_portal.then(|| core.site_url(&format!("/portal/tickets/{}", ticket.id))),
        may_reply: core.settings.support.address.is_some() && core.settings.support.mail.is_some(),
        rating_url: None,
    }
}
