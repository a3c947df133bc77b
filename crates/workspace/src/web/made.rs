//! The app made: how it is, what it says, starting and stopping it.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::{Stream, StreamExt, stream};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;

use crate::app::App;
use crate::made::{Contents, Made, MadeError, Place, Run, Said, State as Life, Whereabouts};
use crate::moment::{self, Moment};
use crate::name::Name;
use crate::pages::Chrome;
use crate::pages::made::{AppNewsPiece, AppPage, Audience, SwitchedRow, UpRow};
use crate::refusal::Refusal;
use crate::visitor::Visitor;
use crate::web::projects::project;
use crate::web::sprints::titles_of_visions;
use crate::web::{Filled, draw};

/// What the app says within this time is told at once.
const BREATH: Duration = Duration::from_millis(100);

impl From<MadeError> for Refusal {
    fn from(error: MadeError) -> Self {
        match error {
            MadeError::Project(problem) => problem.into(),
            error => Self::new(StatusCode::CONFLICT, "The app was not started", error.to_string()),
        }
    }
}

#[derive(Deserialize)]
pub struct Switched {
    switched: Option<String>,
}

/// `GET /app`
pub async fn show(State(app): State<App>, by: Visitor, Query(done): Query<Switched>) -> Result<Response, Refusal> {
    let made = &app.workshop.made;
    let visions = app.library(titles_of_visions).await?;
    let has_project = |(name, _): &(Name, String)| app.workshop.has_project(name);
    let projects = visions.into_iter().filter(has_project).map(|(name, title)| (name.as_str().to_owned(), title));
    let life = made.state();
    let (standing, at) = standing(&life);
    let now = moment::now();
    let log = made.log();
    let page = AppPage {
        chrome: Chrome::of(&by),
        flash: done.switched.map(|_| "It is switched, and written down under “Decisions”."),
        standing,
        moment: at.map(|at| Moment::new(at, now)),
        is_running: matches!(life, Life::Running { .. }),
        up: up(&app, &life).await?,
        idle_minutes: made.idle().as_secs() / 60,
        hours: hours_words(made.hours_today(), app.is_guarded()),
        log_place: place_words(log.end),
        log: log.text,
        projects: projects.collect(),
        chosen: run_of(&life).map(|run| run.vision.as_str().to_owned()).unwrap_or_default(),
        audience: audience(made).await,
        switched: made.last_switched().filter(|_| made.can_be_shared()).map(|wish| SwitchedRow {
            shared: wish.shared,
            by: wish.by,
            moment: Moment::new(wish.at, now),
        }),
    };
    draw(StatusCode::OK, &page)
}

#[derive(Deserialize)]
pub struct Wanted {
    vision: String,
}

/// `POST /app/start`: back to where it was wanted.
pub async fn start(
    State(app): State<App>,
    by: Visitor,
    headers: HeaderMap,
    Filled(wanted): Filled<Wanted>,
) -> Result<Redirect, Refusal> {
    let (_, _, project) = project(&app, &wanted.vision).await?;
    app.workshop.made.start(&project, &app.sign(by)).await?;
    Ok(back(&headers))
}

/// `POST /app/stop`: back to where it was wanted.
pub async fn stop(State(app): State<App>, _: Visitor, headers: HeaderMap) -> Redirect {
    app.workshop.made.stop();
    back(&headers)
}

#[derive(Deserialize)]
pub struct Meant {
    /// The run that was shown to whoever wants this.
    since: String,
}

/// `POST /app/restart`: it goes on to its end whether or not somebody waits for the answer.
pub async fn restart(State(app): State<App>, by: Visitor, Filled(meant): Filled<Meant>) -> Result<Redirect, Refusal> {
    let shown = meant.since.parse::<Timestamp>().ok();
    let life = app.workshop.made.state();
    let Some((run, since)) = run_of(&life).zip(shown) else { return Ok(Redirect::to("/app")) };
    let (_, _, project) = project(&app, run.vision.as_str()).await?;
    let (made, by) = (app.workshop.made.clone(), app.sign(by));
    let restarted = tokio::spawn(async move { made.restart(&project, since, &by).await });
    restarted.await.unwrap_or_else(|error| Err(std::io::Error::other(error).into()))?;
    Ok(Redirect::to("/app"))
}

/// `POST /app/keep`: back to where it was wanted.
pub async fn keep(State(app): State<App>, _: Visitor, headers: HeaderMap) -> Redirect {
    app.workshop.made.keep();
    back(&headers)
}

fn back(headers: &HeaderMap) -> Redirect {
    Redirect::to(&page_before(headers).unwrap_or_else(|| "/app".to_owned()))
}

/// `GET /app/news`: what people are to know of the app wherever they are.
pub async fn news(by: Visitor) -> Result<Response, Refusal> {
    draw(StatusCode::OK, &AppNewsPiece { chrome: Chrome::of(&by) })
}

#[derive(Deserialize)]
pub struct Since {
    from: Option<String>,
}

