//! `spinoff analytics`: what the business is run by, month by month.

use api::{Analytics, AnalyticsMonth, Figure};
use domain::Month;

use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::{or_dash, print, table, visible};

/// Which month, and how.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Each number stands beside its target; --json has its definition too, cohorts, the way from a visit to a
payment, and why customers leave. What is not known is shown as unknown, and why. --csv prints one line for each of up to
twelve months, for a spreadsheet. The console shows the same under Analytics.

Exit codes: 0 shown, 4 the month is still to come.

Examples:
  spinoff analytics
  spinoff analytics --month 2026-11
  spinoff analytics --json | jq '.figures[] | select(.is_met == false) | .label'
  spinoff analytics --csv > months.csv"
)]
pub struct Args {
    /// The month [default: the one before the present]
    #[arg(long, value_name = "YYYY-MM")]
    month: Option<Month>,

    /// Print the history of months as comma-separated values
    #[arg(long)]
    csv: bool,
}

/// Shows a month.
pub async fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let client = context.client()?;
    let what = || "can't show the analytics".to_owned();
    if args.csv {
        return print(&client.analytics_csv(args.month).await.doing(what)?);
    }
    let found = client.analytics(args.month).await.doing(what)?;
    context.output.show(&found, || in_words(&found))
}

fn in_words(found: &Analytics) -> String {
    let figures = table(&["NUMBER", "VALUE", "TARGET", "MET"], found.figures.iter().map(figure));
    let months = table(
        &[
            "MONTH",
            "RECURRING",
            "NEW",
            "BACK",
            "MORE",
            "LESS",
            "LOST",
            "REVENUE",
            "CUSTOMERS",
            "SIGNUPS",
            "VISITS",
            "SPENT",
        ],
        found.months.iter().map(|month| row(month, &found.currency)),
    );
    let unknown: String = found.figures.iter().filter_map(why_unknown).collect();
    let steps = found.funnel.iter().map(|step| {
        let part = step.of_previous_permille.map(|part| format!("{}.{} %", part / 10, part.unsigned_abs() % 10));
        [step.label.clone(), step.count.to_string(), or_dash(part)]
    });
    let funnel = table(&["FROM A VISIT TO A PAYMENT", "HOW MANY", "OF THE STEP BEFORE"], steps);
    let reasons = found.reasons.iter().map(|reason| [reason.label.clone(), reason.count.to_string()]);
    let reasons = table(&["WHY CUSTOMERS LEAVE", "HOW OFTEN"], reasons);
    format!("{}\n\n{figures}{unknown}\n{months}\n{funnel}\n{reasons}", found.month)
}

fn figure(figure: &Figure) -> [String; 4] {
    let met = figure.is_met.map(|is_met| if is_met { "yes" } else { "no" });
    [figure.label.clone(), figure.shown.clone(), or_dash(figure.target.as_ref()), or_dash(met)]
}

fn why_unknown(figure: &Figure) -> Option<String> {
    figure.unknown_because.as_ref().map(|why| format!("{}: {}\n", figure.label, visible(why.clone())))
}

fn row(month: &AnalyticsMonth, currency: &str) -> [String; 12] {
    let so_far = if month.is_complete { "" } else { " so far" };
    [
        format!("{}{so_far}", month.month),
        month.recurring.priced(currency),
        month.new.priced(currency),
        month.returned.priced(currency),
        month.grown.priced(currency),
        month.shrunk.priced(currency),
        month.lost.priced(currency),
        month.revenue.priced(currency),
        month.customers.to_string(),
        month.signups.to_string(),
        month.visits.to_string(),
        or_dash(month.spend.map(|spend| spend.priced(currency))),
    ]
}
