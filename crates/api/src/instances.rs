use domain::{
    BackupId, CustomerId, Email, InstanceId, InstanceState, LeavingReason, ProjectName, Subdomain, WorkflowId,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::page::Filtered;
use crate::{Access, Client, ClientError, Home, Move, Page, Paging, WorkflowAccepted};

/// Asks for an instance. The customer is made when the address is new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInstance {
    /// Who will own and pay for it.
    #[schema(value_type = String, format = Email)]
    pub customer_email: Email,
    /// The first label of its hostname.
    #[schema(value_type = String, example = "acme")]
    pub subdomain: Subdomain,
}

/// Provisioning has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstanceAccepted {
    /// The new instance.
    #[schema(value_type = String)]
    pub id: InstanceId,
    /// The workflow that makes it; follow it at `/workflows/{id}`.
    #[schema(value_type = String)]
    pub workflow_id: WorkflowId,
    /// Where the instance will be.
    pub url: String,
}

/// One customer's copy of the application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Instance {
    /// Names the instance.
    #[schema(value_type = String)]
    pub id: InstanceId,
    /// Its name at the compute provider.
    #[schema(value_type = String, example = "ai-diy-acme")]
    pub project: ProjectName,
    /// The first label of its hostname.
    #[schema(value_type = String, example = "acme")]
    pub subdomain: Subdomain,
    /// The subdomain that it moves to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub next_subdomain: Option<Subdomain>,
    /// The instance that it was made a copy of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub copied_from: Option<InstanceId>,
    /// Where members enter.
    pub url: String,
    /// Whose it is.
    #[schema(value_type = String)]
    pub customer_id: CustomerId,
    /// The address of its owner.
    #[schema(value_type = String, format = Email)]
    pub customer_email: Email,
    /// Where it stands in its life.
    #[schema(value_type = String, example = "active")]
    pub state: InstanceState,
    /// How it was when last looked at; absent when nobody looked yet.
    pub health: Option<Health>,
    /// When it was last looked at.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub observed_at: Option<Timestamp>,
    /// Who looked.
    pub observed_by: Option<String>,
    /// The release it was seen to run.
    pub release: Option<String>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// The workflow that last changed it.
    #[schema(value_type = Option<String>)]
    pub workflow_id: Option<WorkflowId>,
    /// Why it is suspended, as its customer was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended_because: Option<String>,
    /// Its deletion, where one was asked for and can be taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion: Option<AskedDeletion>,
    /// What stands before it; absent where all instances are entered in the same way, and when it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// Where it lives; absent where all instances live in one home, and when it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<Home>,
    /// How its last move to another home stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_move: Option<Move>,
    /// What was taken down, once it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal: Option<RemovalRecord>,
}

/// How an instance was when somebody looked. Unknown is an answer too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Guard and application answer.
    Ok,
    /// The application accepts connections but is slow to answer.
    Busy,
    /// Began a moment ago and does not answer yet.
    Starting,
    /// Does not answer.
    Down,
    /// Stopped until somebody comes.
    Asleep,
    /// Could not be found out.
    Unknown,
}

impl Health {
    /// The word that is stored, sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Busy => "busy",
            Self::Starting => "starting",
            Self::Down => "down",
            Self::Asleep => "asleep",
            Self::Unknown => "unknown",
        }
    }
}

/// Asks for an instance to be taken down, with all its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteInstance {
    /// The instance's subdomain, typed by whoever asks.
    pub confirm: String,
    /// Whether it begins now, and nobody can take it back; otherwise it waits for the days that the settings say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub now: bool,
    /// Why, where somebody said so; the words are those of a cancellation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub reason: Option<LeavingReason>,
    /// What they said beside it; what is longer than 1,000 characters is cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// What became of a request to take an instance down: one of the two is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeletionAccepted {
    /// The workflow that takes it down, where that has begun; follow it at `/workflows/{id}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub workflow_id: Option<WorkflowId>,
    /// Until when it can be taken back; then it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub deleted_at: Option<Timestamp>,
}

/// A deletion that can be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AskedDeletion {
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub asked_at: Timestamp,
    /// Who asked.
    pub asked_by: String,
    /// Until when it can be taken back; then it is deleted.
    #[schema(value_type = String, format = DateTime)]
    pub deleted_at: Timestamp,
}

