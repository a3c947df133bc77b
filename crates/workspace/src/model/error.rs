//! Why a model gave no answer, and what to do next.

use std::time::Duration;

use super::price::Cost;

/// Why there is no answer. No text in it holds the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Something must be set first.
    #[error("{0} Set it in the settings.")]
    NotConfigured(String),
    /// No connection came about.
    #[error(
        "The model at {host} cannot be reached ({why}). Check the address in the settings and the network, then ask again."
    )]
    Unreachable {
        /// Who was asked.
        host: String,
        /// What was in the way.
        why: String,
    },
    /// The key is not accepted.
    #[error("The model's provider refuses the key ({status}): {said} Check the key in the settings.")]
    Refused {
        /// 401 or 403.
        status: u16,
        /// What the provider says.
        said: String,
    },
    /// Too much was asked in too short a time, or what was paid for is used up.
    #[error(
        "The model's provider has reached a limit: {said} Wait a while, or look at your account there, then ask again."
    )]
    Limited {
        /// What the provider says.
        said: String,
        /// How long it wants to be left alone, if it says so.
        wait: Option<Duration>,
    },
    /// What the operator lets everybody use is used up; the words are the operator's.
    #[error("{0}")]
    AllowanceUsedUp(String),
    /// The provider does not take the question as it is.
    #[error(
        "The model's provider does not accept the question ({status}): {said} Check the name of the model in the settings."
    )]
    Rejected {
        /// Its status.
        status: u16,
        /// What the provider says.
        said: String,
    },
    /// The provider has a fault of its own.
    #[error("The model's provider has a fault of its own ({status}): {said} Ask again in a while.")]
    Faulty {
        /// Its status.
        status: u16,
        /// What the provider says.
        said: String,
    },
    /// The answer is cut, or no answer at all.
    #[error("The model's answer is broken: {0} Ask again.")]
    Broken(String),
    /// The answer did not end.
    #[error("The model's answer was cut after {0} KiB, since it did not end. Ask again, perhaps for less at once.")]
    TooLong(usize),
    /// The answer did not come in time.
    #[error("The model took too long: {0} Ask again.")]
    TooSlow(String),
    /// A person stopped it.
    #[error("It was stopped.")]
    Stopped,
    /// No more may be spent.
    #[error(
        "The budget of this {span} is used up: {spent} of {budget} spent. Raise it in the settings, or wait for the next {span}."
    )]
    BudgetUsedUp {
        /// `day`, `sprint` or `month`.
        span: &'static str,
        /// What may be spent.
        budget: Cost,
        /// What was, with calls that are under way.
        spent: Cost,
    },
    /// Use cannot be written down, so nothing may be used.
    #[error(
        "The account of use cannot be written ({0}), and without it nothing is asked. Make room on the disk and try again."
    )]
    Unaccountable(String),
}

impl ModelError {
    /// Whether the same question may well be answered later without anybody changing anything.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Limited { .. }
            | Self::Faulty { .. }
            | Self::Broken(_)
            | Self::TooLong(_)
            | Self::TooSlow(_) => true,
            Self::NotConfigured(_)
            | Self::Refused { .. }
            | Self::AllowanceUsedUp(_)
            | Self::Rejected { .. }
            | Self::Stopped
            | Self::BudgetUsedUp { .. }
            | Self::Unaccountable(_) => false,
        }
    }
}
