//! What a business is run by, from what each customer was charged for each month: recurring revenue and how it moved,
//! churn, what a customer brings and costs to win, and how long customers of one month stay.
//!
//! A month's **recurring revenue** is what the invoices charge whose periods begin in it, after discounts and without
//! taxes: base fees and hours. Whoever is charged more than nothing in a month is a **paying customer** of it. Both follow
//! from invoices alone, which are never changed, so a month that is over never reads otherwise later.

use std::collections::BTreeMap;

use domain::{Cents, CustomerId, Micros, Month};

use crate::arithmetic::{OutOfRange, add, subtract, sum};

/// What each customer was charged for each month; only what is more than nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Charged {
    months: BTreeMap<Month, BTreeMap<CustomerId, Cents>>,
    first: BTreeMap<CustomerId, Month>,
}

/// How recurring revenue came from one month to the next. Every amount is nothing or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Movement {
    /// In the month before.
    pub before: Cents,
    /// From customers who never paid before.
    pub new: Cents,
    /// From customers who did, but not in the month before.
    pub returned: Cents,
    /// More than in the month before, from those who paid in both.
    pub grown: Cents,
    /// Less than in the month before, from those who paid in both.
    pub shrunk: Cents,
    /// From customers of the month before who pay nothing any more.
    pub lost: Cents,
    /// Who paid in the month before.
    pub customers_before: u64,
    /// Who pays for the first time.
    pub customers_new: u64,
    /// Who pays again after at least a month.
    pub customers_returned: u64,
    /// Who paid in the month before and does not any more.
    pub customers_lost: u64,
}

/// A part of a whole that is more than nothing, without any rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    part: i64,
    whole: i64,
}

/// The customers who signed up in one month, and how many of them paid in each month from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohort {
    /// In which they signed up.
    pub month: Month,
    /// How many signed up, whether they ever paid or not.
    pub customers: u64,
    /// Of that month and of each later one, in their order.
    pub later: Vec<Kept>,
}

/// What is left of a cohort in a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Which.
    pub month: Month,
    /// How many of the cohort paid in it.
    pub paying: u64,
    /// What they were charged for it.
    pub recurring: Cents,
}

impl Charged {
    /// From what was charged, in any order.
    ///
    /// # Errors
    /// When somebody was charged more than money can be.
    pub fn of(charges: impl IntoIterator<Item = (CustomerId, Month, Cents)>) -> Result<Self, OutOfRange> {
        let mut months: BTreeMap<Month, BTreeMap<CustomerId, Cents>> = BTreeMap::new();
        for (customer, month, amount) in charges {
            let place = months.entry(month).or_default().entry(customer).or_default();
            *place = add(*place, amount)?;
        }
        let mut first = BTreeMap::new();
        for (month, customers) in &mut months {
            customers.retain(|_, amount| *amount > Cents::ZERO);
            for customer in customers.keys() {
                first.entry(*customer).or_insert(*month);
            }
        }
        Ok(Self { months, first })
    }

    /// All of a month's recurring revenue.
    ///
    /// # Errors
    /// When it is more than money can be.
    pub fn recurring(&self, month: Month) -> Result<Cents, OutOfRange> {
        sum(self.customers(month).map(|(_, amount)| amount))
    }

    /// How many customers paid for a month.
    pub fn paying(&self, month: Month) -> u64 {
        self.months.get(&month).map_or(0, |customers| customers.len() as u64)
    }

    /// What a customer was charged for a month.
    pub fn charged(&self, customer: CustomerId, month: Month) -> Cents {
        self.months.get(&month).and_then(|customers| customers.get(&customer)).copied().unwrap_or_default()
    }

