//! What a list of records is asked for.

use super::super::envelope::Refusal;
use super::super::query::Query;
use super::body::Record;

const PLAIN: [&str; 8] = ["page", "per_page", "order", "direction", "match", "tag_match", "type", "proxied"];

/// Conditions of a list, and its order.
pub(super) struct Filters {
    conditions: Vec<Condition>,
    tags: Vec<Condition>,
    is_any: bool,
    is_any_tag: bool,
    order: Option<String>,
    is_descending: bool,
}

struct Condition {
    field: Field,
    test: Test,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Name,
    Kind,
    Content,
    Comment,
    Proxied,
    Tag,
}

enum Test {
    Exact(String),
    Contains(String),
    StartsWith(String),
    EndsWith(String),
    Present,
    Absent,
}

impl Filters {
    pub(super) fn parse(query: &Query) -> Result<Self, Refusal> {
        let (mut conditions, mut tags) = (Vec::new(), Vec::new());
        for (name, value) in query.iter() {
            match condition(name, value) {
                Some(condition) if condition.field == Field::Tag => tags.push(condition),
                Some(condition) => conditions.push(condition),
                None if PLAIN.contains(&name) => {}
                None => return Err(Refusal::new(400, 7400, format!("unknown query parameter {name}"))),
            }
        }
        let order = query.get("order");
        if order.is_some_and(|order| !["type", "name", "content", "ttl", "proxied"].contains(&order)) {
            return Err(Refusal::new(400, 7401, "order must be type, name, content, ttl or proxied"));
        }
        Ok(Self {
            conditions,
            tags,
            is_any: choice(query, "match", ["all", "any"])?,
            is_any_tag: choice(query, "tag_match", ["all", "any"])?,
            order: order.map(str::to_owned),
            is_descending: choice(query, "direction", ["asc", "desc"])?,
        })
    }

    pub(super) fn let_through(&self, record: &Record) -> bool {
        let tags = (!self.tags.is_empty()).then(|| hold(&self.tags, self.is_any_tag, record));
        let mut holds = self.conditions.iter().map(|condition| condition.holds(record)).chain(tags).peekable();
        if self.is_any && holds.peek().is_some() { holds.any(|it| it) } else { holds.all(|it| it) }
    }

    pub(super) fn sort(&self, found: &mut [(&str, &Record)]) {
        match self.order.as_deref() {
            Some("type") => found.sort_by(|(_, a), (_, b)| a.kind.cmp(&b.kind)),
            Some("name") => found.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name)),
            Some("content") => found.sort_by(|(_, a), (_, b)| a.content.cmp(&b.content)),
            Some("ttl") => found.sort_by_key(|(_, record)| record.ttl),
            Some("proxied") => found.sort_by_key(|(_, record)| record.proxied),
            _ => {}
        }
        if self.is_descending {
            found.reverse();
        }
    }
}

/// Whether it is the second of two words; the first is usual.
fn choice(query: &Query, name: &str, words: [&str; 2]) -> Result<bool, Refusal> {
    match query.get(name) {
        None => Ok(false),
        Some(word) if words.contains(&word) => Ok(word == words[1]),
        Some(_) => Err(Refusal::new(400, 7401, format!("{name} must be {} or {}", words[0], words[1]))),
    }
}

fn hold(conditions: &[Condition], is_any: bool, record: &Record) -> bool {
    let mut holds = conditions.iter().map(|condition| condition.holds(record));
    if is_any { holds.any(|it| it) } else { holds.all(|it| it) }
}

fn condition(name: &str, value: &str) -> Option<Condition> {
    let (field, test) = name.split_once('.').unwrap_or((name, "exact"));
    let field = match field {
        "name" => Field::Name,
        "content" => Field::Content,
        "comment" => Field::Comment,
        "tag" => Field::Tag,
        "type" if name == "type" => Field::Kind,
        "proxied" if name == "proxied" => Field::Proxied,
        _ => return None,
    };
    let value = if field == Field::Kind { value.to_owned() } else { value.to_ascii_lowercase() };
    let test = match test {
        "exact" => Test::Exact(value),
        "contains" => Test::Contains(value),
        "startswith" => Test::StartsWith(value),
        "endswith" => Test::EndsWith(value),
        "present" if matches!(field, Field::Comment | Field::Tag) => Test::Present,
        "absent" if matches!(field, Field::Comment | Field::Tag) => Test::Absent,
        _ => return None,
    };
    Some(Condition { field, test })
}

impl Condition {
    fn holds(&self, record: &Record) -> bool {
        match self.field {
            Field::Name => self.test.holds(Some(&record.name)),
            Field::Kind => self.test.holds(Some(&record.kind)),
            Field::Content => self.test.holds(Some(&record.content.to_ascii_lowercase())),
            Field::Comment => self.test.holds(record.comment.as_ref().map(|text| text.to_ascii_lowercase()).as_deref()),
            Field::Proxied => self.test.holds(Some(&record.proxied.to_string())),
            Field::Tag => match &self.test {
                Test::Absent => record.tags.is_empty(),
                test => record.tags.iter().any(|tag| test.holds(Some(&tag.to_ascii_lowercase()))),
            },
        }
    }
}

impl Test {
    fn holds(&self, text: Option<&str>) -> bool {
        match self {
            Self::Exact(wanted) => text == Some(wanted),
            Self::Contains(part) => text.is_some_and(|text| text.contains(part)),
            Self::StartsWith(start) => text.is_some_and(|text| text.starts_with(start)),
            Self::EndsWith(end) => text.is_some_and(|text| text.ends_with(end)),
            Self::Present => text.is_some(),
            Self::Absent => text.is_none(),
        }
    }
}
