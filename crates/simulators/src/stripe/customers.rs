use serde_json::{Value, json};

use crate::stripe::account::{Account, Call};
use crate::stripe::events::{self, emit};
use crate::stripe::listing::page;
use crate::stripe::objects::{merge, shown, word};
use crate::stripe::refusal::Refusal;
use crate::stripe::routes::Route;
use crate::stripe::subscriptions::{self, ENDED};

pub(super) const ROUTES: &[Route] = &[
    ("POST", "/v1/customers", "customer", NEW, create),
    ("GET", "/v1/customers", "customer", "created: range, email", list),
    ("GET", "/v1/customers/search", "customer", "query!, limit: integer, page", search),
    ("GET", "/v1/customers/{id}", "customer", "", show),
    ("POST", "/v1/customers/{id}", "customer", CHANGED, update),
    ("DELETE", "/v1/customers/{id}", "customer", "", delete),
    ("GET", "/v1/customers/{id}/payment_methods", "payment_method", "type: =card", payment_methods),
];

const NEW: &str = "email, name, description, phone, business_name, individual_name, payment_method, metadata: map, \
    preferred_locales: [text], tax_exempt: =none|exempt|reverse, \
    address: {city, country, line1, line2, postal_code, state}, invoice_settings: {default_payment_method, footer}";
const CHANGED: &str = "email, name, description, phone, business_name, individual_name, metadata: map, \
    preferred_locales: [text], tax_exempt: =none|exempt|reverse, \
    address: {city, country, line1, line2, postal_code, state}, invoice_settings: {default_payment_method, footer}";
const PLAIN: &[&str] =
    &["email", "name", "description", "phone", "business_name", "individual_name", "preferred_locales", "tax_exempt"];
const ADDRESS: &[&str] = &["city", "country", "line1", "line2", "postal_code", "state"];

fn create(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    Ok(shown(&make(account, &call.params)?))
}

/// Makes a customer, for the API or for a checkout.
pub(super) fn make(account: &mut Account, sent: &Value) -> Result<Value, Refusal> {
    check_email(sent)?;
    let id = account.id("cus");
    let mut customer = json!({
        "id": id, "object": "customer", "address": null, "balance": 0, "created": account.now, "currency": null,
        "default_source": null, "delinquent": false, "description": null, "email": null,
        "invoice_prefix": account.chance::<8>().to_ascii_uppercase(),
        "invoice_settings": { "custom_fields": null, "default_payment_method": null, "footer": null,
                              "rendering_options": null },
        "livemode": false, "metadata": {}, "name": null, "next_invoice_sequence": 1, "phone": null,
        "preferred_locales": [], "shipping": null, "tax_exempt": "none", "test_clock": null,
    });
    apply(&mut customer, sent);
    account.make("customer", customer.clone());
    emit(account, "customer.created", &customer, None);
    Ok(customer)
}

fn apply(customer: &mut Value, sent: &Value) {
    merge(customer, sent, PLAIN);
    if let Some(address) = sent.get("address") {
        let whole = ADDRESS.iter().map(|name| ((*name).to_owned(), address[*name].clone()));
        customer["address"] = if address.is_null() { Value::Null } else { whole.collect() };
    }
    for name in ["default_payment_method", "footer"] {
        if let Some(value) = sent["invoice_settings"].get(name) {
            customer["invoice_settings"][name] = value.clone();
        }
    }
}

fn check_email(sent: &Value) -> Result<(), Refusal> {
    match sent["email"].as_str() {
        Some(email) if !email.contains('@') || email.contains(' ') || email.len() > 512 => {
            let message = format!("Invalid email address: {email}");
            Err(Refusal::invalid(message).code("email_invalid").at("email"))
        }
        _ => Ok(()),
    }
}

fn show(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    if account.objects.get("deleted_customer", &call.id).is_some() {
        return Ok(json!({ "id": call.id, "object": "customer", "deleted": true }));
    }
    Ok(shown(account.held("customer", &call.id)?))
}

fn update(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    check_email(&call.params)?;
    account.held("customer", &call.id)?;
    if let Some(card) = call.params["invoice_settings"]["default_payment_method"].as_str() {
        let param = "invoice_settings[default_payment_method]";
        if word(account.named("payment_method", card, param)?, "customer") != call.id {
            return Err(Refusal::invalid(format!("{card} belongs to no or another customer")).at(param));
        }
    }
    Ok(shown(&events::update(account, "customer", &call.id, "customer.updated", |customer| {
        apply(customer, &call.params)
    })))
}

fn delete(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    account.held("customer", &call.id)?;
    let theirs = account.of_customer("subscription", &call.id);
    let running: Vec<String> = theirs
        .filter(|subscription| !ENDED.contains(&word(subscription, "status")))
        .map(|subscription| word(subscription, "id").to_owned())
        .collect();
    for subscription in running {
        subscriptions::end(account, &subscription, "cancellation_requested");
    }
    let deleted = json!({ "id": call.id, "object": "customer", "deleted": true });
    if let Some(customer) = account.objects.remove("customer", &call.id) {
        emit(account, "customer.deleted", &customer, None);
    }
    account.objects.put("deleted_customer", deleted.clone());
    Ok(deleted)
}

fn list(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let email = call.params["email"].as_str();
    page(account, "customer", call, |customer| email.is_none_or(|email| customer["email"] == email))
}

/// Understands one clause, `email:'…'`, `name:'…'` or `metadata['…']:'…'`, and is up to date, which
/// the real search isn't.
fn search(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let query = word(&call.params, "query");
    let unreadable = || Refusal::invalid("This simulator searches for one clause, such as email:'a@b.c'").at("query");
    let (field, wanted) = query.split_once(':').ok_or_else(unreadable)?;
    let unquote = |text: &str| text.trim().trim_matches(['\'', '"']).to_owned();
    let wanted = unquote(wanted);
    let inner = field.trim().strip_prefix("metadata[").and_then(|rest| rest.strip_suffix(']')).map(unquote);
    let limit = usize::try_from(call.params["limit"].as_i64().unwrap_or(10)).unwrap_or(10).min(100);
    let fits = |customer: &&Value| match &inner {
        Some(name) => customer["metadata"][name] == wanted.as_str(),
        None => customer[field.trim()] == wanted.as_str(),
    };
    let found = account.objects.all("customer").rev().filter(fits).take(limit).map(shown).collect::<Vec<_>>();
    Ok(json!({ "object": "search_result", "url": call.path, "has_more": false, "next_page": null, "data": found }))
}

fn payment_methods(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    account.held("customer", &call.id)?;
    page(account, "payment_method", call, |card| word(card, "customer") == call.id)
}
