use askama::Template;
use domain::{Cents, Micros, Month};
use jiff::Timestamp;

use crate::calendar;
use crate::page::page;
use crate::shell::Shell;

/// What is left of each customer's revenue, and how near the providers are to where they stop.
#[derive(Debug, Clone, Template)]
#[template(path = "console/margins.html")]
pub struct ConsoleMargins {
    /// What surrounds the page.
    pub shell: Shell,
    /// Of which month.
    pub month: Month,
    /// Whether it is still running.
    pub is_running: bool,
    /// Of all amounts but those of limits; ISO 4217, lower case.
    pub currency: String,
    /// The margin to be reached, in percent.
    pub target_percent: u8,
    /// In which order customers stand.
    pub order: MarginOrder,
    /// Each customer.
    pub customers: Vec<MarginRow>,
    /// What was paid for no single customer; none where that is nothing.
    pub nobody: Option<CostsView>,
    /// All of it together.
    pub total: MarginFigure,
    /// Where the figures come from.
    pub basis: Vec<BasisRow>,
    /// The limits of providers that are watched.
    pub limits: Vec<LimitRow>,
}

/// How customers are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarginOrder {
    /// The worst margin first.
    Margin,
    /// The highest costs first.
    Cost,
    /// The highest revenue first.
    Revenue,
    /// By name.
    Name,
}

/// One customer.
#[derive(Debug, Clone)]
pub struct MarginRow {
    /// Who.
    pub customer: String,
    /// Where that customer is shown.
    pub customer_url: String,
    /// How many instances were in service.
    pub instances: u64,
    /// What it cost.
    pub costs: CostsView,
    /// What is left.
    pub figure: MarginFigure,
}

/// Costs by kind; what is not known is none.
#[derive(Debug, Clone, Copy)]
pub struct CostsView {
    /// To run instances.
    pub compute: Option<Micros>,
    /// Kept by the payment provider.
    pub fees: Option<Micros>,
    /// For questions to the model that is offered.
    pub model: Option<Micros>,
    /// A share of fixed costs and seats.
    pub shared: Option<Micros>,
}

/// What is left of a revenue; what is not known is none.
#[derive(Debug, Clone, Copy)]
pub struct MarginFigure {
    /// Without taxes.
    pub revenue: Option<Cents>,
    /// All costs.
    pub costs: Option<Micros>,
    /// Revenue less costs.
    pub profit: Option<Micros>,
    /// In tenths of a percent of the revenue.
    pub permille: Option<i64>,
}

/// Where figures come from.
#[derive(Debug, Clone)]
pub struct BasisRow {
    /// Which figures.
    pub what: String,
    /// How they came about.
    pub how: String,
    /// When they were observed, where a provider was asked.
    pub observed_at: Option<Timestamp>,
    /// Whether all of them are known.
    pub is_known: bool,
}

/// A limit at which a provider stops.
#[derive(Debug, Clone)]
pub struct LimitRow {
    /// What is limited: `spending at railway`.
    pub name: String,
    /// How much is used, in words; none where that was never seen.
    pub used: Option<String>,
    /// How much there is, in words; none where no limit is set.
    pub limit: Option<String>,
    /// How much of it is used, in percent.
    pub percent: Option<u64>,
    /// When it begins anew.
    pub period_end: Option<Timestamp>,
    /// What is to be known of it, as the operator was told.
    pub warnings: Vec<String>,
    /// What happens at the limit, and what to do.
    pub advice: String,
    /// When it was observed.
    pub observed_at: Option<Timestamp>,
    /// Why the last look came to nothing.
    pub trouble: Option<String>,
}

page!(ConsoleMargins, here: "/admin/money");

impl MarginOrder {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Margin, Self::Cost, Self::Revenue, Self::Name];

    /// The word in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Margin => "margin",
            Self::Cost => "cost",
            Self::Revenue => "revenue",
            Self::Name => "name",
        }
    }

    /// The one that is called so.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.as_str() == word)
    }

    fn label(self) -> &'static str {
        match self {
            Self::Margin => "Worst margin first",
            Self::Cost => "Highest costs first",
            Self::Revenue => "Highest revenue first",
            Self::Name => "By name",
        }
    }
}

impl ConsoleMargins {
    fn month_in_words(&self) -> String {
        calendar::month_in_words(self.month)
    }

    fn before(&self) -> Month {
        self.month.previous()
    }

    fn after(&self) -> Option<Month> {
        (!self.is_running).then(|| self.month.next())
    }

    fn orders(&self) -> [(MarginOrder, bool); 4] {
        MarginOrder::ALL.map(|order| (order, order == self.order))
    }

    fn revenue(&self, amount: &Option<Cents>) -> String {
        amount.map_or_else(unknown, |amount| amount.priced(&self.currency))
    }

    fn cost(&self, amount: &Option<Micros>) -> String {
        amount.map_or_else(unknown, |amount| priced(amount, &self.currency))
    }

    fn verdict(&self, figure: &MarginFigure) -> &'static str {
        let target = i64::from(self.target_percent) * 10;
        match (figure.permille, figure.profit) {
            (Some(permille), _) if permille > target => "good",
            (Some(permille), _) if permille >= 0 => "wait",
            (Some(_), _) => "bad",
            (None, Some(profit)) if profit < Micros::ZERO => "bad",
            (None, _) => "off",
        }
    }
}

impl MarginFigure {
    fn percent(&self) -> String {
        match (self.permille, self.profit) {
            (Some(permille), _) => percent(permille),
            (None, Some(profit)) if profit < Micros::ZERO => "a loss".to_owned(),
            (None, Some(_)) => "no revenue".to_owned(),
            (None, None) => unknown(),
        }
    }
}

impl LimitRow {
    fn tone(&self) -> &'static str {
        match (self.percent, self.warnings.is_empty()) {
            (Some(percent), _) if percent >= 95 => "bad",
            (_, false) => "wait",
            (Some(_), true) => "good",
            (None, true) => "off",
        }
    }

    fn label(&self) -> String {
        match (self.percent, &self.used) {
            (Some(percent), _) => format!("{percent} % used"),
            (None, Some(_)) => "No limit known".to_owned(),
            (None, None) => "Unknown".to_owned(),
        }
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// Less than a cent is not nothing.
fn priced(amount: Micros, currency: &str) -> String {
    let cents = amount.to_cents();
    let least = Cents::new(1).priced(currency);
    if cents == Cents::ZERO && amount > Micros::ZERO { format!("under {least}") } else { cents.priced(currency) }
}

fn percent(permille: i64) -> String {
    let sign = if permille < 0 { "-" } else { "" };
    let tenths = permille.unsigned_abs();
    format!("{sign}{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_margin_is_written_in_percent_with_its_sign() {
        for (permille, text) in [(873, "87.3 %"), (800, "80.0 %"), (-5, "-0.5 %"), (-1_250, "-125.0 %"), (0, "0.0 %")] {
            assert_eq!(percent(permille), text);
        }
    }

    #[test]
    fn less_than_a_cent_is_not_shown_as_nothing() {
        assert_eq!(priced(Micros::new(4_000), "usd"), "under $0.01");
        assert_eq!(priced(Micros::ZERO, "usd"), "$0.00");
        assert_eq!(priced(Micros::new(1_234_567), "usd"), "$1.23");
    }
}
