use domain::InstanceId;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::api::Once;
use super::objects::{CHECKOUT, INSTANCE, Price, Reference, Session, moment};
use super::{Checkout, CheckoutState, HOLD_DAYS, Order, SavedCard, Stripe};
use crate::ProviderError;
use crate::resources::{Key, Made};

const KIND: &str = "session";
const SESSIONS: &str = "/v1/checkout/sessions";

/// How long the address of a finished checkout is of use: it only leads back to us.
const LEADS_BACK: SignedDuration = SignedDuration::from_hours(1);

/// A page is open for half an hour at least, says Stripe; with what the request may take.
const SOONEST: SignedDuration = SignedDuration::from_mins(35);

fn key(instance: InstanceId, number: u32) -> Key {
    Key { kind: KIND, name: number.to_string(), instance }
}

impl Stripe {
    /// The open session of an instance. Each has a number, and the next is made when the last expired.
    pub(super) async fn open_session(&self, order: &Order) -> Result<Checkout, ProviderError> {
        let customer = self.customer_of(order).await?;
        let recorded = self.recorded_sessions(order.instance).await?;
        let mut number = recorded.last().map_or(1, |(number, _)| *number);
        loop {
            let session = self.numbered_session(order, &customer, number).await?;
            match (session.status.as_str(), session.url) {
                ("open", Some(url)) => return Ok(Checkout { url, expires_at: moment(session.expires_at) }),
                // Nothing is left to be entered.
                ("complete", _) => {
                    let expires_at = self.clock.now() + LEADS_BACK;
                    return Ok(Checkout { url: order.done_url.clone(), expires_at });
                }
                _ => number += 1,
            }
        }
    }

    async fn numbered_session(&self, order: &Order, customer: &str, number: u32) -> Result<Session, ProviderError> {
        let look = async || {
            let theirs = self.sessions_of(order.instance).await?;
            Ok(theirs.into_iter().find(|session| session.number() == Some(number)).map(|found| Made::plain(found.id)))
        };
        let make = async || {
            let price = self.base_price().await?;
            price.is_free()?;
            let form = self.session_form(order, customer, number, &price);
            let made: Session = self.rest.post("POST /v1/checkout/sessions", SESSIONS, &form, Once::ByContent).await?;
            Ok(Made::plain(made.id))
        };
        let made = self.resources.ensure(&key(order.instance, number), SignedDuration::ZERO, look, make).await?;
        self.session(&made.id).await
    }

    fn session_form(&self, order: &Order, customer: &str, number: u32, price: &Price) -> Value {
        let instance = order.instance.to_string();
        let closes_at = order.closes_at.map(|at| at.max(self.clock.now() + SOONEST).as_second());
        json!({
            "expires_at": closes_at,
            "mode": "subscription",
            "customer": customer,
            "client_reference_id": instance,
            "metadata": { INSTANCE: instance, CHECKOUT: number.to_string() },
            "line_items": [{ "price": price.id, "quantity": 1 }],
            "success_url": order.done_url,
            "cancel_url": order.back_url,
            "payment_method_collection": "always",
            "subscription_data": {
                "metadata": { INSTANCE: instance },
                "description": order.hostname,
                "trial_period_days": HOLD_DAYS,
                "trial_settings": { "end_behavior": { "missing_payment_method": "cancel" } },
            },
        })
    }

    /// The price of subscriptions, which may be set by its lookup key.
    pub(super) async fn base_price(&self) -> Result<Price, ProviderError> {
        let set = &self.settings.base_price;
        if set.starts_with("price_") {
            return self.rest.get("GET /v1/prices/{id}", format!("/v1/prices/{set}"), &json!({})).await;
        }
        let query = json!({ "lookup_keys": [set], "active": true });
        let found: Vec<Price> = self.rest.list("GET /v1/prices", "/v1/prices", &query).await?;
        let missing = || {
            let what = format!("find the price with the lookup key {set}");
            ProviderError::refused(
                what,
                "no active price has it",
                "run `spinoff setup stripe`, or set the id of a price of your own",
            )
        };
        found.into_iter().next().ok_or_else(missing)
    }

