//! How customers pay.

mod collection;
mod disputes;
pub mod ledger;
pub mod stripe;

use async_trait::async_trait;
use domain::{CustomerId, Email, InstanceId};
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::costs::Fee;
use crate::inventory::{Check, Item};
use crate::{ProviderError, Removed};

pub use collection::{Bill, BillLine, CollectionState, Failure, Refund, Standing};
pub use disputes::{Dispute, DisputeState, Repayment, RepaymentState, Repayments};

/// Whoever collects the money.
#[async_trait]
pub trait Payments: Send + Sync {
    /// How the driver is called in configuration: `ledger`, `stripe`.
    fn name(&self) -> &'static str;

    /// Checks a card and gives what may be kept of it.
    ///
    /// # Errors
    /// [`CardProblems`] when the card can't be used, for each field in words for its owner.
    fn accept_card(&self, card: &Card) -> Result<SavedCard, CardProblems>;

    /// Who asks the customer for a means of payment.
    fn collects(&self) -> Collects;

    /// Whether it charges finished invoices; otherwise customers pay them by hand.
    fn charges(&self) -> bool;

    /// Hands a finished invoice over and has it paid at once, exactly once however often it is asked. A charge that
    /// fails is no error: the standing tells of it, and only [`Payments::retry`] tries again.
    ///
    /// # Errors
    /// Refused where customers pay by hand, when the customer has no account at the provider, and when the provider
    /// says another sum than the bill: then it is void there and nothing was charged.
    async fn collect(&self, bill: &Bill) -> Result<Standing, ProviderError>;

    /// How the invoice with this number stands at the provider; `None` when it was never handed over.
    async fn standing(&self, customer: CustomerId, number: &str) -> Result<Option<Standing>, ProviderError>;

    /// Charges an open invoice again, and hands it over if that never came to pass. `attempt` names the attempt, so
    /// that the same one is made once.
    ///
    /// # Errors
    /// As [`Payments::collect`]; refused too when the provider waits for another sum than the bill.
    async fn retry(&self, bill: &Bill, attempt: u32) -> Result<Standing, ProviderError>;

    /// Makes an invoice void that was not paid, so that nobody is charged for it any more; one that is void, or was
    /// never handed over, is success.
    ///
    /// # Errors
    /// Refused when it is paid.
    async fn withdraw(&self, customer: CustomerId, number: &str) -> Result<(), ProviderError>;

    /// Hands a finished invoice over without having it paid: the customer pays it on [`Payments::pay_page`], or
    /// [`Payments::retry`] charges it. Handing it over again changes nothing.
    ///
    /// # Errors
    /// As [`Payments::collect`].
    async fn hand_over(&self, bill: &Bill) -> Result<(), ProviderError>;

    /// How a dispute stands; `None` when the provider knows none of this id.
    async fn dispute(&self, id: &str) -> Result<Option<Dispute>, ProviderError>;

    /// Every dispute that began since a moment.
    async fn disputes_since(&self, since: Timestamp) -> Result<Vec<Dispute>, ProviderError>;

    /// The number under which the invoice was handed over that a payment was for; `None` when it is none of ours.
    async fn paid_by(&self, payment: &str) -> Result<Option<String>, ProviderError>;

    /// What went back of a payment, whoever gave it back.
    async fn repayments_of(&self, payment: &str) -> Result<Repayments, ProviderError>;

    /// Everything that went back since a moment, without our names for it.
    async fn repayments_since(&self, since: Timestamp) -> Result<Vec<Repayment>, ProviderError>;

    /// Gives a part of a paid invoice back to the card that paid it, exactly once however often it is asked.
    ///
    /// # Errors
    /// Refused where customers pay by hand, when the invoice is not paid at the provider, and when less than the amount
    /// is left of it.
    async fn refund(&self, refund: &Refund) -> Result<(), ProviderError>;

    /// Whether that was given back already.
    async fn gave_back(&self, refund: &Refund) -> Result<bool, ProviderError>;

    /// Every invoice of ours that was handed over since a moment, by its number; without the reasons of failed charges.
    async fn collected_since(&self, since: Timestamp) -> Result<Vec<(String, Standing)>, ProviderError>;

    /// Opens the page on which the provider asks the customer for a means of payment, or finds the
    /// one opened earlier for the same instance.
    ///
    /// # Errors
    /// Refused where [`Payments::collects`] says that our own form does that.
    async fn open_checkout(&self, order: &Order) -> Result<Checkout, ProviderError>;

    /// How far the customer is on that page.
    ///
    /// # Errors
    /// Not found when none was opened for this instance.
    async fn checkout(&self, instance: InstanceId) -> Result<CheckoutState, ProviderError>;

    /// Closes that page: nobody can pay there any more. One that is over is success.
    async fn close_checkout(&self, instance: InstanceId) -> Result<(), ProviderError>;

