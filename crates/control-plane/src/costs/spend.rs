//! How near the providers are to the limits at which they stop serving us, and who is told: the operator, before it
//! happens, once for each part of a limit and period; and when nobody could be asked for long.

pub(crate) mod store;

use std::collections::BTreeSet;
use std::fmt;

use ::store::Tx;
use ::store::sqlx::Error;
use billing::{Allowance, Warning};
use domain::{Micros, Month};
use jiff::{SignedDuration, Timestamp};
use providers::costs::Spend;

use super::reading::{end_of, seats};
use crate::alerts::{self, Kind};
use crate::app::Core;
use crate::inventory::Role;
use crate::inventory::store::{self as looks, What};
use crate::text::capital;

/// How often it is looked.
const EVERY: SignedDuration = SignedDuration::from_mins(30);
/// So long without an answer is long.
const LONG: SignedDuration = SignedDuration::from_hours(6);
/// How the limits are called in the store.
const SPENDING: &str = "compute spending";
const SEATS: &str = "edge seats";
/// Where the operator sees all of it.
pub(crate) const PAGE: &str = "/admin/money/margins";

/// In what a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Millionths of a US dollar.
    Dollars,
    Seats,
}

/// Something that was told of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Notice {
    Near(Warning),
    /// Nobody could be asked for long.
    Silent,
}

/// What a look showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub used: u64,
    /// Nothing where nobody set one.
    pub limit: Option<u64>,
    pub from: Timestamp,
    pub until: Timestamp,
}

/// A limit as far as it is known.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub name: String,
    pub provider: String,
    pub unit: Unit,
    pub seen: Option<Seen>,
    pub observed_at: Option<Timestamp>,
    pub first_tried_at: Timestamp,
    pub trouble: Option<String>,
}

/// Of what was told, that which the rest does not say as well: the largest part, the forecast, the silence.
pub(crate) fn worth_saying(told: &[(Notice, Timestamp)]) -> impl Iterator<Item = &(Notice, Timestamp)> {
    let part = |notice: Notice| match notice {
        Notice::Near(Warning::Reached(part)) => Some(part),
        Notice::Near(Warning::Forecast) | Notice::Silent => None,
    };
    let largest = told.iter().filter_map(move |(notice, _)| part(*notice)).max();
    told.iter().filter(move |(notice, _)| part(*notice).is_none_or(|part| Some(part) == largest))
}

/// Looks at the limits that were not looked at for a while.
pub(super) async fn look_if_due(core: &Core) -> Result<(), Error> {
    let now = core.clock.now();
    if looks::claim(&core.db, Role::Compute, What::Spend, now, now - EVERY).await? {
        look_at_spending(core).await?;
    }
    if looks::claim(&core.db, Role::Edge, What::Spend, now, now - EVERY).await? {
        look_at_seats(core).await?;
    }
    Ok(())
}

async fn look_at_spending(core: &Core) -> Result<(), Error> {
    let began = core.clock.now();
    let outcome = match core.drivers.compute.spend().await {
        Ok(None) => return store::forget(&core.db, SPENDING, began).await,
        Ok(Some(spend)) => Ok((of_spend(core, &spend), began)),
        Err(error) => Err(error.to_string()),
    };
    note(core, SPENDING, Role::Compute.driver(core), Unit::Dollars, outcome).await
}

/// The seats are counted with the other limits of the edge; here nobody is asked again.
async fn look_at_seats(core: &Core) -> Result<(), Error> {
    let Some(counted) = seats(core).await? else { return store::forget(&core.db, SEATS, core.clock.now()).await };
    let month = Month::of(counted.observed_at);
    let (from, until) = (month.first_hour().start(), end_of(month));
    let seen = Seen { used: counted.used, limit: Some(counted.limit), from, until };
    let provider = Role::Edge.driver(core);
    note(core, SEATS, provider, Unit::Seats, Ok((seen, counted.observed_at))).await?;
    match looks::look(&core.db, Role::Edge, What::Ceilings).await?.trouble {
        Some(trouble) => note(core, SEATS, provider, Unit::Seats, Err(trouble)).await,
        None => Ok(()),
    }
}

