//! A customer gives a workspace up, keeps it after all, comes back, and takes everything along.

use ::billing::Invoice;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use pages::{Area, Download, LastBillView, Leave, Leaving, WhyLeaving};

use super::deletion::ConfirmForm;
use super::{owned, portal_url};
use crate::app::{App, Core};
use crate::error::AppError;
use crate::instances::cancellation::outlook::LastBill;
use crate::instances::cancellation::{self, Outlook, day, letters, until};
use crate::instances::{Instance, export};
use crate::person::Person;
use crate::site::{PageError, shell};

pub(crate) async fn show(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
) -> Result<Html<String>, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    Ok(Html(page(&app, &person, &instance, None, WhyLeaving::default()).await?))
}

pub(crate) async fn request(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
    Form(form): Form<ConfirmForm>,
) -> Result<Response, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let by = person.email.as_str();
    match cancellation::request(&app, &instance, &form.confirmation, &form.farewell(), by).await {
        Ok(_) => Ok(Redirect::to(&format!("{}/cancel", portal_url(&instance))).into_response()),
        Err(AppError::Refused { status: StatusCode::UNPROCESSABLE_ENTITY, next_step, .. }) => {
            let html = page(&app, &person, &instance, Some(next_step), form.said()).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(html)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// Who clicks twice has it once.
pub(crate) async fn take_back(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
) -> Result<Redirect, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    if cancellation::of(&app, &instance).await?.is_some() {
        cancellation::take_back(&app, &instance, person.email.as_str()).await?;
    }
    Ok(Redirect::to(&portal_url(&instance)))
}

pub(crate) async fn download(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
) -> Result<Response, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    Ok(export::download(&app, &instance, person.email.as_str()).await?)
}

async fn page(
    app: &App,
    person: &Person,
    instance: &Instance,
    error: Option<String>,
    said: WhyLeaving,
) -> Result<String, AppError> {
    let (leaving, last_bill) = match view(app, instance).await? {
        Some(standing) => (standing, None),
        None => {
            let outlook = Outlook::of(app, instance).await?;
            (possible(&outlook), Some(last_bill(app, instance, outlook.last_bill).await?))
        }
    };
    let page = Leave {
        shell: shell(app, Area::Portal, "Leaving", Some(person)),
        hostname: app.shown_hostname(&instance.subdomain),
        subdomain: instance.subdomain.to_string(),
        leaving,
        last_bill,
        charged_again: letters::charged_again(app),
        download: downloads(app),
        why: said,
        error,
        portal_url: portal_url(instance),
    };
    Ok(page.render())
}

/// What the workspace's page says of it; nothing where it is not in use.
pub(super) async fn on_page(app: &App, instance: &Instance) -> Result<Option<Leaving>, AppError> {
    if let Some(standing) = view(app, instance).await? {
        return Ok(Some(standing));
    }
    match Outlook::of(app, instance).await {
        Ok(outlook) => Ok(Some(possible(&outlook))),
        Err(AppError::Refused { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A cancellation that stands.
async fn view(app: &Core, instance: &Instance) -> Result<Option<Leaving>, AppError> {
    let Some(kept) = cancellation::of(app, instance).await? else { return Ok(None) };
    let (Some(ends), Some(kept_until)) = (kept.state.until(), kept.state.kept_until()) else { return Ok(None) };
    let kept_until = until(kept_until);
    Ok(Some(if kept.state.has_ended() {
        Leaving::Ended { kept_until }
    } else {
        Leaving::RunningOut { ends: until(ends.start()), kept_until, requested_on: day(kept.requested_at) }
    }))
}

fn possible(outlook: &Outlook) -> Leaving {
    Leaving::Possible {
        ends: until(outlook.until.start()),
        kept_until: until(outlook.kept_until),
        announced_on: day(outlook.announced_at),
    }
}

pub(super) fn downloads(app: &App) -> Download {
    match app.drivers.compute.exports() {
        Ok(()) => Download::Possible,
        Err(instead) => Download::Instead(instead.to_owned()),
    }
}

async fn last_bill(app: &App, instance: &Instance, bill: LastBill) -> Result<LastBillView, AppError> {
    let LastBill::Coming { made_at } = bill else {
        return Ok(if matches!(bill, LastBill::Free) { LastBillView::Free } else { LastBillView::UnderBills });
    };
    let Some(invoice) = Outlook::last_invoice(app, instance).await? else { return Ok(LastBillView::UnderBills) };
    let due = invoice.currency.price(invoice.amount_due);
    Ok(LastBillView::Coming { lines: lines(&invoice), due, made_on: day(made_at) })
}

/// Line by line, and what is taken off and added.
fn lines(invoice: &Invoice) -> Vec<(String, String)> {
    let price = |amount| invoice.currency.price(amount);
    let mut lines: Vec<_> = invoice.lines.iter().map(|line| (line.description.clone(), price(line.amount))).collect();
    for discount in &invoice.discounts {
        lines.push((discount.description.clone(), format!("−{}", price(discount.taken.amount))));
    }
    for tax in &invoice.taxes {
        lines.push((format!("{} {}", tax.name, tax.rate), price(tax.amount)));
    }
    if invoice.credit_applied > domain::Cents::ZERO {
        lines.push(("Your credit".to_owned(), format!("−{}", price(invoice.credit_applied))));
    }
    lines
}
