//! Revenue less costs in a month, for each customer and for all. Computed anew from what is stored each time; what is not
//! known stays unknown, and is never taken for nothing.
//!
//! - *Revenue*: the invoices whose period begins in the month, without taxes and after discounts; less what was credited,
//!   given back or written off in the month, without taxes.
//! - *Compute*: what the provider counted, at the month's prices; or the price of an instance, for the time that it was
//!   there.
//! - *Fees*: what the payment provider kept in the month.
//! - *Included AI*: what the questions of their instances to the model that is offered cost.
//! - *Shared*: fixed costs and seats, by the time that each instance was there.

mod models;
mod revenue;

use std::collections::{BTreeMap, BTreeSet};

use ::store::sqlx::Error;
use billing::costs::{part_of, share_out};
use billing::{Margin, OutOfRange};
use domain::{CustomerId, InstanceId, Micros, Month};
use jiff::Timestamp;
use providers::costs::Resource;

use self::models::Models;
pub(crate) use self::revenue::{is_closed, lost};
use super::reading::{COUNTS_LATE, end_of};
use super::store::{self, MonthSeen, Served};
use super::{CostSettings, Prices};
use crate::app::Core;
use crate::error::{AppError, refused};
use crate::inventory::Role;
use crate::inventory::store::{self as looks, What};

/// What serving somebody cost, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Costs {
    pub compute: Option<Micros>,
    pub fees: Option<Micros>,
    pub model: Option<Micros>,
    pub shared: Option<Micros>,
}

/// One customer in a month.
#[derive(Debug, Clone)]
pub(crate) struct CustomerMargin {
    pub customer: CustomerId,
    /// How many instances were in service at any time.
    pub instances: usize,
    pub costs: Costs,
    pub margin: Margin,
}

/// How a figure came about.
#[derive(Debug, Clone)]
pub(crate) struct Basis {
    pub what: &'static str,
    /// How, and since when not, in a sentence.
    pub how: String,
    /// When it was observed, where it was.
    pub observed_at: Option<Timestamp>,
    pub is_known: bool,
}

/// A month.
#[derive(Debug, Clone)]
pub(crate) struct Margins {
    /// Worst first; those of which it is not known last.
    pub customers: Vec<CustomerMargin>,
    /// What was paid for nobody in particular.
    pub nobody: Costs,
    pub total: Margin,
    /// Where the figures come from.
    pub basis: Vec<Basis>,
}

/// How much was used of what.
type Used = BTreeMap<Resource, u64>;

/// What a month is computed from.
struct Sources {
    prices: Prices,
    currency: String,
    seen: MonthSeen,
    served: Vec<Served>,
    /// Of the month, up to now where it is running.
    from: Timestamp,
    until: Timestamp,
    end: Timestamp,
}

/// The month that somebody asks for: the one before the present, where they do not say.
pub(crate) fn wanted(core: &Core, month: Option<&str>) -> Result<Month, AppError> {
    let present = Month::of(core.clock.now());
    let Some(text) = month.filter(|text| !text.is_empty()) else { return Ok(present.previous()) };
    let month = Month::parse(text).map_err(|error| refused(422, &error.to_string(), "Write it as 2026-11."))?;
    if month > present {
        return Err(refused(422, &format!("{month} is still to come"), "Ask for a month that has begun."));
    }
    Ok(month)
}

