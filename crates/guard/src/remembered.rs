//! Assertions that verified a moment ago: a browser sends the same one with every request, and a
//! signature costs more than all the rest of a decision.
//!
//! What is remembered is that a token's every byte was verified with the keys in force, nothing
//! about membership, and no refusal. It is forgotten when the keys are replaced, at the token's
//! expiry, and when others take its place.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use access::{KeySet, Verified};
use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;

/// Tokens in one half of the memory.
const HALF: usize = 4096;

/// A bounded memory of verified tokens.
pub(crate) struct Remembered {
    state: Mutex<State>,
    half: usize,
}

/// Two halves instead of a list by age: when the younger is full, the older is forgotten whole, and
/// whatever is asked for moves to the younger.
#[derive(Default)]
struct State {
    /// The keys all of it was verified with.
    keys: Option<Arc<KeySet>>,
    young: HashMap<Fingerprint, Arc<Verified>>,
    old: HashMap<Fingerprint, Arc<Verified>>,
}

/// SHA-256 of a token's every byte. Whoever could make two tokens with the same one could forge
/// signatures as well: RS256 signs no more than such a digest.
type Fingerprint = [u8; 32];

impl Default for Remembered {
    fn default() -> Self {
        Self { state: Mutex::default(), half: HALF }
    }
}

impl Remembered {
    /// What was verified of exactly this token with exactly these keys, if it has not expired; else
    /// what `verify` says of it now, which is remembered if it verifies.
    ///
    /// # Errors
    /// Those of `verify`.
    pub(crate) fn or_verify<E>(
        &self,
        token: &str,
        keys: &Arc<KeySet>,
        now: Timestamp,
        verify: impl FnOnce() -> Result<Verified, E>,
    ) -> Result<Arc<Verified>, E> {
        let fingerprint = fingerprint(token);
        if let Some(verified) = self.get(fingerprint, keys, now) {
            return Ok(verified);
        }
        let verified = Arc::new(verify()?);
        self.state.lock().unwrap_or_else(PoisonError::into_inner).put(fingerprint, &verified, self.half);
        Ok(verified)
    }

    /// How many tokens are remembered.
    pub(crate) fn len(&self) -> usize {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.young.len() + state.old.len()
    }

    fn get(&self, fingerprint: Fingerprint, keys: &Arc<KeySet>, now: Timestamp) -> Option<Arc<Verified>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.forget_unless_of(keys);
        if let Some(verified) = state.young.get(&fingerprint) {
            if now < verified.expires() {
                return Some(Arc::clone(verified));
            }
            state.young.remove(&fingerprint);
            return None;
        }
        let verified = state.old.remove(&fingerprint).filter(|verified| now < verified.expires())?;
        state.put(fingerprint, &verified, self.half);
        Some(verified)
    }
}

impl State {
    fn forget_unless_of(&mut self, keys: &Arc<KeySet>) {
        if !self.keys.as_ref().is_some_and(|known| Arc::ptr_eq(known, keys)) {
            *self = Self { keys: Some(Arc::clone(keys)), ..Self::default() };
        }
    }

    fn put(&mut self, fingerprint: Fingerprint, verified: &Arc<Verified>, half: usize) {
        if self.young.len() >= half {
            // The emptied half keeps its room for the next ones.
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.insert(fingerprint, Arc::clone(verified));
    }
}

fn fingerprint(token: &str) -> Fingerprint {
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    fingerprint
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use access::{Assertion, Issuer, SigningKey, Verifier};
    use domain::Email;
    use jiff::SignedDuration;

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

    struct Scene {
        issuer: Issuer,
        keys: Arc<KeySet>,
        verifier: Verifier,
    }

    impl Scene {
        fn new() -> Self {
            let issuer = Issuer::new("https://issuer", SigningKey::generate().unwrap());
            let keys = Arc::new(KeySet::parse(issuer.key_set_json().as_bytes()).unwrap());
            Self { issuer, keys, verifier: Verifier::new("https://issuer", vec!["a".into()]).unwrap() }
        }

        fn token(&self, nonce: &str) -> (String, Arc<Verified>) {
            let email = Email::parse("ada@example.com").unwrap();
            let assertion = Assertion {
                email: &email,
                subject: "s",
                audience: "a",
                now: NOW,
                ttl: SignedDuration::from_secs(60),
                nonce,
            };
            let token = self.issuer.issue(&assertion).unwrap();
            let verified = Arc::new(self.verifier.verify(&token, &self.keys, NOW).unwrap());
            (token, verified)
        }
    }

    impl Scene {
        /// What is remembered of a token, without verifying it.
        fn recall(&self, remembered: &Remembered, token: &str, now: Timestamp) -> Option<Arc<Verified>> {
            remembered.get(fingerprint(token), &self.keys, now)
        }

        fn learn(&self, remembered: &Remembered, token: &str, verified: &Arc<Verified>) {
            let learnt = remembered.or_verify(token, &self.keys, NOW, || Ok::<_, ()>((**verified).clone()));
            assert_eq!(learnt.unwrap().subject(), verified.subject());
        }
    }

    #[test]
    fn a_token_is_remembered_by_its_every_byte_until_it_expires() {
        let scene = Scene::new();
        let (token, verified) = scene.token("1");
        let remembered = Remembered::default();
        assert!(scene.recall(&remembered, &token, NOW).is_none());
        scene.learn(&remembered, &token, &verified);
        let known = remembered.or_verify(&token, &scene.keys, NOW, || Err("verified again"));
        assert_eq!(known.unwrap().subject(), "s");
        for other in [&token[1..], &token[..token.len() - 1], &format!("{token}="), ""] {
            assert!(scene.recall(&remembered, other, NOW).is_none());
        }
        let expiry = verified.expires();
        let before = expiry - SignedDuration::from_nanos(1);
        assert!(scene.recall(&remembered, &token, before).is_some());
        assert!(scene.recall(&remembered, &token, expiry).is_none());
        assert!(scene.recall(&remembered, &token, before).is_none(), "forgotten, not just passed over");
    }

    #[test]
    fn a_refusal_is_not_remembered() {
        let scene = Scene::new();
        let (token, verified) = scene.token("1");
        let remembered = Remembered::default();
        assert!(remembered.or_verify(&token, &scene.keys, NOW, || Err("no such key")).is_err());
        scene.learn(&remembered, &token, &verified);
    }

    #[test]
    fn replaced_keys_take_everything_with_them() {
        let mut scene = Scene::new();
        let (token, verified) = scene.token("1");
        let remembered = Remembered::default();
        scene.learn(&remembered, &token, &verified);
        let former = std::mem::replace(&mut scene.keys, Arc::new(KeySet::default()));
        assert!(scene.recall(&remembered, &token, NOW).is_none());
        scene.keys = former;
        assert!(scene.recall(&remembered, &token, NOW).is_none(), "also when the former keys come back");
    }

    #[test]
    fn memory_is_bounded_and_keeps_what_is_asked_for() {
        let scene = Scene::new();
        let (favourite, verified) = scene.token("favourite");
        let remembered = Remembered { half: 4, ..Remembered::default() };
        scene.learn(&remembered, &favourite, &verified);
        for number in 0..40 {
            let (token, verified) = scene.token(&number.to_string());
            scene.learn(&remembered, &token, &verified);
            assert!(scene.recall(&remembered, &favourite, NOW).is_some(), "after {number} others");
            assert!(remembered.len() <= 8);
        }
    }
}