    /// What became of the session that was opened last.
    pub(super) async fn session_state(&self, instance: InstanceId) -> Result<CheckoutState, ProviderError> {
        let last = self.recorded_sessions(instance).await?.into_iter().filter_map(|(_, id)| id).next_back();
        let id = last.ok_or_else(|| ProviderError::not_found(format!("the checkout of {instance}")))?;
        let session = self.session(&id).await?;
        Ok(match session.status.as_str() {
            "complete" => CheckoutState::Done { card: session.subscription.and_then(card) },
            "expired" => CheckoutState::Expired,
            _ => CheckoutState::Open,
        })
    }

    /// Closes every session in which something could still be entered, recorded or not.
    pub(super) async fn expire_sessions(&self, instance: InstanceId) -> Result<(), ProviderError> {
        let theirs = self.sessions_of(instance).await?;
        for session in theirs.into_iter().filter(|session| session.status == "open") {
            let path = format!("{SESSIONS}/{}/expire", session.id);
            let operation = "POST /v1/checkout/sessions/{id}/expire";
            let answer: Result<Session, _> = self.rest.try_post(operation, path, &json!({}), Once::PerCall).await?;
            // It may have ended by itself in between, which is refused and as good.
            if let Err(denied) = answer
                && self.session(&session.id).await?.status == "open"
            {
                return Err(denied.in_words());
            }
        }
        Ok(())
    }

    async fn session(&self, id: &str) -> Result<Session, ProviderError> {
        let query = json!({ "expand": ["subscription.default_payment_method"] });
        self.rest.get("GET /v1/checkout/sessions/{id}", format!("{SESSIONS}/{id}"), &query).await
    }

    /// The subscription that a completed session began.
    pub(super) async fn subscription_begun(&self, instance: InstanceId) -> Result<Option<String>, ProviderError> {
        for (_, id) in self.recorded_sessions(instance).await?.into_iter().rev() {
            let Some(id) = id else { continue };
            if let Some(begun) = self.session(&id).await?.subscription {
                return Ok(Some(begun.id().to_owned()));
            }
        }
        Ok(None)
    }

    /// All sessions of an instance: of its customer where that is known, else of those that are open.
    async fn sessions_of(&self, instance: InstanceId) -> Result<Vec<Session>, ProviderError> {
        let query = match self.recorded_customer(instance).await? {
            Some(customer) => json!({ "customer": customer }),
            None => json!({ "status": "open" }),
        };
        let all: Vec<Session> = self.rest.list("GET /v1/checkout/sessions", SESSIONS, &query).await?;
        Ok(all.into_iter().filter(|session| session.instance() == Some(instance)).collect())
    }

    /// Sessions that are recorded or were to be made, by their number.
    async fn recorded_sessions(&self, instance: InstanceId) -> Result<Vec<(u32, Option<String>)>, ProviderError> {
        let known = self.resources.of(instance).await?.into_iter().filter(|thing| thing.kind == KIND);
        let numbered = known.filter_map(|thing| Some((thing.name.parse().ok()?, thing.made.map(|made| made.id))));
        let mut all: Vec<(u32, Option<String>)> = numbered.collect();
        all.sort();
        Ok(all)
    }

    /// Stripe's id of the customer of an instance, as it is recorded.
    pub(super) async fn recorded_customer(&self, instance: InstanceId) -> Result<Option<String>, ProviderError> {
        let known = self.resources.of(instance).await?;
        let customer = known.into_iter().find(|thing| thing.kind == "customer");
        Ok(customer.and_then(|thing| thing.made).map(|made| made.id))
    }
}

/// What may be shown of the card that a subscription is paid with.
fn card(subscription: Reference) -> Option<SavedCard> {
    let card = subscription.card()?;
    let mut letters = card.brand.chars();
    let brand = letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str());
    let expiry = format!("{:02}/{:02}", card.exp_month, card.exp_year % 100);
    Some(SavedCard { brand: brand.unwrap_or_default(), last4: card.last4, expiry })
}
