//! Mail that comes to support: into the ticket that it answers, or as a new one.
//!
//! What holds here:
//! - A mail is believed its sender only as far as it does no harm: to add to a ticket it must also know the ticket, by the mark
//!   in the address that it was sent to or by a mail of ours that it names, neither of which anybody can guess.
//! - What no person wrote is never answered, and what comes too often isn't either: two programs can't keep each other busy.
//! - The same mail again changes nothing.

mod automatic;
mod quoting;
pub(crate) mod read;

use aws_lc_rs::digest::{SHA256, digest};
use domain::{Email, TicketId, TicketKind, TicketState};
use jiff::SignedDuration;

use super::settings::Strangers;
use super::{
    Asker, Bundle, Channel, LONGEST_SUBJECT, LONGEST_TEXT, NewTicket, Ticket, Words, address, conversation, readable,
    store, thread,
};
use crate::app::Core;
use crate::customers;
use crate::error::AppError;
use crate::instances::{self, Instance};
use crate::person::Program;

/// So many mails a ticket takes within [`LATELY`]: people write fewer.
const MOST_IN_A_TICKET: u32 = 20;
/// So many strangers' mails become tickets within [`LATELY`], all together.
const MOST_OF_STRANGERS: u32 = 60;
const LATELY: SignedDuration = SignedDuration::from_hours(1);

/// A mail as it came.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// Its `Message-ID` without angle brackets, if it has one that can be named in a mail.
    pub id: Option<String>,
    pub from: Email,
    pub name: String,
    /// All addresses that it may have been sent to.
    pub to: Vec<String>,
    pub subject: String,
    pub text: String,
    /// The mails that it says it belongs to, earliest first, by their ids.
    pub earlier: Vec<String>,
    /// Why it counts as written by no person.
    pub automatic: Option<&'static str>,
    pub files: Vec<(String, Vec<u8>)>,
}

/// What became of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It opened a ticket.
    Opened(TicketId),
    /// It was added to one.
    Added(TicketId),
    /// It came before.
    Known(TicketId),
    /// It changed nothing, and why.
    Ignored(&'static str),
}

/// Takes a mail in.
pub(crate) async fn take(core: &Core, mail: Incoming) -> Result<Outcome, AppError> {
    if let Some(why) = mail.automatic {
        return Ok(Outcome::Ignored(why));
    }
    if is_our_own(core, &mail).await? {
        return Ok(Outcome::Ignored("it comes from ourselves"));
    }
    let key = key_of(&mail);
    let mut connection = core.db.read().acquire().await.map_err(AppError::from)?;
    let known = conversation::store::ticket_of_key(&mut connection, &key).await?;
    drop(connection);
    if let Some(known) = known {
        return Ok(Outcome::Known(known));
    }
    let Some(ticket) = answered(core, &mail).await? else { return begin(core, mail, key, None).await };
    if ticket.state == TicketState::Closed {
        return begin(core, mail, key, Some(&ticket)).await;
    }
    if thread::store::came_since(&core.db, ticket.id, core.clock.now() - LATELY).await? >= MOST_IN_A_TICKET {
        return Ok(Outcome::Ignored("too many mails came for this ticket within an hour"));
    }
    let from = mail.from.clone();
    super::reply(core, ticket.id, &from, words(mail, key)).await?;
    Ok(Outcome::Added(ticket.id))
}

/// The ticket that a mail answers, if its sender is one of that ticket's.
async fn answered(core: &Core, mail: &Incoming) -> Result<Option<Ticket>, AppError> {
    let named = match mail.to.iter().find_map(|to| address::read(core, to)) {
        Some(marked) => Some(marked),
        None => thread::store::ticket_of(&core.db, &mail.earlier).await?,
    };
    let Some(id) = named else { return Ok(None) };
    if let Some(ticket) = store::find_of(&core.db, &mail.from, id).await? {
        return Ok(Some(ticket));
    }
    tracing::warn!(ticket.id = %id, "A mail names ticket {id}, and its sender is nobody of that ticket");
    Ok(None)
}

