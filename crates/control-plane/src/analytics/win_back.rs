//! One mail, some days after a customer left, that says how to come back. Written once in a customer's life, and only to
//! those who asked for the end themselves, owe nothing, have nothing else here, and want such mail.

pub(crate) mod store;

use ::store::sqlx::Error;
use domain::{CustomerId, InstanceId, InstanceState};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use pages::mail as letters;

use crate::app::Core;
use crate::instances::cancellation::{self, until};
use crate::instances::{self, Instance};
use crate::mail::{self, Letter, suppressions};

/// Who left longer ago than this, when such mail was not written yet, is left alone.
const TOO_LATE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// So many are written at once.
const PAGE: u32 = 100;

/// Writes to everybody whose time has come. To be called often; of two replicas one writes.
///
/// # Errors
/// When the store can't be used.
pub async fn write_if_due(core: &Core) -> Result<(), Error> {
    let days = core.settings.billing.leaving.win_back_days;
    if days == 0 {
        return Ok(());
    }
    let now = core.clock.now();
    let due = now - SignedDuration::from_hours(24 * i64::from(days));
    let today = now.to_zoned_datetime(TimeZone::UTC).date();
    loop {
        let found = store::due(&core.db, (due - TOO_LATE, due), today, PAGE).await?;
        for (customer, instance) in &found {
            write(core, *customer, *instance).await?;
        }
        if found.len() < PAGE as usize {
            return Ok(());
        }
    }
}

async fn write(core: &Core, customer: CustomerId, instance: InstanceId) -> Result<(), Error> {
    let Some(instance) = instances::store::find(&core.db, instance).await? else { return Ok(()) };
    let mut tx = core.db.begin().await?;
    if !store::note(&mut tx, customer, core.clock.now()).await? {
        return Ok(());
    }
    let kept = match instance.state {
        InstanceState::Suspended => cancellation::store::find(&mut tx, instance.id).await?,
        _ => None,
    };
    let leave_url = suppressions::address(core, customer);
    let letter = letter(core, &instance, kept.and_then(|kept| kept.state.kept_until()).map(until), leave_url.clone());
    let key = format!("win back {customer}");
    let letter = Letter { key: &key, to: &instance.customer_email, written: letter.written() };
    mail::post_with_way_out(&mut tx, core, letter, &leave_url).await?;
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}

fn letter(core: &Core, instance: &Instance, kept_until: Option<String>, leave_url: String) -> letters::WinBack {
    let path = match kept_until {
        Some(_) => format!("/portal/instances/{}/cancel", instance.subdomain),
        None => "/signup".to_owned(),
    };
    letters::WinBack {
        product: core.settings.product.clone(),
        name: instance.customer_name.clone(),
        hostname: core.shown_hostname(&instance.subdomain),
        kept_until,
        url: core.site_url(&path),
        leave_url,
    }
}
