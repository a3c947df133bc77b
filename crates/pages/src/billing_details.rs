//! The form in which customers say to whom their invoices are made out.

use askama::Template;
use domain::Country;

use crate::page::page;
use crate::shell::Shell;

/// Name, address, country, tax id, and who gets copies.
#[derive(Debug, Clone, Template)]
#[template(path = "portal/billing_details.html")]
pub struct BillingDetailsPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The workspace from which the reader came.
    pub hostname: String,
    /// Where its bills are.
    pub bills_url: String,
    /// Where the form goes (fields `name`, `address`, `country`, `tax_id` and `mail_to`).
    pub action: String,
    /// What stands in the fields.
    pub values: BillingDetailsValues,
    /// What was wrong with them.
    pub errors: BillingDetailsErrors,
}

/// What stands in the fields.
#[derive(Debug, Clone, Default)]
pub struct BillingDetailsValues {
    /// Of the person or company.
    pub name: String,
    /// Line by line.
    pub address: String,
    /// Two letters; empty while none is chosen.
    pub country: String,
    /// As it was entered.
    pub tax_id: String,
    /// As it was entered.
    pub mail_to: String,
}

/// What is wrong with each field.
#[derive(Debug, Clone, Default)]
pub struct BillingDetailsErrors {
    /// With the name.
    pub name: Option<String>,
    /// With the address.
    pub address: Option<String>,
    /// With the country.
    pub country: Option<String>,
    /// With the tax id.
    pub tax_id: Option<String>,
    /// With the address for copies.
    pub mail_to: Option<String>,
}

page!(BillingDetailsPage, here: "/portal");

impl BillingDetailsPage {
    /// By name, as people look for theirs.
    fn countries(&self) -> Vec<Country> {
        let mut all: Vec<Country> = Country::all().collect();
        // A letter with a mark is looked for under the letter.
        all.sort_by_key(|country| country.name().replace('Å', "A"));
        all
    }

    fn is_chosen(&self, country: &Country) -> bool {
        country.code().eq_ignore_ascii_case(&self.values.country)
    }
}

impl BillingDetailsErrors {
    /// What is wrong, with the field that it is wrong in, from top to bottom.
    fn listed(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("name", &self.name),
            ("address", &self.address),
            ("country", &self.country),
            ("tax_id", &self.tax_id),
            ("mail_to", &self.mail_to),
        ];
        all.into_iter().filter_map(|(field, text)| Some((field, text.as_deref()?))).collect()
    }
}
