//! A person's decision about what the team proposed.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use crate::app::App;
use crate::attachments::Picture;
use crate::library::{Library, LibraryError};
use crate::meetings::{ApprovalError, Content, Entry, Minutes, approve as approve_proposal};
use crate::refusal::Refusal;
use crate::visitor::Visitor;
use crate::web::meetings::{AtMeeting, WayBack, write};
use crate::web::{Filled, attachments};
use crate::wireframe::Wireframe;

/// Beside which text of the present document the person saw the proposal.
#[derive(Deserialize)]
pub struct Seen {
    #[serde(default)]
    seen: String,
}

/// `POST /meetings/{id}/proposals/{number}/approval`
pub async fn approve(
    State(app): State<App>,
    by: Visitor,
    at: AtMeeting,
    Query(way): Query<WayBack>,
    Filled(Seen { seen }): Filled<Seen>,
) -> Result<Response, Refusal> {
    let number = at.number.ok_or_else(Refusal::missing)?;
    let (id, signature, talks) = (at.id, app.sign(by.clone()), app.talks.clone());
    let approved = app
        .library(move |library: &Library| {
            let _one_at_a_time = talks.writing();
            approve_proposal(library, id, number, &seen, &signature)
        })
        .await;
    match approved {
        Ok(approved) => {
            for (shelf, name, revision) in &approved.changed {
                app.changes.announce(*shelf, name, &by, Some(revision));
            }
            app.talks.announce(id);
            Ok(way.back(id))
        }
        // Two clicks at once, or a page that was old: the page says who decided.
        Err(ApprovalError::Decided) => Ok(way.back(id)),
        Err(ApprovalError::Library(LibraryError::Stale(_))) => Err(Refusal::new(
            StatusCode::CONFLICT,
            "The document has changed in the meantime",
            "Nothing was overwritten. Go back, reload the page, look at what the proposal changes now, and decide then.",
        )),
        Err(ApprovalError::Library(error)) => Err(error.into()),
    }
}

/// `GET /meetings/{id}/proposals/{number}/picture`: a wireframe that is proposed.
pub async fn picture(State(app): State<App>, at: AtMeeting) -> Result<Response, Refusal> {
    let number = at.number.ok_or_else(Refusal::missing)?;
    let svg = app
        .library(move |library: &Library| -> Result<_, LibraryError> {
            let meeting = Minutes::of(library)?.read(at.id)?;
            match &meeting.proposal(number).ok_or(LibraryError::Missing)?.content {
                Content::Wireframe { title, text, .. } => Ok(Wireframe::parse(text)?.to_svg(title.trim())),
                Content::Vision { .. } | Content::Story(_) | Content::Decision { .. } => Err(LibraryError::Missing),
            }
        })
        .await?;
    Ok(attachments::show(Picture::Wireframe, svg.into_bytes()))
}

/// `POST /meetings/{id}/proposals/{number}/refusal`
pub async fn decline(
    State(app): State<App>,
    by: Visitor,
    at: AtMeeting,
    Query(way): Query<WayBack>,
) -> Result<Response, Refusal> {
    let number = at.number.ok_or_else(Refusal::missing)?;
    write(&app, at.id, move |meeting| {
        meeting.proposal(number).map(|_| Entry::Declined { proposal: number, by: by.to_string() })
    })
    .await?;
    Ok(way.back(at.id))
}
