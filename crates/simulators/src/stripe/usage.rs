use std::collections::HashMap;
use std::ops::Range;

use serde_json::{Value, json};

use crate::stripe::account::{Account, Call};
use crate::stripe::meters;
use crate::stripe::objects::word;
use crate::stripe::refusal::Refusal;

/// How a meter adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Formula {
    Sum,
    Count,
    Last,
}

impl Formula {
    pub(super) fn of(word: &str) -> Self {
        match word {
            "count" => Self::Count,
            "last" => Self::Last,
            _ => Self::Sum,
        }
    }
}

/// Every meter event, by what it counts and for whom.
#[derive(Debug, Default)]
pub(super) struct Usage {
    events: HashMap<(String, String), Vec<Counted>>,
    /// When an identifier came in last.
    identifiers: HashMap<String, i64>,
    /// Events that were taken and then couldn't be counted, and why.
    pub(super) faulty: Vec<(String, &'static str)>,
}

#[derive(Debug)]
struct Counted {
    identifier: String,
    at: i64,
    received: i64,
    value: i64,
}

impl Usage {
    /// What was counted of an event for a customer, from what came in before a moment.
    pub(super) fn total(&self, event: &str, customer: &str, formula: Formula, window: Range<i64>, until: i64) -> i64 {
        let events = self.events.get(&(event.to_owned(), customer.to_owned())).into_iter().flatten();
        let events = events.filter(|event| window.contains(&event.at) && event.received <= until);
        match formula {
            Formula::Sum => events.map(|event| event.value).sum(),
            Formula::Count => i64::try_from(events.count()).unwrap_or(i64::MAX),
            Formula::Last => events.max_by_key(|event| event.at).map_or(0, |event| event.value),
        }
    }
}

/// An identifier can be used again after this, in seconds; so long an event can be taken back too.
const UNIQUE: i64 = 24 * 3_600;
const OLDEST: i64 = 35 * 24 * 3_600;
const YOUNGEST: i64 = 5 * 60;
const LONGEST_IDENTIFIER: usize = 100;

/// Takes an event. Whether it counts shows later.
pub(super) fn record(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    let now = account.now;
    let at = sent["timestamp"].as_i64().unwrap_or(now);
    if at < now - OLDEST {
        let refusal = Refusal::invalid("The timestamp is more than 35 days in the past");
        return Err(refusal.code("timestamp_too_far_in_past").at("timestamp"));
    }
    if at > now + YOUNGEST {
        let refusal = Refusal::invalid("The timestamp is more than 5 minutes in the future");
        return Err(refusal.code("timestamp_in_future").at("timestamp"));
    }
    let identifier = sent["identifier"].as_str().map_or_else(|| account.chance::<24>(), str::to_owned);
    if identifier.len() > LONGEST_IDENTIFIER {
        let message = format!("An identifier has up to {LONGEST_IDENTIFIER} letters");
        return Err(Refusal::invalid(message).at("identifier"));
    }
    if account.usage.identifiers.get(&identifier).is_some_and(|before| now < before + UNIQUE) {
        let message = format!("An event with the identifier {identifier} is there already");
        return Err(Refusal::invalid(message).code("duplicate_meter_event").at("identifier").for_good());
    }
    account.usage.identifiers.insert(identifier.clone(), now);
    let event = word(sent, "event_name").to_owned();
    match count(account, &event, &sent["payload"]) {
        Ok((customer, value)) => {
            let counted = Counted { identifier: identifier.clone(), at, received: now, value };
            account.usage.events.entry((event.clone(), customer)).or_default().push(counted);
        }
        Err(code) => account.usage.faulty.push((identifier.clone(), code)),
    }
    Ok(json!({
        "object": "billing.meter_event", "created": now, "event_name": event, "identifier": identifier,
        "livemode": false, "payload": sent["payload"], "timestamp": at,
    }))
}

fn count(account: &Account, event: &str, payload: &Value) -> Result<(String, i64), &'static str> {
    let mut meters = account.objects.all("billing.meter");
    let Some(meter) = meters::active(account, event) else {
        let archived = meters.any(|meter| word(meter, "event_name") == event);
        return Err(if archived { "archived_meter" } else { "no_meter" });
    };
    let customer = payload[word(&meter["customer_mapping"], "event_payload_key")].as_str();
    let customer = customer.ok_or("meter_event_no_customer_defined")?;
    account.objects.get("customer", customer).ok_or("meter_event_customer_not_found")?;
    let value = payload[word(&meter["value_settings"], "event_payload_key")].as_str();
    let counts = word(&meter["default_aggregation"], "formula") == "count";
    let value = value.unwrap_or(if counts { "1" } else { "" });
    Ok((customer.to_owned(), value.parse().map_err(|_| "meter_event_invalid_value")?))
}

/// Takes an event back.
pub(super) fn adjust(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    let param = "cancel[identifier]";
    let Some(identifier) = sent["cancel"]["identifier"].as_str() else {
        return Err(Refusal::invalid(format!("Missing required param: {param}.")).code("parameter_missing").at(param));
    };
    let (now, event) = (account.now, word(sent, "event_name"));
    let mut taken_back = false;
    for ((name, _), events) in &mut account.usage.events {
        let before = events.len();
        events.retain(|held| name != event || held.identifier != identifier || held.received + UNIQUE < now);
        taken_back |= events.len() < before;
    }
    if !taken_back {
        let message = format!("No event with the identifier {identifier} came in within 24 hours");
        return Err(Refusal::invalid(message).at(param));
    }
    Ok(json!({
        "object": "billing.meter_event_adjustment", "cancel": { "identifier": identifier }, "event_name": event,
        "livemode": false, "status": "pending", "type": "cancel",
    }))
}
