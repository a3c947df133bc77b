//! The pages, by noun.

pub mod api;
pub mod approvals;
pub mod attachments;
pub mod backlog;
pub mod board;
pub mod chats;
pub mod decisions;
pub mod deleted;
pub mod documents;
pub mod export;
pub mod happened;
pub mod history;
pub mod home;
pub mod import;
pub mod made;
pub mod meetings;
pub mod overview;
pub mod projects;
pub mod proposals;
pub mod remote;
pub mod review;
pub mod saving;
pub mod search;
pub mod settings;
pub mod sharing;
pub mod sprints;
pub mod table;
pub mod upload;
pub mod visions;

use askama::Template;
use axum::extract::{Form, FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::library::Revision;
use crate::name::{Name, Shelf};
use crate::pages::Place;
use crate::refusal::Refusal;

/// Draws a page.
fn draw(status: StatusCode, page: &impl Template) -> Result<Response, Refusal> {
    match page.render() {
        Ok(html) => Ok((status, Html(html)).into_response()),
        Err(error) => {
            tracing::error!(%error, "A page could not be drawn: {error}");
            Err(Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The page could not be drawn",
                "Nothing was changed. Try again.",
            ))
        }
    }
}

/// Where a document is.
fn place(shelf: Shelf, name: &Name, revision: &Revision) -> Place {
    Place {
        href: format!("/{}/{}", shelf.folder(), name.in_address()),
        file: format!("{}/{}", shelf.folder(), name.file()),
        noun: shelf.noun(),
        revision: revision.to_string(),
    }
}

/// The document in an address such as `/backlog/B-12-sign-in/history`; what cannot be a document's
/// address is not found.
pub struct At {
    shelf: Shelf,
    name: Name,
    number: Option<u32>,
}

#[derive(Deserialize)]
struct AddressParts {
    shelf: Option<Shelf>,
    name: String,
    number: Option<u32>,
}

impl<S: Send + Sync> FromRequestParts<S> for At {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = parts.uri.path();
        let named = Shelf::ALL.into_iter().find(|shelf| path.starts_with(&format!("/{}/", shelf.folder())));
        let Path(found) =
            Path::<AddressParts>::from_request_parts(parts, state).await.map_err(|_| Refusal::missing())?;
        let shelf = found.shelf.or(named).ok_or_else(Refusal::missing)?;
        let name = Name::parse(&found.name).map_err(|_| Refusal::missing())?;
        Ok(Self { shelf, name, number: found.number })
    }
}

/// A form that was sent; what is no form, or too large a one, is refused with a page.
pub struct Filled<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Filled<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let rejection = match Form::<T>::from_request(request, state).await {
            Ok(Form(form)) => return Ok(Self(form)),
            Err(rejection) => rejection,
        };
        let status = rejection.status();
        Err(match status {
            StatusCode::PAYLOAD_TOO_LARGE => Refusal::new(
                status,
                "Too large",
                "The form carries more than 2 MiB, and nothing was saved. Go back: your text is still in the form. Split it into several documents.",
            ),
            _ => Refusal::new(
                status,
                "That form cannot be read",
                "Nothing was saved. Go back, reload the page and try again.",
            ),
        })
    }
}

/// What the page before has done, in the address of this one.
#[derive(Deserialize)]
pub struct Done {
    saved: Option<u32>,
    unchanged: Option<String>,
    attachment: Option<String>,
}

impl Done {
    fn flash(&self) -> Option<String> {
        match self {
            Self { saved: Some(1), .. } => Some("Saved. It is in the notebook now.".to_owned()),
            Self { saved: Some(number), .. } => Some(format!("Saved as version {number}.")),
            Self { unchanged: Some(_), .. } => Some("Nothing was different, so nothing was saved.".to_owned()),
            Self { attachment: Some(done), .. } => match done.as_str() {
                "added" => Some("The file is attached.".to_owned()),
                "removed" => Some("The file is removed. It can be put back from “Removed” below.".to_owned()),
                "restored" => Some("The file is back.".to_owned()),
                _ => None,
            },
            Self { saved: None, unchanged: None, attachment: None } => None,
        }
    }
}
