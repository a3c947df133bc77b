//! How long to wait before a program that ended is started again.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// A program that was well for so long starts with a clean slate.
const FORGIVEN_AFTER: Duration = Duration::from_secs(60);

/// Doubles with each failure, up to a minute.
#[derive(Debug)]
pub(super) struct Backoff(Duration);

impl Backoff {
    pub(super) fn new() -> Self {
        Self(FIRST)
    }

    /// The pause after a run that was well for so long.
    pub(super) fn after(&mut self, well_for: Option<Duration>) -> Duration {
        if well_for.is_some_and(|time| time >= FORGIVEN_AFTER) {
            self.0 = FIRST;
        }
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute_until_a_run_was_well_for_a_minute() {
        let mut backoff = Backoff::new();
        let pauses: Vec<u64> = (0..8).map(|_| backoff.after(None).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(backoff.after(Some(Duration::from_secs(59))).as_secs(), 60);
        assert_eq!(backoff.after(Some(Duration::from_secs(60))).as_secs(), 1);
        assert_eq!(backoff.after(None).as_secs(), 2);
    }
}
