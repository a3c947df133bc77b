//! Whom each hostname belongs to in a rehearsal, where all of them lead to one port of this machine.

use http::HeaderMap;
use http::header::HOST;

/// The hostnames of a rehearsal. `team` and `stripe` are reserved, so that no customer has them.
#[derive(Debug, Clone)]
pub struct Names {
    /// What all of them end with, such as `localhost`; the site's own.
    pub base_domain: String,
    /// Where all of them are reached.
    pub port: u16,
}

/// Whom a request is for.
#[derive(Debug, PartialEq, Eq)]
pub enum Whose {
    /// The main instance.
    Site,
    /// The team domain of Cloudflare Access.
    Team,
    /// The pages of Stripe on which customers pay.
    Checkout,
    /// Whoever has this hostname.
    Instance(String),
}

impl Names {
    /// The site's address.
    pub fn site_url(&self) -> String {
        format!("http://{}:{}", self.base_domain, self.port)
    }

    /// The address of the team domain: who signs assertions.
    pub fn team_url(&self) -> String {
        format!("http://team.{}:{}", self.base_domain, self.port)
    }

    /// Where customers pay.
    pub fn checkout_url(&self) -> String {
        format!("http://stripe.{}:{}", self.base_domain, self.port)
    }

    /// Whom a request is for, by its `Host`. Whoever names this machine by its address means the site.
    pub fn whose(&self, headers: &HeaderMap) -> Whose {
        let Some(hostname) = hostname(headers) else { return Whose::Site };
        if hostname == self.base_domain || matches!(hostname.as_str(), "127.0.0.1" | "[::1]") {
            return Whose::Site;
        }
        match hostname.strip_suffix(&self.base_domain) {
            Some("team.") => Whose::Team,
            Some("stripe.") => Whose::Checkout,
            _ => Whose::Instance(hostname),
        }
    }
}

/// The hostname that a request is for, without its port and in lower case.
pub fn hostname(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(HOST)?.to_str().ok()?.to_ascii_lowercase();
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let name = host.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(host.as_str(), |(name, _)| name);
    Some(name.trim_end_matches('.').to_owned())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn every_hostname_has_one_owner() {
        let names = Names { base_domain: "localhost".into(), port: 8080 };
        let whose = |host: &'static str| names.whose(&HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]));
        for site in ["localhost:8080", "LOCALHOST", "localhost.:8080", "127.0.0.1:8080", "[::1]:8080", "[::1]"] {
            assert_eq!(whose(site), Whose::Site, "{site}");
        }
        assert_eq!(whose("team.localhost:8080"), Whose::Team);
        assert_eq!(whose("stripe.localhost:8080"), Whose::Checkout);
        for other in ["acme.localhost", "x.team.localhost", "team.localhost.evil.example", "xteam.localhost"] {
            assert_eq!(whose(other), Whose::Instance(other.into()), "{other}");
        }
        assert_eq!(names.whose(&HeaderMap::new()), Whose::Site);
    }
}
