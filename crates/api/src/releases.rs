use domain::ReleaseId;
use fleet::{Stage, Version};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError, Page, Paging};

/// One version of the application. But for how far it got, it never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Release {
    /// Its id.
    #[schema(value_type = String)]
    pub id: ReleaseId,
    /// How it is called.
    #[schema(value_type = String, example = "1.4.0")]
    pub version: Version,
    /// Whose instances it may reach: `development`, `main` or `customers`, and those before it.
    #[schema(value_type = String)]
    pub stage: Stage,
    /// The image that is run where instances are containers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The command that is run where they are processes of this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The path that answers below 500 once the application is well.
    pub health_path: String,
    /// Folders of the host that it may read beside the system's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read_only: Vec<String>,
    /// What counts as use of it beside what the guard knows by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity_rules: Option<String>,
    /// What changed, for customers and operators to read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// The versions that it can follow; absent when it can follow all.
    #[schema(value_type = Option<Vec<String>>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upgrades_from: Option<Vec<Version>>,
    /// Who added it.
    pub made_by: String,
    /// When it was added.
    #[schema(value_type = String, format = DateTime)]
    pub made_at: Timestamp,
    /// Why it is not to be used any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Withdrawal>,
    /// The stages whose instances are to run it.
    #[schema(value_type = Vec<String>)]
    pub current_for: Vec<Stage>,
    /// How many instances run it.
    pub instances: u32,
    /// What shows that it works; left out in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proofs: Vec<Proof>,
    /// How it came to its stages; left out in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub promotions: Vec<Promotion>,
}

/// Why a release is not to be used any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Withdrawal {
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// In a sentence.
    pub because: String,
}

/// What shows that a release works at a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Proof {
    /// At which stage.
    #[schema(value_type = String)]
    pub stage: Stage,
    /// In which installation.
    pub environment: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub proven_at: Timestamp,
    /// Who says so.
    pub proven_by: String,
    /// In words: which rollout, how many instances.
    pub detail: String,
}

/// How a release came to a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Promotion {
    /// The stage.
    #[schema(value_type = String)]
    pub to: Stage,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who promoted it.
    pub by: String,
    /// Why it went on without a proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_proof_because: Option<String>,
}

/// Adds a release: exactly one of `image` and `command`. What else is left out is as the server's settings say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRelease {
    /// How it is called: letters, digits and `. - + _`, at most 64.
    #[schema(value_type = String, example = "1.4.0")]
    pub version: Version,
    /// The image to run, named by its digest.
    #[schema(example = "registry.example.com/app@sha256:0123")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The command to run, with `$PORT`, `$DATA` and `$HOSTNAME_PUBLIC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The path that answers below 500 once the application is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_path: Option<String>,
    /// Folders of the host that it may read beside the system's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<Vec<String>>,
    /// What counts as use of it beside what the guard knows by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity_rules: Option<String>,
    /// What changed, for customers and operators to read: at most 4,000 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// The versions that it can follow; left out when it can follow all.
    #[schema(value_type = Option<Vec<String>>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upgrades_from: Option<Vec<Version>>,
}

/// Takes a release to the next stage.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PromoteRelease {
    /// The stage that it is at: so that asking twice does not take it two stages further.
    #[schema(value_type = Option<String>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Stage>,
    /// Why it goes on without a proof. Whoever gives a reason answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_proof_because: Option<String>,
}

/// Takes a release out of use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawRelease {
    /// Why, in a sentence.
    pub because: String,
}

/// The word of another installation that a release works there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProof {
    /// At which stage.
    #[schema(value_type = String)]
    pub stage: Stage,
    /// In which installation: at most 64 characters.
    pub environment: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub proven_at: Timestamp,
    /// In words: which rollout, how many instances. At most 500 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl Client {
    /// The releases, the newest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn releases(&self, paging: &Paging) -> Result<Page<Release>, ClientError> {
        self.get(&["releases"], paging).await
    }

    /// One release, with its proofs and promotions.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is none of that version.
    pub async fn release(&self, version: &str) -> Result<Release, ClientError> {
        self.get(&["releases", version], &()).await
    }

    /// Adds a release, once.
    ///
    /// # Errors
    /// [`ClientError`]; 409 when another release has this version, 422 when it can't be run.
    pub async fn add_release(&self, new: &NewRelease) -> Result<Release, ClientError> {
        self.post(&["releases"], new).await
    }

    /// Takes a release to the next stage.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is none of that version, 409 when it is not proven, withdrawn, or with the
    /// customers already.
    pub async fn promote_release(&self, version: &str, how: &PromoteRelease) -> Result<Release, ClientError> {
        self.post(&["releases", version, "promote"], how).await
    }

    /// Takes a release out of use; instances that run it go on.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is none of that version, 422 without a reason.
    pub async fn withdraw_release(&self, version: &str, why: &WithdrawRelease) -> Result<Release, ClientError> {
        self.post(&["releases", version, "withdraw"], why).await
    }

    /// Brings the word of another installation that a release works there.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is none of that version, 422 when it can't be meant.
    pub async fn prove_release(&self, version: &str, proof: &NewProof) -> Result<Release, ClientError> {
        self.post(&["releases", version, "proofs"], proof).await
    }
}
