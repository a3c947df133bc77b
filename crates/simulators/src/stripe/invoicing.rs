//! How an invoice comes to be, and what it is to be paid: draft, an hour of grace, final.

use serde_json::{Value, json};

use crate::stripe::account::{Account, Deed};
use crate::stripe::collection;
use crate::stripe::events::{self, emit};
use crate::stripe::lines::{self, Period};
use crate::stripe::listing::whole;
use crate::stripe::objects::{is, number, with, with_nulls, word};

/// In seconds: between draft and final, and when an endpoint doesn't hear of the draft.
const GRACE: i64 = 3_600;
const LONGEST_GRACE: i64 = 72 * 3_600;

/// Why an invoice is made, and for what.
#[derive(Debug)]
pub(super) struct Bill<'a> {
    pub(super) customer: &'a str,
    /// Nothing for one that stands alone.
    pub(super) subscription: Option<&'a Value>,
    pub(super) reason: &'static str,
    pub(super) period: Period,
    pub(super) lines: Vec<Value>,
    pub(super) currency: &'a str,
    /// Whether it becomes final and is collected by itself.
    pub(super) automatic: bool,
    /// Whether items that wait for an invoice go onto this one.
    pub(super) takes_pending: bool,
}

/// Makes a draft, and gives its id.
pub(super) fn draft(account: &mut Account, bill: Bill<'_>) -> String {
    let id = account.id("in");
    let subscription = bill.subscription.map(|subscription| word(subscription, "id").to_owned());
    let mut lines = bill.lines.clone();
    if bill.takes_pending {
        lines.extend(take_pending(account, bill.customer, subscription.as_deref(), &id));
    }
    let invoice = blank(account, &id, &bill);
    account.make("invoice", invoice);
    replace_lines(account, &id, lines);
    if let Some(subscription) = &subscription {
        account.change("subscription", subscription, |held| held["latest_invoice"] = id.clone().into());
    }
    let invoice = account.objects.get("invoice", &id).cloned().unwrap_or_default();
    emit(account, "invoice.created", &invoice, None);
    if bill.automatic {
        let untold = account.post.untold.iter().any(|(invoice, _)| *invoice == id);
        let wait = if untold && account.settings.invoices_wait_for_webhooks { LONGEST_GRACE } else { GRACE };
        finalize_at(account, &id, account.now + wait);
    }
    id
}

/// What a draft has only later, or never.
const NOTHING: &str = "account_tax_ids application custom_fields customer_shipping default_payment_method \
    default_source description due_date effective_at ending_balance footer from_invoice hosted_invoice_url \
    invoice_pdf last_finalization_error latest_revision next_payment_attempt number on_behalf_of receipt_number \
    rendering shipping_cost shipping_details statement_descriptor webhooks_delivered_at";

/// What every draft begins with.
fn always() -> Value {
    json!({
        "automatic_tax": { "enabled": false, "liability": null, "status": null }, "customer_tax_exempt": "none",
        "default_tax_rates": [], "discounts": [], "issuer": { "type": "self" },
        "payment_settings": { "default_mandate": null, "payment_method_options": null, "payment_method_types": null },
        "post_payment_credit_notes_amount": 0, "pre_payment_credit_notes_amount": 0, "starting_balance": 0,
        "status_transitions": {
            "finalized_at": null, "marked_uncollectible_at": null, "paid_at": null, "voided_at": null,
        },
        "total_discount_amounts": [], "total_pretax_credit_amounts": [], "total_taxes": [],
    })
}

/// An invoice without lines.
pub(super) fn blank(account: &Account, id: &str, bill: &Bill<'_>) -> Value {
    let customer = account.objects.get("customer", bill.customer).cloned().unwrap_or_default();
    let parent = bill.subscription.map(|subscription| {
        let details = json!({ "metadata": subscription["metadata"], "subscription": subscription["id"] });
        json!({ "type": "subscription_details", "quote_details": null, "subscription_details": details })
    });
    let automatic_at = bill.automatic.then(|| account.now + GRACE);
    let invoice = json!({
        "id": id, "object": "invoice", "account_country": "US", "account_name": account.settings.account_name,
        "amount_overpaid": 0, "amount_paid": 0, "amount_shipping": 0, "attempt_count": 0, "attempted": false,
        "auto_advance": bill.automatic, "automatically_finalizes_at": automatic_at, "billing_reason": bill.reason,
        "collection_method": "charge_automatically", "created": account.now, "currency": bill.currency,
        "customer": bill.customer, "customer_address": customer["address"], "customer_email": customer["email"],
        "customer_name": customer["name"], "customer_phone": customer["phone"],
        "lines": whole(&format!("/v1/invoices/{id}/lines"), &[]), "livemode": false, "metadata": {},
        "parent": parent, "period_start": bill.period.start, "period_end": bill.period.end,
        "status": "draft",
    });
    let mut invoice = with_nulls(NOTHING, with(invoice, always()));
    total(&mut invoice, Vec::new());
    invoice
}

/// Items that wait, for this subscription or for none.
fn take_pending(account: &mut Account, customer: &str, subscription: Option<&str>, invoice: &str) -> Vec<Value> {
    let waiting = account.of_customer("invoiceitem", customer).filter(|item| {
        let own = item["_subscription"].as_str();
        item["invoice"].is_null() && (own.is_none() || own == subscription)
    });
    let waiting: Vec<Value> = waiting.cloned().collect();
    for item in &waiting {
        account.change("invoiceitem", word(item, "id"), |item| item["invoice"] = invoice.into());
    }
    waiting.iter().map(|item| lines::of_invoice_item(account, item)).collect()
}

