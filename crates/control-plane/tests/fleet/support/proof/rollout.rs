use std::collections::{BTreeMap, BTreeSet};

use domain::ProjectName;
use fleet::{Strategy, Tolerated};
use jiff::Timestamp;
use store::sqlx::{self, Row as _};
use store::{from_millis, optional_from_millis};

use super::{Fleet, Recorded};
use crate::support::figures::Figures;

/// A rollout that is over.
pub struct Played {
    pub id: String,
    pub version: String,
    pub state: String,
    pub strategy: Strategy,
    pub is_whole: bool,
    pub made_at: Timestamp,
    /// When halts were accepted.
    pub accepted: Vec<Timestamp>,
}

/// What became of an instance in a rollout.
pub struct Unit {
    pub instance: String,
    pub wave: i64,
    pub position: i64,
    pub state: String,
    pub why: String,
    /// The version that it ran before.
    pub from: Option<String>,
    /// The name of the backup that was made before.
    pub backup: Option<String>,
    pub workflow: Option<String>,
    pub begun: Option<Timestamp>,
    pub settled: Option<Timestamp>,
    /// When it began to be watched.
    pub watched: Option<Timestamp>,
    /// Whether somebody died while that was noted, so that it is noted later than it was.
    pub is_watched_late: bool,
}

impl Unit {
    /// Whether it was part of the plan, and not left out from the start.
    pub fn was_planned(&self) -> bool {
        self.position < i64::MAX
    }

    pub fn has_failed(&self) -> bool {
        matches!(self.state.as_str(), "rolled_back" | "stuck")
    }
}

impl Figures {
    pub fn count(&mut self, units: &[Unit]) {
        let number = |state: &str| units.iter().filter(|unit| unit.state == state).count() as u64;
        self.rollouts += 1;
        self.updated += number("updated") + number("went_back");
        self.rolled_back += number("rolled_back");
        self.went_back += number("went_back");
    }
}

impl Fleet {
    /// The rollouts since the last look.
    pub async fn played(&self) -> Vec<Played> {
        let sql = "select o.id, r.version, o.state, o.strategy, o.is_whole, o.made_at from rollouts o
                   join releases r on r.id = o.release_id order by o.id";
        let rows: Vec<(String, String, String, String, i64, i64)> =
            sqlx::query_as(sql).fetch_all(self.grounds.db.read()).await.unwrap();
        let mut played = Vec::new();
        for (id, version, state, strategy, is_whole, made_at) in rows {
            if self.proven.contains(&id) {
                continue;
            }
            let (accepted, strategy) = (self.accepted(&id).await, serde_json::from_str(&strategy).unwrap());
            let (is_whole, made_at) = (is_whole == 1, from_millis(made_at));
            played.push(Played { id, version, state, strategy, is_whole, made_at, accepted });
        }
        played
    }

    /// When halts of a rollout were accepted: it was resumed, and had halted after it was resumed before.
    async fn accepted(&self, id: &str) -> Vec<Timestamp> {
        let sql = "select at, what from rollout_log where rollout_id = $1 order by seq";
        let told: Vec<(i64, String)> = sqlx::query_as(sql).bind(id).fetch_all(self.grounds.db.read()).await.unwrap();
        let (mut accepted, mut is_halted) = (Vec::new(), false);
        for (at, what) in told {
            if what.starts_with("Halted") {
                is_halted = true;
            } else if what.starts_with("Resumed") && std::mem::take(&mut is_halted) {
                accepted.push(from_millis(at));
            }
        }
        accepted
    }

    pub async fn units(&self, rollout: &str) -> Vec<Unit> {
        let sql = "select u.instance_id, u.wave, u.position, u.state, coalesce(u.why, '') as why, r.version, b.object,
                       u.workflow_id, u.begun_at, u.settled_at, s.finished_at as watched_at, s.attempts as tries
                   from rollout_units u left join releases r on r.id = u.from_release
                   left join backups b on b.id = u.backup_id
                   left join workflow_steps s on s.workflow_id = u.workflow_id and s.direction = 'do'
                       and s.name = 'begin to watch'
                   where u.rollout_id = $1 order by u.begun_at, u.wave, u.position";
        let rows = sqlx::query(sql).bind(rollout).fetch_all(self.grounds.db.read()).await.unwrap();
        let unit = |row: &sqlx::any::AnyRow| {
            let at = |column| optional_from_millis(row.try_get(column).unwrap());
            Unit {
                instance: row.try_get("instance_id").unwrap(),
                wave: row.try_get("wave").unwrap(),
                position: row.try_get("position").unwrap(),
                state: row.try_get("state").unwrap(),
                why: row.try_get("why").unwrap(),
                from: row.try_get("version").unwrap(),
                backup: row.try_get("object").unwrap(),
                workflow: row.try_get("workflow_id").unwrap(),
                begun: at("begun_at"),
                settled: at("settled_at"),
                watched: at("watched_at"),
                is_watched_late: row.try_get::<Option<i64>, _>("tries").unwrap().is_some_and(|tries| tries > 1),
            }
        };
        rows.iter().map(unit).collect()
    }

