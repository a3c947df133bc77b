use askama::Template;
use domain::{Cents, Plan};

use crate::brand::Front;
pub use crate::legal::LegalText;
use crate::page::page;
use crate::shell::Shell;

/// The front page: what is sold, how it works, what it costs.
#[derive(Debug, Clone, Template)]
#[template(path = "site/landing.html")]
pub struct Landing {
    /// What surrounds the page.
    pub shell: Shell,
    /// Prices for the calculator.
    pub plan: Plan,
    front: Front,
}

/// The product that pages can speak of without being told what to say.
const THE_WORKSPACE: &str = "AI-DIY";

impl Landing {
    /// With the words of the shell's brand; of a product that nobody wrote anything of, it says what is true of every one.
    pub fn new(shell: Shell, plan: Plan) -> Self {
        let front = match &shell.brand.front {
            Some(front) => front.clone(),
            None if shell.product == THE_WORKSPACE => Front::of_the_workspace(&shell.product),
            None => Front::of_another(&shell.product),
        };
        Self { shell, plan, front }
    }

    fn is_the_workspace(&self) -> bool {
        self.shell.brand.front.is_none() && self.shell.product == THE_WORKSPACE
    }

    fn has_figure(&self) -> bool {
        self.is_the_workspace() || (self.front.figure.is_some() && self.shell.brand.picture().is_some())
    }
}

/// The price, a calculator, and what counts as an hour.
#[derive(Debug, Clone, Template)]
#[template(path = "site/pricing.html")]
pub struct Pricing {
    /// What surrounds the page.
    pub shell: Shell,
    /// Prices.
    pub plan: Plan,
}

/// One of the texts that a customer agrees to.
#[derive(Debug, Clone, Template)]
#[template(path = "site/legal.html")]
pub struct Legal {
    /// What surrounds the page; its title is replaced by the text's.
    pub shell: Shell,
    /// Which text.
    pub text: LegalText,
    /// Prices, which the billing agreement names.
    pub plan: Plan,
}

/// Getting started, for customers.
#[derive(Debug, Clone, Template)]
#[template(path = "site/docs.html")]
pub struct Docs {
    /// What surrounds the page.
    pub shell: Shell,
    /// Prices, which the part on bills names.
    pub plan: Plan,
}

/// There is nothing at this address.
#[derive(Debug, Clone, Template)]
#[template(path = "site/not_found.html")]
pub struct NotFound {
    /// What surrounds the page.
    pub shell: Shell,
}

/// Something did not work: what, and what to do next.
#[derive(Debug, Clone, Template)]
#[template(path = "site/error.html")]
pub struct ErrorPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The HTTP status that goes with it.
    pub status: u16,
    /// A few words.
    pub title: String,
    /// What the reader can do next, in a sentence.
    pub what_next: String,
}

page!(Landing, here: "/");
page!(Pricing, here: "/pricing");
page!(Docs, here: "/getting-started");
page!(NotFound, here: "");
page!(ErrorPage, here: "");
page!(Legal, here: "");

/// Months that the price table shows, by usage hours: none, a little, some, a working month.
const EXAMPLE_HOURS: [u32; 6] = [0, 5, 20, 40, 80, 160];

/// Where the calculator starts, and what the front page names as a typical month.
const TYPICAL_HOURS: u32 = 20;

/// Prices as the calculator and its table show them.
pub(crate) struct Calculator<'a> {
    plan: &'a Plan,
}

impl<'a> Calculator<'a> {
    pub(crate) fn of(plan: &'a Plan) -> Self {
        Self { plan }
    }

    pub(crate) fn typical(&self) -> u32 {
        TYPICAL_HOURS
    }

    pub(crate) fn base(&self) -> String {
        self.plan.price(self.plan.base_cents)
    }

    pub(crate) fn hour(&self) -> String {
        self.plan.price(self.plan.hour_cents)
    }

    pub(crate) fn base_cents(&self) -> i64 {
        self.plan.base_cents.get()
    }

    pub(crate) fn hour_cents(&self) -> i64 {
        self.plan.hour_cents.get()
    }

    /// An amount of nothing, from which the script learns where the currency's sign stands.
    pub(crate) fn zero(&self) -> String {
        self.plan.price(Cents::ZERO)
    }

    pub(crate) fn typical_total(&self) -> String {
        self.total(TYPICAL_HOURS)
    }

    /// The month's total for so many hours.
    fn total(&self, hours: u32) -> String {
        let hourly = self.plan.hour_cents.checked_mul(hours);
        let total = hourly.and_then(|hourly| self.plan.base_cents.checked_add(hourly));
        total.map_or_else(|| "too much to count".to_owned(), |total| self.plan.price(total))
    }

    pub(crate) fn examples(&self) -> Vec<(u32, String)> {
        EXAMPLE_HOURS.into_iter().map(|hours| (hours, self.total(hours))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calculator_counts_in_whole_cents_and_owns_up_to_what_it_cannot_count() {
        let plan = Plan::default();
        let sums = Calculator::of(&plan);
        assert_eq!(sums.total(0), "$5.00");
        assert_eq!(sums.total(744), "$749.00");
        let dear = Plan { hour_cents: Cents::new(i64::MAX), ..Plan::default() };
        assert_eq!(Calculator::of(&dear).total(2), "too much to count");
    }
}
