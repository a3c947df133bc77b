//! What a program that measures has printed.

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

/// Numbers by their names.
pub struct Figures(Map<String, Value>);

impl Figures {
    /// Reads a JSON object of numbers.
    pub fn parse(said: &str) -> Result<Self> {
        Ok(Self(serde_json::from_str(said).with_context(|| format!("`{said}` are no figures"))?))
    }

    pub fn get(&self, name: &str) -> Result<f64> {
        self.0.get(name).and_then(Value::as_f64).with_context(|| format!("`{name}` was not measured"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_figure_that_is_missing_is_named() {
        let figures = Figures::parse(r#"{"marks_per_second": 2.0}"#).unwrap();
        assert_eq!(figures.get("marks_per_second").unwrap(), 2.0);
        let missing = figures.get("sqlite_events_per_second").unwrap_err().to_string();
        assert!(missing.contains("sqlite_events_per_second"), "{missing}");
    }
}