/// The endpoint heard of the draft: the hour begins now.
pub(super) fn announced(account: &mut Account, id: &str) {
    let now = account.now;
    account.change("invoice", id, |invoice| invoice["webhooks_delivered_at"] = now.into());
    let waits = account.objects.get("invoice", id).is_some_and(|invoice| invoice["_finalize_at"].is_i64());
    if waits {
        finalize_at(account, id, now + GRACE);
    }
}

/// Sets when a draft becomes final by itself.
pub(super) fn finalize_at(account: &mut Account, id: &str, at: i64) {
    account.change("invoice", id, |invoice| invoice["_finalize_at"] = at.into());
    account.plan(at, Deed::Finalize(id.to_owned()));
}

/// Whether a draft's moment has come, and not been moved.
pub(super) fn is_due(account: &Account, id: &str) -> bool {
    let invoice = account.objects.get("invoice", id);
    invoice.is_some_and(|invoice| {
        invoice["status"] == "draft" && is(invoice, "auto_advance") && number(invoice, "_finalize_at") == account.now
    })
}

/// Adds a line to a draft.
pub(super) fn add_line(account: &mut Account, id: &str, line: Value) {
    let mut lines = held_lines(account, id);
    lines.push(line);
    replace_lines(account, id, lines);
}

/// Brings the metered lines of a draft up to date.
pub(super) fn refresh(account: &mut Account, id: &str) {
    if account.objects.get("invoice", id).is_some_and(|invoice| invoice["status"] == "draft") {
        let mut lines = held_lines(account, id);
        lines.iter_mut().for_each(|line| lines::count(account, line));
        replace_lines(account, id, lines);
    }
}

fn held_lines(account: &Account, id: &str) -> Vec<Value> {
    let invoice = account.objects.get("invoice", id);
    invoice.and_then(|invoice| invoice["lines"]["data"].as_array()).cloned().unwrap_or_default()
}

/// Sets the lines of a draft, and what they come to.
pub(super) fn replace_lines(account: &mut Account, id: &str, mut lines: Vec<Value>) {
    lines.iter_mut().for_each(|line| line["invoice"] = id.into());
    account.change("invoice", id, |invoice| total(invoice, lines));
}

/// What the lines come to.
pub(super) fn total(invoice: &mut Value, lines: Vec<Value>) {
    let total: i64 = lines.iter().map(|line| number(line, "amount")).sum();
    invoice["lines"]["data"] = lines.into();
    for name in ["subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"] {
        invoice[name] = total.into();
    }
    for name in ["amount_due", "amount_remaining"] {
        invoice[name] = total.max(0).into();
    }
}

/// Makes a draft final. One that comes to nothing is paid thereby.
pub(super) fn finalize(account: &mut Account, id: &str) {
    refresh(account, id);
    if let Some(cents) = account.surcharge.take() {
        let mut line = held_lines(account, id).first().cloned().unwrap_or_default();
        line["id"] = account.id("il").into();
        line["amount"] = cents.into();
        line["subtotal"] = cents.into();
        line["description"] = "Surcharge".into();
        add_line(account, id, line);
    }
    let Some(invoice) = account.objects.get("invoice", id).cloned() else { return };
    let customer = word(&invoice, "customer").to_owned();
    let number = next_number(account, &customer);
    let (now, pages) = (account.now, account.pages.clone());
    let invoice = account.change("invoice", id, |invoice| {
        invoice["status"] = "open".into();
        invoice["number"] = number.into();
        invoice["effective_at"] = now.into();
        invoice["automatically_finalizes_at"] = Value::Null;
        invoice["ending_balance"] = 0.into();
        invoice["status_transitions"]["finalized_at"] = now.into();
        invoice["hosted_invoice_url"] = format!("{pages}/i/{id}").into();
        invoice["invoice_pdf"] = format!("{pages}/i/{id}/pdf").into();
    });
    emit(account, "invoice.finalized", &invoice, None);
    if self::number(&invoice, "amount_due") == 0 {
        collection::paid(account, id);
    } else {
        collection::prepare(account, &invoice);
    }
}

fn next_number(account: &mut Account, customer: &str) -> String {
    let customer = account.change("customer", customer, |customer| {
        customer["next_invoice_sequence"] = (number(customer, "next_invoice_sequence") + 1).into();
    });
    format!("{}-{:04}", word(&customer, "invoice_prefix"), number(&customer, "next_invoice_sequence") - 1)
}

/// Cancels an invoice that is open.
pub(super) fn void(account: &mut Account, id: &str) -> Value {
    let now = account.now;
    let invoice = account.change("invoice", id, |invoice| {
        invoice["status"] = "void".into();
        invoice["auto_advance"] = false.into();
        invoice["next_payment_attempt"] = Value::Null;
        invoice["status_transitions"]["voided_at"] = now.into();
    });
    emit(account, "invoice.voided", &invoice, None);
    invoice
}

/// Nobody tries any more to collect what a subscription that ended still owes.
pub(super) fn stop_collecting(account: &mut Account, subscription: &str) {
    let owed = account.objects.all("invoice").filter(|invoice| {
        subscription_of(invoice) == Some(subscription) && ["open"].contains(&word(invoice, "status"))
    });
    let owed: Vec<String> = owed.map(|invoice| word(invoice, "id").to_owned()).collect();
    for id in owed {
        events::update(account, "invoice", &id, "invoice.updated", |invoice| {
            invoice["auto_advance"] = false.into();
            invoice["next_payment_attempt"] = Value::Null;
        });
    }
}

/// The subscription that an invoice is for.
pub(super) fn subscription_of(invoice: &Value) -> Option<&str> {
    invoice["parent"]["subscription_details"]["subscription"].as_str()
}
