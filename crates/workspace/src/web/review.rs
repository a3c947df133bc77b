//! The review of a sprint: its stories beside the app, what people say of them, and the changes they
//! ask for.

mod drawing;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::app::App;
use crate::library::{Library, LibraryError};
use crate::meetings::{Request, Wish, ask_for_change};
use crate::name::Name;
use crate::refusal::Refusal;
use crate::sprint::{Remark, ReviewError, SprintError, Words, WordsError};
use crate::visitor::Visitor;
use crate::web::{Filled, draw};

impl From<ReviewError> for Refusal {
    fn from(error: ReviewError) -> Self {
        let status = match error {
            ReviewError::NoSprint => return Self::missing(),
            ReviewError::NoStory(..) => StatusCode::UNPROCESSABLE_ENTITY,
            ReviewError::NoComment(_) => StatusCode::NOT_FOUND,
            ReviewError::Disk(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, "That was not kept", error.to_string())
    }
}

impl From<WordsError> for Refusal {
    fn from(error: WordsError) -> Self {
        match error {
            WordsError::Empty => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "There are no words", error.to_string()),
            WordsError::TooLong => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "That is too long", error.to_string()),
        }
    }
}

/// What the form is about to begin with.
#[derive(Deserialize)]
pub struct About {
    about: Option<u64>,
}

/// `GET /sprints/{number}/review`
pub async fn show(
    State(app): State<App>,
    by: Visitor,
    Path(number): Path<u32>,
    Query(at): Query<About>,
) -> Result<Response, Refusal> {
    draw(StatusCode::OK, &drawing::page(&app, &by, number, at.about).await?)
}

/// What a person writes.
#[derive(Deserialize)]
pub struct Written {
    #[serde(default)]
    text: String,
    /// The number of a story, or nothing.
    #[serde(default)]
    about: String,
    /// The comment that a change is asked for because of.
    comment: Option<u32>,
    /// How many remarks, and how many requests, their page showed.
    #[serde(default)]
    seen: u32,
    #[serde(default)]
    asked: u32,
}

impl Written {
    /// The story that it is about.
    fn story(&self) -> Result<Option<u64>, Refusal> {
        match self.about.trim() {
            "" => Ok(None),
            number => number.parse().map(Some).map_err(|_| Refusal::missing()),
        }
    }
}

/// `POST /sprints/{number}/review/comments`
pub async fn comment(
    State(app): State<App>,
    by: Visitor,
    Path(number): Path<u32>,
    Filled(written): Filled<Written>,
) -> Result<Response, Refusal> {
    let remark = Remark::Commented { about: written.story()?, text: Words::parse(&written.text)? };
    keep(&app, by, number, remark, written.seen).await
}

/// `POST /sprints/{number}/review/comments/{comment}/answers`
pub async fn answer(
    State(app): State<App>,
    by: Visitor,
    Path((number, comment)): Path<(u32, u32)>,
    Filled(written): Filled<Written>,
) -> Result<Response, Refusal> {
    let remark = Remark::Answered { comment, text: Words::parse(&written.text)? };
    keep(&app, by, number, remark, written.seen).await
}

/// Whether a comment is settled from now on.
#[derive(Deserialize)]
pub struct Settlement {
    settled: bool,
}

/// `POST /sprints/{number}/review/comments/{comment}/settlement`
pub async fn settle(
    State(app): State<App>,
    by: Visitor,
    Path((number, comment)): Path<(u32, u32)>,
    Filled(Settlement { settled }): Filled<Settlement>,
) -> Result<Response, Refusal> {
    let remark = if settled { Remark::Settled { comment } } else { Remark::Unsettled { comment } };
    keep(&app, by, number, remark, 0).await
}

/// `POST /sprints/{number}/review/requests`: what is asked for is kept whatever becomes of the answer.
pub async fn request(
    State(app): State<App>,
    by: Visitor,
    Path(number): Path<u32>,
    Filled(written): Filled<Written>,
) -> Result<Response, Refusal> {
    let wish = wish(&app, number, &written)?;
    let (signature, talks) = (app.sign(by), app.talks.clone());
    let id = app
        .library(move |library: &Library| -> Result<_, LibraryError> {
            let _one_at_a_time = talks.writing();
            ask_for_change(library, &wish, &signature)
        })
        .await?;
    app.talks.announce(id);
    app.talks.start(&app, id);
    Ok(Redirect::to(&format!("/sprints/{number}/review#changes")).into_response())
}

/// What is asked for: in the words of a comment, or in new ones.
fn wish(app: &App, sprint: u32, written: &Written) -> Result<Wish, Refusal> {
    let shelf = app.workshop.sprints.shelf();
    let known = shelf.sprint(sprint).map_err(SprintError::from)?.ok_or_else(Refusal::missing)?;
    let vision = Name::parse(&known.plan.vision).map_err(|_| Refusal::missing())?;
    let (text, story) = match written.comment {
        Some(number) => {
            let review = shelf.review(sprint).map_err(ReviewError::from)?;
            let comment = review.comment(number).ok_or(ReviewError::NoComment(sprint))?;
            (comment.said.text.clone(), comment.about)
        }
        None => (Words::parse(&written.text)?.as_str().to_owned(), written.story()?),
    };
    if let Some(story) = story
        && known.story(story).is_none()
    {
        return Err(ReviewError::NoStory(sprint, story).into());
    }
    let request = Request { story, comment: written.comment, seen: written.asked };
    Ok(Wish { sprint, vision, request, text })
}

async fn keep(app: &App, by: Visitor, sprint: u32, remark: Remark, seen: u32) -> Result<Response, Refusal> {
    let (shelf, signature) = (app.workshop.sprints.shelf().clone(), app.sign(by));
    let kept = tokio::task::spawn_blocking(move || shelf.remark(sprint, remark, seen, &signature)).await;
    let comment = kept.unwrap_or_else(|error| Err(ReviewError::Disk(std::io::Error::other(error))))?;
    Ok(Redirect::to(&format!("/sprints/{sprint}/review#comment-{comment}")).into_response())
}
