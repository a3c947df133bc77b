use ::store::sqlx::Error;
use jiff::SignedDuration;
use providers::ProviderError;

use super::store;
use crate::app::Core;

/// After so many failed tries, over about two days, a mail counts as undeliverable.
const MOST_ATTEMPTS: u32 = 16;
const FIRST_DELAY: SignedDuration = SignedDuration::from_secs(10);
const LONGEST_DELAY: SignedDuration = SignedDuration::from_hours(4);

/// Hands on every mail that is due.
pub(crate) async fn deliver_due(core: &Core) -> Result<(), Error> {
    for entry in store::due(&core.db, core.clock.now(), 50).await? {
        let id = &entry.message.id;
        match core.drivers.mail.deliver(&entry.message).await {
            Ok(()) => store::delivered(&core.db, id, core.clock.now()).await?,
            Err(error) => {
                let now = core.clock.now();
                let again = retry_at(&error, entry.attempts).map(|delay| now + delay);
                tracing::warn!(message.id = %id, "Mail {id} was not delivered: {error}");
                store::not_delivered(&core.db, id, &error.to_string(), again, now).await?;
            }
        }
    }
    Ok(())
}

fn retry_at(error: &ProviderError, attempts: u32) -> Option<SignedDuration> {
    if !error.is_temporary() || attempts + 1 >= MOST_ATTEMPTS {
        return None;
    }
    let doubled = FIRST_DELAY.as_millis().saturating_mul(1_i128 << attempts.min(20));
    let millis = i64::try_from(doubled.min(LONGEST_DELAY.as_millis())).unwrap_or(i64::MAX);
    Some(SignedDuration::from_millis(millis))
}
