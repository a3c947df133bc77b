//! Phase 3: what a request is as use. Noted once the application has answered: asking one that does
//! not answer is no use of it, and pages that wait for its start ask again and again by themselves.

use domain::Signal;
use jiff::Timestamp;
use tokio::sync::oneshot::{self, error::TryRecvError};
use tokio::time::Instant;

use super::frames::Frames;
use super::{Message, Meter, Usage};
use crate::admit::Admitted;
use crate::visitor::Visitor;

/// What a request is as use, as far as that can be known before it is answered.
pub(crate) struct Account {
    asked: Timestamp,
    visitor: Visitor,
    judged: Judged,
}

enum Judged {
    Already(Option<Signal>),
    /// Whoever sees the body will tell, perhaps after the answer has begun.
    ByBody(oneshot::Receiver<Option<Signal>>),
}

impl Account {
    /// Has the body, or what is said through a WebSocket, looked at where that says what it is.
    pub(crate) fn open(admitted: &mut Admitted, meter: &Meter) -> Self {
        let judged = match admitted.take_usage() {
            Usage::Known(signal) => Judged::Already(signal),
            Usage::ByBody(by_body) => {
                let (watch, told) = by_body.watch();
                admitted.watch_body(watch);
                Judged::ByBody(told)
            }
            Usage::ByMessages(messages) => {
                let (meter, visitor, opened) = (meter.clone(), admitted.visitor().clone(), Instant::now());
                admitted.watch_tunnel(Box::new(Frames::new(move |message: Message<'_>| {
                    if let Some(signal) = messages.signal(&message, opened.elapsed()) {
                        meter.seen(signal, visitor.name());
                    }
                })));
                Judged::Already(None)
            }
        };
        Self { asked: meter.now(), visitor: admitted.visitor().clone(), judged }
    }

    /// Notes it, now that the application has answered.
    pub(crate) fn note(self, meter: &Meter) {
        let (asked, visitor) = (self.asked, self.visitor);
        let note = move |meter: &Meter, signal: Option<Signal>| {
            if let Some(signal) = signal {
                meter.asked(signal, asked, visitor.name());
            }
        };
        let mut told = match self.judged {
            Judged::Already(signal) => return note(meter, signal),
            Judged::ByBody(told) => told,
        };
        match told.try_recv() {
            Ok(signal) => note(meter, signal),
            Err(TryRecvError::Closed) => {}
            Err(TryRecvError::Empty) => {
                let meter = meter.clone();
                tokio::spawn(async move { told.await.into_iter().for_each(|signal| note(&meter, signal)) });
            }
        }
    }
}
