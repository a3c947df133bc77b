//! Meetings: starting, speaking, stopping, and hearing what is said.

pub mod drawing;

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::{Stream, StreamExt, future, stream};
use serde::Deserialize;
use serde_json::json;
use tokio_stream::wrappers::{BroadcastStream, WatchStream};

use crate::app::App;
use crate::library::{Library, LibraryError};
use crate::meetings::{Entry, Heard, Kind, Meeting, MeetingId, Minutes, State as Standing};
use crate::moment;
use crate::name::{Name, Shelf};
use crate::pages::Chrome;
use crate::pages::meetings::{KindChoice, MeetingsPage};
use crate::refusal::Refusal;
use crate::team::Team;
use crate::visitor::Visitor;
use crate::web::overview::Overview;
use crate::web::{Filled, draw};

/// The longest message, in characters.
const LONGEST_MESSAGE: usize = 20_000;

/// The meeting, and perhaps the proposal, in an address.
pub struct AtMeeting {
    /// The meeting.
    pub id: MeetingId,
    /// The proposal.
    pub number: Option<u32>,
}

#[derive(Deserialize)]
struct AddressParts {
    id: String,
    number: Option<u32>,
}

impl<S: Send + Sync> FromRequestParts<S> for AtMeeting {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let found = Path::<AddressParts>::from_request_parts(parts, state).await;
        let Path(found) = found.map_err(|_| Refusal::missing())?;
        let id = MeetingId::parse(&found.id).ok_or_else(Refusal::missing)?;
        Ok(Self { id, number: found.number })
    }
}

/// The page that a button was on: the meeting's own, or the review of a sprint.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct WayBack {
    review: Option<u32>,
}

impl WayBack {
    /// Leads back to that page, to where things happen.
    #[must_use]
    pub fn back(self, id: MeetingId) -> Response {
        match self.review {
            Some(sprint) => Redirect::to(&format!("/sprints/{sprint}/review#changes")).into_response(),
            None => Redirect::to(&format!("/meetings/{id}#end")).into_response(),
        }
    }
}

/// `GET /meetings`
pub async fn list(State(app): State<App>, by: Visitor) -> Result<Response, Refusal> {
    let (meetings, overview, team) = app
        .library(|library: &Library| -> Result<_, LibraryError> {
            Ok((Minutes::of(library)?.all()?, Overview::read(library)?, Team::read(&library.root()?)?))
        })
        .await?;
    let now = moment::now();
    let choice = |kind: Kind| KindChoice {
        word: kind.word(),
        title: kind.title(),
        hint: kind.hint(),
        lead: team.name_of(kind.lead()).to_owned(),
    };
    let page = MeetingsPage {
        chrome: Chrome::of(&by),
        kinds: Kind::ALL.into_iter().map(choice).collect(),
        visions: overview.vision_choices(),
        meetings: meetings.iter().map(|meeting| drawing::row(&app, meeting, &overview, now)).collect(),
        team: drawing::teammates(&team),
        has_model: app.model.setup().is_some(),
    };
    draw(StatusCode::OK, &page)
}

/// What kind of meeting is started, and about what.
#[derive(Deserialize)]
pub struct Start {
    kind: String,
    #[serde(default)]
    vision: String,
}

/// `POST /meetings`
pub async fn create(State(app): State<App>, by: Visitor, Filled(start): Filled<Start>) -> Result<Response, Refusal> {
    let kind = Kind::parse(&start.kind).ok_or_else(Refusal::missing)?;
    let vision = match start.vision.as_str() {
        "" => None,
        name => Some(Name::parse(name).map_err(|_| Refusal::missing())?),
    };
    let (signature, talks) = (app.sign(by), app.talks.clone());
    let id = app
        .library(move |library: &Library| -> Result<_, LibraryError> {
            if let Some(name) = &vision {
                library.read(Shelf::Visions, name)?;
            }
            let vision = vision.map(|name| name.as_str().to_owned());
            let _one_at_a_time = talks.writing();
            let opened = Entry::Opened { by: signature.by.to_string(), kind, vision, sprint: None };
            Minutes::of(library)?.open(signature.at, opened)
        })
        .await?;
    Ok(Redirect::to(&format!("/meetings/{id}")).into_response())
}

/// `GET /meetings/{id}`
pub async fn show(State(app): State<App>, by: Visitor, at: AtMeeting) -> Result<Response, Refusal> {
    let page = drawing::page(&app, &by, at.id).await?;
    draw(StatusCode::OK, &page)
}

/// What a person says.
#[derive(Deserialize)]
pub struct Message {
    text: String,
}

/// `POST /meetings/{id}/messages`: the message is kept whatever becomes of the answer.
pub async fn say(
    State(app): State<App>,
    by: Visitor,
    at: AtMeeting,
    Filled(message): Filled<Message>,
) -> Result<Response, Refusal> {
    let text = message.text.replace("\r\n", "\n").trim().to_owned();
    if text.chars().count() > LONGEST_MESSAGE {
        return Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "That is too long for one message",
            "Nothing was sent. Go back: your text is still in the form. A message may have 20,000 characters; put longer texts into a document.",
        ));
    }
    if !text.is_empty() {
        let who = by.to_string();
        write(&app, at.id, move |meeting| match meeting.state {
            Standing::Closed => None,
            Standing::Open | Standing::Waiting | Standing::Answering { .. } | Standing::Stopped => {
                Some(Entry::Said { by: who, text, request: None })
            }
        })
        .await?;
        app.talks.start(&app, at.id);
    }
    Ok(WayBack::default().back(at.id))
}

