//! The built-in ledger: keeps account of who owes what, and charges nobody.

mod card;
mod store;

use async_trait::async_trait;
use domain::{CustomerId, InstanceId};
use world::Clock;

use super::{Card, CardProblems, Payments, SavedCard};
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

    async fn subscribe(&self, customer: CustomerId, instance: InstanceId) -> Result<(), ProviderError> {
        store::subscribe(&self.db, customer, instance, self.clock.now())
            .await
            .map_err(|error| unavailable("starting the subscription", &error))
    }

    async fn cancel(&self, instance: InstanceId) -> Result<Vec<Removed>, ProviderError> {
        let ended = store::cancel(&self.db, instance, self.clock.now())
            .await
            .map_err(|error| unavailable("ending the subscription", &error))?;
        Ok(if ended { vec![Removed::new("subscription", format!("of {instance}"))] } else { Vec::new() })
    }
}

fn unavailable(what: &str, error: &::store::sqlx::Error) -> ProviderError {
    ProviderError::unavailable(what, error)
}
