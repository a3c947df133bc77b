use serde_json::{Value, json};

use crate::stripe::account::{Account, Call};
use crate::stripe::cycle;
use crate::stripe::events::{self, emit};
use crate::stripe::invoicing::{self, Bill};
use crate::stripe::lines::{self, Period};
use crate::stripe::listing::{page, within};
use crate::stripe::objects::{is, merge, number, shown, with_nulls, word};
use crate::stripe::refusal::Refusal;
use crate::stripe::routes::Route;

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/v1/subscriptions", "subscription", FILTERS, list),
    ("GET", "/v1/subscriptions/{id}", "subscription", "", show),
    ("POST", "/v1/subscriptions", "subscription", NEW, create),
    ("POST", "/v1/subscriptions/{id}", "subscription", CHANGED, update),
    ("DELETE", "/v1/subscriptions/{id}", "subscription", CANCEL, cancel),
];

const FILTERS: &str = "customer, price, created: range, current_period_start: range, current_period_end: range, \
    status: =all|active|trialing|past_due|unpaid|canceled|incomplete|incomplete_expired|paused|ended";
const NEW: &str = "customer!, items: [{price, quantity: integer}], default_payment_method, description, metadata: map";
const CHANGED: &str = "metadata: map, description, cancel_at_period_end: flag, trial_end: moment, \
    default_payment_method, proration_behavior: =create_prorations|none|always_invoice, \
    cancellation_details: {comment, feedback: =customer_service|low_quality|missing_features|other|switched_service\
    |too_complex|too_expensive|unused}, \
    trial_settings: {end_behavior!: {missing_payment_method!: =cancel|create_invoice|pause}}";
const CANCEL: &str = "invoice_now: flag, prorate: flag, cancellation_details: {comment, feedback: =customer_service\
    |low_quality|missing_features|other|switched_service|too_complex|too_expensive|unused}";

/// States from which nothing comes back.
pub(super) const ENDED: [&str; 2] = ["canceled", "incomplete_expired"];

fn list(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    page(account, "subscription", call, |subscription| {
        let status = word(subscription, "status");
        let items = subscription["items"]["data"].as_array();
        let mut items = items.into_iter().flatten();
        let period = &subscription["items"]["data"][0];
        let right = match sent["status"].as_str() {
            None => !ENDED.contains(&status),
            Some("all") => true,
            Some("ended") => ENDED.contains(&status),
            Some(wanted) => status == wanted,
        };
        right
            && (sent["customer"].is_null() || subscription["customer"] == sent["customer"])
            && (sent["price"].is_null() || items.any(|item| item["price"]["id"] == sent["price"]))
            && ["current_period_start", "current_period_end"].iter().all(|name| within(&sent[*name], &period[*name]))
    })
}

fn show(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    account.held("subscription", &call.id).map(shown)
}

/// Without a checkout, for a customer who is known. Only what is free begins without asking a bank, so nothing else is
/// taken here.
fn create(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    let customer = word(sent, "customer").to_owned();
    account.named("customer", &customer, "customer")?;
    let card = sent["default_payment_method"].as_str();
    if let Some(card) = card
        && account.named("payment_method", card, "default_payment_method")?["customer"] != customer.as_str()
    {
        return Err(Refusal::invalid("The card belongs to another customer").at("default_payment_method"));
    }
    let mut items = Vec::new();
    for item in sent["items"].as_array().into_iter().flatten() {
        let price = account.named("price", word(item, "price"), "items[0][price]")?.clone();
        if number(&price, "unit_amount") != 0 {
            return Err(Refusal::invalid("Only prices of 0 begin without a checkout here").at("items"));
        }
        items.push((price, item["quantity"].as_i64()));
    }
    if items.is_empty() {
        return Err(Refusal::invalid("Missing required param: items.").code("parameter_missing").at("items"));
    }
    let card = card.map(str::to_owned);
    let agreement =
        Agreement { customer: &customer, items: &items, trial_end: None, card: card.as_deref(), data: sent };
    let id = begin(account, &agreement);
    account.held("subscription", &id).map(shown)
}

