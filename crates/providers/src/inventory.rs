//! What exists at a provider, how much more it takes, and whether it can be used at all.

use domain::{Cents, InstanceId};
use jiff::{SignedDuration, Timestamp};

/// A thing that exists at a provider and bears our mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// `project`, `domain`, `record`, `application`, `subscription`, …
    pub kind: &'static str,
    /// The provider's id of it.
    pub id: String,
    /// What people know it by: a project's name, a hostname.
    pub name: String,
    /// The instance that its mark names, if that can be read.
    pub instance: Option<InstanceId>,
    /// When it was made, where the provider tells.
    pub created_at: Option<Timestamp>,
    /// What it costs a month, where that is known.
    pub monthly_cost: Option<Cents>,
    /// How it differs from what we want, in words; `None` when it is as it should be.
    pub drift: Option<String>,
}

/// A limit that a provider sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ceiling {
    /// `records in the zone`, `Access seats`, …
    pub name: &'static str,
    /// How much is used.
    pub used: u64,
    /// How much there is.
    pub limit: u64,
    /// How much one more instance takes.
    pub per_instance: u64,
    /// When what is used comes back by itself, as calls within an hour do. `None` for what instances
    /// hold as long as they exist.
    pub renews_at: Option<Timestamp>,
    /// What to do before it is reached.
    pub advice: &'static str,
}

/// A line in which those stand for whom something is made that a provider makes only once in a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// How many stand in it.
    pub length: u32,
    /// How long each of them takes.
    pub every: SignedDuration,
}

/// One thing that was checked of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at: `Railway token`, `zone`.
    pub name: String,
    /// How it is.
    pub verdict: Verdict,
    /// What was seen, in one sentence.
    pub found: String,
    /// What to do about it; empty when all is well.
    pub advice: String,
}

/// How a checked thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, but somebody should know.
    Warn,
    /// It does not work.
    Fail,
}
