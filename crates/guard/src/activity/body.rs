//! Requests whose body says whether they are use.

use std::sync::Arc;

use domain::Signal;
use proxy::ClientWatch;
use tokio::sync::oneshot;

use super::rules::{BODY_BYTES, RequestRule, text};

/// What is known of a request before its body is.
#[derive(Debug)]
pub(crate) struct ByBody {
    /// Those that speak of the request if they speak of its body, in their order.
    pub(super) rules: Vec<Arc<RequestRule>>,
    /// Of whoever asks.
    pub(super) own: Signal,
    /// What it is if none of them does.
    pub(super) otherwise: Option<Signal>,
}

impl ByBody {
    /// What sees the body, and what will know. It never will if the body breaks off before as much
    /// of it has come as is looked at, or if nobody reads it.
    pub(crate) fn watch(self) -> (Box<dyn ClientWatch>, oneshot::Receiver<Option<Signal>>) {
        let (decided, told) = oneshot::channel();
        (Box::new(BodyWatch { start: Vec::new(), undecided: Some((self, decided)) }), told)
    }

    fn signal(&self, start: &[u8]) -> Option<Signal> {
        let text = text(start);
        let first = self.rules.iter().find(|rule| rule.fits_body(&text));
        first.map_or(self.otherwise, |rule| rule.counts.signal(self.own))
    }
}

struct BodyWatch {
    start: Vec<u8>,
    undecided: Option<(ByBody, oneshot::Sender<Option<Signal>>)>,
}

impl BodyWatch {
    fn decide(&mut self) {
        let Some((by_body, decided)) = self.undecided.take() else { return };
        // Whoever asked may have no more use for it: the application did not answer.
        let _ = decided.send(by_body.signal(&self.start));
        self.start = Vec::new();
    }
}

impl ClientWatch for BodyWatch {
    fn client_sent(&mut self, bytes: &[u8]) {
        if self.undecided.is_none() {
            return;
        }
        let room = BODY_BYTES - self.start.len();
        self.start.extend(bytes.iter().take(room));
        if self.start.len() == BODY_BYTES {
            self.decide();
        }
    }

    fn client_done(&mut self) {
        self.decide();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::activity::file::Rules;

    fn by_body() -> ByBody {
        let rules = Rules::parse(
            "[[rule]]\nbody = '\"type\":\\s*\"ping\"'\nuse = false\n[[rule]]\nbody = \"run\"\nuse = \"sprint\"\n",
        );
        let rules = rules.unwrap().requests.into_iter().map(Arc::new).collect();
        ByBody { rules, own: Signal::Member, otherwise: Some(Signal::Member) }
    }

    #[test]
    fn the_first_rule_that_fits_decides_however_the_body_is_cut() {
        let long = format!("{}run", "x".repeat(BODY_BYTES - 3));
        let too_long = format!("{}run", "x".repeat(BODY_BYTES - 2));
        for (body, expected) in [
            (r#"{"type": "ping"}"#, None),
            (r#"{"type":"ping","then":"run"}"#, None),
            ("run", Some(Signal::Sprint)),
            ("", Some(Signal::Member)),
            ("anything", Some(Signal::Member)),
            (&long, Some(Signal::Sprint)),
            (&too_long, Some(Signal::Member)),
        ] {
            for piece in [1, 5, 1024, 10_000] {
                let (mut watch, mut told) = by_body().watch();
                body.as_bytes().chunks(piece).for_each(|bytes| watch.client_sent(bytes));
                let all_of_it = body.len() < BODY_BYTES;
                assert_eq!(told.try_recv().is_err(), all_of_it, "decided when enough has come");
                if all_of_it {
                    watch.client_done();
                    assert_eq!(told.try_recv().unwrap(), expected, "{body:.40} in pieces of {piece}");
                }
            }
        }
    }

    #[test]
    fn what_breaks_off_is_never_decided() {
        let (mut watch, mut told) = by_body().watch();
        watch.client_sent(b"ru");
        drop(watch);
        assert!(told.try_recv().is_err());
    }
}
