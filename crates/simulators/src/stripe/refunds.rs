use serde_json::{Value, json};

use crate::stripe::account::{Account, Call};
use crate::stripe::balance;
use crate::stripe::disputes;
use crate::stripe::events::{self, emit};
use crate::stripe::listing::page;
use crate::stripe::objects::{merge, number, word};
use crate::stripe::refusal::Refusal;
use crate::stripe::routes::Route;

pub(super) const ROUTES: &[Route] = &[
    ("POST", "/v1/refunds", "refund", NEW, create),
    ("GET", "/v1/refunds", "refund", "charge, payment_intent, created: range", list),
    ("GET", "/v1/refunds/{id}", "refund", "", show),
];

const NEW: &str = "payment_intent, charge, amount: integer, metadata: map, \
    reason: =duplicate|fraudulent|requested_by_customer";

fn create(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    let charge = match (sent["charge"].as_str(), sent["payment_intent"].as_str()) {
        (Some(charge), None) => account.named("charge", charge, "charge")?,
        (None, Some(intent)) => {
            let intent = account.named("payment_intent", intent, "payment_intent")?;
            let message = "This payment was not made, so that there is nothing to refund";
            let charge = account.objects.get("charge", word(intent, "latest_charge"));
            charge.ok_or_else(|| Refusal::invalid(message).at("payment_intent"))?
        }
        _ => {
            let refusal = Refusal::invalid("One of payment_intent and charge must be sent");
            return Err(refusal.code("parameter_missing").at("payment_intent"));
        }
    };
    let (charge, left) =
        (word(charge, "id").to_owned(), number(charge, "amount_captured") - number(charge, "amount_refunded"));
    let amount = sent["amount"].as_i64().unwrap_or(left);
    refund(account, &charge, amount, sent)
}

/// Gives back a part of a payment, or all of it.
pub(super) fn refund(account: &mut Account, charge: &str, amount: i64, sent: &Value) -> Result<Value, Refusal> {
    let held = account.named("charge", charge, "charge")?.clone();
    let left = number(&held, "amount_captured") - number(&held, "amount_refunded");
    if left == 0 {
        let message = format!("Charge {charge} has already been refunded, or was never paid");
        return Err(Refusal::invalid(message).code("charge_already_refunded"));
    }
    if !(1..=left).contains(&amount) {
        let message = format!("A refund of {amount} is more than the {left} that are left of the charge, or nothing");
        return Err(Refusal::invalid(message).at("amount"));
    }
    if disputes::is_held(account, charge) {
        let message = format!("Charge {charge} has been charged back; it can't be refunded");
        return Err(Refusal::invalid(message).code("charge_disputed"));
    }
    let id = account.id("re");
    let mut refund = json!({
        "id": id, "object": "refund", "amount": amount, "balance_transaction": null, "charge": charge,
        "created": account.now, "currency": held["currency"], "metadata": {},
        "payment_intent": held["payment_intent"], "reason": null, "receipt_number": null,
        "source_transfer_reversal": null, "status": "succeeded", "transfer_reversal": null,
    });
    merge(&mut refund, sent, &["reason"]);
    refund["balance_transaction"] = balance::given_back(account, &refund).into();
    account.make("refund", refund.clone());
    emit(account, "refund.created", &refund, None);
    events::update(account, "charge", charge, "charge.refunded", |held| {
        held["amount_refunded"] = (number(held, "amount_refunded") + amount).into();
        held["refunded"] = (amount == left).into();
    });
    Ok(refund)
}

/// The money of a refund comes back. Once.
pub(super) fn fail(account: &mut Account, id: &str) {
    let Some(refund) = account.objects.get("refund", id).filter(|it| it["status"] == "succeeded").cloned() else {
        return;
    };
    events::update(account, "refund", id, "refund.failed", |refund| {
        refund["status"] = "failed".into();
        refund["failure_reason"] = "expired_or_canceled_card".into();
    });
    account.change("charge", word(&refund, "charge"), |charge| {
        charge["amount_refunded"] = (number(charge, "amount_refunded") - number(&refund, "amount")).into();
        charge["refunded"] = false.into();
    });
}

fn list(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    page(account, "refund", call, |refund| {
        ["charge", "payment_intent"].iter().all(|name| sent[*name].is_null() || sent[*name] == refund[*name])
    })
}

fn show(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    account.held("refund", &call.id).cloned()
}
