use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError};

/// What was found, what goes by that very id first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Found {
    /// At most ten of a kind.
    pub found: Vec<FoundThing>,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundThing {
    /// `instance`, `customer`, `member`, `invoice`, `workflow` or `release`.
    pub kind: String,
    /// Names it in the API; a member's is that of the instance.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// More about it, such as its state.
    pub about: String,
    /// Where it is in the console.
    pub url: String,
}

impl Client {
    /// Finds what contains a text: names, addresses, numbers; and ids, whole.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn search(&self, text: &str) -> Result<Found, ClientError> {
        self.get(&["search"], &[("q", text)]).await
    }
}
