//! A record as it is asked for and as it is held.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A record that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its complete name.
    pub name: String,
    /// `A`, `AAAA`, `CNAME`, `TXT` or `MX`.
    pub kind: String,
    /// What it says. Texts are in quotation marks.
    pub content: String,
    /// In seconds; 1 for automatic, which every proxied one is.
    pub ttl: u32,
    /// Whether requests go through the edge.
    pub proxied: bool,
    /// Only of mail exchangers.
    pub priority: Option<u16>,
    /// A note of whoever made it.
    pub comment: Option<String>,
    /// `name:value`, as the plan allows.
    pub tags: Vec<String>,
    pub(super) options: Options,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
}

/// A record as it is to be made or overwritten.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRecord {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) content: String,
    pub(super) ttl: u32,
    #[serde(default)]
    pub(super) proxied: bool,
    pub(super) priority: Option<u16>,
    pub(super) comment: Option<String>,
    #[serde(default)]
    pub(super) tags: Vec<String>,
    #[serde(default)]
    pub(super) settings: Options,
}

/// Those fields of a record that are to change.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Changes {
    #[serde(rename = "type")]
    kind: Option<String>,
    name: Option<String>,
    content: Option<String>,
    ttl: Option<u32>,
    proxied: Option<bool>,
    priority: Option<u16>,
    comment: Option<String>,
    tags: Option<Vec<String>>,
    settings: Option<Options>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Options {
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv4_only: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv6_only: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flatten_cname: Option<bool>,
}

impl Changes {
    /// What the record is to be when these fields have changed.
    pub(super) fn to(self, record: &Record) -> NewRecord {
        let record = record.clone();
        NewRecord {
            kind: self.kind.unwrap_or(record.kind),
            name: self.name.unwrap_or(record.name),
            content: self.content.unwrap_or(record.content),
            ttl: self.ttl.unwrap_or(record.ttl),
            proxied: self.proxied.unwrap_or(record.proxied),
            priority: self.priority.or(record.priority),
            comment: self.comment.or(record.comment),
            tags: self.tags.unwrap_or(record.tags),
            settings: self.settings.unwrap_or(record.options),
        }
    }
}

impl Record {
    pub(super) fn shown(&self, id: &str) -> Value {
        let mut shown = json!({
            "id": id, "name": self.name, "type": self.kind, "content": self.content, "ttl": self.ttl,
            "proxied": self.proxied, "proxiable": is_proxiable(&self.kind), "comment": self.comment, "tags": self.tags,
            "settings": self.options, "meta": {}, "created_on": self.created, "modified_on": self.modified,
        });
        if let (Some(priority), Some(fields)) = (self.priority, shown.as_object_mut()) {
            fields.insert("priority".into(), json!(priority));
        }
        shown
    }
}

pub(super) fn is_proxiable(kind: &str) -> bool {
    matches!(kind, "A" | "AAAA" | "CNAME")
}
