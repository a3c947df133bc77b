use serde_json::Value;

use crate::stripe::account::Account;
use crate::stripe::listing::whole;
use crate::stripe::objects::{shown, word};
use crate::stripe::refusal::Refusal;

/// As many levels as the real Stripe goes.
const DEEPEST: usize = 4;

/// Puts whole things where the answer has only their ids.
pub(super) fn expand(account: &Account, answer: &mut Value, paths: &Value) -> Result<(), Refusal> {
    for path in paths.as_array().into_iter().flatten().filter_map(Value::as_str) {
        let names: Vec<&str> = path.split('.').collect();
        if names.len() > DEEPEST || !descend(account, answer, &names) {
            return Err(Refusal::invalid(format!("This property cannot be expanded ({path})")).at("expand"));
        }
    }
    Ok(())
}

/// Whether there is something of that name to expand.
fn descend(account: &Account, place: &mut Value, names: &[&str]) -> bool {
    let Some((name, rest)) = names.split_first() else { return true };
    if let Value::Array(list) = place {
        return list.iter_mut().all(|inner| descend(account, inner, names));
    }
    if let Some(extra) = extra(account, place, name) {
        place[*name] = extra;
    }
    let Some(inner) = place.get_mut(*name) else { return false };
    if let Some(whole) = inner.as_str().and_then(|id| account.objects.find(id)) {
        *inner = shown(whole);
    }
    // Nothing is there to be expanded, which is no mistake of the caller.
    inner.is_null() || descend(account, inner, rest)
}

/// What answers hold only when it is asked for.
fn extra(account: &Account, place: &Value, name: &str) -> Option<Value> {
    let id = word(place, "id");
    match (word(place, "object"), name) {
        ("checkout.session", "line_items") => Some(account.objects.get("checkout.session", id)?["_line_items"].clone()),
        ("invoice", "payments") => {
            let payments = account.objects.all("invoice_payment").filter(|payment| payment["invoice"] == id);
            let payments: Vec<Value> = payments.map(shown).collect();
            Some(whole(&format!("/v1/invoice_payments?invoice={id}"), &payments))
        }
        ("customer", "subscriptions") => {
            let theirs: Vec<Value> = account.of_customer("subscription", id).map(shown).collect();
            Some(whole(&format!("/v1/customers/{id}/subscriptions"), &theirs))
        }
        _ => None,
    }
}
