use domain::{Cents, InstanceId, WorkflowId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::page::Filtered;
use crate::{Client, ClientError, Page, Paging, WorkflowAccepted};

/// A provider in use: how it is, and how much more it takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Provider {
    /// What it is there for: `compute`, `edge`, `payments` or `mail`.
    pub role: String,
    /// Its driver: `railway`, `builtin`, …
    pub name: String,
    /// When what exists there was last compared with the store.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub observed_at: Option<Timestamp>,
    /// Why the latest look at it came to nothing.
    pub trouble: Option<String>,
    /// Whether it can be used.
    pub checks: Vec<ProviderCheck>,
    /// When that was checked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub checked_at: Option<Timestamp>,
    /// The limits that it sets.
    pub ceilings: Vec<Ceiling>,
    /// The line in which those stand for whom it makes something only once in a while.
    pub line: Option<ProviderLine>,
}

/// One thing that was checked of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderCheck {
    /// What was looked at.
    pub name: String,
    /// How it is.
    pub verdict: CheckVerdict,
    /// What was seen, in one sentence.
    pub found: String,
    /// What to do about it; empty when all is well.
    pub advice: String,
}

/// How a checked thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckVerdict {
    /// As it should be.
    Ok,
    /// It works, but somebody should know.
    Warn,
    /// It does not work.
    Fail,
}

impl CheckVerdict {
    /// The word that is sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// A limit that a provider sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ceiling {
    /// Of what.
    pub name: String,
    /// How much is used.
    pub used: u64,
    /// How much there is.
    pub limit: u64,
    /// How much one more instance takes.
    pub per_instance: u64,
    /// What to do before it is reached.
    pub advice: String,
    /// When what is used comes back by itself. Such a ceiling turns nobody away.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub renews_at: Option<Timestamp>,
    /// When it was read.
    #[schema(value_type = String, format = DateTime)]
    pub observed_at: Timestamp,
}

/// A line in which those stand for whom a provider makes something only once in a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderLine {
    /// How many stand in it.
    pub length: u32,
    /// How many seconds each of them takes.
    pub seconds_each: u64,
}

/// Something at a provider that is not as the store says it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// Names it; the same for the same thing each time that it is seen.
    pub id: String,
    /// How it differs.
    pub class: FindingClass,
    /// What the provider is there for.
    pub role: String,
    /// The provider's driver.
    pub provider: String,
    /// What it is: `project`, `hostname`, `subscription`, …
    pub kind: String,
    /// What people know it by.
    pub name: String,
    /// The provider's id of it; of what is missing, the instance's.
    pub external_id: String,
    /// The instance that its mark names.
    #[schema(value_type = Option<String>)]
    pub instance_id: Option<InstanceId>,
    /// What is the matter, in a sentence.
    pub words: String,
    /// What to do about it.
    pub advice: String,
    /// Whether it can be repaired in one step from here.
    pub may_repair: bool,
    /// Whether its repair removes something for good.
    pub removes: bool,
    /// When it was made, where the provider tells.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_at: Option<Timestamp>,
    /// What it costs a month in cents, where that is known.
    #[schema(value_type = Option<i64>)]
    pub monthly_cents: Option<Cents>,
    /// Since when it is seen.
    #[schema(value_type = String, format = DateTime)]
    pub first_seen_at: Timestamp,
    /// When it was last seen.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen_at: Timestamp,
    /// Since when it is not seen any more.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub gone_at: Option<Timestamp>,
    /// When it was repaired, if it was.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub repaired_at: Option<Timestamp>,
    /// Why its last repair came to nothing.
    pub trouble: Option<String>,
    /// Its latest repair.
    #[schema(value_type = Option<String>)]
    pub workflow_id: Option<WorkflowId>,
}

/// How something at a provider differs from what should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingClass {
    /// It exists, and no instance wants it.
    Orphan,
    /// An instance wants it, and it does not exist.
    Missing,
    /// It exists, and is not as it should be.
    Drifted,
}

impl FindingClass {
    /// The word that is sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Orphan => "orphan",
            Self::Missing => "missing",
            Self::Drifted => "drifted",
        }
    }
}

/// Whether a finding is still seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// The last look showed it.
    Open,
    /// It is not seen any more.
    Closed,
}

impl FindingState {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Open, Self::Closed];

    /// The word that is sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// Which findings to list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct FindingFilter {
    /// Only those in this state; without it the open ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<FindingState>,
}

impl Client {
    /// The providers in use.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn providers(&self) -> Result<Page<Provider>, ClientError> {
        self.get(&["providers"], &()).await
    }

    /// What was found at the providers: open findings the oldest first, closed ones the latest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn findings(&self, filter: &FindingFilter) -> Result<Page<Finding>, ClientError> {
        self.get(&["providers", "findings"], &Filtered { filter, paging: &Paging::default() }).await
    }

    /// One finding.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such finding.
    pub async fn finding(&self, id: &str) -> Result<Finding, ClientError> {
        self.get(&["providers", "findings", id], &()).await
    }

    /// Puts a finding right, which may remove something for good.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such finding, 409 when it can't be repaired.
    pub async fn repair_finding(&self, id: &str) -> Result<WorkflowAccepted, ClientError> {
        self.post(&["providers", "findings", id, "repair"], &()).await
    }

    /// Looks at all providers now.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn sweep_providers(&self) -> Result<WorkflowAccepted, ClientError> {
        self.post(&["providers", "sweep"], &()).await
    }
}
