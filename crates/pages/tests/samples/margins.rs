use super::{Fill, before};
use domain::{Cents, Micros, Month};
use pages::Area;
use pages::console::{BasisRow, ConsoleMargins, CostsView, LimitRow, MarginFigure, MarginOrder, MarginRow};

pub fn page(fill: Fill, is_running: bool) -> ConsoleMargins {
    let good = figure(800, 1_120_000);
    let worst = figure(500, 5_210_000);
    let unknown = MarginFigure { revenue: None, costs: None, profit: None, permille: None };
    ConsoleMargins {
        shell: fill.shell("Money", Area::Console),
        month: Month::parse("2026-11").unwrap(),
        is_running,
        currency: "usd".to_owned(),
        target_percent: 80,
        order: MarginOrder::Margin,
        customers: fill.list(vec![
            row(fill, "Acme Ltd", Some(4_600_000), worst),
            row(fill, "Zoo GmbH", Some(4_000), good),
            row(fill, "Ada Lovelace", None, if is_running { unknown } else { figure(0, 610_000) }),
        ]),
        nobody: fill.option(costs(Some(1_240_000))),
        total: if is_running { unknown } else { figure(1_300, 8_180_000) },
        basis: fill.list(vec![
            BasisRow {
                what: "Compute".to_owned(),
                how: fill.text("What railway counted of processor, memory and volumes, at the prices of 2026-11-24."),
                observed_at: Some(before(1_800)),
                is_known: !is_running,
            },
            BasisRow {
                what: "Fixed costs".to_owned(),
                how: fill.text("As set: Domain and mail. Shared by the time that each instance was there."),
                observed_at: None,
                is_known: true,
            },
        ]),
        limits: fill.list(vec![
            limit(fill, "spending at railway", Some(81), vec![fill.text("81 % of the limit are used")]),
            limit(fill, "seats at cloudflare", Some(24), Vec::new()),
            LimitRow {
                used: None,
                limit: None,
                observed_at: None,
                ..limit(fill, "spending at railway", None, Vec::new())
            },
        ]),
    }
}

fn figure(cents: i64, micros: i64) -> MarginFigure {
    let profit = cents * 10_000 - micros;
    MarginFigure {
        revenue: Some(Cents::new(cents)),
        costs: Some(Micros::new(micros)),
        profit: Some(Micros::new(profit)),
        permille: (cents > 0).then(|| profit / (cents * 10)),
    }
}

fn costs(compute: Option<i64>) -> CostsView {
    let fees = Some(Micros::new(450_000));
    CostsView {
        compute: compute.map(Micros::new),
        fees,
        model: Some(Micros::new(70_000)),
        shared: Some(Micros::new(160_000)),
    }
}

fn row(fill: Fill, customer: &str, compute: Option<i64>, figure: MarginFigure) -> MarginRow {
    MarginRow {
        customer: fill.text(customer),
        customer_url: "/admin/customers/cus_1".to_owned(),
        instances: if compute.is_some() { 1 } else { 2 },
        costs: costs(compute),
        figure,
    }
}

fn limit(fill: Fill, name: &str, percent: Option<u64>, warnings: Vec<String>) -> LimitRow {
    LimitRow {
        name: fill.text(name),
        used: Some(fill.text("$81.25")),
        limit: Some(fill.text("$100.00")),
        percent,
        period_end: fill.option(before(-200_000)),
        warnings,
        advice: fill.text("At the limit the provider stops every workload of the workspace."),
        observed_at: Some(before(900)),
        trouble: fill.maybe("ask Railway for workspace: 503"),
    }
}
