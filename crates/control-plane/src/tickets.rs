//! What people want of support, and all that is said about it.
//!
//! What holds here:
//! - Whose turn it is is one word ([`TicketState`]), which changes only with what somebody says or does.
//! - What is said is only ever added to, once for each key: a form that is sent twice, and a mail that comes twice, says it
//!   once.
//! - Notes are for support alone: whoever reads for a customer reads without them.
//! - The facts about the instance are those of the moment at which the ticket was opened, and never change.

pub(crate) mod address;
pub(crate) mod attachments;
pub(crate) mod canned;
pub(crate) mod closing;
pub(crate) mod conversation;
pub(crate) mod facts;
pub(crate) mod figures;
pub(crate) mod form;
pub(crate) mod inbound;
mod letters;
pub(crate) mod rating;
pub(crate) mod settings;
pub(crate) mod store;
pub(crate) mod thread;
pub(crate) mod view;

use ::store::Tx;
use domain::{
    CustomerId, Email, InstanceId, OperatorRole, Rating, TicketEvent, TicketId, TicketKind, TicketState, TicketVoice,
};
use jiff::{SignedDuration, Timestamp};

use self::attachments::Bundle;
use self::facts::Facts;
use crate::app::Core;
use crate::error::{AppError, refused};
use crate::instances::Instance;
use crate::{audit, operators};

/// In characters.
pub(crate) const LONGEST_SUBJECT: usize = 150;
/// In characters.
pub(crate) const LONGEST_TEXT: usize = 20_000;
/// So many tickets one address may open within [`LATELY`]: more come from a program.
const MOST_OPENED: u32 = 10;
const LATELY: SignedDuration = SignedDuration::from_hours(1);

/// What somebody wants of support.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    pub id: TicketId,
    /// The customer for whom it is; nobody for a stranger.
    pub customer: Option<CustomerId>,
    /// Who asked, and gets the answers.
    pub requester: Email,
    /// What they are called, if that is known.
    pub name: String,
    pub instance: Option<InstanceId>,
    pub kind: TicketKind,
    pub subject: String,
    pub channel: Channel,
    pub state: TicketState,
    /// Who of support sees to it.
    pub assignee: Option<Email>,
    pub facts: Facts,
    pub opened_at: Timestamp,
    pub changed_at: Timestamp,
    /// Since when its customer waits for us.
    pub waiting_since: Option<Timestamp>,
    pub first_answer_at: Option<Timestamp>,
    /// When it was solved or closed.
    pub ended_at: Option<Timestamp>,
    /// When its customer was asked how content they are.
    pub rating_asked_at: Option<Timestamp>,
    pub rated: Option<Rated>,
}

/// How content its customer was.
#[derive(Debug, Clone)]
pub(crate) struct Rated {
    pub rating: Rating,
    pub comment: String,
}

/// How a ticket came to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    Portal,
    Mail,
    Api,
}

impl Channel {
    /// The word that is stored and sent.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Portal => "portal",
            Self::Mail => "mail",
            Self::Api => "api",
        }
    }
}

/// Who wants something.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    pub email: Email,
    pub name: String,
    pub customer: Option<CustomerId>,
}

/// A ticket that is to be.
#[derive(Debug)]
pub(crate) struct NewTicket<'a> {
    pub asker: Asker,
    pub instance: Option<&'a Instance>,
    pub kind: TicketKind,
    pub subject: String,
    pub channel: Channel,
}

/// What somebody says.
#[derive(Debug)]
pub(crate) struct Words {
    /// The same key says the same, and is heard once.
    pub key: String,
    pub text: String,
    /// What an answer repeats of what was said before.
    pub quoted: Option<String>,
    pub attachments: Bundle,
    /// The mail by which it came, by its `Message-ID` without angle brackets.
    pub mail_id: Option<String>,
}

impl Words {
    /// Without attachments.
    pub(crate) fn plain(key: String, text: &str) -> Self {
        Self { key, text: text.to_owned(), quoted: None, attachments: Bundle::default(), mail_id: None }
    }
}

