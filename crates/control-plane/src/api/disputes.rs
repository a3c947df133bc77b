use api::{Dispute, Page};
use axum::extract::State;

use super::{Listing, Query, Refusal};
use crate::app::App;
use crate::billing::disputes::{self, Kept, words};
use crate::error::refused;
use crate::person::Program;

pub(crate) async fn index(
    State(app): State<App>,
    _: Program,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<Page<Dispute>>, Refusal> {
    let is_open = match listing.state.as_deref() {
        None | Some("open") => true,
        Some("closed") => false,
        Some(word) => {
            return Err(refused(422, &format!("{word:?} is not the state of a dispute"), "Use open or closed.").into());
        }
    };
    let found = disputes::store::list(&app.db, is_open, super::MOST).await?;
    Ok(axum::Json(Page::whole(found.into_iter().map(dispute).collect())))
}

fn dispute(kept: Kept) -> Dispute {
    let next_step = words::next(&kept);
    let Kept { dispute, invoice, customer, problem, ended_at, .. } = kept;
    Dispute {
        reason_in_words: words::reason(&dispute.reason),
        id: dispute.id,
        invoice,
        customer_id: customer,
        amount: dispute.amount,
        currency: dispute.currency.to_ascii_lowercase(),
        reason: dispute.reason,
        state: dispute.state.as_str().to_owned(),
        fee: dispute.fee,
        fee_currency: dispute.fee_currency,
        opened_at: dispute.opened_at,
        evidence_due: dispute.evidence_due,
        ended_at,
        next_step,
        problem,
        url: dispute.url,
    }
}
