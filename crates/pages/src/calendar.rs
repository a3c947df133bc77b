//! A month of usage as one small picture: a column a day, a row an hour, used hours filled in.
//!
//! Where hours lead to their evidence, the picture is for the eye and the pointer: a list of the same links stands
//! beside it for everybody else.

use std::collections::BTreeMap;
use std::fmt::Write;

use domain::{Month, UsageHour};
use jiff::{Timestamp, tz::TimeZone};

use crate::page::Markup;

const CELL: usize = 10;
const GAP: usize = 2;
const LEFT: usize = 22;
const TOP: usize = 14;

/// An hour in the picture that leads somewhere.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark<'a> {
    pub hour: UsageHour,
    /// How its cell looks.
    pub class: &'static str,
    pub url: &'a str,
}

/// The month as SVG whose used hours are links.
pub(crate) fn linked<'a>(month: Month, marks: impl Iterator<Item = Mark<'a>>) -> Markup {
    let first = month.first_hour().get();
    let marks: BTreeMap<i64, Mark<'a>> = marks.map(|mark| (mark.hour.get() - first, mark)).collect();
    let mut svg = opening(month, r#"aria-hidden="true""#);
    for index in 0..usize::from(month.hours()) {
        let mark = i64::try_from(index).ok().and_then(|index| marks.get(&index));
        match mark {
            Some(mark) => {
                let (url, label) = (escaped(mark.url), hour_in_words(mark.hour));
                let _ = write!(svg, r#"<a href="{url}" tabindex="-1"><title>{label}</title>"#);
                cell(&mut svg, index, mark.class);
                svg.push_str("</a>");
            }
            None => cell(&mut svg, index, "free"),
        }
    }
    svg.push_str("</svg>");
    Markup(svg)
}

/// How far a period has come: what is used, what is expected, and what it can't exceed. The sentence beside it says
/// the same.
pub(crate) fn bar(used: u32, expected: u32, most: u32) -> Markup {
    let width = |hours: u32| f64::from(hours.min(most)) * 1000.0 / f64::from(most.max(1));
    Markup(format!(
        r#"<svg class="bar-of-hours" viewBox="0 0 1000 12" preserveAspectRatio="none" aria-hidden="true"><rect class="free" width="1000" height="12"/><rect class="expected" width="{:.0}" height="12"/><rect class="used" width="{:.0}" height="12"/></svg>"#,
        width(expected),
        width(used)
    ))
}

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
    let count = filled.iter().filter(|used| **used).count();
    let words = month_in_words(month);
    let label = format!("{count} used hours in {words}; a column for each day, a row for each hour (UTC)");
    let mut svg = opening(month, &format!(r#"role="img" aria-label="{label}""#));
    for (index, used) in filled.iter().enumerate() {
        cell(&mut svg, index, if *used { "used" } else { "free" });
    }
    svg.push_str("</svg>");
    Markup(svg)
}

/// The picture's frame with its numbers.
fn opening(month: Month, named: &str) -> String {
    let days = usize::from(month.hours()) / 24;
    let (width, height) = (LEFT + days * (CELL + GAP), TOP + 24 * (CELL + GAP));
    let mut svg = format!(r#"<svg class="calendar" viewBox="0 0 {width} {height}" {named}>"#);
    for day in (0..days).step_by(7) {
        text(&mut svg, LEFT + day * (CELL + GAP), TOP - 5, &(day + 1).to_string());
    }
    for hour in (0..24).step_by(6) {
        text(&mut svg, 0, TOP + hour * (CELL + GAP) + CELL - 1, &format!("{hour:02}"));
    }
    svg
}

fn cell(svg: &mut String, index: usize, class: &str) {
    let (x, y) = (LEFT + index / 24 * (CELL + GAP), TOP + index % 24 * (CELL + GAP));
    // Writing into a String can't fail.
    let _ = write!(svg, r#"<rect class="{class}" x="{x}" y="{y}" width="{CELL}" height="{CELL}" rx="2"/>"#);
}

/// A text within an element or within quotes.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
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

/// `Tue 24 Nov`, in UTC.
pub(crate) fn day_in_words(hour: UsageHour) -> String {
    hour.start().to_zoned_datetime(TimeZone::UTC).strftime("%a %-d %b").to_string()
}

/// `22:00`, in UTC.
pub(crate) fn hour_of_day(hour: UsageHour) -> String {
    format!("{:02}:00", hour.get().rem_euclid(24))
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
    fn a_linked_month_has_a_link_for_each_used_hour_and_no_address_breaks_out() {
        let month = Month::parse("2027-02").unwrap();
        let first = month.first_hour();
        let other = UsageHour::from_number(first.get() - 1).unwrap();
        let marks = [first, other].map(|hour| Mark { hour, class: "waived", url: "/a\"><b&c" });
        let svg = linked(month, marks.into_iter()).to_string();
        assert_eq!(
            (svg.matches("<rect").count(), svg.matches("<a ").count(), svg.matches("</a>").count()),
            (672, 1, 1)
        );
        assert!(svg.contains(r#"<a href="/a&quot;&gt;&lt;b&amp;c" tabindex="-1">"#), "{svg}");
        assert_eq!(svg.matches(r#"class="waived""#).count(), 1);
    }

    #[test]
    fn a_bar_never_leaves_its_frame() {
        assert!(bar(900, 10, 0).to_string().contains(r#"class="used" width="0""#));
        assert!(bar(50, 90, 100).to_string().contains(r#"class="used" width="500""#));
        assert!(bar(50, 900, 100).to_string().contains(r#"class="expected" width="1000""#));
    }

    #[test]
    fn the_last_hour_of_a_day_ends_at_midnight() {
        let at: Timestamp = "2026-11-24T23:30:00Z".parse().unwrap();
        assert_eq!(hour_in_words(UsageHour::of(at)), "Tue 24 Nov, 23:00 to 00:00");
    }
}
