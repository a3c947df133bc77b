//! A fleet that lives on a clock of its own: it is moved to the next moment at which something is to be done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use control_plane::{App, migrations, operator_token};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use store::sqlx;
use store::testing::{TestDb, fresh};
use tokio_util::sync::{CancellationToken, DropGuard};
use world::Clock;

use super::figures::Figures;
use super::guards::Guards;
use super::people::{Deed, People};
use super::release::Release;
use super::replicas::Grounds;
use super::vault::Vault;
use super::{Chance, Host, Scale};

/// A replica looks after rollouts so often.
const LOOKS_AFTER: SignedDuration = SignedDuration::from_secs(2);
/// So often nothing may come of it before somebody says so.
const PATIENCE: u32 = 60;

pub struct Fleet {
    pub grounds: Grounds,
    pub scale: Scale,
    pub people: People,
    /// How many instances were ever ordered.
    pub ordered: u64,
    pub url: String,
    pub http: reqwest::Client,
    pub token: String,
    pub figures: Figures,
    /// What is not as it should be.
    pub problems: Vec<String>,
    /// The workflows that a person had tried again.
    pub retried: BTreeSet<String>,
    /// The rollouts that were looked through.
    pub proven: BTreeSet<String>,
    /// What somebody is about to do.
    plans: BTreeMap<(Timestamp, u64), Deed>,
    replicas: Vec<App>,
    /// Serves people; it does no work.
    api: App,
    looked_after: Timestamp,
    moments: u64,
    _db: TestDb,
    _stop: DropGuard,
}

impl Fleet {
    /// A fleet of instances that run the first release.
    pub async fn begins(seed: u64, scale: Scale) -> Self {
        let (chance, clock) = (Chance(seed), Clock::at("2027-01-04T08:00:00Z".parse().unwrap()));
        let db = fresh(scale.store, &migrations()).await;
        let guards = Guards::default();
        let address = guards.open().await;
        let host = Host::new(chance, scale.manners, &db.db, &clock, address);
        guards.stand_for(host.clone());
        host.knows(Release::by_chance(chance, 1));
        let grounds = Grounds {
            vault: Vault::new(chance, scale.storage_failing),
            db: db.db.clone(),
            clock,
            host,
            guards: address,
            chance,
            born: AtomicU64::new(0),
            deaths: Arc::default(),
        };
        let api = grounds.replica(&Scale { deaths: 0, ..scale.clone() }).await;
        let replicas = vec![grounds.replica(&scale).await, grounds.replica(&scale).await];
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api/v1", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(control_plane::serve_people(listener, api.clone(), stop.clone()));
        let mut fleet = Self {
            people: People::new(),
            ordered: 0,
            url,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            token: operator_token(&api.sealer).expose_secret().to_owned(),
            figures: Figures::begin(),
            problems: Vec::new(),
            retried: BTreeSet::new(),
            proven: BTreeSet::new(),
            plans: BTreeMap::new(),
            looked_after: Timestamp::UNIX_EPOCH,
            moments: 0,
            replicas,
            api,
            grounds,
            scale,
            _db: db,
            _stop: stop.drop_guard(),
        };
        for _ in 0..fleet.scale.instances {
            fleet.sign_up().await;
        }
        fleet.live().await;
        let names: Vec<String> = fleet.people.keys().cloned().collect();
        for name in names {
            if chance.thousandths(("has hours", name.as_str()), fleet.scale.windows) {
                fleet.choose_window(&name, 0).await;
            }
        }
        control_plane::observe_instances(&fleet.api.core()).await.unwrap();
        fleet
    }

    /// All releases, one after the other.
    pub async fn lives(&mut self) {
        for number in 2..=self.scale.releases {
            let began = Instant::now();
            self.release(number).await;
            self.prove().await;
            self.figures.of_release(number, began);
            if !self.problems.is_empty() {
                return;
            }
            // Some time until the next one: pins end, and what was put off comes.
            self.pass(SignedDuration::from_hours(24 * 3)).await;
        }
        // Nobody is pinned, suspended or put off for ever.
        self.pass(SignedDuration::from_hours(24 * 30)).await;
        self.prove().await;
        self.nobody_was_forgotten().await;
    }

