use domain::{Cents, InstanceId};
use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError};

/// What the running period of an instance costs, and how much its customer wants it to. Amounts are whole numbers of
/// the currency's smallest unit: base fee and hours, before coupons, credit and taxes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Spending {
    /// Whose.
    #[schema(value_type = String)]
    pub instance_id: InstanceId,
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    pub currency: String,
    /// When the period begins.
    #[schema(value_type = String, format = DateTime)]
    pub period_start: Timestamp,
    /// When the next one begins.
    #[schema(value_type = String, format = DateTime)]
    pub period_end: Timestamp,
    /// Hours to be charged so far.
    pub hours: u32,
    /// What they and the base fee cost.
    #[schema(value_type = i64)]
    pub amount: Cents,
    /// Hours to be charged in the end, if it goes on like this.
    pub expected_hours: u32,
    /// What they and the base fee will cost.
    #[schema(value_type = i64)]
    pub expected_amount: Cents,
    /// The most hours that can be charged in the end.
    pub most_hours: u32,
    /// What they and the base fee would cost.
    #[schema(value_type = i64)]
    pub most_amount: Cents,
    /// Until when nothing is charged, during a trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub trial_until: Option<Timestamp>,
    /// What closes the instance; absent when nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Cap>,
    /// What only tells; absent when nothing is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

/// The most that a customer wants to use, or to pay, in each period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cap {
    /// So many hours that cost something; absent where it is an amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<u32>,
    /// So much for the period, base fee and taxes included; absent where it is a number of hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub amount: Option<Cents>,
    /// So many hours of the running period may be charged under it.
    pub hours_allowed: u32,
    /// What happens when it is reached, in words.
    pub meaning: String,
    /// Whether no further hour may begin now. The instance is closed then, or closes with the hour that is running.
    pub reached: bool,
}

/// A cap to be set: either `hours` or `amount`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCap {
    /// So many hours that cost something; at most 744.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<u32>,
    /// So much for each period, base fee and taxes included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub amount: Option<Cents>,
    /// Only say what it would mean.
    #[serde(default)]
    pub dry_run: bool,
}

/// What a customer means to spend in each period, and when to tell. It stops nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Budget {
    /// The whole.
    #[schema(value_type = i64)]
    pub amount: Cents,
    /// The parts of it that are told when they are spent, in percent.
    pub thresholds: Vec<u32>,
}

/// A budget to be set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBudget {
    /// The whole, in the currency's smallest unit.
    #[schema(value_type = i64)]
    pub amount: Cents,
    /// Any of 50, 80 and 100; all of them when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Vec<u32>>,
}

impl Client {
    /// What the running period of an instance costs, with its cap and its budget.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 409 when it is not in use.
    pub async fn spending(&self, instance: &str) -> Result<Spending, ClientError> {
        self.get(&["instances", instance, "spending"], &()).await
    }

    /// Sets an instance's cap, or only says what it would mean.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 409 when it is not in use, 422 when it is no cap.
    pub async fn set_cap(&self, instance: &str, cap: &NewCap) -> Result<Cap, ClientError> {
        self.put(&["instances", instance, "spending", "cap"], cap).await
    }

    /// Lifts an instance's cap.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 409 when it is not in use.
    pub async fn remove_cap(&self, instance: &str) -> Result<(), ClientError> {
        self.quietly(Method::DELETE, &["instances", instance, "spending", "cap"]).await
    }

    /// Sets an instance's budget.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 422 when it is no budget.
    pub async fn set_budget(&self, instance: &str, budget: &NewBudget) -> Result<Budget, ClientError> {
        self.put(&["instances", instance, "spending", "budget"], budget).await
    }

    /// Removes an instance's budget.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance.
    pub async fn remove_budget(&self, instance: &str) -> Result<(), ClientError> {
        self.quietly(Method::DELETE, &["instances", instance, "spending", "budget"]).await
    }
}
