//! What of the backlog is looked at, and in which order: all of it is in the address.

use std::cmp::Ordering;

use serde::Deserialize;

use crate::item::{Item, ItemStatus, Priority};
use crate::name::Name;
use crate::web::overview::{Overview, Shelved};

/// The address as it was asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    view: String,
    sort: String,
    dir: String,
    vision: String,
    status: String,
    priority: String,
    q: String,
    row: String,
}

impl Asked {
    /// Whether the table is asked for.
    #[must_use]
    pub fn is_table(&self) -> bool {
        self.view == "table"
    }

    /// The row that was just saved; it is shown even if it is not looked for any more.
    #[must_use]
    pub fn row(&self) -> Option<Name> {
        Name::parse(&self.row).ok()
    }
}

/// By what rows are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// As the cards of the board lie.
    Board,
    /// By number.
    Number,
    /// By title.
    Title,
    /// By the vision's title.
    Vision,
    /// By where they stand.
    Status,
    /// By how much they matter.
    Priority,
    /// By points.
    Estimate,
    /// By their last change.
    Changed,
}

impl Sort {
    /// The columns, in order, with their heads.
    pub const COLUMNS: [(Self, &'static str); 7] = [
        (Self::Number, "No."),
        (Self::Title, "Title"),
        (Self::Vision, "Vision"),
        (Self::Status, "Status"),
        (Self::Priority, "Priority"),
        (Self::Estimate, "Points"),
        (Self::Changed, "Changed"),
    ];

    /// The word in addresses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Board => "board",
            Self::Number => "number",
            Self::Title => "title",
            Self::Vision => "vision",
            Self::Status => "status",
            Self::Priority => "priority",
            Self::Estimate => "estimate",
            Self::Changed => "changed",
        }
    }

    fn compare(self, overview: &Overview, a: &Row<'_>, b: &Row<'_>) -> Ordering {
        let place = |status: ItemStatus| ItemStatus::ALL.iter().position(|other| *other == status);
        let vision = |item: &Item| item.vision.as_ref().map(|name| overview.vision_title(name).to_lowercase());
        match self {
            Self::Board => Ordering::Equal,
            Self::Number => a.0.name.item_number().cmp(&b.0.name.item_number()),
            Self::Title => a.1.title.as_str().to_lowercase().cmp(&b.1.title.as_str().to_lowercase()),
            Self::Vision => vision(a.1).cmp(&vision(b.1)),
            Self::Status => place(a.1.status).cmp(&place(b.1.status)),
            Self::Priority => a.1.priority.cmp(&b.1.priority),
            Self::Estimate => {
                a.1.estimate.map(|points| points.points()).cmp(&b.1.estimate.map(|points| points.points()))
            }
            Self::Changed => {
                let at = |row: &Row<'_>| row.0.newest.as_ref().and_then(|(version, _)| version.at);
                at(a).cmp(&at(b))
            }
        }
    }
}

/// An item that can be understood.
pub type Row<'a> = (&'a Shelved<Item>, &'a Item);

/// What is looked at. What an address says that cannot be understood is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// By what it is sorted.
    pub sort: Sort,
    /// Whether the last is first.
    pub is_turned: bool,
    /// Of this vision alone.
    pub vision: Option<Name>,
    /// Of this status alone.
    pub status: Option<ItemStatus>,
    /// Of this priority alone.
    pub priority: Option<Priority>,
    /// With all of these words.
    pub words: String,
}

impl Sight {
    /// What an address asks for.
    #[must_use]
    pub fn of(asked: &Asked) -> Self {
        let mut sorts = Sort::COLUMNS.into_iter().map(|(sort, _)| sort);
        Self {
            sort: sorts.find(|sort| sort.word() == asked.sort).unwrap_or(Sort::Board),
            is_turned: asked.dir == "desc",
            vision: Name::parse(&asked.vision).ok(),
            status: ItemStatus::parse(&asked.status).ok(),
            priority: Priority::parse(&asked.priority).ok(),
            words: asked.q.trim().chars().take(200).collect(),
        }
    }

    /// Whether everything is looked at.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.vision.is_none() && self.status.is_none() && self.priority.is_none() && self.words.is_empty()
    }

    /// The rows that are looked at, in order, and the `pinned` one.
    #[must_use]
    pub fn rows<'a>(&self, overview: &'a Overview, pinned: Option<&Name>) -> Vec<Row<'a>> {
        let understood = overview.items.iter().filter_map(|shelved| Some((shelved, shelved.content.as_ref().ok()?)));
        let mut rows: Vec<Row<'a>> = understood.filter(|row| self.shows(row) || pinned == Some(&row.0.name)).collect();
        rows.sort_by(|a, b| {
            let order = self.sort.compare(overview, a, b);
            if self.is_turned { order.reverse() } else { order }
        });
        rows
    }

    fn shows(&self, (shelved, item): &Row<'_>) -> bool {
        let fits = self.vision.as_ref().is_none_or(|vision| item.vision.as_ref() == Some(vision))
            && self.status.is_none_or(|status| item.status == status)
            && self.priority.is_none_or(|priority| item.priority == priority);
        if !fits || self.words.is_empty() {
            return fits;
        }
        let criteria: String = item.criteria.iter().map(|criterion| format!("{}\n", criterion.text)).collect();
        let text = format!("{}\n{}\n{}\n{criteria}", shelved.name.as_str(), item.title.as_str(), item.story);
        let text = text.to_lowercase();
        self.words.to_lowercase().split_whitespace().all(|word| text.contains(word))
    }

    /// The part of an address behind the `?`.
    #[must_use]
    pub fn query(&self) -> String {
        let mut query = "view=table".to_owned();
        let mut add = |field: &str, value: &str| {
            if !value.is_empty() {
                query.push_str(&format!("&{field}={}", in_query(value)));
            }
        };
        add("vision", self.vision.as_ref().map_or("", Name::as_str));
        add("status", self.status.map_or("", ItemStatus::word));
        add("priority", self.priority.map_or("", Priority::word));
        add("q", &self.words);
        if self.sort != Sort::Board {
            add("sort", self.sort.word());
        }
        add("dir", if self.is_turned { "desc" } else { "" });
        query
    }

    /// The same, sorted by a column; by the column it is sorted by already, the other way round.
    #[must_use]
    pub fn sorted_by(&self, sort: Sort) -> Self {
        Self { sort, is_turned: self.sort == sort && !self.is_turned, ..self.clone() }
    }

    /// The address that shows a row that was just saved.
    #[must_use]
    pub fn address_at(&self, row: &Name) -> String {
        let name = row.in_address();
        format!("/backlog?{}&row={name}#row-{name}", self.query())
    }
}

fn in_query(value: &str) -> String {
    let bytes = value.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => (byte as char).to_string(),
        _ => format!("%{byte:02X}"),
    });
    bytes.collect()
}
