use async_trait::async_trait;
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Mail, Message};
use crate::ProviderError;

/// Hands mail to an SMTP server.
pub struct Smtp {
    from: Mailbox,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp").field("from", &self.from).finish_non_exhaustive()
    }
}

impl Smtp {
    /// Uses the server at `smtps://user:password@host`, or `smtp://host:port` with
    /// `?tls=required` for STARTTLS; `from` is `Name <address>`.
    ///
    /// # Errors
    /// Refused when the address of the server or of the sender can't be read.
    pub fn new(url: &SecretString, from: &str) -> Result<Self, ProviderError> {
        let from = from.parse().map_err(|error| {
            ProviderError::refused("reading the sender's address", error, "set [mail] from to Name <address>")
        })?;
        // The library's own error could repeat the address, and with it the password.
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret()).map_err(|_| {
            ProviderError::refused(
                "reading the address of the SMTP server",
                "it can't be parsed",
                "set [smtp] url to smtps://user:password@host",
            )
        })?;
        Ok(Self { from, transport: transport.build() })
    }
}

#[async_trait]
impl Mail for Smtp {
    fn name(&self) -> &'static str {
        "smtp"
    }

    async fn deliver(&self, message: &Message) -> Result<(), ProviderError> {
        let what = || format!("sending mail {}", message.id);
        let invalid = |error: &dyn std::fmt::Display| ProviderError::refused(what(), error, "correct the address");
        let to: Address = message.to.as_str().parse().map_err(|error| invalid(&error))?;
        let mail = lettre::Message::builder()
            .message_id(Some(format!("<{}@{}>", message.id, self.from.email.domain())))
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(message.subject.clone())
            .multipart(MultiPart::alternative_plain_html(message.text.clone(), message.html.clone()))
            .map_err(|error| invalid(&error))?;
        match self.transport.send(mail).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(ProviderError::refused(what(), error, "check the recipient")),
            Err(error) => Err(ProviderError::unavailable(what(), error)),
        }
    }
}