/// Opens a ticket. The same key once more gives the ticket that it opened.
pub(crate) async fn open(core: &Core, new: NewTicket<'_>, words: Words) -> Result<Ticket, AppError> {
    let subject = checked(&new.subject, LONGEST_SUBJECT, "A subject")?;
    let words = Words { text: checked(&words.text, LONGEST_TEXT, "A message")?, ..words };
    let facts = facts::take(core, &new).await?;
    let now = core.clock.now();
    let ticket = Ticket {
        id: TicketId::new(now, core.entropy.bytes()),
        customer: new.asker.customer,
        requester: new.asker.email,
        name: new.asker.name,
        instance: new.instance.map(|instance| instance.id),
        kind: new.kind,
        subject,
        channel: new.channel,
        state: TicketState::Open,
        assignee: None,
        facts,
        opened_at: now,
        changed_at: now,
        waiting_since: Some(now),
        first_answer_at: None,
        ended_at: None,
        rating_asked_at: None,
        rated: None,
    };
    let mut tx = core.db.begin().await?;
    if let Some(opened) = conversation::store::ticket_of_key(&mut tx, &words.key).await? {
        return store::find(&core.db, opened).await?.ok_or(AppError::NotFound);
    }
    if store::opened_since(&mut tx, &ticket.requester, now - LATELY).await? >= MOST_OPENED {
        let next = "Add to one that is open, or try again in an hour.";
        return Err(refused(429, "Too many tickets were opened from this address within an hour", next));
    }
    store::insert(&mut tx, &ticket).await?;
    let said = Said { voice: TicketVoice::Customer, author: ticket.requester.to_string(), at: now };
    conversation::add(&mut tx, core, ticket.id, &said, &words).await?;
    let by = ticket.requester.to_string();
    audit::record(&mut tx, core, &by, "ticket.opened", &ticket.id.to_string(), &ticket.subject).await?;
    letters::received(&mut tx, core, &ticket).await?;
    letters::tell_support(&mut tx, core, &ticket, &words).await?;
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(ticket)
}

/// Who says something, and when.
#[derive(Debug)]
pub(crate) struct Said {
    pub voice: TicketVoice,
    pub author: String,
    pub at: Timestamp,
}

/// The customer's side says something: it is our turn then.
pub(crate) async fn reply(core: &Core, id: TicketId, author: &Email, words: Words) -> Result<Ticket, AppError> {
    let words = Words { text: checked(&words.text, LONGEST_TEXT, "A message")?, ..words };
    let said = Said { voice: TicketVoice::Customer, author: author.to_string(), at: core.clock.now() };
    let mut tx = core.db.begin().await?;
    let ticket = held(&mut tx, id).await?;
    if conversation::store::ticket_of_key(&mut tx, &words.key).await?.is_some() {
        return Ok(ticket);
    }
    let ticket = after(ticket, TicketEvent::CustomerWrote, said.at)?;
    conversation::add(&mut tx, core, id, &said, &words).await?;
    store::keep(&mut tx, &ticket).await?;
    audit::record(&mut tx, core, &said.author, "ticket.customer_wrote", &id.to_string(), "").await?;
    letters::tell_support(&mut tx, core, &ticket, &words).await?;
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(ticket)
}

/// What an answer does beside being said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// It is the customer's turn.
    Wait,
    /// We think that this is all.
    Solve,
}

/// Support answers; the customer gets it by mail.
pub(crate) async fn answer(core: &Core, id: TicketId, by: &str, words: Words, then: Then) -> Result<Ticket, AppError> {
    let words = Words { text: checked(&words.text, LONGEST_TEXT, "An answer")?, ..words };
    let said = Said { voice: TicketVoice::Support, author: by.to_owned(), at: core.clock.now() };
    let mut tx = core.db.begin().await?;
    let ticket = held(&mut tx, id).await?;
    if conversation::store::ticket_of_key(&mut tx, &words.key).await?.is_some() {
        return Ok(ticket);
    }
    let mut ticket = after(ticket, TicketEvent::SupportAnswered, said.at)?;
    ticket.first_answer_at = ticket.first_answer_at.or(Some(said.at));
    if then == Then::Solve {
        ticket = after(ticket, TicketEvent::Solved, said.at)?;
    }
    conversation::add(&mut tx, core, id, &said, &words).await?;
    letters::answered(&mut tx, core, &mut ticket, &words.key, &words.text).await?;
    store::keep(&mut tx, &ticket).await?;
    let action = if then == Then::Solve { "ticket.solved" } else { "ticket.answered" };
    audit::record(&mut tx, core, by, action, &id.to_string(), "").await?;
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(ticket)
}

/// Support writes something down for itself. It may be about a closed ticket, too.
pub(crate) async fn note(core: &Core, id: TicketId, by: &str, words: Words) -> Result<Ticket, AppError> {
    let words = Words { text: checked(&words.text, LONGEST_TEXT, "A note")?, ..words };
    let said = Said { voice: TicketVoice::Note, author: by.to_owned(), at: core.clock.now() };
    let mut tx = core.db.begin().await?;
    let ticket = held(&mut tx, id).await?;
    if conversation::store::ticket_of_key(&mut tx, &words.key).await?.is_none() {
        conversation::add(&mut tx, core, id, &said, &words).await?;
        audit::record(&mut tx, core, by, "ticket.noted", &id.to_string(), "").await?;
        tx.commit().await?;
    }
    Ok(ticket)
}