fn of_spend(core: &Core, spend: &Spend) -> Seen {
    let number = |micros: Micros| u64::try_from(micros.get()).unwrap_or(0);
    let limit = spend.hard_limit.or(core.settings.billing.costs.spend_limit);
    Seen { used: number(spend.spent), limit: limit.map(number), from: spend.from, until: spend.until }
}

/// Keeps what a look showed, or that it showed nothing, and tells what is new about it, in one transaction.
async fn note(
    core: &Core,
    name: &str,
    provider: &str,
    unit: Unit,
    outcome: Result<(Seen, Timestamp), String>,
) -> Result<(), Error> {
    let now = core.clock.now();
    let mut tx = core.db.begin().await?;
    let mut known = store::hold(&mut tx, name, provider, unit, now).await?;
    match outcome {
        // A look that began before the one that was kept last says nothing new.
        Ok((_, at)) if known.observed_at.is_some_and(|kept| kept > at) => {}
        Ok((seen, at)) => {
            store::seen(&mut tx, name, &seen, at).await?;
            (known.seen, known.observed_at, known.trouble) = (Some(seen), Some(at), None);
            tell_of_parts(&mut tx, core, &known, seen, at).await?;
        }
        Err(why) => {
            tracing::warn!("How much of {name} at {provider} is used could not be read: {why}");
            store::failed(&mut tx, name, &why).await?;
            known.trouble = Some(why);
        }
    }
    tell_of_silence(&mut tx, core, &known, now).await?;
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}

async fn tell_of_parts(tx: &mut Tx, core: &Core, known: &Known, seen: Seen, at: Timestamp) -> Result<(), Error> {
    let mut before = BTreeSet::new();
    for (notice, period) in store::open_notices(tx, &known.name).await? {
        match notice {
            Notice::Near(warning) if period == seen.from && seen.limit.is_some() => drop(before.insert(warning)),
            // The period is over, or the limit was lifted.
            Notice::Near(_) => store::end(tx, &known.name, notice, period, at).await?,
            Notice::Silent => {}
        }
    }
    let Some(allowance) = known.allowance() else { return Ok(()) };
    let change = allowance.judge(at, &core.settings.billing.costs.alert_percents, &before);
    for warning in &change.over {
        store::end(tx, &known.name, Notice::Near(*warning), seen.from, at).await?;
    }
    for warning in &change.new {
        store::raise(tx, &known.name, Notice::Near(*warning), seen.from, at).await?;
    }
    let Some(warning) = change.told() else { return Ok(()) };
    let key = format!("{} {} {} {}", known.name, Notice::Near(warning), seen.from, at.as_millisecond());
    alerts::raise(tx, core, Kind::SpendLimit, &key, &known.headline(Notice::Near(warning)), &known.in_words(at), PAGE)
        .await
}

async fn tell_of_silence(tx: &mut Tx, core: &Core, known: &Known, now: Timestamp) -> Result<(), Error> {
    let since = known.silent_since();
    let was_told = store::open_notices(tx, &known.name).await?.into_iter().any(|(notice, _)| notice == Notice::Silent);
    let is_long = now.duration_since(since) >= LONG;
    if was_told && !is_long {
        return store::end(tx, &known.name, Notice::Silent, Timestamp::UNIX_EPOCH, now).await;
    }
    if was_told || !is_long {
        return Ok(());
    }
    store::raise(tx, &known.name, Notice::Silent, Timestamp::UNIX_EPOCH, now).await?;
    let key = format!("{} silent since {since}", known.name);
    alerts::raise(tx, core, Kind::SpendLimit, &key, &known.headline(Notice::Silent), &known.in_words(now), PAGE).await
}

