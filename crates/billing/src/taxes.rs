//! Which taxes a customer is charged, by where they are and whether a tax office knows them.

use domain::{Country, TaxId, UsageHour};
use serde::{Deserialize, Serialize};

use crate::plan::Tax;
use crate::rate::Rate;

/// A tax, and whom it is charged to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxRule {
    /// Customers of this country; without one, those of all countries that have no rule of their own, and those whose
    /// country is not known.
    pub country: Option<Country>,
    /// As it stands on the invoice.
    pub name: String,
    /// The part of the net total.
    pub rate: Rate,
    /// Stands on the invoice instead of the tax where the customer has a tax id that counts in their country.
    pub exempt_with_tax_id: Option<String>,
}

/// The rules from some hour on, until the next version begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxVersion {
    /// For periods that begin in this hour or later.
    pub valid_from: UsageHour,
    /// In the order in which they stand on invoices.
    pub rules: Vec<TaxRule>,
}

/// All versions of the rules. Before the first one there are no taxes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaxBook {
    // By the hour from which they are valid.
    versions: Vec<TaxVersion>,
}

/// What one customer is charged, or why nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taxed {
    /// Each is taken of the net total.
    pub taxes: Vec<Tax>,
    /// Why there is none, where the customer is exempt.
    pub exempt: Option<String>,
}

impl TaxBook {
    /// From all versions, in any order.
    pub fn new(mut versions: Vec<TaxVersion>) -> Self {
        versions.sort_by_key(|version| version.valid_from);
        Self { versions }
    }

    /// The rules for a period that begins in an hour.
    pub fn in_force(&self, hour: UsageHour) -> &[TaxRule] {
        self.versions.iter().rev().find(|version| version.valid_from <= hour).map_or(&[], |version| &version.rules)
    }

    /// The version that begins last.
    pub fn newest(&self) -> Option<&TaxVersion> {
        self.versions.last()
    }
}

impl Taxed {
    /// What rules mean for a customer. One is exempt where every rule that applies says so.
    pub fn by(rules: &[TaxRule], country: Option<Country>, tax_id: Option<&TaxId>) -> Self {
        let own = country.filter(|country| rules.iter().any(|rule| rule.country == Some(*country)));
        let applying: Vec<&TaxRule> = rules.iter().filter(|rule| rule.country == own).collect();
        let counts = country.zip(tax_id).is_some_and(|(country, id)| id.counts_in(country));
        let texts: Option<Vec<&String>> = applying.iter().map(|rule| rule.exempt_with_tax_id.as_ref()).collect();
        match texts.filter(|_| counts).and_then(|texts| texts.first().map(|text| (*text).clone())) {
            Some(exempt) => Self { taxes: Vec::new(), exempt: Some(exempt) },
            None => {
                let tax = |rule: &&TaxRule| Tax { name: rule.name.clone(), rate: rule.rate };
                Self { taxes: applying.iter().map(tax).collect(), exempt: None }
            }
        }
    }
}
