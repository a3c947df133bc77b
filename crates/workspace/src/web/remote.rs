//! Where a project is pushed to, and the push.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use secrecy::SecretString;
use serde::Deserialize;

use crate::app::App;
use crate::moment::Moment;
use crate::name::Name;
use crate::pages::Changed;
use crate::pages::projects::{PushRow, RemoteView, ToPush};
use crate::project::{Commit, CommitId, Problem, Project};
use crate::refusal::Refusal;
use crate::remote::{Address, Errand, Outcome, Push};
use crate::settings::{Remote, Safe, Settings, SettingsError};
use crate::visitor::Visitor;
use crate::web::Filled;
use crate::web::projects::{page, project};

/// The longest user and token, in bytes.
const LONGEST: usize = 4096;
/// How many titles of states a preview names.
const NAMED: usize = 8;

/// A remote as the form holds it.
#[derive(Deserialize)]
pub struct RemoteForm {
    address: String,
    #[serde(default)]
    user: String,
    /// A new token; empty to keep the present one.
    token: SecretString,
    #[serde(default)]
    forget: bool,
}

/// `POST /projects/{vision}/remote`
pub async fn set(
    State(app): State<App>,
    by: Visitor,
    Path(vision): Path<String>,
    Filled(form): Filled<RemoteForm>,
) -> Result<Response, Refusal> {
    let (name, ..) = project(&app, &vision).await?;
    let there = format!("/projects/{}#push", name.in_address());
    let change = match read(&form) {
        Ok(change) => change,
        Err(trouble) => {
            let held = Held { address: form.address, user: form.user, trouble: Some(trouble.to_owned()) };
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&app, &by, &vision, Some(held)).await?).into_response());
        }
    };
    let settings = app.settings.clone();
    let saved = tokio::task::spawn_blocking(move || settings.change(|settings, safe| change(settings, safe, &name)));
    match saved.await.unwrap_or_else(|error| Err(SettingsError::Disk(std::io::Error::other(error)))) {
        Ok(()) => Ok(Redirect::to(&there).into_response()),
        Err(error) => Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "It was not saved", error.to_string())),
    }
}

type Change = Box<dyn FnOnce(&mut Settings, &Safe, &Name) -> Result<(), SettingsError> + Send>;

fn read(form: &RemoteForm) -> Result<Change, &'static str> {
    if form.forget {
        return Ok(Box::new(|settings, _, name| {
            settings.remotes.remove(name.as_str());
            Ok(())
        }));
    }
    let address = Address::parse(&form.address)?;
    let (user, token) = (form.user.trim().to_owned(), form.token.clone());
    let is_plain = |text: &str| text.len() <= LONGEST && !text.chars().any(char::is_control);
    if user.is_empty() || user.contains(':') || !is_plain(&user) {
        return Err("Type the user’s name as the git host knows it; it holds no colon.");
    }
    if !is_plain(secrecy::ExposeSecret::expose_secret(&token).trim()) {
        return Err("That is no token: it has more than one line, or is too long.");
    }
    Ok(Box::new(move |settings, safe, name| {
        let remote = Remote::new(address, &user, &token, settings.remotes.get(name.as_str()), safe)?;
        settings.remotes.insert(name.as_str().to_owned(), remote);
        Ok(())
    }))
}

/// What was looked at before the click.
#[derive(Deserialize)]
pub struct Seen {
    /// The state of what is done.
    commit: String,
    /// How many pushes there were.
    after: usize,
}

/// `POST /projects/{vision}/pushes`: it goes on when the page is left. The same form sent twice pushes
/// once.
pub async fn push(
    State(app): State<App>,
    by: Visitor,
    Path(vision): Path<String>,
    Filled(seen): Filled<Seen>,
) -> Result<Redirect, Refusal> {
    let (name, _, project) = project(&app, &vision).await?;
    let commit = CommitId::parse(&seen.commit).ok_or_else(Refusal::missing)?;
    let history = project.history().await?;
    if history.first().map(|newest| &newest.id) != Some(&commit) {
        return Err(Problem::Moved.into());
    }
    let settings = app.settings.now();
    let refused = |why: &str| Refusal::new(StatusCode::CONFLICT, "Nothing was pushed", why);
    let remote = settings.remotes.get(name.as_str());
    let remote = remote.ok_or_else(|| refused("The project has no address to push to. Type one in first."))?;
    let token = app.settings.token(remote).map_err(|_| {
        refused("The token that was saved does not open with this workspace’s key file. Type it in again.")
    })?;
    let token = token.ok_or_else(|| refused("There is no token for that address. Type one in first."))?;
    let errand = Errand {
        address: remote.address.clone(),
        user: remote.user.clone(),
        token,
        objects: project.objects(),
        commit,
        tags: tags(&history),
    };
    let started = app.workshop.pushes.start(&name, errand, seen.after, &app.sign(by));
    started.map_err(Problem::from)?;
    Ok(Redirect::to(&format!("/projects/{}#push", name.in_address())))
}