/// Opens a ticket for a mail that belongs to none, or to one that is closed.
async fn begin(core: &Core, mail: Incoming, key: String, after: Option<&Ticket>) -> Result<Outcome, AppError> {
    let customer = customers::store::find_by_email(&core.db, &mail.from).await?;
    if customer.is_none() && after.is_none() {
        if core.settings.support.strangers == Strangers::Refused {
            return Ok(Outcome::Ignored("its sender is no customer"));
        }
        let since = core.clock.now() - LATELY;
        if thread::store::opened_by_mail_since(&core.db, since).await? >= MOST_OF_STRANGERS {
            return Ok(Outcome::Ignored("too many strangers wrote within an hour"));
        }
    }
    let only = match &customer {
        Some(customer) => only_instance(core, customer.id).await?,
        None => None,
    };
    let name = customer.as_ref().map_or_else(|| mail.name.clone(), |customer| customer.name.clone());
    let customer = customer.map(|customer| customer.id);
    let new = NewTicket {
        asker: Asker { email: mail.from.clone(), name, customer },
        instance: only.as_ref(),
        kind: TicketKind::Question,
        subject: subject(&mail.subject),
        channel: Channel::Mail,
    };
    let note_key = format!("{key} follows");
    let ticket = match super::open(core, new, words(mail, key)).await {
        Ok(ticket) => ticket,
        Err(AppError::Refused { status, .. }) if status.as_u16() == 429 => {
            return Ok(Outcome::Ignored("its sender opened too many tickets within an hour"));
        }
        Err(error) => return Err(error),
    };
    if let Some(after) = after {
        let text = format!("It answers a ticket that is closed: {} ({}).", after.subject, after.id);
        super::note(core, ticket.id, Program::NAME, Words::plain(note_key, &text)).await?;
    }
    Ok(Outcome::Opened(ticket.id))
}

/// The instance that is meant, where there is but one.
async fn only_instance(core: &Core, customer: domain::CustomerId) -> Result<Option<Instance>, AppError> {
    let mut all = instances::store::of_customer(&core.db, customer).await?;
    all.retain(|instance| !instance.state.is_over());
    Ok(if all.len() == 1 { all.pop() } else { None })
}

/// What goes round: our own mail that came back, or one that claims to come from support.
async fn is_our_own(core: &Core, mail: &Incoming) -> Result<bool, AppError> {
    if core.settings.support.address.as_ref() == Some(&mail.from) || address::read(core, mail.from.as_str()).is_some() {
        return Ok(true);
    }
    match &mail.id {
        Some(id) => Ok(thread::store::is_ours(&core.db, id).await?),
        None => Ok(false),
    }
}

/// What a mail is known by: its id and its sender, and without an id what it says.
fn key_of(mail: &Incoming) -> String {
    let said = match &mail.id {
        Some(id) => format!("{} {id}", mail.from),
        None => format!("{} {} {}", mail.from, mail.subject, mail.text),
    };
    format!("mail {}", hex::encode(digest(&SHA256, said.as_bytes())))
}

fn words(mail: Incoming, key: String) -> Words {
    let (said, quoted) = quoting::apart(&readable(&mail.text));
    let mut text = shortened(&said, LONGEST_TEXT / 2);
    let quoted = quoted.map(|quoted| shortened(&quoted, LONGEST_TEXT / 2));
    let mut attachments = Bundle::default();
    let mut left_out = Vec::new();
    for (name, content) in mail.files {
        if let Err(error) = attachments.add(&name, content) {
            left_out.push(error.to_string());
        }
    }
    if !left_out.is_empty() {
        left_out.dedup();
        text.push_str(&format!("\n\n[Not all files were taken: {}.]", left_out.join("; ")));
    }
    if text.trim().is_empty() {
        "(The mail has no text.)".clone_into(&mut text);
    }
    Words { key, text, quoted, attachments, mail_id: mail.id }
}

fn subject(raw: &str) -> String {
    let line: String = readable(raw).replace('\n', " ");
    let line: String = line.trim().chars().take(LONGEST_SUBJECT).collect();
    if line.trim().is_empty() { "(no subject)".to_owned() } else { line }
}

/// What fits, with a word that there was more.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most).collect();
    format!("{kept}\n\n[The rest of the mail was left out.]")
}
