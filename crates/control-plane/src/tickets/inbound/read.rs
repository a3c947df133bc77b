//! A mail's form: whole, as it is on its way (RFC 5322), or taken apart into JSON by whoever receives mail for us.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Email;
use mail_parser::decoders::html::html_to_text;
use mail_parser::{HeaderValue, Message, MessageParser, MimeHeaders as _};
use serde::Deserialize;

use super::{Incoming, automatic};
use crate::error::{AppError, refused};
use crate::tickets::readable;

/// A mail with all its files, in bytes, as it comes.
pub(crate) const LARGEST_MAIL: usize = 20 << 20;
const LONGEST_ID: usize = 250;
const LONGEST_NAME: usize = 80;
/// More are named in no mail of a person.
const MOST_EARLIER: usize = 50;
/// Where the address can stand that a mail was delivered to.
const ADDRESSED: [&str; 6] = ["To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Forwarded-To"];

/// Reads a whole mail.
pub(crate) fn whole(raw: &[u8]) -> Result<Incoming, AppError> {
    let mail = MessageParser::default().parse(raw).ok_or_else(|| unreadable("it is no mail"))?;
    let (from, name) = sender(&mail)?;
    let header = |name: &str| mail.header_raw(name.to_owned()).map(str::to_owned);
    let named: Vec<String> = [mail.references(), mail.in_reply_to()].into_iter().flat_map(ids).collect();
    let files = mail.attachments().enumerate().map(|(at, part)| {
        let name = part.attachment_name().map_or_else(|| format!("file {}", at + 1), str::to_owned);
        (name, part.contents().to_vec())
    });
    Ok(Incoming {
        id: mail.message_id().and_then(id),
        automatic: automatic::why(from.as_str(), header),
        from,
        name,
        to: ADDRESSED.into_iter().filter_map(header).flat_map(|value| addresses(&value)).collect(),
        subject: mail.subject().unwrap_or_default().to_owned(),
        text: mail.body_text(0).unwrap_or_default().into_owned(),
        earlier: named,
        files: files.collect(),
    })
}

fn sender(mail: &Message<'_>) -> Result<(Email, String), AppError> {
    let mut from = mail.from().into_iter().flat_map(|list| list.iter());
    let (Some(only), None) = (from.next(), from.next()) else { return Err(unreadable("it has not one sender")) };
    let address = Email::parse(only.address().unwrap_or_default())
        .map_err(|error| unreadable(&format!("its sender can't be answered: {error}")))?;
    Ok((address, called(only.name().unwrap_or_default())))
}

fn ids(value: &HeaderValue<'_>) -> Vec<String> {
    let one = value.as_text().into_iter();
    let several = value.as_text_list().unwrap_or_default().iter().map(AsRef::as_ref);
    // `as_text` gives the first of several as well.
    let all: Vec<&str> = several.collect();
    let all = if all.is_empty() { one.collect() } else { all };
    all.into_iter().rev().take(MOST_EARLIER).filter_map(id).collect::<Vec<_>>().into_iter().rev().collect()
}

/// A mail taken apart.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    #[serde(default)]
    message_id: String,
    /// `ada@example.com`, or `Ada <ada@example.com>`.
    from: String,
    #[serde(default)]
    to: Vec<String>,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    text: String,
    /// Read where there is no text.
    #[serde(default)]
    html: String,
    #[serde(default)]
    in_reply_to: String,
    /// Earliest first.
    #[serde(default)]
    references: Vec<String>,
    /// Those that say whether a person wrote it: `Auto-Submitted`, `Precedence`, `List-Id`, `Return-Path` and the like.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    attachments: Vec<Part>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    #[serde(default)]
    name: String,
    /// In base64.
    content: String,
}

/// Reads a mail that was taken apart.
pub(crate) fn parts(json: &[u8]) -> Result<Incoming, AppError> {
    let parts: Parts = serde_json::from_slice(json).map_err(|error| unreadable(&error.to_string()))?;
    let (name, address) = match parts.from.rsplit_once('<') {
        Some((name, address)) => (name, address.trim_end().trim_end_matches('>')),
        None => ("", parts.from.trim()),
    };
    let from = Email::parse(address).map_err(|error| unreadable(&format!("its sender can't be answered: {error}")))?;
    let header = |wanted: &str| {
        let found = parts.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.clone())
    };
    let mut files = Vec::new();
    for part in &parts.attachments {
        let content = STANDARD.decode(&part.content).map_err(|_| unreadable("an attachment is not in base64"))?;
        files.push((part.name.clone(), content));
    }
    let text = if parts.text.trim().is_empty() { html_to_text(&parts.html) } else { parts.text.clone() };
    let earlier = parts.references.iter().chain([&parts.in_reply_to]).filter_map(|raw| id(raw));
    Ok(Incoming {
        id: id(&parts.message_id),
        automatic: automatic::why(from.as_str(), header),
        name: called(name),
        to: parts.to.iter().flat_map(|to| addresses(to)).collect(),
        subject: parts.subject.clone(),
        text,
        earlier: earlier.collect(),
        files,
        from,
    })
}

