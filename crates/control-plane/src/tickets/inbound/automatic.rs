//! What no person wrote (RFC 3834): notices that somebody is away, reports of mail programs, lists. Answering them would keep
//! two programs busy with each other.

/// Senders that nobody reads the answers of.
const NOBODY: [&str; 7] =
    ["mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply", "do-not-reply", "bounce"];

/// Why a mail counts as written by no person; nothing when one wrote it. `header` gives the values of a header, as they stand.
pub(super) fn why(from: &str, header: impl Fn(&str) -> Option<String>) -> Option<&'static str> {
    let word = |name: &str| header(name).map(|value| value.trim().to_ascii_lowercase()).unwrap_or_default();
    let submitted = word("Auto-Submitted");
    if !submitted.is_empty() && !submitted.starts_with("no") {
        return Some("it was sent automatically (Auto-Submitted)");
    }
    if ["bulk", "junk", "list", "auto_reply"].contains(&word("Precedence").as_str()) {
        return Some("it was sent to many, or automatically (Precedence)");
    }
    if header("List-Id").is_some() || header("X-Autoreply").is_some() || header("X-Autorespond").is_some() {
        return Some("it comes from a list, or is an automatic answer");
    }
    if word("Content-Type").starts_with("multipart/report") {
        return Some("it is a report of a mail server");
    }
    if word("Return-Path") == "<>" {
        return Some("it has no sender to whom an answer could go (Return-Path)");
    }
    let local = from.split('@').next().unwrap_or_default();
    NOBODY.contains(&local).then_some("nobody reads the answers to its sender")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_automatic(from: &str, headers: &[(&str, &str)]) -> bool {
        let header =
            |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        why(from, header).is_some()
    }

    #[test]
    fn what_programs_write_is_told_from_what_people_write() {
        for headers in [
            ("Auto-Submitted", " auto-replied (vacation)"),
            ("Precedence", "bulk"),
            ("List-Id", "<everybody.example.com>"),
            ("Content-Type", "multipart/report; report-type=delivery-status"),
            ("Return-Path", "<>"),
        ] {
            assert!(is_automatic("ada@example.com", &[headers]), "{headers:?}");
        }
        assert!(is_automatic("mailer-daemon@example.com", &[]));
        let own = [("Auto-Submitted", "no"), ("Precedence", "first-class"), ("Return-Path", "<ada@example.com>")];
        assert!(!is_automatic("ada@example.com", &own));
    }
}
