use askama::Template;
use domain::{Cents, Month};
use jiff::Timestamp;

use crate::calendar;
use crate::chart::{self, Bar, Words};
use crate::page::{Markup, page};
use crate::shell::Shell;

/// What the business is run by, in a month.
#[derive(Debug, Clone, Template)]
#[template(path = "console/analytics.html")]
pub struct ConsoleAnalytics {
    /// What surrounds the page.
    pub shell: Shell,
    /// Of which month.
    pub month: Month,
    /// Whether it is still running.
    pub is_running: bool,
    /// Whether all its invoices are there.
    pub is_complete: bool,
    /// Of all amounts; ISO 4217, lower case.
    pub currency: String,
    /// Each number with its definition.
    pub figures: Vec<AnalyticsFigure>,
    /// The month and those before it, the earliest first.
    pub months: Vec<AnalyticsMonthRow>,
    /// From a visit to a first payment.
    pub funnel: Vec<FunnelRow>,
    /// Customers by the month in which they signed up, the earliest first.
    pub cohorts: Vec<CohortRow>,
    /// Why customers asked for an end in the month.
    pub reasons: Vec<ReasonRow>,
    /// What they said beside it.
    pub comments: Vec<CommentRow>,
}

/// A number.
#[derive(Debug, Clone)]
pub struct AnalyticsFigure {
    /// What it is called.
    pub label: String,
    /// How it is computed.
    pub definition: String,
    /// As people write it.
    pub shown: String,
    /// What it should be, in words.
    pub target: Option<String>,
    /// Whether it is; none without a target, and where it is not known.
    pub is_met: Option<bool>,
    /// Why it is not known.
    pub unknown_because: Option<String>,
}

/// One month in the history.
#[derive(Debug, Clone)]
pub struct AnalyticsMonthRow {
    /// Which.
    pub month: Month,
    /// Whether all its invoices are there.
    pub is_complete: bool,
    /// Charged for periods that began in it.
    pub recurring: Cents,
    /// Of that, from customers who never paid before.
    pub new: Cents,
    /// From customers who came back.
    pub returned: Cents,
    /// More than the month before, from those who paid in both.
    pub grown: Cents,
    /// Less than the month before, from those who paid in both.
    pub shrunk: Cents,
    /// From customers of the month before who pay nothing any more.
    pub lost: Cents,
    /// Less credits, refunds and write-offs.
    pub revenue: Cents,
    /// Who paid for it.
    pub customers: u64,
    /// Who paid for the month before, and nothing for this one.
    pub customers_lost: u64,
    /// Who signed up in it.
    pub signups: u64,
    /// Visits of the site.
    pub visits: u64,
    /// What was spent to win customers, where that was entered.
    pub spend: Option<Cents>,
}

/// A step on the way to a paying customer.
#[derive(Debug, Clone)]
pub struct FunnelRow {
    /// What it is called.
    pub label: String,
    /// Who is counted.
    pub definition: String,
    /// How many.
    pub count: u64,
    /// Of the step before, in tenths of a percent.
    pub of_previous_permille: Option<i64>,
}

/// The customers who signed up in one month.
#[derive(Debug, Clone)]
pub struct CohortRow {
    /// In which.
    pub month: Month,
    /// How many.
    pub customers: u64,
    /// How many of them paid, in that month and in each later one.
    pub paying: Vec<u64>,
}

/// How often a reason was given.
#[derive(Debug, Clone)]
pub struct ReasonRow {
    /// In words.
    pub label: String,
    /// How often.
    pub count: u64,
}

/// What somebody said who leaves.
#[derive(Debug, Clone)]
pub struct CommentRow {
    /// Who.
    pub customer: String,
    /// Where that customer is shown.
    pub customer_url: String,
    /// When.
    pub at: Timestamp,
    /// The reason that they chose.
    pub reason: Option<String>,
    /// In their words.
    pub comment: String,
}

page!(ConsoleAnalytics, here: "/admin/analytics");

impl ConsoleAnalytics {
    fn month_in_words(&self) -> String {
        calendar::month_in_words(self.month)
    }

    fn before(&self) -> Month {
        self.month.previous()
    }

    fn after(&self) -> Option<Month> {
        (!self.is_running).then(|| self.month.next())
    }

    fn price(&self, amount: &Cents) -> String {
        amount.priced(&self.currency)
    }

