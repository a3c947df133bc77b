//! Who is there: the cookie that carries an assertion, and what it is worth at a hostname.
//!
//! A session ends a fixed time after signing in, however much it is used. Its cookie belongs to one
//! hostname and its assertion names that hostname's audience, so it is worth nothing elsewhere.
//!
//! Instances are neighbours under one domain, and a page of one can give a browser cookies for all.
//! So a cookie that came is not yet one that we gave: of several, the genuine ones are looked for,
//! and where genuine ones name different people, nobody is signed in.

use access::protocol::SIGN_IN_COOKIES;
use access::{Assertion, Identity, Verifier, cookies};
use domain::Email;
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;

use crate::EdgeError;
use crate::core::Core;
use crate::door::Door;

pub(crate) use access::protocol::ASSERTION_COOKIE as SESSION;

/// Cookies of one name looked at, for what each may cost. Whoever brings more is signed out, and
/// has no code.
const MOST_ALIKE: usize = 16;

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
    if core.admits(&door.admitting, &visitor.email).await? {
        Ok(Ok(visitor))
    } else {
        Ok(Err(Stranger::NotAdmitted(visitor.email)))
    }
}

fn verified(core: &Core, door: &Door, headers: &HeaderMap) -> Option<Visitor> {
    let verifier = Verifier::new(core.issuer.url(), vec![door.audience.clone()])?;
    let now = core.clock.now();
    let mut visitors = few(headers, SESSION).into_iter().filter_map(|token| {
        let verified = verifier.verify(token, &core.keys, now).ok()?;
        let Identity::Person(email) = verified.identity().clone() else { return None };
        let (subject, expires) = (verified.subject().to_owned(), verified.expires());
        // The leeway is for clocks that differ; this one is the issuer's own.
        (expires > now).then(|| Visitor { email, subject, expires, token: token.to_owned() })
    });
    let visitor = visitors.next()?;
    visitors.all(|other| other.email == visitor.email).then_some(visitor)
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
    let path = if is_secure(core) { "/" } else { "/cdn-cgi/access" };
    cookie(core, sign_in_name(core), secret, &format!("{path}; SameSite=Strict"), seconds)
}

/// What a browser brings that could be the secret beside its code.
pub(crate) fn sign_in_secrets<'h>(core: &Core, headers: &'h HeaderMap) -> Vec<&'h str> {
    few(headers, sign_in_name(core))
}

fn sign_in_name(core: &Core) -> &'static str {
    let [plain, host_only] = SIGN_IN_COOKIES;
    if is_secure(core) { host_only } else { plain }
}

fn is_secure(core: &Core) -> bool {
    core.site.scheme == "https"
}

fn cookie(core: &Core, name: &str, value: &str, path: &str, seconds: i64) -> Result<HeaderValue, EdgeError> {
    let secure = if is_secure(core) { "; Secure" } else { "" };
    HeaderValue::try_from(format!("{name}={value}; Path={path}; HttpOnly; Max-Age={seconds}{secure}"))
        .map_err(|_| EdgeError::Unreadable(format!("the cookie {name}")))
}

/// The values of all cookies of one name; none when there are suspiciously many.
fn few<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h str> {
    let values = cookies::pairs(headers).filter_map(|pair| {
        let (found, value) = std::str::from_utf8(pair).ok()?.split_once('=')?;
        (found == name).then_some(value)
    });
    let values: Vec<&str> = values.take(MOST_ALIKE + 1).collect();
    if values.len() > MOST_ALIKE { Vec::new() } else { values }
}

/// Takes our cookies out of a request that goes on to an instance: what they carry reaches it in
/// a header, and nothing there needs them.
pub(crate) fn strip_cookies(headers: &mut HeaderMap) {
    cookies::take_out(headers, is_ours);
}

/// Takes cookies that would pass for ours out of an instance's answer: signing in and out is the
/// edge's alone.
pub(crate) fn strip_set_cookies(headers: &mut HeaderMap) {
    cookies::take_out_given(headers, is_ours);
}

fn is_ours(pair: &[u8]) -> bool {
    cookies::is_named(pair, [SESSION].iter().chain(&SIGN_IN_COOKIES))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use http::header::{COOKIE, SET_COOKIE};

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
        assert_eq!(few(&headers, SESSION), ["x.y.z", "second"]);
        let odd = HeaderValue::from_bytes(b"odd=\xff; CF_Authorization=third").unwrap();
        let headers = HeaderMap::from_iter([(COOKIE, odd)]);
        assert_eq!(few(&headers, SESSION), ["third"], "a neighbour's odd bytes must not hide it");
        assert_eq!(few(&with_cookies(&["CF_Authorization=x"; MOST_ALIKE + 1]), SESSION), [""; 0]);
    }

    #[test]
    fn only_our_cookies_are_taken_out() {
        let mut headers = with_cookies(&[
            "theme=dark; CF_Authorization=x; spinoff_sign_in=y",
            "sid=\"a=b\"; __Host-spinoff_sign_in=z",
        ]);
        strip_cookies(&mut headers);
        assert_eq!(headers.get_all(COOKIE).iter().collect::<Vec<_>>(), ["theme=dark; sid=\"a=b\""]);
        let mut headers = with_cookies(&["CF_Authorization=x"]);
        strip_cookies(&mut headers);
        assert!(headers.is_empty());
    }
    #[test]
    fn an_answer_gives_no_cookie_that_would_pass_for_ours() {
        let mut headers = HeaderMap::new();
        for value in [
            "theme=dark; Path=/",
            "CF_Authorization=x; Domain=example.com; Path=/",
            " spinoff_sign_in =x",
            "__Host-spinoff_sign_in=x; Secure; Path=/",
            "=CF_Authorization=x; Domain=example.com",
            "CF_Authorization; Path=/",
            "sid=CF_Authorization=x",
        ] {
            headers.append(SET_COOKIE, HeaderValue::from_static(value));
        }
        strip_set_cookies(&mut headers);
        assert_eq!(
            headers.get_all(SET_COOKIE).iter().collect::<Vec<_>>(),
            ["theme=dark; Path=/", "sid=CF_Authorization=x"]
        );
    }
}