/// Says who of support sees to it; nobody, when nobody is named.
pub(crate) async fn assign(core: &Core, id: TicketId, to: Option<&Email>, by: &str) -> Result<Ticket, AppError> {
    if let Some(to) = to {
        let people = operators::store::at_least(&core.db, OperatorRole::Support).await?;
        if !people.contains(to) {
            let named: Vec<&str> = people.iter().map(Email::as_str).collect();
            let next = format!("Name one of {}.", named.join(", "));
            return Err(refused(422, &format!("{to} is not of support"), &next));
        }
    }
    let mut tx = core.db.begin().await?;
    let ticket = Ticket { assignee: to.cloned(), ..held(&mut tx, id).await? };
    store::keep(&mut tx, &ticket).await?;
    let detail = to.map_or("nobody", Email::as_str);
    audit::record(&mut tx, core, by, "ticket.assigned", &id.to_string(), detail).await?;
    if to.is_some_and(|to| to.as_str() != by) {
        letters::tell_assignee(&mut tx, core, &ticket).await?;
    }
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(ticket)
}

/// Puts a ticket away. Its customer is asked how content they are, unless they were.
pub(crate) async fn close(core: &Core, id: TicketId, by: &str) -> Result<Ticket, AppError> {
    end(core, id, TicketEvent::Closed, by).await
}

/// Its customer says that it is done.
pub(crate) async fn solve(core: &Core, id: TicketId, by: &Email) -> Result<Ticket, AppError> {
    end(core, id, TicketEvent::Solved, by.as_str()).await
}

async fn end(core: &Core, id: TicketId, event: TicketEvent, by: &str) -> Result<Ticket, AppError> {
    let now = core.clock.now();
    let mut tx = core.db.begin().await?;
    let before = held(&mut tx, id).await?;
    let was = before.state;
    let mut ticket = after(before, event, now)?;
    if ticket.state == was {
        return Ok(ticket);
    }
    // Whoever solved it in the portal finds the question there.
    if event == TicketEvent::Closed {
        letters::closed(&mut tx, core, &mut ticket).await?;
    }
    store::keep(&mut tx, &ticket).await?;
    let action = if event == TicketEvent::Closed { "ticket.closed" } else { "ticket.solved" };
    audit::record(&mut tx, core, by, action, &id.to_string(), "").await?;
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(ticket)
}

/// A ticket that a person may see: one that they opened, or one of theirs as a customer.
pub(crate) async fn of_person(core: &Core, person: &Email, id: &str) -> Result<Ticket, AppError> {
    let id = TicketId::parse(id).map_err(|_| AppError::NotFound)?;
    store::find_of(&core.db, person, id).await?.ok_or(AppError::NotFound)
}

/// Any ticket, for support.
pub(crate) async fn find(core: &Core, id: &str) -> Result<Ticket, AppError> {
    let id = TicketId::parse(id).map_err(|_| AppError::NotFound)?;
    store::find(&core.db, id).await?.ok_or(AppError::NotFound)
}

async fn held(tx: &mut Tx, id: TicketId) -> Result<Ticket, AppError> {
    store::hold(tx, id).await?.ok_or(AppError::NotFound)
}

/// The ticket after something happened to it, with the times that follow from that.
fn after(ticket: Ticket, event: TicketEvent, now: Timestamp) -> Result<Ticket, AppError> {
    let state = ticket
        .state
        .after(event)
        .map_err(|error| refused(409, &error.to_string(), "Open another ticket; it can name this one."))?;
    let waiting_since = (state == TicketState::Open).then(|| ticket.waiting_since.unwrap_or(now));
    let ended_at = state.is_done().then(|| ticket.ended_at.unwrap_or(now));
    Ok(Ticket { state, waiting_since, ended_at, changed_at: now, ..ticket })
}

fn checked(text: &str, longest: usize, what: &str) -> Result<String, AppError> {
    let text = readable(text);
    if text.is_empty() || text.chars().count() > longest {
        let title = format!("{what} has from 1 to {longest} characters");
        return Err(refused(422, &title, "Say it in a few plain words; what is longer can be attached as a file."));
    }
    Ok(text)
}

/// Without what a screen would obey or not show, and with one kind of line end.
pub(crate) fn readable(text: &str) -> String {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept: String = lines.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    kept.trim().to_owned()
}
