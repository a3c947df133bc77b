use domain::{CannedAnswerId, CustomerId, Email, InstanceId, TicketId};
use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::page::Filtered;
use crate::{Client, ClientError, Page, Paging};

/// What somebody wants of support.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ticket {
    /// Names it.
    #[schema(value_type = String)]
    pub id: TicketId,
    /// The customer for whom it is; none for a stranger.
    #[schema(value_type = Option<String>)]
    pub customer_id: Option<CustomerId>,
    /// Who asked, and gets the answers.
    #[schema(value_type = String)]
    pub requester: Email,
    /// The instance that it is about, if it is about one.
    #[schema(value_type = Option<String>)]
    pub instance_id: Option<InstanceId>,
    /// `question`, `problem`, `billing` or `idea`.
    pub kind: String,
    /// What it is about, in one line.
    pub subject: String,
    /// How it came: `portal`, `mail` or `api`.
    pub channel: String,
    /// `open` (its customer waits for us), `waiting` (we wait for its customer), `solved` or `closed`.
    pub state: String,
    /// Who of support sees to it.
    #[schema(value_type = Option<String>)]
    pub assignee: Option<Email>,
    /// When it was opened.
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Timestamp,
    /// When something was said or done last.
    #[schema(value_type = String, format = DateTime)]
    pub changed_at: Timestamp,
    /// Since when its customer waits for us.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub waiting_since: Option<Timestamp>,
    /// When it was answered first.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub first_answer_at: Option<Timestamp>,
    /// When it was solved or closed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// How content its customer was, from 1 to 5, if they said so.
    pub rating: Option<u8>,
}

/// A ticket with all that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TicketWithMessages {
    /// The ticket.
    #[serde(flatten)]
    pub ticket: Ticket,
    /// What was known when it was opened. It does not change.
    pub facts: TicketFacts,
    /// What was said, earliest first, notes among it.
    pub messages: Vec<TicketMessage>,
    /// What its customer added to the rating.
    pub rating_comment: Option<String>,
}

/// What was known when a ticket was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TicketFacts {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub taken_at: Timestamp,
    /// The instance's hostname.
    pub hostname: Option<String>,
    /// The instance's state.
    pub instance_state: Option<String>,
    /// The version that it ran.
    pub release: Option<String>,
    /// The verdict on it, from all that was seen.
    pub health: Option<String>,
    /// How it stood with the last invoice, and with paying.
    pub payment: Option<String>,
    /// The incidents that were open, by their titles.
    pub incidents: Vec<String>,
}

/// What was said in a ticket at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TicketMessage {
    /// `customer`, `support`, or `note`, which the customer never reads.
    pub voice: String,
    /// Who said it.
    pub author: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What was said.
    pub text: String,
    /// What that repeats of what was said before.
    pub quoted: Option<String>,
    /// The files that came with it.
    pub attachments: Vec<TicketAttachment>,
}

/// A file that came with a message; to be had at `/tickets/{id}/attachments/{number}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TicketAttachment {
    /// Names it within its ticket.
    pub number: i64,
    /// What it is called.
    pub name: String,
    /// How large it is, in bytes.
    pub size: u64,
}

/// Opens a ticket for a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTicket {
    /// Who asks, and gets the answers.
    #[schema(value_type = String)]
    pub requester: Email,
    /// The instance that it is about: id, project name or subdomain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// `question`, `problem`, `billing` or `idea`.
    pub kind: String,
    /// What it is about, in one line of at most 150 characters.
    pub subject: String,
    /// What they say, in at most 20,000 characters.
    pub text: String,
}

/// Answers a ticket; its customer gets that by mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTicketAnswer {
    /// What the customer reads.
    pub text: String,
    /// Whether that is all: the ticket is solved then, and its customer asked how content they are.
    #[serde(default)]
    pub solved: bool,
}

/// Adds a note to a ticket, for support only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTicketNote {
    /// What is noted.
    pub text: String,
}

/// Says who of support sees to a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignTicket {
    /// An operator of the role `support` or `owner`; nobody, when left out.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub assignee: Option<Email>,
}

/// How support is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TicketFigures {
    /// Tickets whose customers wait for us.
    pub open: u64,
    /// Tickets whose customers we wait for.
    pub waiting: u64,
    /// Since when who has waited longest waits.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub oldest_waiting_since: Option<Timestamp>,
    /// Over how many days the following is counted.
    pub days: i64,
    /// Tickets that were opened.
    pub opened: u64,
    /// The seconds to the first answer that half of them got sooner; none where none was answered.
    pub median_first_answer_seconds: Option<i64>,
    /// How many said how content they are.
    pub ratings: u64,
    /// What they said on average, in tenths: 46 for 4.6 of 5.
    pub average_rating_tenths: Option<u64>,
}

/// An answer that is kept to be given again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CannedAnswer {
    /// Names it.
    #[schema(value_type = String)]
    pub id: CannedAnswerId,
    /// What it is called.
    pub name: String,
    /// What it says; `{name}` and `{subdomain}` are filled in where it is chosen.
    pub text: String,
}

/// Keeps an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCannedAnswer {
    /// What it is called, in at most 80 characters.
    pub name: String,
    /// What it says, in at most 5,000 characters.
    pub text: String,
}

/// Which tickets to list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct TicketFilter {
    /// Only those in this state; `unfinished` for those that are neither solved nor closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Only those that somebody sees to, or `nobody`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// Only those about this instance: id, project name or subdomain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// `waiting` for those that wait for us, who has waited longest first; else newest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
}

impl Client {
    /// The tickets.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn tickets(&self, filter: &TicketFilter, paging: &Paging) -> Result<Page<Ticket>, ClientError> {
        self.get(&["tickets"], &Filtered { filter, paging }).await
    }

    /// One ticket with all that was said.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn ticket(&self, id: &str) -> Result<TicketWithMessages, ClientError> {
        self.get(&["tickets", id], &()).await
    }

    /// Opens a ticket for a customer.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn open_ticket(&self, new: &NewTicket) -> Result<Ticket, ClientError> {
        self.post(&["tickets"], new).await
    }

    /// Answers a ticket.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn answer_ticket(&self, id: &str, answer: &NewTicketAnswer) -> Result<Ticket, ClientError> {
        self.post(&["tickets", id, "answers"], answer).await
    }

    /// Adds a note to a ticket.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn note_ticket(&self, id: &str, note: &NewTicketNote) -> Result<Ticket, ClientError> {
        self.post(&["tickets", id, "notes"], note).await
    }

    /// Says who sees to a ticket.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn assign_ticket(&self, id: &str, assign: &AssignTicket) -> Result<Ticket, ClientError> {
        self.put(&["tickets", id, "assignee"], assign).await
    }

    /// Closes a ticket.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn close_ticket(&self, id: &str) -> Result<Ticket, ClientError> {
        self.post(&["tickets", id, "close"], &()).await
    }

    /// How support is doing.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn ticket_figures(&self) -> Result<TicketFigures, ClientError> {
        self.get(&["tickets", "figures"], &()).await
    }

    /// The answers that are kept, by name.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn canned_answers(&self) -> Result<Page<CannedAnswer>, ClientError> {
        self.get(&["canned-answers"], &()).await
    }

    /// Keeps an answer.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn keep_canned_answer(&self, new: &NewCannedAnswer) -> Result<CannedAnswer, ClientError> {
        self.post(&["canned-answers"], new).await
    }

    /// Keeps an answer no longer.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn remove_canned_answer(&self, id: &str) -> Result<(), ClientError> {
        self.quietly(Method::DELETE, &["canned-answers", id]).await
    }
}
