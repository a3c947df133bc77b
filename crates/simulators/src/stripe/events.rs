use serde_json::{Map, Value, json};

use crate::stripe::VERSION;
use crate::stripe::account::{Account, Call};
use crate::stripe::deliveries;
use crate::stripe::listing::page;
use crate::stripe::objects::{number, shown, word};
use crate::stripe::refusal::Refusal;
use crate::stripe::routes::Route;

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/v1/events", "event", "created: range, type, types: [text], delivery_success: flag", list),
    ("GET", "/v1/events/{id}", "event", "", show),
];

/// So long events can be read, in seconds.
const KEPT: i64 = 30 * 86_400;

/// Notes that something happened, and sends word of it to whoever asked for it.
pub(super) fn emit(account: &mut Account, kind: &str, object: &Value, before: Option<Value>) {
    let mut data = json!({ "object": shown(object) });
    if let Some(before) = before {
        data["previous_attributes"] = before;
    }
    let (request, key) = match &account.request {
        Some((request, key)) => (Value::from(request.clone()), key.clone().into()),
        None => (Value::Null, Value::Null),
    };
    let id = account.id("evt");
    let event = json!({
        "id": id, "object": "event", "api_version": VERSION, "created": account.now, "data": data, "livemode": false,
        "pending_webhooks": 0, "request": { "id": request, "idempotency_key": key }, "type": kind,
    });
    account.make("event", event);
    deliveries::address(account, &id, kind);
}

/// Changes an object and tells of it, with what was there before. Nothing is told when nothing changed.
pub(super) fn update(
    account: &mut Account,
    kind: &str,
    id: &str,
    event: &str,
    change: impl FnOnce(&mut Value),
) -> Value {
    let Some(before) = account.objects.get(kind, id).map(shown) else { return Value::Null };
    let object = account.change(kind, id, change);
    let previous = differences(&before, &shown(&object));
    if !previous.is_empty() {
        emit(account, event, &object, Some(Value::Object(previous)));
    }
    object
}

fn differences(before: &Value, after: &Value) -> Map<String, Value> {
    let before = before.as_object().into_iter().flatten();
    before.filter(|(name, value)| after[*name] != **value).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn show(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let event = account.held("event", &call.id)?;
    if number(event, "created") < account.now - KEPT {
        return Err(Refusal::missing("event", &call.id));
    }
    Ok(shown(event))
}

fn list(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    if sent["type"].is_string() && sent["types"].is_array() {
        return Err(Refusal::invalid("Only one of type and types can be sent").at("types"));
    }
    let oldest = account.now - KEPT;
    page(account, "event", call, |event| {
        let kind = word(event, "type");
        let fits = |wanted: &Value| wanted.as_str().is_some_and(|wanted| matches(wanted, kind));
        number(event, "created") >= oldest
            && (sent["type"].is_null() || fits(&sent["type"]))
            && sent["types"].as_array().is_none_or(|types| types.iter().any(fits))
            && sent["delivery_success"].as_bool().is_none_or(|done| done == (number(event, "pending_webhooks") == 0))
    })
}

/// `*` at the end of a type means any.
fn matches(wanted: &str, kind: &str) -> bool {
    wanted.strip_suffix('*').map_or(wanted == kind, |head| kind.starts_with(head))
}
