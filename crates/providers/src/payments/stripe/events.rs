use domain::InstanceId;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::objects::{INSTANCE, INVOICE, moment};
use super::{Event, NotGenuine, Stripe};
use crate::ProviderError;

/// What to be told of.
pub const KINDS: [&str; 27] = [
    "checkout.session.completed",
    "checkout.session.expired",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "invoice.created",
    "invoice.finalized",
    "invoice.finalization_failed",
    "invoice.paid",
    "invoice.payment_failed",
    "invoice.payment_action_required",
    "invoice.marked_uncollectible",
    "invoice.upcoming",
    "charge.refunded",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "charge.dispute.closed",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "customer.updated",
    "payment_method.attached",
];

/// Stripe takes no more kinds than that in one question.
const KINDS_AT_ONCE: usize = 20;

#[derive(Deserialize)]
struct Head {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    created: i64,
    #[serde(default)]
    data: Data,
}

#[derive(Default, Deserialize)]
struct Data {
    #[serde(default)]
    object: Value,
}

impl Stripe {
    /// What Stripe says since a moment, oldest first. It looks back 30 days.
    pub(super) async fn all_events(&self, since: Timestamp) -> Result<Vec<Event>, ProviderError> {
        let mut all: Vec<Value> = Vec::new();
        for kinds in KINDS.chunks(KINDS_AT_ONCE) {
            let query = json!({ "created": { "gte": since.as_second() }, "types": kinds });
            let mut found: Vec<Value> = self.rest.list("GET /v1/events", "/v1/events", &query).await?;
            found.reverse();
            all.extend(found);
        }
        all.sort_by_key(|event| event["created"].as_i64());
        let unread = |error: NotGenuine| ProviderError::unavailable("reading Stripe's events", error);
        all.iter().map(|event| read(event.to_string().as_bytes()).map_err(unread)).collect()
    }
}

/// Reads an event whose sender is known.
///
/// # Errors
/// When it has not the form of one.
pub(super) fn read(body: &[u8]) -> Result<Event, NotGenuine> {
    let head: Head =
        serde_json::from_slice(body).map_err(|error| NotGenuine(format!("it is not an event of Stripe's: {error}")))?;
    Ok(Event {
        id: head.id,
        kind: head.kind,
        created_at: moment(head.created),
        instance: instance(&head.data.object),
        invoice: head.data.object["metadata"][INVOICE].as_str().map(str::to_owned),
        dispute: id_of(&head.data.object, "dispute"),
        repaid: repaid(&head.data.object),
        body: String::from_utf8_lossy(body).into_owned(),
    })
}

fn id_of(object: &Value, kind: &str) -> Option<String> {
    let id = object["id"].as_str().filter(|_| object["object"] == kind);
    id.map(str::to_owned)
}

/// The payment of which a refund, or a charge that was refunded, tells.
fn repaid(object: &Value) -> Option<String> {
    let tells = object["object"] == "refund"
        || (object["object"] == "charge" && object["amount_refunded"].as_i64().is_some_and(|amount| amount > 0));
    object["payment_intent"].as_str().filter(|_| tells).map(str::to_owned)
}

/// The mark of the object itself, or of the subscription that an invoice is for.
fn instance(object: &Value) -> Option<InstanceId> {
    let marks = [
        &object["metadata"][INSTANCE],
        &object["parent"]["subscription_details"]["metadata"][INSTANCE],
        &object["client_reference_id"],
    ];
    marks.into_iter().find_map(|mark| InstanceId::parse(mark.as_str()?).ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    const ID: &str = "ins_01kaxg9h800000000000000001";

    fn read_with(object: &Value) -> Event {
        let event = json!({ "id": "evt_1", "type": "some.kind", "created": 5, "data": { "object": object } });
        read(event.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn the_instance_is_found_by_any_of_our_marks() {
        let id = InstanceId::new(Timestamp::UNIX_EPOCH, [1; 10]);
        let text = id.to_string();
        for object in [
            json!({ "metadata": { "spinoff_instance": text } }),
            json!({ "client_reference_id": text, "metadata": {} }),
            json!({ "parent": { "subscription_details": { "metadata": { "spinoff_instance": text } } } }),
        ] {
            assert_eq!(read_with(&object).instance, Some(id), "{object}");
        }
        for object in [json!({}), json!({ "client_reference_id": "order 5" }), json!({ "metadata": { "tenant": ID } })]
        {
            assert_eq!(read_with(&object).instance, None, "{object}");
        }
    }

    #[test]
    fn disputes_and_repaid_payments_are_named() {
        let event = read_with(&json!({ "object": "dispute", "id": "dp_1", "payment_intent": "pi_1" }));
        assert_eq!((event.dispute.as_deref(), event.repaid), (Some("dp_1"), None));
        for (object, repaid) in [
            (json!({ "object": "refund", "id": "re_1", "payment_intent": "pi_1" }), Some("pi_1")),
            (json!({ "object": "charge", "payment_intent": "pi_1", "amount_refunded": 5 }), Some("pi_1")),
            (json!({ "object": "charge", "payment_intent": "pi_1", "amount_refunded": 0 }), None),
            (json!({ "object": "refund", "id": "re_1", "payment_intent": null }), None),
        ] {
            let event = read_with(&object);
            assert_eq!((event.dispute, event.repaid.as_deref()), (None, repaid), "{object}");
        }
    }

    #[test]
    fn an_unknown_kind_is_read_and_something_else_is_refused() {
        let event = read_with(&json!({}));
        assert_eq!((event.kind.as_str(), event.created_at.as_second()), ("some.kind", 5));
        for body in ["", "{}", "[]", "{\"id\":\"evt_1\"}"] {
            assert!(read(body.as_bytes()).unwrap_err().to_string().starts_with("it is not an event"), "{body}");
        }
    }
}
