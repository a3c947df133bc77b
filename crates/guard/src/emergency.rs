//! The emergency door: user and password, for the operator, on the day when there are no keys to
//! judge assertions by. Off unless configured.
//!
//! What holds here:
//! - It is for requests without an assertion. A bad one is never rescued by it.
//! - Guessing is hopeless, and no flood of guesses costs members anything: every attempt takes from
//!   a budget before anything is compared, and what is hashed is hashed one at a time, elsewhere.
//! - Every use and every attempt is in the journal, and reaches the main instance.
//! - Neither credentials nor sessions reach the application.

mod attempts;
pub(crate) mod basic;
mod budget;
mod journal;
mod journal_reporter;
mod password;
mod sessions;

use std::net::IpAddr;
use std::sync::Arc;

use api::EmergencyOutcome;
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use world::{Clock, Entropy};

use attempts::{Attempts, Failed};
use basic::{Basic, Credentials};
use sessions::Sessions;

pub(crate) use journal::Journal;
pub(crate) use journal_reporter::JournalReporter;
pub(crate) use password::PasswordHash;

use crate::gate::Denied;
use crate::settings::Emergency;

/// Where a browser asks for the door; nowhere else does a password dialog open.
pub(crate) const DOOR: &str = "/-/access/emergency";
/// What makes a browser ask for user and password.
pub(crate) const CHALLENGE: &str = "Basic realm=\"emergency access\", charset=\"UTF-8\"";

/// The door, when there is one.
pub(crate) struct EmergencyDoor {
    user: Arc<str>,
    attempts: Attempts,
    sessions: Sessions,
    journal: Arc<Journal>,
    clock: Clock,
    entropy: Entropy,
}

impl EmergencyDoor {
    /// A door for one user. Hashes that are run are counted in `hashes`.
    pub(crate) fn new(
        settings: &Emergency,
        journal: Arc<Journal>,
        hashes: Counter,
        clock: Clock,
        entropy: Entropy,
    ) -> Self {
        let attempts = Attempts::new(&settings.user, settings.hash.clone(), entropy.bytes(), hashes);
        let user = settings.user.as_str().into();
        Self { user, attempts, sessions: Sessions::default(), journal, clock, entropy }
    }

    /// Whom a request without an assertion comes from, as far as session or credentials say.
    ///
    /// # Errors
    /// [`Denied`].
    pub(crate) async fn identify(&self, headers: &HeaderMap, source: IpAddr) -> Result<Arc<str>, Denied> {
        if self.sessions.includes(headers, self.clock.now()) {
            self.note(EmergencyOutcome::Accepted, source);
            return Ok(Arc::clone(&self.user));
        }
        match basic::sent(headers) {
            Basic::None => Err(Denied::Unidentified),
            Basic::Unreadable => {
                self.note(EmergencyOutcome::Refused, source);
                Err(Denied::EmergencyUnreadable)
            }
            Basic::One(credentials) => self.judge(credentials, source).await,
        }
    }

    /// Until when what has no end of its own may last for whoever was let in by these headers: as long
    /// as their session, or as one that begins now.
    pub(crate) fn lets_stay_until(&self, headers: &HeaderMap) -> Timestamp {
        self.sessions.lasts_until(headers, self.clock.now())
    }

    /// The cookie of a new session, for whoever was identified by these headers and has none.
    pub(crate) fn begin_session(&self, headers: &HeaderMap, secure: bool) -> Option<HeaderValue> {
        if self.sessions.includes(headers, self.clock.now()) {
            return None;
        }
        self.sessions.begin(self.entropy.bytes(), secure, self.clock.now())
    }

    /// Ends the sessions that a request shows; gives the cookies that say so.
    pub(crate) fn end_sessions(&self, headers: &HeaderMap) -> Vec<HeaderValue> {
        self.sessions.end(headers)
    }

    /// Removes what is not for the application's eyes, whoever the request was admitted for.
    pub(crate) fn conceal(&self, headers: &mut HeaderMap) {
        basic::conceal(headers, self.user.as_bytes());
    }

    async fn judge(&self, credentials: Credentials, source: IpAddr) -> Result<Arc<str>, Denied> {
        let (outcome, denied) = match self.attempts.judge(credentials, source).await {
            Ok(()) => {
                self.note(EmergencyOutcome::Accepted, source);
                return Ok(Arc::clone(&self.user));
            }
            Err(Failed::Wrong) => (EmergencyOutcome::Refused, Denied::EmergencyWrong),
            Err(Failed::TooMany(wait)) => (EmergencyOutcome::Throttled, Denied::EmergencyThrottled(wait)),
        };
        self.note(outcome, source);
        Err(denied)
    }

    fn note(&self, outcome: EmergencyOutcome, source: IpAddr) {
        self.journal.record(outcome, source, self.clock.now());
    }
}

impl std::fmt::Debug for EmergencyDoor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("EmergencyDoor").field("user", &self.user).finish_non_exhaustive()
    }
}