    /// How a month differs from the one before.
    ///
    /// # Errors
    /// When an amount is more than money can be.
    pub fn movement(&self, month: Month) -> Result<Movement, OutOfRange> {
        let before = month.previous();
        let mut moved =
            Movement { before: self.recurring(before)?, customers_before: self.paying(before), ..Movement::default() };
        for (customer, amount) in self.customers(month) {
            let was = self.charged(customer, before);
            let is_first = self.first.get(&customer) == Some(&month);
            let place = match (was, is_first) {
                (Cents::ZERO, true) => {
                    moved.customers_new += 1;
                    &mut moved.new
                }
                (Cents::ZERO, false) => {
                    moved.customers_returned += 1;
                    &mut moved.returned
                }
                _ if amount >= was => &mut moved.grown,
                _ => &mut moved.shrunk,
            };
            let difference = subtract(amount, was)?;
            *place = add(*place, Cents::new(difference.get().abs()))?;
        }
        for (customer, was) in self.customers(before) {
            if self.charged(customer, month) == Cents::ZERO {
                moved.customers_lost += 1;
                moved.lost = add(moved.lost, was)?;
            }
        }
        Ok(moved)
    }

    fn customers(&self, month: Month) -> impl Iterator<Item = (CustomerId, Cents)> {
        self.months.get(&month).into_iter().flatten().map(|(customer, amount)| (*customer, *amount))
    }
}

impl Movement {
    /// Recurring revenue of the month itself: what was there before and all that moved.
    ///
    /// # Errors
    /// When it is more than money can be.
    pub fn after(&self) -> Result<Cents, OutOfRange> {
        let gained = sum([self.before, self.new, self.returned, self.grown])?;
        subtract(gained, add(self.shrunk, self.lost)?)
    }

    /// How much recurring revenue grew, of what it was. None where it was nothing.
    ///
    /// # Errors
    /// When an amount is more than money can be.
    pub fn growth(&self) -> Result<Option<Ratio>, OutOfRange> {
        Ok(Ratio::of(subtract(self.after()?, self.before)?.get(), self.before.get()))
    }

    /// The customers who were lost, of those who paid before. None where nobody did.
    pub fn customer_churn(&self) -> Option<Ratio> {
        Ratio::of(i64::try_from(self.customers_lost).ok()?, i64::try_from(self.customers_before).ok()?)
    }

    /// What lost customers had paid, of all that was paid before. None where that was nothing.
    pub fn revenue_churn(&self) -> Option<Ratio> {
        Ratio::of(self.lost.get(), self.before.get())
    }
}

impl Ratio {
    /// None where the whole is nothing or less.
    pub fn of(part: i64, whole: i64) -> Option<Self> {
        (whole > 0).then_some(Self { part, whole })
    }

    /// In tenths of a percent, rounded down: for what has to be more than a target.
    pub fn permille_down(self) -> i64 {
        saturated((i128::from(self.part) * 1_000).div_euclid(i128::from(self.whole)))
    }

    /// In tenths of a percent, rounded up: for what has to be less than a target.
    pub fn permille_up(self) -> i64 {
        saturated(-(-i128::from(self.part) * 1_000).div_euclid(i128::from(self.whole)))
    }

    /// Whether it is more than so many tenths of a percent, exactly.
    pub fn is_over(self, permille: i64) -> bool {
        i128::from(self.part) * 1_000 > i128::from(permille) * i128::from(self.whole)
    }

    /// Whether it is less than so many tenths of a percent, exactly.
    pub fn is_under(self, permille: i64) -> bool {
        i128::from(self.part) * 1_000 < i128::from(permille) * i128::from(self.whole)
    }
}

/// What a customer brings on average, or costs: an amount by heads, to the nearest smallest unit, a half away from zero.
/// None without anybody.
pub fn per_head(amount: Cents, heads: u64) -> Option<Cents> {
    (heads > 0).then(|| crate::arithmetic::proportion(amount, 1, heads)).and_then(Result::ok)
}

