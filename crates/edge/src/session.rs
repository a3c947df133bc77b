//! Who is there: the cookie that carries an assertion, and what it is worth at a hostname.
//!
//! A session ends a fixed time after signing in, however much it is used. Its cookie belongs to one
//! hostname and its assertion names that hostname's audience, so it is worth nothing elsewhere.

use access::{Assertion, Identity, Verifier};
use domain::Email;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;

use crate::EdgeError;
use crate::core::Core;
use crate::door::Door;

/// The cookie that carries the assertion.
pub(crate) const SESSION: &str = "CF_Authorization";
/// The cookie that ties a code to the browser that asked for it.
pub(crate) const SIGN_IN: &str = "spinoff_sign_in";

/// Cookies of one name looked at: another site under a shared domain can add some, not drown ours.
const MOST_ALIKE: usize = 4;

/// Somebody whose assertion was verified for a hostname that admits them. Only [`visitor`] makes one.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    email: Email,
    subject: String,
    expires: Timestamp,
    token: String,
}

impl Visitor {
    pub(crate) fn email(&self) -> &Email {
        &self.email
    }

    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    pub(crate) fn expires(&self) -> Timestamp {
        self.expires
    }

    /// The assertion itself, for the next one to verify.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }
}

/// Why somebody is no visitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stranger {
    /// No session, or one that is over or was never good here.
    SignedOut,
    /// Signed in, but not or no longer admitted.
    NotAdmitted(Email),
}

/// Decides who asks, anew with every request: admission can end before the assertion does.
pub(crate) async fn visitor(
    core: &Core,
    door: &Door,
    headers: &HeaderMap,
) -> Result<Result<Visitor, Stranger>, EdgeError> {
    let Some(visitor) = verified(core, door, headers) else { return Ok(Err(Stranger::SignedOut)) };
    if core.admits(&door.hostname, &visitor.email).await? {
        Ok(Ok(visitor))
    } else {
        Ok(Err(Stranger::NotAdmitted(visitor.email)))
    }
}

fn verified(core: &Core, door: &Door, headers: &HeaderMap) -> Option<Visitor> {
    let verifier = Verifier::new(core.issuer.url(), vec![door.audience.clone()])?;
    let now = core.clock.now();
    cookies(headers, SESSION).take(MOST_ALIKE).find_map(|token| {
        let verified = verifier.verify(token, &core.keys, now).ok()?;
        let Identity::Person(email) = verified.identity().clone() else { return None };
        let (subject, expires) = (verified.subject().to_owned(), verified.expires());
        // The leeway is for clocks that differ; this one is the issuer's own.
        (expires > now).then(|| Visitor { email, subject, expires, token: token.to_owned() })
    })
}

/// The cookie that signs somebody in at a hostname.
pub(crate) fn begin(core: &Core, door: &Door, email: &Email) -> Result<HeaderValue, EdgeError> {
    let lifetime = core.session_lifetime();
    let subject = hex::encode(&core.sealer.derive("edge subject", email.as_str())[..16]);
    let token = core.issuer.issue(&Assertion {
        email,
        subject: &subject,
        audience: &door.audience,
        now: core.clock.now(),
        ttl: lifetime,
        nonce: &hex::encode(core.entropy.bytes::<16>()),
    })?;
    cookie(core, SESSION, &token, "/; SameSite=Lax", lifetime.as_secs())
}

/// The cookie that signs somebody out.
pub(crate) fn end(core: &Core) -> Result<HeaderValue, EdgeError> {
    cookie(core, SESSION, "", "/; SameSite=Lax", 0)
}

/// The cookie that a code needs beside it; an empty one takes it away.
pub(crate) fn sign_in_cookie(core: &Core, secret: &str) -> Result<HeaderValue, EdgeError> {
    let seconds = if secret.is_empty() { 0 } else { core.code_lifetime().as_secs() };
    cookie(core, SIGN_IN, secret, "/cdn-cgi/access; SameSite=Strict", seconds)
}

fn cookie(core: &Core, name: &str, value: &str, path: &str, seconds: i64) -> Result<HeaderValue, EdgeError> {
    let secure = if core.site.scheme == "https" { "; Secure" } else { "" };
    HeaderValue::try_from(format!("{name}={value}; Path={path}; HttpOnly; Max-Age={seconds}{secure}"))
        .map_err(|_| EdgeError::Unreadable(format!("the cookie {name}")))
}

/// The values of all cookies of one name.
pub(crate) fn cookies<'h>(headers: &'h HeaderMap, name: &'h str) -> impl Iterator<Item = &'h str> {
    pairs(headers).filter_map(move |pair| {
        let (found, value) = pair.split_once('=')?;
        (found == name).then_some(value)
    })
}

/// Takes our cookies out of a request that goes on to an instance: what they carry reaches it in
/// a header, and nothing there needs them.
pub(crate) fn strip_cookies(headers: &mut HeaderMap) {
    let is_ours = |pair: &str| matches!(pair.split('=').next(), Some(SESSION | SIGN_IN));
    if !pairs(headers).any(is_ours) {
        return;
    }
    let rest = pairs(headers).filter(|pair| !is_ours(pair)).collect::<Vec<_>>().join("; ");
    headers.remove(COOKIE);
    if let (false, Ok(rest)) = (rest.is_empty(), HeaderValue::try_from(rest)) {
        headers.insert(COOKIE, rest);
    }
}

fn pairs(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn with_cookies(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(COOKIE, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn every_cookie_of_a_name_is_seen_and_no_other() {
        let headers =
            with_cookies(&["a=1; CF_Authorization=x.y.z", "CF_Authorization=second;b=2", "xCF_Authorization=no"]);
        assert_eq!(cookies(&headers, SESSION).collect::<Vec<_>>(), ["x.y.z", "second"]);
    }

    #[test]
    fn only_our_cookies_are_taken_out() {
        let mut headers = with_cookies(&["theme=dark; CF_Authorization=x; spinoff_sign_in=y", "sid=\"a=b\""]);
        strip_cookies(&mut headers);
        assert_eq!(headers.get_all(COOKIE).iter().collect::<Vec<_>>(), ["theme=dark; sid=\"a=b\""]);
        let mut headers = with_cookies(&["CF_Authorization=x"]);
        strip_cookies(&mut headers);
        assert!(headers.is_empty());
    }
}
