//! What happens by itself as time passes: trials end, periods turn, invoices become final and are
//! collected.

use serde_json::Value;

use crate::stripe::account::{Account, Deed};
use crate::stripe::checkout;
use crate::stripe::collection;
use crate::stripe::events::{self, emit};
use crate::stripe::invoicing::{self, Bill};
use crate::stripe::lines::{self, Period};
use crate::stripe::objects::{is, number, word};
use crate::stripe::{period, subscriptions};

/// So long before its end a trial's end is announced, in seconds.
const NOTICE: i64 = 3 * 86_400;

/// Does everything that was due until now, each at its own moment and in order.
pub(super) fn turn(account: &mut Account, now: i64) {
    let request = account.request.take();
    while account.agenda.first().is_some_and(|(at, _, _)| *at <= now) {
        let Some((at, _, deed)) = account.agenda.pop_first() else { break };
        // The clock never runs backwards, even where something became due in the past.
        account.now = account.now.max(at);
        perform(account, &deed, at);
    }
    account.now = account.now.max(now);
    account.request = request;
}

fn perform(account: &mut Account, deed: &Deed, at: i64) {
    let subscription = |id: &str| account.objects.get("subscription", id).cloned();
    match deed {
        Deed::ExpireSession(id) => checkout::expire_due(account, id),
        Deed::AnnounceTrialEnd(id) => {
            let announced = at + NOTICE;
            let trying = |held: &Value| held["status"] == "trialing" && number(held, "trial_end") == announced;
            if let Some(held) = subscription(id).filter(trying) {
                emit(account, "customer.subscription.trial_will_end", &held, None);
            }
        }
        Deed::EndTrial(id) => {
            let trying =
                subscription(id).filter(|held| held["status"] == "trialing" && number(held, "trial_end") == at);
            if let Some(held) = trying {
                end_trial(account, &held);
            }
        }
        Deed::Renew(id) => {
            let running =
                subscription(id).filter(|held| ["active", "past_due", "unpaid"].contains(&word(held, "status")));
            if let Some(held) = running.filter(|held| period_of(held).end == at) {
                renew(account, &held);
            }
        }
        Deed::Finalize(id) => {
            if invoicing::is_due(account, id) {
                invoicing::finalize(account, id);
                // What the bank says shows in the invoice and its subscription.
                if account.objects.get("invoice", id).is_some_and(|invoice| invoice["status"] == "open") {
                    let _ = collection::collect(account, id, None);
                }
            }
        }
        Deed::Collect(id) => {
            let invoice = account.objects.get("invoice", id);
            if invoice
                .is_some_and(|invoice| invoice["status"] == "open" && number(invoice, "next_payment_attempt") == at)
            {
                let _ = collection::collect(account, id, None);
            }
        }
    }
}

fn period_of(subscription: &Value) -> Period {
    let item = &subscription["items"]["data"][0];
    Period { start: number(item, "current_period_start"), end: number(item, "current_period_end") }
}

fn set_period(subscription: &mut Value, period: Period) {
    if let Some(items) = subscription["items"]["data"].as_array_mut() {
        for item in items {
            item["current_period_start"] = period.start.into();
            item["current_period_end"] = period.end.into();
        }
    }
}

/// The first invoice, and what is due later. The first period's fee is taken at once; a trial's
/// invoice comes to nothing.
pub(super) fn first(account: &mut Account, id: &str, period: Period, trial: bool) {
    let Some(held) = account.objects.get("subscription", id).cloned() else { return };
    let mut lines = lines::advance(account, &held, period);
    if trial {
        for line in &mut lines {
            line["amount"] = 0.into();
            line["subtotal"] = 0.into();
        }
        plan_trial(account, id, period.end);
    } else {
        account.plan(period.end, Deed::Renew(id.to_owned()));
    }
    let invoice =
        bill(account, &held, "subscription_create", Period { start: account.now, end: account.now }, lines, false);
    invoicing::finalize(account, &invoice);
    if !trial {
        let _ = collection::collect(account, &invoice, None);
    }
}

