use serde_json::{Value, json};

use crate::stripe::account::{Account, Call};
use crate::stripe::events::emit;
use crate::stripe::invoicing;
use crate::stripe::lines;
use crate::stripe::listing::page;
use crate::stripe::objects::{merge, number, shown, word};
use crate::stripe::refusal::Refusal;
use crate::stripe::routes::Route;

pub(super) const ROUTES: &[Route] = &[
    ("POST", "/v1/invoiceitems", "invoice", NEW, create),
    ("GET", "/v1/invoiceitems", "invoice", "customer, invoice, pending: flag, created: range", list),
    ("GET", "/v1/invoiceitems/{id}", "invoice", "", show),
    ("DELETE", "/v1/invoiceitems/{id}", "invoice", "", delete),
];

const NEW: &str = "customer, invoice, subscription, amount: integer, currency, description, metadata: map, \
    pricing: {price}, quantity: integer, period: {start!: integer, end!: integer}";

fn create(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    let missing =
        |name: &str| Refusal::invalid(format!("Missing required param: {name}.")).code("parameter_missing").at(name);
    let customer = sent["customer"].as_str().ok_or_else(|| missing("customer"))?;
    account.customer(customer)?;
    if let Some(invoice) = sent["invoice"].as_str() {
        let invoice = account.named("invoice", invoice, "invoice")?;
        if invoice["status"] != "draft" || invoice["customer"] != customer {
            let message = "Only a draft of the same customer takes items";
            return Err(Refusal::invalid(message).code("invoice_not_editable").at("invoice"));
        }
    }
    if let Some(subscription) = sent["subscription"].as_str() {
        account.named("subscription", subscription, "subscription")?;
    }
    let item = build(account, sent, customer)?;
    account.make("invoiceitem", item.clone());
    emit(account, "invoiceitem.created", &item, None);
    if let Some(invoice) = sent["invoice"].as_str() {
        let line = lines::of_invoice_item(account, &item);
        invoicing::add_line(account, invoice, line);
    }
    Ok(shown(&item))
}

fn build(account: &Account, sent: &Value, customer: &str) -> Result<Value, Refusal> {
    let quantity = sent["quantity"].as_i64().unwrap_or(1);
    let price = match sent["pricing"]["price"].as_str() {
        Some(price) => Some(account.named("price", price, "pricing[price]")?),
        None => None,
    };
    if price.is_some_and(|price| price["type"] != "one_time") {
        return Err(Refusal::invalid("An invoice item takes a one-time price").at("pricing[price]"));
    }
    let amount = match (sent["amount"].as_i64(), price) {
        (Some(_), Some(_)) => return Err(Refusal::invalid("Only one of amount and pricing can be sent").at("amount")),
        (Some(amount), None) => amount,
        (None, Some(price)) => number(price, "unit_amount") * quantity,
        (None, None) => {
            return Err(Refusal::invalid("Missing required param: amount.").code("parameter_missing").at("amount"));
        }
    };
    let held = &account.customer(customer)?["currency"];
    let currency = price.map_or(&sent["currency"], |price| &price["currency"]);
    let currency = currency.as_str().or(held.as_str()).unwrap_or("usd");
    let unit = price.map_or(amount, |price| number(price, "unit_amount"));
    let pricing = price.map(|price| json!({ "price": price["id"], "product": price["product"] }));
    let pricing = pricing.map(
        |details| json!({ "type": "price_details", "price_details": details, "unit_amount_decimal": unit.to_string() }),
    );
    let mut item = json!({
        "id": account.id("ii"), "object": "invoiceitem", "amount": amount, "currency": currency,
        "customer": customer, "date": account.now, "description": null, "discountable": false, "discounts": [],
        "invoice": null, "livemode": false, "metadata": {}, "parent": null,
        "period": { "start": account.now, "end": account.now }, "pricing": pricing, "proration": false,
        "quantity": quantity, "quantity_decimal": quantity.to_string(), "tax_rates": [], "test_clock": null,
        "_subscription": sent["subscription"],
    });
    merge(&mut item, sent, &["description", "invoice", "period"]);
    Ok(item)
}

fn list(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    page(account, "invoiceitem", call, |item| {
        ["customer", "invoice"].iter().all(|name| sent[*name].is_null() || sent[*name] == item[*name])
            && sent["pending"].as_bool().is_none_or(|pending| item["invoice"].is_null() == pending)
    })
}

fn show(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    account.held("invoiceitem", &call.id).map(shown)
}

fn delete(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let item = account.held("invoiceitem", &call.id)?.clone();
    if let Some(invoice) = item["invoice"].as_str() {
        let held = account.held("invoice", invoice)?;
        if held["status"] != "draft" {
            return Err(Refusal::invalid("The invoice of this item is final").code("invoice_not_editable"));
        }
        let lines = held["lines"]["data"].as_array().cloned().unwrap_or_default();
        let others =
            lines.into_iter().filter(|line| line["parent"]["invoice_item_details"]["invoice_item"] != item["id"]);
        let others = others.collect();
        invoicing::replace_lines(account, word(&item, "invoice"), others);
    }
    account.objects.remove("invoiceitem", &call.id);
    emit(account, "invoiceitem.deleted", &item, None);
    Ok(json!({ "id": call.id, "object": "invoiceitem", "deleted": true }))
}
