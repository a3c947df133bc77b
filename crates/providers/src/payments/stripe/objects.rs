//! The parts of Stripe's objects that matter here. States are kept as words: there may be new ones.

use std::collections::BTreeMap;

use domain::{Cents, CustomerId, InstanceId};
use jiff::Timestamp;
use serde::Deserialize;

use crate::ProviderError;

/// Our marks in the metadata. Stored, so never to be changed.
pub(super) const CUSTOMER: &str = "spinoff_customer";
pub(super) const INSTANCE: &str = "spinoff_instance";
pub(super) const CHECKOUT: &str = "spinoff_checkout";
pub(super) const WORKS: &str = "spinoff_works";
pub(super) const INVOICE: &str = "spinoff_invoice";
/// Names a refund, on its credit note.
pub(super) const REFUND: &str = "spinoff_refund";
pub(super) const LINE: &str = "spinoff_line";
pub(super) const ISSUE: &str = "spinoff_issue";

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
    #[serde(default)]
    pub(super) invoice_settings: Usual,
}

/// What a customer's invoices are paid with, where the customer chose that.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Usual {
    #[serde(default)]
    pub(super) default_payment_method: Option<String>,
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
    #[serde(default)]
    pub(super) default_payment_method: Option<String>,
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
    pub(super) currency: String,
    #[serde(default)]
    pub(super) total: i64,
    #[serde(default)]
    pub(super) amount_due: i64,
    #[serde(default)]
    pub(super) amount_paid: i64,
    #[serde(default)]
    pub(super) amount_remaining: i64,
    #[serde(default)]
    pub(super) attempted: bool,
    #[serde(default)]
    pub(super) hosted_invoice_url: Option<String>,
    #[serde(default)]
    pub(super) metadata: Metadata,
    /// Only where it was asked for.
    #[serde(default)]
    pub(super) payments: Option<InvoicePayments>,
}

#[derive(Debug, Deserialize)]
pub(super) struct InvoicePayments {
    pub(super) data: Vec<InvoicePayment>,
}

#[derive(Debug, Deserialize)]
pub(super) struct InvoicePayment {
    pub(super) payment: PaymentOf,
}

#[derive(Debug, Deserialize)]
pub(super) struct PaymentOf {
    #[serde(default)]
    pub(super) payment_intent: Option<Intent>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Intent {
    #[serde(default)]
    pub(super) latest_charge: Option<String>,
    #[serde(default)]
    pub(super) last_payment_error: Option<PaymentError>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PaymentError {
    #[serde(default)]
    pub(super) message: Option<String>,
    #[serde(default)]
    pub(super) code: Option<String>,
}

/// One line of an invoice that is made by hand.
#[derive(Debug, Deserialize)]
pub(super) struct InvoiceItem {
    #[serde(default)]
    pub(super) metadata: Metadata,
}

#[derive(Debug, Deserialize)]
pub(super) struct CreditNote {
    #[serde(default)]
    pub(super) metadata: Metadata,
    #[serde(default)]
    refunds: Vec<NotedRefund>,
}

#[derive(Debug, Deserialize)]
struct NotedRefund {
    #[serde(default)]
    refund: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PaymentMethod {
    pub(super) id: String,
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

impl CreditNote {
    /// Whether a refund was made by it.
    pub(super) fn gave_back(&self, refund: &str) -> bool {
        self.refunds.iter().any(|noted| noted.refund.as_deref() == Some(refund))
    }
}

impl Customer {
    pub(super) fn is(&self, customer: CustomerId) -> bool {
        self.metadata.get(CUSTOMER) == Some(&customer.to_string())
    }
}

impl Price {
    /// Whatever a subscription would charge by itself, our invoices would charge again.
    ///
    /// # Errors
    /// Refused when it is not 0.
    pub(super) fn is_free(&self) -> Result<(), ProviderError> {
        if self.unit_amount == Some(0) {
            return Ok(());
        }
        let amount = self.unit_amount.map_or_else(|| "an amount that is not fixed".to_owned(), |it| it.to_string());
        let why =
            format!("{} charges {amount} in {}, and our invoices hold the base fee already", self.id, self.currency);
        let next = "run `spinoff setup stripe`, which makes a price of 0, or set the id of one";
        Err(ProviderError::refused("begin subscriptions", why, next))
    }
}

impl Invoice {
    /// Our number, if it is one of ours.
    pub(super) fn number(&self) -> Option<&str> {
        self.metadata.get(INVOICE).map(String::as_str)
    }

    pub(super) fn is(&self, status: &str) -> bool {
        self.status.as_deref() == Some(status)
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
