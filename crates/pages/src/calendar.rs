//! A month of usage as one small picture: a column a day, a row an hour, used hours filled in.

use std::fmt::Write;

use domain::{Month, UsageHour};
use jiff::{Timestamp, tz::TimeZone};

use crate::page::Markup;

const CELL: usize = 10;
const GAP: usize = 2;
const LEFT: usize = 22;
const TOP: usize = 14;

/// The month as SVG, with a sentence for those who can't see it.
pub(crate) fn of(month: Month, used: impl Iterator<Item = UsageHour>) -> Markup {
    let hours = usize::from(month.hours());
    let first = month.first_hour().get();
    let mut filled = vec![false; hours];
    for hour in used {
        if let Some(cell) = usize::try_from(hour.get() - first).ok().and_then(|index| filled.get_mut(index)) {
            *cell = true;
        }
    }
    let days = hours / 24;
    let (width, height) = (LEFT + days * (CELL + GAP), TOP + 24 * (CELL + GAP));
    let count = filled.iter().filter(|used| **used).count();
    let mut svg = format!(
        r#"<svg class="calendar" viewBox="0 0 {width} {height}" role="img" aria-label="{count} used hours in {}; a column for each day, a row for each hour (UTC)">"#,
        month_in_words(month)
    );
    for day in (0..days).step_by(7) {
        text(&mut svg, LEFT + day * (CELL + GAP), TOP - 5, &(day + 1).to_string());
    }
    for hour in (0..24).step_by(6) {
        text(&mut svg, 0, TOP + hour * (CELL + GAP) + CELL - 1, &format!("{hour:02}"));
    }
    for (index, used) in filled.iter().enumerate() {
        let (x, y) = (LEFT + index / 24 * (CELL + GAP), TOP + index % 24 * (CELL + GAP));
        let class = if *used { "used" } else { "free" };
        // Writing into a String can't fail.
        let _ = write!(svg, r#"<rect class="{class}" x="{x}" y="{y}" width="{CELL}" height="{CELL}" rx="2"/>"#);
    }
    svg.push_str("</svg>");
    Markup(svg)
}

/// `November 2026`.
pub(crate) fn month_in_words(month: Month) -> String {
    month.first_hour().start().to_zoned_datetime(TimeZone::UTC).strftime("%B %Y").to_string()
}

/// `Tue 24 Nov, 22:00 to 23:00`, in UTC.
pub(crate) fn hour_in_words(hour: UsageHour) -> String {
    let start = hour.start().to_zoned_datetime(TimeZone::UTC);
    let end = (hour.get() + 1).rem_euclid(24);
    format!("{} to {end:02}:00", start.strftime("%a %-d %b, %H:%M"))
}

/// `22:54:07`, in UTC.
pub(crate) fn clock(at: Timestamp) -> String {
    at.to_zoned_datetime(TimeZone::UTC).strftime("%H:%M:%S").to_string()
}

fn text(svg: &mut String, x: usize, y: usize, label: &str) {
    let _ = write!(svg, r#"<text x="{x}" y="{y}">{label}</text>"#);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_month_has_a_cell_for_each_hour_and_fills_the_used_ones_once() {
        let month = Month::parse("2027-02").unwrap();
        let first = month.first_hour();
        let last = UsageHour::from_number(first.get() + 671).unwrap();
        let outside = UsageHour::from_number(first.get() + 672).unwrap();
        let svg = of(month, [first, last, last, outside].into_iter()).to_string();
        assert_eq!(svg.matches("<rect").count(), 672);
        assert_eq!(svg.matches(r#"class="used""#).count(), 2);
        assert!(svg.contains("2 used hours in February 2027"));
    }

    #[test]
    fn the_last_hour_of_a_day_ends_at_midnight() {
        let at: Timestamp = "2026-11-24T23:30:00Z".parse().unwrap();
        assert_eq!(hour_in_words(UsageHour::of(at)), "Tue 24 Nov, 23:00 to 00:00");
    }
}
