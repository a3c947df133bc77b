use domain::{BackupId, BackupReason, BackupState, InstanceId, WorkflowId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::page::Filtered;
use crate::{Client, ClientError, Page, Paging, WorkflowAccepted};

/// What an instance kept at one moment, kept encrypted with a key of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Backup {
    /// Its id.
    #[schema(value_type = String)]
    pub id: BackupId,
    /// Of which instance.
    #[schema(value_type = String)]
    pub instance_id: InstanceId,
    /// `scheduled`, `before_update`, `requested`, `before_restore` or `before_going_back`.
    #[schema(value_type = String)]
    pub reason: BackupReason,
    /// `taking`, `kept`, `failed` or `removed`.
    #[schema(value_type = String)]
    pub state: BackupState,
    /// What the instance ran then.
    pub version: String,
    /// The driver that keeps it: `folder` or `s3`.
    pub storage: String,
    /// Where that is, as the operator finds it.
    pub place: String,
    /// As of when it is.
    #[schema(value_type = String, format = DateTime)]
    pub begun_at: Timestamp,
    /// Until when it is kept at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// Files in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
    /// Bytes of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_bytes: Option<u64>,
    /// What could not be taken along, such as sockets; the backup itself names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<u64>,
    /// Bytes that it takes where it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The SHA-256 of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Why the last attempt came to nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// When it was last restored into an instance made for that alone, which answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub proven_at: Option<Timestamp>,
    /// When it was last put back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub restored_at: Option<Timestamp>,
}

/// Asks for a backup now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBackup {
    /// Of which instance: id, project name or subdomain.
    pub instance: String,
}

/// Puts a backup in place of what its instance keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreBackup {
    /// The instance's subdomain, to say that it is meant.
    pub confirm: String,
}

/// That a backup was restored into a place made for that alone, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupProof {
    /// The workflow that sees to it.
    #[schema(value_type = String)]
    pub workflow_id: WorkflowId,
    /// Which backup.
    #[schema(value_type = String)]
    pub backup_id: BackupId,
    /// Of which instance.
    #[schema(value_type = String)]
    pub instance_id: InstanceId,
    /// When it was begun.
    #[schema(value_type = String, format = DateTime)]
    pub begun_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// Whether what was restored answered; absent while it is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven: Option<bool>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
}

/// Which backups to list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct BackupFilter {
    /// Only those of this instance: id, project name or subdomain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
}

impl Client {
    /// Backups, newest first.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance.
    pub async fn backups(&self, filter: &BackupFilter, paging: &Paging) -> Result<Page<Backup>, ClientError> {
        self.get(&["backups"], &Filtered { filter, paging }).await
    }

    /// One backup.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such backup.
    pub async fn backup(&self, id: &str) -> Result<Backup, ClientError> {
        self.get(&["backups", id], &()).await
    }

    /// Takes a backup now. While one is being taken, asking again gives that.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 409 where it can't be backed up, or not at this moment.
    pub async fn create_backup(&self, new: &NewBackup) -> Result<WorkflowAccepted, ClientError> {
        self.post(&["backups"], new).await
    }

    /// Restores a backup for a test, into a place made for that alone, which has to answer and is removed again.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such backup, 409 when it is not kept any more.
    pub async fn verify_backup(&self, id: &str) -> Result<WorkflowAccepted, ClientError> {
        self.post(&["backups", id, "verify"], &()).await
    }

    /// Proofs of backups, newest first.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn backup_proofs(&self, paging: &Paging) -> Result<Page<BackupProof>, ClientError> {
        self.get(&["backups", "proofs"], paging).await
    }

    /// Puts a backup back. What the instance keeps until then is backed up first.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such backup, 409 when it is not kept any more or the instance is worked on, 422
    /// when the confirmation does not fit.
    pub async fn restore_backup(
        &self,
        id: &str,
        confirmation: &RestoreBackup,
    ) -> Result<WorkflowAccepted, ClientError> {
        self.post(&["backups", id, "restore"], confirmation).await
    }
}
