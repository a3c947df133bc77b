//! Cookies as edge and guard read them, and the removal of those that are theirs (RFC 6265).

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

/// Each cookie of a request, as `name=value`.
pub fn pairs(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers
        .get_all(COOKIE)
        .into_iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .map(<[u8]>::trim_ascii)
        .filter(|pair| !pair.is_empty())
}

/// Whether a cookie, as `name=value`, has one of these names, letter case aside: some programs put it
/// aside as well.
pub fn is_named<'n>(pair: &[u8], names: impl IntoIterator<Item = &'n &'n str>) -> bool {
    let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
    names.into_iter().any(|ours| name.eq_ignore_ascii_case(ours.as_bytes()))
}

/// Takes cookies out of a request; the others are left in one header.
pub fn take_out(headers: &mut HeaderMap, is_ours: impl Fn(&[u8]) -> bool) {
    if !pairs(headers).any(&is_ours) {
        return;
    }
    let rest = pairs(headers).filter(|pair| !is_ours(pair)).collect::<Vec<_>>().join(&b"; "[..]);
    headers.remove(COOKIE);
    if let (false, Ok(rest)) = (rest.is_empty(), HeaderValue::from_bytes(&rest)) {
        headers.insert(COOKIE, rest);
    }
}

/// Takes cookies out of an answer that browsers would send back as such.
pub fn take_out_given(headers: &mut HeaderMap, is_ours: impl Fn(&[u8]) -> bool) {
    change_given(headers, |cookie| if is_ours(sent_back(cookie)) { None } else { Some(cookie.to_vec()) });
}

/// Passes every cookie that an answer gives through `change`, in order; `None` takes it out.
pub fn change_given(headers: &mut HeaderMap, change: impl Fn(&[u8]) -> Option<Vec<u8>>) {
    if !headers.contains_key(SET_COOKIE) {
        return;
    }
    let values: Vec<HeaderValue> = headers
        .get_all(SET_COOKIE)
        .iter()
        .filter_map(|value| HeaderValue::from_bytes(&change(value.as_bytes())?).ok())
        .collect();
    headers.remove(SET_COOKIE);
    for value in values {
        headers.append(SET_COOKIE, value);
    }
}

/// What a browser sends back of a cookie that it was given, as `name=value`: of one without a name, the
/// bare value, which may look like another cookie with one.
#[must_use]
pub fn sent_back(set_cookie: &[u8]) -> &[u8] {
    let pair = set_cookie.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    pair.strip_prefix(b"=").unwrap_or(pair).trim_ascii_start()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const OURS: [&str; 2] = ["CF_Authorization", "spinoff_sign_in"];

    fn is_ours(pair: &[u8]) -> bool {
        is_named(pair, &OURS)
    }

    #[test]
    fn only_our_cookies_are_taken_out() {
        for (cookies, rest) in [
            (
                &["theme=dark; CF_Authorization=x; spinoff_sign_in=y", "sid=\"a=b\""][..],
                Some("theme=dark; sid=\"a=b\""),
            ),
            (&["cf_authorization =x;;a=1"], Some("a=1")),
            (&["CF_Authorization"], None),
            (&["a=CF_Authorization=x", "CF_Authorization2=x"], Some("a=CF_Authorization=x|CF_Authorization2=x")),
        ] {
            let mut headers = HeaderMap::new();
            for line in cookies {
                headers.append(COOKIE, HeaderValue::from_static(line));
            }
            take_out(&mut headers, is_ours);
            let left: Vec<&str> = headers.get_all(COOKIE).iter().map(|value| value.to_str().unwrap()).collect();
            assert_eq!(left.join("|"), rest.unwrap_or_default(), "{cookies:?}");
        }
    }

    #[test]
    fn an_answer_gives_no_cookie_that_would_pass_for_ours() {
        for cookie in [
            "CF_Authorization=x",
            "CF_Authorization=; Max-Age=0; Path=/",
            " cf_authorization =x; Domain=example.com",
            "CF_Authorization; Path=/",
            "=CF_Authorization=x; Path=/",
            " = CF_Authorization=x",
            "=CF_Authorization",
            "spinoff_sign_in=x; Path=/cdn-cgi/access",
        ] {
            let mut headers = HeaderMap::from_iter([(SET_COOKIE, HeaderValue::from_static(cookie))]);
            take_out_given(&mut headers, is_ours);
            assert!(headers.is_empty(), "{cookie}");
        }
        let others = ["theme=dark; Path=/", "sid=CF_Authorization=x", "XCF_Authorization=x", "CF_Authorization2=x"];
        let mut headers = HeaderMap::new();
        for cookie in others {
            headers.append(SET_COOKIE, HeaderValue::from_static(cookie));
        }
        take_out_given(&mut headers, is_ours);
        assert_eq!(headers.get_all(SET_COOKIE).iter().collect::<Vec<_>>(), others);
    }
}
