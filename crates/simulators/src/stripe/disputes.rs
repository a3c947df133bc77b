//! Payments that a bank questions. What the bank decides is a test's to say, past the API.

use serde_json::{Value, json};

use crate::stripe::account::{Account, Call};
use crate::stripe::balance::{self, Movement};
use crate::stripe::events::{self, emit};
use crate::stripe::inspection::Money;
use crate::stripe::listing::page;
use crate::stripe::objects::{number, word};
use crate::stripe::refusal::Refusal;
use crate::stripe::routes::Route;
use crate::stripe::{Stripe, evidence};

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/v1/disputes", "dispute", "charge, payment_intent, created: range", list),
    ("GET", "/v1/disputes/{id}", "dispute", "", show),
];

/// What the account pays for each dispute that takes money, won or lost.
pub const DISPUTE_FEE: Money = 1500;
/// So long evidence is waited for, in seconds.
const EVIDENCE_TIME: i64 = 20 * 86_400;

/// What a bank questions.
#[derive(Debug, Clone, Copy)]
pub struct Doubt {
    /// The network's reason, such as `fraudulent` or `product_not_received`.
    pub reason: &'static str,
    /// How much of the payment; all of it where nothing is given.
    pub amount: Option<Money>,
    /// Whether the bank only asks, and takes nothing yet.
    pub inquiry: bool,
    /// In another currency than the payment's, as no bank should; in its own where nothing is given.
    pub currency: Option<&'static str>,
}

impl Doubt {
    /// The holder of the card says that it was not them who paid.
    pub const FRAUDULENT: Self = Self { reason: "fraudulent", amount: None, inquiry: false, currency: None };
}

/// How a dispute goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The operator answered in the dashboard, and the bank looks at that.
    Answered,
    /// What was a question takes the money after all.
    Escalated,
    /// The bank is content with the answer to its question.
    Settled,
    /// The bank returns the money. One that was lost may be won later.
    Won,
    /// The bank keeps the money.
    Lost,
}

impl Stripe {
    /// A customer's bank questions a payment that was made. The dispute's id.
    ///
    /// # Errors
    /// When there is no such charge, or less is left of it than is questioned.
    pub fn dispute(&self, charge: &str, doubt: Doubt) -> Result<String, String> {
        open(&mut self.account(), charge, doubt)
    }

    /// A dispute goes on. One that is over stays as it is, but that a lost one may be won.
    pub fn settle_dispute(&self, dispute: &str, turn: Turn) {
        go_on(&mut self.account(), dispute, turn);
    }

    /// Every dispute, oldest first.
    pub fn disputes(&self) -> Vec<Value> {
        self.all("dispute")
    }

    /// The payments that went through, oldest first, by their ids.
    pub fn charges(&self) -> Vec<String> {
        let made = self.all("charge").into_iter().filter(|charge| charge["status"] == "succeeded");
        made.map(|charge| word(&charge, "id").to_owned()).collect()
    }
}

fn open(account: &mut Account, charge: &str, doubt: Doubt) -> Result<String, String> {
    let held = account.objects.get("charge", charge).cloned().ok_or(format!("there is no charge {charge}"))?;
    let of_charge = account.objects.all("dispute").filter(|dispute| dispute["charge"] == charge);
    let questioned: Money = of_charge.map(|dispute| number(dispute, "amount")).sum();
    let left = number(&held, "amount_captured") - questioned;
    let amount = doubt.amount.unwrap_or(left);
    if !(1..=left).contains(&amount) {
        return Err(format!("{left} are left of {charge} to be questioned, not {amount}"));
    }
    let id = account.id("dp");
    let status = if doubt.inquiry { "warning_needs_response" } else { "needs_response" };
    let dispute = json!({
        "id": id, "object": "dispute", "amount": amount, "balance_transactions": [], "charge": charge,
        "created": account.now, "currency": doubt.currency.map_or(held["currency"].clone(), Value::from),
        "enhanced_eligibility_types": [],
        "evidence": evidence::nothing(), "evidence_details": {
            "due_by": account.now + EVIDENCE_TIME, "enhanced_eligibility": {}, "has_evidence": false,
            "past_due": false, "submission_count": 0, "submission_method": "not_submitted",
        },
        "intended_submission_method": null, "is_charge_refundable": doubt.inquiry, "livemode": false, "metadata": {},
        "network_reason_code": null, "payment_intent": held["payment_intent"],
        "payment_method_details": { "type": "card", "card": {
            "brand": "visa", "case_type": if doubt.inquiry { "inquiry" } else { "chargeback" }, "network": "visa",
            "network_reason_code": "13.1",
        } },
        "reason": doubt.reason, "status": status,
    });
    account.make("dispute", dispute);
    account.change("charge", charge, |charge| charge["disputed"] = true.into());
    if !doubt.inquiry {
        move_money(account, &id, -amount, DISPUTE_FEE);
    }
    tell(account, &id, "charge.dispute.created");
    if !doubt.inquiry {
        tell(account, &id, "charge.dispute.funds_withdrawn");
    }
    Ok(id)
}

