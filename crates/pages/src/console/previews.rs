use askama::Template;

use crate::page::page;
use crate::shell::Shell;

/// Every mail that is written, as it looks with made-up names and numbers.
#[derive(Debug, Clone, Template)]
#[template(path = "console/mail_previews.html")]
pub struct ConsoleMailPreviews {
    /// What surrounds the page.
    pub shell: Shell,
    /// Each mail.
    pub mails: Vec<PreviewRow>,
}

/// One mail in the list.
#[derive(Debug, Clone)]
pub struct PreviewRow {
    /// Where it is shown.
    pub url: String,
    /// When it is written.
    pub when: String,
    /// Its subject.
    pub subject: String,
    /// Who gets it.
    pub reader: String,
}

/// One mail.
#[derive(Debug, Clone, Template)]
#[template(path = "console/mail_preview.html")]
pub struct ConsoleMailPreview {
    /// What surrounds the page.
    pub shell: Shell,
    /// When it is written.
    pub when: String,
    /// Who gets it.
    pub reader: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// Where its HTML is served, under [`crate::MAIL_CONTENT_SECURITY_POLICY`].
    pub html_src: String,
}

page!(ConsoleMailPreviews, here: "/admin/mail/previews");
page!(ConsoleMailPreview, here: "/admin/mail/previews");
