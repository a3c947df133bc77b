//! Requests for a change: what a person wants to be different about what a sprint made. A request is
//! said in the sprint's review meeting, so it is kept, answered and asked again about like anything
//! else that is said there; what the team proposes becomes real by a person's click alone.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::journal::{Entry, MeetingId, Minutes};
use super::kind::Kind;
use super::meeting::{Meeting, State};
use crate::history::Signature;
use crate::library::{Library, LibraryError};
use crate::name::Name;

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The number of the story that is not as it should be; none if it is about no particular one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub story: Option<u64>,
    /// The number of the comment that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<u32>,
    /// How many requests the person had before them: the same from the same page was sent twice.
    #[serde(default)]
    pub seen: u32,
}

/// A request as it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// Who wants it.
    pub by: String,
    /// Since when.
    pub at: Timestamp,
    /// What, in their words.
    pub text: String,
    /// What it is about.
    pub request: Request,
}

/// A request that somebody makes.
pub struct Wish {
    /// The number of the sprint that is reviewed.
    pub sprint: u32,
    /// The name of its vision.
    pub vision: Name,
    /// What it is about.
    pub request: Request,
    /// What is wanted.
    pub text: String,
}

/// The review meetings of a sprint, the oldest first.
///
/// # Errors
/// When the disk fails.
pub fn reviews_of(library: &Library, sprint: u32) -> Result<Vec<Meeting>, LibraryError> {
    let mut meetings = Minutes::of(library)?.all()?;
    meetings.retain(|meeting| meeting.sprint == Some(sprint));
    meetings.reverse();
    Ok(meetings)
}

/// Says a request in the review meeting of its sprint, and opens one where none is open. The same that
/// was sent twice, or that two people ask for from one comment, is said once.
///
/// # Errors
/// When the disk fails; a meeting that was opened is found the next time.
pub fn ask_for_change(library: &Library, wish: &Wish, by: &Signature) -> Result<MeetingId, LibraryError> {
    let minutes = Minutes::of(library)?;
    let reviews = reviews_of(library, wish.sprint)?;
    let who = by.by.to_string();
    let is_said = |meeting: &&Meeting| meeting.requests().any(|asked| is_same(&asked, wish, &who));
    if let Some(meeting) = reviews.iter().find(is_said) {
        return Ok(meeting.id);
    }
    let id = match reviews.iter().find(|meeting| meeting.state != State::Closed) {
        Some(meeting) => meeting.id,
        None => {
            let (vision, sprint) = (Some(wish.vision.as_str().to_owned()), Some(wish.sprint));
            minutes.open(by.at, Entry::Opened { by: who.clone(), kind: Kind::Review, vision, sprint })?
        }
    };
    minutes.write(id, by.at, Entry::Said { by: who, text: wish.text.clone(), request: Some(wish.request) })?;
    Ok(id)
}

fn is_same(asked: &Requested, wish: &Wish, who: &str) -> bool {
    let is_of_one_comment = wish.request.comment.is_some() && asked.request.comment == wish.request.comment;
    is_of_one_comment || (asked.by == who && asked.text == wish.text && asked.request == wish.request)
}
