use serde_json::{Value, json};

use crate::stripe::account::{Account, Call};
use crate::stripe::collection;
use crate::stripe::events;
use crate::stripe::invoicing::{self, Bill};
use crate::stripe::lines::{self, Period};
use crate::stripe::listing::{page, whole};
use crate::stripe::objects::{is, merge, number, shown, word};
use crate::stripe::refusal::Refusal;
use crate::stripe::routes::Route;

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/v1/invoices", "invoice", FILTERS, list),
    ("POST", "/v1/invoices", "invoice", NEW, create),
    ("POST", "/v1/invoices/create_preview", "invoice", "customer, subscription", preview),
    ("GET", "/v1/invoices/{id}", "invoice", "", show),
    ("POST", "/v1/invoices/{id}", "invoice", CHANGED, update),
    ("DELETE", "/v1/invoices/{id}", "invoice", "", delete),
    ("GET", "/v1/invoices/{id}/lines", "invoice", "", all_lines),
    ("POST", "/v1/invoices/{id}/finalize", "invoice", "auto_advance: flag", finalize),
    ("POST", "/v1/invoices/{id}/pay", "invoice", "payment_method, paid_out_of_band: flag, off_session: flag", pay),
    ("POST", "/v1/invoices/{id}/void", "invoice", "", void),
    ("GET", "/v1/invoice_payments", "invoice", PAYMENTS, payments),
];

const PAYMENTS: &str = "invoice, status: =open|paid|canceled, payment: { type!: =payment_intent, payment_intent }";
const FILTERS: &str = "customer, subscription, created: range, status: =draft|open|paid|uncollectible|void, \
    collection_method: =charge_automatically|send_invoice";
const NEW: &str = "customer, subscription, auto_advance: flag, automatically_finalizes_at: integer, currency, \
    description, footer, metadata: map, collection_method: =charge_automatically, \
    pending_invoice_items_behavior: =include|exclude";
const CHANGED: &str = "auto_advance: flag, automatically_finalizes_at: integer, description, footer, metadata: map";

/// Drafts show what was counted until now.
fn refresh(account: &mut Account) {
    let drafts = account.objects.all("invoice").filter(|invoice| invoice["status"] == "draft");
    let drafts: Vec<String> = drafts.map(|invoice| word(invoice, "id").to_owned()).collect();
    for id in drafts {
        invoicing::refresh(account, &id);
    }
}

fn list(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    refresh(account);
    let sent = &call.params;
    page(account, "invoice", call, |invoice| {
        ["customer", "status", "collection_method"]
            .iter()
            .all(|name| sent[*name].is_null() || sent[*name] == invoice[*name])
            && sent["subscription"].as_str().is_none_or(|wanted| invoicing::subscription_of(invoice) == Some(wanted))
    })
}

fn show(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    invoicing::refresh(account, &call.id);
    account.held("invoice", &call.id).map(shown)
}

fn create(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    let subscription = match sent["subscription"].as_str() {
        Some(id) => Some(account.named("subscription", id, "subscription")?.clone()),
        None => None,
    };
    let customer = sent["customer"].as_str().or(subscription.as_ref().map(|held| word(held, "customer")));
    let Some(customer) = customer else {
        return Err(Refusal::invalid("Missing required param: customer.").code("parameter_missing").at("customer"));
    };
    let usual = account.customer(customer)?["currency"].as_str().unwrap_or("usd").to_owned();
    let now = account.now;
    let id = invoicing::draft(
        account,
        Bill {
            customer,
            subscription: subscription.as_ref(),
            reason: "manual",
            period: Period { start: now, end: now },
            lines: Vec::new(),
            currency: sent["currency"].as_str().unwrap_or(&usual),
            automatic: is(sent, "auto_advance"),
            takes_pending: word(sent, "pending_invoice_items_behavior") == "include",
        },
    );
    apply(account, &id, sent)?;
    account.held("invoice", &id).map(shown)
}

fn apply(account: &mut Account, id: &str, sent: &Value) -> Result<(), Refusal> {
    if let Some(at) = sent["automatically_finalizes_at"].as_i64() {
        if at <= account.now {
            return Err(Refusal::invalid("The moment must be in the future").at("automatically_finalizes_at"));
        }
        account.change("invoice", id, |invoice| {
            invoice["auto_advance"] = true.into();
            invoice["automatically_finalizes_at"] = at.into();
        });
        invoicing::finalize_at(account, id, at);
    }
    account.change("invoice", id, |invoice| merge(invoice, sent, &["description", "footer"]));
    Ok(())
}

