use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use percent_encoding::percent_decode_str;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use crate::ProviderError;

const CONNECT_WITHIN: Duration = Duration::from_secs(30);

/// The server that takes our mail.
pub(super) struct Server {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<Credentials>,
    /// How we call ourselves.
    name: ClientId,
}

/// How the way to the server is kept private.
enum Security {
    /// Not at all: for a server on this machine.
    None,
    /// By STARTTLS where the server offers it.
    WhereOffered(TlsParameters),
    /// By STARTTLS, or not at all.
    Required(TlsParameters),
    /// From the first byte.
    Whole(TlsParameters),
}

impl Server {
    /// Reads `smtps://user:password@host`, or `smtp://host:port`, with `?tls=required` or
    /// `?tls=opportunistic`. A path is the name we greet with.
    pub(super) fn parse(address: &SecretString) -> Result<Self, ProviderError> {
        // The parser's own error could repeat the address, and with it the password.
        let unreadable = || {
            ProviderError::refused(
                "reading the address of the SMTP server",
                "it can't be parsed",
                "set [smtp] url to smtps://user:password@host",
            )
        };
        let url = Url::parse(address.expose_secret()).map_err(|_| unreadable())?;
        let host = url.host_str().ok_or_else(unreadable)?;
        let tls = || TlsParameters::new(host.to_owned()).map_err(|_| unreadable());
        let wanted = url.query_pairs().find(|(key, _)| key == "tls").map(|(_, value)| value.into_owned());
        let (port, security) = match (url.scheme(), wanted.as_deref()) {
            ("smtp", None) => (25, Security::None),
            ("smtp", Some("required")) => (587, Security::Required(tls()?)),
            ("smtp", Some("opportunistic")) => (587, Security::WhereOffered(tls()?)),
            ("smtps", _) => (465, Security::Whole(tls()?)),
            _ => return Err(unreadable()),
        };
        let decode = |text: &str| percent_decode_str(text).decode_utf8().map(String::from).map_err(|_| unreadable());
        let credentials = match url.password() {
            Some(password) => Some(Credentials::new(decode(url.username())?, decode(password)?)),
            None => None,
        };
        let name = match url.path().trim_matches('/') {
            "" => ClientId::default(),
            name => ClientId::Domain(name.to_owned()),
        };
        Ok(Self { host: host.to_owned(), port: url.port().unwrap_or(port), security, credentials, name })
    }

    /// A connection that is ready to take a mail.
    pub(super) async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let whole = match &self.security {
            Security::Whole(tls) => Some(tls.clone()),
            _ => None,
        };
        let address = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(address, Some(CONNECT_WITHIN), &self.name, whole, None).await?;
        match &self.security {
            Security::Required(tls) => connection.starttls(tls.clone(), &self.name).await?,
            Security::WhereOffered(tls) if connection.can_starttls() => {
                connection.starttls(tls.clone(), &self.name).await?;
            }
            _ => {}
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}
