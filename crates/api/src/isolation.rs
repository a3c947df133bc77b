use domain::{InstanceId, WorkflowId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError, WorkflowAccepted};

/// How well instances are walled off from each other, as far as that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Isolation {
    /// The instances that were proven once and are open, the oldest proof first.
    pub proofs: Vec<IsolationProof>,
    /// The latest rounds, newest first, without their instances.
    pub rounds: Vec<IsolationRound>,
}

/// When an instance was last proven to be walled off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IsolationProof {
    /// Which one.
    #[schema(value_type = String)]
    pub instance_id: InstanceId,
    /// Its hostname.
    pub hostname: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub proven_at: Timestamp,
    /// By how many refused attempts.
    pub refused: u64,
    /// The members of so many other instances were among those who were refused.
    pub neighbours: u64,
}

/// One round in which it was tried to get in where one must not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IsolationRound {
    /// Names it, and is the workflow that does it.
    #[schema(value_type = String)]
    pub id: WorkflowId,
    /// Who asked for it; `schedule` when nobody did.
    pub requested_by: String,
    /// The one instance that is tried, if not all are.
    #[schema(value_type = Option<String>)]
    pub only: Option<InstanceId>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub began_at: Timestamp,
    /// When it was over.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// How many instances take part.
    pub instances: u64,
    /// How many others try each of them.
    pub neighbours_each: u64,
    /// In how many rounds every pair has its turn: 1 when all are tried in each.
    pub rounds_for_all: u64,
    /// Attempts that were made.
    pub attempts: u64,
    /// Those that were refused, by edge or guard.
    pub refused: u64,
    /// Those that the edge refused, before the guard saw them.
    pub refused_by_edge: u64,
    /// Those that were no refusal. Anything but 0 is an emergency.
    pub admitted: u64,
    /// Attempts that were not made, or whose answer says nothing.
    pub not_tried: u64,
    /// Why, with how many.
    pub not_tried_because: Vec<NotTried>,
    /// How many instances it proves to be walled off.
    pub proven: u64,
    /// Of how many it can say nothing.
    pub not_proven: u64,
    /// What can't be tried here at all, and what was left to later rounds.
    pub limits: Vec<String>,
    /// What was no refusal, in sentences.
    pub entrances: Vec<String>,
    /// The instances that were tried. Left out of lists.
    pub places: Vec<IsolationPlace>,
}

/// Attempts that were not made, for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotTried {
    /// Such as `asleep` or `unreachable`.
    pub reason: String,
    /// The same in words.
    pub words: String,
    /// How many.
    pub attempts: u64,
}

/// What a round says of one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IsolationPlace {
    /// Which one.
    #[schema(value_type = String)]
    pub instance_id: InstanceId,
    /// Its hostname.
    pub hostname: String,
    /// `waiting`, `proven`, `not-proven` or `breached`.
    pub standing: String,
    /// Attempts that were refused.
    pub refused: u64,
    /// Those that were no refusal.
    pub admitted: u64,
    /// Those that were not made, or say nothing.
    pub not_tried: u64,
    /// Why it is not proven; empty when it is.
    pub why: String,
}

/// Asks for a round.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIsolationRound {
    /// Id, project name or subdomain of the one instance to try; all when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
}

impl Client {
    /// How well instances are walled off from each other.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn isolation(&self) -> Result<Isolation, ClientError> {
        self.get(&["isolation"], &()).await
    }

    /// Has the walls tried now. While a round is under way, that is given.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 409 while a round for another one is under way.
    pub async fn prove_isolation(&self, new: &NewIsolationRound) -> Result<WorkflowAccepted, ClientError> {
        self.post(&["isolation", "rounds"], new).await
    }

    /// One round.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is none of that name.
    pub async fn isolation_round(&self, id: &str) -> Result<IsolationRound, ClientError> {
        self.get(&["isolation", "rounds", id], &()).await
    }
}