    /// Starts the subscription of an instance, or finds the one started earlier. It charges nothing: finished
    /// invoices do.
    async fn subscribe(&self, customer: CustomerId, instance: InstanceId) -> Result<(), ProviderError>;

    /// Starts the subscription of an instance again after it was ended, with the means of payment that the customer has;
    /// one that runs is left alone. It charges nothing.
    async fn subscribe_again(&self, customer: CustomerId, instance: InstanceId) -> Result<(), ProviderError>;

    /// Ends the subscription of an instance; ending one that is over is success.
    async fn cancel(&self, instance: InstanceId) -> Result<Vec<Removed>, ProviderError>;

    /// A page of the provider's on which a customer sees invoices and changes the means of payment,
    /// open for a few minutes; `None` where there is none.
    ///
    /// # Errors
    /// Not found when the provider does not know the customer.
    async fn portal(&self, customer: CustomerId, back_to: &str) -> Result<Option<String>, ProviderError>;

    /// A page of the provider's on which a customer pays an open invoice, with any card and whatever the bank wants to
    /// know; `None` where there is none, or nothing is to be paid there.
    async fn pay_page(&self, customer: CustomerId, number: &str) -> Result<Option<String>, ProviderError>;

    /// Reads what the provider says of itself, if it is really from the provider and recent.
    ///
    /// # Errors
    /// [`NotGenuine`] otherwise, which is to be answered with 400.
    fn read_event(&self, signature: &str, body: &[u8], now: Timestamp) -> Result<Event, NotGenuine>;

    /// What the provider says of itself since a moment, for what never came: oldest first.
    async fn events_since(&self, since: Timestamp) -> Result<Vec<Event>, ProviderError>;

    /// What the provider kept for itself since a moment.
    async fn fees_since(&self, since: Timestamp) -> Result<Vec<Fee>, ProviderError>;

    /// Everything of instances that bears our marker, whatever the store says: subscriptions, and pages
    /// that wait for a means of payment. Customers stay when their instances go, for their invoices.
    async fn inventory(&self) -> Result<Vec<Item>, ProviderError>;

    /// Whether it can be used: credentials, permissions, prices, webhook. Changes nothing.
    async fn check(&self) -> Vec<Check>;
}

/// Who asks the customer for a means of payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collects {
    /// Our own form, as part of the signup.
    Form,
    /// A page of the provider's, after the signup.
    Checkout,
}

/// For what a customer is asked to pay.
#[derive(Debug, Clone)]
pub struct Order {
    /// Who pays.
    pub customer: CustomerId,
    /// Their name, for the provider's record.
    pub name: String,
    /// Their address.
    pub email: Email,
    /// For which instance.
    pub instance: InstanceId,
    /// Its hostname, as the page names it.
    pub hostname: String,
    /// Where the provider sends the customer afterwards.
    pub done_url: String,
    /// Where the provider sends a customer who turns back.
    pub back_url: String,
    /// When the page is to close by itself; without it, when the provider wants.
    pub closes_at: Option<Timestamp>,
}

/// A page on which the provider asks for a means of payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkout {
    /// Where it is.
    pub url: String,
    /// When it closes by itself.
    pub expires_at: Timestamp,
}

/// How far a customer is on the provider's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckoutState {
    /// Nothing was entered yet.
    Open,
    /// There is a means of payment; what may be shown of it.
    Done {
        /// `Visa ···· 4242`, if the provider says.
        card: Option<SavedCard>,
    },
    /// It closed before anything was entered.
    Expired,
}

/// Something that a payment provider says has happened. What it says of the state of things is not
/// believed: that is read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The provider's id of it: the same event may come many times.
    pub id: String,
    /// `checkout.session.completed`, …
    pub kind: String,
    /// When it happened.
    pub created_at: Timestamp,
    /// Which instance it is about, where its object bears our mark.
    pub instance: Option<InstanceId>,
    /// Which of our invoices it is about, by its number.
    pub invoice: Option<String>,
    /// Which dispute it is about, by the provider's id.
    pub dispute: Option<String>,
    /// Of which payment something went back, by the provider's id.
    pub repaid: Option<String>,
    /// The whole of it, as JSON.
    pub body: String,
}

/// What claims to come from the payment provider does not, or is too old.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotGenuine(pub String);

/// A card as typed. Never stored, never logged.
#[derive(Debug, Clone)]
pub struct Card {
    /// Digits; spaces are allowed.
    pub number: SecretString,
    /// `MM/YY`.
    pub expiry: String,
    /// Three or four digits.
    pub cvc: SecretString,
}

/// What may be kept of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedCard {
    /// `Visa`, `Mastercard`, …
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// `MM/YY`.
    pub expiry: String,
}

/// What is wrong with a card, field by field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CardProblems {
    /// With its number, or with the card as such.
    pub number: Option<&'static str>,
    /// With its expiry date.
    pub expiry: Option<&'static str>,
    /// With its security code.
    pub cvc: Option<&'static str>,
}