/// `GET /app/log`: what the app says after a place, as it says it. Nothing is sent while it says nothing but a
/// sign of life every 25 seconds.
pub async fn follow(
    State(app): State<App>,
    Query(wanted): Query<Since>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    // Where the connection broke, the browser says what it heard last.
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let place = last.or(wanted.from).and_then(|place| parse_place(&place)).unwrap_or_default();
    let made = app.workshop.made.clone();
    let hello = stream::iter([Event::default().retry(Duration::from_secs(2)).comment("open")]);
    let follower = Follower { heard: made.heard(), made, place, is_first: true };
    let said = stream::unfold(follower, |mut follower| async move {
        let said = follower.next().await?;
        Some((told(&said), follower))
    });
    let closing = WatchStream::new(app.closing).filter(|closing| std::future::ready(*closing));
    let events = hello.chain(said).take_until(closing.into_future()).map(Ok);
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(25)).text("still here"))
}

/// Somebody who follows the log.
struct Follower {
    made: Made,
    heard: watch::Receiver<u64>,
    place: Place,
    is_first: bool,
}

impl Follower {
    async fn next(&mut self) -> Option<Said> {
        loop {
            if !self.is_first {
                self.heard.changed().await.ok()?;
                tokio::time::sleep(BREATH).await;
            }
            self.is_first = false;
            self.heard.mark_unchanged();
            let said = self.made.log_since(self.place);
            if said.end != self.place {
                self.place = said.end;
                return Some(said);
            }
        }
    }
}

fn told(said: &Said) -> Event {
    let name = if said.is_whole { "whole" } else { "piece" };
    Event::default().event(name).id(place_words(said.end)).data(json!({ "text": said.text }).to_string())
}

fn place_words(place: Place) -> String {
    format!("{}-{}", place.run, place.bytes)
}

fn parse_place(words: &str) -> Option<Place> {
    let (run, bytes) = words.split_once('-')?;
    Some(Place { run: run.parse().ok()?, bytes: bytes.parse().ok()? })
}

/// Who sees the app.
pub async fn audience(made: &Made) -> Audience {
    match made.whereabouts() {
        Whereabouts::Here => Audience::Here,
        Whereabouts::Nowhere => Audience::Nobody,
        Whereabouts::Hostname(_) if !made.can_be_shared() => Audience::Members,
        Whereabouts::Hostname(_) => match made.is_shared().await {
            Ok(true) => Audience::Everybody,
            Ok(false) => Audience::MembersUntilShared,
            Err(error) => {
                tracing::warn!(%error, "Who sees the app is not known: {error}");
                Audience::Unknown
            }
        },
    }
}

async fn up(app: &App, life: &Life) -> Result<Option<UpRow>, Refusal> {
    let Some(run) = run_of(life).filter(|_| matches!(life, Life::Starting(_) | Life::Running { .. })) else {
        return Ok(None);
    };
    let project = app.workshop.project(&run.vision).await?;
    Ok(Some(UpRow {
        since: run.since.to_string(),
        by: run.by.clone(),
        commit: run.commit.short().to_owned(),
        href: format!("/projects/{}/states/{}", run.vision.in_address(), run.commit.as_str()),
        contents: Contents::of(&project.history().await?, &run.commit),
    }))
}

/// The run that an app is in, or was in last.
fn run_of(life: &Life) -> Option<&Run> {
    match life {
        Life::Never => None,
        Life::Starting(run) | Life::Running { run, .. } | Life::Ended { run, .. } => Some(run),
    }
}

/// How the app is, in a sentence, and since when.
#[must_use]
pub fn standing(life: &Life) -> (String, Option<Timestamp>) {
    match life {
        Life::Never => ("No app runs.".to_owned(), None),
        Life::Starting(run) => (format!("The app of “{}” is starting.", run.vision.as_title()), Some(run.since)),
        Life::Running { run, .. } => (format!("The app of “{}” runs.", run.vision.as_title()), Some(run.since)),
        Life::Ended { run, at, end } => {
            (format!("The app of “{}” does not run. {}", run.vision.as_title(), end.words()), Some(*at))
        }
    }
}

/// In how many hours it ran; what is billed is told only where a guard counts.
fn hours_words(hours: usize, is_guarded: bool) -> Option<String> {
    let noun = if hours == 1 { "hour" } else { "hours" };
    let ran = format!("Today it ran in {hours} {noun} of the clock (UTC).");
    match (hours, is_guarded) {
        (0, _) => None,
        (_, false) => Some(ran),
        (_, true) => Some(format!("{ran} Each hour in which it runs is an hour of use, visited or not.")),
    }
}

/// The path of the page that a form was sent from, if it is one of ours.
fn page_before(headers: &HeaderMap) -> Option<String> {
    let referer = headers.get(header::REFERER)?.to_str().ok()?.parse::<axum::http::Uri>().ok()?;
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let path = referer.path_and_query()?.as_str();
    let is_ours = referer.authority()?.as_str() == host && path.starts_with('/') && !path.starts_with("//");
    is_ours.then(|| path.to_owned())
}

/// Leads back to the page of the app, which says that it is done.
#[must_use]
pub fn switched() -> Response {
    Redirect::to("/app?switched=1").into_response()
}
