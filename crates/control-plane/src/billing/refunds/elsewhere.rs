//! Money that went back by another hand than ours, such as in the payment provider's dashboard, and money that came
//! back because the card did not take it. Nothing of it is ignored: it is booked once, or shown as a difference.

pub(crate) mod store;

use std::sync::Arc;

use ::store::Tx;
use ::store::sqlx::Error;
use async_trait::async_trait;
use billing::ledger::{Kind, Transaction, TransactionId};
use domain::{Cents, CustomerId};
use jiff::{SignedDuration, Timestamp};
use providers::payments::{Event, Repayment, RepaymentState, Repayments};
use serde::{Deserialize, Serialize};
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use super::super::accounts::{self, AccountError, Entry, Held};
use super::super::collection::{look_first, unbooked, undunned};
use super::super::comparison::{self, Found};
use super::super::invoices::{self, Issued};
use super::super::rounds;
use super::{Refund, TIME_LIMIT, book, share_of_taxes, workflows};
use crate::alerts::{self, Kind as AlertKind};
use crate::app::Core;
use crate::audit;
use crate::workflows::{Plan, begin as start, step_error};

/// Stored with every run; a changed sequence of steps gets a new number.
const KIND: &str = "look-up-repayments.v1";
/// How long until a refund of our own should be booked that is under way.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(1);
/// The customer reads it.
const REASON: &str = "given back by us at the payment provider";

/// A repayment as it was seen last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub repayment: Repayment,
    /// The number of the invoice; none where nobody here knows it.
    pub invoice: Option<String>,
    pub customer: Option<CustomerId>,
    /// Why it could not be booked, if it could not.
    pub problem: Option<String>,
    /// When the look began that saw this.
    pub looked_at: Timestamp,
}

/// Looks at the provider what went back of a payment of which it told.
pub(crate) async fn heard(tx: &mut Tx, core: &Core, event: &Event) -> Result<(), Error> {
    match &event.repaid {
        Some(payment) => look(tx, core, payment).await,
        None => Ok(()),
    }
}

async fn look(tx: &mut Tx, core: &Core, payment: &str) -> Result<(), Error> {
    let plan = Plan { kind: KIND, time_limit: TIME_LIMIT, subject: payment };
    start(tx, core, &plan, &Named { payment: payment.to_owned() }).await.map(drop)
}

/// Begins a look at every payment of which the provider's list shows something otherwise than it is kept.
pub(in super::super) async fn compare(tx: &mut Tx, core: &Core, theirs: &[Repayment]) -> Result<(), Error> {
    let mut payments = std::collections::BTreeSet::new();
    for repayment in theirs {
        let known = store::find(tx, &repayment.id).await?;
        if known.is_none_or(|kept| kept.repayment.state != repayment.state) {
            payments.extend(repayment.payment.as_deref());
        }
    }
    for payment in payments {
        look(tx, core, payment).await?;
    }
    Ok(())
}

/// What could not be booked, for the list of differences.
pub(in super::super) async fn differences(tx: &mut Tx) -> Result<Vec<Found>, Error> {
    Ok(store::problems(tx).await?.iter().filter_map(difference).collect())
}

fn difference(kept: &Kept) -> Option<Found> {
    Some(Found {
        invoice: kept.invoice.clone().unwrap_or_else(|| kept.repayment.id.clone()),
        customer: kept.customer,
        what: "refund",
        subject: Some(kept.repayment.id.clone()),
        ours: Cents::ZERO,
        theirs: kept.repayment.amount,
        reason: kept.problem.clone()?,
    })
}

/// Of which payment.
#[derive(Debug, Serialize, Deserialize)]
struct Named {
    /// The provider's id of it.
    payment: String,
}

/// What was seen.
#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    found: Repayments,
    /// When the look began.
    at: Timestamp,
}

/// See the module.
pub(crate) struct LookUpRepayments(pub Arc<Core>);

