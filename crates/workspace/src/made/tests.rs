#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::bench::tests::Stage;
use crate::project::{Branch, FilePath, Stack};
use crate::visitor::Visitor;

const SERVER: &str = "const http = require('node:http'); const fs = require('node:fs');
http.createServer((_, answer) => { fs.appendFileSync(process.env.DATA + '/visits', 'x'); answer.end('made'); })
  .listen(process.env.PORT, process.env.HOST, () => console.log('listening', process.env.API_KEY));
process.on('SIGTERM', () => { console.log('bye'); process.exit(0); });\n";

struct Workplace {
    stage: Stage,
    project: Project,
    made: Made,
    clock: Clock,
}

impl Workplace {
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
        let notice = Duration::from_secs(300);
        let habits = Habits { port, idle, notice, look: Duration::from_millis(50), start: Duration::from_secs(30) };
        let made = (habits, Shown::default());
        let made = Made::open(&stage.path(""), stage.bench.clone(), clock.clone(), made).unwrap();
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
        assert!(bound.await.is_ok(), "{:?} {}", self.made.state(), self.made.log().text);
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
    let place = Workplace::with(&[("index.js", SERVER), ("package.json", "{}")], Duration::from_secs(600)).await;
    assert!(matches!(place.start().await, State::Running { .. }), "{}", place.made.log().text);
    assert!(matches!(place.made.start(&place.project, &place.by()).await, Err(MadeError::Busy)));
    assert_eq!(place.page().await, "made");
    place.made.stop();
    let State::Ended { end, .. } = place.until(|state| matches!(state, State::Ended { .. })).await else { panic!() };
    assert_eq!(end.words(), "It was stopped.");
    assert_eq!(place.made.log().text, "listening undefined\nbye\n");
    assert_eq!(std::fs::read(place.stage.path("projects/shop/data/visits")).unwrap(), b"x");
    assert!(matches!(place.start().await, State::Running { .. }), "it starts again");
    place.made.stop();
    place.until(|state| matches!(state, State::Ended { .. })).await;
}

#[tokio::test]
async fn nobody_uses_it_and_it_stops_by_itself_and_says_so() {
    let place = Workplace::with(&[("index.js", SERVER), ("package.json", "{}")], Duration::from_secs(600)).await;
    place.start().await;
    let visitor = std::net::TcpStream::connect(("127.0.0.1", place.made.0.habits.port)).unwrap();
    place.clock.advance(jiff::SignedDuration::from_secs(601));
    let later = place.clock.now();
    place.until(|state| matches!(state, State::Running { used, .. } if *used == later)).await;
    drop(visitor);
    place.clock.advance(jiff::SignedDuration::from_secs(601));
    let State::Ended { end, .. } = place.until(|state| matches!(state, State::Ended { .. })).await else { panic!() };
    assert_eq!(end, End::Idle(10));
}

#[tokio::test]
async fn people_are_told_before_it_stops_may_let_it_go_on_and_are_told_afterwards() {
    let place = Workplace::with(&[("index.js", SERVER), ("package.json", "{}")], Duration::from_secs(600)).await;
    place.start().await;
    assert_eq!(place.made.news(), None);
    let (mut changed, begun) = (place.made.changed(), place.clock.now());
    changed.mark_unchanged();
    place.clock.advance(jiff::SignedDuration::from_secs(301));
    tokio::time::timeout(Duration::from_secs(60), changed.changed()).await.unwrap().unwrap();
    let told = place.made.news();
    let Some(News::Stops(run, at)) = told else { panic!("{told:?}") };
    assert_eq!((run.vision.as_str(), at), ("shop", begun + jiff::SignedDuration::from_secs(600)));
    place.made.keep();
    assert_eq!(place.made.news(), None);
    place.clock.advance(jiff::SignedDuration::from_secs(601));
    place.until(|state| matches!(state, State::Ended { end: End::Idle(10), .. })).await;
    assert!(matches!(place.made.news(), Some(News::Stopped(_, _, 10))), "{:?}", place.made.news());
    place.clock.advance(jiff::SignedDuration::from_secs(30 * 60));
    assert_eq!(place.made.news(), None, "no news any more");
    place.made.keep();
    assert!(matches!(place.made.state(), State::Ended { .. }), "what does not run is not kept");
}

