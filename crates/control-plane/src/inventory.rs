//! What exists at the providers beside what should: what is left behind, missing or changed there, and
//! how it is put right in one step.

pub(crate) mod compare;
pub(crate) mod remedy;
pub(crate) mod repair;
pub(crate) mod safety;
pub(crate) mod store;
pub(crate) mod sweep;

use std::collections::BTreeSet;

use domain::{Cents, InstanceId, InstanceState};
use jiff::{SignedDuration, Timestamp};

use crate::app::Core;
use crate::instances::{Place, cancellation};
use crate::{backups, pool};
use remedy::Remedy;

/// So long after a change of an instance nothing is said of it: providers' lists lag, and work that has
/// just ended was still under way when they were read.
pub(crate) const GRACE: SignedDuration = SignedDuration::from_mins(10);

/// So long it is remembered for which proof of a backup something was made.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 90);

/// Workflows that neither make nor remove anything at a provider. Whatever else works on an instance is
/// waited for.
const MAKES_NOTHING: [&str; 5] = ["publish-members.v1", "suspend.v1", "resume.v1", "back-up.v1", "restore.v1"];

/// What a provider is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Compute,
    Edge,
    Payments,
}

impl Role {
    pub(crate) const ALL: [Self; 3] = [Self::Compute, Self::Edge, Self::Payments];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Edge => "edge",
            Self::Payments => "payments",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// The driver that plays it.
    pub(crate) fn driver(self, core: &Core) -> &'static str {
        match self {
            Self::Compute => core.drivers.compute.name(),
            Self::Edge => core.drivers.edge.name(),
            Self::Payments => core.drivers.payments.name(),
        }
    }
}

/// How what exists differs from what should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// It exists, and no instance wants it.
    Orphan,
    /// An instance wants it, and it does not exist.
    Missing,
    /// It exists, and is not as it should be.
    Drifted,
}

impl Class {
    const ALL: [Self; 3] = [Self::Orphan, Self::Missing, Self::Drifted];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Orphan => "orphan",
            Self::Missing => "missing",
            Self::Drifted => "drifted",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == word)
    }
}

/// A difference, as one look at a provider shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    pub role: Role,
    pub provider: String,
    pub class: Class,
    /// `project`, `hostname`, `subscription`, …
    pub kind: String,
    /// The provider's id of it; of what is missing, the instance's.
    pub external_id: String,
    pub name: String,
    pub instance: Option<InstanceId>,
    /// What is the matter, in a sentence.
    pub words: String,
    pub remedy: Remedy,
    /// The name that the remedy needs: a project's, or a hostname.
    pub target: String,
    pub created_at: Option<Timestamp>,
    pub monthly_cost: Option<Cents>,
}

impl Difference {
    /// The same for the same thing each time that it is seen. Fit for an address.
    pub(crate) fn id(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
        let id: String = self.external_id.chars().map(plain).collect();
        format!("{}:{}:{id}", self.provider, self.kind)
    }
}

/// A difference as it stands in the store.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub id: String,
    pub difference: Difference,
    pub first_seen_at: Timestamp,
    pub last_seen_at: Timestamp,
    /// When a look did not show it any more.
    pub gone_at: Option<Timestamp>,
    /// When it was repaired, if it was.
    pub repaired_at: Option<Timestamp>,
    /// Why the last repair came to nothing.
    pub trouble: Option<String>,
}

/// What the store knows of an instance that something at a provider may belong to.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub id: InstanceId,
    pub state: InstanceState,
    pub project: String,
    pub hostname: String,
    /// Whether something that makes or removes its things is under way.
    pub is_worked_on: bool,
    /// Whether it changed, or was worked on, within the last [`GRACE`].
    pub is_fresh: bool,
    /// Whether it was made ahead, and is nobody's yet: nobody pays for it, and nobody misses it.
    pub is_warm: bool,
    /// Whether its customer gave it up and its service ended: it has no subscription any more, and its data is kept.
    pub is_given_up: bool,
}

impl Known {
    /// Whether it is to exist at the providers, as a whole.
    pub(crate) fn is_living(&self) -> bool {
        matches!(self.state, InstanceState::Active | InstanceState::Suspended)
    }
}

/// All instances as the store knows them, those of old ones too.
pub(crate) async fn known(core: &Core) -> Result<Vec<Known>, ::store::sqlx::Error> {
    let now = core.clock.now();
    // Instances first: what was under way then is still seen to be, or to have just ended.
    let warm = pool::store::not_claimed(&core.db).await?;
    let rows = store::instances(&core.db).await?;
    let at_work = workflow::at_work_since(&core.db, now - GRACE).await?;
    let under_way = workflow::at_work_since(&core.db, Timestamp::MAX).await?;
    let given_up: BTreeSet<InstanceId> = cancellation::store::ended(&core.db).await?.into_iter().collect();
    let names = |list: &[(String, String)], id: &str| {
        list.iter().any(|(subject, kind)| subject == id && !MAKES_NOTHING.contains(&kind.as_str()))
    };
    let known = |place: &Place, state, touched_at: Timestamp, is_warm| {
        let id = place.id.to_string();
        Known {
            hostname: core.hostname(&place.subdomain),
            is_worked_on: names(&under_way, &id),
            is_fresh: names(&at_work, &id) || touched_at + GRACE > now,
            id: place.id,
            state,
            project: place.project.to_string(),
            is_warm,
            is_given_up: given_up.contains(&place.id),
        }
    };
    // Nobody pays for what is made for a proof, and nobody misses it.
    let proofs = backups::proofs::store::at_large(&core.db, now - REMEMBERED).await?;
    let proofs = proofs.iter().map(|proof| {
        let state = if proof.ended_at.is_some() { InstanceState::Deleted } else { InstanceState::Provisioning };
        known(&proof.place(), state, proof.ended_at.unwrap_or(proof.begun_at), true)
    });
    // One whose order came to nothing is in both, and is to be gone from here on.
    let ahead_of: BTreeSet<InstanceId> = warm.iter().map(|one| one.place.id).collect();
    let instances = rows.iter().filter(|row| !ahead_of.contains(&row.place.id));
    let instances = instances.map(|row| known(&row.place, row.state, row.created_at.max(row.changed_at), false));
    let ahead = warm.iter().filter_map(|one| Some(known(&one.place, one.state.as_instance()?, one.changed_at, true)));
    Ok(instances.chain(ahead).chain(proofs).collect())
}
