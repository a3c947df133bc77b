//! Everything taken away and brought back, into an empty workspace and into one that is used.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use reqwest::StatusCode;

use super::meetings::rehearsal;
use super::notebook::{Answer, Notebook, field};
use crate::bench::tests::executable;
use crate::bench::{Bench, Tools};
use crate::history::Signature;
use crate::made::{Habits, Made, Shown, State};
use crate::moment;
use crate::name::Name;
use crate::project::Project;
use crate::visitor::Visitor;

impl Notebook {
    async fn export(&self) -> Vec<u8> {
        let answer = self.client.get(self.url("/export.tar")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.bytes().await.unwrap().to_vec()
    }

    async fn send_export(&self, bytes: &[u8]) -> Answer {
        let head = "--mark\r\nContent-Disposition: form-data; name=\"archive\"; filename=\"a.tar\"\r\n\r\n";
        let body = [head.as_bytes(), bytes, b"\r\n--mark--\r\n"].concat();
        let request = self.client.post(self.url("/import"));
        self.send(request.header("content-type", "multipart/form-data; boundary=mark").body(body)).await
    }

    /// Sends an export, and gives the page that says what would become of it.
    async fn preview(&self, bytes: &[u8]) -> String {
        let sent = self.send_export(bytes).await;
        assert_eq!(sent.address(), "/import", "{}", sent.text);
        self.page("/import").await
    }

    async fn bring_in(&self, bytes: &[u8]) -> String {
        let preview = self.preview(bytes).await;
        let done = self.post("/import/approval", &[("seen", &field(&preview, "seen"))]).await;
        assert_eq!(done.address(), "/import?done=yes", "{}", done.text);
        preview
    }

    /// All files that an export holds, by path.
    fn tree(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let folders = ["visions", "backlog", "decisions", "history", "meetings", "sprints", "team", "attachments"];
        for folder in folders.into_iter().chain(["bench/outputs", "projects/shopping-list/data"]) {
            add(&self.path(folder), folder, &mut files);
        }
        files
    }
}

fn add(folder: &Path, path: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let entry = entry.unwrap();
        let path = format!("{path}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            add(&entry.path(), &path, files);
        } else {
            files.insert(path, std::fs::read(entry.path()).unwrap());
        }
    }
}

