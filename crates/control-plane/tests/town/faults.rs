//! Everything that is done once is interrupted at each place at which it can be.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use simulators::Fault;
use workflow::{Faults, Moment, WorkflowState};

use crate::support::{Town, Wishes};

const COMPANIES: [&str; 3] = ["railway", "cloudflare", "stripe"];

/// What a customer's life consists of here, one part after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    SignUp,
    Suspend,
    Resume,
    Rename,
    Delete,
}

const LIFE: [Part; 5] = [Part::SignUp, Part::Suspend, Part::Resume, Part::Rename, Part::Delete];

/// Somebody who orders, and how they are known now.
struct Life<'t> {
    town: &'t Town,
    name: String,
}

impl<'t> Life<'t> {
    fn of(town: &'t Town, name: impl Into<String>) -> Self {
        Self { town, name: name.into() }
    }

    /// Lives through one part. The workflow that it ends with.
    async fn live(&mut self, part: Part) -> String {
        let (town, now) = (self.town, self.name.clone());
        let workflow = match part {
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
async fn fail_each(fault: Fault) {
    let town = Town::open(Wishes::brisk()).await;
    // So many calls the longest of them took, in each part.
    let mut most = [u64::MAX; LIFE.len()];
    for number in 1.. {
        if most.iter().all(|most| *most < number) {
            return;
        }
        let name = format!("shop{number}");
        let mut life = Life::of(&town, &name);
        for (index, part) in LIFE.into_iter().enumerate() {
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
            let made = town.made(&name);
            assert!(made[..4].iter().all(|times| *times <= 1), "{place}: {made:?}");
        }
    }
}

#[tokio::test]
async fn each_call_of_each_workflow_may_break_off_before_its_effect() {
    fail_each(Fault::ResetBefore).await;
}

#[tokio::test]
async fn each_call_of_each_workflow_may_break_off_after_its_effect() {
    fail_each(Fault::ResetAfter).await;
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
        if point.step == failing && point.kind == "provision.v1" {
            return Some(workflow::Fault::Permanent);
        }
        seen.lock().unwrap().insert((failing, point.clone())).then_some(workflow::Fault::Death)
    })
}

#[tokio::test]
async fn the_process_may_die_after_each_step_of_a_life() {
    let town = Town::open(Wishes { steps: twice(&Arc::default()), ..Wishes::brisk() }).await;
    let mut life = Life::of(&town, "acme");
    for part in LIFE {
        let workflow = life.live(part).await;
        assert_eq!(town.outcome(&workflow).await.0, WorkflowState::Done, "{part:?}");
        expect_order(&town, &format!("{part:?}")).await;
        assert_eq!(town.made("acme")[..4], [1; 4], "{part:?}");
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
