//! What a cancellation would mean, for whoever is about to ask for it.

use ::billing::{Cancellation, Invoice};
use domain::{InstanceState, UsageHour};
use jiff::{SignedDuration, Timestamp};

use super::nothing_to_cancel;
use crate::app::Core;
use crate::billing::preview;
use crate::billing::running::Running;
use crate::error::AppError;
use crate::instances::Instance;

/// See the module.
#[derive(Debug)]
pub(crate) struct Outlook {
    /// The first hour without service.
    pub until: UsageHour,
    /// Until when data is kept.
    pub kept_until: Timestamp,
    /// When the deletion is announced.
    pub announced_at: Timestamp,
    pub last_bill: LastBill,
}

/// What is still to be paid for the service.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LastBill {
    /// It ends within its trial.
    Free,
    /// One more invoice, and when it is made.
    Coming { made_at: Timestamp },
    /// What is known now stands under bills.
    UnderBills,
}

impl Outlook {
    /// The service runs to the end of what is paid for: of the trial, else of the period. One that an unpaid invoice
    /// ended already is over.
    pub(crate) async fn of(core: &Core, instance: &Instance) -> Result<Self, AppError> {
        let now = core.clock.now();
        let running = Running::of(core, instance.id).await?;
        let (until, is_trial) = match &running {
            Some(running) => {
                let trial = running.terms.trial.filter(|trial| trial.ends > running.now);
                (trial.map_or(running.terms.period.end(), |trial| trial.ends), trial.is_some())
            }
            None if matches!(instance.state, InstanceState::Active | InstanceState::Suspended) => {
                (UsageHour::of(now), false)
            }
            None => return Err(nothing_to_cancel(instance, instance.state)),
        };
        let grace = SignedDuration::from_hours(i64::from(core.settings.billing.grace_hours));
        let last_bill = match running {
            Some(_) if is_trial => LastBill::Free,
            Some(running) => LastBill::Coming { made_at: running.terms.period.end().start() + grace },
            None => LastBill::UnderBills,
        };
        let policy = &core.settings.billing.cancellation;
        let requested = Cancellation::requested(until, policy);
        let kept_until = requested.kept_until().unwrap_or(now);
        let notice = SignedDuration::from_hours(24 * i64::from(policy.notice_days.get()));
        Ok(Self { until, kept_until, announced_at: (kept_until - notice).max(until.start()), last_bill })
    }

    /// The last invoice as it would be if the period ended now; none where it can't be told.
    pub(crate) async fn last_invoice(core: &Core, instance: &Instance) -> Result<Option<Invoice>, AppError> {
        let previewed = preview::of_running(core, instance.id).await?;
        Ok(previewed.and_then(|preview| preview.invoice.ok()))
    }
}
