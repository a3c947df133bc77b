use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

/// A step that asks others in a loop keeps the latest requests, not all of them.
const MOST_NOTES: usize = 20;

tokio::task_local! {
    static NOTES: Notes;
}

/// What is noted while a step runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    pub(crate) fn text(&self) -> Option<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
}

/// Adds a line to the record of the step that runs now: what was asked of whom, and the id that
/// they gave the request. Outside a step it is lost, and that is fine. No secrets.
pub fn note(line: String) {
    let _ = NOTES.try_with(|notes| {
        let mut lines = notes.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == MOST_NOTES {
            lines.remove(0);
        }
        lines.push(line);
    });
}

pub(crate) async fn taken_of<F: Future>(effect: F, notes: &Notes) -> F::Output {
    NOTES.scope(notes.clone(), effect).await
}
