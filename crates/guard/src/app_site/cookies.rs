//! Cookies that applications give to browsers, as browsers read them (RFC 6265 and its drafts).

use access::cookies::{change_given, pairs, sent_back};
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use crate::cookies::is_platforms;
use crate::settings::AppPrefix;

/// Browsers take a cookie of such a name only for all paths of a host.
const HOST: &[u8] = b"__host-";
/// Browsers take a cookie of such a name only over https, so the mark goes behind it.
const SECURE: &[u8] = b"__secure-";

/// A `Set-Cookie`, in the parts that matter.
struct SetCookie<'v> {
    /// May be empty: browsers then send the bare value.
    name: &'v [u8],
    value: &'v [u8],
    attributes: Vec<Attribute<'v>>,
}

struct Attribute<'v> {
    name: &'v [u8],
    value: &'v [u8],
    whole: &'v [u8],
}

/// Takes out cookies that would pass for the platform's, and lets what remains go to no other host.
pub(super) fn keep_to_host(headers: &mut HeaderMap) {
    change_given(headers, |value| {
        if is_platforms(sent_back(value)) {
            return None;
        }
        let mut cookie = SetCookie::read(value);
        let all = cookie.attributes.len();
        cookie.drop_attribute(b"domain");
        Some(if cookie.attributes.len() == all { value.to_vec() } else { cookie.written(cookie.name) })
    });
}

/// The same for an app below a prefix: what remains is marked as the app's and goes to its paths.
pub(super) fn mark(headers: &mut HeaderMap, prefix: &AppPrefix) {
    let mark = mark_of(prefix);
    change_given(headers, |value| {
        let mut cookie = SetCookie::read(value);
        // A cookie without a name has no place for the mark.
        if is_platforms(sent_back(value)) || cookie.name.is_empty() {
            return None;
        }
        if begins(cookie.name, HOST) {
            tracing::info!(
                "The app below {} gave the cookie {}, which browsers keep only for all paths; it was dropped",
                prefix.as_str(),
                cookie.name.escape_ascii()
            );
            return None;
        }
        let path = path_outward(cookie.last(b"path"), prefix);
        cookie.drop_attribute(b"domain");
        cookie.drop_attribute(b"path");
        let (before, name) = cookie.name.split_at(if begins(cookie.name, SECURE) { SECURE.len() } else { 0 });
        let mut written = cookie.written(&[before, &mark, name].concat());
        written.extend_from_slice(b"; Path=");
        written.extend_from_slice(&path);
        Some(written)
    });
}

/// Leaves the marked cookies of a request, under the names that the app gave them.
pub(super) fn unmark(headers: &mut HeaderMap, prefix: &AppPrefix) {
    let mark = mark_of(prefix);
    let unmarked = |pair: &[u8]| {
        let (before, rest) = pair.split_at(if begins(pair, SECURE) { SECURE.len() } else { 0 });
        let rest = rest.strip_prefix(&mark[..]).filter(|rest| !rest.is_empty() && !rest.starts_with(b"="))?;
        Some([before, rest].concat())
    };
    let kept: Vec<Vec<u8>> = pairs(headers).filter_map(unmarked).collect();
    headers.remove(COOKIE);
    if let (false, Ok(kept)) = (kept.is_empty(), HeaderValue::from_bytes(&kept.join(&b"; "[..]))) {
        headers.insert(COOKIE, kept);
    }
}

/// What names of the app's cookies begin with: the prefix, in letters that such names may have.
fn mark_of(prefix: &AppPrefix) -> Vec<u8> {
    format!("{}.", prefix.bare().trim_start_matches('/').replace('/', ".")).into_bytes()
}

fn path_outward(path: Option<&[u8]>, prefix: &AppPrefix) -> Vec<u8> {
    let prefixed = prefix.as_str().as_bytes();
    match path.and_then(|path| path.strip_prefix(b"/")) {
        None => prefixed.to_vec(),
        Some(rest) => {
            let whole = [b"/", rest].concat();
            let has_it = whole.starts_with(prefixed) || whole == prefix.bare().as_bytes();
            if has_it { whole } else { [prefixed, rest].concat() }
        }
    }
}

impl<'v> SetCookie<'v> {
    fn read(text: &'v [u8]) -> Self {
        let mut parts = text.split(|byte| *byte == b';');
        let (name, value) = split(parts.next().unwrap_or_default()).unwrap_or_else(|bare| (&[], bare));
        let attributes = parts.map(|whole| {
            let (name, value) = split(whole).unwrap_or_else(|bare| (bare, &[]));
            Attribute { name, value, whole }
        });
        Self { name, value, attributes: attributes.collect() }
    }

    /// What browsers go by when an attribute comes more than once.
    fn last(&self, name: &[u8]) -> Option<&'v [u8]> {
        self.attributes.iter().rfind(|attribute| attribute.name.eq_ignore_ascii_case(name)).map(|found| found.value)
    }

    fn drop_attribute(&mut self, name: &[u8]) {
        self.attributes.retain(|attribute| !attribute.name.eq_ignore_ascii_case(name));
    }

    fn written(&self, name: &[u8]) -> Vec<u8> {
        let mut text = [name, b"=", self.value].concat();
        for attribute in &self.attributes {
            text.push(b';');
            text.extend_from_slice(attribute.whole);
        }
        text
    }
}

