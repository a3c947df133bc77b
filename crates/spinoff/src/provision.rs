use api::{Client, InstanceAccepted, NewInstance, StepState, Workflow};
use domain::{Email, Subdomain, SubdomainError};

use crate::context::Context;
use crate::failure::{Doing as _, Exit, Failure};
use crate::follow::{Patience, follow, follow_until};

/// Whom to give which instance.
#[derive(Debug, clap::Args)]
#[command(after_help = "The customer is made when the address is new, and becomes the owner of the instance.
Where customers enter their card at the payment provider, this one is sent a link for that, and the
instance is made afterwards: the command does not wait for it unless asked to.
Interrupting the command does not interrupt the work.

Exit codes: 0 the instance is ready or waits for its customer's payment details, 1 provisioning failed and was undone, 4 refused (for instance
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

    /// Wait for the customer's payment details too, within --timeout
    #[arg(long, conflicts_with = "no_wait")]
    until_paid: bool,

    /// Asking again with the same key gives the same instance
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

/// Makes an instance.
pub async fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let wish = NewInstance { customer_email: customer(&args.customer_email)?, subdomain: subdomain(&args.subdomain)? };
    let client = context.client()?;
    let accepted = ask(&client, &wish, args.idempotency_key.as_deref()).await?;
    let waits = Waits { patience: args.patience, until_paid: args.until_paid };
    see_through(context, &client, &wish, &accepted, &waits).await
}

/// Says what becomes of an order, for as long as that is to be waited for.
pub async fn see_through(
    context: &Context,
    client: &Client,
    wish: &NewInstance,
    accepted: &InstanceAccepted,
    waits: &Waits,
) -> Result<(), Failure> {
    if waits.patience.no_wait {
        let InstanceAccepted { workflow_id, url, .. } = accepted;
        let words = format!("{url} is being made; follow it with `spinoff workflows show {workflow_id}`");
        return context.output.report(accepted, words);
    }
    match await_instance(context, client, wish, accepted, waits).await? {
        Some(instance) => {
            context.output.report(&instance, format!("{} is ready at {}", instance.subdomain, instance.url))
        }
        None => context.output.report(accepted, to_be_paid(wish, accepted)),
    }
}

/// How long to wait for an instance, and for what.
pub struct Waits {
    pub patience: Patience,
    /// For what the customer has to do first, too.
    pub until_paid: bool,
}

/// What is said of an order that waits for its customer.
pub fn to_be_paid(wish: &NewInstance, accepted: &InstanceAccepted) -> String {
    let NewInstance { customer_email, subdomain } = wish;
    format!(
        "{subdomain} is ordered. {customer_email} is sent a link for entering payment details, and it is made after \
         that; follow it with `spinoff workflows show {}`",
        accepted.workflow_id
    )
}

/// The workflow of an order whose means of payment is asked for by the provider.
const ORDER: &str = "sign-up.v1";

fn waits_for_payment(workflow: &Workflow) -> bool {
    let waits = |step: &api::Step| step.name == "wait for a means of payment" && step.state == StepState::Waiting;
    workflow.kind == ORDER && workflow.steps.iter().any(waits)
}

/// Asks for an instance.
pub async fn ask(client: &Client, wish: &NewInstance, key: Option<&str>) -> Result<InstanceAccepted, Failure> {
    client.create_instance(wish, key).await.doing(|| format!("can't provision {}", wish.subdomain))
}

/// Waits until the instance that was asked for is ready. `None` when its customer has to pay first, and
/// that is not to be waited for.
pub async fn await_instance(
    context: &Context,
    client: &Client,
    wish: &NewInstance,
    accepted: &InstanceAccepted,
    waits: &Waits,
) -> Result<Option<api::Instance>, Failure> {
    let what = format!("{} was not provisioned", wish.subdomain);
    let enough = |workflow: &Workflow| !waits.until_paid && waits_for_payment(workflow);
    let (output, patience) = (context.output, &waits.patience);
    let workflow = follow_until(client, output, accepted.workflow_id, &what, patience, enough).await?;
    if !workflow.state.is_over() {
        return Ok(None);
    }
    let id = accepted.id.to_string();
    let show =
        async || client.instance(&id).await.doing(|| format!("{} is provisioned but can't be shown", wish.subdomain));
    let instance = show().await?;
    // The end of an order is the beginning of what it is for.
    match instance.workflow_id.filter(|_| workflow.kind == ORDER) {
        Some(making) => {
            follow(client, output, making, &what, patience).await?;
            Ok(Some(show().await?))
        }
        None => Ok(Some(instance)),
    }
}

/// Reads a customer's address.
pub fn customer(text: &str) -> Result<Email, Failure> {
    Email::parse(text).map_err(|cause| Failure::new(Exit::Usage, "that is no customer", cause))
}

/// Reads a subdomain.
pub fn subdomain(text: &str) -> Result<Subdomain, Failure> {
    Subdomain::parse(text).map_err(|cause| {
        let exit = if cause == SubdomainError::Reserved { Exit::Refused } else { Exit::Usage };
        Failure::new(exit, format!("{text:?} can't be a subdomain"), cause)
    })
}
