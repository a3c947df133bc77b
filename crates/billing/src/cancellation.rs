//! What happens to one instance whose customer does not want it any more, from the request to the end of its data.
//!
//! ```text
//! requested ─▶ running out ─▶ kept ─▶ announced ─▶ over
//!                  │            │          │
//!                  └─ kept on   └─ back ───┴─ back
//! ```
//!
//! A cancellation is of one instance, so it is no part of dunning, which is of a customer: who gives one of two
//! instances up keeps the other, and who owes for both is dunned for both.
//!
//! What was promised when it was requested is kept, whatever the policy says later: the service runs until the hour
//! that was named, and data is kept at least until the moment that was named. Each step is taken by itself, so a server
//! that slept for a year still announces first and waits the whole notice. Taken back before the end it never was;
//! after the end the customer comes back. **Over** is the end.

use std::num::NonZeroU16;

use domain::UsageHour;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long things last after the end of a service, in days of 24 hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CancellationPolicy {
    /// From the end of the service to the deletion of its data.
    pub kept_days: u16,
    /// So long before the deletion it is announced, at the latest with the end; never not at all.
    pub notice_days: NonZeroU16,
}

/// A policy that can't be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CancellationPolicyError {
    /// Data would be kept for years.
    #[error("kept_days says {0}; set it to {LONGEST} at most")]
    TooLong(u16),
    /// The notice would come before the end.
    #[error("notice_days says {notice}, which is more than kept_days, {kept}; set it to {kept} at most")]
    NoticeBeforeEnd {
        /// From the notice on.
        notice: u16,
        /// From the end on.
        kept: u16,
    },
}

const LONGEST: u16 = 366;

impl Default for CancellationPolicy {
    /// A month kept, announced a week before its end.
    fn default() -> Self {
        Self { kept_days: 30, notice_days: NonZeroU16::MIN.saturating_add(6) }
    }
}

impl CancellationPolicy {
    /// Whether it can be meant.
    ///
    /// # Errors
    /// [`CancellationPolicyError`] names what can't.
    pub fn check(&self) -> Result<(), CancellationPolicyError> {
        let (kept, notice) = (self.kept_days, self.notice_days.get());
        if kept > LONGEST {
            return Err(CancellationPolicyError::TooLong(kept));
        }
        if notice > kept { Err(CancellationPolicyError::NoticeBeforeEnd { notice, kept }) } else { Ok(()) }
    }
}

/// How far it has come with a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cancellation {
    /// All goes on until the end of what is paid for.
    RunningOut {
        /// The first hour without service.
        until: UsageHour,
        /// Until then at least its data is kept.
        kept_until: Timestamp,
    },
    /// Nobody enters, nothing is charged, data is kept.
    Kept {
        /// The first hour without service.
        until: UsageHour,
        /// Until then at least its data is kept.
        kept_until: Timestamp,
    },
    /// It was told when data is deleted.
    Announced {
        /// The first hour without service.
        until: UsageHour,
        /// Data is deleted then.
        deleted_at: Timestamp,
    },
    /// The deletion was begun.
    Over,
}

/// What is to be done as time passes. Each may be done twice without harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancellationStep {
    /// Refuse entry, end the subscription, tell by mail. Data is kept.
    End,
    /// Tell by mail when everything will be deleted, and what can be done until then.
    Announce {
        /// Not before this moment.
        deleted_at: Timestamp,
    },
    /// Delete the instance and its data.
    Delete,
}

/// What it means that a customer stays after all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenBack {
    /// The service never ended: all is as if nothing had been asked for.
    KeptOn,
    /// The service had ended: it begins again.
    Back,
}

impl Cancellation {
    /// Of a service that is to end with an hour, by what the policy promises now.
    pub fn requested(until: UsageHour, policy: &CancellationPolicy) -> Self {
        Self::RunningOut { until, kept_until: later(until.start(), days(policy.kept_days)) }
    }

    /// The next step, if it is due at a moment: where it leads, and what is to be done. One step at a time.
    pub fn next(self, now: Timestamp, policy: &CancellationPolicy) -> Option<(Self, CancellationStep)> {
        if self.due(policy).is_none_or(|due| now < due) {
            return None;
        }
        match self {
            Self::RunningOut { until, kept_until } => {
                let kept_until = kept_until.max(noticed(now, policy));
                Some((Self::Kept { until, kept_until }, CancellationStep::End))
            }
            Self::Kept { until, kept_until } => {
                let deleted_at = kept_until.max(noticed(now, policy));
                Some((Self::Announced { until, deleted_at }, CancellationStep::Announce { deleted_at }))
            }
            Self::Announced { .. } => Some((Self::Over, CancellationStep::Delete)),
            Self::Over => None,
        }
    }

    /// When the next step is due; none when it is over.
    pub fn due(self, policy: &CancellationPolicy) -> Option<Timestamp> {
        match self {
            Self::RunningOut { until, .. } => Some(until.start()),
            Self::Kept { until, kept_until } => {
                let notice = kept_until.checked_sub(days(policy.notice_days.get())).unwrap_or(Timestamp::MIN);
                Some(notice.max(until.start()))
            }
            Self::Announced { deleted_at, .. } => Some(deleted_at),
            Self::Over => None,
        }
    }

    /// What taking it back means; none once nothing is left.
    pub const fn taken_back(self) -> Option<TakenBack> {
        match self {
            Self::RunningOut { .. } => Some(TakenBack::KeptOn),
            Self::Kept { .. } | Self::Announced { .. } => Some(TakenBack::Back),
            Self::Over => None,
        }
    }

    /// The first hour without service.
    pub const fn until(self) -> Option<UsageHour> {
        match self {
            Self::RunningOut { until, .. } | Self::Kept { until, .. } | Self::Announced { until, .. } => Some(until),
            Self::Over => None,
        }
    }

    /// Until when data is kept.
    pub const fn kept_until(self) -> Option<Timestamp> {
        match self {
            Self::RunningOut { kept_until, .. } | Self::Kept { kept_until, .. } => Some(kept_until),
            Self::Announced { deleted_at, .. } => Some(deleted_at),
            Self::Over => None,
        }
    }

    /// Whether the service has ended, and data is all that is left.
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Kept { .. } | Self::Announced { .. })
    }

    /// The word by which it is stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RunningOut { .. } => "running_out",
            Self::Kept { .. } => "kept",
            Self::Announced { .. } => "announced",
            Self::Over => "over",
        }
    }
}

/// Whoever learns of it late has the whole notice all the same.
fn noticed(now: Timestamp, policy: &CancellationPolicy) -> Timestamp {
    later(now, days(policy.notice_days.get()))
}

fn days(count: u16) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(count))
}

/// At the end of the calendar it stays there.
fn later(from: Timestamp, by: SignedDuration) -> Timestamp {
    from.checked_add(by).unwrap_or(Timestamp::MAX)
}
