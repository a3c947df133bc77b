//! How an invoice is paid, and what happens when the bank says no.

use serde_json::{Value, json};

use crate::stripe::Afterwards;
use crate::stripe::account::{Account, Deed};
use crate::stripe::balance;
use crate::stripe::events::{self, emit};
use crate::stripe::invoicing::subscription_of;
use crate::stripe::objects::{is, number, word};
use crate::stripe::refusal::Refusal;
use crate::stripe::subscriptions;

/// Makes the payment that an open invoice waits for.
pub(super) fn prepare(account: &mut Account, invoice: &Value) {
    let (intent, payment) = (account.id("pi"), account.id("inpay"));
    let amount = number(invoice, "amount_due");
    let secret = format!("{intent}_secret_{}", account.chance::<24>());
    account.make(
        "payment_intent",
        json!({
            "id": intent, "object": "payment_intent", "amount": amount, "amount_capturable": 0, "amount_received": 0,
            "application": null, "application_fee_amount": null, "canceled_at": null, "cancellation_reason": null,
            "capture_method": "automatic", "client_secret": secret, "confirmation_method": "automatic",
            "created": account.now, "currency": invoice["currency"], "customer": invoice["customer"],
            "description": null, "last_payment_error": null, "latest_charge": null, "livemode": false, "metadata": {},
            "next_action": null, "payment_method": null, "payment_method_types": ["card"],
            "receipt_email": null, "setup_future_usage": "off_session", "shipping": null,
            "status": "requires_payment_method",
        }),
    );
    account.make(
        "invoice_payment",
        json!({
            "id": payment, "object": "invoice_payment", "amount_paid": null, "amount_requested": amount,
            "created": account.now, "currency": invoice["currency"], "invoice": invoice["id"], "is_default": true,
            "livemode": false, "payment": { "type": "payment_intent", "payment_intent": intent }, "status": "open",
            "status_transitions": { "canceled_at": null, "paid_at": null },
        }),
    );
    account.change("invoice", word(invoice, "id"), |invoice| {
        invoice["_payment_intent"] = intent.into();
        invoice["_payment"] = payment.into();
    });
}

/// Tries to collect an open invoice from the customer's card.
///
/// # Errors
/// When there is no card, or the bank says no. What follows from that is done.
pub(super) fn collect(account: &mut Account, id: &str, card: Option<&str>) -> Result<(), Refusal> {
    let Some(invoice) = account.objects.get("invoice", id).cloned() else { return Ok(()) };
    let customer = word(&invoice, "customer").to_owned();
    let subscription = subscription_of(&invoice).and_then(|id| account.objects.get("subscription", id));
    let usual = account.card(subscription.unwrap_or(&Value::Null), &customer);
    let card = card.map(str::to_owned).or(usual);
    account.change("invoice", id, |invoice| {
        invoice["attempt_count"] = (number(invoice, "attempt_count") + 1).into();
        invoice["attempted"] = true.into();
        invoice["next_payment_attempt"] = Value::Null;
    });
    let Some(card) = card else {
        failed(account, id, false);
        let refusal = Refusal::invalid("There is no card to collect this invoice from; add a payment method first");
        return Err(refusal.code("invoice_no_payment_method").while_running());
    };
    let works = !account.declining.contains(&customer);
    charge(account, &invoice, &card, works);
    if !works {
        failed(account, id, true);
        return Err(Refusal::declined());
    }
    paid(account, id);
    Ok(())
}

fn charge(account: &mut Account, invoice: &Value, card: &str, works: bool) {
    let id = account.id("ch");
    let intent = word(invoice, "_payment_intent").to_owned();
    let amount = number(invoice, "amount_remaining");
    let mut charge = json!({
        "id": id, "object": "charge", "amount": amount, "amount_captured": if works { amount } else { 0 },
        "amount_refunded": 0, "captured": works, "created": account.now, "currency": invoice["currency"],
        "customer": invoice["customer"], "description": null, "disputed": false,
        "failure_code": (!works).then_some("card_declined"),
        "failure_message": (!works).then_some("The card was declined"), "livemode": false, "metadata": {},
        "paid": works, "payment_intent": intent, "payment_method": card, "refunded": false,
        "status": if works { "succeeded" } else { "failed" },
    });
    // Of nothing, nothing is kept.
    if works && amount > 0 {
        charge["balance_transaction"] = balance::charged(account, &charge).into();
    }
    account.make("charge", charge.clone());
    let intent = account.change("payment_intent", &intent, |intent| {
        intent["latest_charge"] = id.into();
        intent["payment_method"] = if works { card.into() } else { Value::Null };
        intent["status"] = if works { "succeeded" } else { "requires_payment_method" }.into();
        intent["amount_received"] = if works { amount } else { 0 }.into();
        intent["last_payment_error"] = if works {
            Value::Null
        } else {
            json!({ "type": "card_error", "code": "card_declined", "decline_code": "generic_decline",
                    "message": "The card was declined" })
        };
    });
    if works {
        emit(account, "charge.succeeded", &charge, None);
        emit(account, "payment_intent.succeeded", &intent, None);
    } else {
        emit(account, "charge.failed", &charge, None);
        emit(account, "payment_intent.payment_failed", &intent, None);
    }
}

