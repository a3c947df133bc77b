//! What the team said while it worked on a story, for people to read.

use std::io;

use jiff::Timestamp;

use super::entry::{Entry, TaskResult};
use super::shelf::Shelf;
use super::talk::Line;
use crate::model::Role;

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: Role,
    /// What.
    pub text: String,
}

impl Shelf {
    /// What was said about a story in a sprint, the oldest first.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn said(&self, number: u32, story: u64) -> io::Result<Vec<Spoken>> {
        let designed = |entry| match entry {
            Entry::Ended { at, story: of, result: TaskResult::Designed { text } } if of == story => {
                Some(Spoken { at, who: Role::Architect, text })
            }
            _ => None,
        };
        let mut said: Vec<Spoken> = self.entries(number)?.into_iter().filter_map(designed).collect();
        for file in self.conversations(number, story)? {
            let who = speaker(&file, story);
            for line in self.read::<Line>(number, &file)? {
                if let Line::Answered { at, text, .. } = line
                    && !text.trim().is_empty()
                {
                    said.push(Spoken { at, who, text: text.trim().to_owned() });
                }
            }
        }
        said.sort_by_key(|said| said.at);
        Ok(said)
    }
}

/// The files of conversations are called after their tasks.
fn speaker(file: &str, story: u64) -> Role {
    match file.strip_prefix(&format!("B-{story}-")).unwrap_or_default() {
        task if task.starts_with("design") => Role::Architect,
        task if task.starts_with("write-tests") => Role::Tester,
        _ => Role::Developer,
    }
}
