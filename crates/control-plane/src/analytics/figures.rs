//! The numbers, each beside its definition and its target. What is not known stays unknown, with the reason.

use api::Figure;
use billing::OutOfRange;
use billing::growth::{self, Movement, Ratio};
use domain::{Cents, Month};

use super::operations;
use super::report::Record;
use crate::app::Core;
use crate::costs::margins::{self, Margins};
use crate::error::AppError;

/// Recurring revenue is to grow by more than this in a month, in tenths of a percent.
const GROWTH_PERMILLE: i64 = 200;
/// Less of the customers than this are to leave in a month, in tenths of a percent.
const CHURN_PERMILLE: i64 = 50;
/// Winning a customer is to cost less than this, in the plan's currency.
const ACQUISITION: Cents = Cents::new(5_000);

const STILL_TO_COME: &str = "Invoices of the month are still to come.";

/// Which number.
pub(super) struct About {
    pub name: &'static str,
    pub label: &'static str,
    pub definition: &'static str,
}

/// In what a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Amount {
    Cents(Cents),
    /// Tenths of a percent.
    Permille(i64),
    Seconds(i64),
    Count(u64),
}

/// What is known of a number.
pub(super) enum Reading {
    Known {
        amount: Amount,
        /// Whether its target is reached, where it has one.
        is_met: Option<bool>,
        /// As people write it, where that says more than the amount.
        shown: Option<String>,
    },
    /// Why it is not.
    Unknown(String),
}

impl Reading {
    pub(super) const fn known(amount: Amount, is_met: Option<bool>) -> Self {
        Self::Known { amount, is_met, shown: None }
    }

    /// A number without a target.
    const fn plain(amount: Amount) -> Self {
        Self::known(amount, None)
    }
}

impl Amount {
    const fn unit(self) -> &'static str {
        match self {
            Self::Cents(_) => "cents",
            Self::Permille(_) => "permille",
            Self::Seconds(_) => "seconds",
            Self::Count(_) => "count",
        }
    }

    fn value(self) -> i64 {
        match self {
            Self::Cents(amount) => amount.get(),
            Self::Permille(number) | Self::Seconds(number) => number,
            Self::Count(number) => i64::try_from(number).unwrap_or(i64::MAX),
        }
    }

    fn shown(self, currency: &str) -> String {
        match self {
            Self::Cents(amount) => amount.priced(currency),
            Self::Permille(number) => {
                let sign = if number < 0 { "-" } else { "" };
                format!("{sign}{}.{} %", number.unsigned_abs() / 10, number.unsigned_abs() % 10)
            }
            Self::Seconds(number) if number < 60 => format!("{number} s"),
            Self::Seconds(number) => format!("{} min {} s", number / 60, number % 60),
            Self::Count(number) => number.to_string(),
        }
    }
}

/// Puts a number together.
pub(super) fn figure(core: &Core, about: &About, reading: Reading, target: Option<&str>) -> Figure {
    let (amount, is_met, shown, unknown_because) = match reading {
        Reading::Known { amount, is_met, shown } => (Some(amount), is_met, shown, None),
        Reading::Unknown(why) => (None, None, None, Some(why)),
    };
    let written = amount.map(|amount| amount.shown(&core.settings.plan.currency));
    Figure {
        name: about.name.to_owned(),
        label: about.label.to_owned(),
        definition: about.definition.to_owned(),
        unit: amount.map(|amount| amount.unit().to_owned()),
        value: amount.map(Amount::value),
        shown: shown.or(written).unwrap_or_else(|| "unknown".to_owned()),
        target: target.map(str::to_owned),
        is_met,
        unknown_because,
    }
}

/// All numbers of a month.
pub(super) async fn of(core: &Core, record: &Record, month: Month) -> Result<Vec<Figure>, AppError> {
    let month = Computed {
        core,
        record,
        month,
        is_complete: margins::is_closed(core, month),
        moved: record.charged.movement(month).map_err(AppError::internal)?,
        margins: margins::of_month(core, month).await?,
    };
    let mut figures = month.of_revenue().map_err(AppError::internal)?;
    figures.extend(month.of_customers().map_err(AppError::internal)?);
    figures.extend(month.of_costs().map_err(AppError::internal)?);
    figures.extend(operations::of(core, month.month).await?);
    Ok(figures)
}

