use domain::{Cents, InstanceId, ProjectName, Subdomain};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError};

/// The instances that are made ahead of their customers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pool {
    /// How many are to be ready: `[pool] size`.
    pub size: u32,
    /// How many are.
    pub ready: u32,
    /// What those that exist cost a month in cents, as far as the provider tells.
    #[schema(value_type = Option<i64>)]
    pub monthly_cents: Option<Cents>,
    /// Those that exist and are no customer's, oldest first.
    pub instances: Vec<WarmInstance>,
}

/// An instance that is no customer's yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WarmInstance {
    /// Names it; the instance that a customer gets of it has the same.
    #[schema(value_type = String)]
    pub id: InstanceId,
    /// The name on which its customer starts.
    #[schema(value_type = String)]
    pub subdomain: Subdomain,
    /// Its project at the compute provider.
    #[schema(value_type = String)]
    pub project: ProjectName,
    /// `preparing`, `ready` or `discarding`.
    pub state: String,
    /// What it costs a month in cents, as far as the provider tells.
    #[schema(value_type = Option<i64>)]
    pub monthly_cents: Option<Cents>,
    /// When it was begun.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Since when it is in its state.
    #[schema(value_type = String, format = DateTime)]
    pub changed_at: Timestamp,
}

impl Client {
    /// The instances that are made ahead of their customers.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn pool(&self) -> Result<Pool, ClientError> {
        self.get(&["pool"], &()).await
    }
}
