//! Where the app that a customer makes is shown, checked.

use super::{SettingsError, problem};
use crate::{AppSharing, Args};

/// Where such apps listen unless it is said otherwise.
const PORT: u16 = 3000;

/// The second upstream, and the ways that lead to it; there may be none.
#[derive(Clone, Debug)]
pub(crate) struct AppSite {
    /// On this machine's loopback.
    pub(crate) port: u16,
    pub(crate) host: Option<AppHost>,
    pub(crate) prefix: Option<AppPrefix>,
    /// Whether the application may show it to everybody at its hostname.
    pub(crate) may_be_shared: bool,
}

/// A hostname of the app's own: lower case, no port, no trailing dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AppHost(String);

/// Paths of the main hostname that are the app's. Begins and ends with a slash, and has something
/// in between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AppPrefix(String);

impl AppSite {
    pub(super) fn check(args: &Args, public_paths: &[String]) -> Result<Self, SettingsError> {
        let host = args.app_host.as_deref().map(AppHost::parse).transpose()?;
        let prefix = args.app_prefix.as_deref().map(AppPrefix::parse).transpose()?;
        let port = args.app_port.unwrap_or(PORT);
        if port == 0 {
            return Err(problem("--app-port 0 is no port: say where the app listens"));
        }
        if let Some(prefix) = &prefix
            && let Some(public) = public_paths.iter().find(|path| prefix.leads_to(path))
        {
            return Err(problem(format!(
                "--public-path {public} is below --app-prefix {}, where nothing is public",
                prefix.as_str()
            )));
        }
        let may_be_shared = may_be_shared(args, host.is_some())?;
        Ok(Self { port, host, prefix, may_be_shared })
    }
}

fn may_be_shared(args: &Args, has_host: bool) -> Result<bool, SettingsError> {
    if args.app_sharing == AppSharing::Never {
        return Ok(false);
    }
    if !has_host {
        return Err(problem("--app-sharing without --app-host: only a hostname of its own is shown to everybody"));
    }
    if args.activity_listen.is_none() {
        return Err(problem(
            "--app-sharing without --activity-listen: the application says so at an address that nobody outside reaches",
        ));
    }
    Ok(true)
}

impl AppHost {
    fn parse(raw: &str) -> Result<Self, SettingsError> {
        let name = raw.strip_suffix('.').unwrap_or(raw).to_ascii_lowercase();
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        // A last label of digits is how addresses end.
        let is_address = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        if name.len() > 253 || !name.split('.').all(is_label) || is_address {
            return Err(problem(format!(
                "--app-host {raw} must be a hostname such as acme-app.example.com, without scheme, port, path or \
                 wildcard"
            )));
        }
        Ok(Self(name))
    }

