//! How customers pay.

pub mod ledger;

use async_trait::async_trait;
use domain::{CustomerId, InstanceId};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{ProviderError, Removed};

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

    /// Starts the subscription of an instance, or finds the one started earlier.
    async fn subscribe(&self, customer: CustomerId, instance: InstanceId) -> Result<(), ProviderError>;

    /// Ends the subscription of an instance; ending one that is over is success.
    async fn cancel(&self, instance: InstanceId) -> Result<Vec<Removed>, ProviderError>;
}

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
