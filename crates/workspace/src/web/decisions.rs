//! Decisions: what was agreed on, by whom and when.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;

use crate::app::App;
use crate::decision::Decision;
use crate::library::{Entry, Library, LibraryError};
use crate::markdown;
use crate::meetings::MeetingId;
use crate::moment::{self, Moment};
use crate::name::{Name, Shelf};
use crate::pages::Chrome;
use crate::pages::meetings::{DecisionPage, DecisionRow, DecisionsPage};
use crate::refusal::Refusal;
use crate::visitor::Visitor;
use crate::web::overview::{changed, understand};
use crate::web::{At, Done, draw, place};

const SHELF: Shelf = Shelf::Decisions;

/// `GET /decisions`
pub async fn list(State(app): State<App>, by: Visitor) -> Result<Response, Refusal> {
    let entries = app.library(|library: &Library| library.list(SHELF)).await?;
    let now = moment::now();
    let (mut rows, mut ailing) = (Vec::new(), Vec::new());
    for entry in entries {
        let (name, why) = match entry {
            Entry::Document(document) => match understand(&document, Decision::parse) {
                Ok(decision) => {
                    rows.push((decision.at.clone(), row(&document.name, &decision, now)));
                    continue;
                }
                Err(problem) => (document.name, problem.to_string()),
            },
            Entry::Unreadable { name, why } => (name, why),
        };
        ailing.push((format!("/decisions/{}/file", name.in_address()), format!("{}: {why}", name.file())));
    }
    rows.sort_by(|(a, _), (b, _)| b.cmp(a));
    let rows = rows.into_iter().map(|(_, row)| row).collect();
    draw(StatusCode::OK, &DecisionsPage { chrome: Chrome::of(&by), rows, ailing })
}

/// `GET /decisions/{name}`
pub async fn show(State(app): State<App>, by: Visitor, at: At, Query(done): Query<Done>) -> Result<Response, Refusal> {
    let name = at.name.clone();
    let (document, newest) = app
        .library(move |library: &Library| -> Result<_, LibraryError> {
            let document = library.read(SHELF, &name)?;
            let newest = library.newest(SHELF, &document)?;
            Ok((document, newest))
        })
        .await?;
    let place = place(SHELF, &at.name, &document.revision());
    let Ok(decision) = understand(&document, Decision::parse) else {
        return Ok(Redirect::to(&format!("{}/file", place.href)).into_response());
    };
    let now = moment::now();
    let page = DecisionPage {
        chrome: Chrome::of(&by),
        flash: done.flash(),
        place,
        row: row(&at.name, &decision, now),
        // Only a place inside the workspace is a link.
        about: decision.about.filter(|about| about.starts_with('/') && !about.starts_with("//")),
        html: markdown::to_html(&decision.body),
        changed: changed(newest.as_ref(), now),
    };
    draw(StatusCode::OK, &page)
}

fn row(name: &Name, decision: &Decision, now: Timestamp) -> DecisionRow {
    let at = decision.at.as_deref().and_then(|at| at.parse().ok()).map(|at| Moment::new(at, now));
    let meeting = decision.meeting.as_deref().and_then(MeetingId::parse);
    DecisionRow {
        href: format!("/decisions/{}", name.in_address()),
        title: decision.title.as_str().to_owned(),
        by: decision.by.clone().unwrap_or_else(|| "nobody named".to_owned()),
        scribe: decision.scribe.clone(),
        at,
        meeting: meeting.map(|id| (format!("/meetings/{id}"), id.to_string())),
    }
}
