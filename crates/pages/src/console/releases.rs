use askama::Template;
use fleet::{Stage, Version};
use jiff::Timestamp;

use super::instances::Fact;
use crate::page::page;
use crate::shell::Shell;

/// The versions of the application.
#[derive(Debug, Clone, Template)]
#[template(path = "console/releases.html")]
pub struct ConsoleReleases {
    /// What surrounds the page.
    pub shell: Shell,
    /// The releases, newest first.
    pub releases: Vec<ReleaseRow>,
    /// Whether the reader may add one, at `/admin/releases/new`.
    pub may_add: bool,
    /// Where the next ones are.
    pub next: Option<String>,
}

/// One release in a list; shown at `/admin/releases/<version>`.
#[derive(Debug, Clone)]
pub struct ReleaseRow {
    /// How it is called.
    pub version: Version,
    /// Whose instances it may reach.
    pub stage: Stage,
    /// Whether it is not to be used any more.
    pub is_withdrawn: bool,
    /// For which stages it is current.
    pub current_for: Vec<Stage>,
    /// How many instances run it.
    pub instances: u32,
    /// When it was added.
    pub made_at: Timestamp,
    /// By whom.
    pub made_by: String,
}

/// One release. It is promoted and withdrawn at `<url>/promote` and `<url>/withdraw`, each first with a page that asks.
#[derive(Debug, Clone, Template)]
#[template(path = "console/release.html")]
pub struct ConsoleRelease {
    /// What surrounds the page.
    pub shell: Shell,
    /// What the list says of it.
    pub release: ReleaseRow,
    /// What it is made of.
    pub facts: Vec<Fact>,
    /// What changed, as customers read it.
    pub notes: String,
    /// Why it is not to be used any more, and since when.
    pub withdrawn: Option<(Timestamp, String)>,
    /// What shows that it works.
    pub proofs: Vec<ProofRow>,
    /// How it came to its stages.
    pub promotions: Vec<PromotionRow>,
    /// Whether the reader may promote, withdraw and roll it out.
    pub may_change: bool,
}

/// What shows that a release works at a stage.
#[derive(Debug, Clone)]
pub struct ProofRow {
    /// At which.
    pub stage: Stage,
    /// In which installation.
    pub environment: String,
    /// When.
    pub at: Timestamp,
    /// Who says so.
    pub by: String,
    /// In words.
    pub detail: String,
}

/// How a release came to a stage.
#[derive(Debug, Clone)]
pub struct PromotionRow {
    /// The stage.
    pub to: Stage,
    /// When.
    pub at: Timestamp,
    /// Who promoted it.
    pub by: String,
    /// Why it went on without a proof.
    pub without_proof: Option<String>,
}

/// Adds a release: `POST /admin/releases` with the fields as they are called here; versions with commas between.
#[derive(Debug, Clone, Template)]
#[template(path = "console/new_release.html")]
pub struct ConsoleNewRelease {
    /// What surrounds the page.
    pub shell: Shell,
    /// Whether instances are containers: then an image is asked for, else a command.
    pub is_container: bool,
    /// What was entered, or is proposed.
    pub values: ReleaseValues,
    /// Why it was refused.
    pub error: Option<String>,
}

/// A release as it is entered.
#[derive(Debug, Clone, Default)]
pub struct ReleaseValues {
    /// How it is called.
    pub version: String,
    /// The image, or the command.
    pub runs: String,
    /// The path that answers once the application is well.
    pub health_path: String,
    /// What changed.
    pub notes: String,
    /// The versions that it can follow; empty for all.
    pub upgrades_from: String,
}

/// Asks whether a release shall go to the next stage. Posts `from` and, where it is not proven, `reason`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/promote_release.html")]
pub struct ConfirmPromote {
    /// What surrounds the page.
    pub shell: Shell,
    /// The release.
    pub version: Version,
    /// Where it is.
    pub from: Stage,
    /// Where it would go.
    pub to: Stage,
    /// Whether it was proven where it is.
    pub is_proven: bool,
}

/// Asks why a release shall not be used any more. Posts `reason`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/withdraw_release.html")]
pub struct ConfirmWithdraw {
    /// What surrounds the page.
    pub shell: Shell,
    /// The release.
    pub version: Version,
    /// How many instances run it.
    pub instances: u32,
}

page!(ConsoleReleases, here: "/admin/rollouts");
page!(ConsoleRelease, here: "/admin/rollouts");
page!(ConsoleNewRelease, here: "/admin/rollouts");
page!(ConfirmPromote, here: "/admin/rollouts");
page!(ConfirmWithdraw, here: "/admin/rollouts");

/// Whose instances a stage has, as a word of its own.
pub(super) fn stage_label(stage: Stage) -> &'static str {
    match stage {
        Stage::Development => "Development",
        Stage::Main => "Main",
        Stage::Customers => "Customers",
    }
}

impl ReleaseRow {
    pub(super) fn stage_label(&self) -> &'static str {
        if self.is_withdrawn { "Withdrawn" } else { stage_label(self.stage) }
    }

    pub(super) fn tone(&self) -> &'static str {
        match self.stage {
            _ if self.is_withdrawn => "off",
            Stage::Customers => "good",
            Stage::Development | Stage::Main => "wait",
        }
    }

    pub(super) fn current(&self) -> String {
        match self.current_for.as_slice() {
            [] => String::new(),
            all if all.len() == Stage::ALL.len() => "everybody".to_owned(),
            some => some.iter().map(|stage| stage.as_str()).collect::<Vec<_>>().join(", "),
        }
    }
}

impl ConsoleRelease {
    fn next_stage(&self) -> Option<&'static str> {
        let next = self.release.stage.following().filter(|_| self.may_change && !self.release.is_withdrawn);
        next.map(Stage::as_str)
    }

    fn may_roll_out(&self) -> bool {
        self.may_change && !self.release.is_withdrawn
    }
}

impl ProofRow {
    fn stage_label(&self) -> &'static str {
        stage_label(self.stage)
    }
}

impl PromotionRow {
    fn stage_label(&self) -> &'static str {
        stage_label(self.to)
    }
}
