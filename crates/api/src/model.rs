use domain::{InstanceId, Month, ProjectName};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError};

/// What was used of the included AI in a month. All amounts are in millionths of a US dollar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelUsage {
    /// Which.
    #[schema(value_type = String, example = "2026-11")]
    pub month: Month,
    /// Whether a model is offered now.
    pub is_offered: bool,
    /// What each instance may cost in a month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowance_micros: Option<i64>,
    /// What all of them together may; left out where that is not limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_micros: Option<i64>,
    /// What all of them did cost.
    pub used_micros: i64,
    /// Each instance and model, the most expensive first.
    pub instances: Vec<ModelUse>,
}

/// What an instance used of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelUse {
    /// Which instance.
    #[schema(value_type = String)]
    pub instance_id: InstanceId,
    /// Its project at the compute provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub project: Option<ProjectName>,
    /// As the provider calls it.
    pub model: String,
    /// How many questions.
    pub calls: u64,
    /// Of these, those that are under way, or of which the provider did not say what they took: they count with the
    /// most they can have cost.
    pub uncounted_calls: u64,
    /// As the provider counted them.
    pub input_tokens: u64,
    /// As the provider counted them.
    pub output_tokens: u64,
    /// What it cost.
    pub cost_micros: i64,
}

/// Which month.
#[derive(Serialize)]
struct Of {
    month: Option<Month>,
}

impl Client {
    /// What was used of the included AI in a month; in the present one, if none is named.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn model_usage(&self, month: Option<Month>) -> Result<ModelUsage, ClientError> {
        self.get(&["model", "usage"], &Of { month }).await
    }
}