/// Asks for an instance to be closed for now, with its data kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SuspendInstance {
    /// Why, in one sentence of at most 300 characters. Its customer reads it.
    pub reason: String,
}

/// Asks for another subdomain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameInstance {
    /// The first label of the hostname it shall have.
    #[schema(value_type = String, example = "acme")]
    pub subdomain: Subdomain,
}

/// Asks for another instance of the same customer that begins with what this one keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyInstance {
    /// The first label of the copy's hostname.
    #[schema(value_type = String, example = "acme-copy")]
    pub subdomain: Subdomain,
    /// The backup that it begins with; without it, one that is taken now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub backup: Option<BackupId>,
}

/// Proof of a deletion: what was taken down, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RemovalRecord {
    /// Who asked.
    pub requested_by: String,
    /// When everything was gone.
    #[schema(value_type = String, format = DateTime)]
    pub finished_at: Timestamp,
    /// One entry for each thing, in the order of removal.
    pub removed: Vec<Removed>,
}

/// One thing that was taken down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Removed {
    /// What kind of thing, such as `data folder` or `hostname`.
    pub kind: String,
    /// Which one.
    pub name: String,
}

/// Which instances to list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct InstanceFilter {
    /// Only those in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<InstanceState>,
}

impl Client {
    /// The instances, newest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn instances(&self, filter: &InstanceFilter, paging: &Paging) -> Result<Page<Instance>, ClientError> {
        self.get(&["instances"], &Filtered { filter, paging }).await
    }

    /// One instance. `instance` is an id, a project name or a subdomain.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance.
    pub async fn instance(&self, instance: &str) -> Result<Instance, ClientError> {
        self.get(&["instances", instance], &()).await
    }

    /// Asks for an instance. With a key, asking again gives the same instance.
    ///
    /// # Errors
    /// [`ClientError`]; 409 when the subdomain is taken, 422 when it can't be had.
    pub async fn create_instance(
        &self,
        new: &NewInstance,
        idempotency_key: Option<&str>,
    ) -> Result<InstanceAccepted, ClientError> {
        self.post_once(&["instances"], new, idempotency_key).await
    }

    /// Asks for an instance to be taken down with all its data, now or when nobody has taken it back in time.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 422 when the confirmation does not fit.
    pub async fn delete_instance(
        &self,
        instance: &str,
        confirmation: &DeleteInstance,
    ) -> Result<DeletionAccepted, ClientError> {
        self.delete(&["instances", instance], confirmation).await
    }

    /// Takes a deletion back that has not begun.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 409 when it is not to be deleted, or is being removed.
    pub async fn take_deletion_back(&self, instance: &str) -> Result<Instance, ClientError> {
        self.delete(&["instances", instance, "deletion"], &()).await
    }

    /// Asks for an instance to be closed for now, with its data kept.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 409 when it can't be suspended now.
    pub async fn suspend_instance(
        &self,
        instance: &str,
        why: &SuspendInstance,
    ) -> Result<WorkflowAccepted, ClientError> {
        self.post(&["instances", instance, "suspend"], why).await
    }

    /// Asks for a suspended instance to be opened again.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 409 when it can't be resumed now.
    pub async fn resume_instance(&self, instance: &str) -> Result<WorkflowAccepted, ClientError> {
        self.post(&["instances", instance, "resume"], &()).await
    }

    /// Asks for an instance to move to another subdomain. It stays where it is until the new address
    /// answers.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 409 when the name is taken or can't be
    /// changed now.
    pub async fn rename_instance(
        &self,
        instance: &str,
        wanted: &RenameInstance,
    ) -> Result<WorkflowAccepted, ClientError> {
        self.post(&["instances", instance, "rename"], wanted).await
    }

    /// Asks for a copy of an instance, with a subscription and a bill of its own. With a key, asking again gives the same
    /// copy.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance or backup, 409 when it can't be copied now or the name is taken.
    pub async fn copy_instance(
        &self,
        instance: &str,
        wanted: &CopyInstance,
        idempotency_key: Option<&str>,
    ) -> Result<InstanceAccepted, ClientError> {
        self.post_once(&["instances", instance, "copies"], wanted, idempotency_key).await
    }

    /// The last lines that an instance wrote.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance.
    pub async fn instance_logs(&self, instance: &str, lines: u32) -> Result<String, ClientError> {
        self.get_text(&["instances", instance, "logs"], &[("lines", lines)]).await
    }
}
