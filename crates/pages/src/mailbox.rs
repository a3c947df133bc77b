use askama::Template;
use jiff::Timestamp;

use crate::page::page;
use crate::shell::Shell;

/// The built-in mailbox of one machine: every mail that was sent, newest first.
#[derive(Debug, Clone, Template)]
#[template(path = "mailbox/list.html")]
pub struct Mailbox {
    /// What surrounds the page.
    pub shell: Shell,
    /// The mails; each is read at `/mailbox/<id>`.
    pub messages: Vec<MailboxRow>,
    /// Where older ones are.
    pub next: Option<String>,
}

/// One mail in the list.
#[derive(Debug, Clone)]
pub struct MailboxRow {
    /// Its id.
    pub id: String,
    /// Whom it went to.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// When it was sent.
    pub at: Timestamp,
    /// The beginning of its text.
    pub text_preview: String,
}

/// One mail.
#[derive(Debug, Clone, Template)]
#[template(path = "mailbox/message.html")]
pub struct MailboxMessage {
    /// What surrounds the page.
    pub shell: Shell,
    /// Its id.
    pub id: String,
    /// Whom it went to.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// When it was sent.
    pub at: Timestamp,
    /// Its text.
    pub text: String,
    /// Where its HTML is served, under [`crate::MAIL_CONTENT_SECURITY_POLICY`]; `None` when it has none.
    pub html_src: Option<String>,
}

page!(Mailbox, here: "/mailbox");
page!(MailboxMessage, here: "/mailbox");

/// What stands for a subject in a list and on top of a page, where something has to.
fn titled(subject: &str) -> &str {
    if subject.trim().is_empty() { "(no subject)" } else { subject }
}