    async fn release(&mut self, number: u32) {
        let chance = self.grounds.chance;
        let release = Release::by_chance(chance, number);
        let version = release.version();
        self.grounds.host.knows(release.clone());
        self.ask(Method::POST, "/releases", json!({"version": version, "command": "true"})).await.unwrap();
        for _ in 0..2 {
            let why = json!({"without_proof_because": "It is tried on everybody."});
            self.ask(Method::POST, &format!("/releases/{version}/promote"), why).await.unwrap();
        }
        let strategy = self.strategy(&release);
        for deed in 0..chance.below(("deeds", number), self.scale.deeds) {
            let minutes = i64::try_from(chance.below(("when", number, deed), 60)).unwrap();
            let at = self.grounds.clock.now() + SignedDuration::from_mins(minutes);
            let question = u64::from(number) * 1000 + deed;
            self.plans.insert((at, question), Deed::by_chance(chance, (number, deed)));
        }
        let begun = self.ask(Method::POST, "/rollouts", json!({"version": version, "strategy": strategy})).await;
        if begun.is_none() {
            self.problems.push(format!("seed {}: the rollout of {version} could not begin", chance.0));
            return;
        }
        self.live().await;
    }

    fn strategy(&self, release: &Release) -> Value {
        let (chance, number) = (self.grounds.chance, release.number);
        let soak = match chance.one_of(("soak", number), self.scale.soaks) {
            0 if release.shows_late() => 2,
            minutes => minutes,
        };
        let without_backup = !release.harms_data() && chance.below(("no backup", number), 8) == 0;
        let notice = if chance.below(("notice", number), 6) == 0 { 24 } else { 0 };
        let mut strategy = json!({
            "soak_minutes": soak, "without_backup": without_backup, "notice_hours": notice,
            "tolerated": chance.one_of(("tolerated", number), &["0", "1", "3", "5%", "10%"]),
        });
        if !self.scale.one_by_one || chance.below(("one by one", number), 3) > 0 {
            let waves: &[&[u8]] = &[&[], &[10], &[1, 10, 20, 30], &[5, 25]];
            strategy["waves"] = json!(chance.one_of(("waves", number), waves));
            strategy["at_once"] = json!(chance.one_of(("at once", number), self.scale.at_once));
        }
        strategy
    }

    /// Lets so much time pass, with whatever is to be done meanwhile.
    async fn pass(&mut self, time: SignedDuration) {
        let end = self.grounds.clock.now() + time;
        self.live().await;
        while self.grounds.clock.now() < end {
            let left = end.duration_since(self.grounds.clock.now());
            self.grounds.clock.advance(left.min(SignedDuration::from_hours(24)));
            self.live().await;
        }
        control_plane::prune_backups(&self.api.core()).await.unwrap();
    }

    /// Lives until nothing is left to be done, for now.
    pub async fn live(&mut self) {
        let mut waited = 0;
        loop {
            self.work().await;
            self.some_act().await;
            self.look_after(LOOKS_AFTER).await;
            match self.next_moment().await {
                Some(at) => {
                    waited = 0;
                    self.go_to(at);
                }
                None if self.decides().await => {
                    waited += 1;
                    if waited > PATIENCE {
                        let open = self.open().await;
                        self.problems.push(format!("seed {}: it does not end: {open:?}", self.grounds.chance.0));
                        return;
                    }
                    self.grounds.clock.advance(SignedDuration::from_mins(1));
                }
                None => return,
            }
        }
    }

    /// Does what is due at this moment, all replicas at once; now and then one is killed at it and another takes its place.
    async fn work(&mut self) {
        loop {
            self.moments += 1;
            let victim = usize::try_from(self.moments % 2).unwrap();
            let dies = self.grounds.chance.below(("kill", self.moments), 10_000) < self.scale.kills;
            let host = self.grounds.host.clone();
            if dies {
                host.burn(1 + self.grounds.chance.below(("after", self.moments), 12));
            }
            let (one, other) = (&self.replicas[victim].engine, &self.replicas[1 - victim].engine);
            let mortal = async {
                tokio::select! {
                    () = host.blown(), if dies => true,
                    done = one.run_due() => { done.unwrap(); false }
                }
            };
            let (is_dead, done) = tokio::join!(mortal, other.run_due());
            done.unwrap();
            if is_dead {
                self.figures.kills += 1;
                self.replicas[victim] = self.grounds.replica(&self.scale).await;
            }
            if self.next_work().await.is_none_or(|due| due > self.grounds.clock.now()) {
                return;
            }
        }
    }

