//! The platform's cookies: they open this instance's door, so the application neither sees nor gives
//! any that would pass for them.

use access::cookies::{is_named, take_out, take_out_given};
use access::protocol::{ASSERTION_COOKIE, SIGN_IN_COOKIES};
use http::HeaderMap;

/// The cookies of an edge, this platform's or another's that speaks the same protocol.
const EDGE: [&str; 4] = [ASSERTION_COOKIE, "CF_AppSession", "CF_Session", "CF_Binding"];
/// The cookies of the emergency door, by plain HTTP and by HTTPS.
pub(crate) const EMERGENCY: [&str; 2] = ["spinoff_emergency", "__Host-spinoff_emergency"];

/// Whether a cookie, as `name=value`, has one of the platform's names.
pub(crate) fn is_platforms(pair: &[u8]) -> bool {
    is_named(pair, EDGE.iter().chain(&SIGN_IN_COOKIES).chain(&EMERGENCY))
}

/// Keeps them from the application.
pub(crate) fn strip_request(headers: &mut HeaderMap) {
    take_out(headers, is_platforms);
}

/// Keeps the application from giving any: signing in and out is not its business.
pub(crate) fn strip_answer(headers: &mut HeaderMap) {
    take_out_given(headers, is_platforms);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use http::HeaderValue;
    use http::header::{COOKIE, SET_COOKIE};

    use super::*;

    #[test]
    fn the_application_neither_sees_nor_gives_a_cookie_that_opens_a_door() {
        for name in [
            "CF_Authorization",
            "cf_appsession",
            "CF_Session",
            "CF_Binding",
            "spinoff_sign_in",
            "__Host-spinoff_sign_in",
            "spinoff_emergency",
            "__host-spinoff_emergency",
        ] {
            let cookies = HeaderValue::try_from(format!("a=1;{name}=t ; b=\"2\"")).unwrap();
            let mut headers = HeaderMap::from_iter([(COOKIE, cookies)]);
            strip_request(&mut headers);
            assert_eq!(headers.get(COOKIE).unwrap(), "a=1; b=\"2\"", "{name}");
            let mut headers = HeaderMap::from_iter([
                (SET_COOKIE, HeaderValue::try_from(format!("={name}=x; Path=/")).unwrap()),
                (SET_COOKIE, HeaderValue::try_from(format!("x{name}=x; Path=/")).unwrap()),
            ]);
            strip_answer(&mut headers);
            let left: Vec<_> = headers.get_all(SET_COOKIE).iter().collect();
            assert_eq!(left, [&format!("x{name}=x; Path=/")], "{name}");
        }
    }
}
