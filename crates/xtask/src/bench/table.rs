use serde_json::json;

/// One thing that was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    pub what: String,
    pub value: f64,
    pub unit: &'static str,
    /// Something else measured in the same run, to compare with.
    baseline: Option<(String, f64)>,
    /// What the value should stay below.
    aim: Option<f64>,
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
        self.aim = Some(aim);
        self
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
    let mut rows = vec![["measure", "value", "aim", "baseline", "ratio"].map(str::to_owned)];
    for measure in measures {
        rows.push([
            measure.what.clone(),
            format!("{} {}", number(measure.value), measure.unit),
            measure.aim.map_or(String::new(), |aim| format!("< {}", number(aim))),
            measure.baseline.as_ref().map_or(String::new(), |(name, value)| format!("{} {name}", number(*value))),
            measure.ratio().map_or(String::new(), number),
        ]);
    }
    let widths: Vec<usize> =
        (0..5).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
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
                "measure": measure.what, "value": measure.value, "unit": measure.unit, "aim": measure.aim,
                "baseline": measure.baseline.as_ref().map(|(name, value)| json!({ "name": name, "value": value })),
                "ratio": measure.ratio(),
            })
        })
        .collect();
    serde_json::Value::from(rows).to_string()
}

/// Three digits that matter.
fn number(value: f64) -> String {
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
    fn a_table_tells_value_aim_and_ratio() {
        let measures = [
            Measure::new("start", 120.0, "ms").below(300.0).against("python", 60.0),
            Measure::new("size", 9.876, "MB"),
        ];
        let said = plain(&measures);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[0], "measure  value    aim    baseline     ratio");
        assert_eq!(lines[1], "start    120 ms   < 300  60.0 python  2.00");
        assert_eq!(lines[2], "size     9.88 MB");
        let told: serde_json::Value = serde_json::from_str(&json(&measures)).unwrap_or_default();
        assert_eq!(told[0]["ratio"], 2.0);
        assert_eq!(told[1]["baseline"], serde_json::Value::Null);
    }
}
