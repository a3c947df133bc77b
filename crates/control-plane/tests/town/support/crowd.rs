use jiff::{SignedDuration, Timestamp};
use simulators::railway;
use workflow::{StepState, WorkflowState};

use super::{Ordered, Town, Wishes};

/// Railway makes one project in so long.
const BETWEEN_PROJECTS: SignedDuration = SignedDuration::from_secs(30);

/// What became of many who signed up at once.
#[derive(Debug)]
pub struct Crowd {
    pub active: usize,
    /// Their signup failed and was undone.
    pub refused: usize,
    /// Calls at Railway, Cloudflare and Stripe.
    pub calls: [u64; 3],
    /// From the first order to the last end.
    pub took: SignedDuration,
    /// What the limits alone dictate: one project in 30 s, and the last one's verification, of middling length.
    pub dictated: SignedDuration,
    /// What does not fit together in the end.
    pub problems: Vec<String>,
}

impl Crowd {
    /// So many sign up within a minute, while so many of a thousand calls fail, in every way.
    pub async fn come(number: u32, thousandths: u16, seed: u64) -> Self {
        let town = Town::open(Wishes { seed, ..Wishes::default() }).await;
        town.companies.fail_by_chance(thousandths, seed);
        let began = town.clock.now();
        let orders = order_within_a_minute(&town, number).await;
        town.settle().await;
        let mut ended = Vec::new();
        let (mut active, mut refused) = (0, 0);
        for order in &orders {
            let (state, end) = match town.provisioning(order.instance).await {
                Some(record) => (record.state, record.finished_at),
                None => (town.workflow(&order.workflow).await.state, None),
            };
            match state {
                WorkflowState::Done => active += 1,
                WorkflowState::Failed => refused += 1,
                // The books say so.
                _ => {}
            }
            ended.extend(end);
        }
        let calls = ["railway", "cloudflare", "stripe"].map(|company| town.companies.calls(company));
        let last = ended.into_iter().max().unwrap_or(began);
        let verification = Times::dictated(railway::Settings::default().verification, 50);
        let dictated = BETWEEN_PROJECTS * i32::try_from(number.saturating_sub(1)).unwrap() + verification;
        let problems = town.books().await.problems;
        Self { active, refused, calls, took: last.duration_since(began), dictated, problems }
    }

    /// How much longer it took than it had to.
    pub fn ratio(&self) -> f64 {
        self.took.as_secs_f64() / self.dictated.as_secs_f64()
    }
}

async fn order_within_a_minute(town: &Town, number: u32) -> Vec<Ordered> {
    let began = town.clock.now();
    let mut orders = Vec::new();
    for place in 0..number {
        let due =
            began + SignedDuration::from_secs(60) * i32::try_from(place).unwrap() / i32::try_from(number).unwrap();
        town.live_until(due).await;
        orders.push(town.order(&format!("shop{place}")).await);
    }
    orders
}

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
}
