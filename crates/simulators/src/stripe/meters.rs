use serde_json::{Value, json};

use crate::stripe::account::{Account, Call};
use crate::stripe::events::{self, emit};
use crate::stripe::listing::{page, whole};
use crate::stripe::objects::{merge, number, word};
use crate::stripe::refusal::Refusal;
use crate::stripe::routes::Route;
pub(super) use crate::stripe::usage::Usage;
use crate::stripe::usage::{self, Formula};

pub(super) const ROUTES: &[Route] = &[
    ("POST", "/v1/billing/meters", "billing_meter", NEW, create),
    ("GET", "/v1/billing/meters", "billing_meter", "status: =active|inactive", list),
    ("GET", "/v1/billing/meters/{id}", "billing_meter", "", show),
    ("POST", "/v1/billing/meters/{id}", "billing_meter", "display_name", rename),
    ("POST", "/v1/billing/meters/{id}/deactivate", "billing_meter", "", deactivate),
    ("POST", "/v1/billing/meters/{id}/reactivate", "billing_meter", "", reactivate),
    ("GET", "/v1/billing/meters/{id}/event_summaries", "billing_meter", SUMMARY, summaries),
    ("POST", "/v1/billing/meter_events", "billing_meter_event", EVENT, usage::record),
    ("POST", "/v1/billing/meter_event_adjustments", "billing_meter_event_adjustment", ADJUSTMENT, usage::adjust),
];

const NEW: &str = "display_name!, event_name!, default_aggregation!: {formula!: =sum|count|last}, \
    customer_mapping: {type!: =by_id, event_payload_key!}, value_settings: {event_payload_key!}, \
    event_time_window: =day|hour";
const SUMMARY: &str = "customer!, start_time!: integer, end_time!: integer, value_grouping_window: =day|hour";
const EVENT: &str = "event_name!, payload!: map, identifier, timestamp: integer";
const ADJUSTMENT: &str = "event_name!, type!: =cancel, cancel: {identifier}";

fn create(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    let event = word(sent, "event_name");
    if active(account, event).is_some() {
        return Err(Refusal::invalid(format!("An active meter already counts {event}")).at("event_name"));
    }
    let id = account.id("mtr");
    let mut meter = json!({
        "id": id, "object": "billing.meter", "created": account.now, "livemode": false, "status": "active",
        "customer_mapping": { "type": "by_id", "event_payload_key": "stripe_customer_id" },
        "event_time_window": null, "status_transitions": { "deactivated_at": null }, "updated": account.now,
        "value_settings": { "event_payload_key": "value" },
    });
    let names = [
        "display_name",
        "event_name",
        "default_aggregation",
        "customer_mapping",
        "event_time_window",
        "value_settings",
    ];
    merge(&mut meter, sent, &names);
    account.make("billing.meter", meter.clone());
    emit(account, "billing.meter.created", &meter, None);
    Ok(meter)
}

/// The meter that counts these events.
pub(super) fn active<'a>(account: &'a Account, event: &str) -> Option<&'a Value> {
    let mut meters = account.objects.all("billing.meter");
    meters.find(|meter| word(meter, "event_name") == event && word(meter, "status") == "active")
}

/// How many units a meter counted for a customer, from one moment to before another.
pub(super) fn counted(account: &Account, meter: &str, customer: &str, from: i64, to: i64) -> i64 {
    let Some(meter) = account.objects.get("billing.meter", meter) else { return 0 };
    let formula = Formula::of(word(&meter["default_aggregation"], "formula"));
    account.usage.total(word(meter, "event_name"), customer, formula, from..to, counted_until(account))
}

/// What came in later is not counted yet.
fn counted_until(account: &Account) -> i64 {
    account.now - i64::try_from(account.settings.counting_takes.as_secs()).unwrap_or(0)
}

fn list(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let status = &call.params["status"];
    page(account, "billing.meter", call, |meter| status.is_null() || meter["status"] == *status)
}

fn show(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    account.held("billing.meter", &call.id).cloned()
}

fn rename(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    account.held("billing.meter", &call.id)?;
    let now = account.now;
    Ok(events::update(account, "billing.meter", &call.id, "billing.meter.updated", |meter| {
        merge(meter, &call.params, &["display_name"]);
        meter["updated"] = now.into();
    }))
}

fn deactivate(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let now = account.now;
    switch(account, call, "inactive", "billing.meter.deactivated", now.into())
}

fn reactivate(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    switch(account, call, "active", "billing.meter.reactivated", Value::Null)
}

fn switch(account: &mut Account, call: &Call, to: &str, event: &str, at: Value) -> Result<Value, Refusal> {
    if word(account.held("billing.meter", &call.id)?, "status") == to {
        return Err(Refusal::invalid(format!("The meter is {to} already")));
    }
    Ok(events::update(account, "billing.meter", &call.id, event, |meter| {
        meter["status"] = to.into();
        meter["status_transitions"]["deactivated_at"] = at;
    }))
}

const HOUR: i64 = 3_600;

fn summaries(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    let meter = account.held("billing.meter", &call.id)?;
    let (customer, from, to) = (word(sent, "customer"), number(sent, "start_time"), number(sent, "end_time"));
    account.named("customer", customer, "customer")?;
    let step = match sent["value_grouping_window"].as_str() {
        Some("hour") => HOUR,
        Some(_) => 24 * HOUR,
        None => to - from,
    };
    // Days start at midnight UTC, hours on the hour, everything on the minute.
    let grain = if sent["value_grouping_window"].is_null() { 60 } else { step };
    if from % grain != 0 || to % grain != 0 || from >= to {
        let message = format!("start_time and end_time must be multiples of {grain} seconds, one before the other");
        return Err(Refusal::invalid(message).at("start_time"));
    }
    let formula = Formula::of(word(&meter["default_aggregation"], "formula"));
    let event = word(meter, "event_name");
    let steps = usize::try_from(step).unwrap_or(usize::MAX);
    let windows = (from..to).step_by(steps).map(|start| {
        let window = start..(start + step).min(to);
        let total = account.usage.total(event, customer, formula, window.clone(), counted_until(account));
        json!({
            "id": format!("mtrusg_{}_{start}", call.id), "object": "billing.meter_event_summary",
            "aggregated_value": total, "start_time": window.start, "end_time": window.end, "livemode": false,
            "meter": call.id,
        })
    });
    let used = windows.filter(|summary| number(summary, "aggregated_value") != 0 || grain == 60);
    let mut found: Vec<Value> = used.collect();
    found.reverse();
    portion(&call.path, sent, &found)
}

/// Summaries are worked out anew for each page.
fn portion(url: &str, sent: &Value, found: &[Value]) -> Result<Value, Refusal> {
    let limit = usize::try_from(sent["limit"].as_i64().unwrap_or(10)).unwrap_or(0);
    if !(1..=100).contains(&limit) {
        return Err(Refusal::invalid("A page holds 1 to 100").at("limit"));
    }
    let from = match sent["starting_after"].as_str() {
        Some(after) => found.iter().position(|summary| word(summary, "id") == after).map_or(found.len(), |at| at + 1),
        None => 0,
    };
    let rest = found.get(from..).unwrap_or_default();
    let mut list = whole(url, rest.get(..limit.min(rest.len())).unwrap_or_default());
    list["has_more"] = (rest.len() > limit).into();
    Ok(list)
}