fn update(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    let subscription = account.held("subscription", &call.id)?.clone();
    let now = account.now;
    if ENDED.contains(&word(&subscription, "status")) {
        let only = ["metadata", "cancellation_details", "expand"];
        if sent.as_object().into_iter().flatten().any(|(name, _)| !only.contains(&name.as_str())) {
            return Err(Refusal::invalid("A canceled subscription takes only metadata and cancellation_details"));
        }
    }
    if let Some(card) = sent["default_payment_method"].as_str() {
        let card = account.named("payment_method", card, "default_payment_method")?;
        if card["customer"] != subscription["customer"] {
            return Err(Refusal::invalid("The card belongs to another customer").at("default_payment_method"));
        }
    }
    if sent["trial_end"].as_i64().is_some_and(|end| end <= now) {
        return Err(Refusal::invalid("trial_end must be in the future, or now").at("trial_end"));
    }
    events::update(account, "subscription", &call.id, "customer.subscription.updated", |held| {
        merge(held, sent, &["description", "default_payment_method", "trial_settings"]);
        for name in ["comment", "feedback"] {
            if let Some(value) = sent["cancellation_details"].get(name) {
                held["cancellation_details"][name] = value.clone();
            }
        }
        if let Some(ending) = sent["cancel_at_period_end"].as_bool() {
            end_at_period(held, ending, now);
        }
    });
    match &sent["trial_end"] {
        Value::String(_) if subscription["status"] == "trialing" => cycle::begin_paying(account, &call.id, true),
        Value::Number(_) => cycle::try_until(account, &call.id, number(sent, "trial_end")),
        _ => {}
    }
    account.held("subscription", &call.id).map(shown)
}

/// Ends a subscription when its period does, or takes that back.
pub(super) fn end_at_period(subscription: &mut Value, ending: bool, now: i64) {
    subscription["cancel_at_period_end"] = ending.into();
    let end = subscription["items"]["data"][0]["current_period_end"].clone();
    subscription["cancel_at"] = if ending { end } else { Value::Null };
    subscription["canceled_at"] = if ending { now.into() } else { Value::Null };
    let reason = if ending { "cancellation_requested".into() } else { Value::Null };
    subscription["cancellation_details"]["reason"] = reason;
}

fn cancel(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let subscription = account.held("subscription", &call.id)?.clone();
    if ENDED.contains(&word(&subscription, "status")) {
        return Err(Refusal::missing("subscription", &call.id));
    }
    account.change("subscription", &call.id, |held| {
        for name in ["comment", "feedback"] {
            if let Some(value) = call.params["cancellation_details"].get(name) {
                held["cancellation_details"][name] = value.clone();
            }
        }
    });
    if is(&call.params, "invoice_now") && subscription["status"] != "trialing" {
        let unused =
            if is(&call.params, "prorate") { lines::unused(account, &subscription, account.now) } else { vec![] };
        last_invoice(account, &subscription, unused);
    }
    end(account, &call.id, "cancellation_requested");
    account.held("subscription", &call.id).map(shown)
}

/// Bills what was used up to now, and whatever waits.
pub(super) fn last_invoice(account: &mut Account, subscription: &Value, more: Vec<Value>) {
    let start = number(&subscription["items"]["data"][0], "current_period_start");
    let period = Period { start, end: account.now };
    let mut lines = lines::arrears(account, subscription, period);
    lines.extend(more);
    invoicing::draft(
        account,
        Bill {
            customer: word(subscription, "customer"),
            subscription: Some(subscription),
            reason: if period.end == number(&subscription["items"]["data"][0], "current_period_end") {
                "subscription_cycle"
            } else {
                "subscription_update"
            },
            period,
            lines,
            currency: word(subscription, "currency"),
            automatic: true,
            takes_pending: true,
        },
    );
}

/// Ends a subscription at once. What was not billed is lost.
pub(super) fn end(account: &mut Account, id: &str, reason: &str) {
    let now = account.now;
    let lost =
        account.objects.all("invoiceitem").filter(|item| item["invoice"].is_null() && item["_subscription"] == id);
    let lost: Vec<String> = lost.map(|item| word(item, "id").to_owned()).collect();
    for item in lost {
        account.objects.remove("invoiceitem", &item);
    }
    invoicing::stop_collecting(account, id);
    let subscription = account.change("subscription", id, |held| {
        held["status"] = "canceled".into();
        held["ended_at"] = now.into();
        if held["canceled_at"].is_null() {
            held["canceled_at"] = now.into();
        }
        held["cancellation_details"]["reason"] = reason.into();
    });
    emit(account, "customer.subscription.deleted", &subscription, None);
}

