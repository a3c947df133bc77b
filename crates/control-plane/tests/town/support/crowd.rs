use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::SignedDuration;
use simulators::railway;
use workflow::WorkflowState;

use super::{Ordered, Times, Town, Wishes};

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
    /// What Railway was asked for most often, and how often.
    pub asked: Vec<(String, usize)>,
    /// From the first order to the last project that was asked for: then the line was empty.
    pub line: SignedDuration,
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
        let mut asked: BTreeMap<String, usize> = BTreeMap::new();
        let mut line = SignedDuration::ZERO;
        for call in town.companies.at("railway").journal.calls() {
            if call.operation == "projectCreate" {
                line = call.at.duration_since(began);
            }
            *asked.entry(call.operation).or_default() += 1;
        }
        let mut asked: Vec<(String, usize)> = asked.into_iter().collect();
        asked.sort_by_key(|(_, number)| Reverse(*number));
        let last = ended.into_iter().max().unwrap_or(began);
        let verification = Times::dictated(railway::Settings::default().verification, 50);
        let dictated = BETWEEN_PROJECTS * i32::try_from(number.saturating_sub(1)).unwrap() + verification;
        let problems = town.books().await.problems;
        Self { active, refused, calls, asked, line, took: last.duration_since(began), dictated, problems }
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