    /// Whether this is the host that an authority names, whatever its port.
    pub(crate) fn is_named_by(&self, authority: &str) -> bool {
        let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
        let host = host.strip_suffix('.').unwrap_or(host);
        port.bytes().all(|byte| byte.is_ascii_digit()) && host.eq_ignore_ascii_case(&self.0)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl AppPrefix {
    pub(crate) fn parse(raw: &str) -> Result<Self, SettingsError> {
        let fail = |why: &str| Err(problem(format!("--app-prefix {raw} {why}")));
        let Some(segments) = raw.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) else {
            return fail("must begin and end with a slash, such as /yourapp/");
        };
        // No more than what a cookie's name may have as well.
        let is_plain = |segment: &str| {
            !segment.is_empty()
                && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
                && !segment.bytes().all(|byte| byte == b'.')
        };
        if !segments.split('/').all(is_plain) {
            return fail("must be made of letters, digits, hyphens and dots, such as /yourapp/");
        }
        if matches!(segments.split('/').next(), Some("-" | "cdn-cgi")) {
            return fail("is where guard and edge answer themselves: choose another, such as /yourapp/");
        }
        Ok(Self(raw.to_owned()))
    }

    /// With both slashes.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Without the last slash.
    pub(crate) fn bare(&self) -> &str {
        self.0.strip_suffix('/').unwrap_or(&self.0)
    }

    /// Whether a raw path is the app's.
    pub(crate) fn leads_to(&self, path: &str) -> bool {
        path.starts_with(self.as_str()) || path == self.bare()
    }
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
    fn an_app_listens_on_port_3000_and_nothing_leads_to_it_by_itself() {
        let site = check(&[]).unwrap().app_site;
        assert_eq!((site.port, site.host, site.prefix), (3000, None, None));
        let site = check(&["--app-host", "Acme-App.Example.COM.", "--app-port", "5173"]).unwrap().app_site;
        assert_eq!((site.port, site.host.unwrap().as_str()), (5173, "acme-app.example.com"));
        let site = check(&["--app-prefix", "/your.app/v1/"]).unwrap().app_site;
        assert_eq!(site.prefix.unwrap().bare(), "/your.app/v1");
        // Somebody else's machine has a port 3000 of its own.
        check(&["--app-host", "a.example", "--upstream", "http://app.internal:3000"]).unwrap();
        // Nobody asked for an app.
        check(&["--upstream", "http://127.0.0.1:3000"]).unwrap();
    }

    #[test]
    fn what_contradicts_itself_does_not_start() {
        for (options, says) in [
            (vec!["--app-host", ""], "--app-host"),
            (vec!["--app-host", "acme-app.example.com:3000"], "--app-host"),
            (vec!["--app-host", "http://acme-app.example.com"], "--app-host"),
            (vec!["--app-host", "acme-app.example.com/"], "--app-host"),
            (vec!["--app-host", "*.example.com"], "--app-host"),
            (vec!["--app-host", "acme_app.example.com"], "--app-host"),
            (vec!["--app-host", "acme..example.com"], "--app-host"),
            (vec!["--app-host", "127.0.0.1"], "--app-host"),
            (vec!["--app-host", "[::1]"], "--app-host"),
            (vec!["--app-port", "0"], "--app-port 0"),
            (vec!["--app-port", "8000"], "--upstream"),
            (vec!["--app-port", "8080"], "--listen"),
            (vec!["--app-port", "9100", "--metrics", "127.0.0.1:9100"], "--metrics"),
            (vec!["--app-host", "a.example", "--upstream", "http://localhost:3000"], "--upstream"),
            (vec!["--app-host", "a.example", "--upstream", "http://[::1]:3000"], "--upstream"),
            (vec!["--app-prefix", "/app/", "--listen", "0.0.0.0:3000"], "--listen"),
            (vec!["--app-prefix", ""], "slash"),
            (vec!["--app-prefix", "/"], "slash"),
            (vec!["--app-prefix", "/app"], "slash"),
            (vec!["--app-prefix", "app/"], "slash"),
            (vec!["--app-prefix", "//"], "letters"),
            (vec!["--app-prefix", "/a//b/"], "letters"),
            (vec!["--app-prefix", "/a/../"], "letters"),
            (vec!["--app-prefix", "/a%2fb/"], "letters"),
            (vec!["--app-prefix", "/a b/"], "letters"),
            (vec!["--app-prefix", "/-/"], "themselves"),
            (vec!["--app-prefix", "/cdn-cgi/"], "themselves"),
            (vec!["--app-prefix", "/app/", "--public-path", "/app/hook"], "nothing is public"),
        ] {
            let error = check(&options).expect_err(&options.join(" "));
            assert!(error.to_string().contains(says), "{options:?}: {error}");
        }
    }

    #[test]
    fn only_its_very_name_is_the_apps_host() {
        let host = AppHost::parse("acme-app.example.com").unwrap();
        for same in
            ["acme-app.example.com", "ACME-App.example.com:8080", "acme-app.example.com.", "acme-app.example.com.:1"]
        {
            assert!(host.is_named_by(same), "{same}");
        }
        for other in [
            "acme.example.com",
            "xacme-app.example.com",
            "x.acme-app.example.com",
            "acme-app.example.com.evil.org",
            "acme-app.example.co",
            "acme-app.example.com..",
            ".acme-app.example.com",
            "acme-app.example.com:80:80",
            "acme-app.example.com:evil",
            "",
        ] {
            assert!(!host.is_named_by(other), "{other}");
        }
    }

    #[test]
    fn a_prefix_ends_at_a_slash() {
        let prefix = AppPrefix::parse("/yourapp/").unwrap();
        for (path, is_the_apps) in [
            ("/yourapp", true),
            ("/yourapp/", true),
            ("/yourapp//x", true),
            ("/yourapps/", false),
            ("/YourApp/", false),
            ("/%79ourapp/", false),
            ("/yourapp%2fx", false),
            ("//yourapp/", false),
            ("/./yourapp/", false),
            ("/", false),
        ] {
            assert_eq!(prefix.leads_to(path), is_the_apps, "{path}");
        }
    }
}
