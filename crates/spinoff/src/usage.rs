mod calendar;
mod csv;
mod hour;

use api::{SignedInHour, Usage, UsedHour, WaiveHours};
use clap::Subcommand;
use domain::{BillLine, Evidence, Month, Plan};
use jiff::Timestamp;

use crate::confirm::Asked;
use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::{self, table};

/// More hours than this are not waived by a slip of the finger.
const ASKED_FROM: usize = 24;

/// What can be asked about use.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the used hours of a month, each with its evidence, and the bill
    #[command(after_help = "Hours are UTC. Any use within an hour counts the hour whole, once.

Examples:
  spinoff usage show acme
  spinoff usage show acme --month 2026-11 --csv > acme.csv
  spinoff usage show acme --month 2026-11 --json | jq .bill.total")]
    Show {
        /// Id, project name or subdomain
        instance: String,
        /// The month [default: the present one]
        #[arg(long, value_name = "YYYY-MM")]
        month: Option<Month>,
        /// A row for each hour and signal, for a spreadsheet
        #[arg(long)]
        csv: bool,
    },
    /// Show a month as a grid of hours
    #[command(after_help = "Examples:
  spinoff usage calendar acme
  spinoff usage calendar acme --month 2026-11")]
    Calendar {
        /// Id, project name or subdomain
        instance: String,
        /// The month [default: the present one]
        #[arg(long, value_name = "YYYY-MM")]
        month: Option<Month>,
    },
    /// Show one hour: what shows that it was used, what becomes of its price, whether it is contested
    #[command(after_help = "Exit codes: 0 shown, 3 no such instance.

Examples:
  spinoff usage hour acme 2026-11-28T09:00Z
  spinoff usage hour acme 2026-11-28T09:20Z --json | jq .charge")]
    Hour {
        /// Id, project name or subdomain
        instance: String,
        /// Any moment within the hour, with its zone
        #[arg(value_name = "MOMENT")]
        moment: Timestamp,
    },
    /// Decide that hours are not to be paid for
    #[command(after_help = "A waiver is final. An hour that stands on an invoice already is credited by the next one.
More than 24 hours have to be confirmed: on a terminal you are asked to type how many, scripts give it with --confirm.

Exit codes: 0 waived, 3 no such instance, 4 refused, or not confirmed.

Examples:
  spinoff usage waive acme --hour 2026-11-28T09:00Z --reason 'We had an outage.'
  spinoff usage waive acme --hour 2026-11-28T09:00Z --hour 2026-11-28T10:00Z --reason 'We had an outage.'")]
    Waive {
        /// Id, project name or subdomain
        instance: String,
        /// Any moment within an hour, with its zone; may be given several times
        #[arg(long = "hour", value_name = "MOMENT", required = true)]
        hours: Vec<Timestamp>,
        /// Why, in one sentence
        #[arg(long, value_name = "SENTENCE")]
        reason: String,
        /// How many hours they are, to say that you mean so many
        #[arg(long, value_name = "NUMBER")]
        confirm: Option<String>,
    },
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        Command::Show { instance, month, csv } => {
            let usage = client.usage(&instance, month).await.doing(|| format!("can't show the use of {instance}"))?;
            match csv && !context.output.json {
                true => output::print(&csv::rows(&usage)),
                false => context.output.show(&usage, || in_words(&instance, &usage)),
            }
        }
        Command::Calendar { instance, month } => {
            let usage = client.usage(&instance, month).await.doing(|| format!("can't show the use of {instance}"))?;
            context.output.show(&usage, || calendar::in_words(&usage))
        }
        Command::Hour { instance, moment } => {
            let what = || format!("can't show {moment} of {instance}");
            let hour = client.hour_of_use(&instance, moment).await.doing(what)?;
            context.output.show(&hour, || hour::in_words(&instance, &hour))
        }
        Command::Waive { instance, hours, reason, confirm } => {
            let asked = hours.len();
            if asked > ASKED_FROM {
                confirm_waiver(&instance, asked, confirm)?;
            }
            let what = || format!("can't waive hours of {instance}");
            let waived = client.waive(&instance, &WaiveHours { hours, reason }).await.doing(what)?;
            let words = format!("{asked} hours of {instance} are waived, {} of them now", waived.added);
            context.output.report(&waived, words)
        }
    }
}

fn confirm_waiver(instance: &str, hours: usize, given: Option<String>) -> Result<(), Failure> {
    let asked = Asked {
        what: &format!("Nobody will ever pay for these {hours} hours of {instance}."),
        word: &hours.to_string(),
        word_is: "how many hours they are",
        not_done: "nothing was waived",
        purpose: "to waive so many",
    };
    asked.confirm(given)
}

fn in_words(instance: &str, usage: &Usage) -> String {
    let plan = Plan { currency: usage.currency.clone(), ..Plan::default() };
    let hours = if usage.hours.is_empty() {
        format!("{instance} was not used in {}.\n", usage.month)
    } else {
        table(&["HOUR (UTC)", "EVIDENCE"], usage.hours.iter().map(hour_row))
    };
    let lines = usage.bill.lines.iter().map(|line| bill_row(&plan, line));
    let total = ["Total".to_owned(), String::new(), String::new(), plan.price(usage.bill.total)];
    let bill = table(&[&usage.month.to_string(), "QUANTITY", "EACH", "AMOUNT"], lines.chain([total]));
    format!("{hours}{}\n{bill}", sign_ins(usage))
}

/// What the edge saw, beside the hours: it is there to be compared, and nobody pays for it.
fn sign_ins(usage: &Usage) -> String {
    if usage.sign_ins.is_empty() {
        return String::new();
    }
    let row = |seen: &SignedInHour| {
        let used = usage.hours.iter().any(|hour| hour.hour_start == seen.hour_start);
        [
            seen.hour_start.strftime("%Y-%m-%d %H:00").to_string(),
            format!("{}, {} to {}", seen.count, seen.first.strftime("%H:%M"), seen.last.strftime("%H:%M")),
            if used { "yes" } else { "no: signed in without use" }.to_owned(),
        ]
    };
    format!("\n{}", table(&["SIGNED IN AT THE EDGE", "TIMES", "USED"], usage.sign_ins.iter().map(row)))
}

fn hour_row(hour: &UsedHour) -> [String; 2] {
    let evidence: Vec<String> = hour.evidence.iter().map(evidence_in_words).collect();
    [hour.hour_start.strftime("%Y-%m-%d %H:00").to_string(), evidence.join("; ")]
}

fn evidence_in_words(evidence: &Evidence) -> String {
    let Evidence { signal, first, last, count, who, .. } = evidence;
    let by = who.in_words().map(|names| format!(" ({names})")).unwrap_or_default();
    let times = if *count == 1 { "once".to_owned() } else { format!("{count} times") };
    format!("{}{by}, {times}, {} to {}", signal.in_words(), first.strftime("%H:%M"), last.strftime("%H:%M"))
}

fn bill_row(plan: &Plan, line: &BillLine) -> [String; 4] {
    [line.what.clone(), line.quantity.to_string(), plan.price(line.unit), plan.price(line.amount)]
}
