use domain::MoveState;
use jiff::Timestamp;

/// Where an instance lives, where there are several homes, and how its last move stands.
#[derive(Debug, Clone)]
pub struct LivesIn {
    /// The home, as people call it.
    pub label: String,
    /// Where it could move to: as the settings name it, and as people call it.
    pub others: Vec<(String, String)>,
    /// Its last move.
    pub last: Option<MoveNote>,
}

/// How a move stands.
#[derive(Debug, Clone)]
pub struct MoveNote {
    /// Where it stands.
    pub state: MoveState,
    /// Where the instance was, as people call it.
    pub from: String,
    /// Where it moves, or moved.
    pub to: String,
    /// Since when it stands so.
    pub since: Timestamp,
    /// What is done at this moment, in words.
    pub doing: Option<String>,
    /// Whether the last attempt came to nothing.
    pub has_failed: bool,
    /// Why, for operators alone.
    pub why: Option<String>,
}

impl LivesIn {
    /// The move that is under way.
    pub(crate) fn under_way(&self) -> Option<&MoveNote> {
        let works = |state| matches!(state, MoveState::Moving | MoveState::Returning | MoveState::Settling);
        self.last.as_ref().filter(|last| works(last.state))
    }

    /// The move whose former place is kept until somebody decides.
    pub(crate) fn kept(&self) -> Option<&MoveNote> {
        self.last.as_ref().filter(|last| last.state == MoveState::Kept)
    }

    /// The move that came to nothing, if nothing came after it.
    pub(crate) fn failed(&self) -> Option<&MoveNote> {
        self.last.as_ref().filter(|last| last.has_failed)
    }
}

impl MoveNote {
    /// What is going on, in a sentence.
    pub(crate) fn in_words(&self) -> String {
        let Self { from, to, .. } = self;
        match self.state {
            MoveState::Moving => format!("It is moving from {from} to {to}."),
            MoveState::Returning => {
                format!("It is moving back from {to} to {from}, with everything that was written since.")
            }
            MoveState::Settling => format!("Its former place in {from} is being removed."),
            MoveState::Kept => format!("It moved from {from} to {to}. Its former place in {from} is kept, at rest."),
            MoveState::Settled => format!("It moved from {from} to {to}."),
            MoveState::Returned => format!("It was to move from {from} to {to}, and is where it was."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_is_told_by_where_it_stands() {
        let note = |state| MoveNote {
            state,
            from: "Oregon".to_owned(),
            to: "Frankfurt".to_owned(),
            since: Timestamp::UNIX_EPOCH,
            doing: None,
            has_failed: false,
            why: None,
        };
        for state in MoveState::ALL {
            let lives_in = LivesIn { label: "Oregon".to_owned(), others: Vec::new(), last: Some(note(state)) };
            assert_eq!(lives_in.under_way().is_some(), !state.is_over() && state != MoveState::Kept, "{state}");
            assert_eq!(lives_in.kept().is_some(), state == MoveState::Kept, "{state}");
            assert!(note(state).in_words().contains("Oregon"), "{state}");
        }
    }
}
