use domain::InstanceId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::page::Filtered;
use crate::{Client, ClientError, Page, Paging};

/// An hour that its customer does not want to pay for, and what was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Contest {
    /// Names it.
    pub id: String,
    /// Whose use.
    #[schema(value_type = String)]
    pub instance_id: InstanceId,
    /// When the hour begins.
    #[schema(value_type = String, format = DateTime)]
    pub hour_start: Timestamp,
    /// Why it is contested.
    pub reason: String,
    /// By whom.
    pub author: String,
    /// Where it stands.
    pub state: ContestState,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Timestamp,
    /// Who decided it.
    pub decided_by: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub decided_at: Option<Timestamp>,
    /// What the customer was answered.
    pub answer: Option<String>,
}

/// Where a contest stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContestState {
    /// Nobody has decided.
    Open,
    /// The hour is waived.
    Accepted,
    /// The hour is to be paid for.
    Refused,
}

impl ContestState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Accepted, Self::Refused];

    /// The word that is sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
        }
    }
}

/// Contests an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewContest {
    /// Id, project name or subdomain.
    pub instance: String,
    /// Any moment within the hour.
    #[schema(value_type = String, format = DateTime)]
    pub hour: Timestamp,
    /// Why, in one sentence.
    pub reason: String,
}

/// Decides a contest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideContest {
    /// `accepted` or `refused`.
    pub state: ContestState,
    /// What the customer is answered; needed to refuse.
    #[serde(default)]
    pub answer: String,
}

/// Which contests to list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ContestFilter {
    /// Only those that stand there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ContestState>,
}

/// Waives hours: nobody pays for them, now and for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WaiveHours {
    /// Any moment within each hour; at most 744.
    #[schema(value_type = Vec<String>)]
    pub hours: Vec<Timestamp>,
    /// Why, in one sentence.
    pub reason: String,
}

/// The answer to a waiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HoursWaived {
    /// So many of the hours had not been waived before.
    pub added: u32,
}

impl Client {
    /// The contests, those of the newest instance first, and of each its latest hour first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn contests(&self, filter: &ContestFilter, paging: &Paging) -> Result<Page<Contest>, ClientError> {
        self.get(&["contests"], &Filtered { filter, paging }).await
    }

    /// Contests an hour, once.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 422 when nobody is to pay for the hour.
    pub async fn contest(&self, contest: &NewContest) -> Result<Contest, ClientError> {
        self.post(&["contests"], contest).await
    }

    /// Decides a contest.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is none, 409 when it was decided otherwise.
    pub async fn decide_contest(&self, id: &str, decision: &DecideContest) -> Result<Contest, ClientError> {
        self.post(&["contests", id, "decision"], decision).await
    }

    /// Waives hours of an instance.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 422 when an hour has not come yet or there is no reason.
    pub async fn waive(&self, instance: &str, waiver: &WaiveHours) -> Result<HoursWaived, ClientError> {
        self.post(&["instances", instance, "usage", "waive"], waiver).await
    }
}