/// What stands before and after the first `=`; the whole where there is none.
fn split(pair: &[u8]) -> Result<(&[u8], &[u8]), &[u8]> {
    let equals = pair.iter().position(|byte| *byte == b'=').ok_or(pair.trim_ascii())?;
    let (name, value) = pair.split_at(equals);
    Ok((name.trim_ascii(), value.get(1..).unwrap_or_default().trim_ascii()))
}

fn begins(name: &[u8], with: &[u8]) -> bool {
    name.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use http::header::SET_COOKIE;

    use super::*;

    fn after(change: impl Fn(&mut HeaderMap), cookie: &'static str) -> Option<String> {
        let mut headers = HeaderMap::from_iter([(SET_COOKIE, HeaderValue::from_static(cookie))]);
        change(&mut headers);
        let left: Vec<_> = headers.get_all(SET_COOKIE).iter().map(|value| value.to_str().unwrap().to_owned()).collect();
        assert!(left.len() < 2);
        left.into_iter().next()
    }

    fn prefix() -> AppPrefix {
        AppPrefix::parse("/yourapp/").unwrap()
    }

    #[test]
    fn nothing_passes_for_a_sign_in() {
        for cookie in [
            "CF_Authorization=x",
            "CF_Authorization=; Max-Age=0; Path=/",
            " cf_authorization =x",
            "CF_Authorization",
            "=CF_Authorization=x; Path=/",
            " = CF_Authorization=x",
            "=CF_Authorization",
            "CF_AppSession=x",
            "spinoff_sign_in=x; Path=/cdn-cgi/access",
            "__Host-spinoff_sign_in=x; Secure; Path=/",
        ] {
            assert_eq!(after(keep_to_host, cookie), None, "{cookie}");
            assert_eq!(after(|headers| mark(headers, &prefix()), cookie), None, "{cookie}");
        }
        for cookie in ["sid=CF_Authorization=x", "XCF_Authorization=x; Path=/", "CF_Authorization2=x"] {
            assert_eq!(after(keep_to_host, cookie).as_deref(), Some(cookie));
        }
    }

    #[test]
    fn an_apps_cookies_keep_to_its_host() {
        for (cookie, expected) in [
            ("sid=x; Path=/; HttpOnly", "sid=x; Path=/; HttpOnly"),
            ("sid=x; Domain=example.com; Path=/", "sid=x; Path=/"),
            ("sid=x;domain=.example.com", "sid=x"),
            ("sid=x; DOMAIN =example.com;Domain=a;Secure", "sid=x;Secure"),
            ("sid=x; Domain", "sid=x"),
            ("sid=Domain=y; Path=/Domain=z", "sid=Domain=y; Path=/Domain=z"),
            ("x=a=b; Domain=c", "x=a=b"),
            ("bare; Domain=c", "=bare"),
        ] {
            assert_eq!(after(keep_to_host, cookie).as_deref(), Some(expected), "{cookie}");
        }
    }

    #[test]
    fn below_a_prefix_they_are_marked_and_keep_to_its_paths() {
        for (cookie, expected) in [
            ("sid=x", Some("yourapp.sid=x; Path=/yourapp/")),
            ("sid=x; Path=/; HttpOnly", Some("yourapp.sid=x; HttpOnly; Path=/yourapp/")),
            ("sid=x; path=/admin", Some("yourapp.sid=x; Path=/yourapp/admin")),
            ("sid=x; Path=/yourapp/admin", Some("yourapp.sid=x; Path=/yourapp/admin")),
            ("sid=x; Path=/yourapp", Some("yourapp.sid=x; Path=/yourapp")),
            ("sid=x; Path=/yourapps", Some("yourapp.sid=x; Path=/yourapp/yourapps")),
            ("sid=x; Path=/a; Path=/b", Some("yourapp.sid=x; Path=/yourapp/b")),
            ("sid=x; Path=nonsense; Domain=example.com", Some("yourapp.sid=x; Path=/yourapp/")),
            ("__Secure-sid=x; Secure", Some("__Secure-yourapp.sid=x; Secure; Path=/yourapp/")),
            ("__Host-sid=x; Secure; Path=/", None),
            ("__host-sid=x; Secure; Path=/", None),
            ("=x", None),
            ("x", None),
        ] {
            assert_eq!(after(|headers| mark(headers, &prefix()), cookie).as_deref(), expected, "{cookie}");
        }
    }

    #[test]
    fn only_marked_cookies_go_in_and_by_their_own_names() {
        for (cookies, expected) in [
            ("yourapp.sid=x; sid=workspace; yourapp.a=\"b=c\"", Some("sid=x; a=\"b=c\"")),
            ("__Secure-yourapp.sid=x;__Secure-sid=y", Some("__Secure-sid=x")),
            ("sid=x; theme=yourapp.dark; YourApp.x=1; yourapp.=2; yourapp.", None),
        ] {
            let mut headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_static(cookies))]);
            unmark(&mut headers, &prefix());
            assert_eq!(headers.get(COOKIE).map(|value| value.to_str().unwrap()), expected, "{cookies}");
        }
    }
}
