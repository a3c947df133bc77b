//! What the app that runs holds, and what is done since.

use crate::project::{Commit, CommitId};

/// What going back to a state is called in a project's history, before the beginning of that state's hash.
pub const BACK_TO: &str = "Back to ";

/// What runs, beside what is done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// The state that runs, as it calls itself.
    pub title: String,
    /// The stories in it, the newest first.
    pub stories: Vec<String>,
    /// What was done since, the newest first.
    pub newer: Vec<String>,
}

impl Contents {
    /// Reads it off a project's history, the newest state first.
    #[must_use]
    pub fn of(history: &[Commit], runs: &CommitId) -> Self {
        let at = history.iter().position(|commit| commit.id == *runs);
        let newer = history.iter().take(at.unwrap_or_default()).map(title).collect();
        let here = at.and_then(|at| history.get(at)).map(title).unwrap_or_default();
        Self { title: here, stories: at.map(|at| stories(history, at)).unwrap_or_default(), newer }
    }
}

fn title(commit: &Commit) -> String {
    commit.message.lines().next().unwrap_or_default().to_owned()
}

/// The stories that are in a state: where somebody went back, those of the state that they went back to.
fn stories(history: &[Commit], from: usize) -> Vec<String> {
    let (mut stories, mut at) = (Vec::new(), from);
    while let Some(commit) = history.get(at) {
        let title = title(commit);
        let back = title.strip_prefix(BACK_TO).map(str::trim).filter(|short| !short.is_empty());
        let before = |short: &str| history.iter().skip(at + 1).position(|commit| commit.id.as_str().starts_with(short));
        match back.and_then(before) {
            Some(further) => at += 1 + further,
            None => {
                if title.starts_with("B-") {
                    stories.push(title);
                }
                at += 1;
            }
        }
    }
    stories
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn id(letter: char) -> CommitId {
        CommitId::parse(&letter.to_string().repeat(40)).unwrap()
    }

    fn history(states: &[(char, &str)]) -> Vec<Commit> {
        let at = "2026-11-30T12:00:00Z".parse().unwrap();
        let commit = |(letter, message): &(char, &str)| Commit {
            id: id(*letter),
            at,
            message: (*message).to_owned(),
            tags: Vec::new(),
        };
        states.iter().map(commit).collect()
    }

    #[test]
    fn it_holds_the_stories_up_to_its_state_and_says_what_came_since() {
        let history = history(&[
            ('d', "B-3: Count items"),
            ('c', "B-2: Cross off\n\nMore."),
            ('b', "B-1: Put on the list"),
            ('a', "The project begins"),
        ]);
        let contents = Contents::of(&history, &id('c'));
        assert_eq!(contents.title, "B-2: Cross off");
        assert_eq!(contents.stories, ["B-2: Cross off", "B-1: Put on the list"]);
        assert_eq!(contents.newer, ["B-3: Count items"]);
        assert_eq!(Contents::of(&history, &id('f')), Contents::default(), "what is not in the history");
    }

    #[test]
    fn what_somebody_went_back_behind_is_not_in_it() {
        let history = history(&[
            ('f', "B-4: Sort"),
            ('e', "Back to bbbbbbbb"),
            ('d', "B-3: Count items"),
            ('c', "B-2: Cross off"),
            ('b', "B-1: Put on the list"),
            ('a', "The project begins"),
        ]);
        assert_eq!(Contents::of(&history, &id('f')).stories, ["B-4: Sort", "B-1: Put on the list"]);
        assert_eq!(Contents::of(&history, &id('d')).stories.len(), 3);
    }
}
