//! What was said in a ticket. It is only ever added to, and rests sealed: people put into it what they should not.

pub(crate) mod store;

use ::store::{Tx, is_unique_violation};
use domain::{TicketId, TicketVoice};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Said, Words, thread};
use crate::app::Core;
use crate::error::{AppError, refused};

/// What was said at a moment.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub voice: TicketVoice,
    pub author: String,
    pub at: Timestamp,
    pub text: String,
    /// What it repeats of what was said before.
    pub quoted: Option<String>,
    pub attachments: Vec<Attachment>,
}

/// A file that came with it.
#[derive(Debug, Clone)]
pub(crate) struct Attachment {
    /// Names it within its ticket.
    pub number: i64,
    pub name: String,
    /// In bytes.
    pub size: u64,
}

/// The words, as they rest sealed.
#[derive(Serialize, Deserialize)]
struct Sealed {
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quoted: Option<String>,
}

/// Adds what is said. Who holds the ticket calls this, so that entries follow one another.
pub(super) async fn add(
    tx: &mut Tx,
    core: &Core,
    ticket: TicketId,
    said: &Said,
    words: &Words,
) -> Result<(), AppError> {
    store::insert(tx, &core.sealer, ticket, said, words).await.map_err(|error| {
        // Two of the same at the same moment: the other one was quicker.
        if is_unique_violation(&error) {
            return refused(409, "This was just sent", "Look at the ticket before you send it again.");
        }
        AppError::from(error)
    })?;
    if let Some(id) = &words.mail_id {
        thread::store::note_theirs(tx, ticket, id, said.at).await?;
    }
    Ok(())
}
