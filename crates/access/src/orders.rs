//! What the main instance may order a guard to do with what its application keeps, and how it proves that an order is
//! its own.
//!
//! Both know the instance's token. The proof of an order follows from it, from what is ordered of which instance, from the
//! time, and from its terms, the first line of the body. So it is good for that order alone, once, and for a moment. What
//! of the terms is secret is sealed with the token as well: whoever else should read it on its way, or at an address that
//! became somebody else's, learns nothing.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, Tag, sign, verify};
use domain::InstanceId;
use http::Method;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

const PURPOSE: &str = "spinoff: order to a guard";
const SECRETS: &[u8] = b"spinoff: secrets in the terms of orders";
/// The terms are no longer than that, with the end of their line.
pub const LONGEST_TERMS: usize = 4096;
/// What makes each order another one.
pub const NONCE_BYTES: usize = 16;
/// What sealing a secret takes of chance.
pub const SEAL_BYTES: usize = NONCE_LEN;

/// What is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The application stops, and its visitors wait.
    Rest,
    /// It goes on.
    Wake,
    /// What it keeps is sent, sealed.
    BackUp,
    /// What is sent takes the place of what it keeps.
    Restore,
    /// What it keeps is sent as its customer gets it.
    Export,
}

impl Order {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Rest, Self::Wake, Self::BackUp, Self::Restore, Self::Export];

    /// Where it is taken, by `POST`.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Rest => "/-/data/rest",
            Self::Wake => "/-/data/wake",
            Self::BackUp => "/-/data/backup",
            Self::Restore => "/-/data/restore",
            Self::Export => "/-/data/export",
        }
    }

    /// The order that a request names, by its raw target and nothing like it.
    #[must_use]
    pub fn named_by(method: &Method, target: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| method == Method::POST && order.path() == target)
    }
}

/// What there is to say about a backup that is ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackUpTerms {
    /// For whom it is encrypted: `age1…`.
    pub recipient: String,
}

/// What there is to say about a backup that is to be put back; it follows the terms in the same body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreTerms {
    /// What opens it, sealed by [`seal`].
    pub identity: String,
    /// The SHA-256 that it had when it was taken.
    pub sha256: String,
    /// Its bytes, as it was kept.
    pub bytes: u64,
}

/// What there is to say about a download.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportTerms {
    /// The folder that everything is in.
    pub top: String,
}

/// An order as it was proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// When it was given.
    pub at: Timestamp,
    /// What tells it from every other.
    pub nonce: [u8; NONCE_BYTES],
    sum: [u8; 32],
}

impl Proven {
    /// Whether it was given with these terms.
    #[must_use]
    pub fn is_with(&self, terms: &[u8]) -> bool {
        digest(&SHA256, terms).as_ref() == self.sum
    }
}

/// The proof of an order, to be sent as `Authorization: Bearer …`. `terms` is the first line of the body, without its end.
#[must_use]
pub fn prove(
    order: Order,
    (instance, token): (InstanceId, &SecretString),
    (now, nonce): (Timestamp, [u8; NONCE_BYTES]),
    terms: &[u8],
) -> String {
    let claims = claims(now, nonce, digest(&SHA256, terms).as_ref());
    let proof = sign(&key(token), said(order, instance, &claims).as_bytes());
    format!("{claims}.{}", hex::encode(proof))
}

/// The order, if this proves it. Whether it is fresh is for the caller to see.
#[must_use]
pub fn verified(text: &[u8], order: Order, instance: InstanceId, token: &SecretString) -> Option<Proven> {
    let (claims, proof) = std::str::from_utf8(text).ok()?.rsplit_once('.')?;
    verify(&key(token), said(order, instance, claims).as_bytes(), &hex::decode(proof).ok()?).ok()?;
    let mut parts = claims.split('.');
    let (at, nonce, sum) = (parts.next()?, parts.next()?, parts.next()?);
    let at = Timestamp::from_millisecond(at.parse().ok()?).ok()?;
    let nonce = hex::decode(nonce).ok()?.try_into().ok()?;
    let sum = hex::decode(sum).ok()?.try_into().ok()?;
    parts.next().is_none().then_some(Proven { at, nonce, sum })
}

/// Seals what only the guard of this instance is to read. `chance` must never come twice.
/// `None` should the cipher refuse, which it has no reason to.
#[must_use]
pub fn seal(secret: &SecretString, token: &SecretString, chance: [u8; SEAL_BYTES]) -> Option<String> {
    let mut sealed = secret.expose_secret().as_bytes().to_vec();
    let nonce = Nonce::assume_unique_for_key(chance);
    sealing(token)?.seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed).ok()?;
    Some(hex::encode([&chance[..], &sealed].concat()))
}