/// A month, and what its numbers are computed from.
struct Computed<'a> {
    core: &'a Core,
    record: &'a Record,
    month: Month,
    is_complete: bool,
    moved: Movement,
    margins: Margins,
}

impl Computed<'_> {
    /// Nothing that rests on invoices is known before all of them are there.
    fn once_complete(&self, reading: impl FnOnce() -> Result<Reading, OutOfRange>) -> Result<Reading, OutOfRange> {
        if self.is_complete { reading() } else { Ok(Reading::Unknown(STILL_TO_COME.to_owned())) }
    }

    fn figure(&self, about: &About, reading: Reading, target: Option<&str>) -> Figure {
        figure(self.core, about, reading, target)
    }

    fn of_revenue(&self) -> Result<Vec<Figure>, OutOfRange> {
        let (charged, moved) = (&self.record.charged, &self.moved);
        let recurring =
            || -> Result<Reading, OutOfRange> { Ok(Reading::plain(Amount::Cents(charged.recurring(self.month)?))) };
        let growth = || -> Result<Reading, OutOfRange> {
            Ok(match moved.growth()? {
                Some(part) => {
                    Reading::known(Amount::Permille(part.permille_down()), Some(part.is_over(GROWTH_PERMILLE)))
                }
                None => Reading::Unknown("Nobody paid for the month before.".to_owned()),
            })
        };
        let revenue =
            || -> Result<Reading, OutOfRange> { Ok(Reading::plain(Amount::Cents(self.record.revenue(self.month)?))) };
        Ok(vec![
            self.figure(
                &About {
                    name: "recurring_revenue",
                    label: "Recurring revenue (MRR)",
                    definition: "What the invoices charge whose periods began in the month: base fees and hours, after \
                                 discounts and without taxes.",
                },
                self.once_complete(recurring)?,
                None,
            ),
            self.figure(
                &About {
                    name: "growth",
                    label: "Growth of recurring revenue",
                    definition: "By how much recurring revenue is more than that of the month before, of what it was then.",
                },
                self.once_complete(growth)?,
                Some("over 20 %"),
            ),
            self.figure(
                &About {
                    name: "revenue",
                    label: "Revenue",
                    definition: "Recurring revenue less the credits, refunds and write-offs that were booked in the month, \
                                 without taxes. All months together are what the books say.",
                },
                self.once_complete(revenue)?,
                None,
            ),
        ])
    }

    fn of_customers(&self) -> Result<Vec<Figure>, OutOfRange> {
        let (charged, moved) = (&self.record.charged, &self.moved);
        let nobody = || Reading::Unknown("Nobody paid for the month before.".to_owned());
        let paying = charged.paying(self.month);
        let per_customer = || -> Result<Reading, OutOfRange> {
            let each = growth::per_head(charged.recurring(self.month)?, paying);
            let unknown = || Reading::Unknown("Nobody paid for the month.".to_owned());
            Ok(each.map_or_else(unknown, |each| Reading::plain(Amount::Cents(each))))
        };
        let churn = |part: Option<Ratio>, target: Option<i64>| -> Result<Reading, OutOfRange> {
            let known = |part: Ratio| {
                let is_met = target.map(|target| part.is_under(target));
                Reading::known(Amount::Permille(part.permille_up()), is_met)
            };
            Ok(part.map_or_else(nobody, known))
        };
        Ok(vec![
            self.figure(
                &About {
                    name: "customers",
                    label: "Paying customers",
                    definition: "Customers who were charged more than nothing for periods that began in the month.",
                },
                self.once_complete(|| Ok(Reading::plain(Amount::Count(paying))))?,
                None,
            ),
            self.figure(
                &About {
                    name: "revenue_per_customer",
                    label: "Revenue per customer (ARPU)",
                    definition: "Recurring revenue by the number of paying customers, to the nearest cent.",
                },
                self.once_complete(per_customer)?,
                None,
            ),
            self.figure(
                &About {
                    name: "customer_churn",
                    label: "Customers lost (churn)",
                    definition: "Of the customers who paid for the month before, those who paid nothing for this one.",
                },
                self.once_complete(|| churn(moved.customer_churn(), Some(CHURN_PERMILLE)))?,
                Some("under 5 %"),
            ),
            self.figure(
                &About {
                    name: "revenue_churn",
                    label: "Revenue lost (churn)",
                    definition: "Of the recurring revenue of the month before, the part that came from customers who paid \
                                 nothing for this one.",
                },
                self.once_complete(|| churn(moved.revenue_churn(), None))?,
                None,
            ),
        ])
    }

    fn of_costs(&self) -> Result<Vec<Figure>, OutOfRange> {
        let most = ACQUISITION.priced(&self.core.settings.plan.currency);
        let target = i64::from(self.core.settings.billing.costs.target_percent);
        let margin = match self.margins.total.permille()? {
            Some(permille) => Reading::known(Amount::Permille(permille), Some(self.margin_is_over(target)?)),
            None => Reading::Unknown(self.why_no_margin()?),
        };
        Ok(vec![
            self.figure(
                &About {
                    name: "lifetime_value",
                    label: "Lifetime value (LTV)",
                    definition: "What was left of a paying customer's revenue after costs in the month, by the part of \
                                 customers who left in a month, over the last three months together.",
                },
                self.once_complete(|| self.lifetime_value())?,
                None,
            ),
            self.figure(
                &About {
                    name: "acquisition_cost",
                    label: "Cost of winning a customer (CAC)",
                    definition: "What was entered as spent for the month, by the customers who paid for the first time for \
                                 it, to the nearest cent.",
                },
                self.once_complete(|| Ok(self.acquisition_cost()))?,
                Some(&format!("under {most}")),
            ),
            self.figure(
                &About {
                    name: "margin",
                    label: "Margin",
                    definition: "What is left of all customers' revenue after what serving them costs, of that revenue, as \
                                 Costs and margins shows it for each of them.",
                },
                margin,
                Some(&format!("over {target} %")),
            ),
        ])
    }

    fn lifetime_value(&self) -> Result<Reading, OutOfRange> {
        let Some(profit) = self.margins.total.profit()? else { return Ok(Reading::Unknown(self.why_no_margin()?)) };
        let (mut lost, mut base, mut month) = (0_u64, 0_u64, self.month);
        for _ in 0..3 {
            let moved = self.record.charged.movement(month)?;
            (lost, base) = (lost + moved.customers_lost, base + moved.customers_before);
            month = month.previous();
        }
        let paying = self.record.charged.paying(self.month);
        Ok(match growth::lifetime_value(profit, paying, lost, base) {
            Some(value) => Reading::plain(Amount::Cents(value)),
            None if paying == 0 => Reading::Unknown("Nobody paid for the month.".to_owned()),
            None => Reading::Unknown("Nobody left within three months, so that no end is in sight.".to_owned()),
        })
    }

    fn acquisition_cost(&self) -> Reading {
        let Some(spend) = self.record.spend.get(&self.month) else {
            let why = "What was spent is not entered for the month. Enter 0 where it was nothing.";
            return Reading::Unknown(why.to_owned());
        };
        match growth::per_head(*spend, self.moved.customers_new) {
            Some(each) => Reading::known(Amount::Cents(each), Some(self.costs_less(*spend))),
            None => Reading::Unknown("Nobody paid for the first time for the month.".to_owned()),
        }
    }

    /// Exactly, and not as it is rounded.
    fn costs_less(&self, spend: Cents) -> bool {
        i128::from(spend.get()) < i128::from(ACQUISITION.get()) * i128::from(self.moved.customers_new)
    }

    fn margin_is_over(&self, percent: i64) -> Result<bool, OutOfRange> {
        let (Some(profit), Some(revenue)) = (self.margins.total.profit()?, self.margins.total.revenue) else {
            return Ok(false);
        };
        // A cent is ten thousand millionths.
        let part = i128::from(profit.get()) * 100;
        Ok(part > i128::from(revenue.get()) * 10_000 * i128::from(percent))
    }

    fn why_no_margin(&self) -> Result<String, OutOfRange> {
        let why = match self.margins.total.profit()? {
            Some(_) => "There was no revenue in the month.",
            None => "Not all revenue or costs of the month are known; Costs and margins says why.",
        };
        Ok(why.to_owned())
    }
}
