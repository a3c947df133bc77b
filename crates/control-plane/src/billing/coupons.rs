//! Coupons: the operator offers one, customers redeem it, and invoices take it off.
//!
//! A customer has a coupon once, whoever gives it and however often it is sent. What an invoice took is kept with the
//! invoice, in its transaction; what is left follows from that.

pub(crate) mod held;
pub(crate) mod store;

use ::store::Tx;
use billing::Offer;
use domain::{CouponCode, CustomerId};
use jiff::Timestamp;

use crate::app::{App, Core};
use crate::audit;
use crate::error::{AppError, refused};

/// Longer than a coupon is ever meant to last.
const MOST_PERIODS: u32 = 120;
const LONGEST_NAME: usize = 60;

const CHECK: &str = "Check its letters; who gave it to you can tell you how it is written.";

/// A coupon as the operator offers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offered {
    pub code: CouponCode,
    /// As it stands on invoices.
    pub name: String,
    pub offer: Offer,
    /// It can be redeemed before this moment only.
    pub redeem_until: Option<Timestamp>,
    /// So many customers can have it.
    pub most: Option<u32>,
}

/// A coupon with what became of it.
#[derive(Debug, Clone)]
pub(crate) struct Coupon {
    pub offered: Offered,
    /// So many customers have it.
    pub redeemed: u32,
    pub created_at: Timestamp,
    /// Since when it can't be redeemed any more, because somebody said so.
    pub ended_at: Option<Timestamp>,
}

/// Offers a coupon. Offering the same one again changes nothing.
pub(crate) async fn create(app: &App, new: &Offered, by: &str) -> Result<Coupon, AppError> {
    check(app, new)?;
    let (code, now) = (&new.code, app.clock.now());
    let mut tx = app.db.begin().await?;
    if store::insert(&mut tx, new, by, now).await? {
        // One that is sent again may have run out since.
        if new.redeem_until.is_some_and(|until| until <= now) {
            return Err(refused(422, "Until then nobody could redeem it: that moment is past", "Give one to come."));
        }
        let detail = format!("{}: {}", new.name, in_words(app, new.offer)?);
        audit::record(&mut tx, app, by, "coupon.created", code.as_str(), &detail).await?;
        tx.commit().await?;
    } else {
        drop(tx);
    }
    let kept = find(app, code).await?;
    if kept.offered == *new {
        return Ok(kept);
    }
    let next = format!("Choose another code, or see it with `spinoff coupons show {code}`.");
    Err(refused(409, &format!("There is a coupon {code} already, and it is different"), &next))
}

fn check(app: &App, new: &Offered) -> Result<(), AppError> {
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        let next = format!("Give it a name of at most {LONGEST_NAME} characters; customers read it on invoices.");
        return Err(refused(422, "A coupon needs a name", &next));
    }
    if !new.offer.is_worth_something() {
        let next = "Give a percentage, an amount or a number of hours above nothing.";
        return Err(refused(422, "That coupon would give nothing", next));
    }
    if let Offer::Percent { periods: Some(periods), .. } = new.offer
        && periods.get() > MOST_PERIODS
    {
        let next = format!("Use at most {MOST_PERIODS}, or leave the number out for as long as the customer stays.");
        return Err(refused(422, &format!("{periods} periods are too many"), &next));
    }
    if new.most == Some(0) {
        return Err(refused(422, "Nobody could redeem that coupon", "Let at least one customer have it."));
    }
    in_words(app, new.offer).map(|_| ())
}

/// Ends a coupon: nobody can redeem it any more, and whoever has it keeps it. Ending it again changes nothing.
pub(crate) async fn end(app: &App, code: &CouponCode, by: &str) -> Result<Coupon, AppError> {
    find(app, code).await?;
    let mut tx = app.db.begin().await?;
    if store::end(&mut tx, code, app.clock.now()).await? {
        audit::record(&mut tx, app, by, "coupon.ended", code.as_str(), "").await?;
    }
    tx.commit().await?;
    find(app, code).await
}

pub(crate) async fn find(app: &App, code: &CouponCode) -> Result<Coupon, AppError> {
    let found = store::find(&mut *app.db.read().acquire().await?, code).await?;
    let next = "`spinoff coupons list` shows all.";
    found.ok_or_else(|| refused(404, &format!("There is no coupon {code}"), next))
}

/// Reads a code as it was typed.
pub(crate) fn typed(code: &str) -> Result<CouponCode, AppError> {
    CouponCode::parse(code).map_err(|error| refused(422, &error.to_string(), CHECK))
}

/// Gives a coupon to a customer, once. Of many at the last one of a limited number, one gets it.
pub(crate) async fn redeem(app: &App, customer: CustomerId, code: &CouponCode, by: &str) -> Result<(), AppError> {
    let mut tx = app.db.begin().await?;
    redeem_within(&mut tx, app, customer, code, by).await?;
    tx.commit().await?;
    Ok(())
}

/// The same as a part of something larger, which is not to be committed when this is refused.
pub(crate) async fn redeem_within(
    tx: &mut Tx,
    core: &Core,
    customer: CustomerId,
    code: &CouponCode,
    by: &str,
) -> Result<(), AppError> {
    let now = core.clock.now();
    let Some(coupon) = store::find(tx, code).await? else {
        return Err(refused(422, &format!("There is no coupon {code}"), CHECK));
    };
    // The row is theirs before it is counted, so that the same customer at the same time is counted once.
    if !store::give(tx, customer, code, by, now).await? {
        return Ok(());
    }
    if !store::count(tx, code, now).await? {
        return Err(not_any_more(&coupon, now));
    }
    audit::record(tx, core, by, "coupon.redeemed", &customer.to_string(), code.as_str()).await?;
    Ok(())
}

/// Why nobody can redeem it. The row may have changed since it was read, so the number is what is left to blame.
fn not_any_more(coupon: &Coupon, now: Timestamp) -> AppError {
    let Offered { code, redeem_until, .. } = &coupon.offered;
    let what = if coupon.ended_at.is_some() {
        format!("Coupon {code} has ended")
    } else if redeem_until.is_some_and(|until| until <= now) {
        format!("Coupon {code} could be redeemed until {}", redeem_until.unwrap_or(now).strftime("%-d %B %Y"))
    } else {
        format!("All of coupon {code} are taken")
    };
    refused(409, &what, "Nothing has changed. Ask who gave it to you for another one.")
}

/// What a coupon gives, as people read it.
pub(crate) fn in_words(core: &Core, offer: Offer) -> Result<String, AppError> {
    let currency = billing::Currency::parse(&core.settings.plan.currency).map_err(AppError::internal)?;
    Ok(offer.in_words(currency))
}
