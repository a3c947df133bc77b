//! How much may be asked of a provider, kept in the store so that all replicas share it.
//!
//! A bucket is a rate with a burst. A line is for what may be done only once in a while: whoever
//! waits has a place, told in words, and whoever comes when it is free gets it.

mod store;

use ::store::{Db, sqlx::Error};
use jiff::{SignedDuration, Timestamp};
use world::Clock;

pub use store::MIGRATIONS;

/// So many in so long, and as many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many; at least 1.
    pub number: u32,
    /// In how long.
    pub per: SignedDuration,
    /// How many of them may come at once.
    pub burst: u32,
}

impl Rate {
    pub(crate) fn between(self) -> SignedDuration {
        self.per / i32::try_from(self.number.max(1)).unwrap_or(i32::MAX)
    }
}

/// Whether something may be asked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Now.
    Now,
    /// Later.
    Wait {
        /// How many are before it.
        before: u32,
        /// When it makes sense to come again.
        until: Timestamp,
    },
}

/// The budgets of one provider.
#[derive(Debug, Clone)]
pub struct Budget {
    db: Db,
    clock: Clock,
    provider: &'static str,
}

impl Budget {
    /// The budgets of a provider, kept in this store.
    pub fn new(db: Db, clock: Clock, provider: &'static str) -> Self {
        Self { db, clock, provider }
    }

    /// Takes one out of a bucket, if there is one.
    ///
    /// # Errors
    /// When the store can't be used.
    pub async fn take(&self, bucket: &str, rate: Rate) -> Result<Turn, Error> {
        let now = self.clock.now();
        let ahead = rate.between() * i32::try_from(rate.burst.max(1) - 1).unwrap_or(i32::MAX);
        let until = store::take(&self.db, &self.name(bucket), now, rate.between(), ahead).await?;
        Ok(until.map_or(Turn::Now, |until| Turn::Wait { before: 0, until }))
    }

    /// The provider said that it wants nothing more before this moment.
    ///
    /// # Errors
    /// When the store can't be used.
    pub async fn block(&self, bucket: &str, until: Timestamp) -> Result<(), Error> {
        store::block(&self.db, &self.name(bucket), until).await
    }

    /// Asks for a turn at something that may be done once in `every`. Whoever asks stands in line
    /// from the first time on, until [`Budget::leave`]; whose turn fails keeps the place.
    ///
    /// # Errors
    /// When the store can't be used.
    pub async fn turn(&self, line: &str, who: &str, every: SignedDuration) -> Result<Turn, Error> {
        store::turn(&self.db, &self.name(line), who, every, self.clock.now()).await
    }

    /// Gives a turn back that was not used after all, so that it is not lost for everybody.
    ///
    /// # Errors
    /// When the store can't be used.
    pub async fn give_back(&self, line: &str, who: &str) -> Result<(), Error> {
        store::give_back(&self.db, &self.name(line), who, self.clock.now()).await
    }

    /// Leaves a line: it is done, or no longer wanted.
    ///
    /// # Errors
    /// When the store can't be used.
    pub async fn leave(&self, line: &str, who: &str) -> Result<(), Error> {
        store::leave(&self.db, &self.name(line), who).await
    }

    /// How many stand in a line.
    ///
    /// # Errors
    /// When the store can't be used.
    pub async fn length(&self, line: &str) -> Result<u32, Error> {
        store::length(&self.db, &self.name(line)).await
    }

    fn name(&self, bucket: &str) -> String {
        format!("{} {bucket}", self.provider)
    }
}

#[cfg(test)]
mod tests;
