use domain::Cents;
use serde::{Deserialize, Serialize};

use super::lines::Line;
use crate::arithmetic::{OutOfRange, add, measure, share, subtract, sum, times};
use crate::discount::{Coupon, Taken, Worth};
use crate::rate::Rate;
use crate::words;

/// What a coupon took off an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Discount {
    /// Which coupon.
    pub coupon: String,
    /// In words.
    pub description: String,
    /// How much.
    pub taken: Taken,
}

/// Takes what the coupons are worth off the lines. No line falls below nothing.
pub(super) fn take(lines: &mut [Line], coupons: &[Coupon]) -> Result<Vec<Discount>, OutOfRange> {
    let mut ordered: Vec<&Coupon> = coupons.iter().collect();
    ordered.sort_by_key(|coupon| (rank(coupon.worth), &coupon.id));
    let mut discounts = Vec::new();
    for coupon in ordered {
        let (taken, what) = match coupon.worth {
            Worth::Hours { left } => {
                let taken = take_hours(lines, left)?;
                (taken, format!("{} for free", words::hours(taken.hours)))
            }
            Worth::Percent { rate, from, until } => {
                let covers = |line: &Line| {
                    let start = line.period.start();
                    from <= start && until.is_none_or(|until| start < until)
                };
                (take_part(lines, rate, covers)?, format!("{rate} off"))
            }
            Worth::Amount { left } => (take_amount(lines, left.amount())?, "an amount off".to_owned()),
        };
        if taken != Taken::default() {
            let description = format!("{}: {what}", coupon.name);
            discounts.push(Discount { coupon: coupon.id.clone(), description, taken });
        }
    }
    Ok(discounts)
}

const fn rank(worth: Worth) -> u8 {
    match worth {
        Worth::Hours { .. } => 0,
        Worth::Percent { .. } => 1,
        Worth::Amount { .. } => 2,
    }
}

fn take_hours(lines: &mut [Line], left: u32) -> Result<Taken, OutOfRange> {
    let mut taken = Taken::default();
    // Where an hour costs nothing, none needs to be given away. The base fee has no hours.
    for line in lines.iter_mut().filter(|line| line.unit > Cents::ZERO) {
        let hours = line.hours.count().saturating_sub(line.free_hours).min(left - taken.hours);
        let amount = times(line.unit, hours)?;
        line.take(amount)?;
        line.free_hours += hours;
        taken = Taken { amount: add(taken.amount, amount)?, hours: taken.hours + hours };
    }
    Ok(taken)
}

/// The part is rounded once, and each line bears its share.
fn take_part(lines: &mut [Line], rate: Rate, covers: impl Fn(&Line) -> bool) -> Result<Taken, OutOfRange> {
    let whole = sum(lines.iter().filter(|line| covers(line)).map(|line| line.net))?;
    let amount = rate.of(whole)?;
    let mut before = Cents::ZERO;
    for line in lines.iter_mut().filter(|line| covers(line)) {
        let after = add(before, line.net)?;
        line.take(share(amount, measure(before), measure(after), measure(whole))?)?;
        before = after;
    }
    Ok(Taken { amount, hours: 0 })
}

fn take_amount(lines: &mut [Line], worth: Cents) -> Result<Taken, OutOfRange> {
    let mut left = worth;
    for line in lines {
        let amount = line.net.min(left);
        line.take(amount)?;
        left = subtract(left, amount)?;
    }
    Ok(Taken { amount: subtract(worth, left)?, hours: 0 })
}
