//! Finds what an operator has in mind by what they know of it: a piece of a name or an address, a number, an id.

mod store;

use crate::app::App;
use crate::error::{AppError, refused};

/// Found of each kind; whoever has more in mind types more.
const MOST_OF_A_KIND: i64 = 10;
/// A single letter is in nearly everything.
const SHORTEST: usize = 2;
const LONGEST: usize = 200;

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    /// What it is, such as `instance`.
    pub kind: &'static str,
    pub id: String,
    /// What people call it.
    pub name: String,
    /// More about it, such as its state.
    pub about: String,
    /// Where it is in the console.
    pub path: String,
}

/// Finds it. What is found by its id comes first.
pub(crate) async fn find(app: &App, typed: &str) -> Result<Vec<Hit>, AppError> {
    let typed = typed.trim();
    let length = typed.chars().count();
    if !(SHORTEST..=LONGEST).contains(&length) {
        let what = format!("Search for {SHORTEST} to {LONGEST} characters.");
        return Err(refused(422, &what, "A piece of a name or an e-mail address, a number, or an id."));
    }
    let pattern = pattern(typed);
    let mut hits = store::find(&app.db, &pattern, typed, MOST_OF_A_KIND).await?;
    hits.sort_by_key(|hit| hit.id != typed);
    Ok(hits)
}

/// A pattern for `like … escape '\'` that is in what contains the text, however it is written.
fn pattern(typed: &str) -> String {
    let mut pattern = String::from("%");
    for letter in typed.to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_looked_for_and_not_obeyed() {
        assert_eq!(pattern("Ada_50%\\"), "%ada\\_50\\%\\\\%");
    }
}
