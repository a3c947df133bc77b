use serde_json::{Value, json};

use crate::stripe::account::{Account, Call, Deed};
use crate::stripe::events::emit;
use crate::stripe::listing::{page, whole};
use crate::stripe::objects::{is, merge, number, shown, with_nulls, word};
use crate::stripe::refusal::Refusal;
use crate::stripe::routes::Route;

pub(super) const ROUTES: &[Route] = &[
    ("POST", "/v1/checkout/sessions", "checkout_session", NEW, create),
    ("GET", "/v1/checkout/sessions", "checkout_session", FILTERS, list),
    ("GET", "/v1/checkout/sessions/{id}", "checkout_session", "", show),
    ("POST", "/v1/checkout/sessions/{id}/expire", "checkout_session", "", expire),
    ("GET", "/v1/checkout/sessions/{id}/line_items", "checkout_session", "", line_items),
];

const NEW: &str = "mode!: =subscription|setup, customer, customer_email, client_reference_id, success_url, cancel_url, \
    currency, expires_at: integer, metadata: map, ui_mode: =hosted_page, locale, allow_promotion_codes: flag, \
    payment_method_collection: =always|if_required, billing_address_collection: =auto|required, \
    automatic_tax: {enabled!: flag}, tax_id_collection: {enabled!: flag}, \
    customer_update: {address: =auto|never, name: =auto|never}, setup_intent_data: {description, metadata: map}, \
    line_items: [{price, quantity: integer, metadata: map}], subscription_data: {metadata: map, description, \
    trial_period_days: integer, trial_end: integer, billing_mode: {type!: =flexible}, \
    proration_behavior: =create_prorations|none, \
    trial_settings: {end_behavior!: {missing_payment_method!: =cancel|create_invoice|pause}}}";
const FILTERS: &str = "customer, subscription, created: range, status: =open|complete|expired";

/// In seconds: how long a session may be open, and how long it usually is.
const SHORTEST: i64 = 30 * 60;
const LONGEST: i64 = 24 * 3_600;
/// A request may be underway for so long.
const SLACK: i64 = 60;
const DAY: i64 = 86_400;
const MOST_ITEMS: usize = 20;

