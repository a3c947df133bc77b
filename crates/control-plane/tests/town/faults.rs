//! Everything that is done once is interrupted at each place at which it can be.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use providers::Routing;
use serde_json::json;
use simulators::Fault;
use workflow::{Faults, Moment, WorkflowState};

use crate::support::{Town, Wishes};

/// An identity provider that Cloudflare knows.
const OKTA: &str = "Acme Okta";

const COMPANIES: [&str; 3] = ["railway", "cloudflare", "stripe"];

/// What a customer's life consists of here, one part after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// An instance is made ahead.
    Prepare,
    /// Somebody starts on it, and moves to the name that they chose.
    Claim,
    SignUp,
    Suspend,
    Resume,
    Rename,
    /// The instance gets an Access application of its own, with a provider that Cloudflare knows.
    OwnAccess,
    /// The same with one that is made for it.
    OwnProvider,
    SharedAccess,
    Delete,
}

const LIFE: &[Part] = &[Part::SignUp, Part::Suspend, Part::Resume, Part::Rename, Part::Delete];
const OWN_ACCESS: &[Part] =
    &[Part::SignUp, Part::OwnAccess, Part::Rename, Part::SharedAccess, Part::OwnProvider, Part::Delete];
const POOLED: &[Part] = &[Part::Prepare, Part::Claim, Part::Delete];

/// Somebody who orders, and how they are known now.
struct Life<'t> {
    town: &'t Town,
    name: String,
    /// What their project was called after.
    home: String,
}

impl<'t> Life<'t> {
    fn of(town: &'t Town, name: impl Into<String>) -> Self {
        let name = name.into();
        Self { town, home: name.clone(), name }
    }

    /// Lives through one part. The workflow that it ends with.
    async fn live(&mut self, part: Part) -> String {
        let (town, now) = (self.town, self.name.clone());
        let workflow = match part {
            Part::Prepare => {
                town.fill_pool().await;
                self.home = town.text("select subdomain from warm_instances where state = 'ready'").await;
                return town.text("select id from workflows where kind = 'prepare.v1' order by id desc limit 1").await;
            }
            Part::Claim => {
                let ordered = town.sign_up(&now).await;
                town.settle().await;
                assert_eq!(town.subdomain(ordered.instance).await.as_ref(), Some(&now));
                let claim = town.provisioning(ordered.instance).await.unwrap();
                assert_eq!(claim.kind, "claim.v1");
                return claim.id;
            }
            Part::SignUp => {
                let ordered = town.order(&now).await;
                town.settle().await;
                return town.provisioning(ordered.instance).await.map_or(ordered.workflow, |record| record.id);
            }
            Part::Suspend => town.try_suspend(&now).await.unwrap(),
            Part::Resume => town.try_resume(&now).await.unwrap(),
            Part::Rename => {
                self.name = format!("new-{now}");
                town.try_rename(&now, &self.name).await.unwrap()
            }
            Part::OwnAccess => town.try_own_access(&now, &json!({"existing": OKTA})).await.unwrap(),
            Part::OwnProvider => {
                let client = json!({"issuer": "http://127.0.0.1:9", "client_id": "spinoff", "client_secret": "s3cret"});
                town.try_own_access(&now, &json!({"oidc": client})).await.unwrap()
            }
            Part::SharedAccess => town.try_shared_access(&now).await.unwrap(),
            Part::Delete => town.delete(&now).await,
        };
        town.settle().await;
        workflow
    }
}

async fn expect_order(town: &Town, place: &str) {
    let books = town.books().await;
    assert!(books.problems.is_empty(), "{place}: {:#?}", books.problems);
}

fn calls(town: &Town) -> [u64; 3] {
    COMPANIES.map(|company| town.companies.calls(company))
}

/// Whole lives, one after the other. In each, one call of each part goes wrong at each company, until each
/// call did so.
async fn fail_each(parts: &[Part], fault: Fault, routing: Routing) {
    let pool = u32::from(parts.contains(&Part::Prepare));
    let town = Town::open(Wishes { pool, routing, ..Wishes::brisk() }).await;
    town.companies.identity_provider(OKTA).await;
    // So many calls the longest of them took, in each part.
    let mut most = vec![u64::MAX; parts.len()];
    for number in 1.. {
        if most.iter().all(|most| *most < number) {
            return;
        }
        let name = format!("shop{number}");
        let mut life = Life::of(&town, &name);
        for (index, part) in parts.iter().copied().enumerate() {
            let is_hit = number <= most[index];
            // Of the other parts none can be left out: whoever is resumed was suspended.
            if !is_hit && part == Part::Rename {
                continue;
            }
            let before = calls(&town);
            if is_hit {
                COMPANIES
                    .iter()
                    .zip(before)
                    .for_each(|(name, made)| town.companies.fail_at(name, made + number, fault));
            }
            let workflow = life.live(part).await;
            let took: Vec<u64> = calls(&town).iter().zip(before).map(|(after, before)| after - before).collect();
            town.companies.behave();
            let place = format!("{part:?} with {fault:?} at call {number} of {took:?}");
            let record = town.workflow(&workflow).await;
            assert_eq!(record.state, WorkflowState::Done, "{place}: {record:#?}");
            if is_hit {
                most[index] = took.into_iter().max().unwrap();
                expect_order(&town, &place).await;
            }
            // A lost answer ends in adoption, not in a second one.
            let made = town.made(&life.home);
            assert!(made[..4].iter().all(|times| *times <= 1), "{place}: {made:?}");
        }
    }
}

