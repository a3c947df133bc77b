use std::fmt;

/// Where a workflow stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WorkflowState {
    /// Steps are being done, or wait for their next try.
    Running,
    /// Steps are being taken back.
    Undoing,
    /// Every step is done.
    Done,
    /// It failed and everything begun was taken back.
    Failed,
    /// It can't go on without a person.
    Stuck,
    /// A person gave it up; what it left is theirs to clean.
    Abandoned,
}

impl WorkflowState {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Running, Self::Undoing, Self::Done, Self::Failed, Self::Stuck, Self::Abandoned];

    /// The word that is stored, sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Undoing => "undoing",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Stuck => "stuck",
            Self::Abandoned => "abandoned",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether nothing more happens by itself.
    pub const fn is_over(self) -> bool {
        !matches!(self, Self::Running | Self::Undoing)
    }
}

impl fmt::Display for WorkflowState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
