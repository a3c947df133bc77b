use std::time::Duration;

use crate::Problem;

/// Why the server did not do what was asked, as far as the caller can tell.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server's address is not an http or https URL.
    #[error("{address:?} is not the address of a server: {cause}; give one like http://localhost:8080")]
    Address {
        /// What was given.
        address: String,
        /// What is wrong with it.
        cause: String,
    },
    /// This machine can't make connections at all, or the token can't be sent.
    #[error("can't prepare a connection: {0}; check the token and this machine's certificates")]
    Setup(String),
    /// No answer came. The request may or may not have been done.
    #[error("no answer from {url}: {cause}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What went wrong, from the outside in.
        cause: String,
    },
    /// No answer came in time. The request may or may not have been done.
    #[error("{url} did not answer within {}s", .after.as_secs())]
    TimedOut {
        /// What was asked for.
        url: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The server refused or failed, and says why.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// The answer makes no sense: another program answers there, or another version.
    #[error("{url} gave an answer that is not understood: {cause}")]
    Malformed {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        cause: String,
    },
}

impl ClientError {
    /// The HTTP status of the answer, when there was one that could be read.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Problem(problem) => Some(problem.status),
            _ => None,
        }
    }

    /// Whether the server says that what was named does not exist.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }
}