/// What was sealed for the guard of this instance.
#[must_use]
pub fn open(sealed: &str, token: &SecretString) -> Option<SecretString> {
    let mut bytes = hex::decode(sealed).ok()?;
    let (chance, sealed) = bytes.split_at_mut_checked(SEAL_BYTES)?;
    let nonce = Nonce::try_assume_unique_for_key(chance).ok()?;
    let opened = sealing(token)?.open_in_place(nonce, Aad::empty(), sealed).ok()?;
    Some(SecretString::from(std::str::from_utf8(opened).ok()?))
}

fn sealing(token: &SecretString) -> Option<LessSafeKey> {
    let key: Tag = sign(&key(token), SECRETS);
    Some(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_ref()).ok()?))
}

fn key(token: &SecretString) -> Key {
    Key::new(HMAC_SHA256, token.expose_secret().as_bytes())
}

fn claims(now: Timestamp, nonce: [u8; NONCE_BYTES], sum: &[u8]) -> String {
    format!("{}.{}.{}", now.as_millisecond(), hex::encode(nonce), hex::encode(sum))
}

fn said(order: Order, instance: InstanceId, claims: &str) -> String {
    format!("{PURPOSE}\nPOST {}\n{instance}\n{claims}", order.path())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TERMS: &[u8] = br#"{"recipient":"age1"}"#;

    fn instance(number: u8) -> InstanceId {
        InstanceId::new(Timestamp::UNIX_EPOCH, [number; 10])
    }

    fn given(token: &str) -> String {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        prove(Order::BackUp, (instance(1), &SecretString::from(token)), (now, [7; NONCE_BYTES]), TERMS)
    }

    #[test]
    fn an_order_is_what_was_proven_and_nothing_else() {
        let (token, good) = (SecretString::from("s3cret"), given("s3cret"));
        let proven = verified(good.as_bytes(), Order::BackUp, instance(1), &token).unwrap();
        assert_eq!((proven.at.as_second(), proven.nonce), (1_800_000_000, [7; NONCE_BYTES]));
        assert!(proven.is_with(TERMS));
        assert!(!proven.is_with(br#"{"recipient":"age2"}"#), "with a recipient that somebody put there");
        for order in Order::ALL.into_iter().filter(|order| *order != Order::BackUp) {
            assert_eq!(verified(good.as_bytes(), order, instance(1), &token), None, "as another order: {order:?}");
        }
        assert_eq!(verified(good.as_bytes(), Order::BackUp, instance(2), &token), None, "of another instance");
        assert_eq!(verified(good.as_bytes(), Order::BackUp, instance(1), &"other".into()), None, "by another token");
        let later = good.replacen("1800000000000", "1800000000001", 1);
        let push = crate::pushed::proof("s3cret");
        for bad in ["", ".", "...", &later, &good[1..], &good[..good.len() - 2], &format!("{good}00"), &push] {
            assert_eq!(verified(bad.as_bytes(), Order::BackUp, instance(1), &token), None, "{bad}");
        }
    }

    #[test]
    fn a_secret_of_the_terms_opens_with_the_token_alone_and_whole() {
        let (secret, token) = (SecretString::from("AGE-SECRET-KEY-1"), SecretString::from("s3cret"));
        let sealed = seal(&secret, &token, [3; SEAL_BYTES]).unwrap();
        assert!(!sealed.contains(&hex::encode("AGE-SECRET")));
        assert_eq!(open(&sealed, &token).unwrap().expose_secret(), "AGE-SECRET-KEY-1");
        assert!(open(&sealed, &"other".into()).is_none());
        for bad in ["", "00", &sealed[2..], &sealed[..sealed.len() - 2], &sealed.replacen("03", "04", 1)] {
            assert!(open(bad, &token).is_none(), "{bad}");
        }
    }

    #[test]
    fn an_order_is_named_by_its_target_to_the_byte() {
        assert_eq!(Order::named_by(&Method::POST, "/-/data/rest"), Some(Order::Rest));
        for target in ["/-/data/rest/", "/-/data/rest?x", "/-/data/REST", "//-/data/rest", "/-/data/%72est", "/-/data"]
        {
            assert_eq!(Order::named_by(&Method::POST, target), None, "{target}");
        }
        assert_eq!(Order::named_by(&Method::GET, "/-/data/rest"), None);
    }
}
