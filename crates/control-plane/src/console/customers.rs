use axum::extract::{Path, Query, State};
use axum::response::{Html, Redirect};
use domain::CustomerId;
use pages::console::{BounceView, ConsoleCustomer, ConsoleCustomers, CustomerRow, Fact, HistoryRow};

use super::instances::instance_row;
use super::{Listing, PAGE, console_shell, money, next};
use crate::app::App;
use crate::billing::coupons::{self, held};
use crate::billing::{details, disputes, refunds};
use crate::customers::{self, Customer};
use crate::error::AppError;
use crate::instances;
use crate::mail::bounces;
use crate::person::{Reader, Supporter};
use crate::site::PageError;

pub(crate) async fn index(
    State(app): State<App>,
    Reader(person): Reader,
    Query(listing): Query<Listing>,
) -> Result<Html<String>, PageError> {
    let found = customers::store::list(&app.db, listing.cursor.as_deref(), PAGE).await?;
    let last = found.last().map(|(customer, _)| customer.id.to_string());
    let next = next("/admin/customers", None, last, found.len());
    let customers = found.iter().map(|(customer, instances)| row(customer, *instances)).collect();
    Ok(Html(ConsoleCustomers { shell: console_shell(&app, "Customers", &person), customers, next }.render()))
}

pub(crate) async fn show(
    State(app): State<App>,
    Reader(person): Reader,
    Path(id): Path<String>,
) -> Result<Html<String>, PageError> {
    let id = CustomerId::parse(&id).map_err(|_| AppError::NotFound)?;
    let customer = customers::store::find(&app.db, id).await?.ok_or(AppError::NotFound)?;
    let instances = instances::store::of_customer(&app.db, id).await?;
    let living = instances.iter().filter(|instance| !instance.state.is_over()).count();
    let mut facts = Vec::new();
    let mut fact = |label: &str, value: String| facts.push(Fact { label: label.to_owned(), value });
    match customers::store::card(&app.db, id).await? {
        Some(card) => fact("Pays with", format!("{} ending in {}, until {}", card.brand, card.last4, card.expiry)),
        None => fact("Pays with", "nothing yet".to_owned()),
    }
    if let Some((set, at)) = details::find(&app, id).await? {
        let lines = [vec![set.name], set.address, vec![set.country.name().to_owned()]].concat();
        fact("Invoices made out to", format!("{}, since {}", lines.join(", "), at.strftime("%-d %B %Y")));
        set.tax_id.into_iter().for_each(|tax_id| fact("Tax id", tax_id.to_string()));
        set.mail_to.into_iter().for_each(|email| fact("Copies of invoices to", email.to_string()));
    }
    for coupon in held::of(&mut *app.db.read().acquire().await?, id).await? {
        let since = coupon.redeemed_at.strftime("%-d %B %Y");
        fact(&format!("Coupon {}", coupon.code), format!("{}, since {since}", coupons::in_words(&app, coupon.offer)?));
    }
    for (document, version, at) in customers::store::agreements(&app.db, id).await? {
        fact(&format!("Accepted {document}"), format!("version {version}, on {at}"));
    }
    let page = ConsoleCustomer {
        shell: console_shell(&app, &customer.name, &person),
        customer: row(&customer, u32::try_from(living).unwrap_or(u32::MAX)),
        facts,
        bounce: bounces::store::find(&app.db, &customer.email).await?.map(|bounce| BounceView {
            since: bounce.since,
            last_at: bounce.last_at,
            answer: bounce.answer,
        }),
        history: history(&app, id).await?,
        instances: instances.iter().map(|instance| instance_row(&app, instance)).collect(),
    };
    Ok(Html(page.render()))
}

/// What went back to a customer, and what their banks question, newest first.
async fn history(app: &App, customer: CustomerId) -> Result<Vec<HistoryRow>, AppError> {
    let given = refunds::store::of_customer(&app.db, customer, PAGE).await?;
    let mut rows = money::refund::history(&given, &app.settings.plan.currency);
    let questioned = disputes::store::of_customer(&app.db, customer, PAGE).await?;
    rows.extend(questioned.iter().map(|kept| money::refund::questioned(app, kept)));
    rows.sort_by_key(|row| std::cmp::Reverse(row.at));
    Ok(rows)
}

/// Forgets that mail to a customer bounced, and tries again what waits for them.
pub(crate) async fn clear_bounce(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    let id = CustomerId::parse(&id).map_err(|_| AppError::NotFound)?;
    let customer = customers::store::find(&app.db, id).await?.ok_or(AppError::NotFound)?;
    bounces::clear(&app, &customer.email, person.email.as_str()).await?;
    Ok(Redirect::to(&format!("/admin/customers/{id}")))
}

fn row(customer: &Customer, instances: u32) -> CustomerRow {
    CustomerRow {
        id: customer.id,
        name: customer.name.clone(),
        email: customer.email.clone(),
        company: customer.company.clone(),
        instances,
        created_at: customer.created_at,
    }
}
