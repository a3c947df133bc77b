use askama::Template;
use domain::{CustomerId, Email};
use jiff::Timestamp;

use super::instances::{Fact, InstanceRow};
use super::invoice::HistoryRow;
use crate::page::page;
use crate::shell::Shell;

/// All customers.
#[derive(Debug, Clone, Template)]
#[template(path = "console/customers.html")]
pub struct ConsoleCustomers {
    /// What surrounds the page.
    pub shell: Shell,
    /// The customers, newest first.
    pub customers: Vec<CustomerRow>,
    /// Where the next ones are.
    pub next: Option<String>,
}

/// One customer in the list; shown at `/admin/customers/<id>`.
#[derive(Debug, Clone)]
pub struct CustomerRow {
    /// Their id.
    pub id: CustomerId,
    /// Their name.
    pub name: String,
    /// Where they are reached.
    pub email: Email,
    /// Their company, if any.
    pub company: Option<String>,
    /// How many instances they have now.
    pub instances: u32,
    /// Since when they are a customer.
    pub created_at: Timestamp,
}

/// One customer.
#[derive(Debug, Clone, Template)]
#[template(path = "console/customer.html")]
pub struct ConsoleCustomer {
    /// What surrounds the page.
    pub shell: Shell,
    /// Who it is.
    pub customer: CustomerRow,
    /// More about them: payment method, agreements with versions.
    pub facts: Vec<Fact>,
    /// That mail to them comes back.
    pub bounce: Option<BounceView>,
    /// Money that went back to them, or that their banks question, newest first.
    pub history: Vec<HistoryRow>,
    /// Their instances.
    pub instances: Vec<InstanceRow>,
}

/// An address that takes no mail.
#[derive(Debug, Clone)]
pub struct BounceView {
    /// Since when.
    pub since: Timestamp,
    /// When it was last tried.
    pub last_at: Timestamp,
    /// What its server said.
    pub answer: String,
}

page!(ConsoleCustomers, here: "/admin/customers");
page!(ConsoleCustomer, here: "/admin/customers");
