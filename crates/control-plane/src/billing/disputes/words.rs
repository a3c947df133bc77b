//! What operators and customers read about a dispute.

use domain::Cents;
use jiff::Timestamp;
use providers::payments::{Dispute, DisputeState};

use super::Kept;
use crate::text::capital;

/// Where operators see all of them.
pub(crate) const PAGE: &str = "/admin/money#disputes";

/// Why a bank questions a payment, in words. The networks' own words are kept for what is not known here.
pub(crate) fn reason(word: &str) -> String {
    let known = match word {
        "bank_cannot_process" => "the bank could not process it",
        "check_returned" => "the check was returned",
        "credit_not_processed" => "a refund that was promised did not come",
        "customer_initiated" => "the customer took it back",
        "debit_not_authorized" => "the debit was not authorised",
        "duplicate" => "the customer says it was charged twice",
        "fraudulent" => "the holder of the card says it was not them",
        "general" => "the bank gives no reason",
        "incorrect_account_details" => "the account was not the right one",
        "insufficient_funds" => "there was not enough money",
        "noncompliant" => "the bank says a rule of the network was broken",
        "product_not_received" => "the customer says they did not get what they paid for",
        "product_unacceptable" => "the customer says it is not what was promised",
        "subscription_canceled" => "the customer says they had cancelled",
        "unrecognized" => "the customer does not recognise it",
        other => return other.replace('_', " "),
    };
    known.to_owned()
}

/// Where it stands, in a few words.
pub(crate) const fn standing(state: DisputeState) -> &'static str {
    match state {
        DisputeState::Inquiry => "The bank asks; nothing was taken",
        DisputeState::NeedsResponse => "The bank took the money and waits for evidence",
        DisputeState::UnderReview => "The bank looks at the evidence",
        DisputeState::Won => "Won: the payment stands",
        DisputeState::Lost => "Lost: the bank kept the money",
        DisputeState::Closed => "Closed: nothing was taken",
    }
}

/// What an operator does next.
pub(crate) fn next(kept: &Kept) -> String {
    if let Some(problem) = &kept.problem {
        return problem.clone();
    }
    let by = kept.dispute.evidence_due.map_or_else(String::new, |due| format!(" by {}", day(due)));
    match kept.dispute.state {
        DisputeState::Inquiry => {
            format!("Answer the bank in the provider's dashboard{by}, or give the money back, before it takes it.")
        }
        DisputeState::NeedsResponse => {
            format!(
                "Send evidence in the provider's dashboard{by}, such as the usage report; without it the money is lost."
            )
        }
        DisputeState::UnderReview => "Nothing: the bank decides, often within two to three months.".to_owned(),
        DisputeState::Lost => {
            "It is owed again on the invoice, where the customer can pay it; or write it off.".to_owned()
        }
        DisputeState::Won | DisputeState::Closed => "Nothing.".to_owned(),
    }
}

/// The subject of the mail to the operator.
pub(super) fn headline(kept: &Kept) -> String {
    let amount = price(&kept.dispute);
    match kept.dispute.state {
        DisputeState::Inquiry => format!("A bank asks about a payment of {amount}"),
        DisputeState::Won => format!("The dispute about {amount} is won"),
        DisputeState::Lost => format!("The dispute about {amount} is lost"),
        DisputeState::Closed => format!("The dispute about {amount} is closed"),
        DisputeState::NeedsResponse | DisputeState::UnderReview => format!("A payment of {amount} is disputed"),
    }
}

/// The text of that mail.
pub(super) fn letter(kept: &Kept, customer: Option<&str>) -> String {
    let dispute = &kept.dispute;
    let about = match (&kept.invoice, customer) {
        (Some(number), Some(customer)) => format!("Invoice {number} of {customer}"),
        (Some(number), None) => format!("Invoice {number}"),
        (None, _) => "A payment that is for no invoice here".to_owned(),
    };
    let fee = fee(dispute).map_or_else(String::new, |fee| format!(" The payment provider charges {fee} for it."));
    let (why, next) = (reason(&dispute.reason), next(kept));
    format!("{about}: {why}. {next}{fee} In the provider's dashboard: {}", dispute.url)
}

/// What the customer reads on the invoice, of which something may be owed.
pub(crate) fn for_customer(dispute: &Dispute, is_owed: bool) -> Option<String> {
    let amount = price(dispute);
    let on = day(dispute.opened_at);
    match dispute.state {
        DisputeState::Inquiry | DisputeState::Closed => None,
        DisputeState::NeedsResponse | DisputeState::UnderReview => Some(format!(
            "Your bank has questioned {amount} of the payment since {on} and holds it until it has decided. Nothing \
             changes for you until then."
        )),
        DisputeState::Won => {
            Some(format!("Your bank questioned {amount} of the payment on {on} and has decided that it stands."))
        }
        DisputeState::Lost => {
            let again = if is_owed { " It is to be paid again." } else { "" };
            Some(format!("Your bank questioned {amount} of the payment on {on} and has taken it back.{again}"))
        }
    }
}

/// What happened, for the list of what happened to an invoice.
pub(crate) fn history(dispute: &Dispute) -> String {
    let why = reason(&dispute.reason);
    format!("Disputed: {}, {why}. {} ({})", price(dispute), capital(standing(dispute.state)), dispute.id)
}

/// What is questioned.
pub(crate) fn price(dispute: &Dispute) -> String {
    dispute.amount.priced(&dispute.currency)
}

/// What the provider charges for it, where it says so.
pub(crate) fn fee(dispute: &Dispute) -> Option<String> {
    (dispute.fee != Cents::ZERO).then(|| dispute.fee.priced(&dispute.fee_currency))
}

fn day(at: Timestamp) -> String {
    at.strftime("%-d %B %Y").to_string()
}