/// What a customer leaves us with over the whole time: what is left of a customer's revenue in a month, by the part of
/// customers who leave in a month.
///
/// `profit` is what was left of the month's revenue after costs, `customers` who paid for it; `lost` of `base` customers
/// left, over as many months as seem enough. None where nobody paid, or nobody left: then no end is in sight.
pub fn lifetime_value(profit: Micros, customers: u64, lost: u64, base: u64) -> Option<Cents> {
    let divisor = i128::from(customers).checked_mul(i128::from(lost))?;
    if divisor == 0 || base == 0 {
        return None;
    }
    let micros = i128::from(profit.get()).checked_mul(i128::from(base))?.checked_div(divisor)?;
    i64::try_from(micros).ok().map(|micros| Micros::new(micros).to_cents())
}

/// Customers by the month in which they signed up, the earliest first, each followed up to a last month.
///
/// # Errors
/// When an amount is more than money can be.
pub fn cohorts(
    signed_up: &BTreeMap<CustomerId, Month>,
    charged: &Charged,
    until: Month,
) -> Result<Vec<Cohort>, OutOfRange> {
    let mut members: BTreeMap<Month, Vec<CustomerId>> = BTreeMap::new();
    for (customer, month) in signed_up {
        members.entry(*month).or_default().push(*customer);
    }
    let mut cohorts = Vec::with_capacity(members.len());
    for (month, members) in members {
        let mut later = Vec::new();
        let mut shown = month;
        while shown <= until {
            let amounts = members.iter().map(|member| charged.charged(*member, shown));
            let paid: Vec<Cents> = amounts.filter(|amount| *amount > Cents::ZERO).collect();
            later.push(Kept { month: shown, paying: paid.len() as u64, recurring: sum(paid)? });
            shown = shown.next();
        }
        cohorts.push(Cohort { month, customers: members.len() as u64, later });
    }
    Ok(cohorts)
}