fn run(folder: &Path, command: &[&str]) -> String {
    let mut program = Command::new(command[0]);
    let done = program.args(&command[1..]).current_dir(folder).stderr(Stdio::piped()).output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// A workspace in which everything happened: meetings, decisions, a sprint, an app that keeps data.
async fn full() -> Notebook {
    let notebook = rehearsal().await;
    let meeting = notebook.meet("vision", "").await;
    notebook.say(&meeting, "We forget the milk.").await;
    notebook.page_that_says(&meeting, "What goes wrong today?").await;
    notebook.say(&meeting, "Notes stay on the fridge.").await;
    notebook.page_that_says(&meeting, "Your click decides, not my word.").await;
    notebook.approve(&meeting, 1).await;
    let second = notebook.meet("refinement", "shopping-list").await;
    notebook.say(&second, "Go ahead.").await;
    notebook.page_that_says(&second, "Three stories").await;
    for number in 1..=3 {
        notebook.approve(&second, number).await;
    }
    let item = notebook.files("backlog").into_iter().find(|file| file.starts_with("B-1-")).unwrap();
    let item = item.strip_suffix(".md").unwrap();
    let planned = notebook.post("/sprints", &[("vision", "shopping-list"), ("item", item), ("attempts", "2")]).await;
    assert_eq!(planned.address(), "/sprints/1", "{}", planned.text);
    notebook.post("/sprints/1/start", &[]).await;
    notebook.page_that_says("/sprints/1", "finished").await;
    notebook.post("/settings/appearance", &[("language", "Deutsch"), ("theme", "dark")]).await;
    let key = [("base", "https://api.example.com/v1"), ("model", "m"), ("key", "sk-very-secret")];
    notebook.post("/settings/provider", &key).await;
    let remote = [("address", "https://git.example.com/app.git"), ("user", "ada"), ("token", "tok-very-secret")];
    notebook.post("/projects/shopping-list/remote", &remote).await;
    for folder in ["projects/shopping-list/data/deep", "team", "attachments/backlog/B-1-x"] {
        std::fs::create_dir_all(notebook.path(folder)).unwrap();
    }
    notebook.write("projects/shopping-list/data/deep/list.json", "[\"milk\"]");
    notebook.write("team/tester.md", "---\nname: Tess\nvoice: dry\nduty: tests\n---\nTest.\n");
    notebook.write("attachments/backlog/B-1-x/plan.txt", "a plan");
    notebook
}

#[tokio::test]
async fn everything_is_in_the_download_and_any_system_can_check_and_use_it() {
    let notebook = full().await;
    let home = tempfile::tempdir().unwrap();
    let bytes = notebook.export().await;
    std::fs::write(home.path().join("all.tar"), &bytes).unwrap();
    run(home.path(), &["tar", "-xf", "all.tar"]);
    run(home.path(), &["sha256sum", "--quiet", "--strict", "-c", "MANIFEST.sha256"]);
    let bundle = "projects/shopping-list/project.bundle";
    run(home.path(), &["git", "clone", "--quiet", bundle, "clone"]);
    assert!(home.path().join("clone/server.js").exists(), "the branch of what is done is checked out");
    assert!(run(&home.path().join("clone"), &["git", "branch", "-r"]).contains("sprint-1/B-1"));
    let read = |file: &str| std::fs::read_to_string(home.path().join(file)).unwrap();
    assert!(read("bench/commands.jsonl").contains("began") && read("README.txt").contains("git clone"));
    assert_eq!(read("projects/shopping-list/data/deep/list.json"), "[\"milk\"]");
    assert!(read("settings.json").contains("Deutsch") && read("settings.json").contains("git.example.com"));
    let text = String::from_utf8_lossy(&bytes);
    for secret in ["very-secret", "sealed_key", "sealed_token", "settings.key"] {
        assert!(!text.contains(&format!("\"{secret}")) && !text.contains(&format!("-{secret}")), "{secret}");
    }
    assert!(std::fs::read_dir(notebook.path("transit")).unwrap().next().is_none(), "nothing stays behind");
    assert!(notebook.page("/").await.contains("Download everything"));
}

#[tokio::test]
async fn an_empty_workspace_becomes_the_same_and_its_app_starts_there() {
    let (from, to) = (full().await, Notebook::open().await);
    let bytes = from.export().await;
    let preview = to.preview(&bytes).await;
    for part in ["meeting M-1", "sprint S-1", "the project “shopping-list”", "api.example.com", "Bring it in"] {
        assert!(preview.contains(part), "{part}: {preview}");
    }
    assert!(!preview.contains("Kept beside") && to.files("visions").is_empty(), "nothing has changed yet");
    let done = to.post("/import/approval", &[("seen", &field(&preview, "seen"))]).await;
    assert_eq!(done.address(), "/import?done=yes", "{}", done.text);
    assert!(to.page(&done.address()).await.contains("The export is brought in."));
    let (theirs, ours) = (from.tree(), to.tree());
    assert_eq!(theirs.keys().collect::<Vec<_>>(), ours.keys().collect::<Vec<_>>());
    assert!(theirs == ours, "every file is the same");
    assert!(to.page("/sprints/1").await.contains("finished"));
    assert!(to.page("/sprints/1/stories/1").await.contains("server.js"));
    assert!(to.page("/commands/1").await.contains("It ended well after"));
    assert!(to.page("/projects/shopping-list").await.contains("https://git.example.com/app.git"));
    assert!(to.page("/settings").await.contains("No key is saved."));
    assert!(!to.path("transit/import/files").exists());
    let again = to.preview(&bytes).await;
    let now = again.split("Brought in before").next().unwrap();
    assert!(now.contains("Left as it is") && !now.contains("<strong>Added"), "{again}");
    to.stop().await;
    start_app(&to).await;
}

/// Starts the app of the project that was brought in, and asks it for its page.
async fn start_app(notebook: &Notebook) {
    let clock = world::Clock::default();
    let bench = Bench::open(&notebook.path("bench"), executable(), Tools::default(), clock.clone()).unwrap();
    let name = Name::parse("shopping-list").unwrap();
    let project = Project::open(&notebook.path("projects"), &name, &bench, moment::now()).await.unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let made = (Habits { port, ..Habits::default() }, Shown::default());
    let made = Made::open(&notebook.path(""), bench, clock, made).unwrap();
    let mut changed = made.changed();
    made.start(&project, &Signature { by: Visitor::You, at: moment::now() }).await.unwrap();
    while !matches!(made.state(), State::Running { .. }) {
        assert!(!matches!(made.state(), State::Ended { .. }), "{:?} {}", made.state(), made.log().text);
        changed.changed().await.unwrap();
    }
    assert!(reqwest::get(format!("http://127.0.0.1:{port}/")).await.unwrap().status().is_success());
    made.stop();
    while !matches!(made.state(), State::Ended { .. }) {
        changed.changed().await.unwrap();
    }
}

#[tokio::test]
async fn in_a_used_workspace_nothing_is_lost_and_the_preview_says_what_changes() {
    let (from, to) = (Notebook::open().await, Notebook::open().await);
    for (notebook, body) in [(&from, "theirs"), (&to, "ours")] {
        notebook.post("/visions", &[("title", "Shop"), ("body", body)]).await;
        notebook.post("/visions", &[("title", "Same"), ("body", "same")]).await;
    }
    to.post("/visions", &[("title", "Ours alone")]).await;
    from.post("/visions", &[("title", "Theirs alone")]).await;
    from.post("/visions", &[("title", "Gone here")]).await;
    to.post("/visions", &[("title", "Gone here")]).await;
    to.delete("/visions/gone-here").await;
    from.post("/visions", &[("title", "Gone there")]).await;
    from.delete("/visions/gone-there").await;
    from.post("/backlog", &[("title", "Their first")]).await;
    to.post("/backlog", &[("title", "Our first")]).await;
    from.post("/meetings", &[("kind", "vision"), ("vision", "")]).await;
    to.post("/meetings", &[("kind", "vision"), ("vision", "")]).await;
    std::fs::create_dir_all(from.path("attachments/backlog/B-1-their-first")).unwrap();
    from.write("attachments/backlog/B-1-their-first/plan.txt", "a plan");
    let bytes = from.export().await;
    let preview = to.preview(&bytes).await;
    for part in [
        "vision “Shop” <span class=\"muted\">– as a new version",
        "vision “Theirs alone”",
        "vision “Gone here” <span class=\"muted\">– it had been deleted here",
        "as B-2-their-first, since B-1 is another item here",
        "meeting M-1 <span class=\"muted\">– the one of that number here is another one",
        "attachments/backlog/B-2-their-first/plan.txt",
    ] {
        assert!(preview.contains(part), "{part}: {preview}");
    }
    let before = to.file("meetings/M-1/journal.jsonl");
    to.bring_in(&bytes).await;
    assert!(to.file("visions/shop.md").ends_with("theirs\n"));
    assert!(to.page("/visions/shop/history/1").await.contains("ours"));
    assert!(to.page("/visions/shop/history").await.contains("from an export"));
    assert!(to.path("visions/ours-alone.md").exists() && to.path("visions/gone-here.md").exists());
    assert!(to.page("/deleted").await.contains("gone-there"));
    assert_eq!(to.files("backlog"), ["B-1-our-first.md", "B-2-their-first.md"]);
    assert!(to.path("history/backlog/B-2-their-first/00001.md").exists());
    assert_eq!(to.file("attachments/backlog/B-2-their-first/plan.txt"), "a plan");
    assert_eq!(to.file("meetings/M-1/journal.jsonl"), before);
    assert_eq!(to.file("imported/I-1/meetings/M-1/journal.jsonl"), from.file("meetings/M-1/journal.jsonl"));
    assert!(to.page("/import").await.contains("imported/I-1"));
    let versions = to.files("history/visions/shop").len();
    to.post("/visions/shop/history/1/restoration", &[("based_on", &revision(&to, "shop").await)]).await;
    let again = to.preview(&bytes).await;
    assert!(again.contains("here is a newer version of it"), "what came before does not come again: {again}");
    assert!(versions >= 2);
}

async fn revision(notebook: &Notebook, vision: &str) -> String {
    field(&notebook.page(&format!("/visions/{vision}/history/1")).await, "based_on")
}

#[tokio::test]
async fn what_is_shown_is_what_is_done_and_it_can_be_given_up() {
    let (from, to) = (Notebook::open().await, Notebook::open().await);
    from.post("/visions", &[("title", "Shop"), ("body", "theirs")]).await;
    let bytes = from.export().await;
    let seen = field(&to.preview(&bytes).await, "seen");
    to.post("/visions", &[("title", "Shop"), ("body", "ours")]).await;
    let late = to.post("/import/approval", &[("seen", &seen)]).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(
        late.text.contains("Something has changed here") && late.text.contains("as a new version"),
        "{}",
        late.text
    );
    assert!(to.file("visions/shop.md").ends_with("ours\n"));
    let after_restart = Notebook::open_in(to.folder(), Default::default()).await;
    assert!(after_restart.page("/import").await.contains("Bring it in"), "it waits for a click after a restart too");
    assert_eq!(to.post("/import/refusal", &[]).await.address(), "/import");
    assert_eq!(to.post("/import/approval", &[("seen", &seen)]).await.status, StatusCode::CONFLICT);
    assert!(!to.path("transit/import/files").exists());
}

#[tokio::test]
async fn what_is_no_export_is_refused_in_words_and_only_owners_bring_one_in() {
    let to = Notebook::open().await;
    for (bytes, words) in [
        (b"PK not a tar".repeat(100), "This is no export"),
        (Vec::new(), "No file was chosen"),
        (Notebook::open().await.export().await.split_off(512), "was not"),
    ] {
        let refused = to.send_export(&bytes).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains("It was not brought in"), "{}", refused.text);
        assert!(words == "was not" || refused.text.contains(words), "{words}: {}", refused.text);
        assert!(!to.path("transit/import/files").exists());
    }
    let ada = to.clone().signed_in("ada@example.com");
    assert!(ada.page("/import").await.contains("The .tar file"));
    let bob = to.clone().signed_in("bob@example.com");
    assert!(bob.page("/import").await.contains("Only owners"));
    assert_eq!(bob.send_export(b"x").await.status, StatusCode::FORBIDDEN);
    for address in ["/import/approval", "/import/refusal", "/projects/x/remote", "/projects/x/pushes"] {
        assert_eq!(bob.post(address, &[]).await.status, StatusCode::FORBIDDEN, "{address}");
    }
}