/// Nothing is owed on an invoice any more.
pub(super) fn paid(account: &mut Account, id: &str) {
    let now = account.now;
    let invoice = account.change("invoice", id, |invoice| {
        invoice["status"] = "paid".into();
        invoice["attempted"] = true.into();
        invoice["auto_advance"] = false.into();
        invoice["amount_paid"] = (number(invoice, "amount_paid") + number(invoice, "amount_remaining")).into();
        invoice["amount_remaining"] = 0.into();
        invoice["next_payment_attempt"] = Value::Null;
        invoice["status_transitions"]["paid_at"] = now.into();
    });
    account.change("invoice_payment", word(&invoice, "_payment"), |payment| {
        payment["status"] = "paid".into();
        payment["amount_paid"] = invoice["amount_paid"].clone();
        payment["status_transitions"]["paid_at"] = now.into();
    });
    emit(account, "invoice.paid", &invoice, None);
    emit(account, "invoice.payment_succeeded", &invoice, None);
    if let Some(subscription) = subscription_of(&invoice) {
        settle(account, subscription);
    }
}

/// A subscription that owes nothing more is active again.
fn settle(account: &mut Account, subscription: &str) {
    let status = account.objects.get("subscription", subscription).map(|held| word(held, "status").to_owned());
    let owed = |invoice: &Value| subscription_of(invoice) == Some(subscription) && invoice["status"] == "open";
    let owes = account.objects.all("invoice").any(owed);
    if !owes && status.is_some_and(|status| ["past_due", "unpaid"].contains(&status.as_str())) {
        subscriptions::set_status(account, subscription, "active");
    }
}

fn failed(account: &mut Account, id: &str, tried: bool) {
    let attempts = account.objects.get("invoice", id).map_or(0, |invoice| number(invoice, "attempt_count"));
    let place = usize::try_from(attempts - 1).unwrap_or(usize::MAX);
    // Without a card there is nothing to try again with.
    let automatic = account.objects.get("invoice", id).is_some_and(|invoice| is(invoice, "auto_advance"));
    let gap = account.settings.retries.get(place).filter(|_| tried && automatic).map(|gap| gap.as_secs());
    let next = gap.and_then(|gap| i64::try_from(gap).ok()).map(|gap| account.now + gap);
    let invoice = account.change("invoice", id, |invoice| invoice["next_payment_attempt"] = next.into());
    emit(account, "invoice.payment_failed", &invoice, None);
    let subscription = subscription_of(&invoice).map(str::to_owned);
    let status = subscription.as_ref().and_then(|id| account.objects.get("subscription", id));
    let status = status.map(|held| word(held, "status").to_owned()).unwrap_or_default();
    let Some(subscription) = subscription.filter(|_| ["active", "past_due"].contains(&status.as_str())) else { return };
    subscriptions::set_status(account, &subscription, "past_due");
    match next {
        Some(next) => account.plan(next, Deed::Collect(id.to_owned())),
        None if tried => give_up(account, id, &subscription),
        None => {}
    }
}

fn give_up(account: &mut Account, invoice: &str, subscription: &str) {
    events::update(account, "invoice", invoice, "invoice.updated", |invoice| invoice["auto_advance"] = false.into());
    match account.settings.afterwards {
        Afterwards::Cancel => subscriptions::end(account, subscription, "payment_failed"),
        Afterwards::Unpaid => {
            subscriptions::set_status(account, subscription, "unpaid");
        }
        Afterwards::PastDue => {}
    }
}