#[tokio::test]
async fn each_call_of_each_workflow_may_break_off_before_its_effect() {
    fail_each(LIFE, Fault::ResetBefore, Routing::Records).await;
    fail_each(POOLED, Fault::ResetBefore, Routing::Records).await;
}

#[tokio::test]
async fn each_call_of_each_workflow_may_break_off_after_its_effect() {
    fail_each(LIFE, Fault::ResetAfter, Routing::Records).await;
    fail_each(POOLED, Fault::ResetAfter, Routing::Records).await;
}

#[tokio::test]
async fn each_call_may_break_off_while_an_instance_gets_its_own_application_and_gives_it_back() {
    fail_each(OWN_ACCESS, Fault::ResetBefore, Routing::Records).await;
    fail_each(OWN_ACCESS, Fault::ResetAfter, Routing::Records).await;
    fail_each(OWN_ACCESS, Fault::ResetAfter, Routing::Wildcard).await;
}

#[tokio::test]
async fn each_call_may_break_off_where_one_record_leads_everybody() {
    for fault in [Fault::ResetBefore, Fault::ResetAfter] {
        fail_each(LIFE, fault, Routing::Wildcard).await;
    }
}

/// Lets each step and each undo happen twice, since its first result is never stored, and the step with
/// this name fail for good.
fn twice(failing: &Arc<Mutex<&'static str>>) -> Faults {
    let (seen, failing) = (Arc::new(Mutex::new(HashSet::new())), Arc::clone(failing));
    Faults::by(move |point| {
        let failing = *failing.lock().unwrap();
        if point.moment == Moment::Before {
            return None;
        }
        if point.step == failing && ["provision.v1", "prepare.v1", "claim.v1"].contains(&point.kind.as_str()) {
            return Some(workflow::Fault::Permanent);
        }
        seen.lock().unwrap().insert((failing, point.clone())).then_some(workflow::Fault::Death)
    })
}

#[tokio::test]
async fn the_process_may_die_after_each_step_of_a_life() {
    let town = Town::open(Wishes { steps: twice(&Arc::default()), ..Wishes::brisk() }).await;
    let mut life = Life::of(&town, "acme");
    for part in LIFE.iter().copied() {
        let workflow = life.live(part).await;
        assert_eq!(town.outcome(&workflow).await.0, WorkflowState::Done, "{part:?}");
        expect_order(&town, &format!("{part:?}")).await;
        assert_eq!(town.made("acme")[..4], [1; 4], "{part:?}");
    }
}

#[tokio::test]
async fn the_process_may_die_after_each_step_of_what_is_made_ahead() {
    let town = Town::open(Wishes { steps: twice(&Arc::default()), pool: 1, ..Wishes::brisk() }).await;
    let mut life = Life::of(&town, "acme");
    for part in POOLED.iter().copied() {
        let workflow = life.live(part).await;
        assert_eq!(town.outcome(&workflow).await.0, WorkflowState::Done, "{part:?}");
        expect_order(&town, &format!("{part:?}")).await;
        assert_eq!(town.made(&life.home)[..4], [1; 4], "{part:?}");
    }
}

#[tokio::test]
async fn what_is_made_ahead_and_fails_at_any_step_leaves_nothing_behind() {
    let failing = Arc::new(Mutex::new(""));
    let town = Town::open(Wishes { steps: twice(&failing), pool: 1, ..Wishes::brisk() }).await;
    for step in ["create project", "register hostname", "deploy", "publish address", "refuse strangers", "record"] {
        *failing.lock().unwrap() = step;
        control_plane::keep_pool(&town.app.core()).await.unwrap();
        town.settle().await;
        let workflow = town.text("select id from workflows where kind = 'prepare.v1' order by id desc limit 1").await;
        assert_eq!(town.outcome(&workflow).await.0, WorkflowState::Failed, "{step}");
        expect_order(&town, step).await;
        assert_eq!(town.count("select count(*) from provider_resources").await, 0, "{step}");
    }
    let steps = [
        "begin",
        "let in",
        "tell the guard",
        "wait until healthy",
        "refuse strangers",
        "start subscription",
        "observe",
        "record",
    ];
    for (number, step) in steps.into_iter().enumerate() {
        *failing.lock().unwrap() = "";
        Life::of(&town, "").live(Part::Prepare).await;
        *failing.lock().unwrap() = step;
        let order = town.sign_up(&format!("shop{number}")).await;
        town.settle().await;
        let claim = town.provisioning(order.instance).await.unwrap();
        assert_eq!((claim.kind.as_str(), claim.state), ("claim.v1", WorkflowState::Failed), "{step}");
        expect_order(&town, step).await;
        assert_eq!(town.count("select count(*) from provider_resources").await, 0, "{step}");
    }
}

#[tokio::test]
async fn a_signup_that_fails_at_any_step_is_undone_even_if_each_undo_happens_twice() {
    let failing = Arc::new(Mutex::new(""));
    let town = Town::open(Wishes { steps: twice(&failing), ..Wishes::brisk() }).await;
    let steps = [
        "begin",
        "create project",
        "configure",
        "register hostname",
        "deploy",
        "publish address",
        "cover with access control",
        "wait until healthy",
        "refuse strangers",
        "start subscription",
        "record",
    ];
    for (number, step) in steps.into_iter().enumerate() {
        *failing.lock().unwrap() = step;
        let workflow = Life::of(&town, format!("shop{number}")).live(Part::SignUp).await;
        assert_eq!(town.outcome(&workflow).await.0, WorkflowState::Failed, "{step}");
        expect_order(&town, step).await;
        assert_eq!(town.count("select count(*) from provider_resources").await, 0, "{step}");
    }
}