/// What somebody typed and why it was not taken.
#[derive(Default)]
pub struct Held {
    address: String,
    user: String,
    trouble: Option<String>,
}

/// The part of a project's page about pushing.
///
/// # Errors
/// When the disk fails.
pub fn view(
    app: &App,
    project: &Project,
    history: &[Commit],
    held: Option<Held>,
    now: jiff::Timestamp,
) -> Result<RemoteView, Problem> {
    let settings = app.settings.now();
    let remote = settings.remotes.get(project.name().as_str());
    let pushes = app.workshop.pushes.of(project.name())?;
    let progress = app.workshop.pushes.progress(project.name());
    let to_push = match (remote, &progress) {
        (Some(remote), None) if remote.has_token() => Some(to_push(remote, history, &pushes)),
        _ => None,
    };
    let (address, user) = remote.map_or_else(Default::default, |it| (it.address.to_string(), it.user.clone()));
    let Held { address, user, trouble } = held.unwrap_or(Held { address, user, trouble: None });
    Ok(RemoteView {
        address,
        user,
        trouble,
        is_set: remote.is_some(),
        has_token: remote.is_some_and(Remote::has_token),
        to_push: to_push.flatten(),
        last: pushes.last().map(|push| row(push, progress.as_deref(), now)),
    })
}

/// What a push would send; `None` where there is nothing to push.
fn to_push(remote: &Remote, history: &[Commit], pushes: &[Push]) -> Option<ToPush> {
    let newest = history.first()?;
    let here = remote.address.to_string();
    let before = pushes.iter().rev().find(|push| push.to == here && push.outcome == Some(Outcome::Pushed));
    let since = before.and_then(|push| history.iter().position(|commit| commit.id == push.commit));
    let fresh = history.get(..since.unwrap_or(history.len())).unwrap_or(history);
    Some(ToPush {
        to: here,
        commit: newest.id.as_str().to_owned(),
        after: pushes.len(),
        count: fresh.len(),
        titles: fresh.iter().take(NAMED).map(first_line).collect(),
        tags: tags(history).into_iter().map(|(tag, _)| tag).collect::<Vec<_>>().join(", "),
    })
}

fn first_line(commit: &Commit) -> String {
    commit.message.lines().next().unwrap_or_default().to_owned()
}

/// The names that sprints gave to states.
fn tags(history: &[Commit]) -> Vec<(String, CommitId)> {
    let is_of_sprint = |tag: &&String| tag.strip_prefix("S-").is_some_and(|rest| rest.parse::<u32>().is_ok());
    let of = |commit: &Commit| {
        let tags = commit.tags.iter().filter(is_of_sprint);
        tags.map(|tag| (tag.clone(), commit.id.clone())).collect::<Vec<_>>()
    };
    history.iter().flat_map(of).collect()
}

fn row(push: &Push, progress: Option<&str>, now: jiff::Timestamp) -> PushRow {
    let (words, is_good) = match (&push.outcome, progress) {
        (None, Some("")) => ("It is being pushed.".to_owned(), true),
        (None, Some(progress)) => (format!("It is being pushed. {progress}"), true),
        (None, None) => ("It ended together with this program. Push again.".to_owned(), false),
        (Some(Outcome::Pushed), _) => ("It is there.".to_owned(), true),
        (Some(Outcome::Failed(why)), _) => (why.clone(), false),
    };
    PushRow {
        changed: Changed { by: push.by.clone(), moment: Some(Moment::new(push.at, now)) },
        to: push.to.clone(),
        commit: push.commit.as_str().to_owned(),
        words,
        is_good,
    }
}
