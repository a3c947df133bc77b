//! Subscriptions at Stripe, with the card collected on Stripe's page and never by us.
//!
//! A subscription charges nothing: its price is 0. It stands for an instance that is served, and its checkout collects
//! the card. It begins in a trial of [`HOLD_DAYS`] days, counted by Stripe from the moment at which the customer
//! completes the checkout: the hold. [`Payments::subscribe`](super::Payments::subscribe) ends it and marks the
//! subscription with `spinoff_works`. What is owed is computed by us and collected by invoices of its own, see
//! `invoices.rs`.
//!
//! What is made bears our ids in its metadata and is looked for before it is made again. Beside that,
//! each request that makes something has an `Idempotency-Key` of what it asks and of the hour: Stripe
//! gives the first answer again for a day, a failure of its own too, and that must not last so long.

mod api;
mod cancellation;
mod customers;
mod disputes;
mod events;
mod fees;
mod form;
mod inspection;
mod invoices;
mod objects;
mod refunds;
mod sessions;
mod settings;
mod setup;
mod subscriptions;
mod webhook;

use ::store::Db;
use async_trait::async_trait;
use domain::{CustomerId, InstanceId};
use jiff::Timestamp;
use world::{Clock, Entropy};

use super::{
    Bill, Card, CardProblems, Checkout, CheckoutState, Collects, Dispute, Event, NotGenuine, Order, Payments, Refund,
    Repayment, Repayments, SavedCard, Standing,
};
use crate::budget::Budget;
use crate::costs::Fee;
use crate::inventory::{Check, Item};
use crate::resources::Resources;
use crate::{ProviderError, Removed};
use api::Rest;

pub use events::KINDS;
pub use settings::StripeSettings;
pub use setup::{BASE_PRICE, Ready, Wanted};

/// The version of the API that is spoken.
pub const VERSION: &str = "2026-10-28.endive";

/// How long a subscription may wait while its instance is made. Long enough for somebody to mend what failed; the
/// moment at which it works ends it.
pub const HOLD_DAYS: u16 = 3;

/// How the driver is called in the store.
const NAME: &str = "stripe";

/// Collects money by Stripe.
#[derive(Debug)]
pub struct Stripe {
    settings: StripeSettings,
    rest: Rest,
    resources: Resources,
    clock: Clock,
}

impl Stripe {
    /// A way to Stripe that keeps its record in this store. Asks nothing yet.
    ///
    /// # Errors
    /// Refused when the key can't be sent, unavailable when the machine has no certificates.
    pub fn new(settings: StripeSettings, db: Db, clock: Clock, entropy: Entropy) -> Result<Self, ProviderError> {
        let budget = Budget::new(db.clone(), clock.clone(), NAME);
        let rest = Rest::new(&settings, budget, clock.clone(), entropy)?;
        let resources = Resources::new(db, clock.clone(), NAME);
        Ok(Self { settings, rest, resources, clock })
    }
}

#[async_trait]
impl Payments for Stripe {
    fn name(&self) -> &'static str {
        NAME
    }

    fn accept_card(&self, _: &Card) -> Result<SavedCard, CardProblems> {
        let number = Some("Cards are entered on Stripe's page, never here. Go on to the payment page.");
        Err(CardProblems { number, ..CardProblems::default() })
    }

    fn collects(&self) -> Collects {
        Collects::Checkout
    }

    fn charges(&self) -> bool {
        true
    }

    async fn collect(&self, bill: &Bill) -> Result<Standing, ProviderError> {
        self.collect_bill(bill).await
    }

    async fn standing(&self, customer: CustomerId, number: &str) -> Result<Option<Standing>, ProviderError> {
        self.standing_of(customer, number).await
    }

    async fn retry(&self, bill: &Bill, attempt: u32) -> Result<Standing, ProviderError> {
        self.charge_again(bill, attempt).await
    }

    async fn withdraw(&self, customer: CustomerId, number: &str) -> Result<(), ProviderError> {
        self.withdraw_invoice(customer, number).await
    }

    async fn hand_over(&self, bill: &Bill) -> Result<(), ProviderError> {
        self.hand_over_bill(bill).await
    }

    async fn dispute(&self, id: &str) -> Result<Option<Dispute>, ProviderError> {
        self.dispute_of(id).await
    }

    async fn disputes_since(&self, since: Timestamp) -> Result<Vec<Dispute>, ProviderError> {
        self.all_disputes(since).await
    }

    async fn paid_by(&self, payment: &str) -> Result<Option<String>, ProviderError> {
        let invoice = self.invoice_paid_by(payment).await?;
        Ok(invoice.and_then(|invoice| invoice.number().map(str::to_owned)))
    }

    async fn repayments_of(&self, payment: &str) -> Result<Repayments, ProviderError> {
        self.all_refunds_of(payment).await
    }

    async fn repayments_since(&self, since: Timestamp) -> Result<Vec<Repayment>, ProviderError> {
        self.all_refunds(since).await
    }

    async fn refund(&self, refund: &Refund) -> Result<(), ProviderError> {
        self.give_back(refund).await
    }

    async fn gave_back(&self, refund: &Refund) -> Result<bool, ProviderError> {
        self.was_given_back(refund).await
    }

    async fn collected_since(&self, since: Timestamp) -> Result<Vec<(String, Standing)>, ProviderError> {
        self.all_standings(since).await
    }

    async fn open_checkout(&self, order: &Order) -> Result<Checkout, ProviderError> {
        self.open_session(order).await
    }

    async fn checkout(&self, instance: InstanceId) -> Result<CheckoutState, ProviderError> {
        self.session_state(instance).await
    }

    async fn close_checkout(&self, instance: InstanceId) -> Result<(), ProviderError> {
        self.expire_sessions(instance).await
    }

    async fn subscribe(&self, _: CustomerId, instance: InstanceId) -> Result<(), ProviderError> {
        self.end_hold(instance).await
    }

    async fn subscribe_again(&self, customer: CustomerId, instance: InstanceId) -> Result<(), ProviderError> {
        self.begin_again(customer, instance).await
    }

    async fn cancel(&self, instance: InstanceId) -> Result<Vec<Removed>, ProviderError> {
        self.end_all(instance).await
    }

    async fn portal(&self, customer: CustomerId, back_to: &str) -> Result<Option<String>, ProviderError> {
        self.portal_page(customer, back_to).await.map(Some)
    }

    async fn pay_page(&self, customer: CustomerId, number: &str) -> Result<Option<String>, ProviderError> {
        self.page_to_pay(customer, number).await
    }

    fn read_event(&self, signature: &str, body: &[u8], now: Timestamp) -> Result<Event, NotGenuine> {
        webhook::check(&self.settings.webhook_secrets, signature, body, now)?;
        events::read(body)
    }

    async fn events_since(&self, since: Timestamp) -> Result<Vec<Event>, ProviderError> {
        self.all_events(since).await
    }

    async fn fees_since(&self, since: Timestamp) -> Result<Vec<Fee>, ProviderError> {
        self.all_fees(since).await
    }

    async fn inventory(&self) -> Result<Vec<Item>, ProviderError> {
        self.items().await
    }

    async fn check(&self) -> Vec<Check> {
        self.checks().await
    }
}
