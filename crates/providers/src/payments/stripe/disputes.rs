//! Payments that banks question, and money that went back: read only. Nothing of it is believed from an event.

use domain::Cents;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::Stripe;
use super::objects::{CreditNote, Invoice, REFUND, moment};
use crate::ProviderError;
use crate::payments::{Dispute, DisputeState, Repayment, RepaymentState, Repayments};

const DISPUTES: &str = "/v1/disputes";
const REFUNDS: &str = "/v1/refunds";

#[derive(Debug, Deserialize)]
struct Questioned {
    id: String,
    amount: i64,
    currency: String,
    reason: String,
    status: String,
    created: i64,
    #[serde(default)]
    livemode: bool,
    #[serde(default)]
    payment_intent: Option<String>,
    #[serde(default)]
    evidence_details: EvidenceDetails,
    #[serde(default)]
    balance_transactions: Vec<Moved>,
}

#[derive(Debug, Default, Deserialize)]
struct EvidenceDetails {
    #[serde(default)]
    due_by: Option<i64>,
}

/// What a dispute did to the account, in the account's currency.
#[derive(Debug, Deserialize)]
struct Moved {
    amount: i64,
    currency: String,
    #[serde(default)]
    fee: i64,
}

#[derive(Debug, Deserialize)]
struct GivenBack {
    id: String,
    amount: i64,
    currency: String,
    created: i64,
    status: Option<String>,
    #[serde(default)]
    payment_intent: Option<String>,
}

/// Which invoice a payment was for.
#[derive(Debug, Deserialize)]
struct PaymentFor {
    invoice: String,
}