    /// Nobody is missing who was there when it began, and whoever was left out was left out for a reason.
    pub(super) fn skipped(
        &self,
        played: &Played,
        units: &[Unit],
        recorded: &BTreeMap<String, Recorded>,
    ) -> Vec<String> {
        let version = &played.version;
        let mut wrong = Vec::new();
        if !["done", "cancelled", "rolled_back"].contains(&played.state.as_str()) {
            wrong.push(format!("the rollout of {version} is {}", played.state));
        }
        let named: BTreeSet<&str> = units.iter().map(|unit| unit.instance.as_str()).collect();
        for (name, known) in self.people.iter().filter(|(_, known)| known.ordered_at < played.made_at) {
            let held = recorded.get(&known.id.to_string()).filter(|held| held.is_live());
            if held.is_some() && played.is_whole && !named.contains(known.id.to_string().as_str()) {
                wrong.push(format!("{name} is no part of the rollout of {version}"));
            }
        }
        for unit in units.iter().filter(|unit| unit.state == "excused") {
            let known = self.people.values().find(|known| known.id.to_string() == unit.instance).unwrap();
            let was_pinned = known.rules.iter().any(|(_, rules)| rules.pinned_until > Some(played.made_at));
            let holds = unit.why.contains("suspended")
                || unit.why.contains("delet")
                || (unit.why.contains("pinned") && was_pinned);
            if !holds {
                wrong.push(format!("{} was excused from {version} for no reason: {}", unit.instance, unit.why));
            }
        }
        if played.state == "done" {
            let left = units
                .iter()
                .filter(|unit| !["updated", "rolled_back", "skipped", "excused"].contains(&unit.state.as_str()));
            wrong.extend(left.map(|unit| format!("{} is {} though {version} is done", unit.instance, unit.state)));
        }
        wrong
    }

    /// What is wrong with one instance of a rollout.
    pub(super) fn unit_wrong(
        &mut self,
        played: &Played,
        unit: &Unit,
        recorded: &BTreeMap<String, Recorded>,
    ) -> Vec<String> {
        let version = &played.version;
        let Some(held) = recorded.get(&unit.instance).filter(|held| held.is_live()) else { return Vec::new() };
        let (name, mut wrong) = (&held.subdomain, Vec::new());
        let host = self.grounds.host.clone();
        let state = host.look();
        let project = &state.projects[&ProjectName::parse(&held.project).unwrap()];
        let release = &state.releases[version];
        if let Some(begun) = unit.begun
            && (!self.people[name].permits(begun) || begun < played.made_at + played.strategy.notice())
        {
            wrong.push(format!("{name} was updated to {version} at {begun}, against what was agreed"));
        }
        if unit.state == "updated" && project.flaw(host.chance, release).is_some() {
            wrong.push(format!("{version} is bad on {name}, and counts as updated"));
        }
        let backup = unit.backup.as_ref().and_then(|backup| Some((backup, state.taken.get(backup)?)));
        let after = |at: Timestamp| unit.begun.is_some_and(|begun| begun <= at);
        let deployed = project.deployed.iter().find(|deployed| deployed.version == *version && after(deployed.at));
        if let (Some((_, content)), Some(deployed)) = (backup, deployed)
            && deployed.found != *content
        {
            wrong.push(format!("{name} worked on between its backup and {version}"));
        }
        if let Some(deployed) = deployed
            && backup.is_none()
            && !played.strategy.without_backup
        {
            wrong.push(format!("{name} got {version} at {} without a backup", deployed.at));
        }
        if unit.has_failed() && !played.strategy.without_backup && deployed.is_some() {
            let is_back =
                backup.is_some() && project.put_back.as_ref().map(|(name, content)| (name, content)) == backup;
            self.figures.put_back += 1;
            let before = backup.and_then(|(_, content)| content.work.get(version));
            if !is_back || project.content.work.get(version) != before {
                wrong.push(format!("{name} went back from {version}, and not to what was backed up"));
            }
        }
        if unit.state == "went_back" && unit.why.contains("of before the update") {
            self.figures.put_back += 1;
            if project.put_back.as_ref().map(|(name, content)| (name, content)) != backup {
                wrong.push(format!("{name} was taken back from {version} with other data than it had"));
            }
        }
        if ["went_back", "rolled_back"].contains(&unit.state.as_str()) && project.version() == Some(version.clone()) {
            wrong.push(format!("{name} went back from {version} to {:?} and runs it", unit.from));
        }
        wrong
    }
}

impl Played {
    /// How many may fail of so many, by the strategy.
    pub fn tolerates(&self, planned: usize) -> usize {
        match self.strategy.tolerated {
            Tolerated::Failures(number) => number as usize,
            Tolerated::Percent(percent) => planned * usize::from(percent) / 100,
        }
    }
}
