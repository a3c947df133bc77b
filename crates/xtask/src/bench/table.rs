use serde_json::json;

/// One thing that was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    pub what: String,
    pub value: f64,
    pub unit: &'static str,
    /// Something else measured in the same run, to compare with.
    baseline: Option<(String, f64)>,
    aim: Option<Aim>,
}

/// What the value should be, or its ratio to the baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Aim {
    Below(f64),
    RatioAtLeast(f64),
}

impl Measure {
    pub fn new(what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { what: what.into(), value, unit, baseline: None, aim: None }
    }

    #[must_use]
    pub fn against(mut self, name: &str, value: f64) -> Self {
        self.baseline = Some((name.to_owned(), value));
        self
    }

    #[must_use]
    pub const fn below(mut self, aim: f64) -> Self {
        self.aim = Some(Aim::Below(aim));
        self
    }

    #[must_use]
    pub const fn at_least_times_baseline(mut self, aim: f64) -> Self {
        self.aim = Some(Aim::RatioAtLeast(aim));
        self
    }

    /// Whether the aim is met; nothing without an aim, or without what it is compared with.
    fn is_met(&self) -> Option<bool> {
        match self.aim? {
            Aim::Below(aim) => Some(self.value < aim),
            Aim::RatioAtLeast(aim) => Some(self.ratio()? >= aim),
        }
    }

    fn ratio(&self) -> Option<f64> {
        self.baseline.as_ref().map(|(_, value)| self.value / value)
    }
}

/// The value that this share of all values does not exceed.
pub fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).or(sorted.last()).copied().unwrap_or(f64::NAN)
}

pub fn median(values: &[f64]) -> f64 {
    percentile(values, 0.5)
}

/// A table for people.
pub fn plain(measures: &[Measure]) -> String {
    let mut rows = vec![["measure", "value", "aim", "met", "baseline", "ratio"].map(str::to_owned).to_vec()];
    for measure in measures {
        rows.push(vec![
            measure.what.clone(),
            format!("{} {}", number(measure.value), measure.unit),
            measure.aim.map_or(String::new(), Aim::shown),
            measure.is_met().map_or("", |met| if met { "yes" } else { "no" }).to_owned(),
            measure.baseline.as_ref().map_or(String::new(), |(name, value)| format!("{} {name}", number(*value))),
            measure.ratio().map_or(String::new(), number),
        ]);
    }
    aligned(&rows)
}

/// Cells in columns, as wide as their widest.
pub fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column));
    let widths: Vec<usize> =
        (0..columns).map(|column| cells(column).map(|cell| cell.chars().count()).max().unwrap_or(0)).collect();
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The same for programs.
pub fn json(measures: &[Measure]) -> String {
    let rows: Vec<_> = measures
        .iter()
        .map(|measure| {
            json!({
                "measure": measure.what, "value": measure.value, "unit": measure.unit, "aim": measure.aim.map(Aim::shown),
                "met": measure.is_met(),
                "baseline": measure.baseline.as_ref().map(|(name, value)| json!({ "name": name, "value": value })),
                "ratio": measure.ratio(),
            })
        })
        .collect();
    serde_json::Value::from(rows).to_string()
}

impl Aim {
    fn shown(self) -> String {
        match self {
            Self::Below(aim) => format!("< {}", number(aim)),
            Self::RatioAtLeast(aim) => format!("ratio ≥ {}", number(aim)),
        }
    }
}

/// Three digits that matter.
pub fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!([0.5, 0.99, 1.0].map(|share| percentile(&values, share)), [50.0, 99.0, 100.0]);
        assert_eq!(median(&[3.0]), 3.0);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn an_aim_is_met_or_not_or_unknown() {
        let rate = Measure::new("rate", 90.0, "requests/s").at_least_times_baseline(0.85);
        assert_eq!(rate.clone().is_met(), None, "nothing to compare with");
        assert_eq!(rate.clone().against("other", 100.0).is_met(), Some(true));
        assert_eq!(rate.against("other", 110.0).is_met(), Some(false));
        assert_eq!(Measure::new("time", 2.0, "ms").below(2.0).is_met(), Some(false));
        assert_eq!(Measure::new("time", 1.9, "ms").is_met(), None);
    }

    #[test]
    fn a_table_tells_value_aim_and_ratio() {
        let measures = [
            Measure::new("start", 120.0, "ms").below(300.0).against("python", 60.0),
            Measure::new("size", 9.876, "MB"),
        ];
        let said = plain(&measures);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[0], "measure  value    aim    met  baseline     ratio");
        assert_eq!(lines[1], "start    120 ms   < 300  yes  60.0 python  2.00");
        assert_eq!(lines[2], "size     9.88 MB");
        let told: serde_json::Value = serde_json::from_str(&json(&measures)).unwrap_or_default();
        assert_eq!(told[0]["ratio"], 2.0);
        assert_eq!(told[1]["baseline"], serde_json::Value::Null);
    }
}
