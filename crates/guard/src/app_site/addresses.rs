//! Addresses in the app's answers, as they must be where the app is below a prefix and doesn't know.

use http::HeaderValue;

use crate::settings::AppPrefix;

/// Where the app was asked for something.
pub(super) struct Here<'s> {
    pub(super) prefix: &'s AppPrefix,
    /// The host that the visitor named.
    pub(super) host: Option<&'s HeaderValue>,
    /// The app's own.
    pub(super) port: u16,
}

impl Here<'_> {
    /// An address in the app as the browser must see it. `None` leaves it as it is: one that leads
    /// elsewhere, is relative, or has the prefix already, as apps that heed `X-Forwarded-Prefix` put
    /// it.
    pub(super) fn outward(&self, address: &str) -> Option<String> {
        let (host, path) = split(address)?;
        if host.is_some_and(|host| !self.is_here(host)) {
            return None;
        }
        let is_below = self.prefix.leads_to(path.split(['?', '#']).next().unwrap_or_default());
        match (host, is_below) {
            (None, true) => None,
            (Some(_), true) => Some(path.to_owned()),
            (_, false) => {
                let slash = if path.starts_with('/') { "" } else { "/" };
                Some(format!("{}{slash}{path}", self.prefix.bare()))
            }
        }
    }

    /// The same for the address in a `Refresh`.
    pub(super) fn refresh_outward(&self, value: &str) -> Option<String> {
        let (delay, rest) = value.split_once([';', ','])?;
        let rest = rest.trim();
        let address = match rest.split_at_checked(3) {
            Some((name, rest)) if name.eq_ignore_ascii_case("url") => rest.trim_start().strip_prefix('=')?.trim(),
            _ => rest,
        };
        let address = address.trim_matches(['"', '\'']);
        Some(format!("{}; url={}", delay.trim(), self.outward(address)?))
    }

    /// Whether an authority is the app's own, or the one that the visitor named.
    fn is_here(&self, authority: &str) -> bool {
        let is_visitors = self.host.is_some_and(|host| host.as_bytes().eq_ignore_ascii_case(authority.as_bytes()));
        let own = authority.rsplit_once(':').filter(|(_, port)| port.parse() == Ok(self.port)).map(|(host, _)| host);
        is_visitors || own.is_some_and(|host| ["127.0.0.1", "localhost", "[::1]", "0.0.0.0"].contains(&host))
    }
}

/// The authority, if there is one, and what follows it. `None` for what is neither an absolute
/// address of the web nor an absolute path.
fn split(address: &str) -> Option<(Option<&str>, &str)> {
    let scheme = ["http:", "https:"]
        .into_iter()
        .find(|scheme| address.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme)));
    let rest = address.get(scheme.map_or(0, str::len)..)?;
    if let Some(rest) = rest.strip_prefix("//") {
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()));
        return Some((Some(authority), path));
    }
    (scheme.is_none() && rest.starts_with('/')).then_some((None, rest))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn outward(address: &str) -> String {
        let prefix = crate::settings::AppPrefix::parse("/yourapp/").unwrap();
        let host = HeaderValue::from_static("acme.example:8080");
        let here = Here { prefix: &prefix, host: Some(&host), port: 3000 };
        here.outward(address).unwrap_or_else(|| address.to_owned())
    }

    #[test]
    fn addresses_in_the_app_get_the_prefix_and_others_stay() {
        for (address, expected) in [
            ("/", "/yourapp/"),
            ("/login?next=/x#y", "/yourapp/login?next=/x#y"),
            ("/?x", "/yourapp/?x"),
            ("/yourapp/login", "/yourapp/login"),
            ("/yourapp", "/yourapp"),
            ("/yourapps", "/yourapp/yourapps"),
            ("/\\evil.example", "/yourapp/\\evil.example"),
            ("http://127.0.0.1:3000/a", "/yourapp/a"),
            ("HTTP://localhost:3000", "/yourapp/"),
            ("http://localhost:3000?x", "/yourapp/?x"),
            ("https://ACME.example:8080/a", "/yourapp/a"),
            ("http://acme.example:8080/yourapp/a?b", "/yourapp/a?b"),
            ("//acme.example:8080/a", "/yourapp/a"),
        ] {
            assert_eq!(outward(address), expected, "{address}");
        }
        for elsewhere in [
            "https://evil.example/a",
            "//evil.example/a",
            "http://acme.example:8080@evil.example/",
            "http://127.0.0.1:3001/",
            "http:\\\\evil.example",
            "x",
            "?x",
            "#x",
            "../x",
            "",
            "mailto:a@b.example",
        ] {
            assert_eq!(outward(elsewhere), elsewhere);
        }
    }

    #[test]
    fn the_address_in_a_refresh_is_one_of_them() {
        let prefix = crate::settings::AppPrefix::parse("/yourapp/").unwrap();
        let here = Here { prefix: &prefix, host: None, port: 3000 };
        for (value, expected) in [
            ("5; url=/x", Some("5; url=/yourapp/x")),
            ("0;URL='/x'", Some("0; url=/yourapp/x")),
            ("0, url = \"/x\"", Some("0; url=/yourapp/x")),
            ("3; /x", Some("3; url=/yourapp/x")),
            ("5", None),
            ("5; url=https://evil.example/", None),
            ("5; url=x", None),
        ] {
            assert_eq!(here.refresh_outward(value).as_deref(), expected, "{value}");
        }
    }
}
