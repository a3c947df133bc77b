//! How content people are with the help they got: asked once, when a ticket ends. The link in the mail shows a question and
//! changes nothing, since mail programs open links by themselves; the answer to it counts, and can be given anew.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use domain::{Rating, TicketId};

use super::{Rated, Ticket, readable, store};
use crate::app::Core;
use crate::audit;
use crate::error::{AppError, refused};

const PURPOSE: &str = "ticket rating";
const LONGEST_COMMENT: usize = 2000;

/// Where a ticket's question is answered, without signing in.
pub(crate) fn path(core: &Core, ticket: TicketId) -> String {
    let proof = hex::encode(core.sealer.derive(PURPOSE, &ticket.to_string()));
    format!("/support/rating/{ticket}.{proof}")
}

/// The ticket that a link asks about; none when the link is not ours.
pub(crate) async fn find(core: &Core, token: &str) -> Result<Ticket, AppError> {
    let (id, proof) = token.split_once('.').ok_or(AppError::NotFound)?;
    let expected = core.sealer.derive(PURPOSE, id);
    let is_ours = hex::decode(proof).is_ok_and(|given| verify_slices_are_equal(&given, &expected).is_ok());
    if !is_ours {
        return Err(AppError::NotFound);
    }
    super::find(core, id).await
}

/// Takes the answer.
pub(crate) async fn give(core: &Core, ticket: &Ticket, score: &str, comment: &str) -> Result<(), AppError> {
    let rating = score.parse().ok().and_then(Rating::new);
    let rating = rating.ok_or_else(|| refused(422, "There is no score", "Choose one from 1 to 5."))?;
    let comment: String = readable(comment).chars().take(LONGEST_COMMENT).collect();
    let rated = Rated { rating, comment };
    let mut tx = core.db.begin().await?;
    store::rate(&mut tx, ticket.id, &rated, core.clock.now()).await?;
    let (by, subject) = (ticket.requester.as_str(), ticket.id.to_string());
    audit::record(&mut tx, core, by, "ticket.rated", &subject, &rating.get().to_string()).await?;
    tx.commit().await?;
    Ok(())
}