fn in_state(account: &Account, id: &str, states: &[&str], verb: &str) -> Result<Value, Refusal> {
    let invoice = account.held("invoice", id)?;
    let status = word(invoice, "status");
    if states.contains(&status) {
        return Ok(invoice.clone());
    }
    let refusal = Refusal::invalid(format!("An invoice that is {status} can't be {verb}"));
    Err(if status == "draft" { refusal } else { refusal.code("invoice_not_editable") })
}

fn update(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    account.held("invoice", &call.id)?;
    let draft = call.params["automatically_finalizes_at"].is_i64() || call.params["auto_advance"].is_boolean();
    if draft {
        in_state(account, &call.id, &["draft"], "rescheduled")?;
    }
    apply(account, &call.id, &call.params)?;
    let invoice = events::update(account, "invoice", &call.id, "invoice.updated", |invoice| {
        merge(invoice, &call.params, &["auto_advance"]);
    });
    Ok(shown(&invoice))
}

fn delete(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let invoice = in_state(account, &call.id, &["draft"], "deleted")?;
    if !invoice["parent"].is_null() {
        return Err(Refusal::invalid("A subscription's draft can't be deleted; void it once it is final"));
    }
    account.objects.remove("invoice", &call.id);
    Ok(json!({ "id": call.id, "object": "invoice", "deleted": true }))
}

fn all_lines(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    invoicing::refresh(account, &call.id);
    let invoice = account.held("invoice", &call.id)?;
    let lines: Vec<Value> = invoice["lines"]["data"].as_array().into_iter().flatten().map(shown).collect();
    Ok(whole(&call.path, &lines))
}

fn finalize(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    in_state(account, &call.id, &["draft"], "finalized")?;
    invoicing::finalize(account, &call.id);
    account.held("invoice", &call.id).map(shown)
}

fn pay(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let invoice = in_state(account, &call.id, &["draft", "open"], "paid")?;
    let card = call.params["payment_method"].as_str();
    if let Some(card) = card {
        account.named("payment_method", card, "payment_method")?;
    }
    if invoice["status"] == "draft" {
        invoicing::finalize(account, &call.id);
    }
    if account.held("invoice", &call.id)?["status"] == "open" {
        if is(&call.params, "paid_out_of_band") {
            collection::paid(account, &call.id);
        } else {
            collection::collect(account, &call.id, card)?;
        }
    }
    account.held("invoice", &call.id).map(shown)
}

fn void(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    in_state(account, &call.id, &["open", "uncollectible"], "voided")?;
    Ok(shown(&invoicing::void(account, &call.id)))
}

fn payments(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    let intent = &sent["payment"]["payment_intent"];
    page(account, "invoice_payment", call, |payment| {
        ["invoice", "status"].iter().all(|name| sent[*name].is_null() || sent[*name] == payment[*name])
            && (intent.is_null() || *intent == payment["payment"]["payment_intent"])
    })
}

/// What the next invoice of a subscription would be, if nothing more happened.
fn preview(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let Some(id) = call.params["subscription"].as_str() else {
        return Err(Refusal::invalid("This simulator previews subscriptions only").at("subscription"));
    };
    let subscription = account.named("subscription", id, "subscription")?.clone();
    if crate::stripe::subscriptions::ENDED.contains(&word(&subscription, "status")) {
        let refusal = Refusal::invalid("A canceled subscription has no next invoice");
        return Err(refusal.code("invoice_upcoming_none").at("subscription"));
    }
    let item = &subscription["items"]["data"][0];
    let old = Period { start: number(item, "current_period_start"), end: number(item, "current_period_end") };
    let anchor = number(&subscription, "billing_cycle_anchor");
    let new = Period { start: old.end, end: crate::stripe::period::end(anchor, old.end, &item["price"]["recurring"]) };
    let trying = subscription["status"] == "trialing";
    let mut lines = if trying { Vec::new() } else { lines::arrears(account, &subscription, old) };
    if !is(&subscription, "cancel_at_period_end") {
        lines.extend(lines::advance(account, &subscription, new));
    }
    let customer = word(&subscription, "customer");
    lines.extend(
        account
            .of_customer("invoiceitem", customer)
            .filter(|item| item["invoice"].is_null())
            .map(|item| lines::of_invoice_item(account, item)),
    );
    let mut invoice = invoicing::blank(
        account,
        &account.id("upcoming_in"),
        &Bill {
            customer,
            subscription: Some(&subscription),
            reason: "upcoming",
            period: old,
            lines: Vec::new(),
            currency: word(&subscription, "currency"),
            automatic: false,
            takes_pending: false,
        },
    );
    invoicing::total(&mut invoice, lines);
    Ok(shown(&invoice))
}