fn create(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    check(account, sent)?;
    let items = items(account, sent)?;
    let expires = expiry(account, sent)?;
    let id = format!("cs_test_{}", account.chance::<58>());
    let mut session = blank(account, &id, sent);
    let total: i64 = items.iter().map(|item| number(item, "amount_total")).sum();
    let trial = trial_end(account, sent).is_some();
    let subscribing = session["mode"] == "subscription";
    session["expires_at"] = expires.into();
    if subscribing {
        let due = if trial { 0 } else { total };
        session["amount_subtotal"] = due.into();
        session["amount_total"] = due.into();
        session["total_details"] = json!({ "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 });
        session["currency"] = items.first().map(|item| item["currency"].clone()).unwrap_or_default();
        session["payment_method_collection"] = sent["payment_method_collection"].as_str().unwrap_or("always").into();
        session["payment_status"] = "unpaid".into();
    }
    session["_line_items"] = whole(&format!("/v1/checkout/sessions/{id}/line_items"), &items);
    session["_subscription_data"] = sent["subscription_data"].clone();
    account.make("checkout.session", session.clone());
    account.plan(expires, Deed::ExpireSession(id));
    Ok(shown(&session))
}

/// What a session has only later, or never.
const NOTHING: &str = "adaptive_pricing after_expiration allow_promotion_codes amount_subtotal amount_total \
    billing_address_collection cancel_url client_reference_id client_secret consent consent_collection \
    currency currency_conversion customer customer_creation customer_details customer_email invoice \
    invoice_creation locale mode payment_intent payment_link payment_method_collection recovered_from \
    setup_intent shipping_cost submit_type subscription success_url total_details";

fn blank(account: &Account, id: &str, sent: &Value) -> Value {
    let tax = is(&sent["automatic_tax"], "enabled");
    let mut session = with_nulls(
        NOTHING,
        json!({
            "id": id, "object": "checkout.session",
            "automatic_tax": { "enabled": tax, "liability": null, "provider": null, "status": null },
            "created": account.now, "custom_fields": [], "discounts": [], "livemode": false, "metadata": {},
            "payment_method_types": ["card"], "payment_status": "no_payment_required", "shipping_options": [],
            "status": "open", "ui_mode": "hosted_page", "url": format!("{}/c/pay/{id}", account.pages),
        }),
    );
    let names = [
        "mode",
        "customer",
        "customer_email",
        "client_reference_id",
        "success_url",
        "cancel_url",
        "currency",
        "locale",
        "allow_promotion_codes",
        "billing_address_collection",
    ];
    merge(&mut session, sent, &names);
    session
}

fn check(account: &Account, sent: &Value) -> Result<(), Refusal> {
    let missing = |name: &str| {
        Err(Refusal::invalid(format!("Missing required param: {name}.")).code("parameter_missing").at(name))
    };
    let setup = word(sent, "mode") == "setup";
    if !sent["success_url"].is_string() {
        return missing("success_url");
    }
    if setup && !sent["currency"].is_string() {
        return missing("currency");
    }
    for name in ["success_url", "cancel_url"] {
        let address = sent[name].as_str();
        if address.is_some_and(|address| !address.starts_with("https://") && !address.starts_with("http://")) {
            return Err(Refusal::invalid(format!("Not a valid URL: {name}")).code("url_invalid").at(name));
        }
    }
    if sent["customer"].is_string() && sent["customer_email"].is_string() {
        return Err(Refusal::invalid("Only one of customer and customer_email can be sent").at("customer_email"));
    }
    if sent["customer_update"].is_object() && !sent["customer"].is_string() {
        return Err(Refusal::invalid("customer_update can only be sent with customer").at("customer_update"));
    }
    for name in ["line_items", "subscription_data", "payment_method_collection"] {
        if setup && !sent[name].is_null() {
            return Err(Refusal::invalid(format!("A session in mode setup takes no {name}")).at(name));
        }
    }
    if let Some(customer) = sent["customer"].as_str() {
        let customer = account.customer(customer)?;
        let stores = word(&sent["customer_update"], "address") == "auto";
        if is(&sent["automatic_tax"], "enabled") && customer["address"].is_null() && !stores {
            let message = "Tax needs the customer's address: set it, or send customer_update[address]=auto";
            return Err(Refusal::invalid(message).code("customer_tax_location_invalid").at("automatic_tax"));
        }
    }
    check_trial(account, &sent["subscription_data"])
}

fn check_trial(account: &Account, data: &Value) -> Result<(), Refusal> {
    let (days, end) = (data["trial_period_days"].as_i64(), data["trial_end"].as_i64());
    if days.is_some() && end.is_some() {
        let message = "Only one of trial_period_days and trial_end can be sent";
        return Err(Refusal::invalid(message).at("subscription_data[trial_end]"));
    }
    if days.is_some_and(|days| !(1..=730).contains(&days)) {
        return Err(Refusal::invalid("A trial has 1 to 730 days").at("subscription_data[trial_period_days]"));
    }
    if end.is_some_and(|end| end < account.now + 2 * DAY) {
        let message = "A trial ends 48 hours from now or later";
        return Err(Refusal::invalid(message).at("subscription_data[trial_end]"));
    }
    Ok(())
}

fn items(account: &Account, sent: &Value) -> Result<Vec<Value>, Refusal> {
    let asked = sent["line_items"].as_array().map_or(&[][..], Vec::as_slice);
    if asked.len() > MOST_ITEMS {
        return Err(Refusal::invalid(format!("A subscription has up to {MOST_ITEMS} items")).at("line_items"));
    }
    if asked.is_empty() && word(sent, "mode") == "subscription" {
        return Err(Refusal::invalid("Missing required param: line_items.").code("parameter_missing").at("line_items"));
    }
    let items = asked.iter().enumerate().map(|(place, item)| self::item(account, item, place));
    let items: Vec<Value> = items.collect::<Result<_, _>>()?;
    let first = items.first().map(|item| &item["price"]);
    let same = |item: &Value| {
        first.is_none_or(|first| {
            let (one, other) = (&first["recurring"], &item["price"]["recurring"]);
            first["currency"] == item["currency"] && one["interval"] == other["interval"]
        })
    };
    if !items.iter().all(same) {
        let message = "This simulator takes prices of one currency and one interval in a subscription";
        return Err(Refusal::invalid(message).at("line_items"));
    }
    Ok(items)
}

fn item(account: &Account, asked: &Value, place: usize) -> Result<Value, Refusal> {
    let param = |name: &str| format!("line_items[{place}][{name}]");
    let Some(id) = asked["price"].as_str() else {
        let message = format!("Missing required param: {}.", param("price"));
        return Err(Refusal::invalid(message).code("parameter_missing").at(param("price")));
    };
    let price = account.named("price", id, &param("price"))?;
    if !is(price, "active") {
        return Err(Refusal::invalid(format!("The price {id} is inactive")).at(param("price")));
    }
    if price["type"] != "recurring" {
        return Err(Refusal::invalid("This simulator takes recurring prices only").at(param("price")));
    }
    let metered = price["recurring"]["usage_type"] == "metered";
    let quantity = match (metered, asked["quantity"].as_i64()) {
        (true, Some(_)) => {
            return Err(Refusal::invalid("A metered price takes no quantity").at(param("quantity")));
        }
        (true, None) => None,
        (false, Some(quantity)) if quantity > 0 => Some(quantity),
        (false, _) => {
            let refusal = Refusal::invalid(format!("Missing required param: {}.", param("quantity")));
            return Err(refusal.code("parameter_missing").at(param("quantity")));
        }
    };
    let amount = quantity.unwrap_or(0) * number(price, "unit_amount");
    let product = account.objects.get("product", word(price, "product"));
    Ok(json!({
        "id": account.id("li"), "object": "item", "adjustable_quantity": null, "amount_discount": 0,
        "amount_subtotal": amount, "amount_tax": 0, "amount_total": amount, "currency": price["currency"],
        "description": product.map(|product| product["name"].clone()), "metadata": {}, "price": price,
        "quantity": quantity,
    }))
}

fn expiry(account: &Account, sent: &Value) -> Result<i64, Refusal> {
    let Some(at) = sent["expires_at"].as_i64() else { return Ok(account.now + LONGEST) };
    let wait = at - account.now;
    if !(SHORTEST - SLACK..=LONGEST + SLACK).contains(&wait) {
        let message = "A session is open for 30 minutes at least, and for 24 hours at most";
        return Err(Refusal::invalid(message).at("expires_at"));
    }
    Ok(at)
}

/// When the trial would end, if the session were completed now.
pub(super) fn trial_end(account: &Account, sent: &Value) -> Option<i64> {
    let data = &sent["subscription_data"];
    let days = data["trial_period_days"].as_i64();
    days.map(|days| account.now + days * DAY).or(data["trial_end"].as_i64())
}

fn list(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    page(account, "checkout.session", call, |session| {
        ["customer", "subscription", "status"].iter().all(|name| sent[*name].is_null() || sent[*name] == session[*name])
    })
}

fn show(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    account.held("checkout.session", &call.id).map(shown)
}

fn line_items(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    Ok(account.held("checkout.session", &call.id)?["_line_items"].clone())
}

fn expire(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let status = word(account.held("checkout.session", &call.id)?, "status");
    if status != "open" {
        return Err(Refusal::invalid(format!("Only an open session can expire, and this one is {status}")));
    }
    close(account, &call.id);
    account.held("checkout.session", &call.id).map(shown)
}

/// Closes a session whose time is over, unless it was completed.
pub(super) fn expire_due(account: &mut Account, id: &str) {
    if account.objects.get("checkout.session", id).is_some_and(|session| session["status"] == "open") {
        close(account, id);
    }
}

fn close(account: &mut Account, id: &str) {
    let session = account.change("checkout.session", id, |session| {
        session["status"] = "expired".into();
        session["url"] = Value::Null;
    });
    emit(account, "checkout.session.expired", &session, None);
}
