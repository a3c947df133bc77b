//! The lines of an invoice.

use serde_json::{Value, json};

use crate::stripe::account::Account;
use crate::stripe::meters;
use crate::stripe::objects::{number, with, word};

/// A period of a subscription, from a moment to before another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    pub(super) start: i64,
    pub(super) end: i64,
}

/// What a subscription costs in advance for a period.
pub(super) fn advance(account: &Account, subscription: &Value, period: Period) -> Vec<Value> {
    let items = subscription["items"]["data"].as_array().into_iter().flatten();
    let licensed = items.filter(|item| item["price"]["recurring"]["usage_type"] != "metered");
    licensed.map(|item| of_item(account, subscription, item, number(item, "quantity"), period)).collect()
}

/// What was used in a period, for which the bill comes after it. The quantity follows the meter until
/// the invoice is finalised.
pub(super) fn arrears(account: &Account, subscription: &Value, period: Period) -> Vec<Value> {
    let items = subscription["items"]["data"].as_array().into_iter().flatten();
    let metered = items.filter(|item| item["price"]["recurring"]["usage_type"] == "metered");
    let line = |item: &Value| {
        let mut line = of_item(account, subscription, item, 0, period);
        line["_meter"] = item["price"]["recurring"]["meter"].clone();
        line["_customer"] = subscription["customer"].clone();
        count(account, &mut line);
        line
    };
    metered.map(line).collect()
}

/// Brings a metered line up to date.
pub(super) fn count(account: &Account, line: &mut Value) {
    let Some(meter) = line["_meter"].as_str() else { return };
    let (from, to) = (number(&line["period"], "start"), number(&line["period"], "end"));
    let quantity = meters::counted(account, meter, word(line, "_customer"), from, to);
    let amount = quantity * number(line, "_unit");
    line["quantity"] = quantity.into();
    line["quantity_decimal"] = quantity.to_string().into();
    line["amount"] = amount.into();
    line["subtotal"] = amount.into();
}

/// The unused rest of what was paid in advance, given back.
pub(super) fn unused(account: &Account, subscription: &Value, from: i64) -> Vec<Value> {
    let items = subscription["items"]["data"].as_array().into_iter().flatten();
    let licensed = items.filter(|item| item["price"]["recurring"]["usage_type"] != "metered");
    let line = |item: &Value| {
        let (start, end) = (number(item, "current_period_start"), number(item, "current_period_end"));
        let period = Period { start: from, end };
        let mut line = of_item(account, subscription, item, number(item, "quantity"), period);
        let amount = -number(&line, "amount") * (end - from) / (end - start).max(1);
        line["amount"] = amount.into();
        line["subtotal"] = amount.into();
        line["parent"]["subscription_item_details"]["proration"] = true.into();
        line
    };
    licensed.map(line).collect()
}

fn of_item(account: &Account, subscription: &Value, item: &Value, quantity: i64, period: Period) -> Value {
    let price = &item["price"];
    let parent = json!({
        "type": "subscription_item_details", "invoice_item_details": null,
        "subscription_item_details": {
            "invoice_item": null, "proration": false, "proration_details": null, "subscription": subscription["id"],
            "subscription_item": item["id"],
        },
    });
    let product = account.objects.get("product", word(price, "product"));
    let name = product.map_or("", |product| word(product, "name")).to_owned();
    let line = line(account, price, quantity, period, parent);
    with(line, json!({ "subscription": subscription["id"], "description": name }))
}

/// A line for an invoice item.
pub(super) fn of_invoice_item(account: &Account, item: &Value) -> Value {
    let period = Period { start: number(&item["period"], "start"), end: number(&item["period"], "end") };
    let parent = json!({
        "type": "invoice_item_details", "subscription_item_details": null,
        "invoice_item_details": {
            "invoice_item": item["id"], "proration": false, "proration_details": null,
            "subscription": item["_subscription"],
        },
    });
    let price = account.objects.get("price", word(&item["pricing"]["price_details"], "price"));
    let fallback = json!({ "currency": item["currency"] });
    let line = line(account, price.unwrap_or(&fallback), number(item, "quantity"), period, parent);
    let own = json!({
        "amount": item["amount"], "subtotal": item["amount"], "description": item["description"],
        "metadata": item["metadata"],
    });
    let mut line = with(line, own);
    if price.is_none() {
        line["pricing"] = Value::Null;
    }
    line
}

fn line(account: &Account, price: &Value, quantity: i64, period: Period, parent: Value) -> Value {
    let unit = number(price, "unit_amount");
    let amount = unit * quantity;
    json!({
        "id": account.id("il"), "object": "line_item", "amount": amount, "currency": price["currency"],
        "description": null, "discount_amounts": [], "discountable": true, "discounts": [], "invoice": null,
        "livemode": false, "metadata": {}, "parent": parent, "period": { "start": period.start, "end": period.end },
        "pretax_credit_amounts": [],
        "pricing": {
            "type": "price_details", "unit_amount_decimal": unit.to_string(),
            "price_details": { "price": price["id"], "product": price["product"] },
        },
        "quantity": quantity, "quantity_decimal": quantity.to_string(), "subscription": null, "subtotal": amount,
        "taxes": [], "_unit": unit,
    })
}
