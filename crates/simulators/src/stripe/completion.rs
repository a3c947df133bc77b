//! What a customer does on the payment page.

use serde_json::{Value, json};

use crate::stripe::account::Account;
use crate::stripe::events::{self, emit};
use crate::stripe::objects::{number, word};
use crate::stripe::subscriptions::{self, Agreement};
use crate::stripe::{checkout, customers, payments};

/// The card that a customer types in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Card {
    /// The bank says yes.
    Works,
    /// The bank says no.
    Declined,
    /// None: where a trial begins without one.
    None,
}

/// Why a session isn't completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    /// There is no such session.
    #[error("there is no such checkout session; look at the id")]
    Unknown,
    /// It was completed before, or it is too late.
    #[error("the checkout session is not open any more; make another")]
    Closed,
    /// The bank said no; the session stays open.
    #[error("the card was declined; try another")]
    Declined,
    /// This session doesn't go without a card.
    #[error("the checkout session needs a card; complete it with one")]
    NeedsCard,
}

/// Carries out what the session is for, and gives the address to go on to.
pub(super) fn complete(account: &mut Account, id: &str, card: Card) -> Result<String, Incomplete> {
    let session = account.objects.get("checkout.session", id).cloned().ok_or(Incomplete::Unknown)?;
    if session["status"] != "open" {
        return Err(Incomplete::Closed);
    }
    let sent = json!({ "subscription_data": session["_subscription_data"] });
    let trial_end = checkout::trial_end(account, &sent);
    match card {
        Card::Declined => return Err(Incomplete::Declined),
        Card::None if trial_end.is_none() || session["payment_method_collection"] != "if_required" => {
            return Err(Incomplete::NeedsCard);
        }
        Card::Works | Card::None => {}
    }
    let customer = payer(account, &session);
    let method = (card == Card::Works).then(|| payments::attach_card(account, &customer));
    let mut done = json!({ "customer": customer, "status": "complete", "url": null });
    if session["mode"] == "setup" {
        done["setup_intent"] = account.id("seti").into();
    } else {
        let subscription = subscribe(account, &session, &customer, trial_end, method.as_deref());
        done["invoice"] =
            account.objects.get("subscription", &subscription).map(|held| held["latest_invoice"].clone()).into();
        done["subscription"] = subscription.into();
        done["payment_status"] =
            if number(&session, "amount_total") > 0 { "paid" } else { "no_payment_required" }.into();
    }
    done["customer_details"] = details(account, &customer);
    let session = account.change("checkout.session", id, |session| {
        for (name, value) in done.as_object().into_iter().flatten() {
            session[name] = value.clone();
        }
    });
    emit(account, "checkout.session.completed", &session, None);
    Ok(word(&session, "success_url").replace("{CHECKOUT_SESSION_ID}", id))
}

fn payer(account: &mut Account, session: &Value) -> String {
    let known = session["customer"].as_str().filter(|id| account.objects.get("customer", id).is_some());
    if let Some(known) = known {
        return known.to_owned();
    }
    let email = session["customer_email"].as_str().unwrap_or("customer@example.com");
    let made = customers::make(account, &json!({ "email": email }));
    made.map(|customer| word(&customer, "id").to_owned()).unwrap_or_default()
}

fn subscribe(
    account: &mut Account,
    session: &Value,
    customer: &str,
    trial_end: Option<i64>,
    card: Option<&str>,
) -> String {
    let items = session["_line_items"]["data"].as_array().into_iter().flatten();
    let items: Vec<(Value, Option<i64>)> =
        items.map(|item| (item["price"].clone(), item["quantity"].as_i64())).collect();
    let data = &session["_subscription_data"];
    subscriptions::begin(account, &Agreement { customer, items: &items, trial_end, card, data })
}

fn details(account: &Account, customer: &str) -> Value {
    let customer = account.objects.get("customer", customer).cloned().unwrap_or_default();
    json!({
        "address": customer["address"], "business_name": null, "email": customer["email"], "individual_name": null,
        "name": customer["name"], "phone": customer["phone"], "tax_exempt": "none", "tax_ids": [],
    })
}

/// A customer changes the card in the portal: it pays for everything from now on.
pub(super) fn change_card(account: &mut Account, customer: &str) {
    let method = payments::attach_card(account, customer);
    events::update(account, "customer", customer, "customer.updated", |customer| {
        customer["invoice_settings"]["default_payment_method"] = method.clone().into();
    });
    let theirs = account.of_customer("subscription", customer);
    let running = theirs.filter(|held| !subscriptions::ENDED.contains(&word(held, "status")));
    let running: Vec<String> = running.map(|held| word(held, "id").to_owned()).collect();
    for id in running {
        events::update(account, "subscription", &id, "customer.subscription.updated", |held| {
            held["default_payment_method"] = method.clone().into();
        });
    }
}
