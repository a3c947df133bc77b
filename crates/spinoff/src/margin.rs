//! `spinoff billing margin`: revenue less costs, and the limits at which providers stop.

use api::{CostsByKind, CustomerMargin, Margin, Margins, SpendLimit};
use domain::{Cents, Micros, Month};

use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::{or_dash, table, visible};

/// Shows a month.
pub async fn show(context: &Context, month: Option<Month>) -> Result<(), Failure> {
    let what = || "can't show the margins".to_owned();
    let found = context.client()?.margins(month).await.doing(what)?;
    context.output.show(&found, || in_words(&found))
}

fn in_words(found: &Margins) -> String {
    let Margins { month, currency, target_permille, customers, nobody, total, basis, limits } = found;
    let row = |it: &CustomerMargin| {
        cells(visible(it.name.clone()), it.instances.to_string(), &it.costs, &it.margin, currency)
    };
    let mut rows: Vec<_> = customers.iter().map(row).collect();
    rows.push(cells("Nobody in particular".to_owned(), String::new(), nobody, &NOTHING, currency));
    rows.push([
        "All".to_owned(),
        String::new(),
        revenue(total.revenue, currency),
        String::new(),
        String::new(),
        String::new(),
        String::new(),
        micros(total.cost_micros, currency),
        micros(total.profit_micros, currency),
        percent(total),
    ]);
    let headings = ["CUSTOMER", "INSTANCES", "REVENUE", "COMPUTE", "FEES", "AI", "SHARED", "COSTS", "LEFT", "MARGIN"];
    let sources: String = basis.iter().map(|it| format!("{}: {}\n", it.what, visible(it.how.clone()))).collect();
    let target = target_permille / 10;
    let limits = if limits.is_empty() { String::new() } else { format!("\n{}", limits_in_words(limits)) };
    format!("{month}, target: over {target} %\n\n{}\n{sources}{limits}", table(&headings, rows))
}

/// Nobody in particular buys nothing.
const NOTHING: Margin = Margin { revenue: None, cost_micros: None, profit_micros: None, margin_permille: None };

fn cells(name: String, instances: String, costs: &CostsByKind, margin: &Margin, currency: &str) -> [String; 10] {
    let is_anybody = !instances.is_empty();
    let of_somebody = |text: String| if is_anybody { text } else { String::new() };
    [
        name,
        instances,
        of_somebody(revenue(margin.revenue, currency)),
        micros(costs.compute_micros, currency),
        micros(costs.fees_micros, currency),
        micros(costs.model_micros, currency),
        micros(costs.shared_micros, currency),
        of_somebody(micros(margin.cost_micros, currency)),
        of_somebody(micros(margin.profit_micros, currency)),
        of_somebody(percent(margin)),
    ]
}

fn limits_in_words(limits: &[SpendLimit]) -> String {
    let row = |it: &SpendLimit| {
        let amount = |number: u64| match it.unit.as_str() {
            "usd_micros" => micros(i64::try_from(number).ok(), "usd"),
            _ => number.to_string(),
        };
        [
            it.name.clone(),
            or_dash(it.used.map(amount)),
            or_dash(it.limit.map(amount)),
            or_dash(it.period_end.map(|at| at.strftime("%Y-%m-%d").to_string())),
            or_dash(it.reached_at.map(|at| at.strftime("%Y-%m-%d").to_string())),
            or_dash(it.observed_at.map(|at| at.strftime("%Y-%m-%d %H:%M").to_string())),
            or_dash((!it.notices.is_empty()).then(|| it.notices.join(", "))),
        ]
    };
    table(&["LIMIT", "USED", "OF", "PERIOD ENDS", "REACHED ABOUT", "SEEN", "TOLD"], limits.iter().map(row))
}

fn revenue(amount: Option<Cents>, currency: &str) -> String {
    amount.map_or_else(unknown, |amount| amount.priced(currency))
}

fn micros(amount: Option<i64>, currency: &str) -> String {
    amount.map_or_else(unknown, |amount| Micros::new(amount).to_cents().priced(currency))
}

fn percent(margin: &Margin) -> String {
    match (margin.margin_permille, margin.profit_micros) {
        (Some(permille), _) => {
            let sign = if permille < 0 { "-" } else { "" };
            format!("{sign}{}.{} %", permille.unsigned_abs() / 10, permille.unsigned_abs() % 10)
        }
        (None, Some(_)) => "no revenue".to_owned(),
        (None, None) => unknown(),
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}
