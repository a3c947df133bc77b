//! In which order the cards of the board lie: names of backlog items in `backlog/order.txt`, one a
//! line, the first on top.
//!
//! The order is a file of its own, so that a card that is moved changes no story, and nobody who is
//! writing one is told that it changed. A line that names nothing is left where it is, an item that
//! no line names lies behind what matters as much, and without the file the most important is first:
//! whatever somebody does to it by hand, every card is on the board.

use std::collections::{HashMap, HashSet};
use std::io;

use crate::folder::{Folder, Found};
use crate::front_matter::Problem;
use crate::library::{Library, LibraryError};
use crate::name::{Name, Shelf};

const FILE: &str = "order.txt";

/// The order that was chosen, as far as one was.
#[derive(Debug, Default, PartialEq)]
pub struct Order(Vec<Line>);

#[derive(Debug, Clone, PartialEq)]
enum Line {
    Card(Name),
    Other(String),
}

/// Where a card is put among the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spot {
    /// Before this one.
    Before(Name),
    /// Behind this one.
    Behind(Name),
}

impl Order {
    /// The order in a library. One that cannot be read is none: the board is shown all the same.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn read(library: &Library) -> io::Result<Self> {
        let Some(folder) = library.root()?.enter(Shelf::Backlog.folder())? else { return Ok(Self::default()) };
        match folder.read(FILE)? {
            Found::File(bytes) => Ok(Self::parse(&String::from_utf8_lossy(&bytes))),
            Found::Unreadable(_) | Found::Nothing => Ok(Self::default()),
        }
    }

    /// Puts a card elsewhere. `shown` tells the cards as they lie before that, with nobody else moving one.
    ///
    /// # Errors
    /// When the file cannot be understood, so that nothing of it is lost, and those of `shown`.
    pub fn put(
        library: &Library,
        card: &Name,
        spot: &Spot,
        shown: impl FnOnce(&Library) -> Result<Vec<Name>, LibraryError>,
    ) -> Result<(), LibraryError> {
        let root = library.locked()?;
        let folder = root.enter_or_make(Shelf::Backlog.folder())?;
        let before = text_in(&folder)?;
        let after = Self::parse(&before).with(shown(library)?, card, spot).to_text();
        if after != before {
            folder.replace(FILE, after.as_bytes())?;
        }
        Ok(())
    }

    /// Cards that lie in their usual order, as they were put. `follows` says whether a card that nobody has
    /// put anywhere comes behind another.
    #[must_use]
    pub fn arrange<T>(&self, cards: Vec<T>, name: impl Fn(&T) -> &Name, follows: impl Fn(&T, &T) -> bool) -> Vec<T> {
        let places: HashMap<&Name, usize> = self.cards().zip(0..).collect();
        if places.is_empty() {
            return cards;
        }
        let (mut put, others): (Vec<T>, Vec<T>) = cards.into_iter().partition(|card| places.contains_key(name(card)));
        put.sort_by_key(|card| places.get(name(card)).copied());
        for card in others {
            let behind = put.iter().rposition(|other| follows(&card, other));
            put.insert(behind.map_or(0, |index| index + 1), card);
        }
        put
    }

    fn cards(&self) -> impl Iterator<Item = &Name> {
        self.0.iter().filter_map(|line| match line {
            Line::Card(name) => Some(name),
            Line::Other(_) => None,
        })
    }

    fn parse(text: &str) -> Self {
        let mut seen = HashSet::new();
        let lines = text.trim_start_matches('\u{feff}').lines().filter_map(|line| {
            let word = line.trim();
            let name = Name::parse(word.strip_suffix(".md").unwrap_or(word)).ok();
            match name.filter(|_| !word.starts_with('#')) {
                // Of a name that stands there twice, the first place counts.
                Some(name) => seen.insert(name.clone()).then_some(Line::Card(name)),
                None => Some(Line::Other(line.to_owned())),
            }
        });
        Self(lines.collect())
    }

    /// The order once a card was put elsewhere among those `shown`. Every other line stays behind the card
    /// that it stood behind.
    fn with(self, mut shown: Vec<Name>, card: &Name, spot: &Spot) -> Self {
        let (anchor, behind) = match spot {
            Spot::Before(anchor) => (anchor, 0),
            Spot::Behind(anchor) => (anchor, 1),
        };
        let was_there = shown.contains(card);
        shown.retain(|name| name != card);
        // Who was put beside a card that is gone stays where they were.
        let Some(index) = shown.iter().position(|name| name == anchor).filter(|_| was_there) else { return self };
        shown.insert(index + behind, card.clone());
        let present: HashSet<&Name> = shown.iter().collect();
        let mut others: HashMap<Option<Name>, Vec<Line>> = HashMap::new();
        let mut last = None;
        for line in self.0 {
            match line {
                Line::Card(name) if present.contains(&name) => last = Some(name),
                other => others.entry(last.clone()).or_default().push(other),
            }
        }
        let mut lines = others.remove(&None).unwrap_or_default();
        for name in &shown {
            lines.push(Line::Card(name.clone()));
            lines.extend(others.remove(&Some(name.clone())).unwrap_or_default());
        }
        Self(lines)
    }

    fn to_text(&self) -> String {
        let lines = self.0.iter().map(|line| match line {
            Line::Card(name) => format!("{}\n", name.as_str()),
            Line::Other(text) => format!("{text}\n"),
        });
        lines.collect()
    }
}

