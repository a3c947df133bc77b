use jiff::{SignedDuration, Timestamp};

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
    /// It was asked and no answer came: whether it was done is not known. Look before asking again.
    #[error("{what}: no answer came ({why}); whether it was done is not known")]
    Lost {
        /// What was asked.
        what: String,
        /// How the answer got lost.
        why: String,
    },
    /// It is on its way and takes its time.
    #[error("{why}")]
    NotYet {
        /// What is waited for, in words that a customer may read.
        why: String,
        /// How long until another look makes sense.
        after: SignedDuration,
    },
    /// It was not asked yet, since only so much may be asked at a time.
    #[error("{why}")]
    InLine {
        /// Who is before it, in words that a customer may read.
        why: String,
        /// When its turn comes, as far as can be told.
        until: Timestamp,
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

    /// It takes its time.
    pub fn not_yet(why: impl Into<String>, after: SignedDuration) -> Self {
        Self::NotYet { why: why.into(), after }
    }

    /// Whether trying again unchanged may help.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Lost { .. } | Self::NotYet { .. } | Self::InLine { .. })
    }
}
