//! What a workspace costs: the period so far, each hour with what shows it, and the invoices.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use billing::{Cap, Coupon, Forecast, HourSet, Invoice, LineKind};
use domain::{Cents, Evidence, UsageHour};
use pages::{
    Area, Bills, Contest, HourCharge, HourKind, HourLink, HourPage, InvoicePage, MonthOfHours, Reckoning, ReckoningRow,
    SeenBy, Sighting, SoFar,
};
use serde::Deserialize;

use super::spending::{self, Refused};
use super::{coupons, owned, portal_url};
use crate::app::App;
use crate::billing::contests::{self, ContestState};
use crate::billing::hours::{self, Charge};
use crate::billing::invoices::{self, Issued, store::Filter};
use crate::billing::paper;
use crate::billing::running::Running;
use crate::billing::{pay_page, waivers};
use crate::error::AppError;
use crate::instances::Instance;
use crate::person::Person;
use crate::site::{PageError, shell};

/// So many invoices stand on a page.
const PAGE: u32 = 24;

/// Which invoices come next.
#[derive(Deserialize)]
pub(crate) struct Older {
    before: Option<String>,
}

pub(crate) async fn index(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
    Query(older): Query<Older>,
) -> Result<Html<String>, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    Ok(Html(page(&app, &person, &instance, older.before, Refused::default()).await?))
}

/// The page, with forms that were refused as they were filled in.
pub(super) async fn page(
    app: &App,
    person: &Person,
    instance: &Instance,
    before: Option<String>,
    refused: Refused,
) -> Result<String, AppError> {
    let url = portal_url(instance);
    let running = Running::of(app, instance.id).await?;
    let cap = spending::cap_form(app, instance.id, running.as_ref(), refused.cap).await?;
    let budget = spending::budget_form(app, instance.id, refused.budget).await?;
    let coupons = coupons::on_page(app, instance, running.as_ref(), refused.coupon).await?;
    let filter = Filter { instance: Some(instance.id), before, ..Filter::default() };
    let today = invoices::day_of(app.clock.now());
    let mut issued = invoices::store::list(&app.db, &filter, today, PAGE + 1).await?;
    let next = (issued.len() > PAGE as usize).then(|| {
        issued.truncate(PAGE as usize);
        issued.last().map(|last| format!("{url}/bills?before={}", last.number))
    });
    let page = Bills {
        shell: shell(app, Area::Portal, "Bills", Some(person)),
        hostname: app.shown_hostname(&instance.subdomain),
        currency: app.settings.plan.currency.clone(),
        so_far: running.as_ref().map(|running| running.so_far(cap.in_force, &coupons.left)).transpose()?,
        months: running.as_ref().map(|running| running.months(&url)).unwrap_or_default(),
        credit: paper::credit(app, instance.customer).await?,
        invoices: issued
            .into_iter()
            .map(|issued| paper::row(issued, today, &format!("{url}/bills/invoices")))
            .collect(),
        next: next.flatten(),
        coupons: coupons.view,
        cap: running.is_some().then_some(cap.form),
        budget: running.is_some().then_some(budget),
        may_manage: true,
        portal_url: url,
    };
    Ok(page.render())
}

impl Running {
    fn so_far(&self, cap: Option<Cap>, coupons: &[Coupon]) -> Result<SoFar, AppError> {
        let forecast = self.forecast(cap).map_err(AppError::internal)?;
        Ok(SoFar {
            period: self.terms.period.to_string(),
            hours: forecast.hours,
            amount: forecast.amount,
            expected_hours: forecast.expected_hours,
            expected_amount: forecast.expected_amount,
            most_hours: forecast.most_hours,
            most_amount: self.terms.price_of(forecast.most_hours).map_err(AppError::internal)?,
            trial_until: self.trial_until(),
            reckoning: self.reckoning(&forecast, coupons)?,
        })
    }

