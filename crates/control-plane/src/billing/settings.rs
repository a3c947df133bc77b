mod taxes;

use billing::dunning::Policy;
use billing::{CancellationPolicy, Cycle, Party};
use domain::UsageHour;
use serde::Deserialize;

use crate::costs::CostSettings;

pub use taxes::Taxes;

/// `[billing]`: when invoices are made, and what they say beside amounts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BillingSettings {
    /// When a period ends. Instances that have invoices can't change over: their next period would overlap.
    pub cycle: BillingCycle,
    /// How many hours after a period's end late reports are waited for, before it is closed.
    pub grace_hours: u16,
    /// How many days after its issue an invoice is to be paid.
    pub due_days: u16,
    /// Where and how an invoice is to be paid, a paragraph each: the bank account, for example. Stands on invoices and
    /// in mails; that the invoice is to be named is added to it.
    pub how_to_pay: Vec<String>,
    /// Stands before every number that is given from now on.
    pub number_prefix: String,
    /// Who sells.
    pub seller: Seller,
    /// Which taxes are charged to whom; none of them is part of a price.
    pub taxes: Taxes,
    /// What happens when an invoice is not paid.
    pub dunning: Policy,
    /// What happens to the data of instances that are given up.
    pub cancellation: CancellationPolicy,
    /// What serving customers costs.
    pub costs: CostSettings,
    /// What is written to customers who left.
    pub leaving: LeavingSettings,
}

/// `[billing.leaving]`: what is written to customers who left.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LeavingSettings {
    /// How many days after the end of their service they get the one mail that asks them back; 0 for never.
    pub win_back_days: u16,
}

impl Default for LeavingSettings {
    fn default() -> Self {
        Self { win_back_days: 14 }
    }
}

/// When a period ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillingCycle {
    /// With the month, UTC.
    #[default]
    Calendar,
    /// At the day and hour at which the service began.
    Anniversary,
}

/// `[billing.seller]`: who sells, as the tax office wants it named.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seller {
    /// Of the person or company; the product's, if there is none.
    pub name: String,
    /// Line by line.
    pub address: Vec<String>,
    /// The number under which the tax office knows the seller.
    pub tax_id: Option<String>,
}

impl Default for BillingSettings {
    fn default() -> Self {
        Self {
            cycle: BillingCycle::default(),
            grace_hours: 6,
            due_days: 14,
            how_to_pay: Vec::new(),
            number_prefix: String::new(),
            seller: Seller::default(),
            taxes: Taxes::default(),
            dunning: Policy::default(),
            cancellation: CancellationPolicy::default(),
            costs: CostSettings::default(),
            leaving: LeavingSettings::default(),
        }
    }
}

impl BillingSettings {
    /// The periods of a service that began in an hour.
    pub(crate) fn cycle_of(&self, service_began: UsageHour) -> Cycle {
        match self.cycle {
            BillingCycle::Calendar => Cycle::Calendar,
            BillingCycle::Anniversary => Cycle::Anniversary { of: service_began },
        }
    }

    /// The seller as it stands on an invoice.
    pub(crate) fn seller(&self, product: &str) -> Party {
        let Seller { name, address, tax_id } = &self.seller;
        let name = if name.is_empty() { product } else { name };
        Party { name: name.to_owned(), address: address.clone(), tax_id: tax_id.clone() }
    }
}