#[tokio::test]
async fn a_restart_gets_what_is_done_by_now_and_is_done_once() {
    let place = Workplace::with(&[("index.js", SERVER), ("package.json", "{}")], Duration::from_secs(600)).await;
    let State::Running { run: first, .. } = place.start().await else { panic!("{}", place.made.log().text) };
    let branch = Branch::of_story(1, 2);
    place.project.work_on(&branch).await.unwrap();
    let newer = SERVER.replace("'made'", "'made anew'");
    place.project.write(&FilePath::parse("index.js").unwrap(), newer.as_bytes()).unwrap();
    place.project.keep(&branch, "x", place.clock.now()).await.unwrap();
    place.project.merge(&branch, "B-2: Anew", place.clock.now()).await.unwrap();
    place.clock.advance(jiff::SignedDuration::from_secs(1));
    let by = place.by();
    let twice = tokio::join!(
        place.made.restart(&place.project, first.since, &by),
        place.made.restart(&place.project, first.since, &by)
    );
    assert!(twice.0.is_ok() && twice.1.is_ok(), "{twice:?}");
    let is_next = |state: &State| matches!(state, State::Running { run, .. } if run.commit != first.commit);
    let State::Running { run, .. } = place.until(is_next).await else { panic!() };
    assert_eq!(run.since, place.clock.now());
    assert_eq!(place.page().await, "made anew");
    let contents = Contents::of(&place.project.history().await.unwrap(), &run.commit);
    assert_eq!((contents.stories, contents.newer), (vec!["B-2: Anew".to_owned()], Vec::new()));
    place.made.stop();
    place.until(|state| matches!(state, State::Ended { .. })).await;
}

#[tokio::test]
async fn after_a_crash_it_is_told_that_it_ended_and_in_how_many_hours_it_ran() {
    let place = Workplace::with(&[("index.js", SERVER), ("package.json", "{}")], Duration::from_secs(86_400)).await;
    place.start().await;
    place.clock.advance(jiff::SignedDuration::from_hours(2));
    place.until(|_| place.made.hours_today() == 2).await;
    // The record as a crash leaves it.
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(place.stage.path("app.jsonl"), folder.path().join("app.jsonl")).unwrap();
    place.made.stop();
    place.until(|state| matches!(state, State::Ended { .. })).await;
    let made = (Habits::default(), Shown::default());
    let again = Made::open(folder.path(), place.stage.bench.clone(), place.clock.clone(), made).unwrap();
    let State::Ended { end, run, .. } = again.state() else { panic!("{:?}", again.state()) };
    assert!(end.words().contains("together with the workspace") && run.vision == *place.project.name(), "{end:?}");
    assert_eq!(again.hours_today(), 2);
}

#[tokio::test]
async fn an_app_that_breaks_says_how_it_ended_and_what_it_said() {
    let place = Workplace::with(
        &[("index.js", "console.error('no luck'); process.exit(3)"), ("package.json", "{}")],
        Duration::from_secs(600),
    )
    .await;
    let State::Ended { end, .. } = place.start().await else { panic!() };
    assert_eq!(end.words(), "It ended by itself: it ended with exit code 3.");
    assert_eq!(place.made.log().text, "no luck\n");
}

#[tokio::test]
async fn plain_files_are_shown_and_what_is_hidden_is_not() {
    let place =
        Workplace::with(&[("index.html", "<h1>Hello</h1>"), (".env", "secret")], Duration::from_secs(600)).await;
    assert!(matches!(place.start().await, State::Running { .. }), "{}", place.made.log().text);
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
    let place = Workplace::with(&[("readme.txt", "x")], Duration::from_secs(600)).await;
    let State::Ended { end, .. } = place.start().await else { panic!() };
    assert!(end.words().contains("nothing to start yet"), "{end:?}");
}

#[tokio::test]
async fn an_archive_holds_source_tests_data_and_how_to_start() {
    let files = [("index.js", SERVER), ("package.json", "{}"), ("acceptance/a.test.js", "t"), (".gitignore", "x")];
    let place = Workplace::with(&files, Duration::from_secs(600)).await;
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

#[tokio::test]
async fn what_is_taken_away_says_how_it_starts_whatever_it_is_made_with() {
    let started = async |files: &[(&str, &str)]| {
        let place = Workplace::with(files, Duration::from_secs(600)).await;
        let folder = place.project.download_folder().unwrap();
        place.project.unpack(&place.project.main().await.unwrap(), &folder).await.unwrap();
        let mut bytes = Vec::new();
        write_archive(&place.project, &Stack::at(&folder).unwrap(), place.clock.now(), &mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let plain = started(&[("index.html", "<h1>Hello</h1>")]).await;
    assert!(plain.contains("    node ../show-files.cjs\n") && plain.contains("shop/show-files.cjs"), "{plain}");
    let python = started(&[("app.py", "x"), ("requirements.txt", "six\n")]).await;
    assert!(python.contains("    export PYTHONPATH=.venv/lib\n    python3 app.py\n"), "{python}");
}
