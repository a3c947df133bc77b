use domain::SupportAccessId;
use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError, Page};

/// A customer's leave for support to enter an instance, or the request for it. Only the customer gives it, in the portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SupportAccess {
    /// Names it.
    #[schema(value_type = String)]
    pub id: SupportAccessId,
    /// `asked`, `declined`, `given` or `ended`.
    pub state: String,
    /// Who asked for it; nobody when the customer gave it unasked.
    pub asked_by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub asked_at: Option<Timestamp>,
    /// Who of the customer gave it.
    pub given_by: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub given_at: Option<Timestamp>,
    /// When it ends by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
    /// Whether support may do more than look.
    pub may_change: bool,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// Who ended it; `time` when nobody did.
    pub ended_by: Option<String>,
    /// The hours in which support was inside.
    pub hours: Vec<SupportHour>,
}

/// An hour in which somebody of support was inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SupportHour {
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub start: Timestamp,
    /// Who of support.
    pub who: Vec<String>,
    /// Whether no member was active in it, so that it is waived.
    pub alone: bool,
}

/// Asks a customer to let support in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskForAccess {
    /// Why, in a sentence or two that the customer reads.
    pub reason: String,
}

impl Client {
    /// Every leave to enter an instance that was asked for or given, newest first.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance.
    pub async fn support_access(&self, instance: &str) -> Result<Page<SupportAccess>, ClientError> {
        self.get(&["instances", instance, "support-access"], &()).await
    }

    /// Asks the customer of an instance to let support in.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance, 409 when the customer was asked already.
    pub async fn ask_for_support_access(
        &self,
        instance: &str,
        ask: &AskForAccess,
    ) -> Result<SupportAccess, ClientError> {
        self.post(&["instances", instance, "support-access"], ask).await
    }

    /// Ends support's access to an instance before its time.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such instance.
    pub async fn end_support_access(&self, instance: &str) -> Result<(), ClientError> {
        self.quietly(Method::DELETE, &["instances", instance, "support-access"]).await
    }
}
