//! What an edge and a guard have agreed on: the names by which one tells the other who is asking,
//! and the names that nobody else may say.

use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName};

/// Carries the assertion from the edge to the guard.
pub const ASSERTION: HeaderName = HeaderName::from_static("cf-access-jwt-assertion");

/// The cookie in which a browser keeps the assertion.
pub const ASSERTION_COOKIE: &str = "CF_Authorization";

/// The cookie that ties a mailed code to the browser that asked for it; and the same under https, by a
/// name that browsers keep neighbours from giving: it must be for one hostname and all its paths.
pub const SIGN_IN_COOKIES: [&str; 2] = ["spinoff_sign_in", "__Host-spinoff_sign_in"];

/// What an edge answers itself on every hostname begins like this.
pub const EDGE_PATHS: &str = "/cdn-cgi/access/";

/// Where an issuer shows the public keys that its assertions are signed with.
pub const CERTS: &str = "/cdn-cgi/access/certs";

/// Where an edge ends the session at a hostname.
pub const LOGOUT: &str = "/cdn-cgi/access/logout";

/// A guard's health. Probes carry no identity, so this path needs none.
pub const HEALTH: &str = "/-/health";

/// Where a guard takes a signed member list.
pub const MEMBERS: &str = "/-/members";

/// Tells the application who is asking: an e-mail address, or the name of a service token.
pub const USER: HeaderName = HeaderName::from_static("x-spinoff-user");

/// Tells the application the issuer's id of who is asking.
pub const USER_ID: HeaderName = HeaderName::from_static("x-spinoff-user-id");

/// The address that a request came from.
pub const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The scheme that a request came by: `http` or `https`.
pub const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The host that a request was for, with its port.
pub const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The host that a router was called by, with its port, where it calls a guard by another name. A header of
/// our own, since platforms put theirs in the place of [`FORWARDED_HOST`].
pub const ROUTED_HOST: HeaderName = HeaderName::from_static("x-spinoff-host");

/// Says in an answer that the edge or the guard refuses it itself: `edge` or `guard`. Nothing behind them
/// can say so, which is how a trial of the walls tells their refusal from an application's own words.
pub const REFUSED_BY: HeaderName = HeaderName::from_static("x-spinoff-refused-by");

const CLAIMING_PREFIXES: [&str; 4] = ["cf-", "x-forwarded", "x-original-", "x-spinoff-"];
const CLAIMING_NAMES: [&str; 5] = ["forwarded", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip"];

/// Whether a header says who is asking or where a request came from. From a client that is a mere
/// claim, so edge and guard remove all of these before they add their own.
#[must_use]
pub fn is_claim(name: &HeaderName) -> bool {
    // Servers that turn header names into variables make an underscore of a hyphen.
    let is_like = |name: &[u8], claim: &str| {
        let mut pairs = name.iter().zip(claim.as_bytes());
        name.len() == claim.len() && pairs.all(|(byte, wanted)| byte == wanted || (*byte == b'_' && *wanted == b'-'))
    };
    let name = name.as_str().as_bytes();
    let begins_like = |prefix: &&str| name.get(..prefix.len()).is_some_and(|start| is_like(start, prefix));
    CLAIMING_PREFIXES.iter().any(begins_like) || CLAIMING_NAMES.iter().any(|claim| is_like(name, claim))
}

/// Removes all that a client claims about who is asking or where the request came from.
pub fn strip_claims(headers: &mut HeaderMap) {
    let claims: Vec<HeaderName> = headers.keys().filter(|name| is_claim(name)).cloned().collect();
    for name in claims {
        headers.remove(name);
    }
}

/// Whether a field may not come after a request's body: trailers arrive when it has been decided who is
/// asking, and many programs make no difference between them and headers.
#[must_use]
pub fn is_barred_from_trailers(name: &HeaderName) -> bool {
    is_claim(name) || *name == COOKIE || *name == AUTHORIZATION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_could_pass_for_identity_or_origin_is_a_claim() {
        for name in [
            "cf-access-jwt-assertion",
            "cf_access_jwt_assertion",
            "cf-access-authenticated-user-email",
            "cf-connecting-ip",
            "cf-connecting-ipv6",
            "x-forwarded",
            "x-forwarded-for",
            "x_forwarded_for",
            "x-forwarded_user",
            "x-forwarded-email",
            "x-original-url",
            "x-spinoff-user",
            "x-spinoff_user-id",
            "x_spinoff_user_id",
            "forwarded",
            "x-real-ip",
            "x_real_ip",
            "x-client-ip",
            "x-cluster-client-ip",
            "true-client-ip",
        ] {
            assert!(is_claim(&HeaderName::from_static(name)), "{name}");
        }
        for name in [ASSERTION, USER, USER_ID, FORWARDED_FOR, FORWARDED_PROTO, FORWARDED_HOST, ROUTED_HOST] {
            assert!(is_claim(&name), "{name}");
        }
    }

    #[test]
    fn what_an_application_lives_on_is_none() {
        for name in
            ["accept", "authorization", "cookie", "host", "origin", "x-requested-with", "x-request-id", "cfduid"]
        {
            assert!(!is_claim(&HeaderName::from_static(name)), "{name}");
        }
    }

    #[test]
    fn claims_go_and_all_else_stays() {
        let names = ["x_spinoff_user", "accept", "cf-connecting-ip", "authorization", "x-forwarded-for", "cookie"];
        let value = http::HeaderValue::from_static("x");
        let mut headers: HeaderMap = names.iter().map(|name| (HeaderName::from_static(name), value.clone())).collect();
        strip_claims(&mut headers);
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept", "authorization", "cookie"]);
    }

    #[test]
    fn nobody_names_themselves_after_the_fact() {
        for name in ["x-spinoff-user", "x_spinoff_user", "cf-access-jwt-assertion", "cookie", "authorization"] {
            assert!(is_barred_from_trailers(&HeaderName::from_static(name)), "{name}");
        }
        for name in ["x-checksum", "content-md5", "server-timing", "grpc-status"] {
            assert!(!is_barred_from_trailers(&HeaderName::from_static(name)), "{name}");
        }
    }

    #[test]
    fn the_edges_own_addresses_are_where_the_edge_answers() {
        assert!([CERTS, LOGOUT].iter().all(|path| path.starts_with(EDGE_PATHS)));
    }
}
