use api::{Client, Customer};
use clap::Subcommand;

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
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let Command::List = command;
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
