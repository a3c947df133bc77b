use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::policy::Policy;
use super::{Action, Event, Reminder};

/// Where a customer stands: how far it has come, and when it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Dunning {
    stage: Stage,
    clock: Clock,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    stage: Stage,
    clock: Clock,
}

/// A step that waits for something and will never end, or one that waits for nothing and has an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} can't stand with {1:?}")]
pub struct Impossible(pub Stage, pub Clock);

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nothing is owed that is due.
    Current,
    /// So many charges failed, and there will be another.
    Retrying {
        /// Counted from 1.
        failures: u8,
    },
    /// Another charge was asked for and has not been answered.
    Charging {
        /// Before it.
        failures: u8,
    },
    /// So many reminders were sent.
    Reminded {
        /// Counted from 1.
        reminders: u8,
    },
    /// The last reminder was sent.
    Grace,
    /// Entry is refused.
    Suspended,
    /// The contract has ended; data is kept. Braces, so that what was stored when this said who ended it still reads.
    Cancelled {},
    /// It was told when data will be deleted.
    DeletionAnnounced {},
    /// Nothing is left.
    Deleted,
}

/// When it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// Time passes.
    Running {
        /// When the next step is due; none where nothing is waited for.
        due: Option<Timestamp>,
    },
    /// Time stands still.
    Held {
        /// For what.
        by: Hold,
        /// How long the present step still lasts once time passes again.
        left: Option<SignedDuration>,
    },
}

/// For what time stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// The operator paused it.
    Operator,
    /// A bank settles a dispute.
    Dispute,
    /// Both.
    Both,
}

/// What follows from an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// Where the customer stands now.
    pub state: Dunning,
    /// To be done, in this order.
    pub actions: Vec<Action>,
    /// When [`Event::TimePassed`] is to be told next; none when it would change nothing.
    pub due: Option<Timestamp>,
}

impl Dunning {
    /// Of one who owes nothing.
    pub const CURRENT: Self = Self { stage: Stage::Current, clock: Clock::Running { due: None } };

    /// Puts together what was stored.
    ///
    /// # Errors
    /// [`Impossible`] where nobody could get.
    pub const fn new(stage: Stage, clock: Clock) -> Result<Self, Impossible> {
        let waits = match clock {
            Clock::Running { due } => due.is_some(),
            Clock::Held { left, .. } => left.is_some(),
        };
        if waits == stage.waits() { Ok(Self { stage, clock }) } else { Err(Impossible(stage, clock)) }
    }

    /// How far it has come.
    pub const fn stage(self) -> Stage {
        self.stage
    }

    /// When it goes on.
    pub const fn clock(self) -> Clock {
        self.clock
    }

    /// What follows from an event at a moment. Total: every state knows every event.
    #[must_use]
    pub fn next(self, event: Event, now: Timestamp, policy: &Policy) -> Next {
        let clock = match event {
            Event::PausedByOperator => self.clock.held(Hold::Operator, now),
            Event::DisputeOpened => self.clock.held(Hold::Dispute, now),
            Event::Unpaused => self.clock.released(Hold::Operator, now),
            Event::DisputeWon | Event::DisputeLost => self.clock.released(Hold::Dispute, now),
            _ => self.clock,
        };
        let means_something = match event {
            Event::TimePassed => clock.is_due(now),
            // Told again, it is about money that was dealt with already.
            Event::DisputeLost => self.clock.is_held_by(Hold::Dispute),
            _ => true,
        };
        let stage = if means_something { self.stage.after(event, policy) } else { None };
        let Some(stage) = stage else {
            let state = Self { clock, ..self };
            return Next { state, actions: Vec::new(), due: state.due() };
        };
        let state = Self { stage, clock: clock.set(stage.lasts(policy), now) };
        let quiet = matches!(clock, Clock::Held { .. });
        let mut actions = stage.upon_entering(self.stage, now, policy);
        actions.retain(|action| !(quiet && matches!(action, Action::SendReminder(_))));
        Next { state, actions, due: state.due() }
    }

    /// When the next step is due, if time passes.
    pub const fn due(self) -> Option<Timestamp> {
        match self.clock {
            Clock::Running { due } => due,
            Clock::Held { .. } => None,
        }
    }
}

impl TryFrom<Parts> for Dunning {
    type Error = Impossible;
    fn try_from(parts: Parts) -> Result<Self, Impossible> {
        Self::new(parts.stage, parts.clock)
    }
}

impl From<Dunning> for Parts {
    fn from(Dunning { stage, clock }: Dunning) -> Self {
        Self { stage, clock }
    }
}

impl Stage {
    /// The stage that an event leads to; none when it changes nothing.
    fn after(self, event: Event, policy: &Policy) -> Option<Self> {
        match event {
            Event::ChargeFailed => match self {
                Self::Current => Some(Self::failed(1, policy)),
                // Elsewhere nobody asked for a charge: the same failure was told again.
                Self::Charging { failures } => Some(Self::failed(failures.saturating_add(1), policy)),
                _ => None,
            },
            Event::Overdue | Event::DisputeLost => (self == Self::Current).then(|| Self::reminded(1, policy)),
            Event::Paid => {
                let stays = matches!(self, Self::Current | Self::Deleted);
                (!stays).then_some(Self::Current)
            }
            Event::TimePassed => self.when_due(policy),
            Event::PausedByOperator | Event::Unpaused | Event::DisputeOpened | Event::DisputeWon => None,
        }
    }

