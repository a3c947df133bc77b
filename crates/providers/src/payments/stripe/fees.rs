//! What Stripe keeps for itself, read from the account's own book: its balance transactions.

use std::collections::BTreeMap;

use domain::{Cents, CustomerId};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::Stripe;
use super::objects::{CUSTOMER, Customer};
use crate::ProviderError;
use crate::costs::Fee;

const OPERATION: &str = "GET /v1/balance_transactions";

#[derive(Deserialize)]
struct Entry {
    id: String,
    amount: i64,
    fee: i64,
    currency: String,
    created: i64,
    #[serde(rename = "type")]
    kind: String,
    reporting_category: Option<String>,
    source: Option<Source>,
}

/// What an entry is about, as far as it says whose it is.
#[derive(Deserialize)]
struct Source {
    /// Of a charge.
    customer: Option<String>,
    /// Of what is about a charge.
    charge: Option<String>,
}

#[derive(Deserialize)]
struct Charge {
    customer: Option<String>,
}

impl Entry {
    /// What was kept. A fee that is about no single payment is an entry of its own, with its amount below nothing.
    fn kept(&self) -> i64 {
        let own = if self.kind == "stripe_fee" { self.amount.saturating_neg() } else { 0 };
        self.fee.saturating_add(own)
    }
}

impl Stripe {
    pub(super) async fn all_fees(&self, since: Timestamp) -> Result<Vec<Fee>, ProviderError> {
        let query = json!({ "created": { "gte": since.as_second() }, "expand": ["data.source"] });
        let entries: Vec<Entry> = self.rest.list(OPERATION, "/v1/balance_transactions", &query).await?;
        let mut known = BTreeMap::new();
        for held in self.resources.of_kind("customer").await? {
            let owner = CustomerId::parse(&held.name).ok();
            known.extend(held.made.map(|made| (made.id, owner)));
        }
        let mut fees = Vec::new();
        for entry in entries.into_iter().filter(|entry| entry.kept() != 0) {
            fees.push(Fee {
                customer: self.owner(&entry, &mut known).await?,
                at: moment(entry.created)?,
                amount: Cents::new(entry.kept()),
                kind: entry.reporting_category.unwrap_or(entry.kind),
                currency: entry.currency,
                id: entry.id,
            });
        }
        Ok(fees)
    }

    /// Whose payment an entry is about. Asked for one by one only where the entry does not say.
    async fn owner(
        &self,
        entry: &Entry,
        known: &mut BTreeMap<String, Option<CustomerId>>,
    ) -> Result<Option<CustomerId>, ProviderError> {
        let Some(source) = &entry.source else { return Ok(None) };
        let charged = match (&source.customer, &source.charge) {
            (Some(customer), _) => Some(customer.clone()),
            (None, Some(charge)) => {
                let path = format!("/v1/charges/{charge}");
                self.rest.get::<Charge>("GET /v1/charges/{id}", path, &json!({})).await?.customer
            }
            (None, None) => None,
        };
        let Some(id) = charged else { return Ok(None) };
        if let Some(owner) = known.get(&id) {
            return Ok(*owner);
        }
        // One whose instances are all gone is on record nowhere but at Stripe.
        let path = format!("/v1/customers/{id}");
        let found = match self.rest.get::<Customer>("GET /v1/customers/{id}", path, &json!({})).await {
            Ok(held) => held.metadata.get(CUSTOMER).and_then(|id| CustomerId::parse(id).ok()),
            Err(ProviderError::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        known.insert(id, found);
        Ok(found)
    }
}

fn moment(seconds: i64) -> Result<Timestamp, ProviderError> {
    Timestamp::from_second(seconds).map_err(|error| ProviderError::unavailable(OPERATION, error))
}