pub(crate) async fn of_month(core: &Core, month: Month) -> Result<Margins, Error> {
    let now = core.clock.now();
    let (from, end) = (month.first_hour().start(), end_of(month));
    let until = end.min(now).max(from);
    let seen = store::month(&core.db, month).await?;
    let prices = seen.prices.clone().unwrap_or_else(|| core.settings.billing.costs.prices.clone());
    let currency = core.settings.plan.currency.clone();
    let served = store::served(&core.db, from, until).await?;
    let sources = Sources { prices, currency, seen, served, from, until, end };

    let mut basis = Vec::new();
    let sold = revenue::of_month(core, month, &sources.served).await?;
    basis.push(sold.basis.clone());
    let compute = compute(core, month, &sources, &mut basis).await?;
    let (fees, fees_of_nobody) = fees(core, &sources, &mut basis).await?;
    let models = Models::of_month(core, month, &sources, &mut basis).await?;
    let (shares, shared_by_nobody) = shared(core, &sources, &mut basis).map_err(too_large)?;

    let mut customers: BTreeSet<CustomerId> = sources.served.iter().map(|served| served.customer).collect();
    customers.extend(sold.customers());
    customers.extend(fees.known.keys());
    customers.extend(compute.kept.keys());
    customers.extend(models.customers());
    let mut rows = Vec::new();
    for customer in customers {
        let theirs: Vec<_> = sources.served.iter().map(|served| served.customer == customer).collect();
        let shares = shares.as_ref().map(|shares| shares.iter().zip(&theirs).filter(|(_, own)| **own));
        let shared = shares.map(|own| Margin::total(&own.map(|(share, _)| Some(*share)).collect::<Vec<_>>()));
        let costs = Costs {
            compute: compute.of(customer, &sources.served).map_err(too_large)?,
            fees: fees.of(customer),
            model: models.of(Some(customer)),
            shared: shared.transpose().map_err(too_large)?.flatten(),
        };
        let margin = Margin { revenue: sold.of(customer), costs: costs.total().map_err(too_large)? };
        let instances = theirs.iter().filter(|own| **own).count();
        rows.push(CustomerMargin { customer, instances, costs, margin });
    }
    let nobody =
        Costs { compute: compute.nobody, fees: fees_of_nobody, model: models.of(None), shared: shared_by_nobody };
    let total = total(&rows, nobody).map_err(too_large)?;
    sort(&mut rows).map_err(too_large)?;
    Ok(Margins { customers: rows, nobody, total, basis })
}

impl Costs {
    /// All kinds together; not known unless each is.
    pub(crate) fn total(&self) -> Result<Option<Micros>, OutOfRange> {
        Margin::total(&[self.compute, self.fees, self.model, self.shared])
    }
}

fn total(rows: &[CustomerMargin], nobody: Costs) -> Result<Margin, OutOfRange> {
    let mut costs: Vec<_> = rows.iter().map(|row| row.margin.costs).collect();
    costs.push(nobody.total()?);
    let mut revenue = Some(domain::Cents::ZERO);
    for row in rows {
        revenue = match (revenue, row.margin.revenue) {
            (Some(sum), Some(more)) => Some(sum.checked_add(more).ok_or(OutOfRange)?),
            _ => None,
        };
    }
    Ok(Margin { revenue, costs: Margin::total(&costs)? })
}

/// Losses without any revenue first, then by margin, then what is not known.
fn sort(rows: &mut [CustomerMargin]) -> Result<(), OutOfRange> {
    let mut keys = BTreeMap::new();
    for row in rows.iter() {
        let (permille, profit) = (row.margin.permille()?, row.margin.profit()?);
        let rank = match (permille, profit) {
            (Some(permille), _) => (1, permille),
            (None, Some(profit)) => (0, profit.get()),
            (None, None) => (2, 0),
        };
        keys.insert(row.customer, rank);
    }
    rows.sort_by_key(|row| (keys.get(&row.customer).copied(), row.customer));
    Ok(())
}

/// What running instances cost.
#[derive(Default)]
struct Compute {
    /// Of those that were in service.
    instances: BTreeMap<InstanceId, Option<Micros>>,
    /// Of those that were kept after their service ended, by customer.
    kept: BTreeMap<CustomerId, Option<Micros>>,
    /// Of projects that are nobody's: made ahead, or not for instances at all.
    nobody: Option<Micros>,
}

impl Compute {
    fn of(&self, customer: CustomerId, served: &[Served]) -> Result<Option<Micros>, OutOfRange> {
        let theirs = served.iter().filter(|served| served.customer == customer);
        let each = theirs.map(|served| self.instances.get(&served.instance).copied().flatten());
        Margin::total(&each.chain(self.kept.get(&customer).copied()).collect::<Vec<_>>())
    }
}