fn go_on(account: &mut Account, id: &str, turn: Turn) {
    let Some(dispute) = account.objects.get("dispute", id).cloned() else { return };
    let (status, amount) = (word(&dispute, "status").to_owned(), number(&dispute, "amount"));
    let asks = status.starts_with("warning");
    let over = ["won", "lost", "warning_closed"].contains(&status.as_str());
    match turn {
        Turn::Answered if !over => {
            let next = if asks { "warning_under_review" } else { "under_review" };
            events::update(account, "dispute", id, "charge.dispute.updated", |dispute| {
                dispute["status"] = next.into();
                dispute["evidence_details"]["has_evidence"] = true.into();
                dispute["evidence_details"]["submission_count"] = 1.into();
                dispute["evidence_details"]["submission_method"] = "manual".into();
            });
        }
        Turn::Escalated if asks && !over => {
            move_money(account, id, -amount, DISPUTE_FEE);
            events::update(account, "dispute", id, "charge.dispute.updated", |dispute| {
                dispute["status"] = "needs_response".into();
                dispute["is_charge_refundable"] = false.into();
                dispute["payment_method_details"]["card"]["case_type"] = "chargeback".into();
            });
            tell(account, id, "charge.dispute.funds_withdrawn");
        }
        Turn::Settled if asks && !over => close(account, id, "warning_closed"),
        Turn::Won if !asks && status != "won" => {
            move_money(account, id, amount, 0);
            close(account, id, "won");
            tell(account, id, "charge.dispute.funds_reinstated");
        }
        Turn::Lost if !asks && !over => close(account, id, "lost"),
        _ => {}
    }
}

fn close(account: &mut Account, id: &str, status: &str) {
    account.change("dispute", id, |dispute| dispute["status"] = status.into());
    tell(account, id, "charge.dispute.closed");
}

fn move_money(account: &mut Account, id: &str, amount: Money, fee: Money) {
    let Some(dispute) = account.objects.get("dispute", id).cloned() else { return };
    let category = if amount < 0 { "dispute" } else { "dispute_reversal" };
    let entry = balance::book(account, &Movement { kind: "adjustment", category, amount, fee }, &dispute);
    let Some(moved) = account.objects.get("balance_transaction", &entry).cloned() else { return };
    account.change("dispute", id, |dispute| {
        if let Some(all) = dispute["balance_transactions"].as_array_mut() {
            all.push(moved);
        }
    });
}

fn tell(account: &mut Account, id: &str, kind: &str) {
    if let Some(dispute) = account.objects.get("dispute", id).cloned() {
        emit(account, kind, &dispute, None);
    }
}

/// Whether a bank holds this payment, or keeps it, so that it can't be given back as well.
pub(super) fn is_held(account: &Account, charge: &str) -> bool {
    let holding = ["needs_response", "under_review", "lost"];
    let mut of_charge = account.objects.all("dispute").filter(|dispute| dispute["charge"] == charge);
    of_charge.any(|dispute| holding.contains(&word(dispute, "status")))
}

fn list(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    let sent = &call.params;
    page(account, "dispute", call, |dispute| {
        ["charge", "payment_intent"].iter().all(|name| sent[*name].is_null() || sent[*name] == dispute[*name])
    })
}

fn show(account: &mut Account, call: &Call) -> Result<Value, Refusal> {
    account.held("dispute", &call.id).cloned()
}
