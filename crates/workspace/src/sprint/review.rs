//! What people say of a sprint, `sprints/S-<n>/review.jsonl`: comments on it or on one of its stories,
//! answers to them, and which are settled. Nothing that was said is ever taken away.

use std::io;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::shelf::Shelf;
use crate::history::Signature;

/// The longest comment, in characters.
const LONGEST_REMARK: usize = 20_000;

const FILE: &str = "review.jsonl";

/// What a person wrote: at least a word, and not too many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Words(String);

/// Why something is no [`Words`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// Nothing was written.
    #[error("Nothing was written, so nothing was kept. Go back and write at least a word.")]
    Empty,
    /// More than [`LONGEST_REMARK`] characters.
    #[error(
        "Nothing was kept. Go back: your text is still in the form. It may have 20,000 characters; put longer texts into a document."
    )]
    TooLong,
}

impl Words {
    /// Accepts a text without the blanks around it.
    ///
    /// # Errors
    /// [`WordsError`] says what to change.
    pub fn parse(raw: &str) -> Result<Self, WordsError> {
        let text = raw.replace("\r\n", "\n").trim().to_owned();
        if text.is_empty() {
            return Err(WordsError::Empty);
        }
        if text.chars().count() > LONGEST_REMARK {
            return Err(WordsError::TooLong);
        }
        Ok(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Words {
    type Error = WordsError;

    fn try_from(text: String) -> Result<Self, WordsError> {
        Self::parse(&text)
    }
}

impl From<Words> for String {
    fn from(words: Words) -> Self {
        words.0
    }
}

/// Something said or done in a review. Words here are stored, so they are promises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Remark {
    /// A comment.
    Commented {
        /// The number of the story that it is about; none if it is about the whole sprint.
        about: Option<u64>,
        /// What was said.
        text: Words,
    },
    /// An answer to a comment.
    Answered {
        /// The comment's number.
        comment: u32,
        /// What was said.
        text: Words,
    },
    /// A comment needs nothing more.
    Settled {
        /// The comment's number.
        comment: u32,
    },
    /// A comment needs something again.
    Unsettled {
        /// The comment's number.
        comment: u32,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    at: Timestamp,
    by: String,
    /// How many remarks the person had before them: the same from the same page was sent twice.
    seen: u32,
    #[serde(flatten)]
    remark: Remark,
}

/// All that people said of a sprint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Review {
    /// The comments, the oldest first.
    pub comments: Vec<Comment>,
    /// How many remarks there are.
    pub length: u32,
}

/// A comment and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Counted from 1.
    pub number: u32,
    /// The number of the story that it is about.
    pub about: Option<u64>,
    /// What was said.
    pub said: Said,
    /// Answers to it, the oldest first.
    pub answers: Vec<Said>,
    /// Who settled it and when, if it is settled.
    pub settled: Option<(String, Timestamp)>,
}

/// Something said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
}

/// Why a remark was not kept.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// There is no such sprint.
    #[error("There is no such sprint.")]
    NoSprint,
    /// The sprint has no such story.
    #[error("S-{0} has no story B-{1}, so nothing was kept. Go back and choose one of its stories.")]
    NoStory(u32, u64),
    /// There is no such comment.
    #[error("S-{0} has no comment of that number, so nothing was kept. Go back and reload the page.")]
    NoComment(u32),
    /// The disk failed or is full.
    #[error("The review cannot be written down ({0}). Make room on the disk and try again; go back for your text.")]
    Disk(#[from] io::Error),
}

impl Review {
    fn fold(lines: &[Line]) -> Self {
        let mut review = Self { comments: Vec::new(), length: u32::try_from(lines.len()).unwrap_or(u32::MAX) };
        for Line { at, by, remark, .. } in lines {
            let said = |text: &Words| Said { by: by.clone(), at: *at, text: text.0.clone() };
            match remark {
                Remark::Commented { about, text } => {
                    let number = u32::try_from(review.comments.len()).unwrap_or(u32::MAX).saturating_add(1);
                    let comment =
                        Comment { number, about: *about, said: said(text), answers: Vec::new(), settled: None };
                    review.comments.push(comment);
                }
                Remark::Answered { comment, text } => {
                    review.change(*comment, |comment| comment.answers.push(said(text)));
                }
                Remark::Settled { comment } => {
                    review.change(*comment, |comment| comment.settled = Some((by.clone(), *at)));
                }
                Remark::Unsettled { comment } => review.change(*comment, |comment| comment.settled = None),
            }
        }
        review
    }

    /// The comment of that number.
    #[must_use]
    pub fn comment(&self, number: u32) -> Option<&Comment> {
        self.comments.iter().find(|comment| comment.number == number)
    }

