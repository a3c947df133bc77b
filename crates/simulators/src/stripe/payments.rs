//! The account itself, cards, and payments: to be looked at.

use serde_json::{Value, json};

use crate::stripe::account::{Account, Call};
use crate::stripe::events::emit;
use crate::stripe::listing::page;
use crate::stripe::objects::{shown, word};
use crate::stripe::refusal::Refusal;
use crate::stripe::routes::Route;

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/v1/account", "account", "", account_shown),
    ("GET", "/v1/payment_methods", "payment_method", "customer, type: =card", methods),
    ("GET", "/v1/payment_methods/{id}", "payment_method", "", method),
    ("GET", "/v1/payment_intents/{id}", "payment_intent", "", intent),
    ("GET", "/v1/charges", "charge", "customer, payment_intent, created: range", charges),
    ("GET", "/v1/charges/{id}", "charge", "", charge),
];

fn account_shown(account: &mut Account, _: &Call) -> Result<Value, Refusal> {
    Ok(json!({
        "id": account.settings.account_id, "object": "account", "business_type": "company", "charges_enabled": true,
        "country": "US", "default_currency": "usd", "details_submitted": true, "email": null, "metadata": {},
        "payouts_enabled": true, "type": "standard",
        "business_profile": { "mcc": null, "name": account.settings.account_name, "support_email": null, "url": null },
        "settings": { "dashboard": { "display_name": account.settings.account_name, "timezone": "Etc/UTC" } },
    }))
}

/// A card that a customer typed into a page.
pub(super) fn attach_card(account: &mut Account, customer: &str) -> String {
    let id = account.id("pm");
    let card = json!({
        "id": id, "object": "payment_method", "allow_redisplay": "limited",
        "billing_details": { "address": null, "email": null, "name": null, "phone": null, "tax_id": null },
        "card": {
            "brand": "visa", "checks": null, "country": "US", "display_brand": "visa", "exp_month": 12,
            "exp_year": 2040, "fingerprint": account.chance::<16>(), "funding": "credit", "generated_from": null,
            "last4": "4242", "networks": null, "regulated_status": null, "three_d_secure_usage": null, "wallet": null,
        },
        "created": account.now, "customer": customer, "livemode": false, "metadata": {}, "type": "card",
    });
    account.make("payment_method", card.clone());
    // A card that was just typed in and accepted works.
    account.declining.remove(customer);
    emit(account, "payment_method.attached", &card, None);
    id
}

fn methods(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let customer = &call.params["customer"];
    page(account, "payment_method", call, |card| customer.is_null() || card["customer"] == *customer)
}

fn method(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    account.held("payment_method", &call.id).cloned()
}

fn intent(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    account.held("payment_intent", &call.id).map(shown)
}

fn charge(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    account.held("charge", &call.id).map(shown)
}

fn charges(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    page(account, "charge", call, |charge| {
        ["customer", "payment_intent"]
            .iter()
            .all(|name| sent[*name].is_null() || word(sent, name) == word(charge, name))
    })
}
