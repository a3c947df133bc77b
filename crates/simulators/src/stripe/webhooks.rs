use serde_json::{Value, json};

use crate::stripe::account::{Account, Call};
use crate::stripe::listing::page;
use crate::stripe::objects::{merge, shown};
use crate::stripe::refusal::Refusal;
use crate::stripe::routes::Route;

pub(super) const ROUTES: &[Route] = &[
    ("POST", "/v1/webhook_endpoints", "webhook_endpoint", NEW, create),
    ("GET", "/v1/webhook_endpoints", "webhook_endpoint", "", list),
    ("GET", "/v1/webhook_endpoints/{id}", "webhook_endpoint", "", show),
    ("POST", "/v1/webhook_endpoints/{id}", "webhook_endpoint", CHANGED, update),
    ("DELETE", "/v1/webhook_endpoints/{id}", "webhook_endpoint", "", delete),
];

const NEW: &str = "url!, enabled_events!: [text], api_version, description, metadata: map";
const CHANGED: &str = "url, enabled_events: [text], description, disabled: flag, metadata: map";
const MOST: usize = 16;

fn create(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    check(&call.params)?;
    if account.objects.all("webhook_endpoint").count() >= MOST {
        return Err(Refusal::invalid(format!("There are {MOST} endpoints already; delete one first")));
    }
    let id = account.id("we");
    let secret = format!("whsec_{}", account.chance::<32>());
    let mut endpoint = json!({
        "id": id, "object": "webhook_endpoint", "api_version": null, "application": null, "created": account.now,
        "description": null, "enabled_events": [], "livemode": false, "metadata": {}, "status": "enabled", "url": "",
        "_secrets": [{ "secret": secret, "until": null }],
    });
    merge(&mut endpoint, &call.params, &["url", "enabled_events", "api_version", "description"]);
    account.make("webhook_endpoint", endpoint.clone());
    // The one time at which the secret is told.
    let mut answer = shown(&endpoint);
    answer["secret"] = secret.into();
    Ok(answer)
}

fn check(sent: &Value) -> Result<(), Refusal> {
    if let Some(address) = sent["url"].as_str() {
        let readable = url::Url::parse(address).ok().filter(|url| url.has_host());
        if readable.is_none_or(|url| !["http", "https"].contains(&url.scheme())) {
            return Err(Refusal::invalid(format!("Invalid URL: {address}")).code("url_invalid").at("url"));
        }
    }
    let unreadable = |kind: &Value| kind != "*" && kind.as_str().is_none_or(|kind| !kind.contains('.'));
    match sent["enabled_events"].as_array() {
        Some(kinds) if kinds.is_empty() || kinds.iter().any(unreadable) => {
            Err(Refusal::invalid("enabled_events names event types, or * for all").at("enabled_events"))
        }
        _ => Ok(()),
    }
}

fn list(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    page(account, "webhook_endpoint", call, |_| true)
}

fn show(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    account.held("webhook_endpoint", &call.id).map(shown)
}

fn update(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    check(&call.params)?;
    account.held("webhook_endpoint", &call.id)?;
    Ok(shown(&account.change("webhook_endpoint", &call.id, |endpoint| {
        merge(endpoint, &call.params, &["url", "enabled_events", "description"]);
        if let Some(disabled) = call.params["disabled"].as_bool() {
            endpoint["status"] = if disabled { "disabled" } else { "enabled" }.into();
        }
    })))
}

fn delete(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    account.held("webhook_endpoint", &call.id)?;
    account.objects.remove("webhook_endpoint", &call.id);
    Ok(json!({ "id": call.id, "object": "webhook_endpoint", "deleted": true }))
}

/// Gives an endpoint a new secret, while the old one signs too until a moment.
pub(super) fn roll(account: &mut Account, id: &str, until: i64) -> Option<String> {
    account.objects.get("webhook_endpoint", id)?;
    let secret = format!("whsec_{}", account.chance::<32>());
    account.change("webhook_endpoint", id, |endpoint| {
        if let Some(secrets) = endpoint["_secrets"].as_array_mut() {
            secrets.iter_mut().filter(|held| held["until"].is_null()).for_each(|held| held["until"] = until.into());
            secrets.insert(0, json!({ "secret": secret, "until": null }));
        }
    });
    Some(secret)
}
