use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The entries.
    pub data: Vec<T>,
    /// Give this as `cursor` to get what follows; absent on the last page.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A list that fits on one page.
    pub fn whole(data: Vec<T>) -> Self {
        Self { data, next_cursor: None }
    }
}

/// Which part of a list to get.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Paging {
    /// [`Page::next_cursor`] of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most so many entries; the server may give fewer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A list's query: which entries, and which part of them.
#[derive(Serialize)]
pub(crate) struct Filtered<'a, F> {
    #[serde(flatten)]
    pub(crate) filter: &'a F,
    #[serde(flatten)]
    pub(crate) paging: &'a Paging,
}
