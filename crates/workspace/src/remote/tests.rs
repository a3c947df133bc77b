#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod host;

use std::time::Duration;

use secrecy::SecretString;

use super::*;
use crate::bench::tests::Stage;
use crate::project::{Branch, CommitId, FilePath, Project, Tag};
use crate::visitor::Visitor;
use host::{Behaviour, Host, TOKEN, USER, git};

const PATIENT: Patience = Patience { total: Duration::from_secs(60), silence: Duration::from_secs(30) };

struct Place {
    stage: Stage,
    project: Project,
    pushes: Pushes,
    clock: Clock,
}

impl Place {
    async fn with(patience: Patience) -> Self {
        let stage = Stage::set();
        let clock = Clock::at("2026-11-30T12:00:00Z".parse().unwrap());
        let projects = stage.path("projects");
        let project = Project::open(&projects, &name(), &stage.bench, clock.now()).await.unwrap();
        let pushes = Pushes::new(projects.parent().unwrap(), Ways::default(), patience, clock.clone());
        let place = Self { stage, project, pushes, clock };
        place.work(1, "one\n").await;
        place
    }

    async fn work(&self, story: u64, text: &str) -> CommitId {
        let branch = Branch::of_story(1, story);
        self.project.work_on(&branch).await.unwrap();
        self.project.write(&FilePath::parse("a").unwrap(), text.as_bytes()).unwrap();
        self.project.keep(&branch, "x", self.clock.now()).await.unwrap();
        self.project.merge(&branch, &format!("B-{story} is done"), self.clock.now()).await.unwrap();
        self.project.main().await.unwrap()
    }

    async fn errand(&self, address: &str, token: &str) -> Errand {
        Errand {
            address: Address::parse(address).unwrap(),
            user: USER.to_owned(),
            token: SecretString::from(token),
            objects: self.project.objects(),
            commit: self.project.main().await.unwrap(),
            tags: Vec::new(),
        }
    }

    /// Pushes and waits until that has ended, well or not.
    async fn push(&self, errand: Errand) -> Outcome {
        let mut changed = self.pushes.changed();
        let after = self.pushes.of(&name()).unwrap().len();
        let by = Signature { by: Visitor::You, at: self.clock.now() };
        self.pushes.start(&name(), errand, after, &by).unwrap();
        while self.pushes.progress(&name()).is_some() {
            changed.changed().await.unwrap();
        }
        self.pushes.of(&name()).unwrap().last().unwrap().outcome.clone().unwrap()
    }

    fn journal(&self) -> String {
        std::fs::read_to_string(self.stage.path("projects/shop/pushes.jsonl")).unwrap()
    }
}

fn name() -> Name {
    Name::parse("shop").unwrap()
}

fn why(outcome: Outcome) -> String {
    match outcome {
        Outcome::Failed(why) => why,
        Outcome::Pushed => panic!("it was pushed"),
    }
}

#[tokio::test]
async fn what_is_done_is_pushed_and_later_only_what_is_new() {
    let (place, host) = (Place::with(PATIENT).await, Host::serving().await);
    let first = place.project.main().await.unwrap();
    place.project.tag(&Tag::of_sprint(1), &first).await.unwrap();
    let mut errand = place.errand(&host.address(), TOKEN).await;
    errand.tags = vec![("S-1".to_owned(), first.clone())];
    assert_eq!(place.push(errand).await, Outcome::Pushed);
    assert_eq!(host.state("refs/heads/main"), first.as_str());
    assert_eq!(host.state("refs/tags/S-1"), first.as_str());
    assert_eq!(host.state("refs/heads/sprint-1/B-1"), "", "nothing else was sent");
    let second = place.work(2, "two\n").await;
    assert_eq!(place.push(place.errand(&host.address(), TOKEN).await).await, Outcome::Pushed);
    assert_eq!(host.state("refs/heads/main"), second.as_str());
    let pushes = place.pushes.of(&name()).unwrap();
    assert_eq!((pushes.len(), &pushes[0].commit, pushes[0].by.as_str()), (2, &first, "you"));
    assert!(!place.journal().contains(TOKEN));
}

#[tokio::test]
async fn the_same_click_sent_twice_pushes_once() {
    let (place, host) = (Place::with(PATIENT).await, Host::serving().await);
    let by = Signature { by: Visitor::You, at: place.clock.now() };
    let mut changed = place.pushes.changed();
    for _ in 0..2 {
        place.pushes.start(&name(), place.errand(&host.address(), TOKEN).await, 0, &by).unwrap();
    }
    while place.pushes.progress(&name()).is_some() {
        changed.changed().await.unwrap();
    }
    place.pushes.start(&name(), place.errand(&host.address(), TOKEN).await, 0, &by).unwrap();
    assert_eq!(place.pushes.of(&name()).unwrap().len(), 1);
}

