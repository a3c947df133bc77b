use serde_json::{Value, json};

use super::envelope::Refusal;

/// The parameters behind the question mark.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

/// Which part of a list is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    number: usize,
    size: usize,
}

impl Query {
    pub(super) fn parse(text: Option<&str>) -> Self {
        let pairs = url::form_urlencoded::parse(text.unwrap_or_default().as_bytes());
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Refuses what the list doesn't know: a misspelt filter would otherwise show everything.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        match self.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => Err(Refusal::new(400, 7400, format!("unknown query parameter {name}"))),
            None => Ok(()),
        }
    }

    pub(super) fn page(&self, usual: usize, most: usize) -> Result<Page, Refusal> {
        let number = self.number("page", 1)?;
        let size = self.number("per_page", usual)?;
        if number == 0 || size == 0 || size > most {
            return Err(Refusal::new(400, 7401, format!("page begins at 1, per_page is 1 to {most}")));
        }
        Ok(Page { number, size })
    }

    pub(super) fn number(&self, name: &str, otherwise: usize) -> Result<usize, Refusal> {
        let Some(text) = self.get(name) else { return Ok(otherwise) };
        text.parse().map_err(|_| Refusal::new(400, 7401, format!("{name} is no number")))
    }
}

impl Page {
    /// This part of the whole, and `result_info` about it.
    pub(super) fn of<T>(self, all: Vec<T>) -> (Vec<T>, Value) {
        let total = all.len();
        let shown: Vec<T> = all.into_iter().skip((self.number - 1).saturating_mul(self.size)).take(self.size).collect();
        let info = json!({
            "page": self.number, "per_page": self.size, "count": shown.len(),
            "total_count": total, "total_pages": total.div_ceil(self.size),
        });
        (shown, info)
    }
}