async fn compute(core: &Core, month: Month, sources: &Sources, basis: &mut Vec<Basis>) -> Result<Compute, Error> {
    let serving: BTreeSet<_> = sources.served.iter().map(|served| served.instance).collect();
    let (mut used, mut kept) = (BTreeMap::<InstanceId, Used>::new(), BTreeMap::<CustomerId, Used>::new());
    let mut nobody = Used::new();
    let readings = store::readings(&core.db, month).await?;
    for store::Reading { instance, customer, resource, quantity } in &readings {
        let place = match (instance.filter(|id| serving.contains(id)), *customer) {
            (Some(instance), _) => used.entry(instance).or_default(),
            (None, Some(customer)) => kept.entry(customer).or_default(),
            (None, None) => &mut nobody,
        };
        let sum = place.entry(*resource).or_default();
        *sum = sum.saturating_add(*quantity);
    }
    let meters = core.drivers.compute.meters();
    let mut costs = Compute { nobody: sources.priced(&nobody), ..Compute::default() };
    costs.kept = kept.iter().map(|(customer, used)| (*customer, sources.priced(used))).collect();
    for served in &sources.served {
        let cost = match (used.get(&served.instance), sources.prices.instance_month) {
            (Some(used), _) => sources.priced(used),
            (None, _) if meters => None,
            (None, price) => price.and_then(|price| part_of(price, sources.there(served), sources.whole()).ok()),
        };
        costs.instances.insert(served.instance, cost);
    }
    let is_known = costs.instances.values().chain(costs.kept.values()).chain([&costs.nobody]).all(Option::is_some);
    basis.push(compute_basis(core, sources, meters || !readings.is_empty(), is_known).await?);
    Ok(costs)
}

async fn compute_basis(core: &Core, sources: &Sources, meters: bool, is_known: bool) -> Result<Basis, Error> {
    let provider = Role::Compute.driver(core);
    let mut how = match (meters, sources.prices.instance_month) {
        (true, _) => format!(
            "What {provider} counted of processor, memory, volumes, backups and traffic, at the prices of {}.",
            sources.prices.as_of
        ),
        (false, Some(_)) => format!(
            "{provider} counts nothing: the price that you set for an instance and month, for the time that each was \
             there."
        ),
        (false, None) => {
            format!("Unknown: {provider} counts nothing, and [billing.costs.prices] instance_month is not set.")
        }
    };
    if meters && !is_known {
        how.push_str(" Unknown for instances that it has not named yet");
        how.push_str(match sources.prices.in_currency(Micros::ZERO, &sources.currency) {
            Some(_) => ".",
            None => ", and for all of them as long as [billing.costs.prices] dollar is not set.",
        });
    }
    if meters && sources.seen.read_at.is_none_or(|read| read < sources.end + COUNTS_LATE) {
        how.push_str(" It may still count more of this month.");
        let trouble = looks::look(&core.db, Role::Compute, What::Costs).await?.trouble;
        how.extend(trouble.map(|trouble| format!(" The last try to read it failed: {trouble}.")));
    }
    Ok(Basis { what: "Compute", how, observed_at: sources.seen.read_at.filter(|_| meters), is_known })
}

/// What the payment provider kept.
struct Fees {
    /// Nothing where it was never asked.
    is_read: bool,
    known: BTreeMap<CustomerId, Option<Micros>>,
}

impl Fees {
    fn of(&self, customer: CustomerId) -> Option<Micros> {
        match self.known.get(&customer) {
            Some(known) => *known,
            None => self.is_read.then_some(Micros::ZERO),
        }
    }
}

async fn fees(core: &Core, sources: &Sources, basis: &mut Vec<Basis>) -> Result<(Fees, Option<Micros>), Error> {
    let provider = Role::Payments.driver(core);
    let charges = core.drivers.payments.charges();
    let look = looks::look(&core.db, Role::Payments, What::Costs).await?;
    let is_read = !charges || look.seen_at.is_some_and(|seen| seen > sources.from);
    let mut fees = Fees { is_read, known: BTreeMap::new() };
    let mut nobody = is_read.then_some(Micros::ZERO);
    for (customer, currency, amount) in store::fees(&core.db, sources.from, sources.end).await? {
        let amount = Micros::of(amount).and_then(|amount| match currency {
            same if same == sources.currency => Some(amount),
            other if other == "usd" => sources.prices.in_currency(amount, &sources.currency),
            _ => None,
        });
        let sum = match customer {
            Some(customer) => fees.known.entry(customer).or_insert(is_read.then_some(Micros::ZERO)),
            None => &mut nobody,
        };
        *sum = Margin::total(&[*sum, amount]).map_err(too_large)?;
    }
    let is_known = is_read && nobody.is_some() && fees.known.values().all(Option::is_some);
    let mut how = match (charges, is_read) {
        (false, _) => "None: customers pay by hand, and nobody stands between.".to_owned(),
        (true, true) => format!("What {provider} kept, by its own book, for payments, disputes and as a whole."),
        (true, false) => format!("Unknown: {provider} was not asked since the month began."),
    };
    if is_read && !is_known {
        how.push_str(" Unknown where it was kept in another currency that has no price here.");
    }
    how.extend(look.trouble.filter(|_| charges).map(|trouble| format!(" The last try to read it failed: {trouble}.")));
    basis.push(Basis { what: "Payment fees", how, observed_at: look.seen_at.filter(|_| charges), is_known });
    Ok((fees, nobody))
}

