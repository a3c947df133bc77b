use std::num::NonZeroU32;

use api::{Coupon, CustomerCoupon, NewCoupon, Page, RedeemCoupon};
use axum::extract::{Path, State};
use billing::{Offer, Price, Rate};
use domain::{Cents, CouponCode, CustomerId};
use store::{from_millis, millis};

use super::ledgers::known;
use super::{Json, Listing, Query, Refusal};
use crate::app::App;
use crate::billing::coupons::{self, Offered, held};
use crate::error::{AppError, refused};
use crate::person::Program;

pub(crate) async fn index(
    State(app): State<App>,
    _: Program,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<Page<Coupon>>, Refusal> {
    let after = listing.cursor.as_deref().unwrap_or_default();
    let found = coupons::store::list(&app.db, after, listing.limit()).await?;
    let data = found.into_iter().map(|coupon| view(&app, coupon)).collect::<Result<Vec<_>, _>>()?;
    Ok(listing.page(data, |coupon: &Coupon| coupon.code.to_string()))
}

pub(crate) async fn show(
    State(app): State<App>,
    _: Program,
    Path(code): Path<String>,
) -> Result<axum::Json<Coupon>, Refusal> {
    let found = coupons::find(&app, &read_code(&code)?).await?;
    Ok(axum::Json(view(&app, found)?))
}

pub(crate) async fn create(
    State(app): State<App>,
    _: Program,
    Json(new): Json<NewCoupon>,
) -> Result<axum::Json<Coupon>, Refusal> {
    let offered = Offered {
        name: new.name.clone().unwrap_or_else(|| new.code.to_string()).trim().to_owned(),
        offer: offer(&new)?,
        code: new.code,
        // Kept to the millisecond, and compared when it is sent again.
        redeem_until: new.redeem_until.map(|until| from_millis(millis(until))),
        most: new.most,
    };
    let created = coupons::create(&app, &offered, Program::NAME).await?;
    Ok(axum::Json(view(&app, created)?))
}

pub(crate) async fn end(
    State(app): State<App>,
    _: Program,
    Path(code): Path<String>,
) -> Result<axum::Json<Coupon>, Refusal> {
    let ended = coupons::end(&app, &read_code(&code)?, Program::NAME).await?;
    Ok(axum::Json(view(&app, ended)?))
}

pub(crate) async fn of_customer(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
) -> Result<axum::Json<Page<CustomerCoupon>>, Refusal> {
    let customer = known(&app, &id).await?;
    Ok(axum::Json(all_of(&app, customer).await?))
}

pub(crate) async fn give(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
    Json(given): Json<RedeemCoupon>,
) -> Result<axum::Json<Page<CustomerCoupon>>, Refusal> {
    let customer = known(&app, &id).await?;
    coupons::redeem(&app, customer, &given.code, Program::NAME).await?;
    Ok(axum::Json(all_of(&app, customer).await?))
}

/// What can't be a code names no coupon.
fn read_code(raw: &str) -> Result<CouponCode, AppError> {
    CouponCode::parse(raw)
        .map_err(|_| refused(404, &format!("There is no coupon {raw}"), "`spinoff coupons list` shows all."))
}

fn offer(new: &NewCoupon) -> Result<Offer, AppError> {
    let one = "Give exactly one of percent, amount and hours; periods goes with percent alone.";
    let number = |number: u32| NonZeroU32::new(number).ok_or_else(|| refused(422, "A coupon for nothing is none", one));
    match (&new.percent, new.amount, new.hours, new.periods) {
        (Some(percent), None, None, periods) => {
            let rate = Rate::parse_percent(percent);
            let rate = rate.map_err(|error| refused(422, &error.to_string(), "Write it like 20 or 7.5."))?;
            Ok(Offer::Percent { rate, periods: periods.map(number).transpose()? })
        }
        (None, Some(amount), None, None) => {
            let worth = Price::new(amount).map_err(|error| refused(422, &error.to_string(), one))?;
            Ok(Offer::Amount { worth })
        }
        (None, None, Some(hours), None) => Ok(Offer::Hours { number: number(hours)? }),
        _ => Err(refused(422, "It is not clear what that coupon gives", one)),
    }
}

fn view(app: &App, coupon: coupons::Coupon) -> Result<Coupon, AppError> {
    let coupons::Coupon { offered, redeemed, created_at, ended_at } = coupon;
    let (mut percent, mut periods, mut amount, mut hours) = (None, None, None, None);
    match offered.offer {
        Offer::Percent { rate, periods: of } => {
            percent = Some(rate.to_string().trim_end_matches(" %").to_owned());
            periods = of.map(NonZeroU32::get);
        }
        Offer::Amount { worth } => amount = Some(worth.amount()),
        Offer::Hours { number } => hours = Some(number.get()),
    }
    Ok(Coupon {
        offer: coupons::in_words(app, offered.offer)?,
        code: offered.code,
        name: offered.name,
        percent,
        periods,
        amount,
        hours,
        redeem_until: offered.redeem_until,
        most: offered.most,
        redeemed,
        created_at,
        ended_at,
    })
}

async fn all_of(app: &App, customer: CustomerId) -> Result<Page<CustomerCoupon>, AppError> {
    let held = held::of(&mut *app.db.read().acquire().await?, customer).await?;
    let view = |coupon: held::Held| {
        let mut amounts = coupon.taken.iter().map(|(_, taken)| taken.amount);
        let taken = amounts.try_fold(Cents::ZERO, Cents::checked_add);
        Ok(CustomerCoupon {
            offer: coupons::in_words(app, coupon.offer)?,
            code: coupon.code,
            name: coupon.name,
            redeemed_at: coupon.redeemed_at,
            taken: taken.ok_or_else(|| AppError::internal(billing::OutOfRange))?,
            hours_taken: coupon.taken.iter().map(|(_, taken)| taken.hours).sum(),
        })
    };
    let data = held.into_iter().map(view).collect::<Result<Vec<_>, AppError>>()?;
    Ok(Page::whole(data))
}
