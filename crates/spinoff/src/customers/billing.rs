use api::{BillingDetails, NewBillingDetails};
use clap::Subcommand;
use domain::{Country, CustomerId, Email, TaxId};

use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::{or_dash, pairs};
use crate::when::moment;

/// What can be done about a customer's billing details.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show to whom a customer's next invoices are made out
    #[command(after_help = "Exit codes: 0 shown, 1 failed, 3 no such customer.

Examples:
  spinoff customers billing show cus_01j9z3k4m5n6p7q8r9s0t1v2w3")]
    Show {
        /// The customer's id; `spinoff customers list` shows all
        customer: CustomerId,
    },
    /// Set to whom a customer's next invoices are made out
    #[command(
        after_help = "All details are replaced: what is left out is removed. Invoices that were issued stay as they are. A
tax id is looked at for its form only; whether it exists, and is theirs, the tax office can say.

Exit codes: 0 they are set, 1 failed, 2 usage, 3 no such customer, 4 a detail can't be what it says.

Examples:
  spinoff customers billing set cus_01j9z3k4m5n6p7q8r9s0t1v2w3 --name 'Example GmbH' \\
      --address 'Street 1' --address '12345 Town' --country DE --tax-id DE123456789
  spinoff customers billing set cus_01j9z3k4m5n6p7q8r9s0t1v2w3 --name 'Ada Lovelace' --country GB \\
      --mail-to books@example.com --json"
    )]
    Set {
        /// The customer's id
        customer: CustomerId,
        /// Of the person or company
        #[arg(long)]
        name: String,
        /// A line of the address, without the country; six at most
        #[arg(long, value_name = "LINE")]
        address: Vec<String>,
        /// Two letters (ISO 3166); decides which taxes are charged
        #[arg(long, value_name = "COUNTRY")]
        country: Country,
        /// A VAT number, such as DE123456789, or another
        #[arg(long, value_name = "NUMBER")]
        tax_id: Option<TaxId>,
        /// Who gets invoices by mail, beside the customer
        #[arg(long, value_name = "EMAIL")]
        mail_to: Option<Email>,
    },
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        Command::Show { customer } => {
            let what = || format!("can't show the billing details of {customer}");
            let details = client.billing_details(customer).await.doing(what)?;
            context.output.show(&details, || in_words(&details))
        }
        Command::Set { customer, name, address, country, tax_id, mail_to } => {
            let new = NewBillingDetails { name, address, country, tax_id, mail_to };
            let what = || format!("can't set the billing details of {customer}");
            let details = client.set_billing_details(customer, &new).await.doing(what)?;
            context.output.report(&details, format!("the next invoices are made out to {}", details.name))
        }
    }
}

fn in_words(details: &BillingDetails) -> String {
    pairs(&[
        ("name", details.name.clone()),
        ("address", details.address.join(", ")),
        ("country", or_dash(details.country)),
        ("tax id", or_dash(details.tax_id.as_ref())),
        ("mail to", or_dash(details.mail_to.as_ref())),
        ("set", details.changed_at.map_or_else(|| "no; as the customer signed up".to_owned(), moment)),
    ])
}
