//! The rules by which an assertion is believed.

use std::sync::Arc;

use aws_lc_rs::signature::ParsedPublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Email;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::{KeySet, Refusal, strict_json};

/// Longest token looked at, in bytes. Real ones with many groups reach 6 KB.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// How far the issuer's clock may be from ours.
pub const LEEWAY: SignedDuration = SignedDuration::from_secs(30);

/// Header parameters by which a token would choose its own key or its own rules.
const FORBIDDEN_PARAMETERS: [&str; 8] = ["crit", "jku", "jwk", "x5u", "x5c", "b64", "zip", "enc"];

/// What a token must say to be believed here.
#[derive(Clone, Debug)]
pub struct Verifier {
    issuer: String,
    audiences: Vec<Arc<str>>,
}

/// An assertion that passed every rule. Only [`Verifier::verify`] builds one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    identity: Identity,
    subject: String,
    /// At least one.
    audiences: Vec<Arc<str>>,
    expires: Timestamp,
    kid: String,
}

/// Who the issuer says is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A person, by e-mail address (ASCII letters lower-cased, nothing else changed).
    Person(Email),
    /// A machine, by the common name of its service token.
    Service(String),
}

impl Verifier {
    /// A verifier for one issuer and one audience or more. `None` when either is empty, since an
    /// empty setting would have to mean "anyone's" or "nobody's", and neither is a sane wish.
    #[must_use]
    pub fn new(issuer: impl Into<String>, audiences: Vec<String>) -> Option<Self> {
        let issuer = issuer.into();
        let complete =
            !issuer.is_empty() && !audiences.is_empty() && audiences.iter().all(|audience| !audience.is_empty());
        complete.then(|| Self { issuer, audiences: audiences.into_iter().map(Arc::from).collect() })
    }

    /// The issuer whose tokens are believed.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The audiences, of which a token must name one.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        self.audiences.iter().map(AsRef::as_ref)
    }

    /// Believes `token` or says which rule refused it.
    ///
    /// # Errors
    /// [`Refusal`], the first rule that is not met. [`Refusal::UnknownKey`] may be cured by a
    /// fresh key set; nothing else can be.
    pub fn verify(&self, token: &str, keys: &KeySet, now: Timestamp) -> Result<Verified, Refusal> {
        let parts = Parts::split(token)?;
        let (kid, key) = key_of(parts.header, keys)?;
        self.judge(&signed_claims(&parts, key)?, kid, now)
    }

    /// Judges claims as if they had been signed.
    ///
    /// # Errors
    /// [`Refusal`].
    #[cfg(fuzzing)]
    pub fn judge_signed(&self, claims: &[u8], now: Timestamp) -> Result<Verified, Refusal> {
        self.judge(&strict_json::parse_object(claims).ok_or(Refusal::ClaimsJson)?, String::new(), now)
    }

    fn judge(&self, claims: &Map<String, Value>, kid: String, now: Timestamp) -> Result<Verified, Refusal> {
        let audiences = self.check_origin(claims)?;
        let expires = check_times(claims, now)?;
        Ok(Verified { identity: identity(claims)?, subject: subject(claims)?, audiences, expires, kid })
    }

    fn check_origin(&self, claims: &Map<String, Value>) -> Result<Vec<Arc<str>>, Refusal> {
        if claims.get("iss").and_then(Value::as_str) != Some(self.issuer.as_str()) {
            return Err(Refusal::Issuer);
        }
        let audiences = self.named_by(claims.get("aud"));
        if audiences.is_empty() {
            return Err(Refusal::Audience);
        }
        match claims.get("type") {
            None => Ok(audiences),
            Some(kind) if kind == "app" => Ok(audiences),
            Some(_) => Err(Refusal::TokenType),
        }
    }

    /// Those of our audiences that the claim names.
    fn named_by(&self, claim: Option<&Value>) -> Vec<Arc<str>> {
        let names = match claim {
            Some(Value::Array(names)) if names.iter().all(Value::is_string) => names.as_slice(),
            Some(name) => std::slice::from_ref(name),
            None => &[],
        };
        let is_named = |known: &&Arc<str>| names.iter().any(|name| name.as_str() == Some(known));
        self.audiences.iter().filter(is_named).cloned().collect()
    }
}

impl Verified {
    /// Who is asking.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The address, if it is a person.
    #[must_use]
    pub fn email(&self) -> Option<&Email> {
        match &self.identity {
            Identity::Person(email) => Some(email),
            Identity::Service(_) => None,
        }
    }

