use pages::{BookHit, BookLink, Stretch};

use crate::Leaf;

/// Characters of a query that are looked at.
pub(crate) const LONGEST_QUERY: usize = 200;

/// Words of a query that are looked for.
const MOST_WORDS: usize = 8;

/// How many bytes are shown before and after what was found, about.
const BEFORE: usize = 90;
const AFTER: usize = 170;

/// Words of a question that say nothing of what it is about.
const EMPTY_WORDS: [&str; 60] = [
    "about", "after", "again", "all", "and", "any", "anything", "are", "because", "been", "before", "but", "can",
    "cannot", "could", "did", "does", "doesn", "don", "for", "from", "get", "had", "has", "have", "hello", "help",
    "how", "into", "its", "just", "like", "more", "much", "need", "not", "one", "our", "out", "please", "should",
    "some", "than", "thank", "that", "the", "them", "then", "there", "they", "this", "very", "want", "was", "what",
    "when", "which", "why", "with", "you",
];

/// What a word is worth in a page's heading, in a section's, and each time in the text.
const IN_TITLE: usize = 40;
const IN_HEADING: usize = 20;
const MOST_IN_TEXT: usize = 6;

/// Everything that is written, by section.
#[derive(Debug, Default)]
pub(crate) struct Index {
    passages: Vec<Passage>,
}

/// What stands below one heading.
#[derive(Debug)]
pub(crate) struct Passage {
    leaf: usize,
    heading: String,
    is_title: bool,
    url: String,
    text: String,
    /// Heading and text in small letters, in which words are looked for.
    small_heading: String,
    small_text: String,
}

/// A passage that has all the words.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    passage: &'a Passage,
    words: Vec<String>,
    worth: usize,
}

impl Index {
    pub(crate) fn add(&mut self, passage: Passage) {
        self.passages.push(passage);
    }

    /// Where all words of a query stand, best first.
    pub(crate) fn find(&self, query: &str) -> Vec<Found<'_>> {
        let words = words_of(query);
        if words.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<Found<'_>> = self.passages.iter().filter_map(|passage| passage.matching(&words)).collect();
        found.sort_by_key(|found| std::cmp::Reverse(found.worth));
        found
    }
}

impl Index {
    /// Where the words of a question stand, of which a rare one says more than one that stands everywhere; best first. At least
    /// half of its words have to be there.
    pub(crate) fn near(&self, question: &str, is_wanted: impl Fn(usize) -> bool) -> Vec<Found<'_>> {
        let mut words = words_of(question);
        let is_empty = |word: &String| {
            EMPTY_WORDS.iter().any(|empty| empty.strip_suffix('s').is_some_and(|stem| stem == word) || empty == word)
        };
        words.retain(|word| word.len() > 2 && !is_empty(word));
        words.sort_unstable();
        words.dedup();
        let wanted: Vec<&Passage> = self.passages.iter().filter(|passage| is_wanted(passage.leaf)).collect();
        let has =
            |passage: &Passage, word: &String| passage.matching(std::slice::from_ref(word)).map(|found| found.worth);
        let rarity: Vec<usize> = words
            .iter()
            .map(|word| wanted.len() / wanted.iter().filter(|passage| has(passage, word).is_some()).count().max(1))
            .collect();
        let mut near: Vec<Found<'_>> = Vec::new();
        for passage in wanted {
            let found: Vec<(&String, usize)> = words
                .iter()
                .zip(&rarity)
                .filter_map(|(word, rarity)| has(passage, word).map(|worth| (word, worth.saturating_mul(*rarity))))
                .collect();
            if !found.is_empty() && found.len() * 2 >= words.len() {
                let worth = found.iter().map(|(_, worth)| worth).sum();
                near.push(Found { passage, words: found.into_iter().map(|(word, _)| word.clone()).collect(), worth });
            }
        }
        near.sort_by_key(|found| std::cmp::Reverse(found.worth));
        near
    }
}

impl Passage {
    pub(crate) fn new(leaf: usize, heading: &str, is_title: bool, url: String, text: &str) -> Self {
        let text = text.trim().to_owned();
        Self {
            leaf,
            is_title,
            url,
            small_heading: small(heading),
            small_text: small(&text),
            heading: heading.to_owned(),
            text,
        }
    }

    fn matching(&self, words: &[String]) -> Option<Found<'_>> {
        let mut worth = 0;
        for word in words {
            let in_heading = beginnings(&self.small_heading, word).next().is_some();
            let in_text = beginnings(&self.small_text, word).take(MOST_IN_TEXT).count();
            if !in_heading && in_text == 0 {
                return None;
            }
            let heading = if self.is_title { IN_TITLE } else { IN_HEADING };
            worth += in_text + if in_heading { heading } else { 0 };
        }
        Some(Found { passage: self, words: words.to_vec(), worth })
    }
}

impl Found<'_> {
    pub(crate) fn into_hit(self, leaves: &[Leaf]) -> BookHit {
        let passage = self.passage;
        let page = leaves.get(passage.leaf).filter(|_| !passage.is_title).map(|leaf| leaf.title.clone());
        BookHit {
            link: BookLink { name: passage.heading.clone(), url: passage.url.clone() },
            page,
            around: stretches(&passage.text, &passage.small_text, &self.words),
        }
    }
}

/// The words of a query in small letters. A plural is looked for as the singular, which it begins with.
fn words_of(query: &str) -> Vec<String> {
    let words = query.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_' || c == '.' || c == '/'));
    let words = words.map(|word| small(word.trim_matches(['-', '.', '/']))).filter(|word| !word.is_empty());
    let singular = |word: String| match word.strip_suffix('s') {
        Some(stem) if stem.len() > 3 && !stem.ends_with('s') => stem.to_owned(),
        _ => word,
    };
    words.map(singular).take(MOST_WORDS).collect()
}

