//! Once a day, what the payment provider says of our invoices is compared with the books. What differs is kept until it
//! is not seen any more, and told to the operator once.

pub(crate) mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ::store::Tx;
use ::store::sqlx::Error;
use async_trait::async_trait;
use domain::{Cents, CustomerId};
use jiff::{SignedDuration, Timestamp};
use providers::payments::{CollectionState, Standing};
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use self::store::Charged;
use super::collection::unbooked;
use super::refunds::elsewhere;
use super::{accounts, disputes, invoices, rounds};
use crate::alerts::{self, Kind};
use crate::app::Core;
use crate::workflows::{Plan, begin as start, step_error};

/// Stored with every run; a changed sequence of steps gets a new number.
const KIND: &str = "compare-charges.v1";
const TIME_LIMIT: SignedDuration = SignedDuration::from_hours(12);
/// How far it looks back: beyond the last retry of an invoice that is not paid.
const LOOKS_BACK: SignedDuration = SignedDuration::from_hours(60 * 24);
/// So many differences are told by mail; all are kept.
const TOLD: usize = 20;

/// See the module.
pub(crate) struct Compare(pub Arc<Core>);

/// A difference as it was seen just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub invoice: String,
    /// Nobody, where only the provider knows the invoice.
    pub customer: Option<CustomerId>,
    /// `missing`, `unknown`, `paid`, `void`, `open`, `dispute` or `refund`.
    pub what: &'static str,
    /// Tells it from others of the same invoice, where there can be several.
    pub subject: Option<String>,
    pub ours: Cents,
    pub theirs: Cents,
    pub reason: String,
}

/// A difference as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Difference {
    pub invoice: String,
    pub customer: Option<CustomerId>,
    pub what: String,
    pub ours: Cents,
    pub theirs: Cents,
    pub reason: String,
    pub since: Timestamp,
    pub closed_at: Option<Timestamp>,
}

impl Found {
    fn id(&self) -> String {
        format!("{} {}", self.what, self.subject.as_ref().unwrap_or(&self.invoice))
    }
}

/// Begins the comparison of a day, where anybody charges.
pub(super) async fn begin(tx: &mut Tx, core: &Core, day: &str) -> Result<(), Error> {
    if core.drivers.payments.charges() {
        start(tx, core, &Plan { kind: KIND, time_limit: TIME_LIMIT, subject: day }, &()).await?;
    }
    Ok(())
}

