use std::collections::HashMap;

use jiff::Timestamp;

/// Things by their id, in the order in which they were made, with all that they once were: lists that
/// lag show an earlier moment.
#[derive(Debug)]
pub(super) struct Shelf<T> {
    rows: Vec<Row<T>>,
    places: HashMap<String, usize>,
    live: usize,
}

#[derive(Debug)]
struct Row<T> {
    id: String,
    /// From when it was what, oldest first; `None` for gone.
    versions: Vec<(Timestamp, Option<T>)>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), places: HashMap::new(), live: 0 }
    }
}

impl<T> Shelf<T> {
    /// How many there are now.
    pub(super) fn len(&self) -> usize {
        self.live
    }

    /// How many were ever made.
    pub(super) fn made(&self) -> usize {
        self.rows.iter().filter(|row| !row.versions.is_empty()).count()
    }

    pub(super) fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(*self.places.get(id)?)?.last()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.rows.iter().filter_map(|row| Some((row.id.as_str(), row.last()?)))
    }

    /// What there was at a moment.
    pub(super) fn as_of(&self, moment: Timestamp) -> impl Iterator<Item = (&str, &T)> {
        self.rows.iter().filter_map(move |row| {
            let (_, then) = row.versions.iter().rev().find(|(from, _)| *from <= moment)?;
            Some((row.id.as_str(), then.as_ref()?))
        })
    }

    /// Makes or changes a thing.
    pub(super) fn put(&mut self, id: &str, now: Timestamp, thing: T) {
        self.note(id, now, Some(thing));
    }

    /// Whether there was something to remove.
    pub(super) fn remove(&mut self, id: &str, now: Timestamp) -> bool {
        let is_there = self.get(id).is_some();
        if is_there {
            self.note(id, now, None);
        }
        is_there
    }

    /// The last change of a thing never happened.
    pub(super) fn take_back(&mut self, id: &str) {
        let Some(row) = self.places.get(id).and_then(|place| self.rows.get_mut(*place)) else { return };
        let was_live = row.last().is_some();
        row.versions.pop();
        let is_live = row.last().is_some();
        self.live = self.live + usize::from(is_live) - usize::from(was_live);
    }

    fn note(&mut self, id: &str, now: Timestamp, thing: Option<T>) {
        let place = *self.places.entry(id.to_owned()).or_insert_with(|| {
            self.rows.push(Row { id: id.to_owned(), versions: Vec::new() });
            self.rows.len() - 1
        });
        let Some(row) = self.rows.get_mut(place) else { return };
        let was_live = row.last().is_some();
        self.live = self.live + usize::from(thing.is_some()) - usize::from(was_live);
        row.versions.push((now, thing));
    }
}

impl<T> Row<T> {
    fn last(&self) -> Option<&T> {
        self.versions.last()?.1.as_ref()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn an_earlier_moment_shows_what_was_there_and_a_change_taken_back_leaves_no_trace() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut shelf = Shelf::default();
        shelf.put("a", at(1), "first");
        shelf.put("a", at(3), "second");
        shelf.put("b", at(3), "other");
        shelf.remove("a", at(5));
        let shown =
            |shelf: &Shelf<&'static str>, second| shelf.as_of(at(second)).map(|(_, it)| *it).collect::<Vec<_>>();
        assert_eq!(shown(&shelf, 2), ["first"]);
        assert_eq!(shown(&shelf, 4), ["second", "other"]);
        assert_eq!(shown(&shelf, 6), ["other"]);
        shelf.take_back("a");
        shelf.take_back("b");
        assert_eq!((shelf.get("a"), shelf.get("b"), shelf.len(), shelf.made()), (Some(&"second"), None, 1, 1));
    }
}
