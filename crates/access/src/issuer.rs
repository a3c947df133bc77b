//! Issuing assertions, for the built-in edge.

use aws_lc_rs::digest;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::Email;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

/// An RSA key that signs assertions, named by the SHA-256 of its public half.
pub struct SigningKey {
    pair: RsaKeyPair,
    kid: String,
    n: Vec<u8>,
    e: Vec<u8>,
}

/// Signs assertions in the name of one address.
pub struct Issuer {
    url: String,
    key: SigningKey,
}

/// What an assertion is to say.
#[derive(Clone, Debug)]
pub struct Assertion<'a> {
    /// Who signed in.
    pub email: &'a Email,
    /// The issuer's stable id of that person (`sub`).
    pub subject: &'a str,
    /// The audience of the hostname the assertion is good for (`aud`).
    pub audience: &'a str,
    /// When it was issued.
    pub now: Timestamp,
    /// How long it is good for.
    pub ttl: SignedDuration,
    /// A fresh random text that makes two assertions of one second differ (`identity_nonce`).
    pub nonce: &'a str,
}

/// How the signature of a token comes about that is made to see whether it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seal {
    /// Signed as any other.
    Genuine,
    /// The signature of another token, with a key id that is known.
    Tampered,
    /// None, and the header says so.
    Missing,
}

/// A key or a signature could not be made.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The generator gave no key.
    #[error("no signing key could be generated")]
    Generate,
    /// The stored text is no RSA key in PKCS#8, or shorter than 2048 bits.
    #[error("the stored signing key is not an RSA key of at least 2048 bits in PKCS#8 form")]
    StoredKey,
    /// The key did not sign.
    #[error("the assertion could not be signed")]
    Sign,
}

impl SigningKey {
    /// A new 2048-bit key. Takes its randomness from the cryptographic library itself, which
    /// offers no other source.
    ///
    /// # Errors
    /// [`IssuerError::Generate`].
    pub fn generate() -> Result<Self, IssuerError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| IssuerError::Generate)?;
        Self::from_pair(pair).ok_or(IssuerError::Generate)
    }

    /// Reads what [`SigningKey::to_secret`] wrote.
    ///
    /// # Errors
    /// [`IssuerError::StoredKey`].
    pub fn from_secret(secret: &SecretString) -> Result<Self, IssuerError> {
        let der = STANDARD.decode(secret.expose_secret()).map_err(|_| IssuerError::StoredKey)?;
        let pair = RsaKeyPair::from_pkcs8(&der).map_err(|_| IssuerError::StoredKey)?;
        Self::from_pair(pair).filter(|key| key.pair.public_modulus_len() >= 256).ok_or(IssuerError::StoredKey)
    }

    /// The private key for safekeeping: base64 of PKCS#8 DER.
    ///
    /// # Errors
    /// [`IssuerError::StoredKey`] when the library cannot write its own key.
    pub fn to_secret(&self) -> Result<SecretString, IssuerError> {
        let der = self.pair.as_der().map_err(|_| IssuerError::StoredKey)?;
        Ok(SecretString::from(STANDARD.encode(der.as_ref())))
    }

    /// The key's id: hex SHA-256 of the public key.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half as a JSON Web Key.
    #[must_use]
    pub fn jwk(&self) -> Value {
        json!({
            "kid": self.kid, "kty": "RSA", "alg": "RS256", "use": "sig",
            "e": URL_SAFE_NO_PAD.encode(&self.e), "n": URL_SAFE_NO_PAD.encode(&self.n),
        })
    }

    fn from_pair(pair: RsaKeyPair) -> Option<Self> {
        let der = pair.public_key().as_ref();
        let kid = hex::encode(digest::digest(&digest::SHA256, der).as_ref());
        let (n, e) = modulus_and_exponent(der)?;
        Some(Self { n, e, kid, pair })
    }
}

impl Issuer {
    /// An issuer known by `url`, the exact text of `iss` (an origin without a trailing slash).
    #[must_use]
    pub fn new(url: impl Into<String>, key: SigningKey) -> Self {
        Self { url: url.into(), key }
    }

    /// The exact text of `iss`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The key that signs.
    #[must_use]
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The key set document to serve at `/cdn-cgi/access/certs`.
    #[must_use]
    pub fn key_set_json(&self) -> String {
        key_set_json(&[&self.key])
    }

    /// Signs an assertion.
    ///
    /// # Errors
    /// [`IssuerError::Sign`].
    pub fn issue(&self, assertion: &Assertion<'_>) -> Result<String, IssuerError> {
        self.sign(&claims(assertion, &self.url))
    }

    /// A token for trials: in the name of `issuer`, and with a signature as `seal` says. Whoever offers it
    /// to people's doors takes care whom it names.
    ///
    /// # Errors
    /// [`IssuerError::Sign`].
    pub fn issue_for_trial(&self, assertion: &Assertion<'_>, issuer: &str, seal: Seal) -> Result<String, IssuerError> {
        let said = claims(assertion, issuer);
        match seal {
            Seal::Genuine => self.sign(&said),
            Seal::Missing => Ok(format!("{}.", unsigned(&json!({ "alg": "none", "typ": "JWT" }), &said))),
            Seal::Tampered => {
                let another = self.sign(&claims(&Assertion { nonce: "", ..assertion.clone() }, issuer))?;
                let (_, signature) = another.rsplit_once('.').ok_or(IssuerError::Sign)?;
                Ok(format!("{}.{signature}", unsigned(&self.header(), &said)))
            }
        }
    }

    fn header(&self) -> Value {
        json!({ "alg": "RS256", "kid": self.key.kid, "typ": "JWT" })
    }

    fn sign(&self, claims: &Value) -> Result<String, IssuerError> {
        let signed = unsigned(&self.header(), claims);
        let mut signature = vec![0; self.key.pair.public_modulus_len()];
        self.key
            .pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| IssuerError::Sign)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn claims(assertion: &Assertion<'_>, issuer: &str) -> Value {
    let issued = assertion.now.as_second();
    json!({
        "aud": [assertion.audience],
        "email": assertion.email.as_str(),
        "exp": issued.saturating_add(assertion.ttl.as_secs()),
        "iat": issued,
        "nbf": issued,
        "iss": issuer,
        "type": "app",
        "identity_nonce": assertion.nonce,
        "sub": assertion.subject,
    })
}

fn unsigned(header: &Value, claims: &Value) -> String {
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    format!("{header}.{claims}")
}

/// A key set document with several keys: the signing one and those being retired.
#[must_use]
pub fn key_set_json(keys: &[&SigningKey]) -> String {
    let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
    json!({ "keys": keys }).to_string()
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "SigningKey({})", self.kid)
    }
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Issuer({}, {:?})", self.url, self.key)
    }
}

/// Takes `SEQUENCE { INTEGER n, INTEGER e }` apart, as the library just wrote it.
fn modulus_and_exponent(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (sequence, rest) = der_element(der, 0x30)?;
    let (n, after) = der_element(sequence, 0x02)?;
    let (e, end) = der_element(after, 0x02)?;
    let unsigned = |number: &[u8]| number.strip_prefix(&[0]).unwrap_or(number).to_vec();
    (rest.is_empty() && end.is_empty()).then(|| (unsigned(n), unsigned(e)))
}

fn der_element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, short], body) = der.split_first_chunk::<2>()?;
    if found != tag {
        return None;
    }
    if short < 0x80 {
        return body.split_at_checked(usize::from(short));
    }
    let (length, body) = body.split_at_checked(usize::from(short & 0x7f))?;
    let length = length.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
    body.split_at_checked(length)
}
