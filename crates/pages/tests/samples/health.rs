use super::{Fill, before, now};
use domain::{Uptime, Verdict};
use jiff::{SignedDuration, Timestamp, ToSpan as _, tz::TimeZone};
use pages::{HealthView, UptimeRow, UptimeView, ViewRow};

pub fn view(fill: Fill) -> HealthView {
    let row = |how: &str, seen: &str, at: Option<Timestamp>| ViewRow {
        how: how.to_owned(),
        seen: fill.text(seen),
        at,
        detail: fill.maybe("its hostname answers 502 Bad Gateway"),
    };
    HealthView {
        verdict: fill.option(Verdict::Unreachable),
        since: fill.option(before(600)),
        views: fill.list(vec![
            row("A visit through its address", "Nothing answered", Some(before(12))),
            row("Its provider (local)", "It runs", Some(before(3))),
            row("Its guard, when it reports use", "Nothing yet", None),
        ]),
        uptime: uptime(fill),
    }
}

pub fn uptime(fill: Fill) -> UptimeView {
    let hours = SignedDuration::from_hours;
    let good = Uptime { up: hours(20), asleep: hours(4), ..Uptime::default() };
    let bad = Uptime { up: hours(22), down: hours(1), unknown: hours(1), ..Uptime::default() };
    let row = |label: &str, spent| UptimeRow { label: label.to_owned(), spent };
    let today = now().to_zoned_datetime(TimeZone::UTC).date();
    let days = (0..90_i64).rev().map(|ago| {
        let spent = match ago {
            70.. => Uptime { unknown: hours(24), ..Uptime::default() },
            33 => bad,
            20 => Uptime { up: hours(24), down: SignedDuration::from_secs(40), ..Uptime::default() },
            _ => good,
        };
        (today.checked_sub(ago.days()).unwrap(), spent)
    });
    UptimeView {
        rows: vec![row("Today", good), row("This month", good + good + bad), row("Last month", Uptime::default())],
        days: fill.list(days.collect()),
    }
}
