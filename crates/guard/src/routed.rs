//! The host that a visitor asked for, where a router stands between the edge and the guard: it calls
//! the guard by a name of its own, and says in a header by which name it was called itself.
//!
//! Whoever comes past the router can write what they like into that header, as they could into `Host`.
//! Nobody is let in for it: identity and membership are looked at all the same. It decides with which of
//! this instance's own hostnames a page is compared, and only where the guard was told of a router; without
//! one, a page of the app could pass for one of the workspace by it.

use access::protocol::ROUTED_HOST;
use http::header::HOST;
use http::{Request, Uri};

use crate::server::{Malformed, is_plausible, only_host};

/// Puts the name that the visitor asked for in the place of the one that the router called. A request
/// that does not say where it was asked for, as of a probe, stays as it is.
pub(crate) fn restore<B>(request: &mut Request<B>) -> Result<(), Malformed> {
    let mut said = request.headers().get_all(ROUTED_HOST).into_iter();
    let host = match (said.next(), said.next()) {
        (None, _) => return Ok(()),
        (Some(host), None) if host.to_str().is_ok_and(is_plausible) => host.clone(),
        _ => return Err(Malformed::HOST),
    };
    only_host(request)?;
    let headers = request.headers_mut();
    headers.remove(ROUTED_HOST);
    headers.insert(HOST, host);
    // It names the router's host, if any.
    let mut target = std::mem::take(request.uri_mut()).into_parts();
    (target.scheme, target.authority) = (None, None);
    *request.uri_mut() = Uri::from_parts(target).map_err(|_| Malformed::HOST)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn restored(target: &str, headers: &[(&str, &str)]) -> Option<(String, String)> {
        let mut request = Request::get(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(()).unwrap();
        restore(&mut request).ok()?;
        let host = request.headers()[HOST].to_str().unwrap().to_owned();
        Some((host, request.uri().to_string()))
    }

    #[test]
    fn a_request_is_for_the_host_that_the_router_was_called_by() {
        let (called, acme) = (("host", "app-1.up.railway.app"), ("x-spinoff-host", "acme.example.com"));
        let kept = Some((called.1.to_owned(), "/a?b=1".to_owned()));
        assert_eq!(restored("/a?b=1", &[called]), kept, "a probe says nothing of it");
        for target in ["/a?b=1", "https://app-1.up.railway.app/a?b=1"] {
            let found = restored(target, &[called, acme]);
            assert_eq!(found, Some((acme.1.to_owned(), "/a?b=1".to_owned())), "{target}");
        }
    }

    #[test]
    fn what_two_could_read_differently_is_refused() {
        let (called, acme) = (("host", "app-1.up.railway.app"), ("x-spinoff-host", "acme.example.com"));
        assert_eq!(restored("/", &[called, acme, acme]), None, "two names");
        assert_eq!(restored("/", &[called, ("x-spinoff-host", "")]), None, "an empty one");
        assert_eq!(restored("/", &[called, ("x-spinoff-host", "a b")]), None, "one that is no host");
        assert_eq!(restored("/", &[acme]), None, "no host of its own");
        assert_eq!(restored("/", &[called, called, acme]), None, "two hosts of its own");
        assert_eq!(restored("https://other.example/", &[called, acme]), None, "a target that is another");
    }
}