impl Stripe {
    pub(super) async fn dispute_of(&self, id: &str) -> Result<Option<Dispute>, ProviderError> {
        let path = format!("{DISPUTES}/{id}");
        match self.rest.get::<Questioned>("GET /v1/disputes/{id}", path, &json!({})).await {
            Ok(found) => Ok(Some(dispute(found))),
            Err(ProviderError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn all_disputes(&self, since: Timestamp) -> Result<Vec<Dispute>, ProviderError> {
        let query = json!({ "created": { "gte": since.as_second() } });
        let all: Vec<Questioned> = self.rest.list("GET /v1/disputes", DISPUTES, &query).await?;
        Ok(all.into_iter().map(dispute).collect())
    }

    /// Our number of the invoice that a payment was for.
    pub(super) async fn invoice_paid_by(&self, payment: &str) -> Result<Option<Invoice>, ProviderError> {
        let query = json!({ "payment": { "type": "payment_intent", "payment_intent": payment } });
        let path = "/v1/invoice_payments";
        let found: Vec<PaymentFor> = self.rest.list("GET /v1/invoice_payments", path, &query).await?;
        let Some(first) = found.first() else { return Ok(None) };
        let invoice = self.invoice(&first.invoice).await?;
        Ok(Some(invoice).filter(|invoice| invoice.number().is_some()))
    }

    /// All refunds of a payment. Those that we asked for are known by their credit notes.
    pub(super) async fn all_refunds_of(&self, payment: &str) -> Result<Repayments, ProviderError> {
        let query = json!({ "payment_intent": payment });
        let mut all: Vec<GivenBack> = self.rest.list("GET /v1/refunds", REFUNDS, &query).await?;
        all.reverse();
        let mut all: Vec<Repayment> = all.into_iter().map(repayment).collect();
        let Some(invoice) = self.invoice_paid_by(payment).await? else {
            return Ok(Repayments { invoice: None, all });
        };
        let query = json!({ "invoice": invoice.id });
        let notes: Vec<CreditNote> = self.rest.list("GET /v1/credit_notes", "/v1/credit_notes", &query).await?;
        for repayment in &mut all {
            let note = notes.iter().find(|note| note.gave_back(&repayment.id));
            repayment.reference = note.and_then(|note| note.metadata.get(REFUND).cloned());
        }
        Ok(Repayments { invoice: invoice.number().map(str::to_owned), all })
    }

    pub(super) async fn all_refunds(&self, since: Timestamp) -> Result<Vec<Repayment>, ProviderError> {
        let query = json!({ "created": { "gte": since.as_second() } });
        let all: Vec<GivenBack> = self.rest.list("GET /v1/refunds", REFUNDS, &query).await?;
        Ok(all.into_iter().map(repayment).collect())
    }
}

fn dispute(found: Questioned) -> Dispute {
    let moved = &found.balance_transactions;
    let same_currency = moved.iter().all(|it| it.currency.eq_ignore_ascii_case(&found.currency));
    let sum = |amounts: &mut dyn Iterator<Item = i64>| amounts.fold(0_i64, i64::saturating_add);
    let out = sum(&mut moved.iter().map(|it| it.amount.min(0))).saturating_neg();
    let back = sum(&mut moved.iter().map(|it| it.amount.max(0)));
    // In the account's own currency they say only that money moved, not how much of the customer's.
    let whole = |amount: i64| if same_currency || amount == 0 { amount } else { found.amount };
    let (taken, returned) = (whole(out), whole(back));
    let mode = if found.livemode { "" } else { "test/" };
    Dispute {
        url: format!("https://dashboard.stripe.com/{mode}disputes/{}", found.id),
        state: state(&found.status, taken > returned),
        payment: found.payment_intent,
        amount: Cents::new(found.amount),
        reason: found.reason,
        taken: Cents::new(taken),
        returned: Cents::new(returned),
        fee: Cents::new(sum(&mut moved.iter().map(|it| it.fee))),
        fee_currency: moved.first().map_or_else(|| found.currency.clone(), |it| it.currency.clone()),
        currency: found.currency,
        opened_at: moment(found.created),
        evidence_due: found.evidence_details.due_by.map(moment),
        id: found.id,
    }
}

/// Words that are not known yet say at least whether money is away.
fn state(status: &str, is_away: bool) -> DisputeState {
    match status {
        "warning_needs_response" | "warning_under_review" => DisputeState::Inquiry,
        "needs_response" => DisputeState::NeedsResponse,
        "won" => DisputeState::Won,
        // While an appeal is looked at, the money stays where it is.
        "lost" | "appeal_needs_response" | "appeal_under_review" => DisputeState::Lost,
        "warning_closed" => DisputeState::Closed,
        "prevented" if is_away => DisputeState::Lost,
        "prevented" => DisputeState::Closed,
        _ => DisputeState::UnderReview,
    }
}

fn repayment(found: GivenBack) -> Repayment {
    Repayment {
        id: found.id,
        payment: found.payment_intent,
        amount: Cents::new(found.amount),
        currency: found.currency,
        state: match found.status.as_deref() {
            Some("succeeded") => RepaymentState::Done,
            Some("failed" | "canceled") => RepaymentState::Failed,
            _ => RepaymentState::UnderWay,
        },
        at: moment(found.created),
        reference: None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::Value;

    use super::*;

    fn read(status: &str, moved: &Value) -> Dispute {
        let object = json!({
            "id": "dp_1", "amount": 700, "currency": "usd", "reason": "fraudulent", "status": status, "created": 5,
            "livemode": true, "payment_intent": "pi_1", "evidence_details": { "due_by": 9 },
            "balance_transactions": moved,
        });
        dispute(serde_json::from_value(object).unwrap())
    }

    #[test]
    fn what_was_taken_and_what_it_costs_is_read_from_what_moved() {
        let out = json!({ "amount": -700, "currency": "usd", "fee": 1500 });
        let open = read("needs_response", &json!([out]));
        assert_eq!((open.taken.get(), open.returned.get(), open.fee.get()), (700, 0, 1500));
        assert_eq!(open.url, "https://dashboard.stripe.com/disputes/dp_1");
        let back = json!({ "amount": 700, "currency": "usd", "fee": -1500 });
        let won = read("won", &json!([out, back]));
        assert_eq!((won.taken.get(), won.returned.get(), won.fee.get()), (700, 700, 0));
    }

    #[test]
    fn an_account_in_another_currency_says_that_money_moved_but_not_how_much() {
        let lost = read("lost", &json!([{ "amount": -655, "currency": "eur", "fee": 2000 }]));
        assert_eq!((lost.taken.get(), lost.fee.get(), lost.fee_currency.as_str()), (700, 2000, "eur"));
    }

    #[test]
    fn every_word_has_a_meaning_that_takes_no_money_for_granted() {
        let out = json!([{ "amount": -700, "currency": "usd", "fee": 0 }]);
        for (word, with, without) in [
            ("warning_needs_response", DisputeState::Inquiry, DisputeState::Inquiry),
            ("under_review", DisputeState::UnderReview, DisputeState::UnderReview),
            ("appeal_under_review", DisputeState::Lost, DisputeState::Lost),
            ("prevented", DisputeState::Lost, DisputeState::Closed),
            ("some_new_word", DisputeState::UnderReview, DisputeState::UnderReview),
        ] {
            assert_eq!((read(word, &out).state, read(word, &json!([])).state), (with, without), "{word}");
        }
    }
}