/// A `Message-ID` without angle brackets; none that could not stand in a header of ours.
fn id(raw: &str) -> Option<String> {
    let id = raw.trim().trim_start_matches('<').trim_end_matches('>');
    let is_plain = id.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>'));
    (is_plain && !id.is_empty() && id.len() <= LONGEST_ID).then(|| id.to_owned())
}

/// What looks like an address in a header.
fn addresses(value: &str) -> Vec<String> {
    let apart = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>' | '"' | '(' | ')');
    value.split(apart).filter(|word| word.contains('@')).map(str::to_owned).collect()
}

fn called(name: &str) -> String {
    let name = readable(name).replace('\n', " ");
    name.trim_matches(['"', ' ']).chars().take(LONGEST_NAME).collect()
}

fn unreadable(why: &str) -> AppError {
    refused(
        422,
        &format!("The mail can't be read: {why}"),
        "Send it as message/rfc822, or as JSON as the guide shows it.",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const RAW: &str = "From: =?utf-8?q?Ad=C3=A4?= <Ada@Example.com>\r\nTo: Support <support+x@example.org>\r\n\
        Message-ID: <a.2@example.com>\r\nIn-Reply-To: <msg_1@example.org>\r\nReferences: <a.1@example.com>\r\n <msg_1@example.org>\r\n\
        Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>It <b>works</b>.</p>\r\n\
        --b\r\nContent-Type: text/plain; name=log.txt\r\nContent-Disposition: attachment; filename=log.txt\r\n\
        Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--b--\r\n";

    #[test]
    fn a_whole_mail_is_read() {
        let mail = whole(RAW.as_bytes()).unwrap();
        assert_eq!(
            (mail.from.as_str(), mail.name.as_str(), mail.subject.as_str()),
            ("ada@example.com", "Adä", "Grüße")
        );
        assert_eq!(mail.id.as_deref(), Some("a.2@example.com"));
        assert_eq!(mail.earlier, ["a.1@example.com", "msg_1@example.org", "msg_1@example.org"]);
        assert_eq!(mail.to, ["support+x@example.org"]);
        assert!(mail.text.contains("It works."), "{}", mail.text);
        assert_eq!(mail.files, [("log.txt".to_owned(), b"hello".to_vec())]);
        assert_eq!(mail.automatic, None);
        let away = RAW.replacen("Subject", "Auto-Submitted: auto-replied\r\nSubject", 1);
        assert!(whole(away.as_bytes()).unwrap().automatic.is_some());
    }

    #[test]
    fn a_mail_in_parts_is_read_alike() {
        let json =
            br#"{"message_id":"<a.2@example.com>","from":"Ada <ada@example.com>","to":["<support+x@example.org>"],
            "subject":"It","html":"<p>It works.</p>","in_reply_to":"<msg_1@example.org>",
            "headers":{"precedence":"bulk"},"attachments":[{"name":"log.txt","content":"aGVsbG8="}]}"#;
        let mail = parts(json).unwrap();
        assert_eq!((mail.from.as_str(), mail.name.as_str()), ("ada@example.com", "Ada"));
        assert_eq!(
            (mail.to.as_slice(), mail.earlier.as_slice()),
            (&["support+x@example.org".to_owned()][..], &["msg_1@example.org".to_owned()][..])
        );
        assert!(mail.text.contains("It works.") && mail.automatic.is_some());
        assert_eq!(mail.files.len(), 1);
    }

    #[test]
    fn what_has_no_sender_is_no_mail() {
        assert!(whole(b"Subject: x\r\n\r\nhello").is_err());
        assert!(whole(b"").is_err());
        assert!(parts(br#"{"from":"nobody"}"#).is_err());
        assert_eq!(id("<a b@example.com>"), None);
        assert_eq!(id("<a@example.com>\r\nBcc: x"), None);
    }
}