    /// The issuer's id of the visitor; empty when the issuer gives none (service tokens).
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Which of the verifier's audiences it is meant for: one at least, all of them if several.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        self.audiences.iter().map(AsRef::as_ref)
    }

    /// When the assertion stops being valid (leeway not included).
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// Which key of the set signed it.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }
}

struct Parts<'t> {
    signed: &'t str,
    header: &'t str,
    claims: &'t str,
    signature: &'t str,
}

impl<'t> Parts<'t> {
    fn split(token: &'t str) -> Result<Self, Refusal> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refusal::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Refusal::Malformed)?;
        let empty = header.is_empty() || claims.is_empty() || signature.is_empty();
        if empty || claims.contains('.') {
            return Err(Refusal::Malformed);
        }
        Ok(Self { signed, header, claims, signature })
    }
}

fn key_of<'k>(header: &str, keys: &'k KeySet) -> Result<(String, &'k ParsedPublicKey), Refusal> {
    let header = strict_json::parse_object(&decode(header)?).ok_or(Refusal::HeaderJson)?;
    if let Some(parameter) = FORBIDDEN_PARAMETERS.iter().find(|name| header.contains_key(**name)) {
        return Err(Refusal::HeaderParameter(parameter));
    }
    let typ = header.get("typ").map(|typ| typ.as_str().unwrap_or_default());
    if typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
        return Err(Refusal::HeaderParameter("typ"));
    }
    if header.get("alg").and_then(Value::as_str) != Some("RS256") {
        return Err(Refusal::Algorithm);
    }
    let kid = header.get("kid").and_then(Value::as_str).ok_or(Refusal::NoKeyId)?;
    let key = keys.get(kid).ok_or(Refusal::UnknownKey)?;
    Ok((kid.to_owned(), key))
}

fn signed_claims(parts: &Parts<'_>, key: &ParsedPublicKey) -> Result<Map<String, Value>, Refusal> {
    let signature = decode(parts.signature)?;
    key.verify_sig(parts.signed.as_bytes(), &signature).map_err(|_| Refusal::Signature)?;
    strict_json::parse_object(&decode(parts.claims)?).ok_or(Refusal::ClaimsJson)
}

fn check_times(claims: &Map<String, Value>, now: Timestamp) -> Result<Timestamp, Refusal> {
    let expires = time(claims, "exp")?.ok_or(Refusal::Time("exp"))?;
    let late = now.saturating_sub(LEEWAY).map_err(|_| Refusal::Time("exp"))?;
    if expires <= late {
        return Err(Refusal::Expired);
    }
    let soon = now.saturating_add(LEEWAY).map_err(|_| Refusal::Time("nbf"))?;
    if time(claims, "nbf")?.is_some_and(|not_before| not_before > soon) {
        return Err(Refusal::NotYetValid);
    }
    if time(claims, "iat")?.is_some_and(|issued| issued > soon) {
        return Err(Refusal::IssuedInFuture);
    }
    Ok(expires)
}

/// A NumericDate, whole seconds; a fraction is dropped, anything outside the calendar refused.
fn time(claims: &Map<String, Value>, name: &'static str) -> Result<Option<Timestamp>, Refusal> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = match value.as_i64() {
        Some(whole) => whole,
        // `as` saturates here, and a saturated value is outside the calendar.
        None => value.as_f64().ok_or(Refusal::Time(name))?.floor() as i64,
    };
    Timestamp::from_second(seconds).map(Some).map_err(|_| Refusal::Time(name))
}

fn identity(claims: &Map<String, Value>) -> Result<Identity, Refusal> {
    match (claims.get("email"), claims.get("common_name")) {
        (Some(email), _) => {
            let asserted = email.as_str().ok_or(Refusal::Nobody)?;
            let email = Email::parse(asserted).map_err(|_| Refusal::Nobody)?;
            // Forms may be forgiving about what a person types; an asserted address is taken as it
            // is, so whatever parsing would repair is refused instead.
            if email.as_str() != asserted.to_ascii_lowercase() {
                return Err(Refusal::Nobody);
            }
            Ok(Identity::Person(email))
        }
        (None, Some(name)) => {
            let name = name.as_str().filter(|name| is_plain(name)).ok_or(Refusal::Nobody)?;
            Ok(Identity::Service(name.to_owned()))
        }
        (None, None) => Err(Refusal::Nobody),
    }
}

/// The subject travels to the application in a header, so it must fit into one.
fn subject(claims: &Map<String, Value>) -> Result<String, Refusal> {
    match claims.get("sub") {
        None => Ok(String::new()),
        Some(Value::String(text)) if text.is_empty() || is_plain(text) => Ok(text.clone()),
        Some(_) => Err(Refusal::Subject),
    }
}

fn is_plain(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn decode(part: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed)
}
