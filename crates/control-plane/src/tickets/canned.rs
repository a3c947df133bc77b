//! Answers that are given again and again. They are filled in when they are chosen, so that whoever answers sees what is sent.

pub(crate) mod store;

use ::store::is_unique_violation;
use domain::CannedAnswerId;

use super::{Ticket, readable};
use crate::app::Core;
use crate::audit;
use crate::error::{AppError, refused};

const LONGEST_NAME: usize = 80;
const LONGEST_TEXT: usize = 5000;

/// What a canned answer may leave open.
pub(crate) const PLACEHOLDERS: [&str; 2] = ["{name}", "{subdomain}"];

/// An answer that is kept.
#[derive(Debug, Clone)]
pub(crate) struct CannedAnswer {
    pub id: CannedAnswerId,
    /// What it is called in the list.
    pub name: String,
    pub text: String,
}

/// Keeps an answer.
pub(crate) async fn add(core: &Core, name: &str, text: &str, by: &str) -> Result<CannedAnswer, AppError> {
    let name = readable(name).replace('\n', " ");
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        let title = format!("A name has from 1 to {LONGEST_NAME} characters");
        return Err(refused(422, &title, "Name it after the question that it answers."));
    }
    let text = readable(text);
    if text.is_empty() || text.chars().count() > LONGEST_TEXT {
        let title = format!("An answer has from 1 to {LONGEST_TEXT} characters");
        return Err(refused(422, &title, "Write what you would answer."));
    }
    if let Some(unknown) = unknown_placeholder(&text) {
        let next = format!("Use {}.", PLACEHOLDERS.join(" or "));
        return Err(refused(422, &format!("Nothing is known to put in the place of {unknown}"), &next));
    }
    let now = core.clock.now();
    let answer = CannedAnswer { id: CannedAnswerId::new(now, core.entropy.bytes()), name, text };
    let mut tx = core.db.begin().await?;
    store::insert(&mut tx, &answer, now).await.map_err(|error| {
        if is_unique_violation(&error) {
            return refused(409, "There is an answer of that name", "Choose another name, or remove that one first.");
        }
        error.into()
    })?;
    audit::record(&mut tx, core, by, "canned_answer.added", &answer.id.to_string(), &answer.name).await?;
    tx.commit().await?;
    Ok(answer)
}

/// Keeps an answer no longer.
pub(crate) async fn remove(core: &Core, id: &str, by: &str) -> Result<(), AppError> {
    let id = CannedAnswerId::parse(id).map_err(|_| AppError::NotFound)?;
    let mut tx = core.db.begin().await?;
    if !store::remove(&mut tx, id).await? {
        return Err(AppError::NotFound);
    }
    audit::record(&mut tx, core, by, "canned_answer.removed", &id.to_string(), "").await?;
    tx.commit().await?;
    Ok(())
}

/// The answer as it is given in a ticket.
pub(crate) fn filled(text: &str, ticket: &Ticket) -> String {
    let name = if ticket.name.is_empty() { "there" } else { &ticket.name };
    let subdomain = ticket.facts.instance.as_ref().map_or("your workspace", |facts| &facts.subdomain);
    // One pass, so that nobody's name is taken for a placeholder.
    let mut filled = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        let found = PLACEHOLDERS.into_iter().zip([name, subdomain]).find(|(mark, _)| from.starts_with(mark));
        let (written, length) = found.map_or(("{", 1), |(mark, value)| (value, mark.len()));
        filled.push_str(written);
        rest = from.get(length..).unwrap_or_default();
    }
    filled + rest
}

/// Something in braces that stands for nothing.
fn unknown_placeholder(text: &str) -> Option<String> {
    let marks = text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| format!("{{{name}}}"));
    let words = marks.filter(|mark| {
        mark.len() > 2 && mark[1..mark.len() - 1].chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    words.into_iter().find(|mark| !PLACEHOLDERS.contains(&mark.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_nothing_is_found() {
        assert_eq!(unknown_placeholder("Hello {name}, {subdomain} is well. { } {a b}"), None);
        assert_eq!(unknown_placeholder("Hello {firstname}"), Some("{firstname}".to_owned()));
    }
}
