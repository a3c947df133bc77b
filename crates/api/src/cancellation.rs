use domain::{InstanceId, LeavingReason};
use jiff::Timestamp;
use reqwest::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError};

/// How it stands with giving an instance up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cancellation {
    /// Of which instance.
    #[schema(value_type = String)]
    pub instance_id: InstanceId,
    /// `none`, `running_out`, `kept` (it ended, data is kept) or `announced` (its deletion was announced).
    pub stage: String,
    /// When the service ends or ended; while the stage is `none`, when it would end if it were cancelled now.
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
    /// Until when data is kept; while the stage is `none`, until when it would be.
    #[schema(value_type = String, format = DateTime)]
    pub kept_until: Timestamp,
    /// When it was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub requested_at: Option<Timestamp>,
    /// Who cancelled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
    /// What can be done instead where not everything can be downloaded; absent where it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of_download: Option<String>,
}

/// Gives an instance up at the end of what is paid for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelInstance {
    /// Its subdomain, to say that it is meant.
    pub confirm: String,
    /// Why, where somebody said so: `too_expensive`, `not_used`, `missing`, `too_hard`, `unreliable`, `replaced`,
    /// `finished` or `other`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub reason: Option<LeavingReason>,
    /// What they said beside it; what is longer than 1,000 characters is cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A cancellation was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TakenBack {
    /// Of which instance.
    #[schema(value_type = String)]
    pub instance_id: InstanceId,
    /// Whether its service had ended and begins again now; otherwise it goes on as if nothing had been asked for.
    pub returned: bool,
}

impl Client {
    /// How it stands with giving an instance up, or what would happen.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 409 when it is not in use.
    pub async fn cancellation(&self, instance: &str) -> Result<Cancellation, ClientError> {
        self.get(&["instances", instance, "cancellation"], &()).await
    }

    /// Gives an instance up at the end of what is paid for. Asking again changes nothing.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 409 when it is not in use, 422 when the confirmation does not
    /// fit.
    pub async fn cancel_instance(
        &self,
        instance: &str,
        confirmation: &CancelInstance,
    ) -> Result<Cancellation, ClientError> {
        self.post(&["instances", instance, "cancellation"], confirmation).await
    }

    /// Takes a cancellation back.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 409 when it is not cancelled, or an invoice has to be paid
    /// first.
    pub async fn take_cancellation_back(&self, instance: &str) -> Result<TakenBack, ClientError> {
        self.delete(&["instances", instance, "cancellation"], &()).await
    }

    /// Everything that an instance keeps, as a `.tar.gz` that is read piece by piece. It takes as long as it takes: only
    /// silence ends it.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 409 where nothing can be downloaded, 503 while too many are.
    pub async fn download_instance(&self, instance: &str) -> Result<Response, ClientError> {
        self.get_stream(&["instances", instance, "export"]).await
    }
}
