use ::store::sqlx::Error;
use futures_util::future::join_all;
use jiff::SignedDuration;
use providers::ProviderError;

use super::store;
use crate::app::Core;

/// After so many failed tries, over about two days, a mail counts as undeliverable.
const MOST_ATTEMPTS: u32 = 16;
const MOST_AT_ONCE: u32 = 10;
const FIRST_DELAY: SignedDuration = SignedDuration::from_secs(10);
const LONGEST_DELAY: SignedDuration = SignedDuration::from_hours(4);

/// Hands on every mail that is due.
pub(crate) async fn deliver_due(core: &Core) -> Result<(), Error> {
    while deliver_some(core).await? == MOST_AT_ONCE as usize {}
    Ok(())
}

/// Hands on a few mails; how many.
async fn deliver_some(core: &Core) -> Result<usize, Error> {
    let due = store::take_due(&core.db, &core.sealer, core.clock.now(), MOST_AT_ONCE).await?;
    // Side by side, so that one recipient's slow server keeps nobody else's code waiting.
    let deliveries = due.iter().map(|entry| core.drivers.mail.deliver(&entry.message));
    for (entry, delivery) in due.iter().zip(join_all(deliveries).await) {
        let id = &entry.message.id;
        match delivery {
            Ok(()) => store::delivered(&core.db, id, core.clock.now()).await?,
            Err(error) => {
                let now = core.clock.now();
                let again = delay_after(&error, entry.attempts).map(|delay| now + delay);
                tracing::warn!(message.id = %id, "Mail {id} was not delivered: {error}");
                store::not_delivered(&core.db, id, &error.to_string(), again, now).await?;
            }
        }
    }
    Ok(due.len())
}

fn delay_after(error: &ProviderError, attempts: u32) -> Option<SignedDuration> {
    if !error.is_temporary() || attempts + 1 >= MOST_ATTEMPTS {
        return None;
    }
    let doubled = FIRST_DELAY.as_millis().saturating_mul(1_i128 << attempts.min(20));
    let millis = i64::try_from(doubled.min(LONGEST_DELAY.as_millis())).unwrap_or(i64::MAX);
    Some(SignedDuration::from_millis(millis))
}