    /// With coupons and taxes, where there are any.
    fn reckoning(&self, forecast: &Forecast, coupons: &[Coupon]) -> Result<Option<Reckoning>, AppError> {
        let now = self.estimate(forecast.hours, coupons).map_err(AppError::internal)?;
        let end = self.estimate(forecast.expected_hours, coupons).map_err(AppError::internal)?;
        if coupons.is_empty() && now.taxes.is_empty() && now.tax_exempt.is_none() {
            return Ok(None);
        }
        let row = |what: String, amount: Cents, expected: Cents| ReckoningRow { what, amount, expected };
        let mut rows = vec![row("Base fee and hours".to_owned(), now.subtotal, end.subtotal)];
        for coupon in coupons {
            let off = |invoice: &Invoice| {
                let taken = invoice.discounts.iter().find(|discount| discount.coupon == coupon.id);
                taken.and_then(|discount| Cents::ZERO.checked_sub(discount.taken.amount)).unwrap_or_default()
            };
            rows.push(row(coupon.name.clone(), off(&now), off(&end)));
        }
        // Both were computed on the same terms, so they have the same taxes.
        let taxes = now.taxes.iter().zip(&end.taxes);
        rows.extend(taxes.map(|(now, end)| row(format!("{} {}", now.name, now.rate), now.amount, end.amount)));
        Ok(Some(Reckoning { rows, total: now.total, expected_total: end.total, tax_exempt: now.tax_exempt }))
    }

    fn kind(&self, hour: UsageHour) -> HourKind {
        match hour {
            hour if self.usage.waived().contains(hour) => HourKind::Waived,
            hour if hour < self.terms.charged_from() => HourKind::Free,
            _ => HourKind::Charged,
        }
    }

    fn months(&self, portal_url: &str) -> Vec<MonthOfHours> {
        let used: HourSet = self.usage.used();
        let link = |hour: UsageHour| HourLink {
            hour,
            kind: self.kind(hour),
            url: hour_url(&format!("{portal_url}/bills"), hour),
        };
        let mut month = self.terms.period.start().month();
        let mut all = Vec::new();
        while month.first_hour() < self.terms.period.end() {
            let of_month = used.within(month.first_hour(), month.next().first_hour());
            all.push(MonthOfHours { month, hours: of_month.iter().map(link).collect() });
            month = month.next();
        }
        all
    }
}

/// One hour, with what shows it.
pub(crate) async fn hour(
    State(app): State<App>,
    person: Person,
    Path((subdomain, hour)): Path<(String, String)>,
) -> Result<Html<String>, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let hour = parse_hour(&hour)?;
    Ok(Html(hour_page(&app, &person, &instance, hour, None).await?))
}

fn parse_hour(number: &str) -> Result<UsageHour, AppError> {
    number.parse().ok().and_then(UsageHour::from_number).ok_or(AppError::NotFound)
}

/// Why an hour is contested.
#[derive(Deserialize)]
pub(crate) struct Contested {
    reason: String,
}

pub(crate) async fn contest(
    State(app): State<App>,
    person: Person,
    Path((subdomain, hour)): Path<(String, String)>,
    Form(form): Form<Contested>,
) -> Result<Response, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let hour = parse_hour(&hour)?;
    match contests::open(&app, instance.id, hour, &form.reason, person.email.as_str()).await {
        Ok(_) => Ok(Redirect::to(&hour_url(&format!("{}/bills", portal_url(&instance)), hour)).into_response()),
        Err(error) => {
            let error = Some(error.about_what_was_entered()?);
            let again = Contest::Possible { reason: form.reason, error };
            let page = hour_page(&app, &person, &instance, hour, Some(again)).await?;
            Ok((axum::http::StatusCode::UNPROCESSABLE_ENTITY, Html(page)).into_response())
        }
    }
}

async fn hour_page(
    app: &App,
    person: &Person,
    instance: &Instance,
    hour: UsageHour,
    entered: Option<Contest>,
) -> Result<String, AppError> {
    let url = portal_url(instance);
    let known = hours::of(app, instance.id, hour).await?;
    let contest = entered.unwrap_or_else(|| contest_view(known.contest, known.is_billable));
    let page = HourPage {
        shell: shell(app, Area::Portal, "An hour", Some(person)),
        hostname: app.shown_hostname(&instance.subdomain),
        bills_url: format!("{url}/bills"),
        hour,
        charge: charge_view(known.charge, &known.currency, &url),
        evidence: known.evidence.into_iter().map(sighting).collect(),
        contest,
        contest_action: hour_url(&format!("{url}/bills"), hour),
    };
    Ok(page.render())
}

fn contest_view(known: Option<contests::Contest>, is_billable: bool) -> Contest {
    let Some(known) = known else {
        return if is_billable {
            Contest::Possible { reason: String::new(), error: None }
        } else {
            Contest::Impossible("Nobody is to pay for this hour.".to_owned())
        };
    };
    let (reason, answer) = (known.reason, known.answer.unwrap_or_default());
    let at = known.decided_at.unwrap_or(known.opened_at);
    match known.state {
        ContestState::Open => Contest::Waiting { reason, at },
        ContestState::Accepted => Contest::Accepted { reason, answer, at },
        ContestState::Refused => Contest::Refused { reason, answer, at },
    }
}

