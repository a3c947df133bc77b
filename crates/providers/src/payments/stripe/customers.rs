use domain::CustomerId;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::api::Once;
use super::objects::{CUSTOMER, Customer};
use super::{Order, Stripe};
use crate::ProviderError;
use crate::resources::{Key, Made};

const KIND: &str = "customer";

/// How Stripe knows a customer, as far as we know.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    name: String,
    email: String,
}

#[derive(Deserialize)]
struct Portal {
    url: String,
}

impl Stripe {
    /// Stripe's id of the customer of an order, who is made when Stripe knows none, and renamed when
    /// they go by another name or address now.
    pub(super) async fn customer_of(&self, order: &Order) -> Result<String, ProviderError> {
        let wanted = Known { name: order.name.clone(), email: order.email.to_string() };
        let key = Key { kind: KIND, name: order.customer.to_string(), instance: order.instance };
        let look = async || {
            if let Some(known) = self.recorded(order.customer).await? {
                return Ok(Some(known));
            }
            // The list is up to date, which the search isn't; but the search finds a former address.
            let same: Vec<Customer> = self.rest.list(LIST, "/v1/customers", &json!({ "email": wanted.email })).await?;
            let found = match same.into_iter().find(|customer| customer.is(order.customer)) {
                Some(found) => Some(found),
                None => self.search_customer(order.customer).await?,
            };
            Ok(found.map(made))
        };
        let make = async || {
            let metadata = json!({ CUSTOMER: order.customer.to_string() });
            let form = json!({ "name": wanted.name, "email": wanted.email, "metadata": metadata });
            self.rest.post("POST /v1/customers", "/v1/customers", &form, Once::ByContent).await.map(made)
        };
        let there = self.resources.ensure(&key, SignedDuration::ZERO, look, make).await?;
        let known: Known =
            there.detail.as_deref().and_then(|detail| serde_json::from_str(detail).ok()).unwrap_or_default();
        if known != wanted {
            let form = json!({ "name": wanted.name, "email": wanted.email });
            let path = format!("/v1/customers/{}", there.id);
            let now: Customer = self.rest.post("POST /v1/customers/{id}", path, &form, Once::PerCall).await?;
            self.resources.keep(&key, &made(now)).await?;
        }
        Ok(there.id)
    }

    /// Stripe's id of a customer, by our record, else as Stripe knows them.
    pub(super) async fn customer_id(&self, customer: CustomerId) -> Result<Option<String>, ProviderError> {
        if let Some(known) = self.recorded(customer).await? {
            return Ok(Some(known.id));
        }
        Ok(self.search_customer(customer).await?.map(|found| found.id))
    }

    /// A customer as any of their instances has them on record.
    async fn recorded(&self, customer: CustomerId) -> Result<Option<Made>, ProviderError> {
        let theirs = self.resources.named(KIND, &customer.to_string()).await?;
        Ok(theirs.into_iter().filter_map(|thing| thing.made).next_back())
    }

    async fn search_customer(&self, customer: CustomerId) -> Result<Option<Customer>, ProviderError> {
        let operation = "GET /v1/customers/search";
        let found: Vec<Customer> =
            self.rest.search(operation, "/v1/customers/search", CUSTOMER, &customer.to_string()).await?;
        // The oldest, should there ever be two.
        Ok(found.into_iter().rfind(|found| found.is(customer)))
    }

    pub(super) async fn portal_page(&self, customer: CustomerId, back_to: &str) -> Result<String, ProviderError> {
        let missing = || ProviderError::not_found(format!("the customer {customer} at Stripe"));
        let id = self.customer_id(customer).await?.ok_or_else(missing)?;
        let form: Value = json!({ "customer": id, "return_url": back_to });
        let path = "/v1/billing_portal/sessions";
        let portal: Portal = self.rest.post("POST /v1/billing_portal/sessions", path, &form, Once::PerCall).await?;
        Ok(portal.url)
    }
}

const LIST: &str = "GET /v1/customers";

fn made(customer: Customer) -> Made {
    let known = Known { name: customer.name.unwrap_or_default(), email: customer.email.unwrap_or_default() };
    Made { id: customer.id, detail: serde_json::to_string(&known).ok() }
}
