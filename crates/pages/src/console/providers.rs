use askama::Template;
use domain::Cents;
use jiff::Timestamp;

use crate::page::page;
use crate::shell::Shell;
use crate::status::Condition;

/// The providers in use, and what is left behind, missing or changed there.
#[derive(Debug, Clone, Template)]
#[template(path = "console/providers.html")]
pub struct ConsoleProviders {
    /// What surrounds the page.
    pub shell: Shell,
    /// Those in use.
    pub providers: Vec<ProviderCard>,
    /// What is not as it should be, oldest first.
    pub findings: Vec<FindingRow>,
    /// What those companies say of themselves whose status pages are read.
    pub said: Vec<SaidRow>,
    /// The instances that are made ahead of their customers.
    pub pool: Option<PoolCard>,
    /// When every provider was looked at; `None` while one of them never was.
    pub looked_at: Option<Timestamp>,
    /// The currency of what things cost, such as `usd`.
    pub currency: String,
}

/// What a company says of itself.
#[derive(Debug, Clone)]
pub struct SaidRow {
    /// Which company.
    pub name: String,
    /// How well it says that it is.
    pub condition: Condition,
    /// In its own words.
    pub words: String,
    /// When that was read.
    pub at: Timestamp,
    /// Why the latest try to read it came to nothing.
    pub trouble: Option<String>,
}

/// The instances that are made ahead of their customers.
#[derive(Debug, Clone)]
pub struct PoolCard {
    /// How many are to be ready.
    pub size: u32,
    /// How many are.
    pub ready: u32,
    /// What those that exist cost a month.
    pub monthly_cost: Option<Cents>,
    /// Those that exist and are no customer's, oldest first.
    pub rows: Vec<PoolRow>,
}

/// An instance that is no customer's yet.
#[derive(Debug, Clone)]
pub struct PoolRow {
    /// The hostname on which its customer starts.
    pub name: String,
    /// Its project.
    pub project: String,
    /// `preparing`, `ready` or `discarding`.
    pub state: String,
    /// Since when.
    pub since: Timestamp,
    /// What it costs a month.
    pub monthly_cost: Option<Cents>,
}

/// One provider.
#[derive(Debug, Clone)]
pub struct ProviderCard {
    /// What it is there for, such as `Compute`.
    pub role: String,
    /// Its driver.
    pub name: String,
    /// Whether it can be used, point by point.
    pub checks: Vec<CheckRow>,
    /// When that was checked.
    pub checked_at: Option<Timestamp>,
    /// The limits that it sets.
    pub ceilings: Vec<CeilingRow>,
    /// Why the latest look at it came to nothing.
    pub trouble: Option<String>,
    /// Who stands in line there, in a sentence.
    pub line: Option<String>,
}

/// One thing that was checked.
#[derive(Debug, Clone)]
pub struct CheckRow {
    /// What was looked at.
    pub name: String,
    /// How it is.
    pub verdict: CheckVerdict,
    /// What was seen.
    pub found: String,
    /// What to do about it; empty when all is well.
    pub advice: String,
}

/// How a checked thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckVerdict {
    /// As it should be.
    Ok,
    /// It works, but somebody should know.
    Warn,
    /// It does not work.
    Fail,
}

/// One limit.
#[derive(Debug, Clone)]
pub struct CeilingRow {
    /// Of what.
    pub name: String,
    /// How much is used.
    pub used: u64,
    /// How much there is.
    pub limit: u64,
    /// What to do before it is reached.
    pub advice: String,
    /// When what is used comes back by itself.
    pub renews_at: Option<Timestamp>,
    /// When it was read.
    pub observed_at: Timestamp,
}

/// Something that is not as it should be. Its repair is asked for at `<url>/repair`, first with a page
/// that asks for confirmation.
#[derive(Debug, Clone)]
pub struct FindingRow {
    /// How it differs: `Left behind`, `Missing`, `Changed`.
    pub class: FindingClass,
    /// Which provider's.
    pub provider: String,
    /// What it is, such as `project`.
    pub kind: String,
    /// What people know it by.
    pub name: String,
    /// What is the matter.
    pub words: String,
    /// What to do.
    pub advice: String,
    /// Why its last repair came to nothing.
    pub trouble: Option<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Since when it is seen.
    pub first_seen_at: Timestamp,
    /// What it costs a month.
    pub monthly_cost: Option<Cents>,
    /// Where its repair is asked for; `None` where only a person can put it right.
    pub repair_url: Option<String>,
    /// Where its latest repair can be followed.
    pub workflow_url: Option<String>,
    /// Whether its repair removes something for good.
    pub removes: bool,
}

/// How something differs from what should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingClass {
    /// It exists, and no instance wants it.
    Orphan,
    /// An instance wants it, and it does not exist.
    Missing,
    /// It exists, and is not as it should be.
    Drifted,
}

/// Asks whether a finding shall really be repaired. Posts nothing but itself.
#[derive(Debug, Clone, Template)]
#[template(path = "console/confirm_repair.html")]
pub struct ConfirmRepair {
    /// What surrounds the page.
    pub shell: Shell,
    /// What would be repaired.
    pub finding: FindingRow,
    /// Where it is asked for.
    pub url: String,
}

page!(ConsoleProviders, here: "/admin/providers");
page!(ConfirmRepair, here: "/admin/providers");

impl ConsoleProviders {
    fn cost(&self, monthly: &Option<Cents>) -> Option<String> {
        monthly.map(|cents| format!("{cents} {} a month", self.currency.to_uppercase()))
    }
}

impl PoolRow {
    fn label(&self) -> &'static str {
        match self.state.as_str() {
            "ready" => "Ready",
            "preparing" => "Being made",
            _ => "Being taken down",
        }
    }

    fn tone(&self) -> &'static str {
        if self.state == "ready" { "good" } else { "wait" }
    }
}

impl CheckVerdict {
    fn label(self) -> &'static str {
        match self {
            Self::Ok => "Fine",
            Self::Warn => "Look at it",
            Self::Fail => "Does not work",
        }
    }

    fn tone(self) -> &'static str {
        match self {
            Self::Ok => "good",
            Self::Warn => "wait",
            Self::Fail => "bad",
        }
    }
}

impl CeilingRow {
    /// From here on the bar says that the limit comes near.
    fn near(&self) -> u64 {
        self.limit - self.limit / 5
    }

    fn is_near(&self) -> bool {
        self.used >= self.near()
    }
}

impl FindingClass {
    fn label(self) -> &'static str {
        match self {
            Self::Orphan => "Left behind",
            Self::Missing => "Missing",
            Self::Drifted => "Changed",
        }
    }

    fn tone(self) -> &'static str {
        match self {
            Self::Orphan | Self::Drifted => "wait",
            Self::Missing => "bad",
        }
    }
}
