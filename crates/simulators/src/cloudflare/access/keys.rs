//! The keys that assertions are signed with: one that signs, and former ones that are still shown.

use std::sync::Arc;

use access::SigningKey;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::envelope::{Refusal, Reply, access_form, read};
use super::super::routes::Asked;
use super::super::state::State;

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// So long is a former key still shown and good.
const OVERLAP: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Keys are made when the first one is asked for: most simulations never need any.
#[derive(Debug)]
pub(super) struct Ring {
    current: Option<Arc<Key>>,
    former: Vec<(Arc<Key>, Timestamp)>,
    interval_days: i64,
    rotated: Timestamp,
}

pub(super) struct Key {
    public: Value,
    kid: String,
    pair: RsaKeyPair,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Interval {
    key_rotation_interval_days: i64,
}

impl Ring {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { current: None, former: Vec::new(), interval_days: 42, rotated: now }
    }

    /// Rotates if it is time to, and forgets the keys whose overlap is over.
    pub(super) fn turn(&mut self, now: Timestamp) {
        if now >= self.rotated + DAY * i32::try_from(self.interval_days).unwrap_or(i32::MAX) {
            self.rotate(now);
        }
        self.former.retain(|(_, retired)| now < *retired + OVERLAP);
    }

    fn rotate(&mut self, now: Timestamp) {
        self.former.extend(self.current.take().map(|key| (key, now)));
        self.rotated = now;
    }

    pub(super) fn holds(&self, kid: &str) -> bool {
        self.current.iter().chain(self.former.iter().map(|(key, _)| key)).any(|key| key.kid == kid)
    }

    /// The key that signs now.
    pub(super) fn signing(&mut self) -> Result<Arc<Key>, Refusal> {
        if let Some(key) = &self.current {
            return Ok(Arc::clone(key));
        }
        let key = Arc::new(Key::generate().ok_or_else(|| Refusal::new(500, 10001, "no signing key could be made"))?);
        self.current = Some(Arc::clone(&key));
        Ok(key)
    }

    /// The document at `/cdn-cgi/access/certs`.
    pub(super) fn document(&mut self) -> Result<Value, Refusal> {
        let current = self.signing()?;
        let all = || std::iter::once(&current).chain(self.former.iter().map(|(key, _)| key));
        let cert = |key: &Arc<Key>| json!({ "kid": key.kid, "cert": "" });
        Ok(json!({
            "keys": all().map(|key| key.public.clone()).collect::<Vec<_>>(),
            "public_cert": cert(&current),
            "public_certs": all().map(cert).collect::<Vec<_>>(),
        }))
    }

    fn shown(&self, now: Timestamp) -> Value {
        let age = now.duration_since(self.rotated).as_hours() / 24;
        json!({
            "key_rotation_interval_days": self.interval_days,
            "last_key_rotation_at": self.rotated,
            "days_until_next_rotation": (self.interval_days - age).max(0),
        })
    }
}

impl Key {
    fn generate() -> Option<Self> {
        let key = SigningKey::generate().ok()?;
        let der = STANDARD.decode(key.to_secret().ok()?.expose_secret()).ok()?;
        Some(Self { public: key.jwk(), kid: key.kid().to_owned(), pair: RsaKeyPair::from_pkcs8(&der).ok()? })
    }

    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    /// A token that says this.
    pub(super) fn sign(&self, claims: &Value) -> Result<String, Refusal> {
        let header = json!({ "alg": "RS256", "kid": self.kid, "typ": "JWT" });
        let [header, claims] = [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| Refusal::new(500, 10001, "the token could not be signed"))?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Key({})", self.kid)
    }
}

/// `GET …/keys`
pub(in super::super) fn show(state: &mut State, _: &Asked) -> Result<Reply, Refusal> {
    state.access.keys.turn(state.now);
    Ok(Reply::ok(state.access.keys.shown(state.now)))
}

/// `PUT …/keys`
pub(in super::super) fn set_interval(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let Interval { key_rotation_interval_days: days } = read(&asked.body, access_form)?;
    if !(21..=365).contains(&days) {
        return Err(Refusal::access("key_rotation_interval_days must be 21 to 365"));
    }
    state.access.keys.interval_days = days;
    show(state, asked)
}

/// `POST …/keys/rotate`
pub(in super::super) fn rotate(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    state.access.keys.rotate(state.now);
    show(state, asked)
}
