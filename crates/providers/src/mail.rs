//! How mail leaves the house.

mod smtp;

use async_trait::async_trait;
use domain::Email;
use serde::{Deserialize, Serialize};

use crate::ProviderError;

pub use smtp::Smtp;

/// A mail, ready to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Our id; becomes the `Message-ID`, so that a repeated delivery can be recognised.
    pub id: String,
    /// To whom.
    pub to: Email,
    /// One line.
    pub subject: String,
    /// The plain-text body.
    pub text: String,
    /// The same in HTML.
    pub html: String,
    /// The conversation that it belongs to, if any.
    pub thread: Thread,
    /// Where its reader asks for no more of such mail, where it is not about their own account.
    pub unsubscribe_url: Option<String>,
}

/// How a mail belongs to a conversation, so that mail programs show it there and answers find back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// Where answers go; to the sender, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Email>,
    /// The mails before it, earliest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Earlier>,
    /// Whether nobody wrote it: programs that answer mail leave it alone then.
    #[serde(default)]
    pub is_automatic: bool,
}

/// A mail of the same conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Earlier {
    /// One of ours, by our id.
    Ours(String),
    /// Another's, by its `Message-ID` without the angle brackets.
    Theirs(String),
}

/// Why a mail was not handed on, and so what becomes of it.
#[derive(Debug, thiserror::Error)]
pub enum Undelivered {
    /// It may work later, or may have worked: nobody said.
    #[error(transparent)]
    Later(ProviderError),
    /// The address takes no mail: no such mailbox, or it is closed. Other mail is not concerned.
    #[error("{answer}")]
    Bounced {
        /// What the server said.
        answer: String,
    },
    /// This mail is not taken as it is, whoever it goes to. Other mail is not concerned.
    #[error("the server does not take this mail: {answer}")]
    MailRefused {
        /// What the server said.
        answer: String,
    },
    /// Nothing of ours is taken: the credentials, the sender or the connection are refused.
    #[error(transparent)]
    WeAreRefused(ProviderError),
}

/// A way for mail to leave.
#[async_trait]
pub trait Mail: Send + Sync {
    /// How the driver is called in configuration: `outbox`, `smtp`.
    fn name(&self) -> &'static str;

    /// Hands a message on. It may be handed on twice when the answer was lost.
    async fn deliver(&self, message: &Message) -> Result<(), Undelivered>;
}

/// Keeps mail where it is: the outbox in the store is also the mailbox that people read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outbox;

#[async_trait]
impl Mail for Outbox {
    fn name(&self) -> &'static str {
        "outbox"
    }

    async fn deliver(&self, _message: &Message) -> Result<(), Undelivered> {
        Ok(())
    }
}