/// `POST /meetings/{id}/stop`
pub async fn stop(
    State(app): State<App>,
    by: Visitor,
    at: AtMeeting,
    Query(way): Query<WayBack>,
) -> Result<Response, Refusal> {
    write(&app, at.id, move |meeting| match meeting.state {
        Standing::Open | Standing::Waiting | Standing::Answering { .. } => Some(Entry::Stopped { by: by.to_string() }),
        Standing::Stopped | Standing::Closed => None,
    })
    .await?;
    app.talks.stop(at.id);
    Ok(way.back(at.id))
}

/// `POST /meetings/{id}/continuation`: goes on after a stop, and asks again for what has no answer.
pub async fn go_on(
    State(app): State<App>,
    by: Visitor,
    at: AtMeeting,
    Query(way): Query<WayBack>,
) -> Result<Response, Refusal> {
    write(&app, at.id, move |meeting| match meeting.state {
        Standing::Stopped => Some(Entry::Continued { by: by.to_string() }),
        Standing::Open | Standing::Waiting | Standing::Answering { .. } | Standing::Closed => None,
    })
    .await?;
    app.talks.start(&app, at.id);
    Ok(way.back(at.id))
}

/// `POST /meetings/{id}/closing`
pub async fn close(State(app): State<App>, by: Visitor, at: AtMeeting) -> Result<Response, Refusal> {
    write(&app, at.id, move |meeting| match meeting.state {
        Standing::Closed => None,
        Standing::Open | Standing::Waiting | Standing::Answering { .. } | Standing::Stopped => {
            Some(Entry::Closed { by: by.to_string() })
        }
    })
    .await?;
    app.talks.stop(at.id);
    Ok(WayBack::default().back(at.id))
}

/// `POST /meetings/{id}/reopening`
pub async fn reopen(State(app): State<App>, by: Visitor, at: AtMeeting) -> Result<Response, Refusal> {
    write(&app, at.id, move |meeting| match meeting.state {
        Standing::Closed => Some(Entry::Reopened { by: by.to_string() }),
        Standing::Open | Standing::Waiting | Standing::Answering { .. } | Standing::Stopped => None,
    })
    .await?;
    Ok(WayBack::default().back(at.id))
}

/// `GET /meetings/{id}/events`: what was said so far of the answer that is being given, each further
/// piece as it arrives, and `changed` when the page has something new to show. Nothing is sent while
/// nothing happens but a sign of life every 25 seconds.
pub async fn events(
    State(app): State<App>,
    at: AtMeeting,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let id = at.id;
    app.library(move |library: &Library| Minutes::of(library)?.read(id)).await?;
    let (so_far, heard) = app.talks.listen(id);
    let named = |name: &str, answer: u32, text: &str| {
        Event::default().event(name).data(json!({"answer": answer, "text": text}).to_string())
    };
    let first = so_far.map(|so_far| named("so-far", so_far.answer, &so_far.text));
    let changed = || Event::default().event("changed").data("{}");
    let talks = app.talks.clone();
    let rest = BroadcastStream::new(heard).flat_map(move |heard| {
        let events = match heard {
            Ok((of, _)) if of != id => Vec::new(),
            Ok((_, Heard::Piece { answer, text })) => vec![named("piece", answer, &text)],
            Ok((_, Heard::Changed)) => vec![changed()],
            // Who fell behind looks at everything again.
            Err(_) => {
                let so_far = talks.so_far(id).map(|so_far| named("so-far", so_far.answer, &so_far.text));
                std::iter::once(changed()).chain(so_far).collect()
            }
        };
        stream::iter(events)
    });
    let hello = stream::iter([Event::default().retry(Duration::from_secs(2)).comment("open")]);
    let closing = WatchStream::new(app.closing).filter(|closing| future::ready(*closing));
    let events = hello.chain(stream::iter(first)).chain(rest).take_until(closing.into_future()).map(Ok);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(25)).text("still here")))
}

/// Writes down what follows from how the meeting stands, if anything does.
pub async fn write(
    app: &App,
    id: MeetingId,
    entry: impl FnOnce(&Meeting) -> Option<Entry> + Send + 'static,
) -> Result<(), Refusal> {
    let (talks, now) = (app.talks.clone(), moment::now());
    app.library(move |library: &Library| -> Result<_, LibraryError> {
        let _one_at_a_time = talks.writing();
        let minutes = Minutes::of(library)?;
        match entry(&minutes.read(id)?) {
            Some(entry) => minutes.write(id, now, entry),
            None => Ok(()),
        }
    })
    .await?;
    app.talks.announce(id);
    Ok(())
}
