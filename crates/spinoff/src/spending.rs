use api::{Budget, Cap, Client, NewBudget, NewCap, Spending};
use clap::{ArgGroup, Subcommand};
use domain::Cents;
use serde_json::json;

use crate::confirm::Asked;
use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::money::amount;
use crate::output::pairs;

/// What can be asked, and set, about what an instance may cost.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the running period with its forecast, the cap and the budget
    #[command(
        after_help = "Amounts are base fee and hours, before coupons, credit and taxes; `spinoff billing preview`
shows the invoice line by line.

Exit codes: 0 shown, 3 no such instance, 4 it is not in use.

Examples:
  spinoff spending show acme
  spinoff spending show acme --json | jq .expected_amount"
    )]
    Show {
        /// Id, project name or subdomain
        instance: String,
    },
    /// Set or lift the cap, which closes the instance when it is reached
    Cap(CapArgs),
    /// Set or remove the budget, which only tells
    Budget(BudgetArgs),
}

/// Which cap to set.
#[derive(Debug, clap::Args)]
#[command(
    group(ArgGroup::new("limit").required(true).args(["hours", "amount", "none"])),
    after_help = "What happens when it is reached is said with it; --dry-run says it and sets nothing. A cap that is
reached at once closes the instance: on a terminal you are asked to type the subdomain, scripts give it with --confirm.
A cap holds from the next hour on when it is lower than the one before, and at once when it is higher.

Exit codes: 0 it is set, 3 no such instance, 4 it is not in use, or not confirmed.

Examples:
  spinoff spending cap acme --hours 40 --dry-run
  spinoff spending cap acme --amount 25.00
  spinoff spending cap acme --hours 0 --confirm acme
  spinoff spending cap acme --none"
)]
pub struct CapArgs {
    /// Id, project name or subdomain
    instance: String,
    /// So many hours for each period, at most 744
    #[arg(long)]
    hours: Option<u32>,
    /// So much for each period, base fee and taxes included, such as 25.00
    #[arg(long, value_parser = amount)]
    amount: Option<Cents>,
    /// No cap
    #[arg(long)]
    none: bool,
    /// Only say what it would mean
    #[arg(long, conflicts_with = "none")]
    dry_run: bool,
    /// The instance's subdomain, to say that you mean a cap that is reached at once
    #[arg(long, value_name = "SUBDOMAIN")]
    confirm: Option<String>,
}

/// Which budget to set.
#[derive(Debug, clap::Args)]
#[command(
    group(ArgGroup::new("whole").required(true).args(["amount", "none"])),
    after_help = "The customer gets a mail when a part of it is spent. Nothing is closed.

Exit codes: 0 it is set, 3 no such instance, 4 it is refused.

Examples:
  spinoff spending budget acme --amount 25.00
  spinoff spending budget acme --amount 25.00 --at 80 --at 100
  spinoff spending budget acme --none"
)]
pub struct BudgetArgs {
    /// Id, project name or subdomain
    instance: String,
    /// The whole, for each period, such as 25.00
    #[arg(long, value_parser = amount)]
    amount: Option<Cents>,
    /// A part to be told, in percent: 50, 80 or 100; may be given several times [default: all of them]
    #[arg(long = "at", value_name = "PERCENT", conflicts_with = "none")]
    thresholds: Vec<u32>,
    /// No budget
    #[arg(long)]
    none: bool,
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        Command::Show { instance } => {
            let what = || format!("can't show what {instance} costs");
            let spending = client.spending(&instance).await.doing(what)?;
            context.output.show(&spending, || in_words(&spending))
        }
        Command::Cap(args) => set_cap(context, &client, args).await,
        Command::Budget(args) => set_budget(context, &client, args).await,
    }
}

