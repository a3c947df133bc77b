use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use simulators::railway;
use workflow::{StepState, WorkflowRecord, WorkflowState};

use super::{Town, Wishes};

/// How long signups took that came one at a time, each list in order.
#[derive(Debug, Default)]
pub struct Times {
    /// Until the instance itself ran.
    pub instance: Vec<SignedDuration>,
    /// Until it answered at its address.
    pub address: Vec<SignedDuration>,
}

impl Times {
    pub async fn of_signups(number: u32, seed: u64) -> Self {
        let town = Town::open(Wishes { seed, ..Wishes::default() }).await;
        let mut times = Self::default();
        for place in 0..number {
            let began = town.clock.now();
            let order = town.order(&format!("shop{place}")).await;
            town.settle().await;
            let record = town.provisioning(order.instance).await.unwrap();
            assert_eq!(record.state, WorkflowState::Done, "{record:#?}");
            let deployed = record.steps.iter().find(|step| step.name == "deploy" && step.state == StepState::Done);
            let since = |end: Option<Timestamp>| end.unwrap().duration_since(began);
            times.instance.push(since(deployed.and_then(|step| step.finished_at)));
            times.address.push(since(record.finished_at));
        }
        times.instance.sort_unstable();
        times.address.sort_unstable();
        times
    }

    /// What is not exceeded in so many of a hundred cases.
    pub fn percentile(sorted: &[SignedDuration], hundredths: usize) -> SignedDuration {
        sorted[(sorted.len() * hundredths).div_ceil(100).clamp(1, sorted.len()) - 1]
    }

    /// The same of what Railway alone takes: evenly spread between its least and its most.
    pub fn dictated(span: railway::Span, hundredths: i32) -> SignedDuration {
        span.least + (span.most - span.least) * hundredths / 100
    }

    /// What became of those who started on an instance made ahead, from the card to the open door.
    pub async fn with_pool(number: u32, seed: u64) -> Vec<Start> {
        let town = Town::open(Wishes { seed, pool: 1, ..Wishes::default() }).await;
        let mut all = Vec::new();
        for place in 0..number {
            town.fill_pool().await;
            let (began, since) = (town.clock.now(), Instant::now());
            let order = town.sign_up(&format!("shop{place}")).await;
            town.live_until(began + SignedDuration::from_secs(1)).await;
            let own = since.elapsed();
            let claim = town.provisioning(order.instance).await.unwrap();
            assert_eq!((claim.kind.as_str(), claim.state), ("claim.v1", WorkflowState::Done), "{claim:#?}");
            let waited = claim.finished_at.unwrap().duration_since(began);
            all.push(Start {
                waited,
                requests: one_after_the_other(&claim, &town.workflow(&order.workflow).await),
                own,
            });
            town.settle().await;
        }
        all
    }
}

/// How somebody came to an instance made ahead.
#[derive(Debug, Clone)]
pub struct Start {
    /// How long nothing happened, by the clock of the town.
    pub waited: SignedDuration,
    /// How often providers and the instance were asked meanwhile, one after the other.
    pub requests: usize,
    /// How long our own work took, by the clock on the wall.
    pub own: Duration,
}

/// How many requests a customer waits for, one after the other, from the card on: what the claim does side by
/// side counts as the longer of the two.
fn one_after_the_other(claim: &WorkflowRecord, order: &WorkflowRecord) -> usize {
    // To providers, as recorded; and to the instance itself.
    let of = |record: &WorkflowRecord, name: &str, itself: usize| {
        let step = record.steps.iter().find(|step| step.name == name).unwrap();
        step.notes.as_deref().map_or(0, |notes| notes.lines().count()) + itself
    };
    let card = of(order, "wait for a means of payment", 0);
    let probed = of(claim, "wait until healthy", 1) + of(claim, "refuse strangers", 1);
    let settled = of(claim, "start subscription", 0).max(of(claim, "observe", 0));
    card + of(claim, "let in", 0).max(of(claim, "tell the guard", 1)).max(probed) + settled
}
