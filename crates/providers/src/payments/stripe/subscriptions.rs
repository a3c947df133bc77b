use domain::InstanceId;
use serde_json::json;

use super::Stripe;
use super::api::Once;
use super::objects::{Subscription, WORKS};
use crate::ProviderError;
use crate::resources::{Key, Made};

pub(super) const KIND: &str = "subscription";
pub(super) const SUBSCRIPTIONS: &str = "/v1/subscriptions";

impl Stripe {
    /// Ends the hold of an instance that works.
    pub(super) async fn end_hold(&self, instance: InstanceId) -> Result<(), ProviderError> {
        let id = self.subscription_id(instance).await?;
        let path = format!("{SUBSCRIPTIONS}/{id}");
        let mut held: Subscription = self.rest.get("GET /v1/subscriptions/{id}", &*path, &json!({})).await?;
        if !held.worked() && !held.is_over() {
            let now = (held.status == "trialing").then_some("now");
            let form = json!({ "metadata": { WORKS: "yes" }, "trial_end": now });
            // Twice would begin a new period: hence the look before, and the key.
            held = self.rest.post("POST /v1/subscriptions/{id}", path, &form, Once::ByContent).await?;
        }
        judge(instance, &held)
    }

    /// The subscription of an instance: as it is recorded, as its checkout began it, or by its mark.
    async fn subscription_id(&self, instance: InstanceId) -> Result<String, ProviderError> {
        let key = Key { kind: KIND, name: KIND.to_owned(), instance };
        if let Some(made) = self.resources.find(&key).await?.and_then(|thing| thing.made) {
            return Ok(made.id);
        }
        let id = match self.subscription_begun(instance).await? {
            Some(id) => id,
            None => {
                let missing =
                    || ProviderError::not_found(format!("a subscription of {instance} (nobody paid by its checkout)"));
                let theirs = self.subscriptions_of(instance).await?;
                let running = theirs.into_iter().find(|held| !held.is_over());
                running.ok_or_else(missing)?.id
            }
        };
        self.resources.keep(&key, &Made::plain(&*id)).await?;
        Ok(id)
    }

    /// All subscriptions of an instance: those that ended too where its customer is known.
    pub(super) async fn subscriptions_of(&self, instance: InstanceId) -> Result<Vec<Subscription>, ProviderError> {
        let query = match self.recorded_customer(instance).await? {
            Some(customer) => json!({ "customer": customer, "status": "all" }),
            None => json!({}),
        };
        let all: Vec<Subscription> = self.rest.list("GET /v1/subscriptions", SUBSCRIPTIONS, &query).await?;
        Ok(all.into_iter().filter(|held| held.instance() == Some(instance)).collect())
    }
}

fn judge(instance: InstanceId, held: &Subscription) -> Result<(), ProviderError> {
    match held.status.as_str() {
        "active" | "trialing" => Ok(()),
        "past_due" | "unpaid" | "incomplete" => {
            Err(ProviderError::Declined("the bank did not pay the first invoice".to_owned()))
        }
        "paused" => Err(ProviderError::Declined("there is no card to pay with".to_owned())),
        other => {
            let why = format!("Stripe says that {} is {other}", held.id);
            let next = "look in Stripe's dashboard who ended it, and let the customer sign up again";
            Err(ProviderError::refused(format!("start the subscription of {instance}"), why, next))
        }
    }
}
