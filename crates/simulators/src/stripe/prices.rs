use serde_json::{Value, json};

use crate::stripe::account::{Account, Call};
use crate::stripe::events::{self, emit};
use crate::stripe::listing::page;
use crate::stripe::objects::{is, merge, word};
use crate::stripe::refusal::Refusal;
use crate::stripe::routes::Route;

pub(super) const ROUTES: &[Route] = &[
    ("POST", "/v1/prices", "price", NEW, create),
    ("GET", "/v1/prices", "price", FILTERS, list),
    ("GET", "/v1/prices/{id}", "price", "", show),
    ("POST", "/v1/prices/{id}", "price", CHANGED, update),
];

const NEW: &str = "currency!, product, active: flag, unit_amount: integer, lookup_key, transfer_lookup_key: flag, \
    nickname, metadata: map, tax_behavior: =exclusive|inclusive|unspecified, \
    recurring: {interval!: =day|week|month|year, interval_count: integer, meter, usage_type: =licensed|metered}";
const CHANGED: &str = "active: flag, lookup_key, transfer_lookup_key: flag, nickname, metadata: map, \
    tax_behavior: =exclusive|inclusive|unspecified";
const FILTERS: &str = "active: flag, created: range, currency, lookup_keys: [text], product, type: =one_time|recurring, \
    recurring: {interval: =day|week|month|year, meter, usage_type: =licensed|metered}";
const LONGEST_KEY: usize = 200;

fn create(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    let Some(product) = sent["product"].as_str() else {
        return Err(Refusal::invalid("Missing required param: product.").code("parameter_missing").at("product"));
    };
    account.named("product", product, "product")?;
    let Some(amount) = sent["unit_amount"].as_i64() else {
        return Err(Refusal::invalid("Missing required param: unit_amount.")
            .code("parameter_missing")
            .at("unit_amount"));
    };
    if amount < 0 {
        let refusal = Refusal::invalid(format!("An amount is never below nought, and this is {amount}"));
        return Err(refusal.code("parameter_invalid_integer").at("unit_amount"));
    }
    let recurring = recurring(account, &sent["recurring"])?;
    take_key(account, sent)?;
    let id = account.id("price");
    let mut price = json!({
        "id": id, "object": "price", "active": true, "billing_scheme": "per_unit", "created": account.now,
        "currency": word(sent, "currency").to_ascii_lowercase(), "custom_unit_amount": null, "livemode": false,
        "lookup_key": null, "metadata": {}, "nickname": null, "product": product,
        "type": if recurring.is_null() { "one_time" } else { "recurring" }, "recurring": recurring,
        "tax_behavior": "unspecified", "tiers_mode": null, "transform_quantity": null, "unit_amount": amount,
        "unit_amount_decimal": amount.to_string(),
    });
    merge(&mut price, sent, &["active", "lookup_key", "nickname", "tax_behavior"]);
    account.make("price", price.clone());
    emit(account, "price.created", &price, None);
    Ok(price)
}

fn recurring(account: &Account, sent: &Value) -> Result<Value, Refusal> {
    if sent.is_null() {
        return Ok(Value::Null);
    }
    let usage = sent["usage_type"].as_str().unwrap_or("licensed");
    match (usage, sent["meter"].as_str()) {
        ("metered", None) => {
            return Err(Refusal::invalid("A metered price needs a meter").at("recurring[meter]"));
        }
        ("licensed", Some(_)) => {
            return Err(Refusal::invalid("Only a metered price has a meter").at("recurring[meter]"));
        }
        (_, Some(meter)) => {
            let meter = account.named("billing.meter", meter, "recurring[meter]")?;
            if word(meter, "status") != "active" {
                return Err(Refusal::invalid("The meter is not active").at("recurring[meter]"));
            }
        }
        (_, None) => {}
    }
    let count = sent["interval_count"].as_i64().unwrap_or(1);
    if !(1..=1095).contains(&count) {
        return Err(Refusal::invalid("The interval is too long or too short").at("recurring[interval_count]"));
    }
    Ok(json!({
        "interval": sent["interval"], "interval_count": count, "meter": sent["meter"], "trial_period_days": null,
        "usage_type": usage,
    }))
}

/// Frees the lookup key from the price that has it, where the request says so.
fn take_key(account: &mut Account, sent: &Value) -> Result<(), Refusal> {
    let Some(key) = sent["lookup_key"].as_str() else { return Ok(()) };
    if key.len() > LONGEST_KEY {
        return Err(Refusal::invalid(format!("A lookup key has up to {LONGEST_KEY} letters")).at("lookup_key"));
    }
    let holder = account.objects.all("price").find(|price| word(price, "lookup_key") == key);
    let Some(holder) = holder.map(|price| word(price, "id").to_owned()) else { return Ok(()) };
    if !is(sent, "transfer_lookup_key") {
        let message =
            format!("A price ({holder}) already uses the lookup key {key}; send transfer_lookup_key to move it");
        return Err(Refusal::invalid(message).at("lookup_key"));
    }
    events::update(account, "price", &holder, "price.updated", |price| price["lookup_key"] = Value::Null);
    Ok(())
}

fn show(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    account.held("price", &call.id).cloned()
}

fn update(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let price = account.held("price", &call.id)?;
    if price["lookup_key"] != call.params["lookup_key"] {
        take_key(account, &call.params)?;
    }
    Ok(events::update(account, "price", &call.id, "price.updated", |price| {
        merge(price, &call.params, &["active", "lookup_key", "nickname", "tax_behavior"]);
    }))
}

fn list(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    let same = |wanted: &Value, value: &Value| wanted.is_null() || wanted == value;
    page(account, "price", call, |price| {
        let recurring = &price["recurring"];
        sent["lookup_keys"].as_array().is_none_or(|keys| keys.contains(&price["lookup_key"]))
            && ["active", "currency", "product", "type"].iter().all(|name| same(&sent[*name], &price[*name]))
            && ["interval", "meter", "usage_type"].iter().all(|name| same(&sent["recurring"][*name], &recurring[*name]))
    })
}
