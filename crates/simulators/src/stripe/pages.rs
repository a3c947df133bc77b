//! The pages that a customer sees at Stripe's, as plain as can be.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{Method, StatusCode};
use serde_json::Value;

use crate::stripe::account::Account;
use crate::stripe::completion::{self, Card, Incomplete};
use crate::stripe::events;
use crate::stripe::form::{self, Sent};
use crate::stripe::objects::{is, number, word};
use crate::stripe::subscriptions::ENDED;
use crate::stripe::{collection, payments, portal};
use crate::{Answer, Request};

/// A portal's page opens for so long after it was made, in seconds.
const PORTAL_OPEN: i64 = 300;

/// The page of a path, if it is one.
pub(super) fn answer(account: &mut Account, request: &Request) -> Option<Answer> {
    let path = request.uri().path();
    let chosen = (request.method() == Method::POST).then(|| choice(request.body()));
    if let Some(id) = path.strip_prefix("/c/pay/") {
        return Some(checkout(account, id, chosen.as_deref()));
    }
    if let Some(id) = path.strip_prefix("/i/") {
        return Some(invoice_page(account, id, chosen.as_deref()));
    }
    let secret = path.strip_prefix("/p/session/")?;
    Some(portal_page(account, secret, chosen.as_deref()))
}

fn choice(body: &Bytes) -> String {
    let sent = form::read(body).unwrap_or_default();
    let choice = sent.into_iter().find_map(|(name, sent)| match sent {
        Sent::Word(word) if name == "do" => Some(word),
        _ => None,
    });
    choice.unwrap_or_default()
}

fn checkout(account: &mut Account, id: &str, chosen: Option<&str>) -> Answer {
    let Some(session) = account.objects.get("checkout.session", id).cloned() else {
        return page(StatusCode::NOT_FOUND, "Simulated Stripe Checkout", "<p>There is no such session.</p>");
    };
    let card = match chosen {
        None => return checkout_page(&session, ""),
        Some("cancel") => {
            let address = session["cancel_url"].as_str();
            return address.map_or_else(|| checkout_page(&session, ""), redirect);
        }
        Some("pay") => Card::Works,
        Some("without") => Card::None,
        Some(_) => Card::Declined,
    };
    match completion::complete(account, id, card) {
        Ok(address) => redirect(&address),
        Err(Incomplete::Declined) => checkout_page(&session, "The card was declined. Try another one."),
        Err(other) => checkout_page(&session, &format!("That did not work: {other}.")),
    }
}

fn checkout_page(session: &Value, notice: &str) -> Answer {
    if session["status"] != "open" {
        let gone = "<p>This session is not open any more.</p>";
        return page(StatusCode::OK, "Simulated Stripe Checkout", gone);
    }
    let items = session["_line_items"]["data"].as_array().into_iter().flatten();
    let items = items.map(|item| {
        let price = &item["price"];
        let unit = money(number(price, "unit_amount"), word(price, "currency"));
        let every = word(&price["recurring"], "interval");
        format!("<li>{}: {unit} a {every}</li>", escaped(word(item, "description")))
    });
    let without = if session["payment_method_collection"] == "if_required" && number(session, "amount_total") == 0 {
        button("without", "Start without a card")
    } else {
        String::new()
    };
    let body = format!(
        "{}<ul>{}</ul><p>Due today: {}</p><form method=\"post\">{}{}{without}{}</form>",
        note(notice),
        items.collect::<String>(),
        money(number(session, "amount_total"), session["currency"].as_str().unwrap_or("usd")),
        button("pay", "Pay with a card that works"),
        button("decline", "Pay with a card that is declined"),
        if session["cancel_url"].is_string() { button("cancel", "Cancel") } else { String::new() },
    );
    page(StatusCode::OK, "Simulated Stripe Checkout", &body)
}

/// An invoice, which is paid here with a card that is typed in.
fn invoice_page(account: &mut Account, id: &str, chosen: Option<&str>) -> Answer {
    let title = "Simulated Stripe invoice";
    let held = |account: &Account| account.objects.get("invoice", id).filter(|held| held["status"] != "draft").cloned();
    let Some(invoice) = held(account) else {
        return page(StatusCode::NOT_FOUND, title, "<p>There is no such invoice.</p>");
    };
    let is_open = invoice["status"] == "open";
    let notice = match chosen {
        Some("pay") if is_open => {
            let card = payments::attach_card(account, word(&invoice, "customer"));
            collection::collect(account, id, Some(&card)).err().map(|_| "The card was declined. Try another one.")
        }
        Some("declined") if is_open => Some("The card was declined. Try another one."),
        _ => None,
    };
    let invoice = held(account).unwrap_or(invoice);
    let amount = money(number(&invoice, "amount_remaining"), word(&invoice, "currency"));
    let what = escaped(invoice["description"].as_str().unwrap_or_default());
    let rest = if invoice["status"] == "open" {
        let (works, declined) =
            (button("pay", "Pay with a card that works"), button("declined", "Pay with a card that is declined"));
        format!("<p>To be paid: {amount}</p><form method=\"post\">{works}{declined}</form>")
    } else {
        format!("<p>This invoice is {}.</p>", escaped(word(&invoice, "status")))
    };
    page(StatusCode::OK, title, &format!("{}<p>{what}</p>{rest}", note(notice.unwrap_or_default())))
}

