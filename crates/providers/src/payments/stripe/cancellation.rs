use domain::InstanceId;
use serde_json::{Value, json};

use super::Stripe;
use super::subscriptions::SUBSCRIPTIONS;
use crate::{ProviderError, Removed};

impl Stripe {
    /// Closes what is open and ends what runs. The customer stays: invoices have to be kept, and the last one is
    /// still to be charged.
    pub(super) async fn end_all(&self, instance: InstanceId) -> Result<Vec<Removed>, ProviderError> {
        // First, so that nobody begins another subscription meanwhile.
        self.expire_sessions(instance).await?;
        let mut removed = Vec::new();
        for held in self.subscriptions_of(instance).await? {
            if !held.is_over() {
                let query = json!({ "invoice_now": false, "prorate": false });
                let path = format!("{SUBSCRIPTIONS}/{}", held.id);
                let _: Option<Value> = self.rest.delete("DELETE /v1/subscriptions/{id}", path, &query).await?;
            }
            removed.push(Removed::new("subscription", held.id));
        }
        // Last, so that whoever has to ask again is told of the same.
        self.resources.forget_all(instance).await?;
        Ok(removed)
    }
}