#[tokio::test]
async fn a_wrong_token_is_refused_in_words_that_do_not_hold_it() {
    let (place, host) = (Place::with(PATIENT).await, Host::serving().await);
    let why = why(place.push(place.errand(&host.address(), "wrong-secret").await).await);
    assert!(why.contains("does not take this user and token"), "{why}");
    assert!(!place.journal().contains("wrong-secret"));
    assert_eq!(host.state("refs/heads/main"), "");
}

#[tokio::test]
async fn other_work_at_the_remote_is_never_overwritten() {
    let (place, host) = (Place::with(PATIENT).await, Host::serving().await);
    let theirs = host.commit("somebody else's");
    let refused = why(place.push(place.errand(&host.address(), TOKEN).await).await);
    assert!(refused.contains("holds work that is not here"), "{refused}");
    assert_eq!(host.state("refs/heads/main"), theirs);
}

#[tokio::test]
async fn a_name_that_means_another_state_there_stays_and_is_told() {
    let (place, host) = (Place::with(PATIENT).await, Host::serving().await);
    let first = place.project.main().await.unwrap();
    assert_eq!(place.push(place.errand(&host.address(), TOKEN).await).await, Outcome::Pushed);
    git(&host.repository(), &["update-ref", "refs/tags/S-1", first.as_str()]);
    let second = place.work(2, "two\n").await;
    let mut errand = place.errand(&host.address(), TOKEN).await;
    errand.tags = vec![("S-1".to_owned(), second.clone())];
    let told = why(place.push(errand).await);
    assert!(told.contains("What is done was pushed") && told.contains("S-1"), "{told}");
    assert_eq!(
        (host.state("refs/heads/main"), host.state("refs/tags/S-1")),
        (second.as_str().into(), first.as_str().into())
    );
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up() {
    let patience = Patience { total: Duration::from_millis(300), ..PATIENT };
    let (place, host) = (Place::with(patience).await, Host::that(Behaviour::Hangs).await);
    let why = why(place.push(place.errand(&host.address(), TOKEN).await).await);
    assert!(why.contains("did not come to an end"), "{why}");
    let slow = Patience { silence: Duration::from_secs(1), ..PATIENT };
    let place = Place::with(slow).await;
    let told = self::why(place.push(place.errand(&host.address(), TOKEN).await).await);
    assert!(told.contains("does not answer, or too slowly"), "{told}");
}

#[tokio::test]
async fn a_token_does_not_follow_a_redirect() {
    let (place, elsewhere) = (Place::with(PATIENT).await, Host::serving().await);
    let host = Host::that(Behaviour::SendsOn(elsewhere.address())).await;
    let why = why(place.push(place.errand(&host.address(), TOKEN).await).await);
    assert!(why.contains("sends on to another address"), "{why}");
    assert_eq!(elsewhere.asked(), 0);
    assert!(host.asked() > 0);
}

#[tokio::test]
async fn a_host_that_is_not_there_and_a_repository_that_is_not_are_told_apart() {
    let (place, host) = (Place::with(PATIENT).await, Host::serving().await);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let told = why(place.push(place.errand(&format!("http://{nobody}/app.git"), TOKEN).await).await);
    assert!(told.contains("cannot be reached from here"), "{told}");
    let other = host.address().replace("app.git", "none.git");
    let told = why(place.push(place.errand(&other, TOKEN).await).await);
    assert!(told.contains("There is no repository at"), "{told}");
}

#[tokio::test]
async fn nothing_in_the_repository_makes_git_run_anything_or_go_elsewhere() {
    let (place, host) = (Place::with(PATIENT).await, Host::serving().await);
    let proof = place.stage.path("ran");
    let repository = place.stage.path("projects/shop/git");
    let config = format!(
        "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\thooksPath = {hooks}\n[credential]\n\thelper = \"!touch {proof}\"\n[url \"http://127.0.0.1:1/\"]\n\tinsteadOf = http://127.0.0.1\n[http]\n\tproxy = http://127.0.0.1:1\n",
        hooks = repository.join("hooks").display(),
        proof = proof.display()
    );
    let errand = place.errand(&host.address(), TOKEN).await;
    std::fs::write(repository.join("config"), config).unwrap();
    std::fs::create_dir_all(repository.join("hooks")).unwrap();
    let hook = repository.join("hooks/pre-push");
    std::fs::write(&hook, format!("#!/bin/sh\ntouch {}\n", proof.display())).unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(place.push(errand).await, Outcome::Pushed);
    assert!(!proof.exists());
    assert_eq!(host.state("refs/heads/main"), place.project.main().await.unwrap().as_str());
}