#[async_trait]
impl Workflow for LookUpRepayments {
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
        let core = &*self.0;
        let Named { payment } = run.input()?;
        let seen: Seen = run
            .step("look", || async {
                let at = core.clock.now();
                let found = core.drivers.payments.repayments_of(&payment).await.map_err(step_error)?;
                Ok(Seen { found, at })
            })
            .await?;
        // It was a payment for something else than our invoices.
        let Some(name) = seen.found.invoice.clone() else { return Ok(()) };
        let _: () = run.step("book the payment", || paid(core, &name)).await?;
        run.step("book", || booked(core, &name, &seen)).await
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

async fn paid(core: &Core, name: &str) -> Result<(), StepError> {
    let mut connection = core.db.read().acquire().await?;
    let found = invoices::store::find(&mut connection, rounds::number_of(name)).await?;
    drop(connection);
    match found {
        Some((issued, _)) => look_first(core, issued.customer, name).await,
        None => Ok(()),
    }
}

async fn booked(core: &Core, name: &str, seen: &Seen) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    let found = invoices::store::find(&mut tx, rounds::number_of(name)).await?;
    let Some((issued, _)) = found else {
        for repayment in &seen.found.all {
            let problem = format!(
                "{} was given back of a payment for invoice {name} ({}), and there is none here: look whether a backup \
                 was restored, or another installation has its invoices in the same account.",
                repayment.amount.priced(&repayment.currency),
                repayment.id
            );
            keep(&mut tx, core, repayment, None, Some(problem), seen.at).await?;
        }
        tx.commit().await?;
        core.mail_waiting.notify_one();
        return Ok(());
    };
    let mut held = accounts::open(&mut tx, issued.customer).await.map_err(unbooked)?;
    for repayment in &seen.found.all {
        let known = store::find(&mut tx, &repayment.id).await?;
        if known.is_some_and(|known| known.looked_at > seen.at) {
            continue;
        }
        let problem = enter(&mut tx, core, &mut held, (&issued, name), repayment).await?;
        keep(&mut tx, core, repayment, Some(&issued), problem, seen.at).await?;
    }
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}

/// Books one repayment, if it is not. Why it can't be, if it can't.
async fn enter(
    tx: &mut Tx,
    core: &Core,
    held: &mut Held,
    (issued, name): (&Issued, &str),
    repayment: &Repayment,
) -> Result<Option<String>, StepError> {
    let ours = match &repayment.reference {
        Some(reference) => super::store::find(tx, reference).await?,
        None => None,
    };
    let known = match ours {
        Some(refund) => Some(refund),
        None => super::store::find(tx, &repayment.id).await?,
    };
    match (repayment.state, known) {
        (RepaymentState::UnderWay, _) | (RepaymentState::Failed, None) => Ok(None),
        (RepaymentState::Done, Some(refund)) => {
            if refund.booked_at.is_none() {
                book(tx, core, held, &refund).await.map_err(unbooked)?;
            }
            Ok(None)
        }
        (RepaymentState::Failed, Some(refund)) => {
            came_back(tx, core, held, &refund, &issued.currency).await?;
            Ok(None)
        }
        (RepaymentState::Done, None) => by_another_hand(tx, core, held, (issued, name), repayment).await,
    }
}

async fn by_another_hand(
    tx: &mut Tx,
    core: &Core,
    held: &mut Held,
    (issued, name): (&Issued, &str),
    repayment: &Repayment,
) -> Result<Option<String>, StepError> {
    // The note that tells ours from others may become visible later than the money that went.
    if super::store::is_under_way(tx, &issued.number, workflows::KIND, workflows::SETTLE).await? {
        let why = format!("a refund of invoice {} is under way, and this may be it", issued.number);
        return Err(StepError::NotYet { why, after: UNDER_WAY });
    }
    if let Some(problem) = unfit(tx, held, (issued, name), repayment).await? {
        return Ok(Some(problem));
    }
    let Some((_, document)) = invoices::store::find(tx, &issued.number).await? else { return Ok(None) };
    let refund = Refund {
        reference: repayment.id.clone(),
        invoice: issued.number.clone(),
        charge: name.to_owned(),
        customer: issued.customer,
        amount: repayment.amount,
        tax: share_of_taxes(tx, &document, repayment.amount).await.map_err(undunned)?,
        reason: REASON.to_owned(),
        author: core.drivers.payments.name().to_owned(),
        requested_at: repayment.at,
        booked_at: None,
        withdrawn_at: None,
        returned_at: None,
    };
    super::store::insert(tx, &refund).await?;
    book(tx, core, held, &refund).await.map_err(unbooked)?;
    let detail = format!("{}: {}", refund.reference, refund.amount.priced(&issued.currency));
    audit::record(tx, core, &refund.author, "refund.noticed", &issued.number, &detail).await?;
    let why = format!(
        "{} of invoice {} was given back at the payment provider and not from here ({}). It is booked, and the customer \
         was told. Whoever did it should know; from the console or the command line it has a reason of its own.",
        refund.amount.priced(&issued.currency),
        issued.number,
        refund.reference
    );
    let (key, page) = (format!("refund noticed {}", refund.reference), invoice_page(&issued.number));
    alerts::raise(tx, core, AlertKind::Refund, &key, "Money was given back in the provider's dashboard", &why, &page)
        .await?;
    Ok(None)
}

