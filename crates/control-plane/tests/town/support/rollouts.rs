use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use simulators::railway;
use store::sqlx;

use super::{Town, Wishes};

/// A replica looks after rollouts so often, and observes instances so often.
const LOOKS_AFTER: SignedDuration = SignedDuration::from_secs(2);
const OBSERVES: SignedDuration = SignedDuration::from_mins(1);

/// Calls at Railway that no update can do without: to set its variables and its image, to have it deployed, and to see that
/// it is.
const CALLS: i32 = 4;

impl Town {
    /// Adds a release and brings it before the customers. Its image.
    pub async fn release(&self, version: &str) -> String {
        let image = format!("registry.example/app@sha256:{version}{version}");
        let made = json!({"version": version, "image": image});
        self.ask(Method::POST, "/releases", made).await.unwrap();
        for _ in 0..2 {
            let why = json!({"without_proof_because": "It is tried here."});
            self.ask(Method::POST, &format!("/releases/{version}/promote"), why).await.unwrap();
        }
        image
    }

    /// Begins a rollout, without backups. Its id.
    pub async fn roll_out(&self, version: &str, mut strategy: Value) -> String {
        strategy["without_backup"] = true.into();
        let begun = self.ask(Method::POST, "/rollouts", json!({"version": version, "strategy": strategy})).await;
        begun.unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// Lives, with what runs on a timer, until a rollout is over or waits for the operator. How it stands then.
    pub async fn until_decided(&self, rollout: &str) -> String {
        let mut observed = Timestamp::UNIX_EPOCH;
        loop {
            let now = self.clock.now();
            if now.duration_since(observed) >= OBSERVES {
                observed = now;
                // What is away now is asked again.
                let _ = control_plane::observe_instances(&self.app.core()).await;
            }
            control_plane::look_after_rollouts(&self.app.core()).await.unwrap();
            let sql = "select state from rollouts where id = $1";
            let state: String = sqlx::query_scalar(sql).bind(rollout).fetch_one(self.db.db.read()).await.unwrap();
            if !["running", "cancelling", "rolling_back"].contains(&state.as_str()) {
                return state;
            }
            self.live_until(now + LOOKS_AFTER).await;
        }
    }

    /// How many instances run each release: by the record, and by Railway, where the two agree.
    pub async fn running(&self) -> BTreeMap<String, usize> {
        let sql = "select i.project, r.version, r.artifact from instances i
                   join instance_releases n on n.instance_id = i.id
                   join releases r on r.id = n.release_id where i.state = 'active'";
        let rows: Vec<(String, String, String)> = sqlx::query_as(sql).fetch_all(self.db.db.read()).await.unwrap();
        let at_railway: BTreeMap<String, Option<String>> =
            self.companies.railway.projects().into_iter().map(|seen| (seen.name.clone(), image(&seen))).collect();
        let mut running: BTreeMap<String, usize> = BTreeMap::new();
        for (project, version, artifact) in rows {
            let wanted: Value = serde_json::from_str(&artifact).unwrap();
            let runs = at_railway[&project].clone();
            let is_so = runs.as_deref() == wanted["image"].as_str();
            let word = if is_so { version } else { format!("{version} by the record, {runs:?} at Railway") };
            *running.entry(word).or_default() += 1;
        }
        running
    }

    /// Calls that Railway refused because there were too many.
    pub fn throttled(&self) -> usize {
        self.companies.at("railway").journal.calls().iter().filter(|call| call.status == Some(429)).count()
    }
}

/// The image that a project's service runs.
fn image(project: &railway::ProjectSeen) -> Option<String> {
    project.services.first().and_then(|service| service.runs.clone()).map(|(image, _)| image)
}

/// How long a rollout took, beside what the rate limit and the deployments alone dictate.
#[derive(Debug)]
pub struct RolloutTime {
    pub updated: i64,
    pub took: SignedDuration,
    /// What the deployments alone dictate, so many at a time, wave after wave.
    pub deploys: SignedDuration,
    /// What the rate limit alone dictates for the calls that no update can do without.
    pub calls: SignedDuration,
    /// Calls at Railway for each instance.
    pub asked: f64,
    pub throttled: usize,
}

impl RolloutTime {
    /// Of so many instances, so many at a time, in waves of these hundredths.
    pub async fn of(instances: u32, at_once: u16, waves: &[u8]) -> Self {
        let town = Town::open(Wishes { seed: 11, ..Wishes::default() }).await;
        // How long it takes to make them is measured elsewhere.
        town.companies.railway.change(|settings| settings.plan = railway::Plan::Unlimited);
        for number in 0..instances {
            town.order(&format!("shop{number}")).await;
        }
        town.settle().await;
        town.companies.railway.change(|settings| settings.plan = railway::Plan::Pro);
        // The hour of the limit begins anew.
        town.clock.advance(SignedDuration::from_hours(2));
        let image = town.release("2").await;
        let (began, before) = (town.clock.now(), town.companies.calls("railway"));
        let strategy = json!({"waves": waves, "at_once": at_once});
        let id = town.roll_out("2", strategy.clone()).await;
        assert_eq!(town.until_decided(&id).await, "done");
        let asked = town.companies.calls("railway") - before;
        let sql = "select count(*) from rollout_units where state = 'updated'";
        let sizes = fleet::Strategy {
            at_once: fleet::AtOnce::Waves { percents: waves.to_vec(), deploying: at_once.try_into().unwrap() },
            ..fleet::Strategy::default()
        }
        .wave_sizes(instances);
        let took = town.took_to_deploy(&image).await;
        let between = SignedDuration::from_hours(1) / 10_000;
        #[expect(clippy::cast_precision_loss, reason = "no such number is that large")]
        let each = asked as f64 / f64::from(instances);
        Self {
            updated: town.count(sql).await,
            took: town.clock.now().duration_since(began),
            deploys: dictated(&took, &sizes, usize::from(at_once)),
            calls: between * CALLS * i32::try_from(instances).unwrap(),
            asked: each,
            throttled: town.throttled(),
        }
    }

