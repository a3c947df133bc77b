use std::collections::HashSet;

/// Names for the headings of one document, as GitHub gives them, so that a link works here as it does there.
#[derive(Debug, Default)]
pub(crate) struct Anchors {
    given: HashSet<String>,
}

impl Anchors {
    /// The name of the next heading with this text.
    pub(crate) fn next(&mut self, heading: &str) -> String {
        let name = slug(heading);
        let numbered = (1..).map(|number| format!("{name}-{number}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !self.given.contains(name));
        let free = free.unwrap_or(name);
        self.given.insert(free.clone());
        free
    }

    /// Keeps a name that the text itself gives.
    pub(crate) fn take(&mut self, name: &str) {
        self.given.insert(name.to_owned());
    }
}

/// A heading as part of an address.
pub(crate) fn slug(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c }).flat_map(char::to_lowercase).collect()
}

/// A heading without the number that it begins with, such as `16. Backups`.
pub(crate) fn unnumbered(heading: &str) -> &str {
    let rest = heading.trim_start_matches(|c: char| c.is_ascii_digit());
    match rest.strip_prefix(". ") {
        Some(words) if rest.len() < heading.len() => words,
        _ => heading,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_named_as_on_github() {
        let mut anchors = Anchors::default();
        for (heading, name) in [
            ("Before a provider stops", "before-a-provider-stops"),
            ("16. Backups of instances", "16-backups-of-instances"),
            ("What's in `up`, and what isn't?", "whats-in-up-and-what-isnt"),
            ("A name", "a-name"),
            ("A name", "a-name-1"),
            ("A name", "a-name-2"),
        ] {
            assert_eq!(anchors.next(heading), name);
        }
    }

    #[test]
    fn a_name_that_the_text_gives_is_given_to_no_heading() {
        let mut anchors = Anchors::default();
        anchors.take("backups");
        assert_eq!(anchors.next("Backups"), "backups-1");
    }

    #[test]
    fn only_a_number_with_its_point_is_left_out() {
        assert_eq!(unnumbered("16. Backups"), "Backups");
        assert_eq!(unnumbered("2026 in numbers"), "2026 in numbers");
        assert_eq!(unnumbered(". Backups"), ". Backups");
    }
}
