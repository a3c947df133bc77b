//! What an instance keeps at Railway is backed up by its guard, comes back to the last byte, and is never left half: not by an
//! update that fails, nor by whatever happens to an answer on its way.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, to_bytes};
use axum::http::{Response, StatusCode};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use simulators::railway::Behaviour;
use workflow::WorkflowState;

use crate::support::{OLD_GUARD, Town, Wishes};

const PROJECT: &str = "ai-diy-acme";
const GOOD: &str = "registry.example/app@sha256:1111";
const BAD: &str = "registry.example/app@sha256:2222";

/// A town with one instance, which keeps something.
async fn with_one() -> Town {
    let town = Town::open(Wishes::brisk()).await;
    town.order("acme").await;
    town.settle().await;
    let data = town.companies.containers.data(PROJECT);
    std::fs::create_dir_all(data.join("visions/empty")).unwrap();
    std::fs::write(data.join("visions/shop.md"), "A shop").unwrap();
    let noise: Vec<u8> = (0..900_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    std::fs::write(data.join("workspace.db"), noise).unwrap();
    std::os::unix::fs::symlink("visions", data.join("link")).unwrap();
    town
}

/// Everything that the application keeps.
fn kept(town: &Town) -> BTreeMap<PathBuf, Vec<u8>> {
    kept_in(town, PROJECT)
}

fn kept_in(town: &Town, project: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    fn look(top: &Path, path: &Path, seen: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(top).unwrap().to_owned();
            if name == Path::new(".guard") {
                continue;
            }
            let found = std::fs::symlink_metadata(&path).unwrap();
            let content = match () {
                () if found.is_symlink() => std::fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes(),
                () if found.is_file() => std::fs::read(&path).unwrap(),
                () => Vec::new(),
            };
            if found.is_dir() {
                look(top, &path, seen);
            }
            seen.insert(name, content);
        }
    }
    let (data, mut seen) = (town.companies.containers.data(project), BTreeMap::new());
    look(&data, &data, &mut seen);
    seen
}

/// Changes and removes what it kept.
fn spoil(data: &Path) {
    std::fs::write(data.join("workspace.db"), "migrated, and wrongly").unwrap();
    let _ = std::fs::remove_dir_all(data.join("visions"));
    std::fs::write(data.join("new"), "x").unwrap();
}

async fn workflow(town: &Town, path: &str, body: Value) -> String {
    let accepted = town.ask(Method::POST, path, body).await.unwrap();
    accepted["workflow_id"].as_str().unwrap().to_owned()
}

async fn backed_up(town: &Town) -> (WorkflowState, String) {
    let id = workflow(town, "/backups", json!({"instance": "acme"})).await;
    town.settle().await;
    let record = town.workflow(&id).await;
    let said: String = record.steps.iter().filter_map(|step| step.error.clone()).collect();
    (record.state, said)
}

async fn newest(town: &Town) -> String {
    town.text("select id from backups where state = 'kept' order by id desc limit 1").await
}

#[tokio::test]
async fn a_backup_leaves_encrypted_and_comes_back_to_the_last_byte() {
    let town = with_one().await;
    let before = kept(&town);
    assert_eq!(backed_up(&town).await, (WorkflowState::Done, String::new()));
    for file in walk(town.companies.vault.path()) {
        let content = std::fs::read(&file).unwrap();
        assert!(content.starts_with(b"age-encryption.org/v1") && !has(&content, b"A shop"), "{}", file.display());
    }
    spoil(&town.companies.containers.data(PROJECT));
    let backup = newest(&town).await;
    let id = workflow(&town, &format!("/backups/{backup}/restore"), json!({"confirm": "acme"})).await;
    town.settle().await;
    let record = town.workflow(&id).await;
    assert_eq!(record.state, WorkflowState::Done, "{record:?}");
    assert_eq!(kept(&town), before);
    let proof = town.ask(Method::POST, &format!("/backups/{backup}/verify"), json!({})).await;
    assert!(proof.is_none(), "none is restored for a test there");
    // What was there until then is a backup of its own.
    assert_eq!(town.count("select count(*) from backups where state = 'kept'").await, 2);
    assert_eq!(town.count("select count(*) from usage_evidence").await, 0, "nobody used it");
}

