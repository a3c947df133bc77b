use serde::Deserialize;
use serde_json::{Value, json};

use super::refusal::Refusal;

/// No page is longer, whatever was asked for.
const LONGEST: usize = 500;

/// Which part of a list is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    after: Option<String>,
    before: Option<String>,
    first: Option<usize>,
    last: Option<usize>,
}

/// One page of a list. Cursors are ids, and one stays good when its item is no longer shown.
pub(super) fn page<T>(
    items: &[T],
    wanted: &Wanted,
    id: impl Fn(&T) -> &str,
    is_shown: impl Fn(&T) -> bool,
    view: impl Fn(&T) -> Value,
) -> Result<Value, Refusal> {
    let place = |cursor: &str| items.iter().position(|item| id(item) == cursor).ok_or_else(Refusal::problem);
    let from = wanted.after.as_deref().map(place).transpose()?.map_or(0, |place| place + 1);
    let to = wanted.before.as_deref().map(place).transpose()?.unwrap_or(items.len());
    let shown: Vec<&T> = items.get(from..to).unwrap_or_default().iter().filter(|item| is_shown(item)).collect();
    let size = wanted.first.or(wanted.last).unwrap_or(LONGEST).min(LONGEST);
    let skipped = if wanted.first.is_none() && wanted.last.is_some() { shown.len().saturating_sub(size) } else { 0 };
    let part: Vec<&T> = shown.iter().copied().skip(skipped).take(size).collect();
    let edges: Vec<_> = part.iter().map(|item| json!({ "cursor": id(item), "node": view(item) })).collect();
    Ok(json!({
        "edges": edges,
        "pageInfo": {
            "hasNextPage": skipped + part.len() < shown.len(),
            "hasPreviousPage": skipped > 0 || from > 0,
            "startCursor": part.first().map(|item| id(item)),
            "endCursor": part.last().map(|item| id(item)),
        },
    }))
}
