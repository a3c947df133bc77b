//! What a resolver finds, by RFC 4592: a wildcard stands in only for names that don't exist, and a name
//! exists as soon as there is a record at it or below it.

use super::super::Cloudflare;
use super::body::Record;
use super::table::Records;
use crate::railway::Dns;

/// Where a hostname leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// A hostname or an address.
    pub content: String,
    /// Whether requests go through the edge, and so through Access.
    pub proxied: bool,
}

impl Cloudflare {
    /// Where requests for a hostname go, if it has an address or a CNAME.
    pub fn resolve(&self, hostname: &str) -> Option<Target> {
        let state = self.state();
        let mut found = state.records.found(hostname).into_iter();
        let leading = found.find(|record| matches!(record.kind.as_str(), "A" | "AAAA" | "CNAME"))?;
        Some(Target { content: leading.content.clone(), proxied: leading.proxied })
    }
}

impl Dns for Cloudflare {
    fn txt(&self, name: &str) -> Vec<String> {
        let state = self.state();
        let found = state.records.found(name);
        found.into_iter().filter(|record| record.kind == "TXT").map(|record| unquoted(&record.content)).collect()
    }

    fn cname(&self, name: &str) -> Option<String> {
        let state = self.state();
        let found = state.records.found(name);
        found.into_iter().find(|record| record.kind == "CNAME").map(|record| record.content.clone())
    }
}

impl Records {
    /// The records that answer for a name.
    fn found(&self, name: &str) -> Vec<&Record> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let mut name = name.as_str();
        if !name.strip_suffix(self.zone()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')) {
            return Vec::new();
        }
        if self.exists(name) {
            return self.at(name).map(|(_, record)| record).collect();
        }
        while let Some((_, above)) = name.split_once('.').filter(|_| name != self.zone()) {
            name = above;
            if self.exists(above) {
                return self.at(&format!("*.{above}")).map(|(_, record)| record).collect();
            }
        }
        Vec::new()
    }
}

/// A text as it was meant: without its quotation marks, its parts joined.
fn unquoted(content: &str) -> String {
    let inner = content.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(content);
    inner.replace("\" \"", "").replace("\\\"", "\"")
}
