//! What is done about customers who do not pay, each in the transaction that decides it.

use ::billing::dunning::{Action, Dunning, Reminder, Stage};
use ::store::Tx;
use domain::{InstanceId, InstanceState};
use pages::mail::ReminderKind;

use super::{AUTHOR, letters, owed, store};
use crate::app::Core;
use crate::billing::accounts::{AccountError, Held};
use crate::billing::{collection, rounds};
use crate::error::AppError;
use crate::instances::delete;
use crate::instances::holds::{self, Hold};

/// What customers read at a closed instance of theirs.
const WHY: &str = "An invoice is not paid. Your bills say how to pay it. Once it is paid, the workspace opens by itself within \
                   a minute, with everything in it.";

/// Does what an action says. `living` are the customer's instances.
pub(super) async fn carry_out(
    tx: &mut Tx,
    core: &Core,
    held: &Held,
    state: Dunning,
    action: Action,
    living: &[(InstanceId, InstanceState)],
) -> Result<(), AppError> {
    let customer = held.customer();
    match action {
        Action::SendReminder(reminder) => letters::remind(tx, core, held, state, kind(reminder), living).await,
        Action::AnnounceDeletion { .. } => {
            letters::remind(tx, core, held, state, ReminderKind::DeletionAnnounced, living).await
        }
        Action::Suspend => {
            for (instance, _) in living.iter().filter(|(_, state)| can_be_closed(*state)) {
                close(tx, core, *instance, state.stage()).await?;
            }
            Ok(())
        }
        Action::Cancel => Ok(store::end_services(tx, customer, core.clock.now()).await?),
        Action::Restore => {
            store::restore_services(tx, customer, core.clock.now()).await?;
            for (instance, _) in living {
                open(tx, core, *instance).await?;
            }
            Ok(())
        }
        Action::Delete => {
            for (instance, _) in living.iter().filter(|(_, state)| can_be_closed(*state)) {
                delete::begin(tx, core, *instance, "the notice of deletion ran out", AUTHOR).await?;
            }
            Ok(())
        }
        // A charge that nobody begins, since customers pay by hand by now, counts as failed after `answer_days`.
        Action::RetryCharge => {
            if core.drivers.payments.charges() {
                let lost = rounds::lost(&held.ledger).map_err(AccountError::from)?;
                let owed = owed(tx, core, held).await?;
                // Whose bank took the money back pays anew by own will only.
                for invoice in owed.iter().filter(|it| !lost.contains_key(it.number.as_str())) {
                    collection::retry(tx, core, &invoice.number).await?;
                }
            }
            Ok(())
        }
    }
}

/// Closes one instance of a customer who does not pay.
pub(super) async fn close(tx: &mut Tx, core: &Core, instance: InstanceId, stage: Stage) -> Result<(), AppError> {
    holds::hold(tx, core, instance, Hold::Unpaid, WHY, AUTHOR).await?;
    if matches!(stage, Stage::Cancelled { .. } | Stage::DeletionAnnounced { .. }) {
        store::end_service(tx, instance, core.clock.now()).await?;
    }
    Ok(())
}

/// Opens one instance of a customer who owes nothing that is due, unless something else keeps it closed.
pub(super) async fn open(tx: &mut Tx, core: &Core, instance: InstanceId) -> Result<(), AppError> {
    holds::release(tx, core, instance, Hold::Unpaid, AUTHOR).await?;
    Ok(())
}

const fn can_be_closed(state: InstanceState) -> bool {
    matches!(state, InstanceState::Active | InstanceState::Suspended)
}

const fn kind(reminder: Reminder) -> ReminderKind {
    match reminder {
        Reminder::ChargeFailed => ReminderKind::ChargeFailed(None),
        Reminder::Overdue { number } => ReminderKind::Overdue { number },
        Reminder::BeforeSuspension => ReminderKind::BeforeSuspension,
        Reminder::Suspended => ReminderKind::Suspended,
        Reminder::Cancelled => ReminderKind::Cancelled,
    }
}