/// What each instance bears of fixed costs and seats, and what is left where there is none to bear it.
fn shared(
    core: &Core,
    sources: &Sources,
    basis: &mut Vec<Basis>,
) -> Result<(Option<Vec<Micros>>, Option<Micros>), OutOfRange> {
    let prices = &sources.prices;
    let (gone, whole) = (minutes(sources.from, sources.until), sources.whole());
    let mut known = Vec::new();
    for fixed in &prices.fixed {
        known.push(Some(part_of(fixed.month, gone, whole)?));
    }
    let names: Vec<_> = prices.fixed.iter().map(|fixed| fixed.name.as_str()).collect();
    let how = match names.as_slice() {
        [] => "None are set in [[billing.costs.prices.fixed]].".to_owned(),
        names => format!("As set: {}. Shared by the time that each instance was there.", names.join(", ")),
    };
    basis.push(Basis { what: "Fixed costs", how, observed_at: None, is_known: true });
    let (seats, seats_basis) = seats(core, sources, gone, whole)?;
    known.push(seats);
    basis.push(seats_basis);
    let Some(amount) = Margin::total(&known)? else { return Ok((None, None)) };
    let weights: Vec<u64> = sources.served.iter().map(|served| sources.there(served)).collect();
    let shares = share_out(amount, &weights)?;
    let is_borne = weights.iter().any(|weight| *weight > 0);
    Ok((Some(shares), Some(if is_borne { Micros::ZERO } else { amount })))
}

fn seats(core: &Core, sources: &Sources, gone: u64, whole: u64) -> Result<(Option<Micros>, Basis), OutOfRange> {
    let (prices, seen) = (&sources.prices, &sources.seen);
    let edge = Role::Edge.driver(core);
    let (cost, how) = match seen.seats {
        None if edge != "cloudflare" => (Some(Micros::ZERO), format!("None: the edge {edge} has no seats.")),
        None => (None, format!("Unknown: {edge} was not asked in this month.")),
        Some(seats) if seats <= prices.free_seats => {
            (Some(Micros::ZERO), format!("{seats} seats at {edge}, of which {} are free.", prices.free_seats))
        }
        Some(seats) => {
            let month = prices.seat_month.get().checked_mul(i64::try_from(seats).map_err(|_| OutOfRange)?);
            let month = prices.in_currency(Micros::new(month.ok_or(OutOfRange)?), &sources.currency);
            let cost = month.map(|month| part_of(month, gone, whole)).transpose()?;
            let price = prices.seat_month.to_cents().priced("usd");
            let unknown = if cost.is_none() { " Unknown until [billing.costs.prices] dollar is set." } else { "" };
            let free = prices.free_seats;
            (cost, format!("{seats} seats at {edge} for {price} a month: more than {free}, so none is free.{unknown}"))
        }
    };
    let is_known = cost.is_some();
    Ok((cost, Basis { what: "Seats", how, observed_at: seen.seats_at, is_known }))
}

impl Sources {
    /// In the plan's currency, where that is known.
    fn priced(&self, used: &Used) -> Option<Micros> {
        let each: Vec<_> = used.iter().map(|(resource, quantity)| self.prices.of(*resource, *quantity)).collect();
        let dollars = Margin::total(&each).ok().flatten()?;
        self.prices.in_currency(dollars, &self.currency)
    }

    /// For how many minutes of the month an instance was there.
    fn there(&self, served: &Served) -> u64 {
        let until = served.ended.map_or(self.until, |ended| ended.min(self.until));
        minutes(served.since.max(self.from), until)
    }

    /// How many minutes the month has.
    fn whole(&self) -> u64 {
        minutes(self.from, self.end)
    }
}

impl CostSettings {
    /// The margin to be reached, in tenths of a percent.
    pub(crate) fn target_permille(&self) -> i64 {
        i64::from(self.target_percent) * 10
    }
}

fn minutes(from: Timestamp, until: Timestamp) -> u64 {
    u64::try_from(until.duration_since(from).as_mins()).unwrap_or(0)
}

fn too_large(error: OutOfRange) -> Error {
    Error::Decode(error.into())
}
