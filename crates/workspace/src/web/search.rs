//! Finding words again: in talks, sprints, visions, backlog, decisions and names of attachments.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;

use crate::app::App;
use crate::library::{Entry, Library, LibraryError};
use crate::meetings::{Minutes, Turn};
use crate::moment::{self, Moment};
use crate::name::{Name, Shelf};
use crate::pages::Chrome;
use crate::pages::meetings::{Found, SearchPage};
use crate::refusal::Refusal;
use crate::sprint::{Entry as SprintEntry, Shelf as Sprints, Sprint};
use crate::visitor::Visitor;
use crate::web::documents::title;
use crate::web::draw;

/// The most that is shown.
const MOST: usize = 100;

/// How many characters are shown around what was sought.
const AROUND: usize = 80;

/// What is sought.
#[derive(Deserialize)]
pub struct Sought {
    #[serde(default)]
    q: String,
}

/// `GET /search?q=`
pub async fn show(
    State(app): State<App>,
    by: Visitor,
    Query(Sought { q }): Query<Sought>,
) -> Result<Response, Refusal> {
    let sought: String = q.trim().chars().take(200).collect();
    let (words, sprints) = (sought.clone(), app.workshop.sprints.shelf().clone());
    let mut found = match sought.as_str() {
        "" => Vec::new(),
        _ => app.library(move |library: &Library| search(library, &sprints, &words)).await?,
    };
    let is_cut = found.len() > MOST;
    found.truncate(MOST);
    draw(StatusCode::OK, &SearchPage { chrome: Chrome::of(&by), sought, found, is_cut })
}

/// Looks through everything, until there is more than is shown.
fn search(library: &Library, sprints: &Sprints, sought: &str) -> Result<Vec<Found>, LibraryError> {
    let mut hits = Hits { sought, now: moment::now(), found: Vec::new() };
    for look in [documents, meetings, attachments] {
        look(&mut hits, library)?;
    }
    stories(&mut hits, sprints)?;
    Ok(hits.found)
}

struct Hits<'a> {
    sought: &'a str,
    now: Timestamp,
    found: Vec<Found>,
}

impl Hits<'_> {
    fn is_full(&self) -> bool {
        self.found.len() > MOST
    }

    fn look_in(&mut self, text: &str, at: Option<Timestamp>, noun: &'static str, title: &str, href: &str) {
        if let Some(words) = find(text, self.sought) {
            let moment = at.map(|at| Moment::new(at, self.now));
            self.found.push(Found { href: href.to_owned(), noun, title: title.to_owned(), words, moment });
        }
    }
}

fn documents(hits: &mut Hits<'_>, library: &Library) -> Result<(), LibraryError> {
    for shelf in Shelf::ALL {
        for entry in library.list(shelf)? {
            let Entry::Document(document) = entry else { continue };
            let title = title(shelf, &document).unwrap_or_else(|_| document.name.as_title());
            let text = document.text();
            let name = document.name.as_str();
            let Some((_, words, _)) = find(&text, hits.sought).or_else(|| find(name, hits.sought)) else { continue };
            let at = library.newest(shelf, &document)?.and_then(|(version, _)| version.at);
            // Browsers that know it go to the words; the others to the page.
            let fragment = in_fragment(&words);
            let href = format!("/{}/{}#:~:text={fragment}", shelf.folder(), document.name.in_address());
            let place = if find(&text, hits.sought).is_some() { &*text } else { name };
            hits.look_in(place, at, shelf.noun(), &title, &href);
        }
    }
    Ok(())
}

fn meetings(hits: &mut Hits<'_>, library: &Library) -> Result<(), LibraryError> {
    for meeting in Minutes::of(library)?.all()? {
        let title = format!("{}: {}", meeting.id, meeting.kind.title());
        for (index, turn) in meeting.turns.iter().enumerate() {
            let here = format!("/meetings/{}#turn-{}", meeting.id, index + 1);
            match turn {
                Turn::Person { text, at, .. } | Turn::Team { text, at, .. } => {
                    hits.look_in(text, Some(*at), "meeting", &title, &here);
                }
                Turn::Proposal(number) => {
                    let content = meeting.proposal(*number).map(|proposal| &proposal.content);
                    let here = format!("/meetings/{}#proposal-{number}", meeting.id);
                    let words = content.map(|content| content.title().to_owned()).unwrap_or_default();
                    hits.look_in(&words, None, "meeting", &title, &here);
                }
                Turn::Note { .. } => {}
            }
        }
        if hits.is_full() {
            break;
        }
    }
    Ok(())
}