fn text_in(folder: &Folder) -> Result<String, LibraryError> {
    match folder.read(FILE)? {
        Found::Nothing => Ok("# How the cards of the board lie, the first on top.\n".to_owned()),
        Found::Unreadable(why) => Err(Problem(format!("The order of the board is in backlog/{FILE}. {why}")).into()),
        Found::File(bytes) => String::from_utf8(bytes).map_err(|_| {
            let why = "is not plain text in UTF-8. Mend it or move it away, then move the card again.";
            Problem(format!("The order of the board is in backlog/{FILE}, which {why}")).into()
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn names(text: &str) -> Vec<Name> {
        text.split(' ').filter(|name| !name.is_empty()).map(|name| Name::parse(name).unwrap()).collect()
    }

    fn before(name: &str) -> Spot {
        Spot::Before(Name::parse(name).unwrap())
    }

    fn behind(name: &str) -> Spot {
        Spot::Behind(Name::parse(name).unwrap())
    }

    fn moved(file: &str, shown: &str, card: &str, spot: &Spot) -> String {
        Order::parse(file).with(names(shown), &Name::parse(card).unwrap(), spot).to_text()
    }

    #[test]
    fn a_card_is_put_before_or_behind_another() {
        assert_eq!(moved("", "a b c", "c", &before("a")), "c\na\nb\n");
        assert_eq!(moved("a\nb\nc\n", "a b c", "a", &behind("b")), "b\na\nc\n");
        assert_eq!(moved("a\nb\n", "a b", "a", &behind("gone")), "a\nb\n");
        assert_eq!(moved("a\nb\n", "a b", "a", &before("a")), "a\nb\n");
        assert_eq!(moved("a\nb\n", "a b", "gone", &before("a")), "a\nb\n");
    }

    #[test]
    fn what_was_written_by_hand_stays_behind_the_card_it_stood_behind() {
        let file = "\u{feff}# mine\r\nb.md\r\n# after b\ndeleted\na\nb\n";
        assert_eq!(moved(file, "b a new", "b", &behind("a")), "# mine\na\nb\n# after b\ndeleted\nnew\n");
    }

    #[test]
    fn who_was_put_nowhere_lies_behind_what_matters_as_much() {
        // The letter is how much it matters.
        let arrange = |file: &str, shown: &str| {
            let follows = |card: &Name, other: &Name| other.as_str()[..1] <= card.as_str()[..1];
            let cards = Order::parse(file).arrange(names(shown), |name| name, follows);
            cards.iter().map(Name::as_str).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(arrange("", "a1 a2 b1"), "a1 a2 b1");
        assert_eq!(arrange("b1\na1\nc1\n", "a1 a2 b1 b2 c1"), "b1 a1 a2 b2 c1");
        assert_eq!(arrange("b1\n", "a1 b1"), "a1 b1");
        assert_eq!(arrange("x\n# y\n..\n", "a1 b1"), "a1 b1");
    }

    #[test]
    fn a_link_in_the_place_of_the_order_is_not_followed() {
        let home = tempfile::tempdir().unwrap();
        let library = Library::open(home.path()).unwrap();
        let path = home.path().join("backlog/order.txt");
        std::os::unix::fs::symlink("/etc/hostname", &path).unwrap();
        assert_eq!(Order::read(&library).unwrap(), Order::default());
        let refused = Order::put(&library, &names("a")[0], &before("b"), |_| Ok(names("a b")));
        assert!(refused.unwrap_err().to_string().contains("It is a link"));
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, b"a\n\xff\n").unwrap();
        assert!(Order::put(&library, &names("a")[0], &before("b"), |_| Ok(names("b a"))).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"a\n\xff\n");
    }

    proptest! {
        #[test]
        fn whatever_the_file_says_every_card_is_there_once_and_where_it_was_put(
            file in "([a-f#\n ]|\\PC){0,40}", from in 0_usize..6, to in 0_usize..6,
        ) {
            let all = names("a b c d e f");
            let shown = Order::parse(&file).arrange(all.clone(), |name| name, |_, _| true);
            let order = Order::parse(&file).with(shown, &all[from], &Spot::Before(all[to].clone()));
            let again = Order::parse(&order.to_text()).arrange(all.clone(), |name| name, |_, _| true);
            let mut sorted = again.clone();
            sorted.sort();
            prop_assert_eq!(&sorted, &all);
            if from != to {
                let place = |name: &Name| again.iter().position(|other| other == name).unwrap();
                prop_assert_eq!(place(&all[from]) + 1, place(&all[to]));
            }
        }
    }
}
