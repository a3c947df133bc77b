//! The parts of Stripe's objects that matter here. States are kept as words: there may be new ones.

use std::collections::BTreeMap;

use domain::{Cents, CustomerId, InstanceId};
use jiff::Timestamp;
use serde::Deserialize;

/// Our marks in the metadata. Stored, so never to be changed.
pub(super) const CUSTOMER: &str = "spinoff_customer";
pub(super) const INSTANCE: &str = "spinoff_instance";
pub(super) const CHECKOUT: &str = "spinoff_checkout";
pub(super) const WORKS: &str = "spinoff_works";

/// States of a subscription from which nothing comes back.
pub(super) const ENDED: [&str; 2] = ["canceled", "incomplete_expired"];

pub(super) type Metadata = BTreeMap<String, String>;

#[derive(Debug, Deserialize)]
pub(super) struct Customer {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
    #[serde(default)]
    pub(super) metadata: Metadata,
}

#[derive(Debug, Deserialize)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) url: Option<String>,
    pub(super) expires_at: i64,
    pub(super) created: i64,
    pub(super) client_reference_id: Option<String>,
    #[serde(default)]
    pub(super) metadata: Metadata,
    #[serde(default)]
    pub(super) subscription: Option<Reference>,
}

/// An id, or the whole thing where it was asked for.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Reference {
    Id(String),
    Whole { id: String, default_payment_method: Option<Method> },
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Method {
    Whole {
        #[serde(default)]
        card: Option<Plastic>,
    },
    #[allow(dead_code, reason = "only the form matters: an id that was not asked to be spelt out")]
    Id(String),
}

#[derive(Debug, Deserialize)]
pub(super) struct Plastic {
    pub(super) brand: String,
    pub(super) last4: String,
    pub(super) exp_month: u8,
    pub(super) exp_year: u16,
}

#[derive(Debug, Deserialize)]
pub(super) struct Subscription {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) created: i64,
    pub(super) trial_start: Option<i64>,
    pub(super) trial_end: Option<i64>,
    #[serde(default)]
    pub(super) metadata: Metadata,
    #[serde(default)]
    items: Items,
}

#[derive(Debug, Default, Deserialize)]
struct Items {
    data: Vec<Line>,
}

#[derive(Debug, Deserialize)]
struct Line {
    price: Price,
    /// Metered lines have none.
    quantity: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Price {
    pub(super) id: String,
    #[serde(default)]
    pub(super) active: bool,
    #[serde(default)]
    pub(super) livemode: bool,
    #[serde(default)]
    pub(super) currency: String,
    pub(super) unit_amount: Option<i64>,
    pub(super) recurring: Option<Recurring>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Recurring {
    pub(super) interval: String,
    #[serde(default)]
    pub(super) usage_type: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Invoice {
    pub(super) id: String,
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) amount_paid: i64,
    #[serde(default)]
    pub(super) post_payment_credit_notes_amount: i64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Endpoint {
    pub(super) id: String,
    pub(super) url: String,
    pub(super) status: String,
    pub(super) api_version: Option<String>,
    #[serde(default)]
    pub(super) enabled_events: Vec<String>,
}

impl Customer {
    pub(super) fn is(&self, customer: CustomerId) -> bool {
        self.metadata.get(CUSTOMER) == Some(&customer.to_string())
    }
}

impl Session {
    pub(super) fn instance(&self) -> Option<InstanceId> {
        instance(&self.metadata).or_else(|| InstanceId::parse(self.client_reference_id.as_deref()?).ok())
    }

    /// Which of the checkouts of its instance it is.
    pub(super) fn number(&self) -> Option<u32> {
        self.metadata.get(CHECKOUT)?.parse().ok()
    }
}

impl Reference {
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Id(id) | Self::Whole { id, .. } => id,
        }
    }

    pub(super) fn card(self) -> Option<Plastic> {
        match self {
            Self::Whole { default_payment_method: Some(Method::Whole { card }), .. } => card,
            _ => None,
        }
    }
}

impl Subscription {
    pub(super) fn instance(&self) -> Option<InstanceId> {
        instance(&self.metadata)
    }

    /// Whether its instance was ever handed over.
    pub(super) fn worked(&self) -> bool {
        self.metadata.contains_key(WORKS)
    }

    pub(super) fn is_over(&self) -> bool {
        ENDED.contains(&self.status.as_str())
    }

    /// What it costs a month without what is used; unknown for other intervals.
    pub(super) fn monthly_cost(&self) -> Option<Cents> {
        let licensed = self.items.data.iter().filter_map(|line| Some((&line.price, line.quantity?)));
        let mut sum = 0_i64;
        for (price, quantity) in licensed {
            price.recurring.as_ref().filter(|recurring| recurring.interval == "month")?;
            sum = sum.checked_add(price.unit_amount?.checked_mul(quantity)?)?;
        }
        Some(Cents::new(sum))
    }
}

pub(super) fn instance(metadata: &Metadata) -> Option<InstanceId> {
    InstanceId::parse(metadata.get(INSTANCE)?).ok()
}

/// A moment as Stripe writes it.
pub(super) fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or_default()
}