fn charge_view(charge: Charge, currency: &str, portal_url: &str) -> HourCharge {
    let below = |number: &str| format!("{portal_url}/bills/invoices/{number}");
    match charge {
        Charge::Unused => HourCharge::Unused,
        Charge::Free => HourCharge::Free("Nothing was to be paid yet when it was used.".to_owned()),
        Charge::Coming { price } => HourCharge::Coming { price: price.priced(currency) },
        Charge::Billed { invoice, price } => {
            HourCharge::Billed { price: price.priced(currency), url: below(&invoice), number: invoice }
        }
        Charge::Waived => HourCharge::Waived,
        Charge::Credited { invoice, .. } => HourCharge::Credited { url: below(&invoice), number: invoice },
    }
}

/// Today every evidence comes by the guard: the application tells it what it saw.
fn sighting(entry: Evidence) -> Sighting {
    let Evidence { signal, first, last, count, who, .. } = entry;
    Sighting { signal, who: who.in_words(), seen_by: SeenBy::Guard, first, last, count }
}

pub(crate) async fn invoice(
    State(app): State<App>,
    person: Person,
    Path((subdomain, number)): Path<(String, String)>,
) -> Result<Html<String>, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let (issued, invoice) = find(&app, &instance, &number).await?;
    let bills_url = format!("{}/bills", portal_url(&instance));
    let url = format!("{bills_url}/invoices/{number}");
    let how_to_pay = paper::how_to_pay(&app, &issued, &url).await?;
    let page = InvoicePage {
        shell: shell(&app, Area::Portal, &format!("Invoice {number}"), Some(&person)),
        invoice: paper::view(&app, &instance, &issued, &invoice).await?,
        how_to_pay,
        months: months_on(&app, &invoice, &bills_url).await?,
        details_url: format!("{bills_url}/details"),
        bills_url,
        pdf_url: format!("{url}/pdf"),
        csv_url: format!("{url}/csv"),
    };
    Ok(Html(page.render()))
}

pub(crate) async fn pay(
    State(app): State<App>,
    person: Person,
    Path((subdomain, number)): Path<(String, String)>,
) -> Result<Redirect, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let (issued, _) = find(&app, &instance, &number).await?;
    let workflow = pay_page::open(&app, &issued).await?;
    Ok(Redirect::to(&format!("/portal/payment/{workflow}")))
}

/// The hours on an invoice, month by month: late ones lie in earlier months than its period.
async fn months_on(app: &App, invoice: &Invoice, bills_url: &str) -> Result<Vec<MonthOfHours>, AppError> {
    let in_trial = invoice.lines.iter().filter(|line| line.kind == LineKind::TrialHours);
    let free: HourSet = in_trial.flat_map(|line| line.hours.iter()).collect();
    let mut connection = app.db.read().acquire().await?;
    let mut months = Vec::new();
    for of_month in invoice.hours().months() {
        let month = of_month.month();
        let (from, until) = (month.first_hour(), month.next().first_hour());
        let waived = waivers::store::hours(&mut connection, invoice.instance, from, until).await?;
        let kind = |hour: UsageHour| match hour {
            hour if waived.contains(&hour) => HourKind::Waived,
            hour if free.contains(hour) => HourKind::Free,
            _ => HourKind::Charged,
        };
        let link = |hour: UsageHour| HourLink { hour, kind: kind(hour), url: hour_url(bills_url, hour) };
        months.push(MonthOfHours { month, hours: of_month.iter().map(link).collect() });
    }
    Ok(months)
}

fn hour_url(bills_url: &str, hour: UsageHour) -> String {
    format!("{bills_url}/hours/{}", hour.get())
}

pub(crate) async fn pdf(
    State(app): State<App>,
    person: Person,
    Path((subdomain, number)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let (issued, invoice) = find(&app, &instance, &number).await?;
    Ok(paper::pdf(&app, &instance, &issued, &invoice).await?)
}

pub(crate) async fn csv(
    State(app): State<App>,
    person: Person,
    Path((subdomain, number)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let (_, invoice) = find(&app, &instance, &number).await?;
    Ok(paper::csv(&invoice))
}

/// An invoice of this instance; any other is as if it were not there.
async fn find(app: &App, instance: &Instance, number: &str) -> Result<(Issued, Invoice), AppError> {
    let mut connection = app.db.read().acquire().await?;
    let found = invoices::store::find(&mut connection, number).await?;
    found.filter(|(issued, _)| issued.instance == instance.id).ok_or(AppError::NotFound)
}
