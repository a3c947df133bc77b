//! Every letter with made-up names and numbers, for whoever wants to see what customers read. They are the real letters:
//! what is changed there is changed here.

mod about_money;
mod about_workspaces;

use jiff::Timestamp;

use super::Written;

/// A letter as it looks.
#[derive(Debug, Clone)]
pub struct Preview {
    /// Names it in addresses.
    pub name: &'static str,
    /// When it is written, in words.
    pub when: &'static str,
    /// Who gets it.
    pub reader: Reader,
    /// What it says.
    pub written: Written,
}

/// Who gets a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// The customer whose workspace or bill it is about.
    Customer,
    /// Somebody who may enter a workspace.
    Member,
    /// Whoever runs the house.
    Operator,
    /// Whoever asked for it, and can ask for no more.
    Subscriber,
    /// Somebody who was a customer, and can ask for no more.
    FormerCustomer,
}

/// What letters are filled with.
struct Sample {
    product: String,
    /// Where the site is.
    site: String,
    /// Where a workspace is.
    hostname: String,
    now: Timestamp,
}

/// All of them: about workspaces in the order of a customer's life, then about money. `site` is the site's address, such as
/// `http://localhost:8080`, and `base` what the hostnames of workspaces end with.
pub fn previews(product: &str, site: &str, base: &str, now: Timestamp) -> Vec<Preview> {
    let sample =
        Sample { product: product.to_owned(), site: site.to_owned(), hostname: format!("corner-bakery.{base}"), now };
    [about_workspaces::all(&sample), about_money::all(&sample)].concat()
}

impl Reader {
    /// In words.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Customer => "the customer",
            Self::Member => "a member or support",
            Self::Operator => "you, the operator",
            Self::Subscriber => "subscribers, who can leave",
            Self::FormerCustomer => "former customers, who can leave",
        }
    }
}

impl Sample {
    fn product(&self) -> String {
        self.product.clone()
    }

    fn name(&self) -> String {
        "Ada Lovelace".to_owned()
    }

    fn hostname(&self) -> String {
        self.hostname.clone()
    }

    /// An address on the site.
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.site)
    }

    /// The workspace's page in the portal, or one below it.
    fn portal(&self, page: &str) -> String {
        self.url(&format!("/portal/instances/corner-bakery{page}"))
    }

    /// Where the workspace is.
    fn workspace(&self) -> String {
        let scheme = self.site.split_once("://").map_or("https", |(scheme, _)| scheme);
        format!("{scheme}://{}", self.hostname)
    }
}

/// One preview for each line: its name, when and to whom it is written, and the letter.
macro_rules! shown {
    ($($name:literal, $when:literal, $reader:ident, $letter:expr;)*) => {
        vec![$($crate::mail::previews::Preview {
            name: $name,
            when: $when,
            reader: $crate::mail::previews::Reader::$reader,
            written: $letter.written(),
        }),*]
    };
}

use shown;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use super::*;

    const LETTERS: [&str; 10] = [
        include_str!("../mail.rs"),
        include_str!("backups.rs"),
        include_str!("incidents.rs"),
        include_str!("leaving.rs"),
        include_str!("money.rs"),
        include_str!("moves.rs"),
        include_str!("orders.rs"),
        include_str!("support.rs"),
        include_str!("updates.rs"),
        include_str!("win_back.rs"),
    ];
    const SHOWN: [&str; 2] = [include_str!("previews/about_money.rs"), include_str!("previews/about_workspaces.rs")];

    fn all() -> Vec<Preview> {
        previews("AI-DIY", "https://example.com", "example.com", "2026-11-24T22:54:07Z".parse().unwrap())
    }

    /// The types that `mail!` makes letters of.
    fn letters() -> Vec<&'static str> {
        let lists = LETTERS.iter().flat_map(|file| file.split("\nmail!(").skip(1));
        let types = lists.flat_map(|list| list.split(')').next().unwrap().split(','));
        types.map(str::trim).filter(|name| !name.is_empty()).collect()
    }

    #[test]
    fn every_letter_that_there_is_is_shown() {
        assert!(letters().len() > 40, "{:?}", letters());
        for letter in letters() {
            let made = format!("{letter} {{");
            assert!(SHOWN.iter().any(|file| file.contains(&made)), "{letter} is not among the previews");
        }
    }

    #[test]
    fn each_has_a_name_of_its_own_and_says_something() {
        let names: BTreeSet<_> = all().iter().map(|preview| preview.name).collect();
        assert_eq!(names.len(), all().len());
        for Preview { name, when, written, .. } in all() {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
            assert!(!when.is_empty() && !written.subject.is_empty(), "{name}");
            assert!(written.text.contains("AI-DIY") && written.html.contains("AI-DIY"), "{name}");
        }
    }

    #[test]
    fn who_gets_what_they_did_not_need_can_ask_for_no_more() {
        let asked = [Reader::Subscriber, Reader::FormerCustomer];
        for Preview { name, reader, written, .. } in all() {
            let is_confirmation = name == "confirm-subscription";
            assert_eq!(
                written.text.contains("unsubscribe"),
                asked.contains(&reader) && !is_confirmation,
                "{name}: {}",
                written.text
            );
        }
    }
}
