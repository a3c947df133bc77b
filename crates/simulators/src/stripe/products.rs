use serde_json::{Value, json};

use crate::stripe::account::{Account, Call};
use crate::stripe::events::{self, emit};
use crate::stripe::listing::page;
use crate::stripe::objects::{merge, word};
use crate::stripe::refusal::Refusal;
use crate::stripe::routes::Route;

pub(super) const ROUTES: &[Route] = &[
    ("POST", "/v1/products", "product", NEW, create),
    ("GET", "/v1/products", "product", "active: flag, created: range, ids: [text]", list),
    ("GET", "/v1/products/{id}", "product", "", show),
    ("POST", "/v1/products/{id}", "product", CHANGED, update),
    ("DELETE", "/v1/products/{id}", "product", "", delete),
];

const NEW: &str =
    "name!, id, active: flag, description, metadata: map, tax_code, unit_label, statement_descriptor, url";
const CHANGED: &str =
    "name, active: flag, default_price, description, metadata: map, tax_code, unit_label, statement_descriptor, url";
const PLAIN: &[&str] =
    &["name", "active", "default_price", "description", "tax_code", "unit_label", "statement_descriptor", "url"];

fn create(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let id = call.params["id"].as_str().map_or_else(|| account.id("prod"), str::to_owned);
    if account.objects.get("product", &id).is_some() {
        return Err(Refusal::invalid(format!("Product already exists: {id}")).code("resource_already_exists").at("id"));
    }
    let mut product = json!({
        "id": id, "object": "product", "active": true, "created": account.now, "default_price": null,
        "description": null, "images": [], "livemode": false, "marketing_features": [], "metadata": {},
        "name": null, "package_dimensions": null, "shippable": null, "statement_descriptor": null,
        "tax_code": null, "tax_details": null, "type": "service", "unit_label": null, "updated": account.now, "url": null,
    });
    merge(&mut product, &call.params, PLAIN);
    account.make("product", product.clone());
    emit(account, "product.created", &product, None);
    Ok(product)
}

fn show(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    account.held("product", &call.id).cloned()
}

fn update(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    account.held("product", &call.id)?;
    if let Some(price) = call.params["default_price"].as_str() {
        account.named("price", price, "default_price")?;
    }
    let now = account.now;
    Ok(events::update(account, "product", &call.id, "product.updated", |product| {
        merge(product, &call.params, PLAIN);
        product["updated"] = now.into();
    }))
}

fn delete(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    account.held("product", &call.id)?;
    if account.objects.all("price").any(|price| word(price, "product") == call.id) {
        return Err(Refusal::invalid("A product with prices can't be deleted; set active to false instead"));
    }
    if let Some(product) = account.objects.remove("product", &call.id) {
        emit(account, "product.deleted", &product, None);
    }
    Ok(json!({ "id": call.id, "object": "product", "deleted": true }))
}

fn list(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let (active, ids) = (&call.params["active"], call.params["ids"].as_array());
    page(account, "product", call, |product| {
        (active.is_null() || product["active"] == *active) && ids.is_none_or(|ids| ids.contains(&product["id"]))
    })
}