/// Small letters, each as long in bytes as what it was, so that places in one text are places in the other.
fn small(text: &str) -> String {
    let mut small = String::with_capacity(text.len());
    for c in text.chars() {
        let mut lower = c.to_lowercase();
        match (lower.next(), lower.next()) {
            (Some(lower), None) if lower.len_utf8() == c.len_utf8() => small.push(lower),
            _ => small.push(c),
        }
    }
    small
}

/// Where a word, or one that it begins, stands in a text.
fn beginnings<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let places = text.match_indices(word).map(|(at, _)| at);
    places.filter(move |at| !text[..*at].ends_with(char::is_alphanumeric))
}

/// The words around what was found first, with everything in them that was looked for marked.
fn stretches(text: &str, small: &str, words: &[String]) -> Vec<Stretch> {
    let first = words.iter().filter_map(|word| beginnings(small, word).next()).min().unwrap_or(0);
    let (start, end) = (start_of(text, first), end_of(text, first));
    let mut marks: Vec<(usize, usize)> = Vec::new();
    for word in words {
        let within = beginnings(small, word).skip_while(|at| *at < start).take_while(|at| at + word.len() <= end);
        marks.extend(within.map(|at| (at, at + word.len())));
    }
    marks.sort_unstable();
    let mut around = Vec::new();
    let mut push = |text: String, found: bool| {
        if !text.is_empty() {
            around.push(Stretch { text, found });
        }
    };
    let mut at = start;
    push(if start > 0 { "… ".to_owned() } else { String::new() }, false);
    for (from, to) in marks {
        if from < at {
            continue;
        }
        push(text[at..from].to_owned(), false);
        push(text[from..to].to_owned(), true);
        at = to;
    }
    push(text[at..end].to_owned(), false);
    push(if end < text.len() { " …".to_owned() } else { String::new() }, false);
    around
}

/// The beginning of the sentence in which a place is, or of a word not too far before it.
fn start_of(text: &str, at: usize) -> usize {
    let far = floor(text, at.saturating_sub(BEFORE));
    if let Some(sentence) = text[far..at].rfind(". ") {
        return far + sentence + 2;
    }
    if far == 0 { 0 } else { text[far..at].find(' ').map_or(at, |space| far + space + 1) }
}

fn end_of(text: &str, at: usize) -> usize {
    let far = floor(text, at.saturating_add(AFTER).min(text.len()));
    if far == text.len() { far } else { text[at..far].rfind(' ').map_or(far, |space| at + space) }
}

/// The nearest place before this one at which a character begins.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn index() -> Index {
        let mut index = Index::default();
        let texts = [
            ("Backups", true, "Every instance is backed up. A backup is encrypted."),
            ("Restoring", false, "The application rests. A Backup that is damaged is refused."),
            ("Ünïcode", false, "İstanbul ẞ Straße: größe zählt, unbackup not."),
        ];
        for (at, (heading, is_title, text)) in texts.into_iter().enumerate() {
            index.add(Passage::new(at, heading, is_title, format!("/docs/{at}"), text));
        }
        index
    }

    fn headings(query: &str) -> Vec<String> {
        index().find(query).iter().map(|found| found.passage.heading.clone()).collect()
    }

    #[test]
    fn all_words_are_wanted_and_headings_weigh_most() {
        assert_eq!(headings("backup"), ["Backups", "Restoring"]);
        assert_eq!(headings("BACKUPS"), ["Backups", "Restoring"]);
        assert_eq!(headings("backup damaged"), ["Restoring"]);
        assert_eq!(headings("refus"), ["Restoring"]);
        assert_eq!(headings("backup nothing"), Vec::<String>::new());
        assert_eq!(headings("  -- . "), Vec::<String>::new());
    }

    #[test]
    fn a_question_finds_what_has_most_of_its_words() {
        let near = |question: &str| {
            let index = index();
            let found = index.near(question, |leaf| leaf < 2);
            found.iter().map(|found| found.passage.heading.clone()).collect::<Vec<_>>()
        };
        assert_eq!(near("Hello, how can I get a damaged backup?"), ["Backups", "Restoring"]);
        assert_eq!(near("Please help me with this"), Vec::<String>::new());
        assert_eq!(index().near("backup", |_| false).len(), 0);
    }

    #[test]
    fn what_was_found_is_marked_with_the_words_around_it() {
        let index = index();
        let found = index.find("backup damage");
        let around = stretches(&found[0].passage.text, &found[0].passage.small_text, &found[0].words);
        let marked: Vec<&str> = around.iter().filter(|it| it.found).map(|it| it.text.as_str()).collect();
        assert_eq!(marked, ["Backup", "damage"]);
        let whole: String = around.iter().map(|it| it.text.as_str()).collect();
        assert_eq!(whole, "… A Backup that is damaged is refused.");
    }

    #[test]
    fn letters_of_any_length_are_never_cut() {
        assert_eq!(headings("größe"), ["Ünïcode"]);
        let long = "ß ü İ ".repeat(200) + "needle" + &" ẞ é".repeat(200);
        let passage = Passage::new(0, "H", false, String::new(), &long);
        let found = passage.matching(&["needle".to_owned()]).unwrap();
        let around = stretches(&passage.text, &passage.small_text, &found.words);
        assert_eq!(around.iter().filter(|it| it.found).count(), 1);
        assert!(around.iter().map(|it| it.text.len()).sum::<usize>() < 400);
    }
}
