use std::collections::HashMap;
use std::sync::LazyLock;

use http::Method;
use serde_json::Value;

use crate::stripe::account::{Account, Call};
use crate::stripe::parameters::{Fields, notation};
use crate::stripe::refusal::Refusal;
use crate::stripe::{
    balance, checkout, credit_notes, customers, disputes, events, invoice_items, invoices, items, meters, payments,
    portal, prices, products, refunds, subscriptions, webhooks,
};

/// One operation, as it stands in its resource's table: method, path, permission, parameters, deed.
pub(super) type Route = (&'static str, &'static str, &'static str, &'static str, Run);

/// What carries an operation out.
pub(super) type Run = fn(&mut Account, &Call) -> Result<Value, Refusal>;

/// One operation that can be asked for.
#[derive(Debug)]
pub struct Operation {
    /// `GET`, `POST` or `DELETE`.
    pub method: &'static str,
    /// With `{id}` in it.
    pub path: &'static str,
    /// What it takes.
    pub parameters: Fields,
    pub(super) resource: &'static str,
    pub(super) run: Run,
}

/// Everything that can be asked for.
pub(super) static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    let tables: [&[Route]; 17] = [
        balance::ROUTES,
        checkout::ROUTES,
        credit_notes::ROUTES,
        customers::ROUTES,
        disputes::ROUTES,
        events::ROUTES,
        invoice_items::ROUTES,
        invoices::ROUTES,
        items::ROUTES,
        meters::ROUTES,
        payments::ROUTES,
        portal::ROUTES,
        prices::ROUTES,
        products::ROUTES,
        refunds::ROUTES,
        subscriptions::ROUTES,
        webhooks::ROUTES,
    ];
    let routes = tables.into_iter().flatten();
    routes
        .map(|&(method, path, resource, parameters, run)| operation(method, path, resource, parameters, run))
        .collect()
});

fn operation(
    method: &'static str,
    path: &'static str,
    resource: &'static str,
    parameters: &'static str,
    run: Run,
) -> Operation {
    let mut fields = notation(parameters);
    // What is deleted is not shown any more, except for a subscription.
    if method != "DELETE" || path.starts_with("/v1/subscriptions") {
        fields.extend(notation("expand: [text]"));
    }
    if method == "GET" && !path.ends_with('}') && !path.ends_with("/search") && path != "/v1/account" {
        fields.extend(notation(crate::stripe::listing::PAGES));
    }
    Operation { method, path, parameters: fields, resource, run }
}

/// The operation of a request, and what stands for `{id}`.
pub(super) fn find(method: &Method, path: &str) -> Option<(&'static Operation, String)> {
    static BY_METHOD: LazyLock<HashMap<&'static str, Vec<&'static Operation>>> = LazyLock::new(|| {
        let mut map: HashMap<_, Vec<_>> = HashMap::new();
        for operation in OPERATIONS.iter() {
            map.entry(operation.method).or_default().push(operation);
        }
        map
    });
    let operations = BY_METHOD.get(method.as_str())?;
    // A path without `{id}` comes first: `…/search` is no customer.
    let plain = operations.iter().find(|operation| operation.path == path);
    if let Some(operation) = plain {
        return Some((*operation, String::new()));
    }
    operations.iter().find_map(|operation| Some((*operation, id(operation.path, path)?)))
}

fn id(template: &str, path: &str) -> Option<String> {
    let (head, tail) = template.split_once("{id}")?;
    let id = path.strip_prefix(head)?.strip_suffix(tail)?;
    (!id.is_empty() && !id.contains('/')).then(|| id.to_owned())
}
