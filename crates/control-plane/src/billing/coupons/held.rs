//! The coupons that a customer has, and what invoices took of them.

use ::store::Tx;
use ::store::sqlx::{AnyConnection, Error};
use billing::{Coupon, CouponError, Cycle, Invoice, Offer, Taken, Terms};
use domain::{CouponCode, CustomerId, UsageHour};
use jiff::Timestamp;

use super::store;

/// A coupon that a customer redeemed or was given.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub code: CouponCode,
    pub name: String,
    pub offer: Offer,
    pub redeemed_at: Timestamp,
    /// By which invoice, and how much.
    pub taken: Vec<(String, Taken)>,
}

impl Held {
    /// The coupon as it is before anything was taken of it. A percentage begins with the period in which the coupon was
    /// redeemed, or in which its customer first pays anything.
    fn whole(&self, customer_since: UsageHour, terms: &Terms, cycle: Cycle) -> Coupon {
        let redeemed = UsageHour::of(self.redeemed_at).max(customer_since);
        let from = terms.trial.map_or(redeemed, |trial| trial.ends.max(redeemed));
        Coupon { id: self.code.to_string(), name: self.name.clone(), worth: self.offer.worth(from, cycle) }
    }

    /// What is left of it for the next invoice on these terms; nothing once it is used up.
    pub(crate) fn left(
        &self,
        customer_since: UsageHour,
        terms: &Terms,
        cycle: Cycle,
    ) -> Result<Option<Coupon>, CouponError> {
        let whole = self.whole(customer_since, terms, cycle);
        let left = self.taken.iter().try_fold(whole, |coupon, (_, taken)| coupon.after(taken))?;
        Ok((!left.worth.is_used_up()).then_some(left))
    }
}

/// Everything that a customer has, the earliest first.
pub(crate) async fn of(connection: &mut AnyConnection, customer: CustomerId) -> Result<Vec<Held>, Error> {
    let mut held = store::held(connection, customer).await?;
    if held.is_empty() {
        return Ok(held);
    }
    for (code, number, taken) in store::taken(connection, customer).await? {
        if let Some(coupon) = held.iter_mut().find(|coupon| coupon.code.as_str() == code) {
            coupon.taken.push((number, taken));
        }
    }
    // Here, since databases differ in how they order text.
    held.iter_mut().for_each(|coupon| coupon.taken.sort_by(|one, other| one.0.cmp(&other.0)));
    Ok(held)
}

/// Keeps what an invoice takes, in its transaction.
pub(crate) async fn take(tx: &mut Tx, invoice: &Invoice) -> Result<(), Error> {
    for discount in &invoice.discounts {
        store::take(tx, invoice.customer, &discount.coupon, &invoice.number, discount.taken).await?;
    }
    Ok(())
}

/// Where what is kept about a customer's coupons differs from what their invoices say, in words.
pub(crate) fn differences(held: &[Held], invoices: &[&Invoice]) -> Vec<String> {
    let said = |code: &str| {
        let of_coupon = invoices.iter().flat_map(|invoice| invoice.discounts.iter().map(move |it| (invoice, it)));
        let named = of_coupon.filter(|(_, discount)| discount.coupon == code);
        let mut all: Vec<(String, Taken)> = named.map(|(it, discount)| (it.number.clone(), discount.taken)).collect();
        all.sort_by(|one, other| one.0.cmp(&other.0));
        all
    };
    let mut wrong = Vec::new();
    for coupon in held {
        let said = said(coupon.code.as_str());
        if said != coupon.taken {
            wrong.push(format!("the invoices took something else of coupon {} than is kept", coupon.code));
        }
        let hours = said.iter().map(|(_, taken)| u64::from(taken.hours)).sum::<u64>();
        let amount = said.iter().map(|(_, taken)| i128::from(taken.amount.get())).sum::<i128>();
        let more = match coupon.offer {
            Offer::Hours { number } => hours > u64::from(number.get()),
            Offer::Amount { worth } => amount > i128::from(worth.amount().get()),
            Offer::Percent { .. } => false,
        };
        if more {
            wrong.push(format!("the invoices took more of coupon {} than it is worth", coupon.code));
        }
    }
    let has = |code: &str| held.iter().any(|coupon| coupon.code.as_str() == code);
    let strange = invoices.iter().flat_map(|invoice| &invoice.discounts).filter(|discount| !has(&discount.coupon));
    wrong.extend(strange.map(|discount| format!("coupon {} was taken off, and nobody gave it", discount.coupon)));
    wrong
}
