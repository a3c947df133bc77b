use jiff::Timestamp;

/// Where an instance stands with the isolation prover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IsolationStanding {
    /// Its turn is still to come.
    Waiting,
    /// Whatever was tried was refused.
    Proven,
    /// Nothing can be said.
    NotProven,
    /// Something was not refused.
    Breached,
}

/// What a customer reads of how their workspace is walled off from all others.
#[derive(Debug, Clone, Default)]
pub struct IsolationNote {
    /// When it was last proven.
    pub proven_at: Option<Timestamp>,
    /// By how many refused attempts.
    pub refused: u64,
    /// The members of so many other workspaces were among those who tried.
    pub neighbours: u64,
    /// What was found since, if that is something else: when, and in words.
    pub since: Option<(Timestamp, String)>,
    /// Whether somebody was not refused since.
    pub is_breached: bool,
}

impl IsolationStanding {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Waiting => "To come",
            Self::Proven => "Proven",
            Self::NotProven => "Not proven",
            Self::Breached => "Somebody got in",
        }
    }

    pub(crate) fn tone(self) -> &'static str {
        match self {
            Self::Waiting => "wait",
            Self::Proven => "good",
            Self::NotProven => "off",
            Self::Breached => "bad",
        }
    }
}

impl IsolationNote {
    pub(crate) fn attempts(&self) -> String {
        if self.refused == 1 { "1 refused attempt".to_owned() } else { format!("{} refused attempts", self.refused) }
    }

    pub(crate) fn by_whom(&self) -> String {
        match self.neighbours {
            0 => "strangers".to_owned(),
            1 => "strangers and of a test member of 1 other workspace".to_owned(),
            number => format!("strangers and of test members of {number} other workspaces"),
        }
    }
}
