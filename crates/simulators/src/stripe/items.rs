use serde_json::Value;

use crate::stripe::account::{Account, Call};
use crate::stripe::listing::whole;
use crate::stripe::objects::word;
use crate::stripe::refusal::Refusal;
use crate::stripe::routes::Route;

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/v1/subscription_items", "subscription", "subscription!", list),
    ("GET", "/v1/subscription_items/{id}", "subscription", "", show),
];

fn list(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let subscription = account.named("subscription", word(&call.params, "subscription"), "subscription")?;
    Ok(whole(&call.path, subscription["items"]["data"].as_array().map_or(&[], Vec::as_slice)))
}

fn show(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let subscriptions = account.objects.all("subscription");
    let mut items = subscriptions.flat_map(|held| held["items"]["data"].as_array().into_iter().flatten());
    let item = items.find(|item| word(item, "id") == call.id);
    item.cloned().ok_or_else(|| Refusal::missing("subscription_item", &call.id))
}