    async fn some_act(&mut self) {
        let now = self.grounds.clock.now();
        while let Some(((at, question), deed)) = self.plans.pop_first() {
            if at > now {
                self.plans.insert((at, question), deed);
                return;
            }
            self.act(deed, question).await;
        }
    }

    /// As every replica does once in a while.
    async fn look_after(&mut self, every: SignedDuration) {
        let now = self.grounds.clock.now();
        if now.duration_since(self.looked_after) >= every {
            self.looked_after = now;
            let replica = usize::try_from(self.moments % 2).unwrap();
            control_plane::look_after_rollouts(&self.replicas[replica].core()).await.unwrap();
        }
    }

    /// When a workflow can be taken up next.
    async fn next_work(&self) -> Option<Timestamp> {
        let sql = "select min(case when due_at > lease_until then due_at else lease_until end) from workflows
                   where state in ('running', 'undoing')";
        let due: Option<i64> = sqlx::query_scalar(sql).fetch_one(self.grounds.db.read()).await.unwrap();
        due.map(store::from_millis)
    }

    /// When something is to be done next.
    async fn next_moment(&self) -> Option<Timestamp> {
        let work = self.next_work().await;
        let planned = self.plans.keys().next().map(|(at, _)| *at);
        let mut opening = None;
        if let Some((id, state)) = self.open().await
            && state == "running"
        {
            let sql = "select min(opens_at) from rollout_units
                       where rollout_id = $1 and state = 'waiting' and opens_at > $2";
            let now = store::millis(self.grounds.clock.now());
            let opens: Option<i64> =
                sqlx::query_scalar(sql).bind(id).bind(now).fetch_one(self.grounds.db.read()).await.unwrap();
            opening = opens.map(store::from_millis);
        }
        [work, planned, opening].into_iter().flatten().min()
    }

    fn go_to(&self, at: Timestamp) {
        let tick = i64::try_from(self.scale.tick.as_millis()).unwrap();
        let (now, at) = (self.grounds.clock.now().as_millisecond(), at.as_millisecond());
        if at > now {
            let at = at.div_euclid(tick) * tick + if at % tick == 0 { 0 } else { tick };
            self.grounds.clock.advance(SignedDuration::from_millis(at - now));
        }
    }

    /// The rollout that is open, and how it stands.
    pub async fn open(&self) -> Option<(String, String)> {
        let sql = "select id, state from rollouts
                   where state in ('running', 'paused', 'halted', 'cancelling', 'rolling_back')";
        sqlx::query_as(sql).fetch_optional(self.grounds.db.read()).await.unwrap()
    }

    /// Everything stands still: the provider is asked how instances are, and the operator decides what waits for a person.
    /// Whether there was something.
    async fn decides(&mut self) -> bool {
        let stuck: Vec<String> = sqlx::query_scalar("select id from workflows where state = 'stuck'")
            .fetch_all(self.grounds.db.read())
            .await
            .unwrap();
        for id in &stuck {
            self.figures.retries += 1;
            self.retried.insert(id.clone());
            self.ask(Method::POST, &format!("/workflows/{id}/retry"), json!({})).await;
        }
        if let Some((id, state)) = self.open().await {
            let question = ("decides", self.figures.halts);
            let word = match state.as_str() {
                "paused" => Some("resume"),
                "halted" => {
                    self.figures.halts += 1;
                    Some(self.grounds.chance.one_of(question, &["resume", "cancel", "roll-back"]))
                }
                _ => None,
            };
            if let Some(word) = word {
                self.ask(Method::POST, &format!("/rollouts/{id}/{word}"), json!({})).await;
            }
            control_plane::observe_instances(&self.api.core()).await.unwrap();
            self.look_after(SignedDuration::ZERO).await;
            return true;
        }
        self.look_after(SignedDuration::ZERO).await;
        !stuck.is_empty() || self.open().await.is_some()
    }
}
