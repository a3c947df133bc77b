//! To whom a customer's invoices are made out. An invoice takes what holds when it is issued, and keeps it; what is
//! changed later is for later ones.

pub(crate) mod store;

use ::store::Tx;
use ::store::sqlx::Error;
use billing::Party;
use domain::{Country, CustomerId, Email, TaxId};
use jiff::Timestamp;

use crate::app::{App, Core};
use crate::audit;
use crate::customers::{self, Customer};
use crate::error::AppError;
use crate::text::capital;

/// A name or a line of an address is no longer than this.
const LONGEST: usize = 100;
const MOST_LINES: usize = 6;

/// What the tax office wants to know of a buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BillingDetails {
    /// Of the person or company.
    pub name: String,
    /// Line by line, without the country.
    pub address: Vec<String>,
    pub country: Country,
    pub tax_id: Option<TaxId>,
    /// Who gets invoices by mail, beside the customer.
    pub mail_to: Option<Email>,
}

/// The details as they were typed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entered {
    pub name: String,
    pub address: Vec<String>,
    pub country: String,
    pub tax_id: String,
    pub mail_to: String,
}

/// What is wrong with each field.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub name: Option<String>,
    pub address: Option<String>,
    pub country: Option<String>,
    pub tax_id: Option<String>,
    pub mail_to: Option<String>,
}

impl Wrong {
    /// What is wrong, field by field.
    pub(crate) fn all(&self) -> Vec<&str> {
        let fields = [&self.name, &self.address, &self.country, &self.tax_id, &self.mail_to];
        fields.into_iter().flatten().map(String::as_str).collect()
    }
}

/// Reads all fields, so that everything that is wrong is told at once.
pub(crate) fn read(entered: &Entered) -> Result<BillingDetails, Wrong> {
    let mut wrong = Wrong::default();
    let name = entered.name.trim().to_owned();
    wrong.name = if name.is_empty() {
        Some("Enter the name of the person or company that invoices are made out to".to_owned())
    } else {
        unfit(&name)
    };
    let lines = entered.address.iter().map(|line| line.trim().to_owned());
    let address: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    wrong.address = if address.len() > MOST_LINES {
        Some(format!("Use at most {MOST_LINES} lines"))
    } else {
        address.iter().find_map(|line| unfit(line))
    };
    let country = match entered.country.trim() {
        "" => {
            wrong.country = Some("Choose a country: it decides which taxes are charged".to_owned());
            None
        }
        code => Country::parse(code).map_err(|error| wrong.country = Some(capital(&error.to_string()))).ok(),
    };
    let tax_id = optional(&entered.tax_id, &mut wrong.tax_id, |text| {
        let id = TaxId::parse(text).map_err(|error| error.to_string())?;
        country.map_or(Ok(()), |country| id.fits(country)).map_err(|error| error.to_string())?;
        Ok(id)
    });
    let mail_to =
        optional(&entered.mail_to, &mut wrong.mail_to, |text| Email::parse(text).map_err(|error| error.to_string()));
    match country {
        Some(country) if wrong == Wrong::default() => Ok(BillingDetails { name, address, country, tax_id, mail_to }),
        _ => Err(wrong),
    }
}

fn optional<T>(text: &str, wrong: &mut Option<String>, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
    let text = Some(text.trim()).filter(|text| !text.is_empty())?;
    read(text).map_err(|error| *wrong = Some(capital(&error))).ok()
}

/// What is wrong with a line of an address, if anything is.
fn unfit(line: &str) -> Option<String> {
    if line.chars().count() > LONGEST {
        return Some(format!("Use at most {LONGEST} characters in a line"));
    }
    line.chars().any(char::is_control).then(|| "Use letters, digits and signs only".to_owned())
}

/// Sets a customer's details. Setting what holds already changes nothing.
pub(crate) async fn set(app: &App, customer: CustomerId, details: &BillingDetails, by: &str) -> Result<(), AppError> {
    let mut tx = app.db.begin().await?;
    let held = store::find(&mut tx, customer).await?;
    if held.is_some_and(|(held, _)| held == *details) {
        return Ok(());
    }
    store::set(&mut tx, customer, details, by, app.clock.now()).await?;
    record(&mut tx, app, customer, details, by).await?;
    tx.commit().await?;
    Ok(())
}

async fn record(tx: &mut Tx, core: &Core, customer: CustomerId, to: &BillingDetails, by: &str) -> Result<(), Error> {
    let tax_id = to.tax_id.as_ref().map_or("no tax id", TaxId::as_str);
    let mail_to = to.mail_to.as_ref().map_or(String::new(), |email| format!(", mail to {email}"));
    let address = to.address.join(", ");
    let detail = format!("{}, {address}, {}, {tax_id}{mail_to}", to.name, to.country);
    audit::record(tx, core, by, "customer.billing_changed", &customer.to_string(), &detail).await
}

/// What a customer set, with when that was; else nothing.
pub(crate) async fn find(app: &App, customer: CustomerId) -> Result<Option<(BillingDetails, Timestamp)>, Error> {
    store::find(&mut *app.db.read().acquire().await?, customer).await
}

/// The buyer as it stands on an invoice: as the customer wants it, else as they signed up.
pub(crate) fn buyer(customer: Customer, details: Option<&BillingDetails>) -> Party {
    let Some(details) = details else { return signed_up(customer) };
    let country = details.country.name().to_owned();
    Party {
        name: details.name.clone(),
        address: details.address.iter().cloned().chain([country]).collect(),
        tax_id: details.tax_id.as_ref().map(ToString::to_string),
    }
}

/// A company is named before the person who signed for it.
fn signed_up(customer: customers::Customer) -> Party {
    let name = customer.called();
    let email = customer.email.to_string();
    match customer.company {
        Some(company) => Party { name: company, address: vec![name, email], tax_id: None },
        None => Party { name, address: vec![email], tax_id: None },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn entered(country: &str, tax_id: &str) -> Entered {
        Entered {
            name: " Acme GmbH ".to_owned(),
            address: ["Street 1", " ", "12345 Town "].map(str::to_owned).to_vec(),
            country: country.to_owned(),
            tax_id: tax_id.to_owned(),
            mail_to: "Bills@Example.com".to_owned(),
        }
    }

    #[test]
    fn what_was_typed_is_tidied_and_read() {
        let read = read(&entered("de", "de 123 456 789")).unwrap();
        assert_eq!((read.name.as_str(), read.address.len()), ("Acme GmbH", 2));
        assert_eq!(read.tax_id.unwrap().as_str(), "DE123456789");
        assert_eq!(read.mail_to.unwrap().as_str(), "bills@example.com");
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once_and_where() {
        let nothing = read(&Entered::default()).unwrap_err();
        assert_eq!((nothing.all().len(), nothing.tax_id), (2, None));
        let wrong = Entered {
            name: "x".repeat(101),
            address: vec!["line".to_owned(); 7],
            country: "Germany".to_owned(),
            tax_id: "?".to_owned(),
            mail_to: "nobody".to_owned(),
        };
        assert_eq!(read(&wrong).unwrap_err().all().len(), 5);
        let told = read(&entered("DE", "DE12")).unwrap_err();
        assert_eq!(told.tax_id.unwrap(), "\"DE12\" is no VAT number of Germany: it should look like DE999999999");
    }
}
