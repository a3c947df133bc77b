use std::net::{Ipv4Addr, SocketAddr};

use domain::Email;
use serde::Deserialize;

/// `[site]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Site {
    pub listen: SocketAddr,
    pub base_domain: String,
    /// Follows from `listen` when it is not given.
    pub public_url: Option<String>,
    /// What is sold; follows from the application when it is not given.
    pub product: String,
    /// Who may use the console from the start.
    pub operator_email: Email,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            base_domain: LOCAL.to_owned(),
            public_url: None,
            product: String::new(),
            operator_email: operator_at_localhost(),
        }
    }
}

#[expect(clippy::expect_used, reason = "a constant that a test reads")]
fn operator_at_localhost() -> Email {
    Email::parse("operator@localhost").expect("a valid address")
}

/// Names that lead nowhere but to the machine they are said on.
const LOCAL: &str = "localhost";

/// Whether a name is this machine's only, whoever says it.
pub fn is_local(name: &str) -> bool {
    name == LOCAL || name.ends_with(".localhost")
}

impl Site {
    /// The address at which visitors find the site, without a slash at its end.
    pub fn public_url(&self) -> Option<&str> {
        self.public_url.as_deref().map(|url| url.trim_end_matches('/')).filter(|url| !url.is_empty())
    }

    /// The address as it follows from the port, where none is given.
    pub fn url(&self, port: u16) -> String {
        self.public_url().map_or_else(|| format!("http://{}:{port}", self.base_domain), str::to_owned)
    }
}
