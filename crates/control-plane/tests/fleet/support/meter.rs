use jiff::{SignedDuration, Timestamp};
use providers::budget::Rate;

/// What a provider counts of calls, by its own book: so many at once, and so many more as time passes.
#[derive(Debug)]
pub struct Meter {
    rate: Rate,
    /// Milliseconds of the rate that are left to be spent.
    left: i64,
    at: Option<Timestamp>,
    pub calls: u64,
    /// Calls that came beyond the limit.
    pub breaches: u64,
}

fn millis(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap()
}

impl Meter {
    pub fn new(rate: Rate) -> Self {
        Self { rate, left: 0, at: None, calls: 0, breaches: 0 }
    }

    pub fn count(&mut self, now: Timestamp) {
        let each = millis(self.rate.per) / i64::from(self.rate.number);
        let full = each * i64::from(self.rate.burst);
        let passed = self.at.map_or(full, |at| millis(now.duration_since(at)));
        self.left = (self.left + passed).min(full);
        self.at = Some(now);
        self.calls += 1;
        if self.left < each {
            self.breaches += 1;
        } else {
            self.left -= each;
        }
    }
}
