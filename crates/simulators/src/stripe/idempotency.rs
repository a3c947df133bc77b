use std::collections::HashMap;

use bytes::Bytes;

use crate::Request;
use crate::stripe::refusal::Refusal;

/// So long a key is kept, in seconds.
const KEPT: i64 = 24 * 3600;
const LONGEST_KEY: usize = 255;

/// An answer as it went out.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) status: u16,
    pub(super) body: Bytes,
    pub(super) request: String,
}

#[derive(Debug)]
struct Known {
    at: i64,
    request: (String, Bytes),
    /// `None` while it runs.
    sent: Option<Sent>,
}

/// The first answer to each idempotency key.
#[derive(Debug, Default)]
pub(super) struct Remembered(HashMap<String, Known>);

/// What a key says about a request.
#[derive(Debug)]
pub(super) enum Turn {
    /// It is the first with its key.
    First,
    /// It was answered before.
    Again(Sent),
}

impl Remembered {
    /// Takes a key for a request.
    ///
    /// # Errors
    /// When the key belongs to another request, or to one that still runs.
    pub(super) fn begin(&mut self, key: &str, request: &Request, now: i64) -> Result<Turn, Refusal> {
        if key.is_empty() || key.len() > LONGEST_KEY {
            let message = format!("An idempotency key has 1 to {LONGEST_KEY} letters, this one has {}", key.len());
            return Err(Refusal::idempotency(400, message));
        }
        let asked = (request.uri().to_string(), request.body().clone());
        if let Some(known) = self.0.get(key).filter(|known| known.sent.is_none() || now < known.at + KEPT) {
            if known.request != asked {
                let message = format!("The key {key} was used with another endpoint or other parameters before");
                return Err(Refusal::idempotency(400, message));
            }
            return match &known.sent {
                Some(sent) => Ok(Turn::Again(sent.clone())),
                None => Err(Refusal::idempotency(409, format!("A request with the key {key} still runs"))),
            };
        }
        self.0.insert(key.to_owned(), Known { at: now, request: asked, sent: None });
        Ok(Turn::First)
    }

    pub(super) fn is_running(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(|known| known.sent.is_none())
    }

    /// Keeps the answer for the next with this key.
    pub(super) fn keep(&mut self, key: &str, sent: Sent) {
        if let Some(known) = self.0.get_mut(key) {
            known.sent = Some(sent);
        }
    }

    /// The request was not carried out: its key is free again.
    pub(super) fn forget(&mut self, key: &str) {
        if self.0.get(key).is_some_and(|known| known.sent.is_none()) {
            self.0.remove(key);
        }
    }
}
