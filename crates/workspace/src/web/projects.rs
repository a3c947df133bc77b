//! Projects: what they were, and the way back to it.

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::io::{self, Write};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::app::App;
use crate::made::{self, BACK_TO};
use crate::moment::{self, Moment};
use crate::name::Name;
use crate::pages::Chrome;
use crate::pages::projects::{CommitRow, ProjectPage, StatePage};
use crate::pages::sprints::FileDiff;
use crate::project::{Commit, CommitId, FileChange, Problem, Project, Stack};
use crate::refusal::Refusal;
use crate::sprint::SprintError;
use crate::visitor::Visitor;
use crate::web::remote::{self, Held};
use crate::web::sprints::titles_of_visions;
use crate::web::{Filled, draw};

/// `GET /projects/{vision}`
pub async fn show(State(app): State<App>, by: Visitor, Path(vision): Path<String>) -> Result<Response, Refusal> {
    page(&app, &by, &vision, None).await
}

/// The page of a project, with what somebody typed about its remote.
///
/// # Errors
/// When there is none, or it cannot be read.
pub async fn page(app: &App, by: &Visitor, vision: &str, held: Option<Held>) -> Result<Response, Refusal> {
    let (name, title, project) = project(app, vision).await?;
    let now = moment::now();
    let history = project.history().await?;
    let page = ProjectPage {
        chrome: Chrome::of(by),
        flash: None,
        href: format!("/projects/{}", name.in_address()),
        title,
        vision_href: format!("/visions/{}", name.in_address()),
        commits: history.iter().map(|commit| row(commit, now)).collect(),
        remote: remote::view(app, &project, &history, held, now)?,
    };
    draw(StatusCode::OK, &page)
}

/// `GET /projects/{vision}/states/{commit}`: what going back to it would change.
pub async fn state(
    State(app): State<App>,
    by: Visitor,
    Path((vision, commit)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let (name, title, project) = project(&app, &vision).await?;
    let wanted = CommitId::parse(&commit).ok_or_else(Refusal::missing)?;
    let history = project.history().await?;
    let commit = history.iter().find(|commit| commit.id == wanted).ok_or_else(Refusal::missing)?;
    let main = project.main().await?;
    let page = StatePage {
        chrome: Chrome::of(&by),
        project_href: format!("/projects/{}", name.in_address()),
        project_title: title,
        commit: row(commit, moment::now()),
        message: commit.message.clone(),
        is_current: main == wanted,
        changes: project.changes(&main, &wanted).await?.iter().map(words).collect(),
        files: FileDiff::read(&project.diff(&main, &wanted).await?),
        based_on: main.as_str().to_owned(),
    };
    draw(StatusCode::OK, &page)
}

#[derive(Deserialize)]
pub struct Meant {
    based_on: String,
}

/// `POST /projects/{vision}/states/{commit}/return`
pub async fn go_back(
    State(app): State<App>,
    by: Visitor,
    Path((vision, commit)): Path<(String, String)>,
    Filled(meant): Filled<Meant>,
) -> Result<Redirect, Refusal> {
    if let Some(busy) = app.workshop.sprints.worked_on() {
        return Err(SprintError::Busy(busy).into());
    }
    let (name, _, project) = project(&app, &vision).await?;
    let wanted = CommitId::parse(&commit).ok_or_else(Refusal::missing)?;
    let based_on = CommitId::parse(&meant.based_on).ok_or_else(Refusal::missing)?;
    let message = format!("{BACK_TO}{}\n\n{by} wanted it so.", wanted.short());
    project.go_back(&wanted, &based_on, &message, moment::now()).await?;
    app.changes.stir();
    Ok(Redirect::to(&format!("/projects/{}", name.in_address())))
}

/// `GET /projects/{vision}/app.tar`: it is written while it is sent.
pub async fn download(State(app): State<App>, _: Visitor, Path(vision): Path<String>) -> Result<Response, Refusal> {
    let (_, _, project) = project(&app, &vision).await?;
    let main = project.main().await?;
    let folder = project.download_folder().map_err(Problem::from)?;
    project.unpack(&main, &folder).await?;
    let stack = Stack::at(&folder).map_err(Problem::from)?;
    let (sender, receiver) = mpsc::channel(4);
    let disposition = format!("attachment; filename=\"app-{}.tar\"", main.short());
    tokio::task::spawn_blocking(move || {
        let pieces = io::BufWriter::with_capacity(64 * 1024, Pieces(&sender));
        if let Err(error) = made::write_archive(&project, &stack, moment::now(), pieces) {
            // The browser must see a broken download, not a short one.
            let _ = sender.blocking_send(Err(error));
        }
    });
    let headers = [(header::CONTENT_TYPE, "application/x-tar".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, Body::from_stream(ReceiverStream::new(receiver))).into_response())
}

struct Pieces<'a>(&'a mpsc::Sender<io::Result<Bytes>>);

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map(|()| bytes.len()).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The project of a vision that has one, with its name and title.
///
/// # Errors
/// When there is none, or it cannot be used.
pub async fn project(app: &App, vision: &str) -> Result<(Name, String, Project), Refusal> {
    let name = Name::parse(vision).map_err(|_| Refusal::missing())?;
    if !app.workshop.has_project(&name) {
        return Err(Refusal::missing());
    }
    let visions = app.library(titles_of_visions).await?;
    let title = visions.into_iter().find(|(known, _)| *known == name);
    let project = app.workshop.project(&name).await?;
    Ok((name.clone(), title.map_or_else(|| name.as_title(), |(_, title)| title), project))
}

fn row(commit: &Commit, now: jiff::Timestamp) -> CommitRow {
    CommitRow {
        id: commit.id.as_str().to_owned(),
        title: commit.message.lines().next().unwrap_or_default().to_owned(),
        moment: Moment::new(commit.at, now),
        tags: commit.tags.clone(),
    }
}

fn words(change: &FileChange) -> String {
    match (change.added, change.removed) {
        (Some(added), Some(removed)) => format!("{}: {added} lines more, {removed} lines less", change.path),
        _ => format!("{}: no text, changed", change.path),
    }
}
