//! Who asked for an end, when, and why, where they said so. Nobody has to: a question that is not answered, or answered
//! with what we do not know, is no obstacle. Entries are only added, also where the end is taken back later.

pub(crate) mod store;

use ::store::Tx;
use ::store::sqlx::Error;
use domain::{CustomerId, InstanceId, LeavingReason};
use jiff::Timestamp;

use crate::app::Core;

/// So much of a comment is kept.
const LONGEST_COMMENT: usize = 1_000;

/// Which end was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// At the end of what is paid for.
    Cancellation,
    /// Now.
    Deletion,
}

/// What somebody said who leaves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Farewell {
    reason: Option<LeavingReason>,
    comment: Option<String>,
}

/// Somebody who said something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub customer: CustomerId,
    pub at: Timestamp,
    pub reason: Option<LeavingReason>,
    pub comment: String,
}

impl Way {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Cancellation => "cancellation",
            Self::Deletion => "deletion",
        }
    }
}

impl Farewell {
    /// What was given. A comment is cut where it is too long, and one without any words is none.
    pub(crate) fn of(reason: Option<LeavingReason>, comment: Option<&str>) -> Self {
        let readable = |text: &str| -> String {
            let shown = text.trim().chars().filter(|c| *c == '\n' || !c.is_control());
            shown.take(LONGEST_COMMENT).collect()
        };
        Self { reason, comment: comment.map(readable).filter(|text| !text.is_empty()) }
    }

    /// What was entered in a form, where a word that is no reason says nothing.
    pub(crate) fn entered(reason: &str, comment: &str) -> Self {
        Self::of(LeavingReason::parse(reason).ok(), Some(comment))
    }
}

/// Notes that somebody asked for an end, in the transaction that begins it.
pub(crate) async fn note(
    tx: &mut Tx,
    core: &Core,
    instance: InstanceId,
    way: Way,
    farewell: &Farewell,
    by: &str,
) -> Result<(), Error> {
    store::insert(tx, instance, way, farewell, (core.clock.now(), by)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_answered_or_not_is_no_obstacle() {
        assert_eq!(Farewell::entered("", "  "), Farewell::default());
        assert_eq!(Farewell::entered("bored\u{0}", "\u{7}"), Farewell::default());
        let said = Farewell::entered("too_hard", " I\ngot \u{1b}[31mlost ");
        assert_eq!(said.reason, Some(LeavingReason::TooHard));
        assert_eq!(said.comment.as_deref(), Some("I\ngot [31mlost"));
        let long = Farewell::entered("other", &"ü".repeat(5_000));
        assert_eq!(long.comment.map(|text| text.chars().count()), Some(LONGEST_COMMENT));
    }
}
