//! The mails of a ticket's conversation, ours and theirs, by their ids: so that mail programs show them together, and
//! answers find back.

pub(crate) mod store;

use ::store::Tx;
use ::store::sqlx::Error;
use domain::{Email, TicketId};
use pages::mail::Written;
use providers::mail::Thread;

use super::address;
use crate::app::Core;
use crate::mail::{self, Letter};

/// A mail to whoever opened a ticket.
pub(super) struct Reply<'a> {
    pub ticket: TicketId,
    pub key: &'a str,
    pub to: &'a Email,
    pub written: Written,
    /// Whether nobody wrote it.
    pub is_automatic: bool,
}

/// Stores a mail of a ticket's conversation, to be delivered.
pub(super) async fn post(tx: &mut Tx, core: &Core, reply: Reply<'_>) -> Result<(), Error> {
    let thread = Thread {
        reply_to: address::of(core, reply.ticket),
        earlier: store::earlier(tx, reply.ticket).await?,
        is_automatic: reply.is_automatic,
    };
    let letter = Letter { key: reply.key, to: reply.to, written: reply.written };
    let id = mail::post_in_thread(tx, core, letter, thread).await?;
    store::note_ours(tx, reply.ticket, id, core.clock.now()).await
}
