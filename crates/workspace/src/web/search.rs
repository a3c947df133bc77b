//! Finding words again: in talks, visions, backlog and decisions.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use crate::app::App;
use crate::library::{Entry, Library, LibraryError};
use crate::meetings::{Minutes, Turn};
use crate::name::Shelf;
use crate::pages::Chrome;
use crate::pages::meetings::{Found, SearchPage};
use crate::refusal::Refusal;
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
    let words = sought.clone();
    let mut found = match sought.as_str() {
        "" => Vec::new(),
        _ => app.library(move |library: &Library| search(library, &words)).await?,
    };
    let is_cut = found.len() > MOST;
    found.truncate(MOST);
    draw(StatusCode::OK, &SearchPage { chrome: Chrome::of(&by), sought, found, is_cut })
}

fn search(library: &Library, sought: &str) -> Result<Vec<Found>, LibraryError> {
    let mut found = Vec::new();
    for shelf in Shelf::ALL {
        for entry in library.list(shelf)? {
            let Entry::Document(document) = entry else { continue };
            let title = title(shelf, &document).unwrap_or_else(|_| document.name.as_title());
            if let Some(words) = find(&document.text(), sought).or_else(|| find(document.name.as_str(), sought)) {
                let href = format!("/{}/{}", shelf.folder(), document.name.in_address());
                found.push(Found { href, noun: shelf.noun(), title, words });
            }
        }
    }
    for meeting in Minutes::of(library)?.all()? {
        let texts = meeting.turns.iter().filter_map(|turn| match turn {
            Turn::Person { text, .. } | Turn::Team { text, .. } => Some(text.as_str()),
            Turn::Proposal(number) => Some(meeting.proposal(*number)?.content.title()),
            Turn::Note { .. } => None,
        });
        for words in texts.filter_map(|text| find(text, sought)) {
            let title = format!("{}: {}", meeting.id, meeting.kind.title());
            found.push(Found { href: format!("/meetings/{}", meeting.id), noun: "meeting", title, words });
        }
        if found.len() > MOST {
            break;
        }
    }
    Ok(found)
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
        let long = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        assert_eq!(found(&long, "x"), Some(["a".repeat(80), "X".into(), "b".repeat(80)]));
    }
}
