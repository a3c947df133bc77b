//! What providers charge us for, and the limits at which they stop.

use domain::{Cents, CustomerId, InstanceId, Micros};
use jiff::Timestamp;

/// Something that a compute provider charges for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// A processor core, for a time.
    Cpu,
    /// A GB of memory, for a time.
    Memory,
    /// A GB of a volume, for a time.
    Disk,
    /// A GB of backups, for a time.
    Backup,
    /// A GB that was sent.
    Egress,
}

impl Resource {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Cpu, Self::Memory, Self::Disk, Self::Backup, Self::Egress];

    /// The word that is stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Disk => "disk",
            Self::Backup => "backup",
            Self::Egress => "egress",
        }
    }

    /// The one that is called so.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|resource| resource.as_str() == word)
    }
}

/// How much of a resource a project used, as its provider counts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metered {
    /// The provider's id of the project.
    pub project: String,
    /// The instance that it bears our mark of; nothing for projects of others, and our own that serve no instance.
    pub instance: Option<InstanceId>,
    /// Of what.
    pub resource: Resource,
    /// In millionths: of a unit held for a minute, or of a GB sent.
    pub quantity: u64,
}

/// What a provider charged in its own period so far, in US dollars, and where it stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spend {
    /// So far. The provider may tell it late.
    pub spent: Micros,
    /// Where it stops everything; nothing when no such limit is set there.
    pub hard_limit: Option<Micros>,
    /// When its period began.
    pub from: Timestamp,
    /// When its period ends.
    pub until: Timestamp,
}

/// What a payment provider kept for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fee {
    /// The provider's id of the entry in its own book.
    pub id: String,
    /// For what: `charge`, `dispute`, …, in the provider's word.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// How much; below nothing where a fee was given back.
    pub amount: Cents,
    /// Of the amount; ISO 4217, lower case.
    pub currency: String,
    /// For whose payment; nothing where it is for no single one.
    pub customer: Option<CustomerId>,
}
