//! All open proposals of a meeting at once: one confirmation that lists them, and still one decision each.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::app::App;
use crate::library::{Library, LibraryError};
use crate::meetings::{ApprovalError, approve as approve_proposal};
use crate::pages::Chrome;
use crate::pages::meetings::{ApprovalPage, LeftOpen};
use crate::refusal::{Refusal, explain};
use crate::visitor::Visitor;
use crate::web::meetings::{AtMeeting, WayBack, drawing};
use crate::web::{Filled, draw};

/// `GET /meetings/{id}/proposals`: asks before all of them are approved.
pub async fn confirm(State(app): State<App>, by: Visitor, at: AtMeeting) -> Result<Response, Refusal> {
    let page = page(&app, &by, at, Vec::new(), 0).await?;
    draw(StatusCode::OK, &page)
}

/// `POST /meetings/{id}/proposals`: approves those that were listed, each beside the text that it was listed
/// beside. What has become another meanwhile is left open, and is said.
pub async fn approve(
    State(app): State<App>,
    by: Visitor,
    at: AtMeeting,
    Filled(fields): Filled<Vec<(String, String)>>,
) -> Result<Response, Refusal> {
    let listed: Vec<(u32, String)> =
        fields.iter().filter(|(field, _)| field == "proposal").filter_map(|(_, value)| listed(value)).collect();
    let (mut left, mut approved) = (Vec::new(), 0);
    for (number, seen) in listed {
        let (id, signature, talks) = (at.id, app.sign(by.clone()), app.talks.clone());
        let outcome = app
            .library(move |library: &Library| {
                let _one_at_a_time = talks.writing();
                approve_proposal(library, id, number, &seen, &signature)
            })
            .await;
        match outcome {
            Ok(done) => {
                approved += 1;
                for (shelf, name, revision) in &done.changed {
                    app.changes.announce(*shelf, name, &by, Some(revision));
                }
            }
            // Somebody was faster; the meeting says who.
            Err(ApprovalError::Decided) => {}
            Err(ApprovalError::Library(error)) => left.push((number, error)),
        }
    }
    app.talks.announce(at.id);
    if left.is_empty() {
        return Ok(WayBack::default().back(at.id));
    }
    let page = page(&app, &by, at, left, approved).await?;
    draw(StatusCode::CONFLICT, &page)
}

/// A proposal as the form lists it: its number, and the revision of the text that it was seen beside.
fn listed(value: &str) -> Option<(u32, String)> {
    let (number, seen) = value.split_once(' ').unwrap_or((value, ""));
    Some((number.parse().ok()?, seen.to_owned()))
}

async fn page(
    app: &App,
    by: &Visitor,
    at: AtMeeting,
    left: Vec<(u32, LibraryError)>,
    approved: usize,
) -> Result<ApprovalPage, Refusal> {
    let id = at.id;
    let proposals = app.library(move |library: &Library| drawing::undecided(library, id)).await?;
    let title = |number: u32| {
        let proposal = proposals.iter().find(|proposal| proposal.number == number);
        proposal.map_or_else(|| format!("Proposal {number}"), |proposal| proposal.title.clone())
    };
    let left = left.iter().map(|(number, error)| LeftOpen { title: title(*number), why: why(error) }).collect();
    Ok(ApprovalPage {
        chrome: Chrome::of(by),
        href: format!("/meetings/{id}"),
        id: id.to_string(),
        left,
        approved,
        proposals,
    })
}

fn why(error: &LibraryError) -> String {
    match error {
        LibraryError::Stale(_) => {
            "What it changes has become another text in the meantime, so nothing was overwritten. Look at what it changes now, and decide then.".to_owned()
        }
        LibraryError::Missing => "What it belongs to is not there any more.".to_owned(),
        error => explain(error).1,
    }
}
