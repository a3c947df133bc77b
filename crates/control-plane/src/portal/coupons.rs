//! The customer's coupons on the page of bills, and the form that redeems one.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use billing::{Coupon, Worth};
use domain::UsageHour;
use pages::{CouponRow, CouponsView};
use serde::Deserialize;

use super::spending::{self, Refused};
use super::{owned, portal_url};
use crate::app::App;
use crate::billing::coupons::{self, held};
use crate::billing::running::Running;
use crate::error::AppError;
use crate::instances::Instance;
use crate::person::Person;
use crate::site::PageError;

/// What the page shows, and what is left for the period that runs.
pub(super) struct OnPage {
    pub view: CouponsView,
    pub left: Vec<Coupon>,
}

pub(super) async fn on_page(
    app: &App,
    instance: &Instance,
    running: Option<&Running>,
    refused: Option<(String, String)>,
) -> Result<OnPage, AppError> {
    let held = held::of(&mut *app.db.read().acquire().await?, instance.customer).await?;
    let mut on_page =
        OnPage { view: CouponsView { held: Vec::new(), code: String::new(), error: None }, left: Vec::new() };
    if let Some((entered, error)) = refused {
        (on_page.view.code, on_page.view.error) = (entered, Some(error));
    }
    for coupon in held {
        let left = match running {
            Some(running) => Some(running.left_of(app, &coupon).map_err(AppError::internal)?),
            None => None,
        };
        on_page.view.held.push(CouponRow {
            code: Some(coupon.code.to_string()).filter(|code| *code != coupon.name),
            name: coupon.name,
            offer: coupons::in_words(app, coupon.offer)?,
            left: left.as_ref().map_or_else(String::new, |left| in_words(app, left.as_ref())),
        });
        on_page.left.extend(left.flatten());
    }
    Ok(on_page)
}

/// What is left, as its owner reads it.
fn in_words(app: &App, left: Option<&Coupon>) -> String {
    let now = UsageHour::of(app.clock.now());
    let day = |hour: UsageHour| hour.start().strftime("%-d %B %Y").to_string();
    match left.map(|coupon| coupon.worth) {
        None => "used up".to_owned(),
        Some(Worth::Hours { left: 1 }) => "1 hour".to_owned(),
        Some(Worth::Hours { left }) => format!("{left} hours"),
        Some(Worth::Amount { left }) => app.settings.plan.price(left.amount()),
        Some(Worth::Percent { until: Some(until), .. }) if until <= now => format!("over since {}", day(until)),
        Some(Worth::Percent { from, .. }) if from > now => format!("from {} on", day(from)),
        Some(Worth::Percent { until: Some(until), .. }) => format!("until {}", day(until)),
        Some(Worth::Percent { until: None, .. }) => "for good".to_owned(),
    }
}

/// A code as it was typed.
#[derive(Deserialize)]
pub(crate) struct Typed {
    #[serde(default)]
    code: String,
}

pub(crate) async fn redeem(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let redeemed = match coupons::typed(&typed.code) {
        Ok(code) => coupons::redeem(&app, instance.customer, &code, person.email.as_str()).await,
        Err(error) => Err(error),
    };
    match redeemed {
        Ok(()) => Ok(Redirect::to(&format!("{}/bills#coupons", portal_url(&instance))).into_response()),
        Err(error) => {
            let coupon = Some((typed.code, error.about_what_was_entered()?));
            spending::again(&app, &person, &instance, Refused { coupon, ..Refused::default() }).await
        }
    }
}
