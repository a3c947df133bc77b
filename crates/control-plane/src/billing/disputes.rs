//! Payments that a customer's bank questions. The provider's word is read whenever it tells, and once a day; what it
//! says is booked once, in whichever order it comes. While a bank holds money, nobody is dunned. What it keeps is owed
//! again on the same invoice, and collected under another name (`rounds.rs`).
//!
//! - looking at the provider, and what is kept of that: `look_up.rs`
//! - the customer's book: `entry.rs`; what people read: `words.rs`
//!
//! What the provider charges for a dispute is shown and not booked: it is the account's own, in the account's currency,
//! and a customer's book is about what the customer owes.

mod entry;
mod look_up;
pub(crate) mod store;
pub(crate) mod words;

use ::store::Tx;
use ::store::sqlx::Error;
use domain::CustomerId;
use jiff::{SignedDuration, Timestamp};
use providers::payments::{Dispute, Event};

use super::comparison::Found;
use crate::app::Core;
use crate::workflows::{Plan, begin as start};

pub(crate) use look_up::LookUpDispute;

/// A provider that is away for a weekend is waited for.
const TIME_LIMIT: SignedDuration = SignedDuration::from_hours(3 * 24);

/// A dispute as it was seen last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub dispute: Dispute,
    /// The number of the invoice whose payment is questioned; none where nobody here knows it.
    pub invoice: Option<String>,
    pub customer: Option<CustomerId>,
    /// Why it could not be booked, if it could not.
    pub problem: Option<String>,
    /// When the look began that saw this.
    pub looked_at: Timestamp,
    /// When it was first seen to be over.
    pub ended_at: Option<Timestamp>,
}

impl Kept {
    /// Whether another look knows less: whoever looked later knows better, and of two that looked at once the one that
    /// saw the end.
    fn is_newer_than(&self, seen: &Dispute, at: Timestamp) -> bool {
        let went_on = self.dispute.state.is_over() && !seen.state.is_over();
        self.looked_at > at || (self.looked_at == at && went_on)
    }
}

/// Looks at the provider how a dispute stands of which it told.
pub(crate) async fn heard(tx: &mut Tx, core: &Core, event: &Event) -> Result<(), Error> {
    match &event.dispute {
        Some(id) => look(tx, core, id).await,
        None => Ok(()),
    }
}

/// Begins a look at a dispute.
async fn look(tx: &mut Tx, core: &Core, id: &str) -> Result<(), Error> {
    let plan = Plan { kind: look_up::KIND, time_limit: TIME_LIMIT, subject: id };
    start(tx, core, &plan, &look_up::Named { id: id.to_owned() }).await.map(drop)
}

/// Begins a look at whatever the provider's list shows otherwise than it is kept, and at all that is open and that the
/// list does not go back to.
pub(super) async fn compare(tx: &mut Tx, core: &Core, theirs: &[Dispute]) -> Result<(), Error> {
    for dispute in theirs {
        if store::find(tx, &dispute.id).await?.is_none_or(|kept| kept.dispute != *dispute) {
            look(tx, core, &dispute.id).await?;
        }
    }
    for id in store::open_ids(tx).await? {
        if !theirs.iter().any(|dispute| dispute.id == id) {
            look(tx, core, &id).await?;
        }
    }
    Ok(())
}

/// What could not be booked, for the list of differences.
pub(super) async fn differences(tx: &mut Tx) -> Result<Vec<Found>, Error> {
    Ok(store::problems(tx).await?.iter().filter_map(difference).collect())
}

fn difference(kept: &Kept) -> Option<Found> {
    Some(Found {
        invoice: kept.invoice.clone().unwrap_or_else(|| kept.dispute.id.clone()),
        customer: kept.customer,
        what: "dispute",
        subject: Some(kept.dispute.id.clone()),
        ours: domain::Cents::ZERO,
        theirs: kept.dispute.amount,
        reason: kept.problem.clone()?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use domain::Cents;
    use providers::payments::DisputeState;

    use super::*;

    fn kept(state: DisputeState, looked_at: &str) -> Kept {
        let dispute = Dispute {
            id: "dp_1".to_owned(),
            payment: Some("pi_1".to_owned()),
            amount: Cents::new(700),
            currency: "usd".to_owned(),
            reason: "product_not_received".to_owned(),
            state,
            taken: Cents::new(700),
            returned: Cents::ZERO,
            fee: Cents::new(1500),
            fee_currency: "eur".to_owned(),
            opened_at: "2026-12-03T08:00:00Z".parse().unwrap(),
            evidence_due: Some("2026-12-23T08:00:00Z".parse().unwrap()),
            url: "https://dashboard.example/dp_1".to_owned(),
        };
        let looked_at = looked_at.parse().unwrap();
        let invoice = Some("2026-000001".to_owned());
        Kept { dispute, invoice, customer: None, problem: None, looked_at, ended_at: None }
    }

    #[test]
    fn an_older_look_changes_nothing_and_of_two_at_once_the_end_stays() {
        let (early, late) = ("2026-12-04T08:00:00Z", "2026-12-04T08:00:01Z");
        let (open, won) = (DisputeState::NeedsResponse, DisputeState::Won);
        for (known, seen, is_newer) in [
            ((won, late), (open, early), true),
            ((open, late), (won, early), true),
            ((won, early), (open, early), true),
            ((open, early), (won, early), false),
            ((won, early), (DisputeState::Lost, late), false),
            ((open, early), (open, early), false),
        ] {
            let (known, seen) = (kept(known.0, known.1), kept(seen.0, seen.1));
            assert_eq!(known.is_newer_than(&seen.dispute, seen.looked_at), is_newer, "{known:?}");
        }
    }

    #[test]
    fn the_mail_to_the_operator_says_who_why_until_when_where_and_what_it_costs() {
        let kept = kept(DisputeState::NeedsResponse, "2026-12-04T08:00:00Z");
        assert_eq!(words::headline(&kept), "A payment of $7.00 is disputed");
        assert_eq!(
            words::letter(&kept, Some("Corner Bakery")),
            "Invoice 2026-000001 of Corner Bakery: the customer says they did not get what they paid for. Send evidence \
             in the provider's dashboard by 23 December 2026, such as the usage report; without it the money is lost. \
             The payment provider charges €15.00 for it. In the provider's dashboard: https://dashboard.example/dp_1"
        );
        assert_eq!(words::reason("some_new_word"), "some new word");
    }
}
