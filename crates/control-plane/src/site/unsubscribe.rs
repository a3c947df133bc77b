//! Who gets a mail that is not about their own account asks for no more of them, with one click.

use axum::extract::{Path, State};
use axum::response::Html;
use pages::{Area, Unsubscribe};

use super::{PageError, shell};
use crate::app::App;
use crate::error::AppError;
use crate::mail::suppressions;
use crate::person::Person;

/// Asks, and changes nothing: programs that look at the links of a mail come here too.
pub(crate) async fn confirm(
    State(app): State<App>,
    person: Option<Person>,
    Path(token): Path<String>,
) -> Result<Html<String>, PageError> {
    suppressions::of_link(&app, &token).await?.ok_or(AppError::NotFound)?;
    let action = ("No more such mails".to_owned(), format!("/mail/unsubscribe/{token}"));
    let text = "You still get what your workspaces need: sign-in codes, bills and the like.";
    Ok(word(&app, person.as_ref(), "No more mails like this one?", text, Some(action)))
}

/// Also what mail programs post by themselves. Whoever asked already has what they asked for.
pub(crate) async fn leave(
    State(app): State<App>,
    person: Option<Person>,
    Path(token): Path<String>,
) -> Result<Html<String>, PageError> {
    let customer = suppressions::of_link(&app, &token).await?.ok_or(AppError::NotFound)?;
    suppressions::leave(&app, &customer).await?;
    let text = "You still get what your workspaces need: sign-in codes, bills and the like.";
    Ok(word(&app, person.as_ref(), "You get no more mails like that one", text, None))
}

fn word(app: &App, person: Option<&Person>, title: &str, text: &str, action: Option<(String, String)>) -> Html<String> {
    let shell = shell(app, Area::Site, title, person);
    Html(Unsubscribe { shell, title: title.to_owned(), text: text.to_owned(), action }.render())
}
