use domain::{CustomerId, InstanceId};
use jiff::SignedDuration;
use serde_json::json;

use super::Stripe;
use super::api::Once;
use super::objects::{INSTANCE, Subscription, WORKS};
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

    /// Begins another subscription of an instance after its last one ended, with the newest card of its customer. Without
    /// any page: the customer is known, and the price is 0.
    pub(super) async fn begin_again(&self, customer: CustomerId, instance: InstanceId) -> Result<(), ProviderError> {
        let missing = || {
            let what = format!("start the subscription of {instance} again");
            let next = "let the customer sign up again";
            ProviderError::refused(what, format!("Stripe has no customer for {customer}"), next)
        };
        let payer = self.customer_id(customer).await?.ok_or_else(missing)?;
        let theirs = async || {
            let query = json!({ "customer": payer, "status": "all" });
            let all: Vec<Subscription> = self.rest.list("GET /v1/subscriptions", SUBSCRIPTIONS, &query).await?;
            Ok::<_, ProviderError>(all.into_iter().filter(|held| held.instance() == Some(instance)).collect::<Vec<_>>())
        };
        let look = async || {
            let running = theirs().await?.into_iter().find(|held| !held.is_over());
            Ok(running.map(|held| Made::plain(held.id)))
        };
        let make = async || {
            let price = self.base_price().await?;
            price.is_free()?;
            // What is asked differs from time to time, or an old answer would be given.
            let former = theirs().await?.len();
            let form = json!({
                "customer": payer,
                "items": [{ "price": price.id, "quantity": 1 }],
                "default_payment_method": self.newest_card(&payer).await?,
                "metadata": { INSTANCE: instance.to_string(), WORKS: "yes", "former": former.to_string() },
            });
            let made: Subscription =
                self.rest.post("POST /v1/subscriptions", SUBSCRIPTIONS, &form, Once::ByContent).await?;
            Ok(Made::plain(made.id))
        };
        // What is on record may have ended meanwhile.
        if let Some(running) = look().await? {
            return self.resources.keep(&key(instance), &running).await;
        }
        self.resources.forget(&key(instance)).await?;
        self.resources.ensure(&key(instance), SignedDuration::ZERO, look, make).await.map(drop)
    }

    /// The subscription of an instance: as it is recorded, as its checkout began it, or by its mark.
    async fn subscription_id(&self, instance: InstanceId) -> Result<String, ProviderError> {
        let key = key(instance);
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

fn key(instance: InstanceId) -> Key {
    Key { kind: KIND, name: KIND.to_owned(), instance }
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
