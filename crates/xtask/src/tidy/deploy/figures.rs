//! Figures for Prometheus: alerts and dashboards ask only for what is published.

use super::known::Known;
use super::words;
use crate::tidy::Complaint;
use crate::tidy::tree::File;

/// How figures of ours begin.
const START: &str = "spinoff_";

/// What a figure is, which decides by which names it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// The figures that a file registers, by the names under which they are shown, without what is put behind them.
pub fn published(text: &str) -> Vec<(String, Kind)> {
    let Some((_, prefix)) = text.split_once("Registry::with_prefix(\"") else { return Vec::new() };
    let prefix = prefix.split('"').next().unwrap_or_default();
    text.split("registry.register").skip(1).filter_map(|call| registered(prefix, call, text)).collect()
}

fn registered(prefix: &str, call: &str, text: &str) -> Option<(String, Kind)> {
    let call = call.split(';').next()?;
    let name = call.split('"').nth(1)?;
    let unit = if call.starts_with("_with_unit") { "_seconds" } else { "" };
    let (value, _) = call.rsplit_once(".clone()")?;
    let field = value.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    Some((format!("{prefix}_{name}{unit}"), kind(field, text)?))
}

/// By the type of the field that holds it.
fn kind(field: &str, text: &str) -> Option<Kind> {
    let kinds = [("Counter", Kind::Counter), ("Histogram", Kind::Histogram), ("Gauge", Kind::Gauge)];
    text.lines().find_map(|line| {
        let (name, of) = line.trim().trim_start_matches("pub(crate) ").split_once(": ")?;
        let kind = kinds.iter().find(|(word, _)| of.contains(word))?;
        (name == field).then_some(kind.1)
    })
}

pub fn check(file: &File, known: &Known) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let mut complain = |what: String| complaints.push(Complaint::new(&file.path, index + 1, what));
        for name in words(line, START, |c| c.is_ascii_lowercase() || c == '_') {
            if !is_shown(name, known) {
                complain(format!("nothing publishes `{name}`"));
            }
        }
        for value in ["reason", "decision"].iter().flat_map(|label| values(line, label)) {
            let is_said = value.strip_suffix(".*").map_or_else(|| known.is_said(value), |start| known.begins(start));
            if !value.is_empty() && !is_said {
                complain(format!("no guard says `{value}`"));
            }
        }
    }
    complaints
}

fn is_shown(name: &str, known: &Known) -> bool {
    known.figures.iter().any(|(figure, kind)| {
        let Some(end) = name.strip_prefix(figure.as_str()) else { return false };
        match kind {
            Kind::Counter => end == "_total",
            Kind::Gauge => end.is_empty(),
            Kind::Histogram => ["_bucket", "_sum", "_count"].contains(&end),
        }
    })
}

/// What a label is compared with: one value, or several.
fn values<'a>(line: &'a str, label: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    for operator in ["=\"", "=~\"", "=\\\"", "=~\\\""] {
        let start = format!("{label}{operator}");
        for (at, _) in line.match_indices(&start) {
            let rest = &line[at + start.len()..];
            found.extend(rest[..rest.find(['"', '\\']).unwrap_or(rest.len())].split('|'));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::tests::complaints;

    #[test]
    fn figures_are_asked_for_by_the_names_under_which_they_are_shown() {
        let fine = "expr: rate(spinoff_guard_requests_total{decision=\"refused\", reason=~\"token-.*\"}[5m])\n\
                    \"expr\": \"spinoff_guard_requests_total{reason=\\\"token-expired\\\"}\"\n\
                    expr: spinoff_guard_keys + spinoff_guard_own_time_seconds_bucket\n";
        assert_eq!(complaints("deploy/grafana/guard.json", fine), [""; 0]);
        let wrong = "spinoff_guard_requests\nspinoff_guard_keys_total\nspinoff_guard_own_time_bucket\n\
                     spinoff_guard_requests_total{reason=~\"token-expired|token-old\"}\n\
                     spinoff_guard_requests_total{reason=~\"badge-.*\"}\n";
        let found = complaints("deploy/grafana/guard.json", wrong);
        assert_eq!(
            found,
            [
                "1: nothing publishes `spinoff_guard_requests`",
                "2: nothing publishes `spinoff_guard_keys_total`",
                "3: nothing publishes `spinoff_guard_own_time_bucket`",
                "4: no guard says `token-old`",
                "5: no guard says `badge-.*`",
            ]
        );
    }
}
