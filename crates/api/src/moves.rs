use domain::{HomeName, MoveState};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError, WorkflowAccepted};

/// A place where instances can live: a region, or a compute driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Home {
    /// As the settings name it; `default` is always there.
    #[schema(value_type = String, example = "frankfurt")]
    pub name: HomeName,
    /// As people call it.
    #[schema(example = "Frankfurt")]
    pub label: String,
}

/// Asks for an instance to move to another home. It is closed for some minutes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMove {
    /// Where it shall live.
    #[schema(value_type = String, example = "frankfurt")]
    pub home: HomeName,
    /// The instance's subdomain, typed by whoever asks.
    pub confirm: String,
}

/// How the last move of an instance stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Move {
    /// The home that it left, or is leaving.
    #[schema(value_type = String, example = "default")]
    pub from: HomeName,
    /// Where it moves, or moved.
    #[schema(value_type = String, example = "frankfurt")]
    pub to: HomeName,
    /// `moving`, `kept` (it is there, and the place that it left is kept until somebody confirms), `settling`, `returning`,
    /// `settled` or `returned`.
    #[schema(value_type = String, example = "kept")]
    pub state: MoveState,
    /// Who asked for it.
    pub asked_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub asked_at: Timestamp,
    /// Since when it stands so.
    #[schema(value_type = String, format = DateTime)]
    pub changed_at: Timestamp,
    /// Why the last attempt came to nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Client {
    /// Asks for an instance to move to another home. Until it answers there, it stays where it is.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 409 when it can't move now, 422 when there is no such home or the
    /// confirmation does not fit.
    pub async fn move_instance(&self, instance: &str, wanted: &NewMove) -> Result<WorkflowAccepted, ClientError> {
        self.post(&["instances", instance, "moves"], wanted).await
    }

    /// Says that a move was right: the place that the instance left is removed.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 409 when nothing of a move is kept.
    pub async fn confirm_move(&self, instance: &str) -> Result<WorkflowAccepted, ClientError> {
        self.post(&["instances", instance, "moves", "confirmation"], &()).await
    }

    /// Takes a move back that nobody confirmed, with everything that was written since.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 409 when nothing of a move is kept or it can't move now.
    pub async fn move_back(&self, instance: &str) -> Result<WorkflowAccepted, ClientError> {
        self.delete(&["instances", instance, "moves"], &()).await
    }
}
