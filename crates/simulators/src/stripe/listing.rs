use serde_json::{Value, json};

use crate::stripe::account::{Account, Call};
use crate::stripe::objects::{shown, word};
use crate::stripe::refusal::Refusal;

const USUAL_LIMIT: i64 = 10;
const LONGEST_PAGE: i64 = 100;

/// What every list takes besides its own parameters.
pub(super) const PAGES: &str = "limit: integer, starting_after, ending_before";

/// One page of a kind, newest first, of those that fit.
pub(super) fn page(
    account: &Account,
    kind: &'static str,
    call: &Call,
    fits: impl Fn(&Value) -> bool,
) -> Result<Value, Refusal> {
    let limit = call.params["limit"].as_i64().unwrap_or(USUAL_LIMIT);
    if !(1..=LONGEST_PAGE).contains(&limit) {
        return Err(Refusal::invalid(format!("A page holds 1 to {LONGEST_PAGE}, not {limit}")).at("limit"));
    }
    let created = &call.params["created"];
    let fitting = account.objects.all(kind).rev();
    let fitting: Vec<&Value> = fitting.filter(|object| within(created, &object["created"]) && fits(object)).collect();
    let place = |name: &str| match call.params[name].as_str() {
        None => Ok(None),
        Some(id) => match fitting.iter().position(|object| word(object, "id") == id) {
            Some(place) => Ok(Some(place)),
            None => Err(Refusal::names_nothing(kind, id, name)),
        },
    };
    let limit = usize::try_from(limit).unwrap_or(1);
    let (from, to) = match (place("starting_after")?, place("ending_before")?) {
        (Some(_), Some(_)) => {
            return Err(Refusal::invalid("Only one of starting_after and ending_before can be sent"));
        }
        (Some(after), None) => (after + 1, (after + 1 + limit).min(fitting.len())),
        (None, Some(before)) => (before.saturating_sub(limit), before),
        (None, None) => (0, limit.min(fitting.len())),
    };
    let backwards = call.params["ending_before"].is_string();
    let has_more = if backwards { from > 0 } else { to < fitting.len() };
    let data: Vec<Value> = fitting.get(from..to).unwrap_or_default().iter().map(|object| shown(object)).collect();
    Ok(json!({ "object": "list", "url": call.path, "has_more": has_more, "data": data }))
}

/// A finished list, as it stands inside other objects.
pub(super) fn whole(url: &str, data: &[Value]) -> Value {
    json!({ "object": "list", "url": url, "has_more": false, "data": data })
}

/// Whether a moment is the one asked for, or within the bounds.
pub(super) fn within(bounds: &Value, moment: &Value) -> bool {
    let Some(moment) = moment.as_i64() else { return bounds.is_null() };
    let holds =
        |name: &str, test: fn(&i64, &i64) -> bool| bounds[name].as_i64().is_none_or(|bound| test(&moment, &bound));
    match bounds.as_i64() {
        Some(exact) => moment == exact,
        None => holds("gt", i64::gt) && holds("gte", i64::ge) && holds("lt", i64::lt) && holds("lte", i64::le),
    }
}
