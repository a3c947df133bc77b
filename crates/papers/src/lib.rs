//! What customers keep of money, on paper: an invoice as PDF.
//!
//! An [`InvoicePaper`] goes in, bytes come out: nothing here reads, waits, or asks for the time, and nothing but the
//! arguments has a part in the result, so the same invoice is the same file at any time and on any machine.
//!
//! The file is A4, holds its own letters (Noto Sans, which knows Latin, Greek and Cyrillic), and is checked while it
//! is written against PDF/A-2a, so that it can be read in decades, and PDF/UA-1, so that it can be read aloud. A
//! letter that the face lacks is drawn as □, and a note below says where the whole text stands.

mod hours;
mod invoice;
mod letters;
mod parties;
mod sheets;
mod table;
mod tags;

pub use hours::{UsageDay, by_day};
pub use invoice::InvoicePaper;

/// Why there is no paper.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaperError {
    /// The face that is built in can't be read.
    #[error("the built-in face can't be read")]
    Face,
    /// The file would break a rule of its format.
    #[error("the paper can't be written: {0}")]
    Format(String),
}