/// Why it can't be booked, in words for the operator.
async fn unfit(
    tx: &mut Tx,
    held: &Held,
    (issued, name): (&Issued, &str),
    repayment: &Repayment,
) -> Result<Option<String>, StepError> {
    let (id, number) = (&repayment.id, &issued.number);
    let what = repayment.amount.priced(&repayment.currency);
    if !repayment.currency.eq_ignore_ascii_case(&issued.currency) {
        return Ok(Some(format!(
            "{what} was given back of invoice {number} at the payment provider ({id}), and the invoice is in {}: it is \
             not booked. Compare the two, and book by hand what went.",
            issued.currency
        )));
    }
    let came = rounds::collected(&held.ledger, name).map_err(StepError::permanent)?.unwrap_or_default();
    let given = super::store::given_of(tx, name).await?;
    if given.checked_add(repayment.amount).is_none_or(|all| all > came) {
        return Ok(Some(format!(
            "{what} was given back of invoice {number} at the payment provider ({id}), and of what was collected for it \
             here {} is left: it is not booked. Look at the invoice's payments there.",
            came.checked_sub(given).unwrap_or_default().priced(&issued.currency)
        )));
    }
    Ok(None)
}

/// Takes back what was booked of a refund that its card did not take, and tells the operator: the customer waits.
async fn came_back(
    tx: &mut Tx,
    core: &Core,
    held: &mut Held,
    refund: &Refund,
    currency: &str,
) -> Result<(), StepError> {
    if refund.returned_at.is_some() || refund.withdrawn_at.is_some() {
        return Ok(());
    }
    if refund.booked_at.is_none() {
        let why = format!("the refund {} is not booked yet", refund.reference);
        return Err(StepError::NotYet { why, after: UNDER_WAY });
    }
    let now = core.clock.now();
    let id = TransactionId::of(Kind::Refund, &refund.reference);
    if let Some(reversal) = held.ledger.find(&id).map(|it: &Transaction| it.reversal(now)) {
        let author = core.drivers.payments.name();
        let entry = Entry { author, reason: "the card did not take it", now };
        let reversal = reversal.map_err(|error| unbooked(AccountError::from(error)))?;
        held.record(tx, reversal, entry).await.map_err(unbooked)?;
    }
    super::store::returned(tx, &refund.reference, now).await?;
    let author = core.drivers.payments.name();
    audit::record(tx, core, author, "refund.came_back", &refund.invoice, &refund.reference).await?;
    let why = format!(
        "{} of invoice {} came back ({}): the customer's card or bank did not take it. Send the money another way, or \
         give the customer credit.",
        refund.amount.priced(currency),
        refund.invoice,
        refund.reference
    );
    let (key, page) = (format!("refund came back {}", refund.reference), invoice_page(&refund.invoice));
    Ok(alerts::raise(tx, core, AlertKind::Refund, &key, "A refund came back", &why, &page).await?)
}

async fn keep(
    tx: &mut Tx,
    core: &Core,
    repayment: &Repayment,
    issued: Option<&Issued>,
    problem: Option<String>,
    looked_at: Timestamp,
) -> Result<(), StepError> {
    let kept = Kept {
        repayment: repayment.clone(),
        invoice: issued.map(|issued| issued.number.clone()),
        customer: issued.map(|issued| issued.customer),
        problem,
        looked_at,
    };
    store::keep(tx, &kept).await?;
    if let Some(found) = difference(&kept) {
        comparison::store::keep(tx, &found, core.clock.now()).await?;
        let key = format!("refund {} {}", repayment.id, found.reason);
        alerts::raise(
            tx,
            core,
            AlertKind::BooksDiffer,
            &key,
            "A refund could not be booked",
            &found.reason,
            "/admin/money#differences",
        )
        .await?;
    }
    Ok(())
}

fn invoice_page(number: &str) -> String {
    format!("/admin/money/invoices/{number}")
}
