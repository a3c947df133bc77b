use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

/// How long each step lasts, in days of 24 hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// After each failed charge, so long until the next try; as many tries as there are numbers.
    pub retry_after_days: Vec<u16>,
    /// For so long the answer to a charge is waited for, before it counts as failed.
    pub answer_days: u16,
    /// After each reminder, so long until the next step; as many reminders as there are numbers.
    pub reminder_days: Vec<u16>,
    /// From the last reminder to suspension.
    pub grace_days: u16,
    /// From suspension to cancellation.
    pub suspended_days: u16,
    /// From cancellation to the notice of deletion.
    pub cancelled_days: u16,
    /// From the notice of deletion to deletion; never none.
    pub notice_days: NonZeroU16,
}

/// A step that is longer than this is a slip of the pen.
const LONGEST_STEP: u16 = 366;
/// More tries or reminders than this are harassment.
const MOST_NUMBERS: usize = 12;

/// Why a policy can't be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A step that takes years.
    #[error("{setting} says {days} days; set it to {LONGEST_STEP} at most")]
    TooLong {
        /// The setting.
        setting: &'static str,
        /// What it says.
        days: u16,
    },
    /// A list without end.
    #[error("{setting} has {count} numbers; give it {MOST_NUMBERS} at most")]
    TooMany {
        /// The setting.
        setting: &'static str,
        /// So many.
        count: usize,
    },
}

impl Policy {
    /// Whether it can be meant.
    ///
    /// # Errors
    /// [`PolicyError`] names the setting that can't.
    pub fn check(&self) -> Result<(), PolicyError> {
        let lists = [("retry_after_days", &self.retry_after_days), ("reminder_days", &self.reminder_days)];
        for (setting, days) in lists {
            if days.len() > MOST_NUMBERS {
                return Err(PolicyError::TooMany { setting, count: days.len() });
            }
        }
        let single = [
            ("answer_days", self.answer_days),
            ("grace_days", self.grace_days),
            ("suspended_days", self.suspended_days),
            ("cancelled_days", self.cancelled_days),
            ("notice_days", self.notice_days.get()),
        ];
        let listed = lists.into_iter().flat_map(|(setting, days)| days.iter().map(move |days| (setting, *days)));
        match single.into_iter().chain(listed).find(|(_, days)| *days > LONGEST_STEP) {
            Some((setting, days)) => Err(PolicyError::TooLong { setting, days }),
            None => Ok(()),
        }
    }
}

impl Default for Policy {
    /// Three tries in nine days, two reminders a week apart, a week of grace, a month closed, two months kept.
    fn default() -> Self {
        Self {
            retry_after_days: vec![1, 3, 5],
            answer_days: 2,
            reminder_days: vec![7, 7],
            grace_days: 7,
            suspended_days: 30,
            cancelled_days: 30,
            notice_days: NonZeroU16::MIN.saturating_add(29),
        }
    }
}
