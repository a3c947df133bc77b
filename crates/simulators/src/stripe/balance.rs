//! The account's own book: what came, what went, and what was kept of it.

use serde_json::{Value, json};

use crate::stripe::account::{Account, Call};
use crate::stripe::listing::page;
use crate::stripe::objects::{number, word};
use crate::stripe::refusal::Refusal;
use crate::stripe::routes::Route;

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/v1/balance_transactions", "balance", "created: range, currency, source, type", list),
    ("GET", "/v1/balance_transactions/{id}", "balance", "", show),
];

/// When money that came can be paid out, in seconds.
const PENDING: i64 = 2 * 86_400;

/// Books a charge that worked, less the usual fee, and gives the id of the entry.
pub(super) fn charged(account: &mut Account, charge: &Value) -> String {
    let amount = number(charge, "amount_captured");
    let (share, fixed) = account.settings.fee;
    let fee = (amount * share + 5_000) / 10_000 + fixed;
    book(account, &Movement { kind: "charge", category: "charge", amount, fee }, charge)
}

/// Books what went back. The fee of the charge is not given back.
pub(super) fn given_back(account: &mut Account, refund: &Value) -> String {
    let amount = -number(refund, "amount");
    book(account, &Movement { kind: "refund", category: "refund", amount, fee: 0 }, refund)
}

/// What moves.
pub(super) struct Movement {
    pub(super) kind: &'static str,
    pub(super) category: &'static str,
    pub(super) amount: i64,
    pub(super) fee: i64,
}

/// Writes an entry about something, and gives its id.
pub(super) fn book(account: &mut Account, movement: &Movement, about: &Value) -> String {
    let id = account.id("txn");
    let Movement { kind, category, amount, fee } = movement;
    let currency = about["currency"].as_str().unwrap_or("usd").to_owned();
    let details = json!({
        "amount": fee, "application": null, "currency": currency, "description": "Stripe processing fees",
        "type": "stripe_fee",
    });
    let entry = json!({
        "id": id, "object": "balance_transaction", "amount": amount, "available_on": account.now + PENDING,
        "balance_type": "payments", "created": account.now, "currency": currency, "description": null,
        "exchange_rate": null, "fee": fee, "fee_details": if *fee == 0 { json!([]) } else { json!([details]) },
        "net": amount - fee, "reporting_category": category, "source": about["id"], "status": "pending", "type": kind,
    });
    account.make("balance_transaction", entry);
    id
}

fn list(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    page(account, "balance_transaction", call, |entry| {
        ["currency", "source", "type"].iter().all(|name| sent[*name].is_null() || word(sent, name) == word(entry, name))
    })
}

fn show(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    account.held("balance_transaction", &call.id).cloned()
}
