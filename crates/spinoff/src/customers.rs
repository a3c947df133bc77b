mod billing;

use api::{Client, Customer, CustomerCoupon, Page};
use clap::Subcommand;
use domain::CustomerId;

use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::{or_dash, table};
use crate::when::moment;

/// What can be asked about customers.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the customers, newest first
    #[command(after_help = "Examples:
  spinoff customers list
  spinoff customers list --json | jq -r '.data[].email'")]
    List,
    /// To whom a customer's invoices are made out
    #[command(subcommand)]
    Billing(billing::Command),
    /// Show the coupons that a customer has
    #[command(after_help = "Exit codes: 0 shown, 1 failed, 3 no such customer.

Examples:
  spinoff customers coupons cus_01j9z3k4m5n6p7q8r9s0t1v2w3")]
    Coupons {
        /// The customer's id
        customer: CustomerId,
    },
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::List => list(context).await,
        Command::Billing(command) => billing::run(context, command).await,
        Command::Coupons { customer } => {
            let what = || format!("can't show the coupons of {customer}");
            let held = context.client()?.coupons_of(customer).await.doing(what)?;
            context.output.show(&held, || coupons_in_words(&held))
        }
    }
}

async fn list(context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    let page = Client::every(async |paging| client.customers(&paging).await)
        .await
        .doing(|| "can't list the customers".to_owned())?;
    context.output.show(&page, || table(&["CUSTOMER", "NAME", "COMPANY", "SINCE", "ID"], page.data.iter().map(row)))
}

fn row(customer: &Customer) -> [String; 5] {
    let Customer { id, email, name, company, created_at } = customer;
    [email.to_string(), name.clone(), or_dash(company.as_ref()), moment(*created_at), id.to_string()]
}

/// What a customer has of coupons, as a table.
pub fn coupons_in_words(held: &Page<CustomerCoupon>) -> String {
    let row = |coupon: &CustomerCoupon| {
        [
            coupon.code.to_string(),
            coupon.offer.clone(),
            moment(coupon.redeemed_at),
            coupon.taken.to_string(),
            coupon.hours_taken.to_string(),
            coupon.name.clone(),
        ]
    };
    table(&["CODE", "GIVES", "SINCE", "TAKEN OFF", "HOURS", "NAME"], held.data.iter().map(row))
}
