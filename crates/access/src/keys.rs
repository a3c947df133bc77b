//! The issuer's public keys.

use std::collections::HashMap;

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::strict_json;

/// The smallest RSA modulus that is trusted, in bits.
const MIN_MODULUS_BITS: usize = 2048;
/// The largest modulus that is worth the time of verifying, in bits.
const MAX_MODULUS_BITS: usize = 8192;

/// A JSON Web Key Set reduced to the RS256 verification keys in it, by key id.
///
/// Signatures are checked with `aws-lc-rs` itself and not through a JWT crate: the key is parsed
/// once per set instead of once per token, and every rule about the token stands in this crate
/// where it can be read and tested.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: HashMap<String, ParsedPublicKey>,
    passed_over: Vec<PassedOver>,
}

/// A key of the set that cannot be used, and why. Meant for logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// The key's id, where it has one.
    pub kid: Option<String>,
    /// What makes it unusable.
    pub why: &'static str,
}

/// The document is no key set.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeySetError {
    /// Not a JSON object with an array named `keys`.
    #[error("not a key set: expected a JSON object with an array `keys`")]
    Malformed,
    /// No key in it can verify RS256.
    #[error("the key set holds no usable RS256 key")]
    NoUsableKey,
}

impl KeySet {
    /// Reads a key set, passing over every key that cannot verify RS256 with at least 2048 bits.
    ///
    /// # Errors
    /// [`KeySetError`] when the document is malformed, or when no usable key is left: a set that
    /// verifies nothing must not replace one that does.
    pub fn parse(json: &[u8]) -> Result<Self, KeySetError> {
        let document = strict_json::parse_object(json).ok_or(KeySetError::Malformed)?;
        let Some(Value::Array(entries)) = document.get("keys") else {
            return Err(KeySetError::Malformed);
        };
        let mut set = Self::default();
        for entry in entries {
            set.add(entry);
        }
        if set.keys.is_empty() { Err(KeySetError::NoUsableKey) } else { Ok(set) }
    }

    /// Whether a key with this id is in the set.
    #[must_use]
    pub fn contains(&self, kid: &str) -> bool {
        self.keys.contains_key(kid)
    }

    /// How many usable keys the set holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether the set verifies nothing (the state before the first fetch).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that were passed over.
    #[must_use]
    pub fn passed_over(&self) -> &[PassedOver] {
        &self.passed_over
    }

    pub(crate) fn get(&self, kid: &str) -> Option<&ParsedPublicKey> {
        self.keys.get(kid)
    }

    fn add(&mut self, entry: &Value) {
        let kid = entry.get("kid").and_then(Value::as_str).map(str::to_owned);
        let usable = entry.as_object().ok_or("not an object").and_then(rs256_key);
        match (kid, usable) {
            (Some(kid), Ok(_)) if self.keys.contains_key(&kid) => {
                self.passed_over.push(PassedOver { kid: Some(kid), why: "key id taken before" });
            }
            (Some(kid), Ok(key)) if !kid.is_empty() => {
                self.keys.insert(kid, key);
            }
            (kid, Ok(_)) => self.passed_over.push(PassedOver { kid, why: "no key id" }),
            (kid, Err(why)) => self.passed_over.push(PassedOver { kid, why }),
        }
    }
}

fn rs256_key(jwk: &Map<String, Value>) -> Result<ParsedPublicKey, &'static str> {
    if jwk.get("kty").and_then(Value::as_str) != Some("RSA") {
        return Err("not an RSA key");
    }
    if jwk.get("alg").is_some_and(|alg| alg != "RS256") {
        return Err("meant for another algorithm");
    }
    if jwk.get("use").is_some_and(|purpose| purpose != "sig") {
        return Err("not meant for signatures");
    }
    if jwk.get("key_ops").is_some_and(|operations| !lists_verify(operations)) {
        return Err("not meant for verification");
    }
    let n = unsigned_integer(jwk.get("n")).ok_or("modulus is malformed")?;
    let e = unsigned_integer(jwk.get("e")).ok_or("exponent is malformed")?;
    let bits = bit_length(&n);
    if bits < MIN_MODULUS_BITS {
        return Err("modulus is too short");
    }
    if bits > MAX_MODULUS_BITS {
        return Err("modulus is too long");
    }
    // Exponent 1 would make every message its own signature; an even one is no RSA key.
    let tiny_or_even = e.last().is_none_or(|low| low % 2 == 0) || (e.len() == 1 && e[0] < 3);
    if tiny_or_even || e.len() > 4 {
        return Err("exponent is unsafe");
    }
    RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).map_err(|_| "not a valid RSA key")
}

fn lists_verify(operations: &Value) -> bool {
    operations.as_array().is_some_and(|list| list.iter().any(|operation| operation == "verify"))
}

/// Base64url of a big-endian number; leading zero bytes, which some issuers write, are dropped.
fn unsigned_integer(value: Option<&Value>) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(value?.as_str()?).ok()?;
    let first = bytes.iter().position(|byte| *byte != 0)?;
    Some(bytes[first..].to_vec())
}

fn bit_length(number: &[u8]) -> usize {
    let top = number.first().map_or(0, |byte| 8 - byte.leading_zeros() as usize);
    number.len().saturating_sub(1) * 8 + top
}
