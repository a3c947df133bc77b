//! Who is asking: the assertion that a request brings, verified with the issuer's keys.

use std::sync::Arc;

use access::{KeySet, Refusal, Verified, Verifier};
use http::HeaderMap;
use world::Clock;

use crate::gate::Denied;
use crate::headers::{self, Assertion};
use crate::keyring::Keyring;
use crate::remembered::Remembered;

/// Everything that tells one visitor from another.
pub(crate) struct Identities {
    pub(crate) verifier: Verifier,
    pub(crate) keys: Keys,
    pub(crate) remembered: Remembered,
    pub(crate) clock: Clock,
}

/// Where the issuer's keys come from.
pub(crate) enum Keys {
    /// Known from the start, because the issuer is part of the same program.
    Known(Arc<KeySet>),
    Fetched(Arc<Keyring>),
}

impl Identities {
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

    /// Whom a token speaks of, member or not.
    ///
    /// # Errors
    /// [`Denied`], when it does not verify.
    pub(crate) async fn verify(&self, token: &str) -> Result<Arc<Verified>, Denied> {
        let keyring = match &self.keys {
            Keys::Known(keys) => return self.judge(token, keys).map_err(Denied::Assertion),
            Keys::Fetched(keyring) => keyring,
        };
        match self.judge(token, &keyring.keys().await) {
            // The key may be newer than our set. Any other fault stays one with any keys.
            Err(Refusal::UnknownKey) => {}
            verdict => return verdict.map_err(Denied::Assertion),
        }
        match self.judge(token, &keyring.keys_after_unknown().await) {
            Err(Refusal::UnknownKey) if keyring.is_empty() => Err(Denied::NoKeys),
            verdict => verdict.map_err(Denied::Assertion),
        }
    }

    fn judge(&self, token: &str, keys: &Arc<KeySet>) -> Result<Arc<Verified>, Refusal> {
        let now = self.clock.now();
        self.remembered.or_verify(token, keys, now, || self.verifier.verify(token, keys, now))
    }
}
