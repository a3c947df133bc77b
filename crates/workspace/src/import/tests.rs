//! A sudden end at every step leads to the same as none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use std::collections::BTreeMap;

use tempfile::TempDir;
use tokio::sync::watch;

use super::*;
use crate::app::Provision;
use crate::bench::tests::executable;
use crate::export;
use crate::project::{Branch, FilePath};
use crate::transit::Passing;

struct Place {
    home: TempDir,
    app: App,
}

impl Place {
    async fn new() -> Self {
        Self::over(tempfile::tempdir_in("/var/tmp").unwrap()).await
    }

    async fn over(home: TempDir) -> Self {
        let (_close, closing) = watch::channel(false);
        let provision = Provision { program: Some(executable()), ..Provision::default() };
        let app = App::open(home.path(), provision, closing).await.unwrap();
        Self { home, app }
    }

    /// The same folder after the program ended.
    async fn again(self) -> Self {
        drop(self.app);
        Self::over(self.home).await
    }

    fn by(&self, second: i64) -> Signature {
        Signature { by: Visitor::You, at: Timestamp::from_second(second).unwrap() }
    }

    async fn write(&self, shelf: crate::name::Shelf, title: &'static str, text: &'static str) {
        let by = self.by(1_800_000_000);
        self.app.library(move |library: &Library| library.create(shelf, title, text, &by)).await.unwrap();
    }

    async fn project(&self) {
        let project = self.app.workshop.project(&Name::parse("shop").unwrap()).await.unwrap();
        let branch = Branch::of_story(1, 1);
        project.work_on(&branch).await.unwrap();
        project.write(&FilePath::parse("a").unwrap(), b"one\n").unwrap();
        project.keep(&branch, "x", Timestamp::UNIX_EPOCH).await.unwrap();
        project.merge(&branch, "done", Timestamp::UNIX_EPOCH).await.unwrap();
        std::fs::write(project.data_folder().unwrap().join("list"), "milk").unwrap();
    }

    async fn export(&self) -> Vec<u8> {
        let (root, settings) = (self.app.workshop.folder().unwrap(), self.app.settings.now());
        let passing = Passing::begin(self.app.workshop.root()).unwrap();
        let name = Name::parse("shop").unwrap();
        self.app.workshop.project(&name).await.unwrap().bundle(passing.path()).await.unwrap();
        let mut bytes = Vec::new();
        let path = passing.path();
        export::write(&root, &settings, Timestamp::UNIX_EPOCH, |_| Ok(path), &mut bytes).unwrap();
        bytes
    }

    async fn look_at(&self, bytes: &[u8]) {
        let upload = self.app.imports.receive().unwrap();
        std::fs::write(&upload.file, bytes).unwrap();
        self.app.imports.look_at(&self.app, upload, &self.by(1_800_000_100)).await.unwrap();
    }

    async fn seen(&self) -> String {
        match self.app.imports.stage(&self.app).await.unwrap() {
            Stage::Ready { seen, .. } => seen,
            _ => panic!("nothing is ready"),
        }
    }

    /// Everything but the repository's inside, of which the state of what is done counts.
    async fn tree(&self) -> (BTreeMap<String, String>, Option<CommitId>) {
        let mut files = BTreeMap::new();
        add(self.home.path(), "", &mut files);
        let name = Name::parse("shop").unwrap();
        let main = match self.app.workshop.has_project(&name) {
            true => Some(self.app.workshop.project(&name).await.unwrap().main().await.unwrap()),
            false => None,
        };
        (files, main)
    }
}

fn add(folder: &Path, path: &str, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{path}/{name}");
        match entry.file_type().unwrap().is_dir() {
            true if ["/projects/shop/git", "/projects/shop/work", "/projects/shop/cache", "/bench"]
                .contains(&&*path) => {}
            true => add(&entry.path(), &path, files),
            false => {
                files.insert(path, String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).into_owned());
            }
        }
    }
}

async fn theirs() -> Place {
    let place = Place::new().await;
    place.write(crate::name::Shelf::Visions, "Shop", "theirs\n").await;
    place.write(crate::name::Shelf::Visions, "New", "new\n").await;
    place.write(crate::name::Shelf::Backlog, "Their first", "item\n").await;
    place.project().await;
    let folder = place.home.path().join("meetings/M-1");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("journal.jsonl"), "{}\n").unwrap();
    std::fs::write(place.home.path().join("members.json"), "{\"ada@example.com\": \"editor\"}").unwrap();
    std::fs::write(place.home.path().join("settings.json"), "{\"language\": \"Deutsch\"}").unwrap();
    place.again().await
}

