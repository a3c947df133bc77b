use serde_json::{Value, json};

use crate::stripe::account::{Account, Call};
use crate::stripe::events::emit;
use crate::stripe::listing::page;
use crate::stripe::objects::{merge, word};
use crate::stripe::refusal::Refusal;
use crate::stripe::routes::Route;

pub(super) const ROUTES: &[Route] = &[
    ("POST", "/v1/billing_portal/sessions", "billing_portal", SESSION, open),
    ("POST", "/v1/billing_portal/configurations", "billing_portal", NEW, configure),
    ("GET", "/v1/billing_portal/configurations", "billing_portal", "active: flag, is_default: flag", list),
    ("GET", "/v1/billing_portal/configurations/{id}", "billing_portal", "", show),
    ("POST", "/v1/billing_portal/configurations/{id}", "billing_portal", CHANGED, update),
];

const SESSION: &str = "customer, configuration, return_url, locale, flow_data: {type!: =payment_method_update\
    |subscription_cancel|subscription_update, subscription_cancel: {subscription!}, \
    subscription_update: {subscription!}, after_completion: {type!: =hosted_confirmation|portal_homepage|redirect, \
    redirect: {return_url!}}}";
const NEW: &str = "features!: {customer_update: {enabled!: flag, allowed_updates: [text]}, \
    invoice_history: {enabled!: flag}, payment_method_update: {enabled!: flag}, \
    subscription_cancel: {enabled!: flag, mode: =at_period_end|immediately, \
    proration_behavior: =none|create_prorations|always_invoice, \
    cancellation_reason: {enabled!: flag, options!: [text]}}, subscription_update: {enabled!: flag}}, \
    business_profile: {headline, privacy_policy_url, terms_of_service_url}, default_return_url, metadata: map, name";
const CHANGED: &str = "active: flag, features: {customer_update: {enabled: flag, allowed_updates: [text]}, \
    invoice_history: {enabled!: flag}, payment_method_update: {enabled!: flag}, \
    subscription_cancel: {enabled: flag, mode: =at_period_end|immediately, \
    proration_behavior: =none|create_prorations|always_invoice, \
    cancellation_reason: {enabled!: flag, options: [text]}}, subscription_update: {enabled: flag}}, \
    business_profile: {headline, privacy_policy_url, terms_of_service_url}, default_return_url, metadata: map, name";

/// The configuration that the operator would have saved in the dashboard.
const USUAL: &str = "bpc_usual";

fn open(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    let Some(customer) = sent["customer"].as_str() else {
        return Err(Refusal::invalid("Missing required param: customer.").code("parameter_missing").at("customer"));
    };
    account.customer(customer)?;
    if let Some(configuration) = sent["configuration"].as_str() {
        account.named("billing_portal.configuration", configuration, "configuration")?;
    } else if !account.settings.portal_configured {
        let message = "The portal has no default configuration yet: save one in the dashboard, or send configuration";
        return Err(Refusal::invalid(message).at("configuration"));
    }
    for flow in ["subscription_cancel", "subscription_update"] {
        if let Some(subscription) = sent["flow_data"][flow]["subscription"].as_str() {
            account.named("subscription", subscription, &format!("flow_data[{flow}][subscription]"))?;
        }
    }
    let id = account.id("bps");
    let secret = account.chance::<40>();
    let flow = sent["flow_data"]["type"].as_str().map(|kind| flow(kind, &sent["flow_data"]));
    let session = json!({
        "id": id, "object": "billing_portal.session",
        "configuration": sent["configuration"].as_str().unwrap_or(USUAL), "created": account.now,
        "customer": customer, "flow": flow, "livemode": false, "locale": sent["locale"], "on_behalf_of": null,
        "return_url": sent["return_url"], "url": format!("{}/p/session/{secret}", account.pages), "_secret": secret,
    });
    account.make("billing_portal.session", session.clone());
    emit(account, "billing_portal.session.created", &session, None);
    Ok(crate::stripe::objects::shown(&session))
}

fn flow(kind: &str, sent: &Value) -> Value {
    let after = &sent["after_completion"];
    let mut flow = json!({
        "type": kind, "subscription_cancel": null, "subscription_update": null, "subscription_update_confirm": null,
        "after_completion": {
            "type": after["type"].as_str().unwrap_or("portal_homepage"), "hosted_confirmation": null,
            "redirect": after["redirect"],
        },
    });
    if sent["subscription_cancel"].is_object() {
        flow["subscription_cancel"] =
            json!({ "subscription": sent["subscription_cancel"]["subscription"], "retention": null });
    }
    if sent["subscription_update"].is_object() {
        flow["subscription_update"] = sent["subscription_update"].clone();
    }
    flow
}

fn configure(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let id = account.id("bpc");
    let mut configuration = json!({
        "id": id, "object": "billing_portal.configuration", "active": true, "application": null,
        "business_profile": { "headline": null, "privacy_policy_url": null, "terms_of_service_url": null },
        "created": account.now, "default_return_url": null, "is_default": false, "livemode": false,
        "login_page": { "enabled": false, "url": null }, "metadata": {}, "name": null, "updated": account.now,
        "features": {
            "customer_update": { "allowed_updates": [], "enabled": false }, "invoice_history": { "enabled": false },
            "payment_method_update": { "enabled": false, "payment_method_configuration": null },
            "subscription_cancel": {
                "cancellation_reason": { "enabled": false, "options": [] }, "enabled": false,
                "mode": "at_period_end", "proration_behavior": "none",
            },
            "subscription_update": {
                "billing_cycle_anchor": null, "default_allowed_updates": [], "enabled": false,
                "proration_behavior": "none",
            },
        },
    });
    apply(&mut configuration, &call.params);
    account.make("billing_portal.configuration", configuration.clone());
    emit(account, "billing_portal.configuration.created", &configuration, None);
    Ok(configuration)
}

fn apply(configuration: &mut Value, sent: &Value) {
    merge(configuration, sent, &["active", "default_return_url", "name"]);
    for (name, value) in sent["business_profile"].as_object().into_iter().flatten() {
        configuration["business_profile"][name] = value.clone();
    }
    for (feature, fields) in sent["features"].as_object().into_iter().flatten() {
        for (name, value) in fields.as_object().into_iter().flatten() {
            configuration["features"][feature][name] = value.clone();
        }
    }
}

fn update(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    account.held("billing_portal.configuration", &call.id)?;
    let now = account.now;
    let configuration = account.change("billing_portal.configuration", &call.id, |configuration| {
        apply(configuration, &call.params);
        configuration["updated"] = now.into();
    });
    emit(account, "billing_portal.configuration.updated", &configuration, None);
    Ok(configuration)
}

fn show(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    account.held("billing_portal.configuration", &call.id).cloned()
}

fn list(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    page(account, "billing_portal.configuration", call, |configuration| {
        ["active", "is_default"].iter().all(|name| sent[*name].is_null() || sent[*name] == configuration[*name])
    })
}

/// The portal's session behind a page.
pub(super) fn behind<'a>(account: &'a Account, secret: &str) -> Option<&'a Value> {
    let mut sessions = account.objects.all("billing_portal.session").rev();
    sessions.find(|session| word(session, "_secret") == secret)
}
