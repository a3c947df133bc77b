//! All records of the zone, found by id and by name.

use std::collections::HashMap;

use jiff::Timestamp;

use super::super::envelope::Refusal;
use super::super::shelf::Shelf;
use super::body::Record;

#[derive(Debug)]
pub(in super::super) struct Records {
    zone: String,
    shelf: Shelf<Record>,
    nodes: HashMap<String, Node>,
}

/// A name in the tree of names.
#[derive(Debug, Default)]
struct Node {
    ids: Vec<String>,
    /// How many records are at this name or below it: a name exists as long as there are some.
    within: usize,
}

impl Records {
    pub(in super::super) fn new(zone: &str) -> Self {
        Self { zone: zone.to_owned(), shelf: Shelf::default(), nodes: HashMap::new() }
    }

    pub(in super::super) fn shelf(&self) -> &Shelf<Record> {
        &self.shelf
    }

    pub(super) fn zone(&self) -> &str {
        &self.zone
    }

    pub(super) fn get(&self, id: &str) -> Result<&Record, Refusal> {
        self.shelf.get(id).ok_or_else(|| Refusal::new(404, 81044, "Record does not exist."))
    }

    /// The records of exactly this name.
    pub(super) fn at<'r>(&'r self, name: &str) -> impl Iterator<Item = (&'r str, &'r Record)> {
        let ids = self.nodes.get(name).map(|node| node.ids.as_slice()).unwrap_or_default();
        ids.iter().filter_map(|id| Some((id.as_str(), self.shelf.get(id)?)))
    }

    /// Whether there is a record at this name or below it.
    pub(super) fn exists(&self, name: &str) -> bool {
        self.nodes.get(name).is_some_and(|node| node.within > 0)
    }

    /// Refuses what can't stand beside what is there. `id` is the record's own, if it has one already.
    pub(super) fn check_room(&self, id: Option<&str>, new: &Record) -> Result<(), Refusal> {
        let is_address = |kind: &str| matches!(kind, "A" | "AAAA");
        for (_, other) in self.at(&new.name).filter(|(other, _)| Some(*other) != id) {
            if new.kind == "CNAME" && (other.kind == "CNAME" || is_address(&other.kind)) {
                return Err(Refusal::dns(81053, "An A, AAAA, or CNAME record with that host already exists."));
            }
            if is_address(&new.kind) && other.kind == "CNAME" {
                return Err(Refusal::dns(81054, "A CNAME record with that host already exists."));
            }
            if new.kind == other.kind && new.content == other.content {
                return Err(match id {
                    None => Refusal::dns(81058, "An identical record already exists."),
                    Some(_) => Refusal::dns(81057, "The record already exists."),
                });
            }
        }
        Ok(())
    }

    pub(super) fn put(&mut self, id: &str, now: Timestamp, record: Record) {
        self.change(id, |shelf| shelf.put(id, now, record));
    }

    pub(in super::super) fn remove(&mut self, id: &str, now: Timestamp) {
        self.change(id, |shelf| {
            shelf.remove(id, now);
        });
    }

    /// The last change of a record never happened.
    pub(super) fn take_back(&mut self, id: &str) {
        self.change(id, |shelf| shelf.take_back(id));
    }

    fn change(&mut self, id: &str, change: impl FnOnce(&mut Shelf<Record>)) {
        let before = self.shelf.get(id).map(|record| record.name.clone());
        change(&mut self.shelf);
        let after = self.shelf.get(id).map(|record| record.name.clone());
        if before == after {
            return;
        }
        if let Some(name) = before {
            self.nodes.entry(name.clone()).or_default().ids.retain(|other| other != id);
            self.count(&name, |within| within.saturating_sub(1));
        }
        if let Some(name) = after {
            self.nodes.entry(name.clone()).or_default().ids.push(id.to_owned());
            self.count(&name, |within| within + 1);
        }
    }

    /// Changes the count of a name and of all that it is below, the zone's apex included.
    fn count(&mut self, name: &str, change: impl Fn(usize) -> usize) {
        let mut rest = Some(name);
        while let Some(name) = rest.filter(|name| name.len() >= self.zone.len()) {
            let node = self.nodes.entry(name.to_owned()).or_default();
            node.within = change(node.within);
            rest = name.split_once('.').map(|(_, above)| above);
        }
    }
}
