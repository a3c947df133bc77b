//! The app made, as people meet it: its address, its log, its end, and who sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode as Status;
use axum::routing::get;
use axum::{Json, Router};
use futures_util::StreamExt as _;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use world::Clock;

use super::notebook::{Notebook, field};
use crate::app::Provision;
use crate::bench::tests::executable;
use crate::bench::{Bench, Tools};
use crate::made::{Door, Habits, Shown, Whereabouts};
use crate::name::Name;
use crate::project::{Branch, FilePath, Project};

const SERVER: &str = "require('node:fs').writeFileSync(process.env.DATA + '/port', process.env.PORT);
require('node:http').createServer((_, answer) => { console.log('visit €'); answer.end('made'); })
  .listen(process.env.PORT, process.env.HOST, () => console.log('ready'));\n";

/// A guard's word on who sees the app.
#[derive(Clone, Default)]
struct Guard {
    shared: Arc<AtomicBool>,
    /// What it answers although it did what it was told.
    answers: Arc<AtomicU16>,
    /// Whether it does nothing that it is told.
    refuses: Arc<AtomicBool>,
}

impl Guard {
    async fn start() -> (Self, Shown) {
        let guard = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/-/app/sharing", listener.local_addr().unwrap());
        let router = Router::new().route("/-/app/sharing", get(Self::say).post(Self::switch)).with_state(guard.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let whereabouts = Whereabouts::Hostname("acme-app.test".to_owned());
        (guard, Shown { whereabouts, door: Door::at(&address) })
    }

    async fn say(State(guard): State<Self>) -> Json<Value> {
        Json(json!({ "shared": guard.is_shared() }))
    }

    async fn switch(State(guard): State<Self>, Json(order): Json<Value>) -> Status {
        if guard.refuses.load(Ordering::SeqCst) {
            return Status::INTERNAL_SERVER_ERROR;
        }
        guard.shared.store(order["shared"].as_bool().unwrap(), Ordering::SeqCst);
        Status::from_u16(guard.answers.load(Ordering::SeqCst)).unwrap_or(Status::NO_CONTENT)
    }

    fn is_shared(&self) -> bool {
        self.shared.load(Ordering::SeqCst)
    }
}

fn habits(idle: Duration, notice: Duration) -> Habits {
    // Not one of those that the system gives to whoever asks for any: it is free again until the app starts.
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    let mut ports = std::iter::repeat_with(|| first + NEXT.fetch_add(1, Ordering::SeqCst));
    let is_free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let port = ports.find(is_free).unwrap();
    Habits { port, idle, notice, look: Duration::from_millis(50), start: Duration::from_secs(30) }
}

/// The project, by a workbench of the test's own: that of a notebook is the notebook's.
async fn project(home: &TempDir) -> Project {
    let bench = Bench::open(&home.path().join("other-bench"), executable(), Tools::default(), Clock::System).unwrap();
    let projects = home.path().join("projects");
    Project::open(&projects, &Name::parse("shop").unwrap(), &bench, Clock::System.now()).await.unwrap()
}

async fn done(project: &Project, story: u64, files: &[(&str, &str)]) {
    let (branch, now) = (Branch::of_story(1, story), Clock::System.now());
    project.work_on(&branch).await.unwrap();
    for (path, text) in files {
        project.write(&FilePath::parse(path).unwrap(), text.as_bytes()).unwrap();
    }
    project.keep(&branch, "x", now).await.unwrap();
    project.merge(&branch, &format!("B-{story}: Story {story}"), now).await.unwrap();
}

/// A notebook with a project that can be started.
async fn with_an_app(habits: Habits, shown: Shown) -> Notebook {
    let home = Arc::new(tempfile::tempdir().unwrap());
    done(&project(&home).await, 1, &[("index.js", SERVER), ("package.json", "{}")]).await;
    let provision = Provision { habits, shown, ..Provision::default() };
    let notebook = Notebook::open_in(home, provision).await.signed_in("ada@example.com");
    notebook.post("/visions", &[("title", "Shop")]).await;
    notebook
}

async fn running(notebook: &Notebook) -> String {
    assert_eq!(notebook.post("/app/start", &[("vision", "shop")]).await.address(), "/app");
    notebook.page_that_says("/app", "runs.").await
}

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn the_page_says_where_the_app_is_what_runs_and_whether_something_newer_is_done() {
    let (_, shown) = Guard::start().await;
    let notebook = with_an_app(habits(HOUR, Duration::ZERO), shown).await;
    let page = running(&notebook).await;
    assert!(page.contains("<li>B-1: Story 1</li>") && !page.contains("Something newer"), "{page}");
    assert!(page.contains("Today it ran in ") && !page.contains("hour of use"), "{page}");
    let through = notebook.client.get(notebook.url("/app")).header("x-forwarded-proto", "https");
    let page = notebook.send(through.header("x-forwarded-host", "acme.test:8443")).await.text;
    let link = "href=\"https://acme-app.test:8443\" target=\"_blank\" rel=\"noopener\"";
    assert!(page.contains(link) && page.contains("Only members of this workspace"), "{page}");
    assert!(notebook.page("/").await.contains("The app of “Shop” runs."));

    done(&project(&notebook.folder()).await, 2, &[("more.js", "1\n")]).await;
    let page = notebook.page("/app").await;
    assert!(page.contains("Something newer is done") && page.contains("<li>B-2: Story 2</li>"), "{page}");
    let since = field(&page, "since");
    assert_eq!(notebook.post("/app/restart", &[("since", &since)]).await.address(), "/app");
    let page = notebook.page_that_says("/app", "<li>B-2: Story 2</li>").await;
    assert!(!page.contains("Something newer"), "{page}");
    let page = notebook.page_that_says("/app", "runs.").await;
    assert_ne!(field(&page, "since"), since);
    let late = notebook.post("/app/restart", &[("since", &since)]).await;
    assert_eq!(late.address(), "/app", "an old page restarts nothing");
    assert_eq!(field(&notebook.page("/app").await, "since"), field(&page, "since"));
    assert_eq!(notebook.post("/app/restart", &[]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    notebook.post("/app/stop", &[]).await;
    let page = notebook.page_that_says("/app", "It was stopped.").await;
    assert!(page.contains("Start it") && !page.contains("id=\"open\""), "{page}");
    assert!(!notebook.page("/").await.contains("The app of"));
}

#[tokio::test]
async fn where_the_app_has_no_address_it_is_offered_for_download() {
    let shown = Shown { whereabouts: Whereabouts::Nowhere, door: None };
    let notebook = with_an_app(habits(HOUR, Duration::ZERO), shown).await;
    let page = running(&notebook).await;
    assert!(page.contains("There is no address") && page.contains("/projects/shop/app.tar"), "{page}");
    assert!(!page.contains("Open the app") && !page.contains("/app/sharing"), "{page}");
    assert_eq!(notebook.post("/app/sharing", &[("shared", "true")]).await.status, StatusCode::CONFLICT);
    notebook.post("/app/stop", &[]).await;
}

#[tokio::test]
async fn what_the_app_says_is_followed_from_where_the_page_ended() {
    let notebook = with_an_app(habits(HOUR, Duration::ZERO), Shown::default()).await;
    running(&notebook).await;
    let page = notebook.page_that_says("/app", "ready\n</pre>").await;
    let place = page.split("data-from=\"").nth(1).unwrap().split('"').next().unwrap();
    let follow = async |last: Option<&str>| {
        let request = notebook.client.get(notebook.url(&format!("/app/log?from={place}")));
        let request = if let Some(last) = last { request.header("last-event-id", last) } else { request };
        request.send().await.unwrap().bytes_stream()
    };
    let until_said = async |last: Option<&str>, visits: bool| {
        let mut stream = Box::pin(follow(last).await);
        if visits {
            reqwest::get(format!("http://127.0.0.1:{}/", page_port(&notebook))).await.unwrap();
        }
        let mut heard = String::new();
        while !(heard.contains("visit") && heard.ends_with("\n\n")) {
            heard.push_str(&String::from_utf8_lossy(&stream.next().await.unwrap().unwrap()));
        }
        heard
    };
    let heard = until_said(None, true).await;
    assert!(heard.contains("event: piece\n") && heard.contains(r#"{"text":"visit €\n"}"#), "{heard}");
    assert!(!heard.contains("ready"), "the page has that already: {heard}");
    let last = heard.split("id: ").nth(1).unwrap().split('\n').next().unwrap();
    let heard = until_said(Some(last), true).await;
    assert_eq!(heard.matches("visit").count(), 1, "what was heard before is not said again: {heard}");
    let heard = until_said(Some("77-5"), false).await;
    assert!(heard.contains("event: whole\n") && heard.contains("ready"), "{heard}");
    notebook.post("/app/stop", &[]).await;
}

/// The port on which the app listens, which the tests' apps are told.
fn page_port(notebook: &Notebook) -> String {
    notebook.file("projects/shop/data/port")
}

#[tokio::test]
async fn before_it_stops_every_page_says_so_and_somebody_can_let_it_go_on() {
    // So little is left from the start.
    let notebook = with_an_app(habits(HOUR, HOUR), Shown::default()).await;
    running(&notebook).await;
    let eve = notebook.clone().signed_in("eve@example.com");
    eve.page("/").await;
    notebook.post("/settings/members", &[("email", "eve@example.com"), ("standing", "viewer")]).await;
    for path in ["/", "/new/vision", "/settings", "/no/such/page"] {
        let (page, viewers) = (notebook.get(path).await.text, eve.get(path).await.text);
        assert!(page.contains("The app of “Shop” stops at <time") && page.contains("id=\"keep\""), "{path}: {page}");
        assert!(viewers.contains("The app of “Shop” stops at <time") && !viewers.contains("id=\"keep\""), "{path}");
    }
    let piece = notebook.page("/app/news").await;
    assert!(piece.contains("stops at") && !piece.contains("<main"), "{piece}");
    let from = |referer: String| notebook.form("/app/keep", &[]).header("referer", referer);
    assert_eq!(notebook.send(from(notebook.url("/new/vision"))).await.address(), "/new/vision");
    for elsewhere in ["https://evil.example/new/vision", "http://127.0.0.1:1//evil.example", "nonsense"] {
        assert_eq!(notebook.send(from(elsewhere.to_owned())).await.address(), "/app", "{elsewhere}");
    }
    assert_eq!(eve.post("/app/keep", &[]).await.status, StatusCode::FORBIDDEN);
    notebook.post("/app/stop", &[]).await;
}

#[tokio::test]
async fn after_it_stopped_by_itself_every_page_says_so_and_it_can_be_started_again() {
    let notebook = with_an_app(habits(Duration::ZERO, Duration::ZERO), Shown::default()).await;
    notebook.post("/app/start", &[("vision", "shop")]).await;
    let page = notebook.page_that_says("/settings", "The app of “Shop” stopped at <time").await;
    assert!(page.contains("since nobody had used it") && page.contains("id=\"start-again\""), "{page}");
    assert_eq!(field(&page, "vision"), "shop");
    assert!(notebook.page("/app").await.contains("It stopped by itself"));
}

#[tokio::test]
async fn an_owner_shares_the_app_and_makes_it_private_and_both_are_on_record() {
    let (guard, shown) = Guard::start().await;
    let notebook = with_an_app(habits(HOUR, Duration::ZERO), shown).await;
    let bob = notebook.clone().signed_in("bob@example.com");
    let (page, editors) = (notebook.page("/app").await, bob.page("/app").await);
    assert!(page.contains("id=\"share\"") && editors.contains("An owner can share it"), "{page}");
    assert!(!editors.contains("id=\"share\""));
    let what_it_means = notebook.page("/app/sharing").await;
    assert!(what_it_means.contains("Anybody on the internet") && what_it_means.contains("http://acme-app.test"));
    assert!(!guard.is_shared(), "looking changes nothing");
    assert!(bob.page("/app/sharing").await.contains("Only owners of this workspace can share it"));
    for (who, fields, status) in [
        (&bob, vec![("shared", "true")], StatusCode::FORBIDDEN),
        (&notebook, vec![], StatusCode::UNPROCESSABLE_ENTITY),
        (&notebook, vec![("shared", "perhaps")], StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        assert_eq!(who.post("/app/sharing", &fields).await.status, status, "{fields:?}");
    }
    assert!(!guard.is_shared() && notebook.files("decisions").is_empty());

    assert_eq!(notebook.post("/app/sharing", &[("shared", "true")]).await.address(), "/app?switched=1");
    assert!(guard.is_shared());
    let page = notebook.page("/app").await;
    assert!(page.contains("Everybody who has the address") && page.contains("Shared by ada@example.com"), "{page}");
    assert!(bob.page("/decisions").await.contains("Shared the app with everybody"));
    notebook.post("/app/sharing", &[("shared", "false")]).await;
    assert!(!guard.is_shared());
    let decisions = notebook.files("decisions");
    assert_eq!(decisions.len(), 2, "{decisions:?}");
    let records: Vec<String> = decisions.iter().map(|file| notebook.file(&format!("decisions/{file}"))).collect();
    assert!(records.iter().all(|record| record.contains("by: ada@example.com")), "{records:?}");
    assert!(notebook.page("/app").await.contains("Made private by ada@example.com"));
}

#[tokio::test]
async fn what_the_guard_does_not_do_is_not_said_to_be_done() {
    let (guard, shown) = Guard::start().await;
    let notebook = with_an_app(habits(HOUR, Duration::ZERO), shown).await;
    guard.refuses.store(true, Ordering::SeqCst);
    let refused = notebook.post("/app/sharing", &[("shared", "true")]).await;
    assert_eq!(refused.status, StatusCode::BAD_GATEWAY);
    assert!(refused.text.contains("Who sees the app is as it was"), "{}", refused.text);
    assert!(notebook.files("decisions").is_empty());
    guard.shared.store(true, Ordering::SeqCst);
    let refused = notebook.post("/app/sharing", &[("shared", "false")]).await;
    assert!(refused.text.contains("Everybody may still see the app"), "{}", refused.text);
    assert!(notebook.page("/app").await.contains("Everybody who has the address"), "the guard's word counts");

    guard.refuses.store(false, Ordering::SeqCst);
    guard.answers.store(502, Ordering::SeqCst);
    let done = notebook.post("/app/sharing", &[("shared", "false")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "it was done, and only the answer was lost");
    assert_eq!(notebook.files("decisions").len(), 1);
}

#[tokio::test]
async fn where_the_guard_says_nothing_nobody_knows_who_sees_the_app() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let whereabouts = Whereabouts::Hostname("acme-app.test".to_owned());
    let shown = Shown { whereabouts, door: Door::at(&format!("http://{gone}/-/app/sharing")) };
    let notebook = with_an_app(habits(HOUR, Duration::ZERO), shown).await;
    let page = notebook.page("/app").await;
    assert!(page.contains("That cannot be told now") && page.contains("id=\"unshare\""), "{page}");
    assert_eq!(notebook.post("/app/sharing", &[("shared", "true")]).await.status, StatusCode::BAD_GATEWAY);
    assert!(notebook.files("decisions").is_empty());
}

#[tokio::test]
async fn a_crash_on_the_way_to_sharing_is_settled_by_what_the_guard_says_and_shares_nothing_itself() {
    let asked = r#"{"entry":"asked","at":"2026-11-30T12:00:00Z","by":"ada@example.com","shared":true}"#;
    let switched = format!("{asked}\n{{\"entry\":\"switched\",\"shared\":true}}");
    for (record, is_shared, decisions) in
        [(asked, true, 1), (asked, false, 0), (switched.as_str(), true, 1), (switched.as_str(), false, 1)]
    {
        let (guard, shown) = Guard::start().await;
        guard.shared.store(is_shared, Ordering::SeqCst);
        let home = Arc::new(tempfile::tempdir().unwrap());
        std::fs::write(home.path().join("app.jsonl"), format!("{record}\n")).unwrap();
        for _ in 0..2 {
            let provision = Provision { shown: shown.clone(), ..Provision::default() };
            let notebook = Notebook::open_in(Arc::clone(&home), provision).await.signed_in("ada@example.com");
            // Whoever switches next waits until all is settled; this changes nothing.
            let unknown = notebook.post("/app/sharing", &[("shared", "perhaps")]).await;
            assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
            let settled = |text: &str| match decisions {
                0 => text.contains("not_switched"),
                _ => text.contains("decided"),
            };
            for _ in 0..3_000 {
                if settled(&notebook.file("app.jsonl")) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let text = notebook.file("app.jsonl");
            assert!(settled(&text), "{text}");
            assert_eq!((notebook.files("decisions").len(), guard.is_shared()), (decisions, is_shared), "{record}");
            notebook.stop().await;
        }
    }
}
