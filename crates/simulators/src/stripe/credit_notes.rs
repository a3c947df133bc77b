use serde_json::{Value, json};

use crate::stripe::account::{Account, Call};
use crate::stripe::collection;
use crate::stripe::events::emit;
use crate::stripe::listing::{page, whole};
use crate::stripe::objects::{merge, number, word};
use crate::stripe::refunds;
use crate::stripe::refusal::Refusal;
use crate::stripe::routes::Route;

pub(super) const ROUTES: &[Route] = &[
    ("POST", "/v1/credit_notes", "credit_note", NEW, create),
    ("GET", "/v1/credit_notes", "credit_note", "customer, invoice, created: range", list),
    ("GET", "/v1/credit_notes/{id}", "credit_note", "", show),
];

const NEW: &str = "invoice!, amount: integer, refund_amount: integer, out_of_band_amount: integer, memo, \
    metadata: map, reason: =duplicate|fraudulent|order_change|product_unsatisfactory";

fn create(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    let invoice = account.named("invoice", word(sent, "invoice"), "invoice")?.clone();
    let (given, elsewhere) = (number(sent, "refund_amount"), number(sent, "out_of_band_amount"));
    let Some(amount) = sent["amount"].as_i64().or((given + elsewhere > 0).then_some(given + elsewhere)) else {
        return Err(Refusal::invalid("Missing required param: amount.").code("parameter_missing").at("amount"));
    };
    let already =
        number(&invoice, "pre_payment_credit_notes_amount") + number(&invoice, "post_payment_credit_notes_amount");
    if !(1..=number(&invoice, "total") - already).contains(&amount) {
        return Err(Refusal::invalid("The amount is nothing, or more than the invoice still has").at("amount"));
    }
    let paid = match word(&invoice, "status") {
        "paid" => true,
        "open" => false,
        status => {
            return Err(Refusal::invalid(format!("An invoice that is {status} takes no credit note")).at("invoice"));
        }
    };
    if paid && given + elsewhere != amount {
        let message = "On a paid invoice, refund_amount and out_of_band_amount must come to the amount";
        return Err(Refusal::invalid(message).at("refund_amount"));
    }
    let mut refunded = Vec::new();
    if paid && given > 0 {
        let intent = account.objects.get("payment_intent", word(&invoice, "_payment_intent"));
        let charge = intent.map(|intent| word(intent, "latest_charge").to_owned()).unwrap_or_default();
        let refund = refunds::refund(account, &charge, given, &Value::Null)?;
        refunded.push(json!({ "amount_refunded": given, "refund": refund["id"], "type": "refund" }));
    }
    let note = build(account, sent, &invoice, amount, paid, &refunded);
    account.make("credit_note", note.clone());
    apply(account, &invoice, amount, paid);
    emit(account, "credit_note.created", &note, None);
    Ok(note)
}

fn build(account: &Account, sent: &Value, invoice: &Value, amount: i64, paid: bool, refunds: &[Value]) -> Value {
    let id = account.id("cn");
    let earlier = account.objects.all("credit_note").filter(|note| note["invoice"] == invoice["id"]).count();
    let mut note = json!({
        "id": id, "object": "credit_note", "amount": amount, "amount_shipping": 0, "created": account.now,
        "currency": invoice["currency"], "customer": invoice["customer"], "customer_balance_transaction": null,
        "discount_amount": 0, "discount_amounts": [], "effective_at": account.now, "invoice": invoice["id"],
        "lines": whole(&format!("/v1/credit_notes/{id}/lines"), &[]), "livemode": false, "memo": null,
        "metadata": {}, "number": format!("{}-CN-{:02}", word(invoice, "number"), earlier + 1),
        "out_of_band_amount": null, "pdf": format!("{}/cn/{id}/pdf", account.pages),
        "post_payment_amount": if paid { amount } else { 0 }, "pre_payment_amount": if paid { 0 } else { amount },
        "pretax_credit_amounts": [], "reason": null, "refunds": refunds, "shipping_cost": null, "status": "issued",
        "subtotal": amount, "subtotal_excluding_tax": amount, "total": amount, "total_excluding_tax": amount,
        "total_taxes": [], "type": if paid { "post_payment" } else { "pre_payment" }, "voided_at": null,
    });
    merge(&mut note, sent, &["memo", "reason", "out_of_band_amount"]);
    note
}

fn apply(account: &mut Account, invoice: &Value, amount: i64, paid: bool) {
    let id = word(invoice, "id");
    let invoice = account.change("invoice", id, |invoice| {
        let name = if paid { "post_payment_credit_notes_amount" } else { "pre_payment_credit_notes_amount" };
        invoice[name] = (number(invoice, name) + amount).into();
        if !paid {
            invoice["amount_due"] = (number(invoice, "amount_due") - amount).into();
            invoice["amount_remaining"] = (number(invoice, "amount_remaining") - amount).into();
        }
    });
    if !paid && number(&invoice, "amount_remaining") == 0 {
        collection::paid(account, id);
    }
}

fn list(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    page(account, "credit_note", call, |note| {
        ["customer", "invoice"].iter().all(|name| sent[*name].is_null() || sent[*name] == note[*name])
    })
}

fn show(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    account.held("credit_note", &call.id).cloned()
}
