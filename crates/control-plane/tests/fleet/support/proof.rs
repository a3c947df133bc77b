//! What must hold of a fleet when nothing is left to be done, found out from what instances really are.

mod rollout;
mod turns;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use domain::ProjectName;
use store::sqlx;

use super::Fleet;

/// An instance as it is recorded.
struct Recorded {
    id: String,
    subdomain: String,
    project: String,
    state: String,
    /// The version that it is recorded to run.
    version: Option<String>,
}

impl Recorded {
    fn is_live(&self) -> bool {
        matches!(self.state.as_str(), "active" | "suspended")
    }
}

impl Fleet {
    /// Looks at every instance, and at every rollout since the last look.
    pub async fn prove(&mut self) {
        let recorded = self.recorded().await;
        let mut found = self.unfinished().await;
        found.extend(self.between_versions(&recorded));
        for played in self.played().await {
            let units = self.units(&played.id).await;
            found.extend(self.turns_wrong(&played, &units));
            found.extend(self.skipped(&played, &units, &recorded));
            for unit in &units {
                found.extend(self.unit_wrong(&played, unit, &recorded));
            }
            self.figures.count(&units);
            self.proven.insert(played.id);
        }
        let mut state = self.grounds.host.look();
        if state.meter.breaches > 0 {
            found.push(format!("{} of {} calls broke the rate limit", state.meter.breaches, state.meter.calls));
        }
        (self.figures.calls, self.figures.breaches) = (state.meter.calls, state.meter.breaches);
        self.figures.deaths = self.grounds.deaths.load(Ordering::SeqCst);
        state.taken.clear();
        state.projects.values_mut().for_each(|project| project.deployed.clear());
        drop(state);
        let seed = self.grounds.chance.0;
        self.problems.extend(found.into_iter().map(|what| format!("seed {seed}: {what}")));
    }

    async fn recorded(&self) -> BTreeMap<String, Recorded> {
        let sql = "select i.id, i.subdomain, i.project, i.state, r.version from instances i
                   left join instance_releases n on n.instance_id = i.id left join releases r on r.id = n.release_id";
        let rows: Vec<(String, String, String, String, Option<String>)> =
            sqlx::query_as(sql).fetch_all(self.grounds.db.read()).await.unwrap();
        rows.into_iter()
            .map(|(id, subdomain, project, state, version)| {
                (id.clone(), Recorded { id, subdomain, project, state, version })
            })
            .collect()
    }

    /// Nothing is under way, held, or waits for ever.
    async fn unfinished(&self) -> Vec<String> {
        let sql = "select kind || ' of ' || subject || ' is ' || state || ': ' || coalesce(error, '') from workflows
                   where state not in ('done', 'failed')";
        let mut wrong: Vec<String> = sqlx::query_scalar(sql).fetch_all(self.grounds.db.read()).await.unwrap();
        let sql = "select 'the unit of ' || instance_id || ' is ' || state || ', held: ' || is_held from rollout_units
                   where is_held = 1 or state in ('waiting', 'updating', 'soaking', 'going_back', 'stuck')";
        let units: Vec<String> = sqlx::query_scalar(sql).fetch_all(self.grounds.db.read()).await.unwrap();
        wrong.extend(units);
        wrong
    }

    /// Every instance runs what is recorded of it, answers, and is what it says.
    fn between_versions(&self, recorded: &BTreeMap<String, Recorded>) -> Vec<String> {
        let (host, now) = (&self.grounds.host, self.grounds.clock.now());
        let state = host.look();
        let mut wrong = Vec::new();
        for held in recorded.values().filter(|held| held.is_live()) {
            let name = &held.subdomain;
            let Some(project) = state.projects.get(&ProjectName::parse(&held.project).unwrap()) else {
                wrong.push(format!("{name} is {} and has no project", held.state));
                continue;
            };
            let (runs, says) = (project.version(), project.tell(host.chance, now));
            if runs != held.version || project.coming.is_some() {
                wrong.push(format!("{name} runs {runs:?} and is recorded to run {:?}", held.version));
            }
            if project.is_suspended != (held.state == "suspended") {
                wrong.push(format!("{name} is {} and rests: {}", held.state, project.is_suspended));
            }
            if !project.is_suspended && (!says.is_well || says.version.is_some()) {
                wrong.push(format!("{name} runs {runs:?} and is not well"));
            }
            if project.content.is_lost {
                wrong.push(format!("{name} runs {runs:?} and lost what it kept"));
            }
        }
        wrong
    }

    /// In the end everybody runs what is current, but for whoever failed with it, was left out, or taken back.
    pub async fn nobody_was_forgotten(&mut self) {
        let sql = "select r.version from current_releases c join releases r on r.id = c.release_id
                   where c.stage = 'customers'";
        let current: String = sqlx::query_scalar(sql).fetch_one(self.grounds.db.read()).await.unwrap();
        let sql = "select distinct u.instance_id from rollout_units u join rollouts o on o.id = u.rollout_id
                   join releases r on r.id = o.release_id
                   where r.version = $1 and u.state in ('rolled_back', 'stuck', 'skipped', 'went_back')";
        let tried: Vec<String> =
            sqlx::query_scalar(sql).bind(&current).fetch_all(self.grounds.db.read()).await.unwrap();
        let tried: BTreeSet<String> = tried.into_iter().collect();
        let number = |version: &Option<String>| version.as_ref().map_or(0, |version| version.parse::<u32>().unwrap());
        let seed = self.grounds.chance.0;
        for held in self.recorded().await.into_values().filter(|held| held.state == "active") {
            if number(&held.version) < current.parse().unwrap() && !tried.contains(&held.id) {
                let (name, runs) = (&held.subdomain, &held.version);
                self.problems.push(format!("seed {seed}: {name} was skipped: it runs {runs:?}, not {current}"));
            }
        }
    }
}
