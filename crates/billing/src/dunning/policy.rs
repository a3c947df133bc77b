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
