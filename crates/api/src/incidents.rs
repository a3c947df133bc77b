use domain::IncidentId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::page::Filtered;
use crate::{Client, ClientError, Page, Paging};

/// What customers are told when something does not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Incident {
    /// Names it.
    #[schema(value_type = String)]
    pub id: IncidentId,
    /// What customers notice, in one line.
    pub title: String,
    /// `minor`, `major` or `critical`.
    pub impact: String,
    /// What it is about: `site`, `sign-in`, `instances`, `provisioning`, `payments`, `mail`, `providers`.
    pub components: Vec<String>,
    /// `investigating`, `identified`, `monitoring` or `resolved`.
    pub state: String,
    /// When it was opened.
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Timestamp,
    /// When it was over.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub resolved_at: Option<Timestamp>,
    /// What was said, earliest first.
    pub updates: Vec<IncidentUpdate>,
}

/// What was said of an incident at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentUpdate {
    /// How far it had come.
    pub state: String,
    /// What was known.
    pub text: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who said it.
    pub author: String,
}

/// Opens an incident. Everybody reads it; name no customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIncident {
    /// What customers notice, in one line of at most 120 characters.
    pub title: String,
    /// `minor`, `major` or `critical`.
    pub impact: String,
    /// What it is about; at least one.
    pub components: Vec<String>,
    /// What is known so far.
    pub text: String,
}

/// Adds an update to an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIncidentUpdate {
    /// How far it has come.
    pub state: String,
    /// What is known.
    pub text: String,
}

/// Which incidents to list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct IncidentFilter {
    /// Only those in this state; `open` for all that are not resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

impl Client {
    /// The incidents, newest first.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn incidents(&self, filter: &IncidentFilter, paging: &Paging) -> Result<Page<Incident>, ClientError> {
        self.get(&["incidents"], &Filtered { filter, paging }).await
    }

    /// One incident.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn incident(&self, id: &str) -> Result<Incident, ClientError> {
        self.get(&["incidents", id], &()).await
    }

    /// Opens an incident.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn open_incident(&self, new: &NewIncident) -> Result<Incident, ClientError> {
        self.post(&["incidents"], new).await
    }

    /// Adds an update to an incident.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn update_incident(&self, id: &str, update: &NewIncidentUpdate) -> Result<Incident, ClientError> {
        self.post(&["incidents", id, "updates"], update).await
    }
}
