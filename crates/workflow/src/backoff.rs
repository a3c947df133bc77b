use jiff::SignedDuration;

/// How long to wait before the next try: doubling, bounded, and spread by chance so that many
/// failures do not return as one.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// After the first failure.
    pub first: SignedDuration,
    /// However often it failed.
    pub most: SignedDuration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: SignedDuration::from_millis(250), most: SignedDuration::from_secs(60) }
    }
}

impl Backoff {
    /// The delay after so many failed attempts; `chance` moves it between half and the whole.
    pub fn after(&self, attempts: u32, chance: u8) -> SignedDuration {
        let doubled = self.first.as_millis().saturating_mul(1_i128 << attempts.saturating_sub(1).min(30));
        let bounded = doubled.min(self.most.as_millis());
        let spread = bounded / 2 + bounded * i128::from(chance) / (2 * 255);
        SignedDuration::from_millis(i64::try_from(spread).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_a_bound_and_are_spread() {
        let backoff = Backoff { first: SignedDuration::from_millis(100), most: SignedDuration::from_secs(1) };
        let delays: Vec<i128> = (1..8).map(|attempts| backoff.after(attempts, 255).as_millis()).collect();
        assert_eq!(delays, [100, 200, 400, 800, 1000, 1000, 1000]);
        assert_eq!(backoff.after(1, 0).as_millis(), 50);
        assert_eq!(backoff.after(u32::MAX, 255).as_millis(), 1000);
    }
}