    fn when_due(self, policy: &Policy) -> Option<Self> {
        match self {
            Self::Current | Self::Deleted => None,
            Self::Retrying { failures } => Some(Self::Charging { failures }),
            Self::Charging { failures } => Some(Self::failed(failures.saturating_add(1), policy)),
            Self::Reminded { reminders } => Some(Self::reminded(reminders.saturating_add(1), policy)),
            Self::Grace => Some(Self::Suspended),
            Self::Suspended => Some(Self::Cancelled {}),
            Self::Cancelled {} => Some(Self::DeletionAnnounced {}),
            Self::DeletionAnnounced {} => Some(Self::Deleted),
        }
    }

    fn failed(failures: u8, policy: &Policy) -> Self {
        let tries = policy.retry_after_days.len();
        // One that can't be counted further is the last, so that no policy keeps anybody here for ever.
        let more = nth(failures) < tries && failures < u8::MAX;
        if more { Self::Retrying { failures } } else { Self::reminded(1, policy) }
    }

    fn reminded(reminders: u8, policy: &Policy) -> Self {
        let more = nth(reminders) < policy.reminder_days.len() && reminders < u8::MAX;
        if more { Self::Reminded { reminders } } else { Self::Grace }
    }

    /// For how long, in days; none where nothing is waited for.
    fn lasts(self, policy: &Policy) -> Option<u16> {
        // A policy that became shorter meanwhile has no number left for this step: it is over at once.
        let numbered = |days: &[u16], number| days.get(nth(number)).copied().unwrap_or(0);
        match self {
            Self::Current | Self::Deleted => None,
            Self::Retrying { failures } => Some(numbered(&policy.retry_after_days, failures)),
            Self::Charging { .. } => Some(policy.answer_days),
            Self::Reminded { reminders } => Some(numbered(&policy.reminder_days, reminders)),
            Self::Grace => Some(policy.grace_days),
            Self::Suspended => Some(policy.suspended_days),
            Self::Cancelled {} => Some(policy.cancelled_days),
            Self::DeletionAnnounced {} => Some(policy.notice_days.get()),
        }
    }

    fn upon_entering(self, before: Self, now: Timestamp, policy: &Policy) -> Vec<Action> {
        match self {
            Self::Current if before.is_closed() => vec![Action::Restore],
            Self::Current => Vec::new(),
            Self::Retrying { .. } => vec![Action::SendReminder(Reminder::ChargeFailed)],
            Self::Charging { .. } => vec![Action::RetryCharge],
            Self::Reminded { reminders } => vec![Action::SendReminder(Reminder::Overdue { number: reminders })],
            Self::Grace => vec![Action::SendReminder(Reminder::BeforeSuspension)],
            Self::Suspended => vec![Action::Suspend, Action::SendReminder(Reminder::Suspended)],
            Self::Cancelled {} => vec![Action::Cancel, Action::SendReminder(Reminder::Cancelled)],
            Self::DeletionAnnounced {} => {
                vec![Action::AnnounceDeletion { at: later(now, days(policy.notice_days.get())) }]
            }
            Self::Deleted => vec![Action::Delete],
        }
    }

    /// Whether time alone leads on from here.
    const fn waits(self) -> bool {
        !matches!(self, Self::Current | Self::Deleted)
    }

    /// Whether nobody can enter, and nothing but a step back changes that.
    const fn is_closed(self) -> bool {
        matches!(self, Self::Suspended | Self::Cancelled {} | Self::DeletionAnnounced {})
    }
}

impl Clock {
    fn held(self, hold: Hold, now: Timestamp) -> Self {
        match self {
            Self::Running { due } => Self::Held { by: hold, left: due.map(|due| left_until(due, now)) },
            Self::Held { by, left } => Self::Held { by: if by == hold { by } else { Hold::Both }, left },
        }
    }

    fn released(self, hold: Hold, now: Timestamp) -> Self {
        match self {
            Self::Held { by: Hold::Both, left } => {
                let by = if hold == Hold::Operator { Hold::Dispute } else { Hold::Operator };
                Self::Held { by, left }
            }
            Self::Held { by, left } if by == hold => Self::Running { due: left.map(|left| later(now, left)) },
            other => other,
        }
    }

    /// The same clock, for a step that lasts so many days.
    fn set(self, lasts: Option<u16>, now: Timestamp) -> Self {
        let left = lasts.map(days);
        match self {
            Self::Running { .. } => Self::Running { due: left.map(|left| later(now, left)) },
            Self::Held { by, .. } => Self::Held { by, left },
        }
    }

    fn is_held_by(self, hold: Hold) -> bool {
        matches!(self, Self::Held { by, .. } if by == hold || by == Hold::Both)
    }

    fn is_due(self, now: Timestamp) -> bool {
        matches!(self, Self::Running { due: Some(due) } if due <= now)
    }
}

/// Where in a list something stands that is counted from 1.
fn nth(number: u8) -> usize {
    usize::from(number.saturating_sub(1))
}

fn days(count: u16) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(count))
}

/// At the end of the calendar it stays there.
fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn left_until(due: Timestamp, now: Timestamp) -> SignedDuration {
    now.duration_until(due).max(SignedDuration::ZERO)
}