async fn ours() -> Place {
    let place = Place::new().await;
    place.write(crate::name::Shelf::Visions, "Shop", "ours\n").await;
    place.write(crate::name::Shelf::Backlog, "Our first", "item of ours\n").await;
    let folder = place.home.path().join("meetings/M-1");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("journal.jsonl"), "{\"other\": 1}\n").unwrap();
    place
}

#[tokio::test]
async fn a_sudden_end_at_any_step_leads_to_the_same() {
    let bytes = theirs().await.export().await;
    let whole = ours().await;
    whole.look_at(&bytes).await;
    let by = whole.by(1_800_000_200);
    let record = whole.app.imports.carry_out(&whole.app, &whole.seen().await, &by).await.unwrap();
    let expected = whole.tree().await;
    assert!(expected.1.is_some() && expected.0["/visions/shop.md"] == "theirs\n");
    assert_eq!(expected.0["/imported/I-1/meetings/M-1/journal.jsonl"], "{}\n");
    for steps in 0..=record.plan.steps.len() {
        let place = ours().await;
        place.look_at(&bytes).await;
        let imports = &place.app.imports;
        imports.write(INTENT, &record).unwrap();
        let files = imports.room.join(FILES);
        let carrier = Carrier { app: &place.app, room: &imports.room, files: &files, aside: "imported/I-1", by: &by };
        for step in record.plan.steps.iter().take(steps) {
            carrier.take(step).unwrap();
            carrier.take(step).unwrap();
        }
        let place = place.again().await;
        let reached = place.tree().await;
        for (path, text) in &expected.0 {
            assert_eq!(reached.0.get(path), Some(text), "{path} after {steps} steps");
        }
        assert_eq!((reached.0.len(), &reached.1), (expected.0.len(), &expected.1), "after {steps} steps");
    }
}

#[tokio::test]
async fn an_end_while_clearing_away_leaves_nothing_half() {
    let bytes = theirs().await.export().await;
    let place = ours().await;
    place.look_at(&bytes).await;
    let imports = place.app.imports.clone();
    std::fs::remove_file(imports.room.join(READY)).unwrap();
    let place = place.again().await;
    assert!(matches!(place.app.imports.stage(&place.app).await.unwrap(), Stage::Nothing));
    assert!(!imports.room.join(FILES).exists() && !imports.room.join(REPOSITORIES).exists());
}

#[tokio::test]
async fn a_sprint_that_was_being_worked_on_waits_for_a_person() {
    let from = theirs().await;
    let plan = crate::sprint::Plan { vision: "shop".to_owned(), stories: Vec::new(), attempts: 1, expected: None };
    let at = Timestamp::UNIX_EPOCH;
    let sprints = from.app.workshop.sprints.shelf();
    let number = sprints.add(&plan, |plan| crate::sprint::Entry::Planned { at, by: "you".to_owned(), plan }).unwrap();
    sprints.write(number, &crate::sprint::Entry::Started { at, by: "you".to_owned() }).unwrap();
    let place = Place::new().await;
    place.look_at(&from.export().await).await;
    let by = place.by(1_800_000_200);
    place.app.imports.carry_out(&place.app, &place.seen().await, &by).await.unwrap();
    let sprint = place.app.workshop.sprints.shelf().sprint(number).unwrap().unwrap();
    let crate::sprint::Phase::Paused(Some(why)) = sprint.phase else { panic!("{:?}", sprint.phase) };
    assert!(why.contains("came with an export"), "{why}");
}

#[tokio::test]
async fn other_work_on_the_same_project_is_kept_beside() {
    let bytes = theirs().await.export().await;
    let place = ours().await;
    let project = place.app.workshop.project(&Name::parse("shop").unwrap()).await.unwrap();
    let main = project.main().await.unwrap();
    place.look_at(&bytes).await;
    let by = place.by(1_800_000_200);
    place.app.imports.carry_out(&place.app, &place.seen().await, &by).await.unwrap();
    assert_eq!(project.main().await.unwrap(), main);
    assert!(place.home.path().join("imported/I-1/projects/shop/project.bundle").is_file());
}