    fn revenue_chart(&self) -> Markup {
        let words = Words {
            id: "recurring",
            title: "Recurring revenue by month",
            description: "One bar for each month; the table below has the same numbers.",
        };
        chart::columns(words, &self.bars(|month| month.recurring.get()), |value| whole(value, &self.currency))
    }

    fn customers_chart(&self) -> Markup {
        let words = Words {
            id: "customers",
            title: "Paying customers by month",
            description: "One bar for each month; the table below has the same numbers.",
        };
        let number = |month: &AnalyticsMonthRow| i64::try_from(month.customers).unwrap_or(i64::MAX);
        chart::columns(words, &self.bars(number), |value| value.to_string())
    }

    fn funnel_chart(&self) -> Markup {
        let words = Words {
            id: "funnel",
            title: "From a visit to a payment",
            description: "One bar for each step; the table below has the same numbers.",
        };
        let bar = |row: &FunnelRow| Bar {
            label: row.label.clone(),
            value: i64::try_from(row.count).unwrap_or(i64::MAX),
            is_open: false,
        };
        let bars: Vec<Bar> = self.funnel.iter().map(bar).collect();
        chart::rows(words, &bars, |value| value.to_string())
    }

    fn bars(&self, value: impl Fn(&AnalyticsMonthRow) -> i64) -> Vec<Bar> {
        let bar = |month: &AnalyticsMonthRow| Bar {
            label: short(month.month),
            value: value(month),
            is_open: !month.is_complete,
        };
        self.months.iter().map(bar).collect()
    }

    /// How many months after signing up the widest row goes.
    fn later(&self) -> std::ops::Range<usize> {
        0..self.cohorts.iter().map(|cohort| cohort.paying.len()).max().unwrap_or(0)
    }
}

impl AnalyticsFigure {
    fn verdict(&self) -> (&'static str, &'static str) {
        match (self.is_met, &self.target) {
            (Some(true), _) => ("good", "Met"),
            (Some(false), _) => ("bad", "Missed"),
            (None, Some(_)) => ("off", "Unknown"),
            (None, None) => ("off", "No target"),
        }
    }
}

impl FunnelRow {
    fn of_previous(&self) -> String {
        self.of_previous_permille.map_or_else(String::new, percent)
    }
}

impl CohortRow {
    /// The part that paid some months after signing up, and how strongly that is marked; none for a month to come.
    fn kept(&self, later: &usize) -> Option<(String, u64)> {
        let paying = *self.paying.get(*later)?;
        let percent = (paying * 100).checked_div(self.customers).unwrap_or(0);
        Some((format!("{percent} %"), percent.div_ceil(25)))
    }
}

/// `Nov`, or `Jan 27` where a year begins.
fn short(month: Month) -> String {
    let first = month.first_hour().start().to_zoned_datetime(jiff::tz::TimeZone::UTC);
    let pattern = if first.month() == 1 { "%b %y" } else { "%b" };
    first.strftime(pattern).to_string()
}

/// An amount on a scale, without decimals where it has none.
fn whole(cents: i64, currency: &str) -> String {
    let written = Cents::new(cents).priced(currency);
    if cents % 100 == 0 { written.replacen(".00", "", 1) } else { written }
}

fn percent(permille: i64) -> String {
    format!("{}.{} %", permille / 10, permille.unsigned_abs() % 10)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_cohort_is_marked_the_stronger_the_more_of_it_is_left() {
        let cohort = CohortRow { month: Month::parse("2026-11").unwrap(), customers: 8, paying: vec![8, 5, 1, 0] };
        let kept: Vec<_> = (0..5).map(|later| cohort.kept(&later)).collect();
        let row = |text: &str, mark| Some((text.to_owned(), mark));
        assert_eq!(kept, [row("100 %", 4), row("62 %", 3), row("12 %", 1), row("0 %", 0), None]);
    }

    #[test]
    fn a_scale_has_no_decimals_that_say_nothing() {
        assert_eq!((whole(50_000, "usd"), whole(50, "usd")), ("$500".to_owned(), "$0.50".to_owned()));
        assert_eq!(whole(50_000, "chf"), "500 CHF");
    }

    #[test]
    fn a_year_that_begins_is_named() {
        assert_eq!(short(Month::parse("2027-01").unwrap()), "Jan 27");
        assert_eq!(short(Month::parse("2026-12").unwrap()), "Dec");
    }
}
