/// Why a provider did not do what it was asked, and what that means for the caller.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It may work later: no answer, too many requests, a fault of its own.
    #[error("{what}: {why}")]
    Unavailable {
        /// What was asked.
        what: String,
        /// What it answered.
        why: String,
    },
    /// It will not work until somebody changes something.
    #[error("{what}: {why}; {next}")]
    Refused {
        /// What was asked.
        what: String,
        /// What it answered.
        why: String,
        /// What to do about it.
        next: String,
    },
    /// It is about something that does not exist; there is no point in asking again.
    #[error("{what} does not exist")]
    NotFound {
        /// What is missing, with its name.
        what: String,
    },
    /// The payment was declined; the customer has to be told.
    #[error("the payment was declined: {0}")]
    Declined(String),
}

impl ProviderError {
    /// Worth another try later.
    pub fn unavailable(what: impl Into<String>, why: impl ToString) -> Self {
        Self::Unavailable { what: what.into(), why: why.to_string() }
    }

    /// Pointless to repeat unchanged.
    pub fn refused(what: impl Into<String>, why: impl ToString, next: impl Into<String>) -> Self {
        Self::Refused { what: what.into(), why: why.to_string(), next: next.into() }
    }

    /// It does not exist.
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into() }
    }

    /// Whether trying again unchanged may help.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}
