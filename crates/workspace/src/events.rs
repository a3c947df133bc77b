//! Tells every open page when something changes, through one stream each.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt, stream};
use serde::Serialize;
use tokio::sync::broadcast;
use tokio_stream::wrappers::{BroadcastStream, WatchStream};

use crate::app::App;
use crate::library::Revision;
use crate::name::{Name, Shelf};
use crate::visitor::Visitor;

/// Where changes are announced.
#[derive(Clone)]
pub struct Changes(broadcast::Sender<Notice>);

/// One change, as pages hear of it.
#[derive(Debug, Clone, Serialize)]
struct Notice {
    /// The address of what changed.
    document: String,
    /// What it is called in a sentence.
    noun: &'static str,
    /// Who changed it.
    by: String,
    /// The text it has now; none when it is gone.
    revision: Option<String>,
}

impl Notice {
    fn stir() -> Self {
        Self { document: String::new(), noun: "page", by: String::new(), revision: None }
    }
}

impl Default for Changes {
    fn default() -> Self {
        Self(broadcast::channel(64).0)
    }
}

impl Changes {
    /// Tells open pages to look again, whoever did whatever.
    pub fn stir(&self) {
        let _ = self.0.send(Notice::stir());
    }

    /// Tells open pages to look again at what they say of the app made.
    pub fn app(&self) {
        let _ = self.0.send(Notice { noun: "app", ..Notice::stir() });
    }

    /// Announces that `by` changed a document to `revision`, or deleted it.
    pub fn announce(&self, shelf: Shelf, name: &Name, by: &Visitor, revision: Option<&Revision>) {
        let document = format!("/{}/{}", shelf.folder(), name.in_address());
        let revision = revision.map(Revision::to_string);
        // An error only means that no page is open.
        let _ = self.0.send(Notice { document, noun: shelf.noun(), by: by.to_string(), revision });
    }
}

/// `GET /events`: the stream. It says `changed` for each change, and something every 25 seconds so
/// that nothing on the way takes it for dead.
pub async fn stream(State(app): State<App>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    // A page that fell behind gets a notice without content: it only has to look again.
    let notices = BroadcastStream::new(app.changes.0.subscribe()).map(|notice| {
        let event = Event::default().event("changed");
        notice
            .ok()
            .and_then(|notice| Event::default().event("changed").json_data(notice).ok())
            .unwrap_or_else(|| event.data("{}"))
    });
    let hello = stream::iter([Event::default().retry(Duration::from_secs(2)).comment("open")]);
    let closing = WatchStream::new(app.closing).filter(|closing| std::future::ready(*closing));
    let events = hello.chain(notices).take_until(closing.into_future()).map(Ok);
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(25)).text("still here"))
}
