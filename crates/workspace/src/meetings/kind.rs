//! The meetings there are.

use serde::{Deserialize, Serialize};

use crate::model::{Role, StepKind, Tool};

use super::proposal;

/// What a meeting is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// What is wanted and why.
    Vision,
    /// Which pieces of work that takes.
    Refinement,
    /// What comes next.
    Planning,
    /// What was made.
    Review,
    /// How it went.
    Retrospective,
}

impl Kind {
    /// All of them, in the order in which they usually happen.
    pub const ALL: [Self; 5] = [Self::Vision, Self::Refinement, Self::Planning, Self::Review, Self::Retrospective];

    /// The word in files, forms and addresses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Vision => "vision",
            Self::Refinement => "refinement",
            Self::Planning => "planning",
            Self::Review => "review",
            Self::Retrospective => "retrospective",
        }
    }

    /// The kind of that word, if there is one.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// What it is called.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Vision => "Vision",
            Self::Refinement => "Backlog refinement",
            Self::Planning => "Sprint planning",
            Self::Review => "Sprint review",
            Self::Retrospective => "Retrospective",
        }
    }

    /// What it is for, in a sentence to a person.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::Vision => "Say what you would like to exist, for whom and why.",
            Self::Refinement => "Cut the vision into pieces of work, and say when each is done.",
            Self::Planning => "Choose what is made next.",
            Self::Review => "Look at what was made, and say what should be different.",
            Self::Retrospective => "Look back: what to keep, and what to do differently.",
        }
    }

    /// What is to be talked about, in order.
    #[must_use]
    pub fn agenda(self) -> &'static [&'static str] {
        match self {
            Self::Vision => &["What should exist, and for whom", "What is wrong today", "How success is known"],
            Self::Refinement => &["Which stories the vision takes", "When each of them is done", "Which matter most"],
            Self::Planning => &["Which stories come next", "What could go wrong", "What it may cost"],
            Self::Review => &["What was made, beside its stories", "What should be different"],
            Self::Retrospective => &["What went well", "What did not", "What is done differently from now on"],
        }
    }

    /// Who answers what addresses nobody.
    #[must_use]
    pub fn lead(self) -> Role {
        match self {
            Self::Vision | Self::Refinement => Role::ProjectManager,
            Self::Planning => Role::Architect,
            Self::Review => Role::Tester,
            Self::Retrospective => Role::Scribe,
        }
    }

    /// How the step is named to a model.
    #[must_use]
    pub fn step(self) -> StepKind {
        match self {
            Self::Vision => StepKind::Vision,
            Self::Refinement => StepKind::Refinement,
            Self::Planning => StepKind::Planning,
            Self::Review => StepKind::Review,
            Self::Retrospective => StepKind::Retrospective,
        }
    }

    /// What the team can propose.
    #[must_use]
    pub fn tools(self) -> Vec<Tool> {
        match self {
            Self::Vision => vec![proposal::propose_vision(), proposal::record_decision()],
            Self::Refinement => {
                vec![proposal::propose_stories(), proposal::propose_wireframe(), proposal::record_decision()]
            }
            Self::Planning | Self::Review => {
                vec![proposal::propose_stories(), proposal::record_decision()]
            }
            Self::Retrospective => vec![proposal::record_decision()],
        }
    }
}