#[tokio::test]
async fn a_copy_begins_with_everything_that_its_source_keeps() {
    let town = with_one().await;
    let wanted = json!({"subdomain": "trial"});
    let id = workflow(&town, "/instances/acme/copies", wanted).await;
    town.settle().await;
    let record = town.workflow(&id).await;
    assert_eq!(record.state, WorkflowState::Done, "{record:?}");
    assert_eq!(kept_in(&town, "ai-diy-trial"), kept(&town));
    assert_eq!(town.text("select state from instances where subdomain = 'trial'").await, "active");
    spoil(&town.companies.containers.data("ai-diy-trial"));
    assert_eq!(backed_up(&town).await, (WorkflowState::Done, String::new()), "its source goes on by itself");
    assert!(kept(&town).contains_key(Path::new("visions/shop.md")));
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

fn has(content: &[u8], word: &[u8]) -> bool {
    content.windows(word.len()).any(|window| window == word)
}

async fn roll_out(town: &Town, version: &str, image: &str, soak_minutes: u32) -> String {
    town.ask(Method::POST, "/releases", json!({"version": version, "image": image})).await.unwrap();
    for _ in 0..2 {
        let why = json!({"without_proof_because": "a test answers for it"});
        town.ask(Method::POST, &format!("/releases/{version}/promote"), why).await.unwrap();
    }
    let wanted = json!({"version": version, "strategy": {"soak_minutes": soak_minutes}});
    let id = town.ask(Method::POST, "/rollouts", wanted).await.unwrap()["id"].as_str().unwrap().to_owned();
    control_plane::look_after_rollouts(&town.app.core()).await.unwrap();
    town.settle().await;
    id
}

async fn unit(town: &Town) -> String {
    town.text("select state || ': ' || coalesce(why, '') from rollout_units").await
}

#[tokio::test]
async fn an_update_that_never_comes_up_leaves_former_release_and_data() {
    let town = with_one().await;
    let before = kept(&town);
    let railway = town.companies.railway.clone();
    railway.behave(PROJECT, Behaviour::Fails);
    // What is deployed after its data was put back fares as it did before.
    town.companies.containers.on_the_way(move |path, answer| {
        if path == "/-/data/restore" {
            railway.behave(PROJECT, Behaviour::Succeeds);
        }
        answer
    });
    roll_out(&town, "2", BAD, 0).await;
    assert_eq!(kept(&town), before);
    assert!(unit(&town).await.contains("did not come up"), "{}", unit(&town).await);
    assert_eq!(town.count("select count(*) from backups where state = 'kept' and reason = 'before_update'").await, 1);
}

#[tokio::test]
async fn an_update_that_spoils_its_data_and_dies_is_undone_though_nothing_runs_any_more() {
    let town = with_one().await;
    let before = kept(&town);
    let data = town.companies.containers.data(PROJECT);
    let railway = town.companies.railway.clone();
    town.companies.containers.at_start(move |image, data| {
        if image == BAD {
            spoil(data);
            // It runs for a while, whatever is deployed after it runs for good.
            railway.behave(PROJECT, Behaviour::Succeeds);
        }
    });
    town.companies.railway.behave(PROJECT, Behaviour::CrashesAfter(SignedDuration::from_mins(3)));
    roll_out(&town, "2", BAD, 10).await;
    assert!(unit(&town).await.starts_with("rolled_back"), "{}", unit(&town).await);
    assert_eq!(kept(&town), before);
    assert!(!data.join(".guard-restore").exists());
    let projects = town.companies.railway.projects();
    let service = projects.iter().flat_map(|project| &project.services).next().unwrap();
    assert_eq!(service.image.as_deref(), Some(GOOD));
    // What it wrote before it died was kept as well.
    assert_eq!(town.count("select count(*) from backups where state = 'kept'").await, 2);
}

#[tokio::test]
async fn a_guard_from_before_backups_is_said_to_be_one_and_can_be_updated_once_without() {
    let town = with_one().await;
    town.ask(Method::POST, "/releases", json!({"version": "0", "image": OLD_GUARD})).await.unwrap();
    for _ in 0..2 {
        let why = json!({"without_proof_because": "a test answers for it"});
        town.ask(Method::POST, "/releases/0/promote", why).await.unwrap();
    }
    let id = town.roll_out("0", json!({})).await;
    assert_eq!(town.until_decided(&id).await, "done", "{}", unit(&town).await);
    let (state, said) = backed_up(&town).await;
    assert_eq!(state, WorkflowState::Failed, "{said}");
    assert!(said.contains("its guard is older than backups"), "{said}");
    let id = town.roll_out("1", json!({})).await;
    assert_eq!(town.until_decided(&id).await, "done", "{}", unit(&town).await);
    assert_eq!(backed_up(&town).await.0, WorkflowState::Done);
}

/// What can become of an answer on its way.
type Fault = fn(Response<Body>) -> Response<Body>;

fn status(status: u16) -> Response<Body> {
    Response::builder().status(StatusCode::from_u16(status).unwrap()).body(Body::empty()).unwrap()
}

fn cut(answer: Response<Body>) -> Response<Body> {
    // Ends well as far as HTTP goes, as behind a proxy that lost its upstream.
    let body = tokio::task::block_in_place(|| {
        let reading = to_bytes(answer.into_body(), usize::MAX);
        tokio::runtime::Handle::current().block_on(reading).unwrap()
    });
    Response::new(Body::from(body.slice(..body.len() / 2)))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_to_an_answer_on_its_way_nothing_is_left_half() {
    let faults: [(&str, &str, Fault); 5] = [
        ("/-/data/backup", "cut off", cut),
        ("/-/data/backup", "bad gateway", |_| status(502)),
        ("/-/data/backup", "throttled", |_| status(429)),
        ("/-/data/rest", "lost after it was carried out", |_| status(502)),
        ("/-/data/wake", "lost after it was carried out", |_| status(502)),
    ];
    let town = with_one().await;
    let before = kept(&town);
    for (which, what, fault) in faults {
        let tried = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&tried);
        town.companies.containers.on_the_way(move |path, answer| {
            let is_first = path == which && counted.fetch_add(1, Ordering::SeqCst) == 0;
            if is_first { fault(answer) } else { answer }
        });
        let (state, said) = backed_up(&town).await;
        assert_eq!(state, WorkflowState::Done, "{which} {what}: {said}");
        assert!(tried.load(Ordering::SeqCst) > 1, "{which} {what}: it was tried again");
        assert_eq!(kept(&town), before, "{which} {what}");
    }
    assert_eq!(town.count("select count(*) from backups where state <> 'kept'").await, 0);
    assert_eq!(walk(town.companies.vault.path()).len(), faults.len(), "each whole, and nothing beside them");
}
