//! The zone itself, and those of its settings that are set once.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::envelope::{Refusal, Reply, read};
use super::routes::Asked;
use super::settings::Plan;
use super::state::State;

/// Name, value at first, and what it may be.
const SETTINGS: [(&str, &str, &[&str]); 3] = [
    ("ssl", "full", &["off", "flexible", "full", "strict", "origin_pull"]),
    ("always_use_https", "off", &["on", "off"]),
    ("min_tls_version", "1.0", &["1.0", "1.1", "1.2", "1.3"]),
];

#[derive(Debug)]
pub(super) struct Zone {
    pub(super) made: Timestamp,
    /// Those that were changed, and when.
    pub(super) settings: HashMap<&'static str, (String, Timestamp)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewValue {
    value: String,
}

/// `GET /zones`. A token without any permission on the zone sees an empty list.
pub(super) fn list(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    asked.query.only(&["name", "status", "page", "per_page"])?;
    let is_wanted = asked.query.get("name").is_none_or(|name| name == state.settings.zone);
    let zones = if is_wanted && asked.sees_the_zone { vec![shown(state)] } else { Vec::new() };
    let (zones, info) = asked.query.page(20, 50)?.of(zones);
    Ok(Reply { info: Some(info), ..Reply::ok(json!(zones)) })
}

/// `GET /zones/{zone_id}`
pub(super) fn show(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    if asked.sees_the_zone {
        return Ok(Reply::ok(shown(state)));
    }
    Err(Refusal::new(403, 9109, "Unauthorized to access requested resource"))
}

/// `GET /zones/{zone_id}/settings/{setting_id}`
pub(super) fn setting(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let (name, first, _) = known(&asked.id)?;
    let changed = state.zone.settings.get(name);
    let value = changed.map_or(first, |(value, _)| value.as_str());
    Ok(Reply::ok(shown_setting(name, value, changed.map(|(_, when)| *when))))
}

/// `PATCH /zones/{zone_id}/settings/{setting_id}`
pub(super) fn set(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let (name, _, may_be) = known(&asked.id)?;
    let NewValue { value } = read(&asked.body, setting_form)?;
    if !may_be.contains(&value.as_str()) {
        return Err(Refusal::new(400, 1007, format!("Invalid value for zone setting {name}")));
    }
    let reply = Reply::ok(shown_setting(name, &value, Some(state.now)));
    state.zone.settings.insert(name, (value, state.now));
    Ok(reply)
}

fn setting_form(why: String) -> Refusal {
    Refusal::new(400, 1007, format!("Invalid value for zone setting: {why}"))
}

fn known(name: &str) -> Result<(&'static str, &'static str, &'static [&'static str]), Refusal> {
    let found = SETTINGS.into_iter().find(|(known, ..)| *known == name);
    found.ok_or_else(|| Refusal::new(400, 1006, "Unrecognized zone setting name"))
}

fn shown_setting(name: &str, value: &str, modified: Option<Timestamp>) -> Value {
    json!({ "id": name, "value": value, "editable": true, "modified_on": modified })
}

fn shown(state: &State) -> Value {
    let plan = match state.settings.plan {
        Plan::Free => {
            json!({ "id": "free", "name": "Free Website", "legacy_id": "free", "price": 0, "currency": "USD" })
        }
        Plan::Paid => json!({ "id": "pro", "name": "Pro Website", "legacy_id": "pro", "price": 20, "currency": "USD" }),
    };
    let account = json!({ "id": state.account_id, "name": "Simulated account" });
    json!({
        "id": state.zone_id, "name": state.settings.zone, "status": "active", "paused": false, "type": "full",
        "development_mode": 0, "name_servers": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
        "original_name_servers": null, "original_registrar": null, "original_dnshost": null,
        "created_on": state.zone.made, "modified_on": state.zone.made, "activated_on": state.zone.made,
        "meta": { "step": 4, "page_rule_quota": 3, "phishing_detected": false },
        "owner": { "id": null, "type": "user", "name": null },
        "account": account, "plan": plan, "permissions": [],
    })
}
