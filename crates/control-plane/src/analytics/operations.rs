//! How the machinery fares in a month: what customers wait for, and what people have to do by hand.

use ::store::sqlx::Error;
use api::Figure;
use billing::growth::Ratio;
use domain::{Month, Share};
use jiff::Timestamp;

use super::figures::{About, Amount, Reading, figure};
use super::report::span;
use super::store;
use crate::app::Core;
use crate::health::uptime;

/// Within this an instance is to be ready.
const READY_WITHIN_MS: i64 = 5 * 60 * 1_000;
/// More of all updates than this are to succeed, in tenths of a percent.
const UPDATES_PERMILLE: i64 = 990;
/// Less of all work than this is to need a person, in tenths of a percent.
const BY_HAND_PERMILLE: i64 = 10;

pub(super) async fn of(core: &Core, month: Month) -> Result<Vec<Figure>, Error> {
    Ok(vec![
        time_to_make(core, month).await?,
        updates(core, month).await?,
        up(core, month).await?,
        breaches(core, month).await?,
        by_hand(core, month).await?,
    ])
}

async fn time_to_make(core: &Core, month: Month) -> Result<Figure, Error> {
    let (from, until) = span(month);
    let times = store::times_to_make(&core.db, from, until).await?;
    let about = About {
        name: "provisioning_time",
        label: "Time to make an instance",
        definition: "Of the instances that were begun in the month and made, 95 of 100 were ready within this time.",
    };
    // The smallest time that so many did not exceed.
    let rank = (times.len() * 95).div_ceil(100);
    let reading = match rank.checked_sub(1).and_then(|place| times.get(place)) {
        Some(ms) => Reading::known(Amount::Seconds(ms.saturating_add(999) / 1_000), Some(*ms < READY_WITHIN_MS)),
        None => Reading::Unknown("No instance was made in the month.".to_owned()),
    };
    Ok(figure(core, &about, reading, Some("under 5 min")))
}

async fn updates(core: &Core, month: Month) -> Result<Figure, Error> {
    let (from, until) = span(month);
    let (well, failed) = store::updates(&core.db, from, until).await?;
    let about = About {
        name: "update_success",
        label: "Updates that succeeded",
        definition: "Of the updates of single instances that were decided in the month, those after which the instance \
                     ran the new release and stayed well.",
    };
    let reading = match part(well, well.saturating_add(failed)) {
        Some(part) => Reading::known(Amount::Permille(part.permille_down()), Some(part.is_over(UPDATES_PERMILLE))),
        None => Reading::Unknown("No instance was updated in the month.".to_owned()),
    };
    Ok(figure(core, &about, reading, Some("over 99 %")))
}

async fn up(core: &Core, month: Month) -> Result<Figure, Error> {
    let about = About {
        name: "uptime",
        label: "Uptime",
        definition: "Of the time in which instances were seen, all together, the part in which they answered; without \
                     sleep and what was closed on purpose. Days that are over count.",
    };
    let reading = match uptime::of_month(core, month).await?.share() {
        Some(share) => Reading::Known {
            amount: Amount::Permille(i64::from(share.thousandths() / 100)),
            is_met: Some(share > Share::TARGET),
            shown: Some(share.to_string()),
        },
        None => Reading::Unknown("No instance was seen on a day of the month that is over.".to_owned()),
    };
    Ok(figure(core, &about, reading, Some("over 99.5 %")))
}

async fn breaches(core: &Core, month: Month) -> Result<Figure, Error> {
    let (from, until) = quarter(month);
    let found = store::breaches(&core.db, from, until).await?;
    let about = About {
        name: "security_incidents",
        label: "Security incidents",
        definition: "How often, in the quarter of the month, somebody got into an instance who does not belong there, as \
                     the isolation prover found.",
    };
    Ok(figure(core, &about, Reading::known(Amount::Count(found), Some(found == 0)), Some("0 in a quarter")))
}

async fn by_hand(core: &Core, month: Month) -> Result<Figure, Error> {
    let (from, until) = span(month);
    let (begun, needed) = store::work(&core.db, from, until).await?;
    let about = About {
        name: "work_by_hand",
        label: "Work that needed a hand",
        definition: "Of all workflows that began in the month, those that are stuck, or that a person retried or gave up.",
    };
    let reading = match part(needed, begun) {
        Some(part) => Reading::known(Amount::Permille(part.permille_up()), Some(part.is_under(BY_HAND_PERMILLE))),
        None => Reading::Unknown("No workflow began in the month.".to_owned()),
    };
    Ok(figure(core, &about, reading, Some("under 1 %")))
}

fn part(part: u64, whole: u64) -> Option<Ratio> {
    Ratio::of(i64::try_from(part).ok()?, i64::try_from(whole).ok()?)
}

/// The three months of the calendar's quarter that a month is in.
fn quarter(month: Month) -> (Timestamp, Timestamp) {
    let begins = |month: Month| ["-01", "-04", "-07", "-10"].iter().any(|end| month.to_string().ends_with(end));
    let mut first = month;
    while !begins(first) {
        first = first.previous();
    }
    (span(first).0, span(first.next().next()).1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_quarter_is_three_months_of_the_calendar() {
        for (month, from, until) in [
            ("2026-10", "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("2026-12", "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("2027-02", "2027-01-01T00:00:00Z", "2027-04-01T00:00:00Z"),
        ] {
            let (first, last) = quarter(Month::parse(month).unwrap());
            assert_eq!((first.to_string().as_str(), last.to_string().as_str()), (from, until), "{month}");
        }
    }
}
