//! The built-in ledger: keeps account of who owes what, and charges nobody.

mod card;
mod store;

use async_trait::async_trait;
use domain::{CustomerId, InstanceId};
use jiff::Timestamp;
use world::Clock;

use super::{
    Bill, Card, CardProblems, Checkout, CheckoutState, Collects, Dispute, Event, NotGenuine, Order, Payments, Refund,
    Repayment, Repayments, SavedCard, Standing,
};
use crate::costs::Fee;
use crate::inventory::{Check, Item};
use crate::{ProviderError, Removed};

pub use store::MIGRATIONS;

/// Subscriptions and cards, kept in the store.
#[derive(Debug, Clone)]
pub struct Ledger {
    db: ::store::Db,
    clock: Clock,
}

impl Ledger {
    /// Keeps the ledger in this store.
    pub fn new(db: ::store::Db, clock: Clock) -> Self {
        Self { db, clock }
    }
}

#[async_trait]
impl Payments for Ledger {
    fn name(&self) -> &'static str {
        "ledger"
    }

    fn accept_card(&self, card: &Card) -> Result<SavedCard, CardProblems> {
        card::check(card, self.clock.now())
    }

    fn collects(&self) -> Collects {
        Collects::Form
    }

    fn charges(&self) -> bool {
        false
    }

    async fn collect(&self, bill: &Bill) -> Result<Standing, ProviderError> {
        Err(by_hand(&bill.number))
    }

    async fn standing(&self, _customer: CustomerId, _number: &str) -> Result<Option<Standing>, ProviderError> {
        Ok(None)
    }

    async fn retry(&self, bill: &Bill, _attempt: u32) -> Result<Standing, ProviderError> {
        Err(by_hand(&bill.number))
    }

    async fn withdraw(&self, _customer: CustomerId, _number: &str) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn hand_over(&self, bill: &Bill) -> Result<(), ProviderError> {
        Err(by_hand(&bill.number))
    }

    async fn dispute(&self, _id: &str) -> Result<Option<Dispute>, ProviderError> {
        Ok(None)
    }

    async fn disputes_since(&self, _since: Timestamp) -> Result<Vec<Dispute>, ProviderError> {
        Ok(Vec::new())
    }

    async fn paid_by(&self, _payment: &str) -> Result<Option<String>, ProviderError> {
        Ok(None)
    }

    async fn repayments_of(&self, _payment: &str) -> Result<Repayments, ProviderError> {
        Ok(Repayments::default())
    }

    async fn repayments_since(&self, _since: Timestamp) -> Result<Vec<Repayment>, ProviderError> {
        Ok(Vec::new())
    }

    async fn refund(&self, refund: &Refund) -> Result<(), ProviderError> {
        let why = "the ledger has no card to give it back to";
        let next = "send the money by hand; it is booked already where customers pay by hand";
        Err(ProviderError::refused(format!("give back a part of {}", refund.invoice), why, next))
    }

    async fn gave_back(&self, _refund: &Refund) -> Result<bool, ProviderError> {
        Ok(false)
    }

    async fn collected_since(&self, _since: Timestamp) -> Result<Vec<(String, Standing)>, ProviderError> {
        Ok(Vec::new())
    }

    async fn open_checkout(&self, _order: &Order) -> Result<Checkout, ProviderError> {
        let why = "the ledger takes cards by our own form";
        Err(ProviderError::refused("opening a checkout", why, "set [payments] driver = \"stripe\" for one"))
    }

    async fn checkout(&self, instance: InstanceId) -> Result<CheckoutState, ProviderError> {
        Err(ProviderError::not_found(format!("the checkout of {instance}")))
    }

    async fn close_checkout(&self, _instance: InstanceId) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn subscribe(&self, customer: CustomerId, instance: InstanceId) -> Result<(), ProviderError> {
        store::subscribe(&self.db, customer, instance, self.clock.now())
            .await
            .map_err(|error| unavailable("starting the subscription", &error))
    }

    async fn subscribe_again(&self, customer: CustomerId, instance: InstanceId) -> Result<(), ProviderError> {
        let now = self.clock.now();
        let started = store::subscribe_again(&self.db, customer, instance, now).await;
        started.map_err(|error| unavailable("starting the subscription again", &error))
    }

    async fn cancel(&self, instance: InstanceId) -> Result<Vec<Removed>, ProviderError> {
        let ended = store::cancel(&self.db, instance, self.clock.now())
            .await
            .map_err(|error| unavailable("ending the subscription", &error))?;
        Ok(if ended { vec![Removed::new("subscription", format!("of {instance}"))] } else { Vec::new() })
    }

    async fn portal(&self, _customer: CustomerId, _back_to: &str) -> Result<Option<String>, ProviderError> {
        Ok(None)
    }

    async fn pay_page(&self, _customer: CustomerId, _number: &str) -> Result<Option<String>, ProviderError> {
        Ok(None)
    }

    fn read_event(&self, _signature: &str, _body: &[u8], _now: Timestamp) -> Result<Event, NotGenuine> {
        Err(NotGenuine("the built-in ledger sends no events".to_owned()))
    }

    async fn events_since(&self, _since: Timestamp) -> Result<Vec<Event>, ProviderError> {
        Ok(Vec::new())
    }

    /// None: nobody stands between.
    async fn fees_since(&self, _since: Timestamp) -> Result<Vec<Fee>, ProviderError> {
        Ok(Vec::new())
    }

    async fn inventory(&self) -> Result<Vec<Item>, ProviderError> {
        let live = store::live(&self.db).await.map_err(|error| unavailable("listing subscriptions", &error))?;
        let item = |(instance, started_at): (InstanceId, Timestamp)| Item {
            kind: "subscription",
            id: instance.to_string(),
            name: format!("subscription of {instance}"),
            instance: Some(instance),
            created_at: Some(started_at),
            monthly_cost: None,
            drift: None,
        };
        Ok(live.into_iter().map(item).collect())
    }

    async fn check(&self) -> Vec<Check> {
        Vec::new()
    }
}

fn by_hand(number: &str) -> ProviderError {
    let why = "the ledger charges nobody: customers pay by hand";
    ProviderError::refused(format!("charge the invoice {number}"), why, "book the payment when it has come")
}

fn unavailable(what: &str, error: &::store::sqlx::Error) -> ProviderError {
    ProviderError::unavailable(what, error)
}
