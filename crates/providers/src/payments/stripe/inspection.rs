use serde_json::{Value, json};

use super::events::KINDS;
use super::objects::{Endpoint, Price, Session, Subscription, moment};
use super::subscriptions::SUBSCRIPTIONS;
use super::{Stripe, VERSION};
use crate::ProviderError;
use crate::inventory::{Check, Item, Verdict};

const SET_UP: &str = "run `spinoff setup stripe`, which puts that right";

/// How a thing is, and what to do about it where it could be better.
type Seen = Result<(String, Option<&'static str>), ProviderError>;

impl Stripe {
    /// Subscriptions that run and checkouts that are open. Customers are not among them: they stay, for
    /// the sake of their invoices, and cost nothing.
    pub(super) async fn items(&self) -> Result<Vec<Item>, ProviderError> {
        let held: Vec<Subscription> = self.rest.list("GET /v1/subscriptions", SUBSCRIPTIONS, &json!({})).await?;
        let path = "/v1/checkout/sessions";
        let open = json!({ "status": "open" });
        let open: Vec<Session> = self.rest.list("GET /v1/checkout/sessions", path, &open).await?;
        let subscriptions = held.into_iter().filter_map(|held| {
            let instance = held.instance()?;
            Some(Item {
                kind: "subscription",
                name: format!("subscription of {instance}"),
                instance: Some(instance),
                created_at: Some(moment(held.created)),
                monthly_cost: held.monthly_cost(),
                drift: drift(&held.status),
                id: held.id,
            })
        });
        let checkouts = open.into_iter().filter_map(|session| {
            let instance = session.instance()?;
            Some(Item {
                kind: "checkout",
                id: session.id,
                name: format!("checkout of {instance}"),
                instance: Some(instance),
                created_at: Some(moment(session.created)),
                monthly_cost: None,
                drift: None,
            })
        });
        Ok(subscriptions.chain(checkouts).collect())
    }

    pub(super) async fn checks(&self) -> Vec<Check> {
        let key = self.key_works().await;
        let works = key.is_ok();
        let mut all = vec![check("Stripe key", key)];
        if !works {
            // All else would only say the same again.
            return all;
        }
        match self.base_price().await {
            Ok(price) => {
                all.push(check("Stripe mode", self.mode_is_right(&price)));
                all.push(check("base price", self.price_is_right(&price)));
            }
            Err(error) => all.push(check("base price", Err(error))),
        }
        all.push(check("Stripe webhook", self.webhook_is_there().await));
        all
    }

    async fn key_works(&self) -> Seen {
        // What every key needs, a restricted one too.
        let _: Value = self.rest.get("GET /v1/subscriptions", SUBSCRIPTIONS, &json!({ "limit": 1 })).await?;
        Ok(("the key is accepted".to_owned(), None))
    }

    fn mode_is_right(&self, price: &Price) -> Seen {
        let name = |live| if live { "live mode" } else { "a sandbox" };
        let found = format!("the key is of {}", name(price.livemode));
        match self.settings.live {
            Some(wanted) if wanted != price.livemode => {
                let what = format!("use Stripe in {}", name(wanted));
                Err(ProviderError::refused(what, found, "set the key of the other mode, or change what is expected"))
            }
            _ => Ok((found, None)),
        }
    }

    pub(super) fn price_is_right(&self, price: &Price) -> Seen {
        let amount = price.unit_amount.unwrap_or_default();
        let every = price.recurring.as_ref().map_or("once", |recurring| &*recurring.interval);
        let usage = price.recurring.as_ref().map_or("", |recurring| &*recurring.usage_type);
        let found = format!("{} is {amount} cents in {} ({every})", price.id, price.currency);
        let wrong = |why: String, next| Err(ProviderError::refused("begin subscriptions", why, next));
        if !price.active {
            return wrong(format!("{} is inactive", price.id), "activate it, or set another price");
        }
        if every != "month" || usage == "metered" {
            return wrong(found, "set a price by the month that does not depend on use");
        }
        price.is_free()?;
        match &self.settings.currency {
            Some(currency) if !currency.eq_ignore_ascii_case(&price.currency) => {
                let why = format!("{found}, and invoices are in {currency}");
                wrong(why, "make a price of 0 in that currency and move the lookup key to it, or change the plan")
            }
            _ => Ok((found, None)),
        }
    }

    async fn webhook_is_there(&self) -> Seen {
        let what = "be told of what happens";
        if self.settings.webhook_secrets.is_empty() {
            return Err(ProviderError::refused(what, "no webhook secret is set", SET_UP));
        }
        let Some(url) = &self.settings.webhook_url else {
            return Ok(("a webhook secret is set".to_owned(), None));
        };
        let endpoints: Vec<Endpoint> =
            self.rest.list("GET /v1/webhook_endpoints", "/v1/webhook_endpoints", &json!({})).await?;
        let Some(endpoint) = endpoints.into_iter().find(|endpoint| endpoint.url == *url) else {
            let why = format!("there is no webhook endpoint with the address {url}");
            return Err(ProviderError::refused(what, why, SET_UP));
        };
        if endpoint.status != "enabled" {
            let why = format!("the webhook endpoint {url} is {}", endpoint.status);
            return Err(ProviderError::refused(what, why, "enable it in Stripe's dashboard"));
        }
        let lacking = KINDS.iter().find(|kind| !endpoint.enabled_events.iter().any(|on| on == "*" || on == *kind));
        let version = endpoint.api_version.unwrap_or_else(|| "the account's version".to_owned());
        Ok(match lacking {
            Some(kind) => (format!("{url} is not told of {kind}"), Some(SET_UP)),
            None if version != VERSION => (format!("{url} is told in {version}, not in {VERSION}"), Some(SET_UP)),
            None => (format!("{url} is told of everything"), None),
        })
    }
}

fn drift(status: &str) -> Option<String> {
    match status {
        "active" | "trialing" => None,
        "past_due" => Some("the last invoice is not paid, and Stripe tries again".to_owned()),
        "unpaid" => Some("invoices are not paid, and Stripe tries no more".to_owned()),
        other => Some(format!("Stripe says that it is {other}")),
    }
}

fn check(name: &str, seen: Seen) -> Check {
    let (verdict, found, advice) = match seen {
        Ok((found, None)) => (Verdict::Ok, found, String::new()),
        Ok((found, Some(advice))) => (Verdict::Warn, found, advice.to_owned()),
        Err(ProviderError::Refused { what, why, next }) => (Verdict::Fail, format!("{what}: {why}"), next),
        Err(error) if error.is_temporary() => (Verdict::Warn, error.to_string(), "try again in a while".to_owned()),
        Err(error) => (Verdict::Fail, error.to_string(), "compare the ids in the settings with Stripe's".to_owned()),
    };
    Check { name: name.to_owned(), verdict, found, advice }
}
