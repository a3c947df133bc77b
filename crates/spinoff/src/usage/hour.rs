//! One hour: what shows that it was used, and what becomes of its price.

use api::{Contest, ContestState, HourCharge, HourOfUse, Waiver};
use domain::Cents;

use super::evidence_in_words;
use crate::output::{pairs, visible};

pub fn in_words(instance: &str, hour: &HourOfUse) -> String {
    let about = pairs(&[
        ("instance", instance.to_owned()),
        ("hour", format!("{} UTC", hour.hour_start.strftime("%Y-%m-%d %H:00"))),
        ("charge", format!("{}: {}", hour.charge.as_str(), charge(hour))),
    ]);
    let mut text = about;
    if hour.evidence.is_empty() {
        text.push_str("\nNothing shows that it was used.\n");
    } else {
        text.push_str("\nWhat shows that it was used:\n");
        hour.evidence.iter().for_each(|seen| text.push_str(&format!("- {}\n", evidence_in_words(seen))));
    }
    if let Some(Waiver { reason, author, at }) = &hour.waiver {
        let at = at.strftime("%Y-%m-%d %H:%M");
        text.push_str(&format!("\nWaived by {author} at {at} UTC: {}\n", visible(reason.clone())));
    }
    if let Some(contest) = &hour.contest {
        text.push_str(&format!("\n{}", contested(contest)));
    }
    text
}

fn charge(hour: &HourOfUse) -> String {
    let price = hour.price.map_or_else(String::new, |price: Cents| price.priced(&hour.currency));
    let invoice = hour.invoice.as_deref().unwrap_or("-");
    match hour.charge {
        HourCharge::Unused => "it costs nothing".to_owned(),
        HourCharge::Free => "nothing was to be paid yet when it was used".to_owned(),
        HourCharge::Coming => format!("it stands on the next invoice, for {price} before discounts and taxes"),
        HourCharge::Billed => format!("it stands on invoice {invoice}, for {price} before discounts and taxes"),
        HourCharge::Waived => "it is not charged, and never will be".to_owned(),
        HourCharge::Credited => format!("it stood on invoice {invoice}; what it cost there is given back"),
    }
}

fn contested(contest: &Contest) -> String {
    let Contest { id, reason, author, .. } = contest;
    let asked = format!("Contested by {author}: {}\n", visible(reason.clone()));
    let answer = visible(contest.answer.clone().unwrap_or_default());
    let decided = match contest.state {
        ContestState::Open => format!("Nobody has decided: `spinoff contests accept {id}`, or `refuse`.\n"),
        ContestState::Accepted => format!("Accepted. {answer}"),
        ContestState::Refused => format!("Refused. {answer}"),
    };
    format!("{asked}{}\n", decided.trim_end())
}
