//! Assertions that verified a moment ago: a browser sends the same one with every request, and a
//! signature costs more than all the rest of a decision.
//!
//! What is remembered is that a token's every byte was verified with the keys in force, nothing
//! about membership, and no refusal. It is forgotten when the keys are replaced, at the token's
//! expiry, and when others take its place.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use access::{KeySet, Verified};
use jiff::Timestamp;

/// Bytes of tokens in one half of the memory. Both halves together hold some thousands of visitors.
const HALF_BYTES: usize = 2 * 1024 * 1024;

/// A bounded memory of verified tokens.
pub(crate) struct Remembered {
    state: Mutex<State>,
    half_bytes: usize,
}

/// Two halves instead of a list by age: when the younger is full, the older is forgotten whole, and
/// whatever is asked for moves to the younger.
#[derive(Default)]
struct State {
    /// The keys all of it was verified with.
    keys: Option<Arc<KeySet>>,
    young: HashMap<Box<str>, Arc<Verified>>,
    old: HashMap<Box<str>, Arc<Verified>>,
    young_bytes: usize,
}

impl Default for Remembered {
    fn default() -> Self {
        Self { state: Mutex::default(), half_bytes: HALF_BYTES }
    }
}

impl Remembered {
    /// What was verified of exactly this token with exactly these keys, if it has not expired.
    pub(crate) fn get(&self, token: &str, keys: &Arc<KeySet>, now: Timestamp) -> Option<Arc<Verified>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.forget_unless_of(keys);
        if let Some(verified) = state.young.get(token) {
            if now < verified.expires() {
                return Some(Arc::clone(verified));
            }
            state.young.remove(token);
            state.young_bytes = state.young_bytes.saturating_sub(token.len());
            return None;
        }
        let (token, verified) = state.old.remove_entry(token)?;
        if now >= verified.expires() {
            return None;
        }
        state.put(token, Arc::clone(&verified), self.half_bytes);
        Some(verified)
    }

    /// How many tokens are remembered.
    pub(crate) fn len(&self) -> usize {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.young.len() + state.old.len()
    }

    /// Remembers what was verified with these keys.
    pub(crate) fn put(&self, token: &str, keys: &Arc<KeySet>, verified: Arc<Verified>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.forget_unless_of(keys);
        state.put(token.into(), verified, self.half_bytes);
    }
}

impl State {
    fn forget_unless_of(&mut self, keys: &Arc<KeySet>) {
        if !self.keys.as_ref().is_some_and(|known| Arc::ptr_eq(known, keys)) {
            *self = Self { keys: Some(Arc::clone(keys)), ..Self::default() };
        }
    }

    fn put(&mut self, token: Box<str>, verified: Arc<Verified>, half_bytes: usize) {
        if self.young_bytes + token.len() > half_bytes {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += token.len();
        if let Some((replaced, _)) = self.young.remove_entry(&*token) {
            self.young_bytes = self.young_bytes.saturating_sub(replaced.len());
        }
        self.young.insert(token, verified);
    }
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

    #[test]
    fn a_token_is_remembered_by_its_every_byte_until_it_expires() {
        let scene = Scene::new();
        let (token, verified) = scene.token("1");
        let remembered = Remembered::default();
        assert!(remembered.get(&token, &scene.keys, NOW).is_none());
        remembered.put(&token, &scene.keys, Arc::clone(&verified));
        assert!(remembered.get(&token, &scene.keys, NOW).is_some());
        for other in [&token[1..], &token[..token.len() - 1], &format!("{token}="), ""] {
            assert!(remembered.get(other, &scene.keys, NOW).is_none());
        }
        let expiry = verified.expires();
        let before = expiry - SignedDuration::from_nanos(1);
        assert!(remembered.get(&token, &scene.keys, before).is_some());
        assert!(remembered.get(&token, &scene.keys, expiry).is_none());
        assert!(remembered.get(&token, &scene.keys, before).is_none(), "forgotten, not just passed over");
    }

    #[test]
    fn replaced_keys_take_everything_with_them() {
        let scene = Scene::new();
        let (token, verified) = scene.token("1");
        let remembered = Remembered::default();
        remembered.put(&token, &scene.keys, verified);
        let others = Arc::new(KeySet::default());
        assert!(remembered.get(&token, &others, NOW).is_none());
        assert!(remembered.get(&token, &scene.keys, NOW).is_none(), "also when the former keys come back");
    }

    #[test]
    fn memory_is_bounded_and_keeps_what_is_asked_for() {
        let scene = Scene::new();
        let (favourite, verified) = scene.token("favourite");
        let remembered = Remembered { half_bytes: favourite.len() * 4, ..Remembered::default() };
        remembered.put(&favourite, &scene.keys, Arc::clone(&verified));
        let mut others = Vec::new();
        for number in 0..40 {
            let (token, verified) = scene.token(&number.to_string());
            remembered.put(&token, &scene.keys, verified);
            assert!(remembered.get(&favourite, &scene.keys, NOW).is_some(), "after {number} others");
            others.push(token);
        }
        let state = remembered.state.lock().unwrap();
        assert!(state.young.len() + state.old.len() <= 8);
        assert_eq!(state.young_bytes, state.young.keys().map(|token| token.len()).sum::<usize>());
    }
}
