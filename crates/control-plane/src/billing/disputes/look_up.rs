//! How a dispute stands at the provider, kept and booked.

use std::sync::Arc;

use ::store::Tx;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use providers::payments::{Dispute, DisputeState};
use serde::{Deserialize, Serialize};
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use super::super::collection::{look_first, unbooked, undunned};
use super::super::comparison;
use super::super::invoices::{self, Issued};
use super::super::{accounts, rounds};
use super::{Kept, TIME_LIMIT, difference, entry, store, words};
use crate::alerts::{self, Kind};
use crate::app::Core;
use crate::error::AppError;
use crate::workflows::step_error;
use crate::{audit, customers};

/// Stored with every run; a changed sequence of steps gets a new number.
pub(super) const KIND: &str = "look-up-dispute.v1";

/// Which dispute it is about.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Named {
    /// The provider's id of it.
    pub id: String,
}

/// What was seen.
#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    dispute: Dispute,
    /// The name under which the invoice was collected whose payment is questioned.
    name: String,
    /// When the look began.
    at: Timestamp,
}

/// See the module.
pub(crate) struct LookUpDispute(pub Arc<Core>);

#[async_trait]
impl Workflow for LookUpDispute {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn time_limit(&self) -> SignedDuration {
        TIME_LIMIT
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Halt
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let Named { id } = run.input()?;
        let seen: Option<Seen> = run.step("look", || look(core, &id)).await?;
        let Some(seen) = seen else { return Ok(()) };
        // Its event may have been lost, or come later.
        let _: () = run.step("book the payment", || payment(core, &seen.name)).await?;
        run.step("book", || book(core, &seen)).await
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

/// Nothing, where it is about a payment for something else than our invoices.
async fn look(core: &Core, id: &str) -> Result<Option<Seen>, StepError> {
    let (payments, at) = (&core.drivers.payments, core.clock.now());
    let Some(dispute) = payments.dispute(id).await.map_err(step_error)? else { return Ok(None) };
    let Some(payment) = &dispute.payment else { return Ok(None) };
    let name = payments.paid_by(payment).await.map_err(step_error)?;
    Ok(name.map(|name| Seen { dispute, name, at }))
}

async fn payment(core: &Core, name: &str) -> Result<(), StepError> {
    let mut connection = core.db.read().acquire().await?;
    let found = invoices::store::find(&mut connection, rounds::number_of(name)).await?;
    drop(connection);
    match found {
        Some((issued, _)) => look_first(core, issued.customer, name).await,
        None => Ok(()),
    }
}

async fn book(core: &Core, seen: &Seen) -> Result<(), StepError> {
    let Seen { dispute, name, at } = seen;
    let mut tx = core.db.begin().await?;
    let found = invoices::store::find(&mut tx, rounds::number_of(name)).await?;
    let Some((issued, _)) = found else {
        let problem = format!(
            "The dispute {} is about a payment for invoice {name}, and there is none here: look whether a backup was \
             restored, or another installation has its invoices in the same account.",
            dispute.id
        );
        keep(&mut tx, core, seen, None, Some(problem)).await.map_err(undunned)?;
        tx.commit().await?;
        core.mail_waiting.notify_one();
        return Ok(());
    };
    let mut held = accounts::open(&mut tx, issued.customer).await.map_err(unbooked)?;
    let known = store::find(&mut tx, &dispute.id).await?;
    if known.is_some_and(|known| known.is_newer_than(dispute, *at)) {
        return Ok(());
    }
    let problem = entry::unfit(&held.ledger, &issued, name, dispute);
    if problem.is_none() {
        entry::enter(&mut tx, core, &mut held, (&issued, name), dispute).await.map_err(undunned)?;
    }
    keep(&mut tx, core, seen, Some(&issued), problem).await.map_err(undunned)?;
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}

/// Keeps what was seen, and tells the operator of what is new in it.
async fn keep(
    tx: &mut Tx,
    core: &Core,
    seen: &Seen,
    issued: Option<&Issued>,
    problem: Option<String>,
) -> Result<(), AppError> {
    let (dispute, now) = (&seen.dispute, core.clock.now());
    let known = store::find(tx, &dispute.id).await?;
    let ended_before = known.as_ref().and_then(|known| known.ended_at);
    let kept = Kept {
        dispute: dispute.clone(),
        invoice: issued.map(|issued| issued.number.clone()),
        customer: issued.map(|issued| issued.customer),
        problem,
        looked_at: seen.at,
        ended_at: dispute.state.is_over().then(|| ended_before.unwrap_or(now)),
    };
    store::keep(tx, &kept).await?;
    if let Some(found) = difference(&kept) {
        comparison::store::keep(tx, &found, now).await?;
        let key = format!("dispute {} {}", dispute.id, found.reason);
        alerts::raise(tx, core, Kind::BooksDiffer, &key, "A dispute could not be booked", &found.reason, words::PAGE)
            .await?;
    }
    let state = dispute.state;
    if known.is_some_and(|known| known.dispute.state == state) {
        return Ok(());
    }
    let subject = kept.invoice.as_deref().unwrap_or(&dispute.id);
    let detail = format!("{}: {}", dispute.id, words::reason(&dispute.reason));
    let author = core.drivers.payments.name();
    audit::record(tx, core, author, &format!("dispute.{}", state.as_str()), subject, &detail).await?;
    // Evidence that was sent is no news to who sent it.
    if state != DisputeState::UnderReview {
        let customer = match kept.customer {
            Some(customer) => customers::store::find_in(tx, customer).await?.map(|customer| customer.called()),
            None => None,
        };
        let key = format!("dispute {} {} {}", dispute.id, state.as_str(), seen.at.as_millisecond());
        let why = words::letter(&kept, customer.as_deref());
        alerts::raise(tx, core, Kind::Dispute, &key, &words::headline(&kept), &why, words::PAGE).await?;
    }
    Ok(())
}
