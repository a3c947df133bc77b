use std::error::Error as _;

use lettre::transport::smtp::Error;

use super::Undelivered;
use crate::ProviderError;

/// How far a conversation got; it decides what a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Connection, greeting, encryption, sign-in.
    Greeting,
    /// `MAIL FROM`.
    Sender,
    /// `RCPT TO`.
    Recipient,
    /// `DATA`: nothing was handed over yet.
    Content,
    /// The mail itself and the dot at its end: the server may have taken it.
    Handover,
}

impl Stage {
    /// What an error at this stage means for the mail.
    pub(super) fn judge(self, what: String, error: &Error) -> Undelivered {
        let said = said(error);
        if error.is_transient() {
            return Undelivered::Later(ProviderError::unavailable(what, said));
        }
        if error.is_permanent() {
            return self.judge_refusal(what, said);
        }
        if self == Self::Greeting && (error.is_client() || error.is_tls()) {
            let next = "check [smtp] url: encryption, certificate and credentials";
            return Undelivered::WeAreRefused(ProviderError::refused(what, said, next));
        }
        if self == Self::Handover {
            return Undelivered::Later(ProviderError::Lost { what, why: said });
        }
        Undelivered::Later(ProviderError::unavailable(what, said))
    }

    fn judge_refusal(self, what: String, answer: String) -> Undelivered {
        let about_the_recipient = match self {
            Self::Greeting | Self::Sender => false,
            // Many servers say at the end only that there is no such mailbox. Without a detailed code
            // that can't be told from what they dislike in the mail.
            Self::Content | Self::Handover => about_a_mailbox(&answer) == Some(true),
            // Without a detailed code, these are about the mailbox. Others (530, 554 …) are about us.
            Self::Recipient => about_a_mailbox(&answer)
                .unwrap_or_else(|| ["550", "551", "552", "553", "556"].iter().any(|code| answer.starts_with(code))),
        };
        match self {
            _ if about_the_recipient => Undelivered::Bounced { answer },
            Self::Content | Self::Handover => Undelivered::MailRefused { answer },
            Self::Greeting => {
                let next = "check the credentials in [smtp] url";
                Undelivered::WeAreRefused(ProviderError::refused(what, answer, next))
            }
            Self::Sender | Self::Recipient => {
                let next = "check that the server lets [mail] from send, and to anybody";
                Undelivered::WeAreRefused(ProviderError::refused(what, answer, next))
            }
        }
    }
}

/// Whether the detailed code (RFC 3463) in an answer such as `550 5.1.1 no such user` says that the
/// recipient's mailbox is the reason; `None` without such a code.
fn about_a_mailbox(answer: &str) -> Option<bool> {
    let mut numbers = answer.split_whitespace().nth(1)?.split('.').map(str::parse::<u16>);
    let (Some(Ok(5)), Some(Ok(subject)), Some(Ok(detail)), None) =
        (numbers.next(), numbers.next(), numbers.next(), numbers.next())
    else {
        return None;
    };
    // 1 is about addresses, but 7 and 8 there mean the sender's; 2 is about the mailbox.
    Some(matches!((subject, detail), (1, 1..=6 | 10) | (2, _)))
}

/// The server's own words with their code, or what went wrong on the way.
fn said(error: &Error) -> String {
    match (error.status(), error.source()) {
        (Some(code), Some(words)) => format!("{code} {}", words.to_string().replace('\n', " ")),
        (Some(code), None) => code.to_string(),
        (None, _) => error.to_string(),
    }
}