fn portal_page(account: &mut Account, secret: &str, chosen: Option<&str>) -> Answer {
    let title = "Simulated Stripe customer portal";
    let Some(session) = portal::behind(account, secret).cloned() else {
        return page(StatusCode::NOT_FOUND, title, "<p>There is no such session.</p>");
    };
    let seen = is(&session, "_seen");
    if !seen && account.now > number(&session, "created") + PORTAL_OPEN {
        return page(StatusCode::GONE, title, "<p>This link is too old. Open the portal anew.</p>");
    }
    account.change("billing_portal.session", word(&session, "id"), |session| session["_seen"] = true.into());
    let customer = word(&session, "customer").to_owned();
    match chosen {
        None | Some("") => return portal_choices(account, &session, ""),
        Some("card") => completion::change_card(account, &customer),
        Some("declined") => return portal_choices(account, &session, "The card was declined. Try another one."),
        Some(choice) => ending(account, &customer, choice == "end"),
    }
    let back =
        session["flow"]["after_completion"]["redirect"]["return_url"].as_str().or(session["return_url"].as_str());
    back.map_or_else(|| portal_choices(account, &session, "Done."), redirect)
}

/// Ends what runs at the end of its period, or takes that back.
fn ending(account: &mut Account, customer: &str, end: bool) {
    let running = account.of_customer("subscription", customer).filter(|held| !ENDED.contains(&word(held, "status")));
    let running: Vec<String> = running.map(|held| word(held, "id").to_owned()).collect();
    let now = account.now;
    for id in running {
        events::update(account, "subscription", &id, "customer.subscription.updated", |held| {
            crate::stripe::subscriptions::end_at_period(held, end, now);
        });
    }
}

fn portal_choices(account: &Account, session: &Value, notice: &str) -> Answer {
    let theirs = account.of_customer("subscription", word(session, "customer"));
    let rows = theirs.map(|held| {
        let ends = if is(held, "cancel_at_period_end") { ", ends with its period" } else { "" };
        format!("<li>Subscription {}: {}{ends}</li>", escaped(word(held, "id")), escaped(word(held, "status")))
    });
    let invoices = account.of_customer("invoice", word(session, "customer")).filter(|held| held["status"] != "draft");
    let invoices = invoices.map(|held| {
        let total = money(number(held, "total"), word(held, "currency"));
        format!("<li>Invoice {}: {total}, {}</li>", escaped(word(held, "number")), escaped(word(held, "status")))
    });
    let back =
        session["return_url"].as_str().map(|address| format!("<p><a href=\"{}\">Back</a></p>", escaped(address)));
    let body = format!(
        "{}<ul>{}{}</ul><form method=\"post\">{}{}{}{}</form>{}",
        note(notice),
        rows.collect::<String>(),
        invoices.collect::<String>(),
        button("card", "Use a new card that works"),
        button("declined", "Use a new card that is declined"),
        button("end", "Cancel at the end of the period"),
        button("keep", "Don't cancel"),
        back.unwrap_or_default(),
    );
    page(StatusCode::OK, "Simulated Stripe customer portal", &body)
}

fn note(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("<p role=\"alert\">{}</p>", escaped(text)) }
}

fn button(choice: &str, text: &str) -> String {
    format!("<p><button name=\"do\" value=\"{choice}\">{text}</button></p>")
}

fn money(cents: i64, currency: &str) -> String {
    format!("{}.{:02} {}", cents / 100, cents % 100, escaped(&currency.to_uppercase()))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn page(status: StatusCode, title: &str, body: &str) -> Answer {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\
         <body><h1>{title}</h1><p>Nothing is charged here: this is a rehearsal.</p>{body}</body></html>"
    );
    let mut answer = http::Response::new(Bytes::from(html));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("text/html; charset=utf-8"));
    answer
}

fn redirect(address: &str) -> Answer {
    let Ok(address) = http::HeaderValue::from_str(address) else {
        return page(StatusCode::OK, "Done", "<p>The address to return to can't be used.</p>");
    };
    let mut answer = http::Response::new(Bytes::new());
    *answer.status_mut() = StatusCode::SEE_OTHER;
    answer.headers_mut().insert(LOCATION, address);
    answer
}
