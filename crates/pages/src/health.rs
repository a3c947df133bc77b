use std::fmt::Write as _;

use domain::{Share, Uptime, Verdict};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::page::Markup;

/// How a workspace is, who saw what of it and when, and how much of the time it answered.
#[derive(Debug, Clone)]
pub struct HealthView {
    /// What all views together come to; none once it is given up.
    pub verdict: Option<Verdict>,
    /// Since when it is so, where that was seen.
    pub since: Option<Timestamp>,
    /// What each of those saw who look at it.
    pub views: Vec<ViewRow>,
    /// How much of the time it answered.
    pub uptime: UptimeView,
}

/// What one of those saw who look at a workspace.
#[derive(Debug, Clone)]
pub struct ViewRow {
    /// How it looks, such as `Through its address, as you do`.
    pub how: String,
    /// What was seen.
    pub seen: String,
    /// When; none when nothing was seen yet.
    pub at: Option<Timestamp>,
    /// More about it.
    pub detail: Option<String>,
}

/// How time was spent, as a table and as bars.
#[derive(Debug, Clone)]
pub struct UptimeView {
    /// Spans of time by name.
    pub rows: Vec<UptimeRow>,
    /// Day by day, the latest last.
    pub days: Vec<(Date, Uptime)>,
}

/// How a span of time was spent.
#[derive(Debug, Clone)]
pub struct UptimeRow {
    /// Such as `This month`.
    pub label: String,
    /// How it was spent.
    pub spent: Uptime,
}

/// Wide enough to be seen, with a gap after it.
const BAR: usize = 4;
const PITCH: usize = 6;
const HEIGHT: usize = 30;

/// A verdict in words for people.
pub(crate) fn verdict_label(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Up => "Answering",
        Verdict::Starting => "Starting",
        Verdict::Asleep => "Asleep",
        Verdict::Down => "Not answering",
        Verdict::Unreachable => "Not reachable",
        Verdict::Suspended => "Closed on purpose",
        Verdict::Unknown => "Unknown",
    }
}

/// The colour that goes with it; the word always stands beside it.
pub(crate) fn verdict_tone(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Up => "good",
        Verdict::Starting => "wait",
        Verdict::Down | Verdict::Unreachable => "bad",
        Verdict::Asleep | Verdict::Suspended | Verdict::Unknown => "off",
    }
}

impl HealthView {
    fn known(&self) -> Verdict {
        self.verdict.unwrap_or(Verdict::Unknown)
    }

    pub(crate) fn label(&self) -> &'static str {
        verdict_label(self.known())
    }

    pub(crate) fn tone(&self) -> &'static str {
        verdict_tone(self.known())
    }

    /// What the verdict means, where the word alone may be misread.
    pub(crate) fn meaning(&self) -> &'static str {
        match self.known() {
            Verdict::Up => "It answers whoever opens it.",
            Verdict::Starting => "It is being started. Whoever opens it now waits for a moment.",
            Verdict::Asleep => "Nobody uses it, so it rests. It wakes when somebody opens it.",
            Verdict::Down => "It should answer and does not. It is started again by itself.",
            Verdict::Unreachable => "Its address does not lead to it at the moment. Everything in it is still there.",
            Verdict::Suspended => "It was closed. Everything in it is kept.",
            Verdict::Unknown => "Nobody saw it lately enough to say.",
        }
    }
}

impl UptimeView {
    pub(crate) fn target(&self) -> Share {
        Share::TARGET
    }

    pub(crate) fn bars(&self) -> Markup {
        bars(&self.days)
    }

    /// The days on which it did not always answer, latest first.
    pub(crate) fn troubled(&self) -> Vec<&(Date, Uptime)> {
        self.days.iter().rev().filter(|(_, spent)| !spent.down.is_zero()).collect()
    }
}

impl UptimeRow {
    pub(crate) fn share(&self) -> String {
        share(&self.spent)
    }

    /// Colour and word beside the target.
    pub(crate) fn verdict(&self) -> (&'static str, &'static str) {
        match self.spent.share() {
            Some(share) if share >= Share::TARGET => ("good", "Within the target"),
            Some(_) => ("bad", "Below the target"),
            None => ("off", "Nothing was seen"),
        }
    }
}

/// The share of a time, or that it is not known.
pub(crate) fn share(spent: &Uptime) -> String {
    spent.share().map_or_else(|| "unknown".to_owned(), |share| share.to_string())
}

/// A span of time in its two largest units.
pub(crate) fn spell(time: &SignedDuration) -> String {
    let seconds = time.as_secs().max(0);
    match seconds {
        0 if time.is_zero() => "–".to_owned(),
        0 => "under 1 s".to_owned(),
        1..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// A bar for each day. What it shows stands in words beside it, so that it needs neither colour nor eyes.
fn bars(days: &[(Date, Uptime)]) -> Markup {
    let all = days.iter().fold(Uptime::default(), |sum, (_, spent)| sum + *spent);
    let troubled = days.iter().filter(|(_, spent)| !spent.down.is_zero()).count();
    let mut svg = format!(
        "<svg width=\"100%\" height=\"32\" fill=\"currentColor\" viewBox=\"0 0 {} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"The last {} days: \
         {}, with outages on {troubled} of them\">",
        days.len() * PITCH,
        days.len(),
        share(&all),
    );
    for (place, (day, spent)) in days.iter().enumerate() {
        let tone = match spent.share() {
            None => "off",
            Some(share) if share.thousandths() == 100_000 => "good",
            Some(share) if share >= Share::TARGET => "wait",
            Some(_) => "bad",
        };
        let words = share(spent);
        // Writing to a text can't fail.
        let _ = write!(
            svg,
            "<rect class=\"chip {tone}\" x=\"{}\" width=\"{BAR}\" height=\"{HEIGHT}\"><title>{day}: {words}</title></rect>",
            place * PITCH
        );
    }
    svg.push_str("</svg>");
    Markup(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_only_as_good_as_what_was_seen_of_it() {
        let hours = SignedDuration::from_hours;
        let days = [
            Uptime { unknown: hours(24), ..Uptime::default() },
            Uptime { up: hours(24), ..Uptime::default() },
            Uptime { up: hours(24), down: SignedDuration::from_secs(30), ..Uptime::default() },
            Uptime { up: hours(20), down: hours(4), ..Uptime::default() },
        ];
        let days: Vec<_> = days.into_iter().map(|spent| (Date::constant(2026, 11, 29), spent)).collect();
        let Markup(svg) = bars(&days);
        for (tone, words) in [("off", "unknown"), ("good", "100 %"), ("wait", "99.96 %"), ("bad", "83.33 %")] {
            assert!(svg.contains(&format!("<rect class=\"chip {tone}\"")), "{svg}");
            assert!(svg.contains(&format!("2026-11-29: {words}")), "{svg}");
        }
        assert!(svg.contains("outages on 2 of them"), "{svg}");
    }

    #[test]
    fn times_are_told_in_the_units_that_matter() {
        for (seconds, words) in [(0, "–"), (59, "59 s"), (3_599, "59 min"), (3_660, "1 h 1 min"), (90_000, "1 d 1 h")]
        {
            assert_eq!(spell(&SignedDuration::from_secs(seconds)), words);
        }
    }
}