    pub fn dictated(&self) -> SignedDuration {
        self.deploys.max(self.calls)
    }

    /// How much longer it took than it had to.
    pub fn ratio(&self) -> f64 {
        self.took.as_secs_f64() / self.dictated().as_secs_f64()
    }
}

impl Town {
    /// How long each deployment of an image took at Railway, in the order in which units were begun.
    async fn took_to_deploy(&self, image: &str) -> Vec<SignedDuration> {
        let sql = "select i.project from rollout_units u join instances i on i.id = u.instance_id
                   where u.state = 'updated' order by u.begun_at, u.wave, u.position";
        let order: Vec<String> = sqlx::query_scalar(sql).fetch_all(self.db.db.read()).await.unwrap();
        let took: BTreeMap<String, SignedDuration> = self
            .companies
            .railway
            .projects()
            .into_iter()
            .filter_map(|seen| Some((seen.name.clone(), seen.services.first()?.runs.clone()?)))
            .filter(|(_, (runs, _))| runs == image)
            .map(|(name, (_, took))| (name, took))
            .collect();
        order.iter().map(|project| took[project]).collect()
    }
}

/// How long these take at least, so many at a time in this order, wave after wave.
fn dictated(took: &[SignedDuration], waves: &[u32], at_once: usize) -> SignedDuration {
    let (mut all, mut rest) = (SignedDuration::ZERO, took);
    for size in waves {
        let (wave, after) = rest.split_at((*size as usize).min(rest.len()));
        rest = after;
        let mut ends: BinaryHeap<Reverse<SignedDuration>> = BinaryHeap::new();
        let mut end = SignedDuration::ZERO;
        for each in wave {
            let start = if ends.len() < at_once { SignedDuration::ZERO } else { ends.pop().unwrap().0 };
            end = end.max(start + *each);
            ends.push(Reverse(start + *each));
        }
        all += end;
    }
    all
}
