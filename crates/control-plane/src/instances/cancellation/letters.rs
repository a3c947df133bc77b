//! What a customer reads who gives an instance up, at each step of it.

use ::billing::Cancellation;
use ::store::Tx;
use ::store::sqlx::Error;
use jiff::Timestamp;
use pages::mail::{self as letters, Written};

use super::outlook::LastBill;
use super::{Kept, Outlook, day, until};
use crate::app::Core;
use crate::instances::Instance;
use crate::mail::{Letter, post};

/// Where they keep it after all, below the page of their workspace.
const CANCEL: &str = "/cancel";

pub(super) async fn requested(
    tx: &mut Tx,
    core: &Core,
    instance: &Instance,
    kept: &Kept,
    outlook: &Outlook,
) -> Result<(), Error> {
    let last_bill = match outlook.last_bill {
        LastBill::Free => "It ends within its trial, so there is no invoice for it.".to_owned(),
        LastBill::Coming { made_at, .. } => format!(
            "One more invoice follows, on {} or soon after, for this period and the hours used in it. The next period is \
             not charged.",
            day(made_at)
        ),
        LastBill::UnderBills => "What is still to be paid stands under your bills.".to_owned(),
    };
    let letter = letters::CancellationRequested {
        leaver: leaver(core, instance, CANCEL),
        ends: until(outlook.until.start()),
        last_bill,
        kept_until: until(outlook.kept_until),
        announced_on: day(outlook.announced_at),
        is_by_owner: kept.requested_by == instance.customer_email.as_str(),
    };
    write(tx, core, instance, "cancelled", letter.written()).await
}

pub(super) async fn kept_on(tx: &mut Tx, core: &Core, instance: &Instance) -> Result<(), Error> {
    let letter = letters::CancellationTakenBack { leaver: leaver(core, instance, CANCEL) };
    write(tx, core, instance, "kept on", letter.written()).await
}

pub(super) async fn returned(tx: &mut Tx, core: &Core, instance: &Instance) -> Result<(), Error> {
    let letter = letters::Returned {
        leaver: leaver(core, instance, CANCEL),
        charged: charged_again(core),
        open_url: core.instance_url(&instance.subdomain),
    };
    write(tx, core, instance, "returned", letter.written()).await
}

pub(super) async fn ended(tx: &mut Tx, core: &Core, instance: &Instance, state: Cancellation) -> Result<(), Error> {
    let letter = letters::ServiceEnded {
        leaver: leaver(core, instance, CANCEL),
        kept_until: until(state.kept_until().unwrap_or(Timestamp::MAX)),
        charged: charged_again(core),
        can_download: core.drivers.compute.exports().is_ok(),
    };
    write(tx, core, instance, "ended", letter.written()).await
}

pub(super) async fn announced(
    tx: &mut Tx,
    core: &Core,
    instance: &Instance,
    deleted_at: Timestamp,
) -> Result<(), Error> {
    let letter = letters::DeletionAnnounced {
        leaver: leaver(core, instance, CANCEL),
        deleted_on: day(deleted_at),
        can_download: core.drivers.compute.exports().is_ok(),
    };
    write(tx, core, instance, "deletion announced", letter.written()).await
}

/// What is charged once a customer is back, in a sentence.
pub(crate) fn charged_again(core: &Core) -> String {
    let plan = &core.settings.plan;
    format!(
        "From the moment at which you come back, hours are charged as before ({} each), and the base fee ({}) for the \
         whole period in which you do. For the time in between nothing is charged.",
        plan.price(plan.hour_cents),
        plan.price(plan.base_cents)
    )
}

/// Who reads it, and where on the pages of their workspace they go on.
pub(in crate::instances) fn leaver(core: &Core, instance: &Instance, page: &str) -> letters::Leaver {
    letters::Leaver {
        product: core.settings.product.clone(),
        name: instance.customer_name.clone(),
        hostname: core.shown_hostname(&instance.subdomain),
        url: core.site_url(&format!("/portal/instances/{}{page}", instance.subdomain)),
    }
}

/// Each is written by the transaction that it tells of; the moment tells one time from the next.
pub(in crate::instances) async fn write(
    tx: &mut Tx,
    core: &Core,
    instance: &Instance,
    what: &str,
    written: Written,
) -> Result<(), Error> {
    let key = format!("{what} {} {}", instance.id, core.clock.now().as_millisecond());
    post(tx, core, Letter { key: &key, to: &instance.customer_email, written }).await
}
