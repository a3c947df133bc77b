//! Waiting for something that will come, but not for ever.

use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(20);

/// Asks again and again until there is an answer. Whoever waits in vain is told for what.
///
/// # Panics
/// When there is no answer in time.
pub async fn until<T>(what: &str, within: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < within, "{what}: did not come true within {} s", within.as_secs());
        tokio::time::sleep(PAUSE).await;
    }
}
