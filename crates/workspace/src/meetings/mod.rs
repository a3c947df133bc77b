//! Meetings: people and the team talk about one thing, and something comes of it.
//!
//! A meeting is a journal, `meetings/M-<n>/journal.jsonl`, and what is shown is folded from it, so a
//! reload, a restart or another device changes nothing. What the team proposes becomes a document by
//! a person's click alone. An answer that was under way when the program died is broken off, and can
//! be asked for again.

mod approval;
mod journal;
mod kind;
mod meeting;
mod prompt;
mod proposal;
mod request;
mod reviewed;
mod talk;

pub use approval::{ApprovalError, approve, present_of};
pub use journal::{Entry, MeetingId, Minutes};
pub use kind::Kind;
pub use meeting::{DIED, End, Meeting, Proposed, State, Turn, Verdict};
pub use proposal::Content;
pub use request::{Request, Requested, Wish, ask_for_change, reviews_of};
pub use talk::{Heard, SoFar, Talks};
