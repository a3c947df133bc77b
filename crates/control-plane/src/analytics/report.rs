//! A month put together. Computed anew from what is stored each time it is asked for.

use std::collections::BTreeMap;

use ::store::sqlx::Error;
use api::{Analytics, AnalyticsMonth, CohortMonth, FunnelStep, LeavingComment, ReasonCount, SignupCohort};
use billing::OutOfRange;
use billing::growth::{self, Charged, Ratio};
use domain::{Cents, CustomerId, LeavingReason, Month};
use jiff::Timestamp;

use super::visits::Visited;
use super::{figures, funnel, leavings, spend, store, visits};
use crate::app::Core;
use crate::costs::margins;
use crate::error::AppError;

/// So many months are shown at once.
const MONTHS: usize = 12;
/// So many comments of those who leave are shown.
const COMMENTS: u32 = 50;

/// What months are computed from.
pub(super) struct Record {
    pub charged: Charged,
    /// In which month each customer signed up.
    pub signed_up: BTreeMap<CustomerId, Month>,
    /// What took revenue away after it was charged, as amounts below nothing.
    pub corrections: BTreeMap<Month, Cents>,
    pub spend: BTreeMap<Month, Cents>,
    pub visits: BTreeMap<Month, Visited>,
    /// The first month of which anything is known.
    pub first: Option<Month>,
}

/// What the business is run by, in a month.
pub(crate) async fn of_month(core: &Core, month: Month) -> Result<Analytics, AppError> {
    let record = Record::read(core, month).await?;
    let (from, until) = span(month);
    let steps = funnel::of(&core.db, month, record.visits.get(&month).copied().unwrap_or_default()).await?;
    Ok(Analytics {
        month,
        currency: core.settings.plan.currency.clone(),
        is_complete: margins::is_closed(core, month),
        computed_at: core.clock.now(),
        figures: figures::of(core, &record, month).await?,
        months: history(core, &record, month).map_err(AppError::internal)?,
        funnel: funnel_view(steps),
        cohorts: cohorts(&record, month).map_err(AppError::internal)?,
        reasons: leavings::store::counts(&core.db, from, until).await?.into_iter().map(reason).collect(),
        comments: leavings::store::comments(&core.db, from, until, COMMENTS).await?.into_iter().map(comment).collect(),
    })
}

/// From the first moment of a month to the first that is not its any more.
pub(super) fn span(month: Month) -> (Timestamp, Timestamp) {
    (month.first_hour().start(), month.next().first_hour().start())
}

impl Record {
    /// Everything up to the end of a month.
    async fn read(core: &Core, until: Month) -> Result<Self, Error> {
        let too_large = |error: OutOfRange| Error::Decode(error.into());
        let charges = store::charges(&core.db).await?;
        let signed_up: BTreeMap<_, _> = store::signups(&core.db).await?.into_iter().collect();
        let spend = spend::store::by_month(&core.db).await?;
        let visits = visits::store::by_month(&core.db).await?;
        let charged = charges.iter().map(|(_, month, _)| month);
        let first = charged.chain(signed_up.values()).chain(spend.keys()).chain(visits.keys()).min().copied();
        let mut corrections: BTreeMap<Month, Cents> = BTreeMap::new();
        for (at, transaction) in
            store::corrections(&core.db, first.map_or(Timestamp::MIN, start), span(until).1).await?
        {
            let lost = margins::lost(&transaction).ok_or_else(|| too_large(OutOfRange))?;
            let sum = corrections.entry(Month::of(at)).or_default();
            *sum = sum.checked_add(lost).ok_or_else(|| too_large(OutOfRange))?;
        }
        let charged = Charged::of(charges).map_err(too_large)?;
        Ok(Self { charged, signed_up, corrections, spend, visits, first })
    }

    /// Recurring revenue less what was taken away in the month.
    pub(super) fn revenue(&self, month: Month) -> Result<Cents, OutOfRange> {
        let lost = self.corrections.get(&month).copied().unwrap_or_default();
        self.charged.recurring(month)?.checked_add(lost).ok_or(OutOfRange)
    }
}

fn start(month: Month) -> Timestamp {
    month.first_hour().start()
}

fn history(core: &Core, record: &Record, last: Month) -> Result<Vec<AnalyticsMonth>, OutOfRange> {
    let first = record.first.unwrap_or(last);
    let mut months = Vec::new();
    let mut month = last;
    loop {
        months.push(one(core, record, month)?);
        if months.len() == MONTHS || month <= first {
            break;
        }
        month = month.previous();
    }
    months.reverse();
    Ok(months)
}

fn one(core: &Core, record: &Record, month: Month) -> Result<AnalyticsMonth, OutOfRange> {
    let moved = record.charged.movement(month)?;
    let signups = record.signed_up.values().filter(|signed_up| **signed_up == month).count();
    Ok(AnalyticsMonth {
        month,
        is_complete: margins::is_closed(core, month),
        recurring: record.charged.recurring(month)?,
        new: moved.new,
        returned: moved.returned,
        grown: moved.grown,
        shrunk: moved.shrunk,
        lost: moved.lost,
        revenue: record.revenue(month)?,
        customers: record.charged.paying(month),
        customers_new: moved.customers_new,
        customers_returned: moved.customers_returned,
        customers_lost: moved.customers_lost,
        signups: signups as u64,
        visits: record.visits.get(&month).map_or(0, |visited| visited.visits),
        spend: record.spend.get(&month).copied(),
    })
}

fn cohorts(record: &Record, month: Month) -> Result<Vec<SignupCohort>, OutOfRange> {
    let until_then = record.signed_up.iter().filter(|(_, signed_up)| **signed_up <= month);
    let signed_up = until_then.map(|(customer, month)| (*customer, *month)).collect();
    let view = |cohort: growth::Cohort| SignupCohort {
        month: cohort.month,
        customers: cohort.customers,
        later: cohort
            .later
            .iter()
            .map(|kept| CohortMonth { month: kept.month, paying: kept.paying, recurring: kept.recurring })
            .collect(),
    };
    Ok(growth::cohorts(&signed_up, &record.charged, month)?.into_iter().map(view).collect())
}

fn funnel_view(steps: Vec<funnel::Step>) -> Vec<FunnelStep> {
    let mut before = None;
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    steps
        .into_iter()
        .map(|step| {
            let part = before.and_then(|before| Ratio::of(number(step.count), number(before)));
            before = Some(step.count);
            FunnelStep {
                name: step.name.to_owned(),
                label: step.label.to_owned(),
                definition: step.definition.to_owned(),
                count: step.count,
                of_previous_permille: part.map(Ratio::permille_down),
            }
        })
        .collect()
}

fn reason((reason, count): (Option<LeavingReason>, u64)) -> ReasonCount {
    let label = reason.map_or("Did not say", LeavingReason::in_words).to_owned();
    ReasonCount { reason, label, count }
}

fn comment(said: leavings::Said) -> LeavingComment {
    let leavings::Said { customer, at, reason, comment } = said;
    LeavingComment { customer_id: customer, at, reason, comment }
}