fn plan_trial(account: &mut Account, id: &str, end: i64) {
    if end - NOTICE > account.now {
        account.plan(end - NOTICE, Deed::AnnounceTrialEnd(id.to_owned()));
    }
    account.plan(end, Deed::EndTrial(id.to_owned()));
}

/// Sets or moves the end of a trial.
pub(super) fn try_until(account: &mut Account, id: &str, end: i64) {
    let now = account.now;
    events::update(account, "subscription", id, "customer.subscription.updated", |held| {
        if held["status"] != "trialing" {
            held["trial_start"] = now.into();
        }
        held["status"] = "trialing".into();
        held["trial_end"] = end.into();
        held["billing_cycle_anchor"] = end.into();
        let period = Period { end, ..period_of(held) };
        set_period(held, period);
    });
    plan_trial(account, id, end);
}

fn end_trial(account: &mut Account, subscription: &Value) {
    let id = word(subscription, "id");
    if is(subscription, "cancel_at_period_end") {
        return subscriptions::end(account, id, "cancellation_requested");
    }
    let card = account.card(subscription, word(subscription, "customer"));
    match word(&subscription["trial_settings"]["end_behavior"], "missing_payment_method") {
        "cancel" if card.is_none() => subscriptions::end(account, id, "cancellation_requested"),
        "pause" if card.is_none() => {
            let held = subscriptions::set_status(account, id, "paused");
            emit(account, "customer.subscription.paused", &held, None);
        }
        _ => begin_paying(account, id, false),
    }
}

/// The trial is over and the first paid period begins: billed at once, or after the hour of grace.
pub(super) fn begin_paying(account: &mut Account, id: &str, at_once: bool) {
    let now = account.now;
    let held = events::update(account, "subscription", id, "customer.subscription.updated", |held| {
        let recurring = held["items"]["data"][0]["price"]["recurring"].clone();
        held["status"] = "active".into();
        held["trial_end"] = now.into();
        held["billing_cycle_anchor"] = now.into();
        set_period(held, Period { start: now, end: period::end(now, now, &recurring) });
    });
    let period = period_of(&held);
    account.plan(period.end, Deed::Renew(id.to_owned()));
    let lines = lines::advance(account, &held, period);
    let reason = if at_once { "subscription_update" } else { "subscription_cycle" };
    let invoice = bill(account, &held, reason, Period { start: now, end: now }, lines, !at_once);
    if at_once {
        invoicing::finalize(account, &invoice);
        let _ = collection::collect(account, &invoice, None);
    }
}

/// The period turns: the coming one is billed in advance, what was used in the old one after it.
fn renew(account: &mut Account, subscription: &Value) {
    let id = word(subscription, "id");
    let old = period_of(subscription);
    if is(subscription, "cancel_at_period_end") {
        subscriptions::last_invoice(account, subscription, Vec::new());
        return subscriptions::end(account, id, "cancellation_requested");
    }
    let recurring = &subscription["items"]["data"][0]["price"]["recurring"];
    let end = period::end(number(subscription, "billing_cycle_anchor"), old.end, recurring);
    let new = Period { start: old.end, end };
    let held =
        events::update(account, "subscription", id, "customer.subscription.updated", |held| set_period(held, new));
    account.plan(new.end, Deed::Renew(id.to_owned()));
    let mut lines = lines::arrears(account, &held, old);
    lines.extend(lines::advance(account, &held, new));
    // Of an unpaid subscription the invoices stay drafts.
    bill(account, &held, "subscription_cycle", old, lines, held["status"] != "unpaid");
}

fn bill(
    account: &mut Account,
    subscription: &Value,
    reason: &'static str,
    period: Period,
    lines: Vec<Value>,
    automatic: bool,
) -> String {
    invoicing::draft(
        account,
        Bill {
            customer: word(subscription, "customer"),
            subscription: Some(subscription),
            reason,
            period,
            lines,
            currency: word(subscription, "currency"),
            automatic,
            takes_pending: true,
        },
    )
}
