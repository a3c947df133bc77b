//! Browsers that have shown the password once. What they hold is random and short-lived, is known
//! here by its hash only, and is gone when the guard ends.

use std::sync::{Mutex, MutexGuard, PoisonError};

use access::cookies::pairs;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Digest, SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};

use crate::cookies::EMERGENCY;

const LIFETIME: SignedDuration = SignedDuration::from_hours(8);
/// More than there are people who know the password; the oldest makes room.
const MOST: usize = 32;
/// Of one request and one name. A sibling hostname may have planted some under the plain one.
const MOST_COOKIES: usize = 8;

/// Who may pass without showing the password again.
#[derive(Default)]
pub(super) struct Sessions {
    open: Mutex<Vec<Session>>,
}

struct Session {
    secret: Digest,
    until: Timestamp,
}

impl Sessions {
    /// A new session, as the cookie that holds it. Over https only this hostname can set its name.
    pub(super) fn begin(&self, secret: [u8; 32], secure: bool, now: Timestamp) -> Option<HeaderValue> {
        let secret = URL_SAFE_NO_PAD.encode(secret);
        let mut open = self.open();
        open.retain(|session| session.until > now);
        if open.len() >= MOST {
            open.remove(0);
        }
        open.push(Session { secret: digest(&SHA256, secret.as_bytes()), until: now + LIFETIME });
        cookie(secure, &secret, LIFETIME.as_secs())
    }

    /// Whether a cookie of this request belongs to a session.
    pub(super) fn includes(&self, headers: &HeaderMap, now: Timestamp) -> bool {
        let open = self.open();
        shown(headers).any(|secret| open.iter().any(|session| session.until > now && session.is(&secret)))
    }

    /// When the last session that a request shows is over; without one, when one that begins now would
    /// be.
    pub(super) fn lasts_until(&self, headers: &HeaderMap, now: Timestamp) -> Timestamp {
        let open = self.open();
        let ends = shown(headers)
            .flat_map(|secret| open.iter().filter(move |session| session.is(&secret)).map(|session| session.until));
        ends.filter(|until| *until > now).max().unwrap_or(now + LIFETIME)
    }

    /// Ends the sessions that this request shows; gives the cookies that make the browser forget.
    pub(super) fn end(&self, headers: &HeaderMap) -> Vec<HeaderValue> {
        let mut open = self.open();
        let mut any = false;
        for secret in shown(headers) {
            any = true;
            open.retain(|session| !session.is(&secret));
        }
        let forget = if any { [true, false].as_slice() } else { &[] };
        forget.iter().filter_map(|secure| cookie(*secure, "", 0)).collect()
    }

    fn open(&self) -> MutexGuard<'_, Vec<Session>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn is(&self, secret: &Digest) -> bool {
        verify_slices_are_equal(self.secret.as_ref(), secret.as_ref()).is_ok()
    }
}

fn cookie(secure: bool, secret: &str, seconds: i64) -> Option<HeaderValue> {
    let [plain, host_only] = EMERGENCY;
    let (name, secure) = if secure { (host_only, "; Secure") } else { (plain, "") };
    let text = format!("{name}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The hashes of what a request shows. What others planted must not crowd out what only this hostname
/// can have set, so each name is looked at by itself.
fn shown(headers: &HeaderMap) -> impl Iterator<Item = Digest> {
    let [plain, host_only] = EMERGENCY;
    let secrets = named(headers, host_only).chain(named(headers, plain));
    secrets.map(|secret| digest(&SHA256, secret))
}

fn named<'h>(headers: &'h HeaderMap, name: &'static str) -> impl Iterator<Item = &'h [u8]> {
    let ours = pairs(headers).filter_map(move |pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="));
    ours.take(MOST_COOKIES)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use http::header::COOKIE;

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

    fn showing(cookies: &[&HeaderValue]) -> HeaderMap {
        let first = |cookie: &&HeaderValue| cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        let cookies: Vec<String> = cookies.iter().map(first).collect();
        HeaderMap::from_iter([(COOKIE, HeaderValue::try_from(format!("a=b; {}", cookies.join("; "))).unwrap())])
    }

    #[test]
    fn a_session_lasts_eight_hours_or_until_it_is_ended() {
        let sessions = Sessions::default();
        let cookie = sessions.begin([1; 32], true, NOW).unwrap();
        let text = cookie.to_str().unwrap();
        assert!(text.starts_with("__Host-spinoff_emergency="), "{text}");
        assert!(text.ends_with("; Path=/; Max-Age=28800; HttpOnly; SameSite=Strict; Secure"), "{text}");
        let shown = showing(&[&cookie]);
        let (almost, over) = (NOW + LIFETIME - SignedDuration::from_secs(1), NOW + LIFETIME);
        assert!(sessions.includes(&shown, NOW) && sessions.includes(&shown, almost));
        assert!(!sessions.includes(&shown, over) && !sessions.includes(&HeaderMap::new(), NOW));
        assert_eq!(sessions.lasts_until(&shown, almost), over, "not eight hours more");
        assert_eq!(sessions.lasts_until(&HeaderMap::new(), almost), almost + LIFETIME);

        let plain = sessions.begin([2; 32], false, NOW).unwrap();
        assert!(!plain.to_str().unwrap().contains("Secure"));
        assert_eq!(sessions.end(&showing(&[&plain])).len(), 2);
        assert!(!sessions.includes(&showing(&[&plain]), NOW) && sessions.includes(&shown, NOW));
        assert!(sessions.end(&HeaderMap::new()).is_empty());
    }

    #[test]
    fn a_planted_cookie_hides_no_good_one_and_opens_nothing() {
        let sessions = Sessions::default();
        let good = sessions.begin([1; 32], false, NOW).unwrap();
        let planted = HeaderValue::from_static("spinoff_emergency=planted");
        assert!(sessions.includes(&showing(&[&planted, &good]), NOW));
        assert!(!sessions.includes(&showing(&[&planted]), NOW));
        let stored = String::from_utf8_lossy(sessions.open()[0].secret.as_ref()).into_owned();
        assert!(!stored.is_empty() && !good.to_str().unwrap().contains(&stored), "only its hash is known");
    }

    #[test]
    fn no_number_of_planted_cookies_crowds_out_the_one_that_only_this_hostname_can_set() {
        let sessions = Sessions::default();
        let good = sessions.begin([1; 32], true, NOW).unwrap();
        let planted = HeaderValue::from_static("spinoff_emergency=planted");
        let crowd: Vec<&HeaderValue> = std::iter::repeat_n(&planted, 20).chain([&good]).collect();
        assert!(sessions.includes(&showing(&crowd), NOW));
        sessions.end(&showing(&crowd));
        assert!(!sessions.includes(&showing(&[&good]), NOW), "signing out finds it too");
    }

    #[test]
    fn the_oldest_makes_room() {
        let sessions = Sessions::default();
        let cookies: Vec<HeaderValue> = (0..40).map(|n| sessions.begin([n; 32], false, NOW).unwrap()).collect();
        let open = cookies.iter().filter(|cookie| sessions.includes(&showing(&[cookie]), NOW)).count();
        assert_eq!(open, MOST);
        assert!(!sessions.includes(&showing(&[&cookies[0]]), NOW));
    }
}