/// Names of files that belong to documents: `attachments/<shelf>/<document>/<file>`.
fn attachments(hits: &mut Hits<'_>, library: &Library) -> Result<(), LibraryError> {
    let Some(all) = library.root()?.enter("attachments")? else { return Ok(()) };
    for shelf in Shelf::ALL {
        let Ok(Some(folder)) = all.enter(shelf.folder()) else { continue };
        for document in folder.entries()?.iter().filter_map(|entry| Name::parse(entry).ok()) {
            let Ok(Some(files)) = folder.enter(document.as_str()) else { continue };
            let mut names = files.entries()?;
            names.sort();
            for name in names.iter().filter(|name| !["journal.jsonl", "removed"].contains(&name.as_str())) {
                let href = format!("/{}/{}#attachments", shelf.folder(), document.in_address());
                hits.look_in(name, None, "attachment", &document.as_title(), &href);
            }
        }
    }
    Ok(())
}

/// Stories as they were chosen, their designs, and what was said about them.
fn stories(hits: &mut Hits<'_>, sprints: &Sprints) -> Result<(), LibraryError> {
    for number in sprints.numbers()? {
        let entries = sprints.entries(number)?;
        let Some(sprint) = Sprint::fold(number, &entries) else { continue };
        let planned = entries.first().map(SprintEntry::at);
        for (story, _) in &sprint.stories {
            let title = format!("{}, B-{}: {}", sprint.id(), story.number, story.title);
            let here = format!("/sprints/{number}/stories/{}", story.number);
            let whole = format!("{}\n{}\n{}", story.title, story.text, story.criteria.join("\n"));
            hits.look_in(&whole, planned, "sprint", &title, &here);
            for (index, said) in sprints.said(number, story.number)?.iter().enumerate() {
                hits.look_in(&said.text, Some(said.at), "sprint", &title, &format!("{here}#said-{}", index + 1));
            }
        }
        if hits.is_full() {
            break;
        }
    }
    Ok(())
}

/// Words as they stand behind `#:~:text=`, where commas and dashes mean something.
fn in_fragment(words: &str) -> String {
    let letter = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    words.bytes().map(letter).collect()
}

/// Where a text holds what is sought, whatever the case of its letters, with the words around it.
fn find(text: &str, sought: &str) -> Option<(String, String, String)> {
    let letters: Vec<char> = text.chars().collect();
    let folded = |c: char| c.to_lowercase().next().unwrap_or(c);
    let sought: Vec<char> = sought.chars().map(folded).collect();
    let mut windows = letters.windows(sought.len().max(1));
    let start = windows.position(|window| window.iter().map(|c| folded(*c)).eq(sought.iter().copied()))?;
    let end = start + sought.len();
    let part = |from: usize, to: usize| letters.get(from..to).unwrap_or_default().iter().collect::<String>();
    let before = part(start.saturating_sub(AROUND), start);
    let after = part(end, end.saturating_add(AROUND).min(letters.len()));
    Some((before, part(start, end), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_case_with_what_is_around_them() {
        let found = |text, sought| find(text, sought).map(|(before, it, after)| [before, it, after]);
        assert_eq!(found("We sell Pöts now", "pÖT"), Some(["We sell ".into(), "Pöt".into(), "s now".into()]));
        assert_eq!(found("pots", "pots and pans"), None);
        assert_eq!(in_fragment("a-b, ö"), "a%2Db%2C%20%C3%B6");
        let long = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        assert_eq!(found(&long, "x"), Some(["a".repeat(80), "X".into(), "b".repeat(80)]));
    }
}
