//! What listens where on this machine, by these very settings: no two may be told to take the same
//! place. A guard that is its own upstream would answer itself until nothing is left.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{SettingsError, problem};

/// A place that one option names.
pub(super) struct Listener {
    option: &'static str,
    shown: String,
    /// All addresses that are meant; none for a name that is somebody else's machine.
    addresses: Vec<IpAddr>,
    port: u16,
}

impl Listener {
    pub(super) fn at(option: &'static str, address: SocketAddr) -> Self {
        let addresses = vec![address.ip().to_canonical()];
        Self { option, shown: address.to_string(), addresses, port: address.port() }
    }

    /// A place by its name, or an address in the form that URLs have.
    pub(super) fn named(option: &'static str, host: &str, port: u16) -> Self {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let addresses = match bare.parse::<IpAddr>() {
            Ok(address) => vec![address.to_canonical()],
            Err(_) if bare.eq_ignore_ascii_case("localhost") => {
                vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
            }
            Err(_) => Vec::new(),
        };
        Self { option, shown: format!("{host}:{port}"), addresses, port }
    }

    fn is_also(&self, other: &Self) -> bool {
        let mut pairs = self.addresses.iter().flat_map(|one| other.addresses.iter().map(move |other| (*one, *other)));
        // The system chooses another port for each that is given as 0.
        self.port == other.port && self.port != 0 && pairs.any(|(one, other)| covers(one, other) || covers(other, one))
    }
}

/// Refuses two listeners in one place.
///
/// # Errors
/// Naming both.
pub(super) fn all_apart(listeners: &[Listener]) -> Result<(), SettingsError> {
    for (index, one) in listeners.iter().enumerate() {
        if let Some(other) = listeners.iter().skip(index + 1).find(|other| one.is_also(other)) {
            return Err(problem(format!(
                "{} {} and {} {} are one place on this machine: give each a port of its own",
                one.option, one.shown, other.option, other.shown
            )));
        }
    }
    Ok(())
}

/// Whether whoever listens at `one` takes what is meant for `other`. An unspecified address is all of
/// its kind, and that of IPv6 commonly those of IPv4 as well.
fn covers(one: IpAddr, other: IpAddr) -> bool {
    one == other || (one.is_unspecified() && (one.is_ipv6() || other.is_ipv4()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::settings::{Environment, Settings};

    fn check(options: &[&str]) -> Result<Settings, SettingsError> {
        let enough = ["guard", "--issuer", "https://team.cloudflareaccess.com", "--audience", "abc"];
        let args = clap::Parser::try_parse_from(enough.iter().chain(options)).unwrap();
        Settings::check(args, &Environment::default())
    }

    #[test]
    fn no_two_listen_in_one_place() {
        let socket = ["--egress-socket", "/run/egress.sock"];
        for options in [
            vec!["--upstream", "http://127.0.0.1:8080"],
            vec!["--upstream", "http://localhost:8080"],
            vec!["--listen", "0.0.0.0:9", "--upstream", "http://127.0.0.1:9"],
            vec!["--listen", "[::]:9", "--upstream", "http://127.0.0.1:9"],
            vec!["--listen", "[::1]:9", "--upstream", "http://localhost:9"],
            vec!["--listen", "[::1]:9", "--upstream", "http://[::1]:9"],
            vec!["--listen", "10.0.0.1:9", "--upstream", "http://10.0.0.1:9"],
            vec!["--listen", "[::ffff:127.0.0.1]:9", "--upstream", "http://127.0.0.1:9"],
            vec!["--listen", "127.0.0.1:80", "--upstream", "http://127.0.0.1"],
            vec!["--metrics", "127.0.0.1:8080"],
            vec!["--metrics", "0.0.0.0:8000"],
            vec!["--activity-listen", "127.0.0.1:8080"],
            vec!["--activity-listen", "127.0.0.1:8000"],
            vec!["--activity-listen", "127.0.0.1:9", "--metrics", "127.0.0.1:9"],
            [&socket[..], &["--egress-listen", "127.0.0.1:8000"]].concat(),
            [&socket[..], &["--egress-listen", "127.0.0.1:9", "--activity-listen", "127.0.0.1:9"]].concat(),
            vec!["--app-port", "8000"],
            vec!["--app-host", "a.example", "--upstream", "http://0.0.0.0:3000"],
        ] {
            let error = check(&options).expect_err(&options.join(" "));
            assert!(error.to_string().contains("one place on this machine"), "{options:?}: {error}");
        }
        for options in [
            vec!["--upstream", "http://app.internal:8080"],
            vec!["--upstream", "http://10.0.0.1:8080"],
            vec!["--listen", "10.0.0.1:8000"],
            vec!["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"],
            vec!["--listen", "inherited", "--upstream", "http://127.0.0.1:8080"],
            // Nobody asked for an app.
            vec!["--upstream", "http://127.0.0.1:3000"],
        ] {
            check(&options).unwrap();
        }
    }
}
