//! Every page with sample data, for tests and for the gallery.

#![allow(clippy::unwrap_used, missing_docs, unused_imports, dead_code)]

mod analytics;
mod backups;
mod book;
mod console;
mod console_money;
mod door;
mod health;
mod isolation;
mod leaving;
mod margins;
mod money;
mod money_mails;
mod moves;
mod portal;
mod providers;
mod site;
pub mod status;
mod support;
mod tickets;
mod updates;

use domain::Email;
use jiff::{SignedDuration, Timestamp};
use pages::{Area, Shell};

/// What the samples are filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// What customers see every day.
    Typical,
    /// As little as the types allow.
    Empty,
    /// What an attacker, or a long name from elsewhere, would put there.
    Hostile,
}

pub const HOSTILE: &str =
    "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u{202e}\u{5e9}\u{5dc}\u{5d5}\u{5dd}&amp;{{ 7*7 }}";

/// One page, by the name of its file in the gallery.
pub struct Sample {
    pub name: &'static str,
    pub html: String,
}

pub use backups::mails as backup_mails;
pub use door::mails as door_mails;
pub use leaving::mails as leaving_mails;
pub use money_mails::all as money_mails;
pub use moves::mails as move_mails;
pub use tickets::mails as ticket_mails;

pub fn all(fill: Fill) -> Vec<Sample> {
    let mails = [
        money_mails::all(fill),
        leaving::mails(fill),
        backups::mails(fill),
        moves::mails(fill),
        status::mails(fill),
        tickets::mails(fill),
    ]
    .concat()
    .into_iter()
    .map(|(name, _, _, html)| sample(name, html))
    .collect();
    [
        site::all(fill),
        book::all(fill),
        door::all(fill),
        portal::all(fill),
        support::all(fill),
        tickets::all(fill),
        leaving::all(fill),
        backups::all(fill),
        console::all(fill),
        money::all(fill),
        console_money::all(fill),
        updates::all(fill),
        analytics::all(fill),
        status::console(fill),
        mails,
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Fill {
    /// A text a person or another program gave.
    pub fn text(self, typical: &str) -> String {
        match self {
            Self::Typical => typical.to_owned(),
            Self::Empty => String::new(),
            Self::Hostile => format!("{HOSTILE}{}", "long".repeat(60)),
        }
    }

    pub fn maybe(self, typical: &str) -> Option<String> {
        (self != Self::Empty).then(|| self.text(typical))
    }

    pub fn list<T>(self, typical: Vec<T>) -> Vec<T> {
        if self == Self::Empty { Vec::new() } else { typical }
    }

    pub fn option<T>(self, typical: T) -> Option<T> {
        (self != Self::Empty).then_some(typical)
    }

    pub fn email(self) -> Email {
        let address = if self == Self::Hostile { "o'brien&{x}@example.com" } else { "ada@corner-bakery.example" };
        Email::parse(address).unwrap()
    }

    pub fn shell(self, title: &str, area: Area) -> Shell {
        let signed_in_as = (area != Area::Site).then(|| self.email());
        Shell {
            area,
            signed_in_as,
            operator: area == Area::Console,
            mailbox: true,
            ..Shell::new(title, "AI-DIY", now())
        }
    }
}

pub fn now() -> Timestamp {
    "2026-11-24T22:54:07Z".parse().unwrap()
}

pub fn before(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

pub fn sample(name: &'static str, html: String) -> Sample {
    Sample { name, html }
}