#[tokio::test]
async fn a_project_that_is_no_repository_is_refused() {
    let (from, to) = (Notebook::open().await, Notebook::open().await);
    let mut bytes = Vec::new();
    let mut parcel = crate::export::Parcel::new(&mut bytes, 0);
    parcel.add_bytes("projects/shop/project.bundle", b"# v2 git bundle\nnonsense\n").unwrap();
    parcel.finish().unwrap();
    let refused = to.send_export(&bytes).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("The project “shop” in the archive is not taken"), "{}", refused.text);
    assert!(!to.path("projects/shop").exists() && !to.path("transit/import/repositories").exists());
    drop(from);
}

#[tokio::test]
async fn words_are_found_where_they_were_said() {
    let notebook = full().await;
    let found = notebook.page("/search?q=fridge").await;
    assert!(found.contains("href=\"/meetings/M-1#turn-"), "{found}");
    let turn = found.split("/meetings/M-1#").nth(1).unwrap().split('"').next().unwrap();
    assert!(notebook.page("/meetings/M-1").await.contains(&format!("id=\"{turn}\"")));
    let found = notebook.page("/search?q=node%20alone").await;
    assert!(found.contains("href=\"/sprints/1/stories/1#said-1\""), "{found}");
    assert!(notebook.page("/sprints/1/stories/1").await.contains("id=\"said-1\""));
    let found = notebook.page("/search?q=plan.txt").await;
    assert!(found.contains("href=\"/backlog/B-1-x#attachments\""), "{found}");
    let found = notebook.page("/search?q=shopping%20list").await;
    assert!(found.contains("/visions/shopping-list#:~:text=Shopping%20list") && found.contains("<time"), "{found}");
}

