//! What customers read who do not pay.

use ::billing::dunning::{Dunning, Stage};
use ::store::Tx;
use domain::{Cents, InstanceId, InstanceState};
use pages::mail::{NextStep, PaymentReminder, ReminderKind};

use super::{owed, sum};
use crate::app::Core;
use crate::billing::accounts::{AccountError, Held};
use crate::billing::collection::{self, ChargeFailure};
use crate::billing::invoices::Issued;
use crate::billing::letter::addressee;
use crate::billing::{paper, rounds};
use crate::error::AppError;
use crate::instances::names;

/// Writes a reminder of the oldest invoice, which names the others. Of nothing, if nothing is owed.
pub(super) async fn remind(
    tx: &mut Tx,
    core: &Core,
    held: &Held,
    state: Dunning,
    kind: ReminderKind,
    living: &[(InstanceId, InstanceState)],
) -> Result<(), AppError> {
    let owed = owed(tx, core, held).await?;
    let (oldest, kind) = match kind {
        ReminderKind::ChargeFailed(None) => {
            let failed = collection::store::last_failure(tx, held.customer()).await?;
            let about = |failed: &ChargeFailure| owed.iter().find(|invoice| invoice.number == failed.invoice);
            let about = failed.as_ref().and_then(about).or(owed.first());
            (about, ReminderKind::ChargeFailed(failed.map(|failed| failed.reason)))
        }
        kind => (owed.first(), kind),
    };
    let Some(oldest) = oldest else { return Ok(()) };
    let Some(billed) = addressee(tx, core, oldest.customer, oldest.instance).await? else { return Ok(()) };
    let is_about_doors = !matches!(kind, ReminderKind::ChargeFailed(_) | ReminderKind::Overdue { .. });
    // What closes or is deleted lives; the workspace that the invoice was for may be gone.
    let to = match living.first() {
        Some((first, _)) if is_about_doors && !living.iter().any(|(instance, _)| *instance == oldest.instance) => {
            addressee(tx, core, oldest.customer, *first).await?
        }
        _ => None,
    };
    let to = to.as_ref().unwrap_or(&billed);
    let mut how_to_pay = paper::when_late(core, &oldest.number);
    if rounds::lost(&held.ledger).map_err(AccountError::from)?.contains_key(oldest.number.as_str()) {
        how_to_pay.insert(0, paper::TAKEN_BACK.to_owned());
    }
    if owed.len() > 1 {
        how_to_pay.insert(0, in_all(&owed, sum(&owed)?));
    }
    // The letter names one workspace, but what it says of closing and deleting holds for all.
    if living.len() > 1 && is_about_doors {
        how_to_pay.insert(0, all_of_them(tx, core, living).await?);
    }
    let letter = PaymentReminder {
        account: to.account.clone(),
        number: oldest.number.clone(),
        amount: oldest.outstanding.priced(&oldest.currency),
        due: oldest.due,
        kind,
        next: next_step(state.stage()).zip(state.due()),
        how_to_pay,
        pay_url: format!("{}/invoices/{}", billed.bills_url, oldest.number),
    };
    // Written by the transaction that changes the state, so a state is told once; the moment tells one time from the next.
    let key = format!("dunning {} {:?} {}", held.customer(), state.stage(), core.clock.now().as_millisecond());
    Ok(to.post(tx, core, &key, letter.written()).await?)
}

async fn all_of_them(tx: &mut Tx, core: &Core, living: &[(InstanceId, InstanceState)]) -> Result<String, AppError> {
    let mut hostnames = Vec::with_capacity(living.len());
    for (instance, _) in living {
        let called = names::store::called(tx, *instance).await?;
        hostnames.extend(called.map(|called| core.shown_hostname(&called.subdomain)));
    }
    hostnames.sort();
    Ok(format!("This holds for all your workspaces: {}.", hostnames.join(", ")))
}

fn in_all(owed: &[Issued], sum: Cents) -> String {
    let amount = |invoice: &Issued| format!("{} ({})", invoice.number, invoice.outstanding.priced(&invoice.currency));
    let listed: Vec<String> = owed.iter().map(amount).collect();
    let currency = owed.first().map_or("", |invoice| invoice.currency.as_str());
    format!("In all, {} are owed, for the invoices {}.", sum.priced(currency), listed.join(", "))
}

/// What comes next by itself.
pub(super) const fn next_step(stage: Stage) -> Option<NextStep> {
    match stage {
        Stage::Current | Stage::Charging { .. } | Stage::Deleted => None,
        Stage::Retrying { .. } => Some(NextStep::Charge),
        Stage::Reminded { .. } => Some(NextStep::Remind),
        Stage::Grace => Some(NextStep::Suspend),
        Stage::Suspended => Some(NextStep::Cancel),
        Stage::Cancelled { .. } => Some(NextStep::AnnounceDeletion),
        Stage::DeletionAnnounced { .. } => Some(NextStep::Delete),
    }
}
