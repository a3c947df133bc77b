use serde::{Deserialize, Serialize};

/// One thing that was taken away, for the record that a deletion leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Its kind, in words for the customer: `process`, `data folder`, `hostname`.
    pub kind: String,
    /// Which one.
    pub name: String,
}

impl Removed {
    /// Names what was removed.
    pub fn new(kind: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind: kind.into(), name: name.into() }
    }
}
