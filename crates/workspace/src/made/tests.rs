#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::bench::tests::Stage;
use crate::project::{Branch, FilePath};
use crate::visitor::Visitor;

const SERVER: &str = "const http = require('node:http'); const fs = require('node:fs');
http.createServer((_, answer) => { fs.appendFileSync(process.env.DATA + '/visits', 'x'); answer.end('made'); })
  .listen(process.env.PORT, process.env.HOST, () => console.log('listening', process.env.API_KEY));
process.on('SIGTERM', () => { console.log('bye'); process.exit(0); });\n";

struct Place {
    stage: Stage,
    project: Project,
    made: Made,
    clock: Clock,
}

impl Place {
    async fn with(files: &[(&str, &str)], idle: Duration) -> Self {
        let stage = Stage::set();
        let clock = Clock::at("2026-11-30T12:00:00Z".parse().unwrap());
        let name = Name::parse("shop").unwrap();
        let project = Project::open(&stage.path("projects"), &name, &stage.bench, clock.now()).await.unwrap();
        let branch = Branch::of_story(1, 1);
        project.work_on(&branch).await.unwrap();
        for (path, text) in files {
            project.write(&FilePath::parse(path).unwrap(), text.as_bytes()).unwrap();
        }
        project.keep(&branch, "x", clock.now()).await.unwrap();
        project.merge(&branch, "done", clock.now()).await.unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let habits = Habits { port, idle, look: Duration::from_millis(50), start: Duration::from_secs(30) };
        let made = Made::new(stage.bench.clone(), clock.clone(), habits);
        Self { stage, project, made, clock }
    }

    fn by(&self) -> Signature {
        Signature { by: Visitor::You, at: self.clock.now() }
    }

    async fn until(&self, holds: impl Fn(&State) -> bool) -> State {
        let mut changed = self.made.changed();
        let bound = tokio::time::timeout(Duration::from_secs(60), async {
            while !holds(&self.made.state()) {
                let _ = tokio::time::timeout(Duration::from_millis(50), changed.changed()).await;
            }
        });
        assert!(bound.await.is_ok(), "{:?} {}", self.made.state(), self.made.log());
        self.made.state()
    }

    async fn start(&self) -> State {
        self.made.start(&self.project, &self.by()).await.unwrap();
        self.until(|state| matches!(state, State::Running { .. } | State::Ended { .. })).await
    }

    async fn page(&self) -> String {
        reqwest::get(format!("http://127.0.0.1:{}/", self.made.0.habits.port)).await.unwrap().text().await.unwrap()
    }
}

#[tokio::test]
async fn the_app_starts_is_visited_keeps_data_and_stops_when_asked() {
    let place = Place::with(&[("index.js", SERVER), ("package.json", "{}")], Duration::from_secs(600)).await;
    assert!(matches!(place.start().await, State::Running { .. }), "{}", place.made.log());
    assert!(matches!(place.made.start(&place.project, &place.by()).await, Err(MadeError::Busy)));
    assert_eq!(place.page().await, "made");
    place.made.stop();
    let State::Ended { why, .. } = place.until(|state| matches!(state, State::Ended { .. })).await else { panic!() };
    assert_eq!(why, "It was stopped.");
    assert_eq!(place.made.log(), "listening undefined\nbye\n");
    assert_eq!(std::fs::read(place.stage.path("projects/shop/data/visits")).unwrap(), b"x");
    assert!(matches!(place.start().await, State::Running { .. }), "it starts again");
    place.made.stop();
    place.until(|state| matches!(state, State::Ended { .. })).await;
}

#[tokio::test]
async fn nobody_uses_it_and_it_stops_by_itself_and_says_so() {
    let place = Place::with(&[("index.js", SERVER), ("package.json", "{}")], Duration::from_secs(600)).await;
    place.start().await;
    let visitor = std::net::TcpStream::connect(("127.0.0.1", place.made.0.habits.port)).unwrap();
    place.clock.advance(jiff::SignedDuration::from_secs(601));
    let later = place.clock.now();
    place.until(|state| matches!(state, State::Running { used, .. } if *used == later)).await;
    drop(visitor);
    place.clock.advance(jiff::SignedDuration::from_secs(601));
    let State::Ended { why, .. } = place.until(|state| matches!(state, State::Ended { .. })).await else { panic!() };
    assert!(why.contains("nobody had used it for 10 minutes"), "{why}");
}

#[tokio::test]
async fn an_app_that_breaks_says_how_it_ended_and_what_it_said() {
    let place = Place::with(
        &[("index.js", "console.error('no luck'); process.exit(3)"), ("package.json", "{}")],
        Duration::from_secs(600),
    )
    .await;
    let State::Ended { why, .. } = place.start().await else { panic!() };
    assert_eq!(why, "It ended by itself: it ended with exit code 3.");
    assert_eq!(place.made.log(), "no luck\n");
}

#[tokio::test]
async fn plain_files_are_shown_and_what_is_hidden_is_not() {
    let place = Place::with(&[("index.html", "<h1>Hello</h1>"), (".env", "secret")], Duration::from_secs(600)).await;
    assert!(matches!(place.start().await, State::Running { .. }), "{}", place.made.log());
    assert_eq!(place.page().await, "<h1>Hello</h1>");
    for path in [".env", "..%2f..%2fgit/config", "no"] {
        let address = format!("http://127.0.0.1:{}/{path}", place.made.0.habits.port);
        assert_eq!(reqwest::get(address).await.unwrap().status(), 404, "{path}");
    }
    place.made.stop();
    place.until(|state| matches!(state, State::Ended { .. })).await;
}

#[tokio::test]
async fn nothing_done_is_nothing_to_start() {
    let place = Place::with(&[("readme.txt", "x")], Duration::from_secs(600)).await;
    let State::Ended { why, .. } = place.start().await else { panic!() };
    assert!(why.contains("nothing to start yet"), "{why}");
}

#[tokio::test]
async fn an_archive_holds_source_tests_data_and_how_to_start() {
    let files = [("index.js", SERVER), ("package.json", "{}"), ("acceptance/a.test.js", "t"), (".gitignore", "x")];
    let place = Place::with(&files, Duration::from_secs(600)).await;
    std::fs::write(place.project.data_folder().unwrap().join("list.json"), "[]").unwrap();
    let main = place.project.main().await.unwrap();
    let folder = place.project.download_folder().unwrap();
    place.project.unpack(&main, &folder).await.unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.join("link")).unwrap();
    let mut bytes = Vec::new();
    write_archive(&place.project, &Stack::at(&folder).unwrap(), place.clock.now(), &mut bytes).unwrap();
    let mut archive = tar::Archive::new(&bytes[..]);
    let names: Vec<String> =
        archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
    assert_eq!(
        names,
        [
            "shop/START.md",
            "shop/app/.gitignore",
            "shop/app/acceptance/a.test.js",
            "shop/app/index.js",
            "shop/app/package.json",
            "shop/app/data/list.json"
        ]
    );
}
