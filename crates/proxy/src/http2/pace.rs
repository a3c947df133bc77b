use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Whose turn it is with an answer: this side's, to come up with more of it, or the client's, to
/// take what there is. On a connection that carries many answers, writes don't show it: they go on
/// for the other ones.
#[derive(Clone, Default)]
pub(crate) struct Pace(Arc<AtomicUsize>);

impl Pace {
    /// Another piece was handed over; the client's turn until more is asked for.
    pub(crate) fn handed_over(&self) {
        self.0.store((self.0.load(Ordering::Relaxed) + 1) | 1, Ordering::Relaxed);
    }

    /// More was asked for, and there is none yet.
    pub(crate) fn asked(&self) {
        self.0.store((self.0.load(Ordering::Relaxed) + 1) & !1, Ordering::Relaxed);
    }

    /// The turn, if it is the client's. Every one has a number of its own.
    pub(crate) fn client_turn(&self) -> Option<usize> {
        Some(self.0.load(Ordering::Relaxed)).filter(|turn| turn % 2 == 1)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn turns_alternate_and_every_piece_is_a_turn_of_its_own() {
        let pace = Pace::default();
        assert_eq!(pace.client_turn(), None, "nothing was handed over");
        pace.asked();
        assert_eq!(pace.client_turn(), None);
        pace.handed_over();
        let first = pace.client_turn().unwrap();
        pace.handed_over();
        let second = pace.client_turn().unwrap();
        assert_ne!(first, second);
        pace.asked();
        pace.asked();
        assert_eq!(pace.client_turn(), None);
        pace.handed_over();
        assert!(![first, second].contains(&pace.client_turn().unwrap()));
    }
}