/// Moves a subscription to another state, and tells of it.
pub(super) fn set_status(account: &mut Account, id: &str, status: &str) -> Value {
    events::update(account, "subscription", id, "customer.subscription.updated", |held| held["status"] = status.into())
}

/// What a checkout agreed upon.
#[derive(Debug)]
pub(super) struct Agreement<'a> {
    pub(super) customer: &'a str,
    /// Prices, each with its quantity unless it is metered.
    pub(super) items: &'a [(Value, Option<i64>)],
    pub(super) trial_end: Option<i64>,
    pub(super) card: Option<&'a str>,
    /// `subscription_data` as it was sent.
    pub(super) data: &'a Value,
}

/// What a new subscription has only later, or never.
const NOTHING: &str = "application application_fee_percent billing_cycle_anchor_config billing_thresholds cancel_at \
    canceled_at days_until_due default_source description ended_at latest_invoice \
    next_pending_invoice_item_invoice on_behalf_of pause_collection pending_invoice_item_interval \
    pending_setup_intent pending_update schedule test_clock transfer_data";

/// Makes a subscription, and with it its first invoice.
pub(super) fn begin(account: &mut Account, agreement: &Agreement<'_>) -> String {
    let id = account.id("sub");
    let now = account.now;
    let trial = agreement.trial_end.map(|end| Period { start: now, end });
    let recurring = agreement.items.first().map(|(price, _)| price["recurring"].clone()).unwrap_or_default();
    let period = trial.unwrap_or_else(|| Period { start: now, end: crate::stripe::period::end(now, now, &recurring) });
    let items: Vec<Value> =
        agreement.items.iter().map(|(price, quantity)| item(account, &id, price, *quantity, period)).collect();
    let missing = agreement.data["trial_settings"]["end_behavior"]["missing_payment_method"].as_str();
    let currency = agreement.items.first().map(|(price, _)| price["currency"].clone()).unwrap_or_default();
    let url = format!("/v1/subscription_items?subscription={id}");
    let mut subscription = with_nulls(
        NOTHING,
        json!({
            "id": id, "object": "subscription",
            "automatic_tax": { "disabled_reason": null, "enabled": false, "liability": null },
            "billing_cycle_anchor": period.end, "billing_mode": { "type": "flexible", "flexible": {} },
            "cancel_at_period_end": false,
            "cancellation_details": { "comment": null, "feedback": null, "reason": null },
            "collection_method": "charge_automatically", "created": now, "currency": currency,
            "customer": agreement.customer, "default_payment_method": agreement.card, "default_tax_rates": [],
            "discounts": [], "invoice_settings": { "account_tax_ids": null, "issuer": { "type": "self" } },
            "items": crate::stripe::listing::whole(&url, &items), "livemode": false, "metadata": {},
            "payment_settings": { "payment_method_options": null, "payment_method_types": null, "save_default_payment_method": "off" },
            "start_date": now, "status": if trial.is_some() { "trialing" } else { "active" },
            "trial_end": trial.map(|trial| trial.end),
            "trial_settings": { "end_behavior": { "missing_payment_method": missing.unwrap_or("create_invoice") } },
            "trial_start": trial.map(|trial| trial.start),
        }),
    );
    if trial.is_none() {
        subscription["billing_cycle_anchor"] = now.into();
    }
    merge(&mut subscription, agreement.data, &["description"]);
    account.make("subscription", subscription.clone());
    account.change("customer", agreement.customer, |customer| customer["currency"] = currency);
    emit(account, "customer.subscription.created", &subscription, None);
    cycle::first(account, &id, period, trial.is_some());
    id
}

fn item(account: &Account, subscription: &str, price: &Value, quantity: Option<i64>, period: Period) -> Value {
    let mut item = json!({
        "id": account.id("si"), "object": "subscription_item", "billing_thresholds": null, "created": account.now,
        "current_period_end": period.end, "current_period_start": period.start, "discounts": [], "metadata": {},
        "price": shown(price), "subscription": subscription, "tax_rates": [],
    });
    if let Some(quantity) = quantity {
        item["quantity"] = quantity.into();
    }
    item
}
