use domain::{Email, MessageId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::page::Filtered;
use crate::{Client, ClientError, Page, Paging};

/// How a mail of the main instance fares. What it says is not told: it may hold a sign-in code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    /// Names the mail.
    #[schema(value_type = String)]
    pub id: MessageId,
    /// To whom.
    #[schema(value_type = String, format = Email)]
    pub to: Email,
    /// Its subject; of a sign-in code only that it is one.
    pub subject: String,
    /// Where it stands.
    pub state: MessageState,
    /// How often it was tried.
    pub attempts: u32,
    /// What last went wrong.
    pub error: Option<String>,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it is tried next; absent once it is delivered or given up.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub due_at: Option<Timestamp>,
}

/// Where a mail stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// It is tried until it is handed on.
    Waiting,
    /// It was handed on.
    Delivered,
    /// It is kept, and not tried until somebody asks for it.
    Failed,
}

impl MessageState {
    /// The word that is sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Waiting, Self::Delivered, Self::Failed].into_iter().find(|state| state.as_str() == word)
    }
}

/// Which mails to list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct MessageFilter {
    /// Only those in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<MessageState>,
}

impl Client {
    /// The mails, newest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn messages(&self, filter: &MessageFilter, paging: &Paging) -> Result<Page<Message>, ClientError> {
        self.get(&["messages"], &Filtered { filter, paging }).await
    }

    /// Makes a mail that was not delivered due now. That its address bounced is forgotten.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such mail, 409 when there is nothing to retry.
    pub async fn retry_message(&self, id: &str) -> Result<Message, ClientError> {
        self.post(&["messages", id, "retry"], &()).await
    }
}
