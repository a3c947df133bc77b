//! How content somebody is with the help they got: the question that a link in a mail leads to.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse as _, Response};
use pages::{Area, RatingForm, RatingPage};
use serde::Deserialize;

use super::{PageError, shell};
use crate::app::App;
use crate::person::Person;
use crate::tickets::{Ticket, rating, view};

/// The score that a link in a mail proposes.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Proposed {
    #[serde(default)]
    score: String,
}

/// Shows the question. It changes nothing: mail programs open links by themselves.
pub(crate) async fn ask(
    State(app): State<App>,
    person: Option<Person>,
    Path(token): Path<String>,
    Query(proposed): Query<Proposed>,
) -> Result<Html<String>, PageError> {
    let ticket = rating::find(&app, &token).await?;
    let proposed = proposed.score.parse().ok();
    let form = view::question(&app, &ticket);
    let form = RatingForm { chosen: proposed.or(form.chosen), ..form };
    Ok(Html(page(&app, person.as_ref(), &ticket, form, None).render()))
}

/// The answer.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Answer {
    #[serde(default)]
    score: String,
    #[serde(default)]
    comment: String,
}

pub(crate) async fn answer(
    State(app): State<App>,
    person: Option<Person>,
    Path(token): Path<String>,
    Form(answer): Form<Answer>,
) -> Result<Response, PageError> {
    let ticket = rating::find(&app, &token).await?;
    let form = view::question(&app, &ticket);
    match rating::give(&app, &ticket, &answer.score, &answer.comment).await {
        Ok(()) => {
            let page = RatingPage { is_answered: true, ..page(&app, person.as_ref(), &ticket, form, None) };
            Ok(Html(page.render()).into_response())
        }
        Err(error) => {
            let (status, ..) = error.describe();
            let why = error.about_what_was_entered()?;
            let form = RatingForm { comment: answer.comment, ..form };
            Ok((status, Html(page(&app, person.as_ref(), &ticket, form, Some(why)).render())).into_response())
        }
    }
}

fn page(app: &App, person: Option<&Person>, ticket: &Ticket, form: RatingForm, error: Option<String>) -> RatingPage {
    let shell = shell(app, Area::Site, "Your question to support", person);
    RatingPage { shell, subject: ticket.subject.clone(), form, is_answered: false, error }
}
