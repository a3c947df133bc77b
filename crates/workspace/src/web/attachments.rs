//! Files that belong to a vision or a backlog item: put there, looked at, taken away and put back.
//!
//! What is in them is nobody's word but that of whoever made them, so none is ever a page here: they are
//! downloads, and pictures are shown as pictures alone, from addresses under which nothing may run.

use std::io::Read;

use axum::body::Body;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use tokio_util::io::ReaderStream;

use crate::app::App;
use crate::attachments::{Attachment, Attachments, NewFile, Picture};
use crate::library::{Library, LibraryError};
use crate::moment::{self, Moment};
use crate::name::{Name, Shelf};
use crate::pages::Changed;
use crate::pages::backlog::{AttachmentRow, AttachmentsView};
use crate::refusal::Refusal;
use crate::upload::{Form, UploadError};
use crate::visitor::Visitor;
use crate::wireframe::{self, Wireframe};

/// What the answers with a file's own bytes allow: nothing but the styles of a picture.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// A document that can have attachments, and perhaps one of them, in an address.
pub struct Attached {
    shelf: Shelf,
    document: Name,
    file: Option<Name>,
}

#[derive(Deserialize)]
struct AddressParts {
    shelf: Shelf,
    name: String,
    file: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Attached {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let found = Path::<AddressParts>::from_request_parts(parts, state).await;
        let Path(found) = found.map_err(|_| Refusal::missing())?;
        let parse = |name: &str| Name::parse(name).map_err(|_| Refusal::missing());
        match found.shelf {
            Shelf::Visions | Shelf::Backlog => Ok(Self {
                shelf: found.shelf,
                document: parse(&found.name)?,
                file: found.file.as_deref().map(parse).transpose()?,
            }),
            Shelf::Decisions => Err(Refusal::missing()),
        }
    }
}

impl Attached {
    fn file(&self) -> Result<Name, Refusal> {
        self.file.clone().ok_or_else(Refusal::missing)
    }

    fn back(&self, done: &str) -> Response {
        let address = format!("/{}/{}", self.shelf.folder(), self.document.in_address());
        Redirect::to(&format!("{address}?attachment={done}#attachments")).into_response()
    }
}

/// `POST /{shelf}/{name}/attachments`
pub async fn add(
    State(app): State<App>,
    by: Visitor,
    at: Attached,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let form = Form::read(&headers, body).await.map_err(refusal)?;
    if form.name.is_empty() {
        let text = "Nothing was saved. Go back, choose a file, and attach it then.";
        return Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "No file was chosen", text));
    }
    let (shelf, document, signature) = (at.shelf, at.document.clone(), app.sign(by));
    app.library(move |library: &Library| {
        library.read(shelf, &document)?;
        let new = NewFile { name: &form.name, bytes: &form.bytes, about: form.field("about"), mark: None };
        Attachments::add(library, shelf, &document, &new, &signature)
    })
    .await?;
    app.changes.stir();
    Ok(at.back("added"))
}

/// `POST /{shelf}/{name}/attachments/{file}/removal`
pub async fn remove(State(app): State<App>, by: Visitor, at: Attached) -> Result<Response, Refusal> {
    let (shelf, document, file, signature) = (at.shelf, at.document.clone(), at.file()?, app.sign(by));
    app.library(move |library: &Library| Attachments::remove(library, shelf, &document, &file, &signature)).await?;
    app.changes.stir();
    Ok(at.back("removed"))
}

/// `POST /{shelf}/{name}/attachments/{file}/restoration`
pub async fn restore(State(app): State<App>, by: Visitor, at: Attached) -> Result<Response, Refusal> {
    let (shelf, document, file, signature) = (at.shelf, at.document.clone(), at.file()?, app.sign(by));
    app.library(move |library: &Library| Attachments::restore(library, shelf, &document, &file, &signature)).await?;
    app.changes.stir();
    Ok(at.back("restored"))
}