async fn set_cap(context: &Context, client: &Client, args: CapArgs) -> Result<(), Failure> {
    let CapArgs { instance, hours, amount, none, dry_run, confirm } = args;
    let what = || format!("can't set the cap of {instance}");
    if none {
        client.remove_cap(&instance).await.doing(|| format!("can't lift the cap of {instance}"))?;
        return context.output.report(&json!({"removed": instance}), format!("{instance} has no cap"));
    }
    let wanted = NewCap { hours, amount, dry_run: true };
    let meant = client.set_cap(&instance, &wanted).await.doing(what)?;
    if dry_run {
        return context.output.show(&meant, || stated(&meant));
    }
    if meant.reached {
        confirm_closing(client, &instance, confirm).await?;
    }
    let cap = client.set_cap(&instance, &NewCap { dry_run: false, ..wanted }).await.doing(what)?;
    context.output.report(&cap, format!("the cap of {instance} is set\n{}", stated(&cap).trim_end()))
}

/// Nobody closes an instance by a number that was mistyped.
async fn confirm_closing(client: &Client, instance: &str, given: Option<String>) -> Result<(), Failure> {
    let found = client.instance(instance).await.doing(|| format!("can't set the cap of {instance}"))?;
    let asked = Asked {
        what: &format!("So much is used already that this cap is reached at once: {instance} closes."),
        word: found.subdomain.as_str(),
        word_is: "its subdomain",
        not_done: &format!("the cap of {instance} was not set"),
        purpose: "to set a cap that is reached at once",
    };
    asked.confirm(given)
}

async fn set_budget(context: &Context, client: &Client, args: BudgetArgs) -> Result<(), Failure> {
    let BudgetArgs { instance, amount, thresholds, none: _ } = args;
    let Some(amount) = amount else {
        client.remove_budget(&instance).await.doing(|| format!("can't remove the budget of {instance}"))?;
        return context.output.report(&json!({"removed": instance}), format!("{instance} has no budget"));
    };
    let budget = NewBudget { amount, thresholds: (!thresholds.is_empty()).then_some(thresholds) };
    let what = || format!("can't set the budget of {instance}");
    let budget = client.set_budget(&instance, &budget).await.doing(what)?;
    context.output.report(&budget, format!("the budget of {instance} is {}, told at {}", budget.amount, told(&budget)))
}

fn in_words(spending: &Spending) -> String {
    let Spending { hours, amount, expected_hours, expected_amount, most_hours, most_amount, .. } = spending;
    let hour = |at: jiff::Timestamp| at.strftime("%Y-%m-%d %H:00").to_string();
    let cost = |hours: &u32, amount: &Cents| format!("{hours} hours, {}", amount.priced(&spending.currency));
    let mut rows = vec![
        ("period", format!("{} to {} UTC", hour(spending.period_start), hour(spending.period_end))),
        ("so far", cost(hours, amount)),
        ("in the end", format!("{}, if it goes on like this", cost(expected_hours, expected_amount))),
        ("at most", cost(most_hours, most_amount)),
    ];
    rows.extend(spending.trial_until.map(|until| ("trial", format!("nothing is charged until {} UTC", hour(until)))));
    let cap = spending.cap.as_ref().map_or_else(|| "none".to_owned(), |cap| cap_in_short(cap, &spending.currency));
    rows.push(("cap", cap));
    let budget = spending.budget.as_ref();
    let budget = budget.map(|it| format!("{}, told at {}", it.amount.priced(&spending.currency), told(it)));
    rows.push(("budget", budget.unwrap_or_else(|| "none".to_owned())));
    let meaning = spending.cap.as_ref().map_or_else(String::new, |cap| format!("\n{}", stated(cap)));
    format!("{}{meaning}", pairs(&rows))
}

fn cap_in_short(cap: &Cap, currency: &str) -> String {
    let limit = match (cap.hours, cap.amount) {
        (Some(hours), _) => format!("{hours} hours"),
        (None, Some(amount)) => format!("{}, which allows {} hours", amount.priced(currency), cap.hours_allowed),
        (None, None) => format!("{} hours", cap.hours_allowed),
    };
    if cap.reached { format!("{limit}, reached") } else { limit }
}

/// What a cap means, and that it is reached where it is.
fn stated(cap: &Cap) -> String {
    let reached = if cap.reached { "\nIt is reached: no further hour begins now." } else { "" };
    format!("{}{reached}\n", cap.meaning)
}

fn told(budget: &Budget) -> String {
    let parts: Vec<String> = budget.thresholds.iter().map(|percent| format!("{percent} %")).collect();
    parts.join(", ")
}
