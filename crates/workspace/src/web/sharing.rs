//! Sharing the app made with everybody: what it means, and an owner's click. Who switched it, and when, is
//! a decision, written down like all others.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use crate::app::App;
use crate::decision::Decision;
use crate::history::Signature;
use crate::library::{Entry, Library, LibraryError, Saved};
use crate::made::{SharingError, Whereabouts, Wish};
use crate::name::Shelf;
use crate::pages::Chrome;
use crate::pages::made::SharingPage;
use crate::refusal::Refusal;
use crate::title::Title;
use crate::visitor::Visitor;
use crate::web::made::{audience, switched};
use crate::web::overview::understand;
use crate::web::{Filled, draw};

impl From<SharingError> for Refusal {
    fn from(error: SharingError) -> Self {
        let status = match error {
            SharingError::NotOffered => StatusCode::CONFLICT,
            SharingError::Door(_) | SharingError::StillOpen(_) => StatusCode::BAD_GATEWAY,
            SharingError::Disk(_) => StatusCode::INSUFFICIENT_STORAGE,
        };
        Self::new(status, "Who sees the app was not switched", error.to_string())
    }
}

/// `GET /app/sharing`: what it means.
pub async fn confirm(State(app): State<App>, by: Visitor) -> Result<Response, Refusal> {
    let audience = audience(&app.workshop.made).await;
    draw(StatusCode::OK, &SharingPage { chrome: Chrome::of(&by), audience, is_guarded: app.is_guarded() })
}

#[derive(Deserialize)]
pub struct Wanted {
    shared: bool,
}

/// `POST /app/sharing`: it goes on to its end whether or not somebody waits for the answer.
pub async fn switch(State(app): State<App>, by: Visitor, Filled(wanted): Filled<Wanted>) -> Result<Response, Refusal> {
    let by = app.sign(by);
    let done = tokio::spawn(async move { switch_and_record(&app, wanted.shared, &by).await }).await;
    done.unwrap_or_else(|error| {
        tracing::error!(%error, "Sharing the app was broken off: {error}");
        let text = "It was broken off. Look at the page of the app for who sees it now, and try again.";
        Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "Who sees the app was not switched", text))
    })?;
    Ok(switched())
}

/// What was under way when the program ended last is brought to its end.
pub async fn settle_after_start(app: App) {
    let made = app.workshop.made.clone();
    let _switching = made.switching().await;
    if let Err(refusal) = settle(&app).await {
        tracing::warn!("Who sees the app is not settled: {}", refusal.text);
    }
}

async fn switch_and_record(app: &App, shared: bool, by: &Signature) -> Result<(), Refusal> {
    let made = &app.workshop.made;
    if !made.can_be_shared() {
        return Err(SharingError::NotOffered.into());
    }
    let _switching = made.switching().await;
    settle(app).await?;
    made.share(shared, by).await?;
    settle(app).await
}

/// Writes down the decision about what was switched last, if that is not done.
async fn settle(app: &App) -> Result<(), Refusal> {
    let made = &app.workshop.made;
    let open = made.settle().await.map_err(SharingError::Door)?;
    let Some(wish) = open else { return Ok(()) };
    let hostname = match made.whereabouts() {
        Whereabouts::Hostname(name) => name.clone(),
        Whereabouts::Here | Whereabouts::Nowhere => String::new(),
    };
    let by = Signature { by: visitor(&wish.by), at: wish.at };
    let announced = by.by.clone();
    let saved = app.library(move |library: &Library| record(library, &wish, &hostname, &by)).await?;
    made.decided();
    app.changes.announce(Shelf::Decisions, &saved.name, &announced, Some(&saved.revision));
    Ok(())
}

fn record(library: &Library, wish: &Wish, hostname: &str, by: &Signature) -> Result<Saved, LibraryError> {
    let at = wish.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mark = format!("app sharing {}", wish.at);
    if let Some(saved) = written_before(library, &mark)? {
        return Ok(saved);
    }
    let (title, body) = match wish.shared {
        true => (
            "Shared the app with everybody",
            format!(
                "{} shared the app. Whoever has the address {hostname} can use it from then on and see what it shows, \
                 without signing in. The workspace stays closed.",
                wish.by
            ),
        ),
        false => (
            "The app is for members only again",
            format!("{} ended the sharing of the app. From then on only members of this workspace see it.", wish.by),
        ),
    };
    let decision = Decision {
        title: Title::parse(title).unwrap_or_default(),
        by: Some(wish.by.clone()),
        at: Some(at),
        about: Some("/app".to_owned()),
        proposal: Some(mark),
        body,
        ..Decision::default()
    };
    let name = format!("{} {title}", wish.at.strftime("%Y-%m-%d"));
    library.create(Shelf::Decisions, &name, &decision.to_text(), by)
}

/// The decision that was written before a crash.
fn written_before(library: &Library, mark: &str) -> Result<Option<Saved>, LibraryError> {
    let found = library.list(Shelf::Decisions)?.into_iter().find_map(|entry| match entry {
        Entry::Document(document) => {
            let decision = understand(&document, Decision::parse).ok()?;
            (decision.proposal.as_deref() == Some(mark)).then_some(document)
        }
        Entry::Unreadable { .. } => None,
    });
    Ok(found.map(|document| Saved { revision: document.revision(), name: document.name, version: None }))
}

fn visitor(name: &str) -> Visitor {
    if name == Visitor::You.to_string() { Visitor::You } else { Visitor::Member(name.to_owned()) }
}