fn saturated(number: i128) -> i64 {
    i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn customer(number: u8) -> CustomerId {
        CustomerId::new(jiff::Timestamp::UNIX_EPOCH, [number; 10])
    }

    fn month(number: u8) -> Month {
        (0..number).fold(Month::parse("2026-07").unwrap(), |month, _| month.next())
    }

    fn charged(charges: &[(u8, u8, i64)]) -> Charged {
        let each = charges.iter().map(|(who, when, cents)| (customer(*who), month(*when), Cents::new(*cents)));
        Charged::of(each).unwrap()
    }

    #[test]
    fn revenue_moves_by_who_came_came_back_grew_shrank_and_left() {
        let charged = charged(&[
            (1, 0, 500),
            (2, 0, 800),
            (3, 0, 700),
            (4, 0, 500),
            // In the second month 1 stays as it was, 2 grows, 3 shrinks, 4 leaves, and 5 comes.
            (1, 1, 500),
            (2, 1, 1_000),
            (3, 1, 600),
            (5, 1, 500),
            // In the third 4 is back.
            (4, 2, 550),
        ]);
        let moved = charged.movement(month(1)).unwrap();
        let expected = Movement {
            before: Cents::new(2_500),
            new: Cents::new(500),
            returned: Cents::ZERO,
            grown: Cents::new(200),
            shrunk: Cents::new(100),
            lost: Cents::new(500),
            customers_before: 4,
            customers_new: 1,
            customers_returned: 0,
            customers_lost: 1,
        };
        assert_eq!(moved, expected);
        assert_eq!((moved.after(), charged.paying(month(1))), (Ok(Cents::new(2_600)), 4));
        assert_eq!(moved.growth().unwrap().unwrap().permille_down(), 40);
        assert_eq!(moved.customer_churn().unwrap().permille_up(), 250);
        assert_eq!(moved.revenue_churn().unwrap().permille_up(), 200);
        let back = charged.movement(month(2)).unwrap();
        assert_eq!((back.returned, back.customers_returned, back.customers_new), (Cents::new(550), 1, 0));
    }

    #[test]
    fn a_target_that_is_missed_by_a_hair_is_missed() {
        let fifth = Ratio::of(1, 5).unwrap();
        assert!(!fifth.is_over(200) && !fifth.is_under(200));
        let hair = Ratio::of(20_001, 100_000).unwrap();
        assert!(hair.is_over(200) && hair.permille_down() == 200 && hair.permille_up() == 201);
        assert_eq!(Ratio::of(-1, 3).unwrap().permille_down(), -334);
        assert_eq!((Ratio::of(1, 0), Ratio::of(0, -1)), (None, None));
    }

    #[test]
    fn what_a_customer_brings_and_costs_is_unknown_without_any() {
        assert_eq!(per_head(Cents::new(1_001), 2), Some(Cents::new(501)));
        assert_eq!(per_head(Cents::new(1_000), 0), None);
        // 40 dollars are left of 10 customers, of whom one in 20 leaves: 4 dollars for 20 months.
        assert_eq!(lifetime_value(Micros::new(40_000_000), 10, 3, 60), Some(Cents::new(8_000)));
        assert_eq!(lifetime_value(Micros::new(40_000_000), 10, 0, 60), None);
        assert_eq!(lifetime_value(Micros::new(40_000_000), 0, 1, 60), None);
    }

    proptest! {
        #[test]
        fn whatever_moves_the_sums_of_a_month_are_those_of_the_month_before_and_what_moved(
            charges in prop::collection::vec((0..12_u8, 0..6_u8, 0..5_000_i64), 0..80),
        ) {
            let charged = charged(&charges);
            for number in 1..7 {
                let moved = charged.movement(month(number)).unwrap();
                prop_assert_eq!(moved.after().unwrap(), charged.recurring(month(number)).unwrap());
                let came = moved.customers_before + moved.customers_new + moved.customers_returned;
                prop_assert_eq!(came - moved.customers_lost, charged.paying(month(number)));
                for churn in [moved.customer_churn(), moved.revenue_churn()].into_iter().flatten() {
                    prop_assert!((0..=1_000).contains(&churn.permille_up()));
                }
            }
            let all: i64 = charges.iter().map(|(_, _, cents)| cents).sum();
            let months: i64 = (0..6).map(|number| charged.recurring(month(number)).unwrap().get()).sum();
            prop_assert_eq!(months, all, "nothing is lost between the months");
        }

        #[test]
        fn cohorts_together_are_all_customers_and_all_that_they_paid_since(
            signups in prop::collection::btree_map(0..20_u8, 0..6_u8, 0..20),
            charges in prop::collection::vec((0..20_u8, 0..6_u8, 1..5_000_i64), 0..80),
        ) {
            // Nobody pays before having signed up.
            let charges: Vec<_> = charges
                .into_iter()
                .filter(|(who, when, _)| signups.get(who).is_some_and(|since| when >= since))
                .collect();
            let charged = charged(&charges);
            let signed_up: BTreeMap<_, _> = signups.iter().map(|(who, when)| (customer(*who), month(*when))).collect();
            let cohorts = cohorts(&signed_up, &charged, month(5)).unwrap();
            prop_assert_eq!(cohorts.iter().map(|cohort| cohort.customers).sum::<u64>(), signups.len() as u64);
            for number in 0..6 {
                let of_month = || cohorts.iter().flat_map(|cohort| &cohort.later).filter(|it| it.month == month(number));
                prop_assert_eq!(of_month().map(|kept| kept.paying).sum::<u64>(), charged.paying(month(number)));
                let recurring: i64 = of_month().map(|kept| kept.recurring.get()).sum();
                prop_assert_eq!(recurring, charged.recurring(month(number)).unwrap().get());
            }
            for cohort in &cohorts {
                prop_assert!(cohort.later.iter().all(|kept| kept.paying <= cohort.customers));
                prop_assert_eq!(cohort.later.last().map(|kept| kept.month), Some(month(5)));
            }
        }
    }
}
