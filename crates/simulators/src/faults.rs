use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use world::Entropy;

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A server error with this status; nothing was done.
    Status(u16),
    /// Too many requests: nothing was done, and it says when to come back.
    TooMany {
        /// What `Retry-After` says.
        retry_after: Duration,
    },
    /// The answer takes so long.
    Slow(Duration),
    /// It never answers; nothing was done.
    Hang,
    /// The connection breaks before anything was done.
    ResetBefore,
    /// The connection breaks after everything was done: the answer that never came.
    ResetAfter,
}

/// Decides which calls go wrong: by switch, by number, or by seeded chance. Clones share their state.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    next: Vec<(String, VecDeque<Fault>)>,
    always: Vec<(String, Fault)>,
    numbered: BTreeMap<u64, Fault>,
    calls: u64,
    chance: Option<Chance>,
}

#[derive(Debug)]
struct Chance {
    thousandths: u16,
    entropy: Entropy,
}

impl Faults {
    /// Nothing goes wrong until it is told to.
    pub fn none() -> Self {
        Self::default()
    }

    /// The next call of an operation goes wrong; given several times, so many calls in turn.
    pub fn once(&self, operation: &str, fault: Fault) {
        let mut state = self.state();
        match state.next.iter_mut().find(|(name, _)| name == operation) {
            Some((_, waiting)) => waiting.push_back(fault),
            None => state.next.push((operation.to_owned(), VecDeque::from([fault]))),
        }
    }

    /// Every call of an operation goes wrong until [`Faults::clear`].
    pub fn always(&self, operation: &str, fault: Fault) {
        self.state().always.push((operation.to_owned(), fault));
    }

    /// The call with this number goes wrong, whatever it is. The first call has number 1.
    pub fn at_call(&self, number: u64, fault: Fault) {
        self.state().numbered.insert(number, fault);
    }

    /// The next call goes wrong, whatever it is; given several times, so many calls in turn.
    pub fn next(&self, fault: Fault) {
        let mut state = self.state();
        let number = state.numbered.keys().next_back().map_or(state.calls, |last| state.calls.max(*last)) + 1;
        state.numbered.insert(number, fault);
    }

    /// So many of a thousand calls go wrong, in every way, as a seeded stream decides.
    pub fn by_chance(&self, thousandths: u16, entropy: Entropy) {
        self.state().chance = Some(Chance { thousandths, entropy });
    }

    /// Nothing goes wrong any more.
    pub fn clear(&self) {
        let mut state = self.state();
        *state = State { calls: state.calls, ..State::default() };
    }

    /// How many calls were made so far.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Counts a call and says what goes wrong with it.
    pub fn decide(&self, operation: &str) -> Option<Fault> {
        let mut state = self.state();
        state.calls += 1;
        let number = state.calls;
        if let Some(fault) = state.numbered.remove(&number) {
            return Some(fault);
        }
        if let Some((_, waiting)) = state.next.iter_mut().find(|(name, _)| name == operation)
            && let Some(fault) = waiting.pop_front()
        {
            return Some(fault);
        }
        if let Some((_, fault)) = state.always.iter().find(|(name, _)| name == operation) {
            return Some(*fault);
        }
        state.chance.as_ref().and_then(Chance::draw)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Chance {
    fn draw(&self) -> Option<Fault> {
        let [high, low, kind, size] = self.entropy.bytes::<4>();
        if u16::from_be_bytes([high, low]) % 1000 >= self.thousandths {
            return None;
        }
        let size = u64::from(size);
        Some(match kind % 7 {
            0 => Fault::Status(500),
            1 => Fault::Status(503),
            2 => Fault::TooMany { retry_after: Duration::from_secs(1 + size % 30) },
            3 => Fault::Slow(Duration::from_millis(100 * size)),
            4 => Fault::Hang,
            5 => Fault::ResetBefore,
            _ => Fault::ResetAfter,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_holds_for_its_operation_and_a_number_for_its_call() {
        let faults = Faults::none();
        faults.once("make", Fault::Hang);
        faults.once("make", Fault::ResetAfter);
        faults.at_call(2, Fault::Status(500));
        assert_eq!(faults.decide("look"), None);
        assert_eq!(faults.decide("look"), Some(Fault::Status(500)));
        assert_eq!(faults.decide("make"), Some(Fault::Hang));
        assert_eq!(faults.decide("make"), Some(Fault::ResetAfter));
        assert_eq!(faults.decide("make"), None);
        faults.always("make", Fault::ResetBefore);
        assert_eq!(faults.decide("make"), Some(Fault::ResetBefore));
        faults.clear();
        assert_eq!((faults.decide("make"), faults.calls()), (None, 7));
    }

    #[test]
    fn chance_repeats_itself_with_its_seed_and_hits_about_as_often_as_asked() {
        let drawn = |seed| {
            let faults = Faults::none();
            faults.by_chance(50, Entropy::seeded(seed));
            (0..2000).map(|_| faults.decide("any")).collect::<Vec<_>>()
        };
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        let hits = drawn(1).iter().flatten().count();
        assert!((60..140).contains(&hits), "{hits}");
    }
}
