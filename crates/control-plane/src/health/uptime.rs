//! How much of the time instances answered. Days that are over are added up once, for all instances together.

pub(crate) mod store;

use ::store::sqlx::Error;
use domain::{InstanceId, Month, Uptime};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::app::Core;

/// How far back days are shown.
pub(crate) const DAYS_SHOWN: i64 = 90;
/// How long spans are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(400 * 24);
/// A day is added up once its last views are in.
const SETTLED: SignedDuration = SignedDuration::from_mins(10);

/// How an instance's time was spent: today, in this month and in the one before, and day by day, the latest last.
#[derive(Debug, Clone)]
pub(crate) struct Availability {
    pub today: Uptime,
    pub this_month: Uptime,
    pub last_month: Uptime,
    pub days: Vec<(Date, Uptime)>,
}

/// Of one instance, for as long as it was in use.
pub(crate) async fn of_instance(core: &Core, id: InstanceId) -> Result<Availability, Error> {
    let now = core.clock.now();
    let today = day_of(now);
    let month = today.first_of_month();
    let last_month = before(month, 1).first_of_month();
    let first_day = before(today, DAYS_SHOWN - 1);
    let (active_since, ended) = store::service(&core.db, id).await?;
    let spans = store::spans(&core.db, id, start_of(first_day.min(last_month))).await?;
    let over = |from: Timestamp, until: Timestamp| {
        let Some(since) = active_since else { return Uptime::default() };
        Uptime::over(from.max(since), until.min(ended.unwrap_or(until)).min(now), &spans)
    };
    let days = (0..DAYS_SHOWN).rev().map(|ago| before(today, ago));
    Ok(Availability {
        today: over(start_of(today), now),
        this_month: over(start_of(month), now),
        last_month: over(start_of(last_month), start_of(month)),
        days: days.map(|day| (day, over(start_of(day), start_of(after(day, 1))))).collect(),
    })
}

/// Of all together. Days that nothing is known of are left out of the list.
pub(crate) async fn of_all(core: &Core) -> Result<Availability, Error> {
    let now = core.clock.now();
    let today = day_of(now);
    let month = today.first_of_month();
    let last_month = before(month, 1).first_of_month();
    let of_today = store::all_together(&core.db, start_of(today), now).await?;
    let mut days = store::days(&core.db, before(today, DAYS_SHOWN - 1).min(last_month)).await?;
    days.retain(|(day, _)| *day < today);
    // Until it is added up, yesterday is looked at anew.
    let yesterday = before(today, 1);
    if days.last().is_none_or(|(day, _)| *day < yesterday) {
        days.push((yesterday, store::all_together(&core.db, start_of(yesterday), start_of(today)).await?));
    }
    days.push((today, of_today));
    let sum = |from: Date, until: Date| {
        let wanted = days.iter().filter(|(day, _)| *day >= from && *day < until);
        wanted.fold(Uptime::default(), |sum, (_, day)| sum + *day)
    };
    let (this_month, last_month) = (sum(month, after(today, 1)), sum(last_month, month));
    let first = before(today, DAYS_SHOWN - 1);
    days.retain(|(day, _)| *day >= first);
    Ok(Availability { today: of_today, this_month, last_month, days })
}

/// Of all together, on the days of a month that are added up.
pub(crate) async fn of_month(core: &Core, month: Month) -> Result<Uptime, Error> {
    let (from, until) = (day_of(month.first_hour().start()), day_of(month.next().first_hour().start()));
    let days = store::days(&core.db, from).await?;
    Ok(days.iter().filter(|(day, _)| *day < until).fold(Uptime::default(), |sum, (_, day)| sum + *day))
}

/// Adds up the days that are over and were not yet, and forgets what is too old.
///
/// # Errors
/// When the store does not answer.
pub async fn add_up(core: &Core) -> Result<(), Error> {
    let now = core.clock.now();
    let today = day_of(now - SETTLED);
    let Some(first) = store::first_seen(&core.db).await? else { return Ok(()) };
    let from = day_of(first).max(before(today, DAYS_SHOWN));
    let known: Vec<Date> = store::days(&core.db, from).await?.into_iter().map(|(day, _)| day).collect();
    let mut day = from;
    while day < today {
        if !known.contains(&day) {
            let spent = store::all_together(&core.db, start_of(day), start_of(after(day, 1))).await?;
            let mut tx = core.db.begin().await?;
            store::add_day(&mut tx, day, &spent).await?;
            store::forget(&mut tx, now - KEPT).await?;
            tx.commit().await?;
        }
        day = after(day, 1);
    }
    Ok(())
}

pub(crate) fn day_of(at: Timestamp) -> Date {
    at.to_zoned_datetime(TimeZone::UTC).date()
}

pub(crate) fn start_of(day: Date) -> Timestamp {
    day.to_zoned_datetime(TimeZone::UTC).map_or(Timestamp::MIN, |zoned| zoned.timestamp())
}

pub(crate) fn before(day: Date, days: i64) -> Date {
    day.checked_sub(days.days()).unwrap_or(Date::MIN)
}

fn after(day: Date, days: i64) -> Date {
    day.checked_add(days.days()).unwrap_or(Date::MAX)
}