#[tokio::test]
async fn what_was_said_is_listed_by_vision_and_by_member_of_the_team() {
    let notebook = full().await;
    let all = notebook.page("/chats").await;
    assert!(all.contains("Notes stay on the fridge.") && all.contains("S-1, B-1"), "{all}");
    let architects = notebook.page("/chats?vision=shopping-list&with=architect").await;
    assert!(architects.contains("/sprints/1/stories/1#said-1") && !architects.contains("fridge"), "{architects}");
    assert!(notebook.page("/chats?vision=other").await.contains("Nothing like that was said yet."));
}

#[tokio::test]
async fn a_remote_is_typed_in_kept_sealed_and_forgotten() {
    let notebook = full().await;
    assert!(!notebook.file("settings.json").contains("tok-very-secret"));
    let page = notebook.page("/projects/shopping-list").await;
    assert!(page.contains("A token is saved") && page.contains("would go 2 states and the names S-1"), "{page}");
    assert!(!page.contains("very-secret"));
    let wrong = [("address", "http://git.example.com/app.git"), ("user", "ada"), ("token", "tok-very-secret")];
    let refused = notebook.post("/projects/shopping-list/remote", &wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("must begin with https://") && !refused.text.contains("very-secret"));
    let other = [("address", "https://other.example.com/app.git"), ("user", "ada"), ("token", "")];
    notebook.post("/projects/shopping-list/remote", &other).await;
    assert!(!notebook.page("/projects/shopping-list").await.contains("A token is saved"), "it is for one host");
    let form = [("commit", "a".repeat(40)), ("after", "0".to_owned())];
    let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
    let stale = notebook.post("/projects/shopping-list/pushes", &form).await;
    assert_eq!(stale.status, StatusCode::CONFLICT);
    notebook.post("/projects/shopping-list/remote", &[("address", ""), ("token", ""), ("forget", "true")]).await;
    assert!(!notebook.file("settings.json").contains("other.example.com"));
}
