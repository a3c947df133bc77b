mod refusal;
mod server;
mod unsubscribe;

use std::time::Duration;

use async_trait::async_trait;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder, MultiPart};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter};
use lettre::{Address, Message as Written};
use secrecy::SecretString;

use self::refusal::Stage;
use self::server::Server;
use self::unsubscribe::{ListUnsubscribe, ListUnsubscribePost};
use super::{Earlier, Mail, Message, Thread, Undelivered};
use crate::ProviderError;
use crate::inventory::{Check, Verdict};

/// For one mail, from the connection to the last answer. Less than what the outbox gives a delivery.
const DEADLINE: Duration = Duration::from_secs(120);
const FAREWELL: Duration = Duration::from_secs(10);
/// For a look whether the server is there.
const CHECK: Duration = Duration::from_secs(20);

/// Hands mail to an SMTP server.
///
/// It speaks the conversation step by step, since only the step tells what a refusal means: the
/// same `550` is about the recipient, about us, or about what the mail says.
pub struct Smtp {
    from: Mailbox,
    server: Server,
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
        Ok(Self { from, server: Server::parse(url)? })
    }

    /// Whether the server can be reached and takes our credentials. Sends nothing.
    pub async fn check(&self) -> Check {
        let name = "SMTP server".to_owned();
        let advice = "compare [smtp] url with what your mail provider says, and see that the server runs".to_owned();
        let what = || "reaching the SMTP server".to_owned();
        let seen = match tokio::time::timeout(CHECK, self.server.connect()).await {
            Ok(Ok(mut server)) => {
                let _ = tokio::time::timeout(FAREWELL, server.abort()).await;
                Ok(())
            }
            Ok(Err(error)) => Err(Stage::Greeting.judge(what(), &error).to_string()),
            Err(_) => Err(format!("{}: it was silent for {} s", what(), CHECK.as_secs())),
        };
        match seen {
            Ok(()) => Check { name, verdict: Verdict::Ok, found: "it takes our mail".into(), advice: String::new() },
            Err(found) => Check { name, verdict: Verdict::Fail, found, advice },
        }
    }

    fn write(&self, message: &Message) -> Result<(Address, Written), Undelivered> {
        // An address that we took can be one that mail can't be written to.
        let to: Address =
            message.to.as_str().parse().map_err(|error| Undelivered::Bounced { answer: format!("{error}") })?;
        let mut written = self
            .in_its_thread(&message.thread)
            .message_id(Some(format!("<{}@{}>", message.id, self.from.email.domain())))
            .from(self.from.clone())
            .to(Mailbox::new(None, to.clone()))
            .subject(message.subject.clone());
        if let Some(url) = &message.unsubscribe_url {
            written = written.header(ListUnsubscribe(format!("<{url}>"))).header(ListUnsubscribePost);
        }
        let written = written
            .multipart(MultiPart::alternative_plain_html(message.text.clone(), message.html.clone()))
            .map_err(|error| Undelivered::MailRefused { answer: error.to_string() })?;
        Ok((to, written))
    }

    /// A mail that says to which conversation it belongs (RFC 5322, 3.6.4), and whether nobody wrote it (RFC 3834, 5).
    fn in_its_thread(&self, thread: &Thread) -> MessageBuilder {
        let mut builder = Written::builder();
        let reply_to = thread.reply_to.as_ref().and_then(|to| to.as_str().parse().ok());
        if let Some(to) = reply_to {
            builder = builder.reply_to(Mailbox::new(None, to));
        }
        let earlier: Vec<String> = thread.earlier.iter().map(|earlier| self.named(earlier)).collect();
        if let Some(last) = earlier.last() {
            builder = builder.in_reply_to(last.clone()).references(earlier.join(" "));
        }
        if thread.is_automatic {
            let name = HeaderName::new_from_ascii_str("Auto-Submitted");
            builder = builder.raw_header(HeaderValue::new(name, "auto-replied".to_owned()));
        }
        builder
    }

    fn named(&self, earlier: &Earlier) -> String {
        match earlier {
            Earlier::Ours(id) => format!("<{id}@{}>", self.from.email.domain()),
            Earlier::Theirs(id) => format!("<{id}>"),
        }
    }

    async fn hand_over(&self, message: &Message) -> Result<(), Undelivered> {
        let (to, written) = self.write(message)?;
        let what = || format!("sending mail {}", message.id);
        let mut server = self.server.connect().await.map_err(|error| Stage::Greeting.judge(what(), &error))?;
        let done = self.converse(&mut server, to, &written.formatted(), &what).await;
        // What comes after the last answer changes nothing, so nobody waits for it.
        tokio::spawn(async move { tokio::time::timeout(FAREWELL, server.abort()).await });
        done
    }

    async fn converse(
        &self,
        server: &mut AsyncSmtpConnection,
        to: Address,
        written: &[u8],
        what: &(dyn Fn() -> String + Sync),
    ) -> Result<(), Undelivered> {
        let mut parameters = Vec::new();
        if !AsRef::<str>::as_ref(&to).is_ascii() {
            if !server.server_info().supports_feature(Extension::SmtpUtfEight) {
                let answer = "our mail server can't write to addresses with letters outside ASCII".to_owned();
                return Err(Undelivered::Bounced { answer });
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !written.is_ascii() && server.server_info().supports_feature(Extension::EightBitMime) {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let from = MailFrom::new(Some(self.from.email.clone()), parameters);
        server.command(from).await.map_err(|error| Stage::Sender.judge(what(), &error))?;
        server.command(Rcpt::new(to, Vec::new())).await.map_err(|error| Stage::Recipient.judge(what(), &error))?;
        server.command(Data).await.map_err(|error| Stage::Content.judge(what(), &error))?;
        server.message(written).await.map_err(|error| Stage::Handover.judge(what(), &error))?;
        Ok(())
    }
}

#[async_trait]
impl Mail for Smtp {
    fn name(&self) -> &'static str {
        "smtp"
    }

    async fn deliver(&self, message: &Message) -> Result<(), Undelivered> {
        let late = |_| {
            let why = format!("the server was silent for {} s", DEADLINE.as_secs());
            Undelivered::Later(ProviderError::Lost { what: format!("sending mail {}", message.id), why })
        };
        tokio::time::timeout(DEADLINE, self.hand_over(message)).await.map_err(late)?
    }
}
