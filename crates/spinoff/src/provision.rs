use api::{Client, InstanceAccepted, NewInstance};
use domain::{Email, Subdomain, SubdomainError};

use crate::context::Context;
use crate::failure::{Doing as _, Exit, Failure};
use crate::follow::{Patience, follow};

/// Whom to give which instance.
#[derive(Debug, clap::Args)]
#[command(after_help = "The customer is made when the address is new, and becomes the owner of the instance.
Interrupting the command does not interrupt the work.

Exit codes: 0 the instance is ready, 1 provisioning failed and was undone, 4 refused (for instance
because the subdomain is taken), 5 not ready in time.

Examples:
  spinoff provision ada@example.com acme
  spinoff provision ada@example.com acme --no-wait --json
  spinoff provision ada@example.com acme --idempotency-key order-4711")]
pub struct Args {
    /// E-mail address of the customer
    customer_email: String,

    /// First label of the instance's hostname
    subdomain: String,

    #[command(flatten)]
    patience: Patience,

    /// Asking again with the same key gives the same instance
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

/// Makes an instance.
pub async fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let wish = NewInstance { customer_email: customer(&args.customer_email)?, subdomain: subdomain(&args.subdomain)? };
    let client = context.client()?;
    let accepted = ask(&client, &wish, args.idempotency_key.as_deref()).await?;
    if args.patience.no_wait {
        let InstanceAccepted { workflow_id, url, .. } = &accepted;
        let words = format!("{url} is being made; follow it with `spinoff workflows show {workflow_id}`");
        return context.output.report(&accepted, words);
    }
    let instance = await_instance(context, &client, &wish, &accepted, &args.patience).await?;
    context.output.report(&instance, format!("{} is ready at {}", instance.subdomain, instance.url))
}

/// Asks for an instance.
pub async fn ask(client: &Client, wish: &NewInstance, key: Option<&str>) -> Result<InstanceAccepted, Failure> {
    client.create_instance(wish, key).await.doing(|| format!("can't provision {}", wish.subdomain))
}

/// Waits until the instance that was asked for is ready.
pub async fn await_instance(
    context: &Context,
    client: &Client,
    wish: &NewInstance,
    accepted: &InstanceAccepted,
    patience: &Patience,
) -> Result<api::Instance, Failure> {
    let what = format!("{} was not provisioned", wish.subdomain);
    follow(client, context.output, accepted.workflow_id, &what, patience).await?;
    client
        .instance(&accepted.id.to_string())
        .await
        .doing(|| format!("{} is provisioned but can't be shown", wish.subdomain))
}

/// Reads a customer's address.
pub fn customer(text: &str) -> Result<Email, Failure> {
    Email::parse(text).map_err(|cause| Failure::new(Exit::Usage, "that is no customer", cause))
}

fn subdomain(text: &str) -> Result<Subdomain, Failure> {
    Subdomain::parse(text).map_err(|cause| {
        let exit = if cause == SubdomainError::Reserved { Exit::Refused } else { Exit::Usage };
        Failure::new(exit, format!("{text:?} can't be a subdomain"), cause)
    })
}