impl Known {
    /// Since when nothing is known.
    pub(crate) fn silent_since(&self) -> Timestamp {
        self.observed_at.unwrap_or(self.first_tried_at)
    }

    /// How much of the limit is used; nothing where there is none.
    pub(crate) fn allowance(&self) -> Option<Allowance> {
        let Seen { used, limit, from, until } = self.seen?;
        Some(Allowance { used, limit: limit?, from, until, grows: self.unit == Unit::Dollars })
    }

    /// What it is, in words: `spending at railway`.
    pub(crate) fn called(&self) -> String {
        match self.unit {
            Unit::Dollars => format!("spending at {}", self.provider),
            Unit::Seats => format!("seats at {}", self.provider),
        }
    }

    /// An amount in the words of its unit.
    pub(crate) fn amount(&self, number: u64) -> String {
        match self.unit {
            Unit::Dollars => {
                let micros = Micros::new(i64::try_from(number).unwrap_or(i64::MAX));
                micros.to_cents().priced("usd")
            }
            Unit::Seats => number.to_string(),
        }
    }

    /// A notice in one line.
    pub(crate) fn headline(&self, notice: Notice) -> String {
        let what = capital(&self.called());
        match notice {
            Notice::Near(Warning::Reached(100)) => format!("{what}: the limit is reached"),
            Notice::Near(Warning::Reached(part)) => format!("{what}: {part} % of the limit are used"),
            Notice::Near(Warning::Forecast) => format!("{what}: the limit will be reached before the period ends"),
            Notice::Silent => {
                let since = self.silent_since().strftime("%Y-%m-%d %H:%M UTC");
                format!("{what}: how much of the limit is used is unknown since {since}")
            }
        }
    }

    /// How it stands, what happens at the limit, and what to do.
    pub(crate) fn in_words(&self, now: Timestamp) -> String {
        let mut words = Vec::new();
        match self.seen {
            Some(Seen { used, limit, from, until }) => {
                let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
                let of = limit.map_or_else(String::new, |limit| format!(" of {}", self.amount(limit)));
                words.push(format!("{}{of} in the period from {} to {}.", self.amount(used), day(from), day(until)));
            }
            None => words.push("It was never seen.".to_owned()),
        }
        if let Some(at) = self.allowance().and_then(|allowance| allowance.reached_at(now)) {
            words.push(format!("If it goes on like this, the limit is reached about {}.", at.strftime("%Y-%m-%d")));
        }
        if let Some(trouble) = &self.trouble {
            words.push(format!("The last try to read it failed: {trouble}."));
        }
        words.push(self.consequence().to_owned());
        words.join(" ")
    }

    /// What happens at the limit, and what to do before.
    pub(crate) fn consequence(&self) -> &'static str {
        match self.unit {
            Unit::Dollars => {
                "At the limit the provider stops every workload of the workspace, so that no customer can work, until its \
                 period ends or the limit is raised. What to do: raise the hard limit in the workspace's usage settings \
                 there, or see in `spinoff billing margin` who costs that much."
            }
            Unit::Seats => {
                "When no seat is left, the next person who signs in for the first time is refused, whoever's member that \
                 is. What to do: buy seats, or set when the seats of people who stay away expire."
            }
        }
    }
}

impl Unit {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Dollars => "usd_micros",
            Self::Seats => "seats",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Dollars, Self::Seats].into_iter().find(|unit| unit.as_str() == word)
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Near(Warning::Reached(part)) => write!(f, "reached_{part}"),
            Self::Near(Warning::Forecast) => f.write_str("forecast"),
            Self::Silent => f.write_str("silent"),
        }
    }
}

impl Notice {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "silent" => Some(Self::Silent),
            "forecast" => Some(Self::Near(Warning::Forecast)),
            _ => word.strip_prefix("reached_")?.parse().ok().map(|part| Self::Near(Warning::Reached(part))),
        }
    }
}
