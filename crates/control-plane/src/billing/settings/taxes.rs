//! `[[billing.taxes]]`: which tax is charged to whom.

use billing::{Rate, TaxRule};
use domain::Country;
use serde::{Deserialize, Deserializer};

/// All taxes, in the order in which they stand on invoices.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "Vec<Tax>")]
pub struct Taxes(Vec<TaxRule>);

/// One tax as it is written down.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tax {
    /// Customers of this country; without it, those of every country that has no tax of its own here.
    #[serde(default)]
    country: Option<Country>,
    name: String,
    #[serde(rename = "percent", deserialize_with = "percent")]
    rate: Rate,
    /// Stands on the invoice instead of the tax, for customers with a tax id of their country.
    #[serde(default)]
    exempt_with_tax_id: Option<String>,
}

/// Taxes that contradict each other.
#[derive(Debug, thiserror::Error)]
enum TaxesError {
    #[error("[[billing.taxes]]: a tax of {0} has no name; give it the one that is to stand on invoices")]
    Unnamed(String),
    #[error("[[billing.taxes]]: {1} of {0} is there twice; leave one of them out")]
    Twice(String, String),
    #[error(
        "[[billing.taxes]]: one tax of {0} has exempt_with_tax_id and another has not; a customer pays all of them or \
         none, so set it for all or for none"
    )]
    HalfExempt(String),
    #[error("[[billing.taxes]]: a tax for every country has exempt_with_tax_id; name the countries in which it holds")]
    ExemptAnywhere,
}

impl Taxes {
    pub(crate) fn rules(&self) -> &[TaxRule] {
        &self.0
    }
}

impl TryFrom<Vec<Tax>> for Taxes {
    type Error = TaxesError;

    fn try_from(taxes: Vec<Tax>) -> Result<Self, TaxesError> {
        let of = |country: Option<Country>| country.map_or("every country", Country::name).to_owned();
        for (index, tax) in taxes.iter().enumerate() {
            if tax.name.trim().is_empty() {
                return Err(TaxesError::Unnamed(of(tax.country)));
            }
            if tax.country.is_none() && tax.exempt_with_tax_id.is_some() {
                return Err(TaxesError::ExemptAnywhere);
            }
            for earlier in taxes.iter().take(index).filter(|earlier| earlier.country == tax.country) {
                if earlier.name == tax.name {
                    return Err(TaxesError::Twice(of(tax.country), tax.name.clone()));
                }
                if earlier.exempt_with_tax_id.is_some() != tax.exempt_with_tax_id.is_some() {
                    return Err(TaxesError::HalfExempt(of(tax.country)));
                }
            }
        }
        let rule =
            |Tax { country, name, rate, exempt_with_tax_id }| TaxRule { country, name, rate, exempt_with_tax_id };
        Ok(Self(taxes.into_iter().map(rule).collect()))
    }
}

fn percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Rate, D::Error> {
    let text = String::deserialize(deserializer)?;
    Rate::parse_percent(&text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn taxes_are_read_exactly() {
        let taxes: Taxes = serde_json::from_value(json!([
            {"country": "DE", "name": "VAT", "percent": "19"},
            {"country": "at", "name": "VAT", "percent": "20", "exempt_with_tax_id": "Reverse charge"},
            {"name": "Levy", "percent": "7.75"},
        ]))
        .unwrap();
        let rates: Vec<u32> = taxes.rules().iter().map(|rule| rule.rate.ppm()).collect();
        assert_eq!(rates, [190_000, 200_000, 77_500]);
        assert_eq!(taxes.rules()[1].exempt_with_tax_id.as_deref(), Some("Reverse charge"));
        assert_eq!(taxes.rules()[2].country, None);
    }

    #[test]
    fn taxes_that_contradict_each_other_are_refused_with_what_to_do() {
        for (taxes, told) in [
            (json!([{"name": " ", "percent": "1"}]), "every country has no name"),
            (json!([{"country": "DE", "name": "VAT", "percent": "119"}]), "is no percentage"),
            (json!([{"country": "EU", "name": "VAT", "percent": "19"}]), "is no country"),
            (json!([{"name": "A", "percent": "1"}, {"name": "A", "percent": "2"}]), "there twice"),
            (json!([{"name": "A", "percent": "1", "exempt_with_tax_id": "x"}]), "name the countries"),
            (
                json!([
                    {"country": "DE", "name": "A", "percent": "1"},
                    {"country": "DE", "name": "B", "percent": "1", "exempt_with_tax_id": "x"},
                ]),
                "for all or for none",
            ),
            (json!([{"name": "A", "percent": "1", "rate": "2"}]), "unknown field"),
        ] {
            let error = serde_json::from_value::<Taxes>(taxes).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
