#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod actor;
mod crashes;
mod faults;
mod rehearsed;

use std::path::PathBuf;

use super::*;
use crate::bench::tests::executable;
use crate::bench::{Bench, Tools};
use crate::model::Setup;

/// A data folder with a vision and stories, and a model that was told where to ask.
struct Stage {
    home: tempfile::TempDir,
    clock: Clock,
    setup: Setup,
}

impl Stage {
    fn set(setup: Setup) -> Self {
        let home = tempfile::tempdir_in("/var/tmp").unwrap();
        Library::open(home.path()).unwrap();
        std::fs::write(home.path().join("visions/shop.md"), "A shop.\n").unwrap();
        Self { home, clock: Clock::at("2026-11-30T12:00:00Z".parse().unwrap()), setup }
    }

    fn story(&self, number: u64, title: &str) -> Name {
        let name = Name::from_title(title, "x").of_item(number);
        let text = format!(
            "---\ntitle: {title}\nstatus: ready\nvision: shop\n---\n\nAs a shopper I want it.\n\n## Acceptance criteria\n\n- [ ] it works\n"
        );
        std::fs::write(self.home.path().join("backlog").join(name.file()), text).unwrap();
        name
    }

    /// A life of the program, with nothing but the folder from the one before.
    fn live(&self) -> Sprints {
        let root = self.home.path();
        let bench = Bench::open(&root.join("bench"), executable(), Tools::default(), self.clock.clone()).unwrap();
        let model = Model::open(root, self.clock.clone()).unwrap();
        let mut setup = self.setup.clone();
        setup.limits.pause = Duration::from_millis(1);
        setup.limits.tries = 1;
        model.configure(Some(setup));
        let patience = [Duration::ZERO, Duration::ZERO];
        Sprints::with_patience(root, bench, model, self.clock.clone(), patience.into()).unwrap()
    }

    fn by(&self) -> Signature {
        Signature { by: Visitor::You, at: self.clock.now() }
    }

    fn plan(&self, sprints: &Sprints, items: &[Name], attempts: u32) -> u32 {
        sprints.plan(&Name::parse("shop").unwrap(), items, attempts, &self.by()).unwrap()
    }

    /// Works until nothing is left to do without a person.
    async fn work(&self, sprints: &Sprints, number: u32) -> Sprint {
        sprints.start(number, &self.by()).await.unwrap();
        sprints.rest().await;
        sprints.shelf().sprint(number).unwrap().unwrap()
    }

    async fn project(&self, sprints: &Sprints) -> Project {
        let name = Name::parse("shop").unwrap();
        Project::open(&self.path("projects"), &name, &sprints.0.bench, self.clock.now()).await.unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }
}

fn standing(sprint: &Sprint, index: usize) -> &Standing {
    &sprint.stories[index].1
}

fn why(sprint: &Sprint) -> &str {
    match standing(sprint, 0) {
        Standing::Failed { why } => why,
        other => panic!("{other:?}"),
    }
}