/// `GET /{shelf}/{name}/attachments/{file}`: the file, to keep.
pub async fn download(State(app): State<App>, at: Attached) -> Result<Response, Refusal> {
    let (shelf, document, name) = (at.shelf, at.document.clone(), at.file()?);
    let file = name.clone();
    let (file, size) =
        app.library(move |library: &Library| Attachments::open(library, shelf, &document, &file)).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, size.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{}", name.in_address())),
        (header::CONTENT_SECURITY_POLICY, POLICY.to_owned()),
    ];
    let body = ReaderStream::new(tokio::io::AsyncReadExt::take(tokio::fs::File::from_std(file), size));
    Ok((headers, Body::from_stream(body)).into_response())
}

/// `GET /{shelf}/{name}/attachments/{file}/picture`: a picture, to be shown as one.
pub async fn picture(State(app): State<App>, at: Attached) -> Result<Response, Refusal> {
    let (shelf, document, name) = (at.shelf, at.document.clone(), at.file()?);
    let seen = app
        .library(move |library: &Library| -> Result<_, LibraryError> {
            let (file, _) = Attachments::open(library, shelf, &document, &name)?;
            let mut bytes = Vec::new();
            file.take(crate::upload::LARGEST as u64).read_to_end(&mut bytes)?;
            let head = bytes.get(..bytes.len().min(1024)).unwrap_or_default();
            match Picture::of(name.as_str(), head).ok_or(LibraryError::Missing)? {
                Picture::Wireframe => {
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    let svg = Wireframe::parse(&text)?.to_svg(&name.as_title());
                    Ok((Picture::Wireframe, svg.into_bytes()))
                }
                kind => Ok((kind, bytes)),
            }
        })
        .await?;
    Ok(show(seen.0, seen.1))
}

/// An answer with a picture under whose address nothing may run.
#[must_use]
pub fn show(kind: Picture, bytes: Vec<u8>) -> Response {
    let headers: [(HeaderName, &str); 2] =
        [(header::CONTENT_TYPE, kind.media_type()), (header::CONTENT_SECURITY_POLICY, POLICY)];
    (headers, bytes).into_response()
}

/// What belongs to a document, as its page shows it.
///
/// # Errors
/// When the disk fails.
pub fn view(library: &Library, shelf: Shelf, document: &Name) -> Result<AttachmentsView, LibraryError> {
    let Attachments { present, removed } = Attachments::of(library, shelf, document)?;
    let href = format!("/{}/{}/attachments", shelf.folder(), document.in_address());
    let mut rows = Vec::new();
    for attachment in &present {
        let mut row = row(&href, attachment);
        if attachment.picture == Some(Picture::Wireframe) {
            let (file, _) = Attachments::open(library, shelf, document, &attachment.name)?;
            let mut text = String::new();
            // What is no text, or too long, is no wireframe, and is a file like any other.
            let is_text = file.take(wireframe::LARGEST as u64 + 1).read_to_string(&mut text).is_ok();
            if is_text && Wireframe::parse(&text).is_ok() {
                row.words = Some(text);
            } else {
                row.picture = None;
            }
        }
        rows.push(row);
    }
    Ok(AttachmentsView { removed: removed.iter().map(|attachment| row(&href, attachment)).collect(), rows, href })
}

fn row(href: &str, attachment: &Attachment) -> AttachmentRow {
    let href = format!("{href}/{}", attachment.name.in_address());
    AttachmentRow {
        picture: attachment.picture.map(|_| format!("{href}/picture")),
        href,
        key: attachment.name.in_address(),
        name: attachment.name.as_str().to_owned(),
        size: size(attachment.size),
        about: attachment.about.clone(),
        words: None,
        changed: attachment
            .last
            .as_ref()
            .map(|(by, at)| Changed { by: by.clone(), moment: Some(Moment::new(*at, moment::now())) }),
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

fn refusal(error: UploadError) -> Refusal {
    match error {
        UploadError::TooLarge => Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "That file is too large",
            "Nothing was saved. An attachment may have 10 MB. Make the file smaller, or put it elsewhere and write its address into the text.",
        ),
        UploadError::Unreadable => Refusal::new(
            StatusCode::BAD_REQUEST,
            "That form cannot be read",
            "Nothing was saved: the file did not arrive whole. Go back, reload the page and try again.",
        ),
    }
}