#[async_trait]
impl Workflow for Compare {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn time_limit(&self) -> SignedDuration {
        TIME_LIMIT
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Halt
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        run.step("compare", || compare(&self.0)).await
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

async fn compare(core: &Core) -> Result<(), StepError> {
    let now = core.clock.now();
    let since = now - LOOKS_BACK;
    // Ours first: what is issued after it is looked at tomorrow, and is known by then.
    let ours = store::charged_since(&core.db, since).await?;
    let payments = &core.drivers.payments;
    let theirs = by_name(payments.collected_since(since).await.map_err(step_error)?);
    let questioned = payments.disputes_since(since).await.map_err(step_error)?;
    let repaid = payments.repayments_since(since).await.map_err(step_error)?;
    let mut found = Vec::new();
    for charged in &ours {
        found.extend(differences(core, charged, &theirs).await?);
    }
    found.extend(unknown(core, &theirs).await?);
    let mut tx = core.db.begin().await?;
    disputes::compare(&mut tx, core, &questioned).await?;
    elsewhere::compare(&mut tx, core, &repaid).await?;
    found.extend(disputes::differences(&mut tx).await?);
    found.extend(elsewhere::differences(&mut tx).await?);
    let open: BTreeSet<String> = store::open_ids(&mut tx).await?.into_iter().collect();
    let seen: BTreeSet<String> = found.iter().map(Found::id).collect();
    for one in &found {
        store::keep(&mut tx, one, now).await?;
    }
    for gone in open.difference(&seen) {
        store::close(&mut tx, gone, now).await?;
    }
    let new: Vec<String> = found.iter().filter(|one| !open.contains(&one.id())).map(|one| one.reason.clone()).collect();
    if !new.is_empty() {
        let why = new.into_iter().take(TOLD).collect::<Vec<_>>().join("\n");
        let key = format!("charge differences {}", now.as_millisecond());
        alerts::raise(
            &mut tx,
            core,
            Kind::BooksDiffer,
            &key,
            "The payment provider and the books differ",
            &why,
            "/admin/money",
        )
        .await?;
    }
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}

/// The one that counts of each name: void ones only where there is no other.
fn by_name(all: Vec<(String, Standing)>) -> BTreeMap<String, Standing> {
    let mut kept: BTreeMap<String, Standing> = BTreeMap::new();
    for (name, standing) in all {
        let stays = kept.get(&name).is_some_and(|known| known.state != CollectionState::Void);
        if !stays {
            kept.insert(name, standing);
        }
    }
    kept
}

/// Where the book and the provider differ over an invoice, under each name under which it was collected.
async fn differences(
    core: &Core,
    charged: &Charged,
    theirs: &BTreeMap<String, Standing>,
) -> Result<Vec<Found>, StepError> {
    let ledger = accounts::read(&core.db, charged.customer).await.map_err(unbooked)?;
    let mut found = Vec::new();
    let present = rounds::present(&ledger, &charged.number);
    for round in 1..=present {
        let name = rounds::name(&charged.number, round);
        let booked = rounds::collected(&ledger, &name).map_err(StepError::permanent)?.unwrap_or_default();
        let standing = theirs.get(&name);
        let paid = standing.and_then(|standing| paid_otherwise(charged, &name, booked, standing));
        // What is waited for is waited for under the last name alone.
        let is_last = round == present && (round == 1 || standing.is_some() || charged.outstanding > Cents::ZERO);
        let last = is_last.then(|| difference(charged, standing)).flatten();
        found.extend(paid.or(last));
    }
    Ok(found)
}

fn paid_otherwise(charged: &Charged, name: &str, booked: Cents, theirs: &Standing) -> Option<Found> {
    let reason = format!(
        "Of invoice {name}, {} cents are booked here as collected, and the payment provider says {}.",
        booked.get(),
        theirs.paid.get()
    );
    (booked != theirs.paid).then(|| Found {
        invoice: charged.number.clone(),
        customer: Some(charged.customer),
        what: "paid",
        subject: Some(name.to_owned()),
        ours: booked,
        theirs: theirs.paid,
        reason,
    })
}

fn difference(charged: &Charged, theirs: Option<&Standing>) -> Option<Found> {
    let Charged { number, outstanding, .. } = charged;
    let found = |what, ours: Cents, theirs: Cents, reason: String| {
        let (invoice, customer) = (number.clone(), Some(charged.customer));
        Some(Found { invoice, customer, what, subject: None, ours, theirs, reason })
    };
    let Some(theirs) = theirs else {
        let reason = format!("Invoice {number} was handed over, and the payment provider does not show it.");
        return if charged.is_known_there { found("missing", *outstanding, Cents::ZERO, reason) } else { None };
    };
    let left = match theirs.state {
        CollectionState::Paid => return None,
        CollectionState::Void | CollectionState::GivenUp => Cents::ZERO,
        CollectionState::Open | CollectionState::Draft => theirs.total.checked_sub(theirs.paid)?,
    };
    let reason = format!(
        "Of invoice {number}, {} cents are open here; it is {} at the payment provider, which waits for {}.",
        outstanding.get(),
        theirs.state.as_str(),
        left.get()
    );
    let what = if left == Cents::ZERO { "void" } else { "open" };
    // A void one that waits here for another try says nothing new while nobody was told of it as handed over.
    let is_told = left != Cents::ZERO || charged.is_known_there;
    if left != *outstanding && is_told { found(what, *outstanding, left, reason) } else { None }
}

/// Invoices that bear our mark and that nobody here knows.
async fn unknown(core: &Core, theirs: &BTreeMap<String, Standing>) -> Result<Vec<Found>, StepError> {
    let mut found = Vec::new();
    let mut connection = core.db.read().acquire().await?;
    for (number, standing) in theirs.iter().filter(|(_, standing)| standing.state != CollectionState::Void) {
        if invoices::store::find(&mut connection, rounds::number_of(number)).await?.is_none() {
            let reason =
                format!("The payment provider has an invoice {number} ({}), and there is none here.", standing.id);
            found.push(Found {
                invoice: number.clone(),
                customer: None,
                what: "unknown",
                subject: None,
                ours: Cents::ZERO,
                theirs: standing.total,
                reason,
            });
        }
    }
    Ok(found)
}