    fn change(&mut self, number: u32, change: impl FnOnce(&mut Comment)) {
        if let Some(comment) = self.comments.iter_mut().find(|comment| comment.number == number) {
            change(comment);
        }
    }
}

impl Shelf {
    /// What people said of a sprint.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn review(&self, sprint: u32) -> io::Result<Review> {
        Ok(Review::fold(&self.read::<Line>(sprint, FILE)?))
    }

    /// Keeps a remark; what was sent twice from the same page, which showed `seen` remarks, is kept
    /// once. Gives the number of the comment it is or belongs to.
    ///
    /// # Errors
    /// [`ReviewError`]
    pub fn remark(&self, sprint: u32, remark: Remark, seen: u32, by: &Signature) -> Result<u32, ReviewError> {
        let known = self.sprint(sprint)?.ok_or(ReviewError::NoSprint)?;
        if let Remark::Commented { about: Some(story), .. } = &remark
            && known.story(*story).is_none()
        {
            return Err(ReviewError::NoStory(sprint, *story));
        }
        let mut number = 0;
        self.append_after(sprint, FILE, |lines: &[Line]| -> Result<_, ReviewError> {
            let review = Review::fold(lines);
            number = match &remark {
                Remark::Commented { .. } => u32::try_from(review.comments.len()).unwrap_or(u32::MAX).saturating_add(1),
                Remark::Answered { comment, .. } | Remark::Settled { comment } | Remark::Unsettled { comment } => {
                    review.comment(*comment).ok_or(ReviewError::NoComment(sprint))?.number
                }
            };
            let is_settled = review.comment(number).is_some_and(|comment| comment.settled.is_some());
            let line = Line { at: by.at, by: by.by.to_string(), seen, remark };
            let is_same = |other: &Line| other.by == line.by && other.seen == line.seen && other.remark == line.remark;
            match (&line.remark, lines.iter().position(is_same)) {
                (Remark::Settled { .. }, _) if is_settled => Ok(None),
                (Remark::Unsettled { .. }, _) if !is_settled => Ok(None),
                (Remark::Commented { .. }, Some(before)) => {
                    number = u32::try_from(Review::fold(&lines[..=before]).comments.len()).unwrap_or(u32::MAX);
                    Ok(None)
                }
                (Remark::Answered { .. }, Some(_)) => Ok(None),
                _ => Ok(Some(line)),
            }
        })?;
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn line(by: &str, remark: Remark) -> Line {
        Line { at: Timestamp::UNIX_EPOCH, by: by.to_owned(), seen: 0, remark }
    }

    fn words(text: &str) -> Words {
        Words::parse(text).unwrap()
    }

    #[test]
    fn comments_are_numbered_answered_and_settled_and_none_is_lost() {
        let lines = [
            line("ada", Remark::Commented { about: None, text: words("Fine.") }),
            line("bob", Remark::Commented { about: Some(2), text: words("It is slow.") }),
            line("ada", Remark::Answered { comment: 2, text: words("Where?") }),
            line("ada", Remark::Answered { comment: 9, text: words("nowhere") }),
            line("bob", Remark::Settled { comment: 1 }),
            line("bob", Remark::Settled { comment: 2 }),
            line("ada", Remark::Unsettled { comment: 2 }),
        ];
        let review = Review::fold(&lines);
        let numbers: Vec<_> = review.comments.iter().map(|comment| (comment.number, comment.about)).collect();
        assert_eq!((numbers, review.length), (vec![(1, None), (2, Some(2))], 7));
        assert_eq!(review.comment(1).unwrap().settled.as_ref().unwrap().0, "bob");
        let second = review.comment(2).unwrap();
        assert_eq!((second.answers.len(), second.answers[0].text.as_str()), (1, "Where?"));
        assert_eq!(second.settled, None);
    }

    #[test]
    fn a_line_is_stored_in_the_promised_words() {
        let text = serde_json::to_string(&line("ada", Remark::Commented { about: Some(2), text: words(" a\r\nb ") }));
        let promised =
            r#"{"at":"1970-01-01T00:00:00Z","by":"ada","seen":0,"what":"commented","about":2,"text":"a\nb"}"#;
        assert_eq!(text.unwrap(), promised);
        let read: Line = serde_json::from_str(promised).unwrap();
        assert_eq!(read.remark, Remark::Commented { about: Some(2), text: words("a\nb") });
    }

    #[test]
    fn words_are_neither_none_nor_too_many() {
        assert_eq!(Words::parse(" \r\n "), Err(WordsError::Empty));
        assert!(Words::parse(&"ü".repeat(LONGEST_REMARK)).is_ok());
        assert_eq!(Words::parse(&"x".repeat(LONGEST_REMARK + 1)), Err(WordsError::TooLong));
    }
}
