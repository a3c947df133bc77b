//! The decision: identity first, then membership, then the instance's state. A [`Pass`] is the
//! proof of it, and only [`Gate::decide`] makes one.

use std::sync::Arc;

use access::{Identity, KeySet, ListState, Refusal, Verified, Verifier};
use domain::Email;
use http::HeaderMap;
use tokio_util::sync::CancellationToken;
use world::Clock;

use crate::headers::{self, Assertion};
use crate::keyring::Keyring;
use crate::remembered::Remembered;
use crate::roster::{Belonging, Roster};
use crate::visitor::Visitor;

/// Everything a decision rests on.
pub(crate) struct Gate {
    pub(crate) verifier: Verifier,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) remembered: Remembered,
    pub(crate) roster: Arc<Roster>,
    pub(crate) service_tokens: Vec<String>,
    pub(crate) public_paths: Vec<String>,
    pub(crate) clock: Clock,
}

/// What a decision looks at.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'r> {
    /// The raw path, without the query.
    pub(crate) path: &'r str,
    pub(crate) headers: &'r HeaderMap,
}

/// Leave to pass.
#[derive(Debug)]
pub(crate) struct Pass {
    visitor: Visitor,
    stay: CancellationToken,
}

/// Why a request does not pass.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// No assertion at all.
    Unidentified,
    /// Two assertions, or none that is text.
    Ambiguous,
    /// An assertion that does not verify.
    Assertion(Refusal),
    /// The issuer's keys have not been seen yet.
    NoKeys,
    /// A person who is not on the list.
    Stranger(Email),
    /// A service token that is not listed.
    UnlistedService,
    /// There is no member list to judge by.
    NoMembers,
    /// A member, but the instance is closed.
    Closed(ListState),
}

impl Gate {
    /// Decides one request.
    ///
    /// # Errors
    /// [`Denied`]: the first thing that stands against it.
    pub(crate) async fn decide(&self, ask: Ask<'_>) -> Result<Pass, Denied> {
        let visitor = self.visitor(ask).await?;
        match self.roster.state() {
            ListState::Active => {}
            closed => return Err(Denied::Closed(closed)),
        }
        let stay = self.roster.stay(visitor.member());
        Ok(Pass { visitor, stay })
    }

    /// Who the assertion in these headers speaks of, member or not.
    ///
    /// # Errors
    /// [`Denied`], when there is no assertion that verifies.
    pub(crate) async fn identify(&self, headers: &HeaderMap) -> Result<Arc<Verified>, Denied> {
        match headers::assertion(headers) {
            Assertion::None => Err(Denied::Unidentified),
            Assertion::Ambiguous => Err(Denied::Ambiguous),
            Assertion::One(token) => self.verify(token).await,
        }
    }

    async fn visitor(&self, ask: Ask<'_>) -> Result<Visitor, Denied> {
        if self.public_paths.iter().any(|public| public == ask.path) {
            return Ok(Visitor::Public);
        }
        let verified = self.identify(ask.headers).await?;
        match verified.identity() {
            Identity::Service(name) if self.service_tokens.contains(name) => Ok(Visitor::Service(verified)),
            Identity::Service(_) => Err(Denied::UnlistedService),
            Identity::Person(email) => match self.roster.belongs(email).await {
                Belonging::Member => Ok(Visitor::Member(verified)),
                Belonging::Stranger => Err(Denied::Stranger(email.clone())),
                Belonging::Unknown => Err(Denied::NoMembers),
            },
        }
    }

    async fn verify(&self, token: &str) -> Result<Arc<Verified>, Denied> {
        let keys = self.keyring.keys().await;
        match self.judge(token, &keys) {
            // The key may be newer than our set. Any other fault stays one with any keys.
            Err(Refusal::UnknownKey) => {}
            verdict => return verdict.map_err(Denied::Assertion),
        }
        let keys = self.keyring.keys_after_unknown().await;
        match self.judge(token, &keys) {
            Err(Refusal::UnknownKey) if self.keyring.is_empty() => Err(Denied::NoKeys),
            verdict => verdict.map_err(Denied::Assertion),
        }
    }

    fn judge(&self, token: &str, keys: &Arc<KeySet>) -> Result<Arc<Verified>, Refusal> {
        let now = self.clock.now();
        if let Some(verified) = self.remembered.get(token, keys, now) {
            return Ok(verified);
        }
        let verified = Arc::new(self.verifier.verify(token, keys, now)?);
        self.remembered.put(token, keys, Arc::clone(&verified));
        Ok(verified)
    }
}

impl Pass {
    pub(crate) fn visitor(&self) -> &Visitor {
        &self.visitor
    }

    /// Cancelled when this would no longer be decided so.
    pub(crate) fn stay(&self) -> &CancellationToken {
        &self.stay
    }
}

impl Denied {
    /// The rule that refused, for the access log.
    pub(crate) fn rule(&self) -> &'static str {
        match self {
            Self::Unidentified => "no-assertion",
            Self::Ambiguous => "ambiguous-assertion",
            Self::Assertion(refusal) => refusal.rule(),
            Self::NoKeys => "no-keys-yet",
            Self::Stranger(_) => "not-a-member",
            Self::UnlistedService => "service-not-listed",
            Self::NoMembers => "no-member-list",
            Self::Closed(ListState::Deleting) => "deleting",
            Self::Closed(_) => "suspended",
        }
    }
}
