//! Phase 3: what a request is as use. Noted once the application has answered: asking one that does
//! not answer is no use of it, and pages that wait for its start ask again and again by themselves.

use std::sync::Arc;

use domain::Signal;
use jiff::Timestamp;
use tokio::sync::oneshot::{self, error::TryRecvError};
use tokio::time::Instant;
use world::Clock;

use crate::activity::{Message, Usage};
use crate::admit::Admitted;
use crate::frames::Frames;
use crate::ledger::Ledger;

/// What a request is as use, as far as that can be known before it is answered.
pub(crate) struct Account {
    asked: Timestamp,
    judged: Judged,
}

enum Judged {
    Already(Option<Signal>),
    /// Whoever sees the body will tell, perhaps after the answer has begun.
    ByBody(oneshot::Receiver<Option<Signal>>),
}

impl Account {
    /// Has the body, or what is said through a WebSocket, looked at where that says what it is.
    pub(crate) fn open(admitted: &mut Admitted, ledger: &Arc<Ledger>, clock: &Clock) -> Self {
        let judged = match admitted.take_usage() {
            Usage::Known(signal) => Judged::Already(signal),
            Usage::ByBody(by_body) => {
                let (watch, told) = by_body.watch();
                admitted.watch_body(watch);
                Judged::ByBody(told)
            }
            Usage::ByMessages(messages) => {
                let (ledger, clock, opened) = (Arc::clone(ledger), clock.clone(), Instant::now());
                admitted.watch_tunnel(Box::new(Frames::new(move |message: Message<'_>| {
                    if let Some(signal) = messages.signal(&message, opened.elapsed()) {
                        ledger.record(signal, clock.now());
                    }
                })));
                Judged::Already(None)
            }
        };
        Self { asked: clock.now(), judged }
    }

    /// Notes it, now that the application has answered.
    pub(crate) fn note(self, ledger: &Arc<Ledger>) {
        let asked = self.asked;
        let note = move |ledger: &Ledger, signal: Option<Signal>| {
            if let Some(signal) = signal {
                ledger.record(signal, asked);
            }
        };
        let mut told = match self.judged {
            Judged::Already(signal) => return note(ledger, signal),
            Judged::ByBody(told) => told,
        };
        match told.try_recv() {
            Ok(signal) => note(ledger, signal),
            Err(TryRecvError::Closed) => {}
            Err(TryRecvError::Empty) => {
                let ledger = Arc::clone(ledger);
                tokio::spawn(async move { told.await.into_iter().for_each(|signal| note(&ledger, signal)) });
            }
        }
    }
}
