use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Method, Uri};
use jiff::Timestamp;

use crate::Fault;

/// What was asked of a simulator, without the credentials it was asked with.
#[derive(Debug, Clone)]
pub struct Call {
    /// When, by the simulator's clock.
    pub at: Timestamp,
    /// As faults name it.
    pub operation: String,
    /// `POST`, …
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// What was sent.
    pub body: Bytes,
    /// The status of the answer, or `None` when there was none.
    pub status: Option<u16>,
    /// What went wrong on purpose.
    pub fault: Option<Fault>,
}

/// Every call in the order in which they were answered. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Journal(Arc<Mutex<Vec<Call>>>);

impl Journal {
    /// All calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The latest calls, newest first.
    pub fn latest(&self, number: usize) -> Vec<Call> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().take(number).cloned().collect()
    }

    /// How many calls of an operation were made.
    pub fn count(&self, operation: &str) -> usize {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().filter(|call| call.operation == operation).count()
    }

    pub(crate) fn note(&self, call: Call) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }
}
