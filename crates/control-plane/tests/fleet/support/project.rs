//! One instance as it really is, whatever the main instance believes.

use std::collections::{BTreeMap, BTreeSet};

use domain::InstanceId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Chance;
use super::release::{Flaw, Release};

/// What an application keeps.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Content {
    /// How many milliseconds of work of each version are in it.
    pub work: BTreeMap<String, i64>,
    /// The number of the release that brought it into its form.
    pub form: u32,
    /// Whether it was destroyed.
    pub is_lost: bool,
}

/// What is deployed, and since when it runs.
#[derive(Debug, Clone)]
pub struct Running {
    pub release: Release,
    pub installed: Timestamp,
    pub started: Timestamp,
}

/// A version got to an instance.
#[derive(Debug, Clone)]
pub struct Deployed {
    pub version: String,
    pub at: Timestamp,
    pub found: Content,
}

#[derive(Debug)]
pub struct Project {
    pub instance: InstanceId,
    pub hostnames: BTreeSet<String>,
    pub running: Option<Running>,
    /// The number of the release that it was made with: that one finds nothing that it could stumble over.
    made_with: Option<u32>,
    /// What is being deployed, until when.
    pub coming: Option<(Release, Timestamp)>,
    pub is_suspended: bool,
    pub content: Content,
    /// Until then its work is in its content.
    worked_until: Timestamp,
    /// What was put back last: the backup's name, and what was in place then.
    pub put_back: Option<(String, Content)>,
    /// Calls about it.
    pub calls: u64,
    /// What was deployed to it, and what it kept at that moment.
    pub deployed: Vec<Deployed>,
}

/// What its guard tells a probe.
pub struct Told {
    pub is_well: bool,
    pub release: Option<String>,
    /// What the application calls itself, if that is not what it is.
    pub version: Option<&'static str>,
}

impl Project {
    pub fn new(instance: InstanceId, now: Timestamp) -> Self {
        Self {
            instance,
            hostnames: BTreeSet::new(),
            running: None,
            made_with: None,
            coming: None,
            is_suspended: false,
            content: Content::default(),
            worked_until: now,
            put_back: None,
            calls: 0,
            deployed: Vec::new(),
        }
    }

    pub fn version(&self) -> Option<String> {
        self.running.as_ref().map(|running| running.release.version())
    }

    /// Its people worked until now, with what runs.
    pub fn work(&mut self, now: Timestamp) {
        let worked = i64::try_from(now.duration_since(self.worked_until).as_millis()).unwrap();
        self.worked_until = now;
        if let Some(running) = self.running.as_ref().filter(|_| !self.is_suspended && worked > 0) {
            *self.content.work.entry(running.release.version()).or_default() += worked;
        }
    }

    pub fn suspend(&mut self, now: Timestamp) {
        self.work(now);
        self.is_suspended = true;
    }

    pub fn resume(&mut self, chance: Chance, now: Timestamp) {
        if std::mem::replace(&mut self.is_suspended, false) {
            self.worked_until = now;
            self.starts(chance, now);
        }
    }

    /// From now on it runs this, if it is not suspended.
    pub fn install(&mut self, chance: Chance, release: Release, now: Timestamp) {
        self.work(now);
        self.made_with.get_or_insert(release.number);
        self.deployed.push(Deployed { version: release.version(), at: now, found: self.content.clone() });
        self.running = Some(Running { release, installed: now, started: now });
        self.coming = None;
        if !self.is_suspended {
            self.starts(chance, now);
        }
    }

    /// What is wrong with a release here.
    pub fn flaw(&self, chance: Chance, release: &Release) -> Option<Flaw> {
        release.flaw_on(chance, self.instance).filter(|_| self.made_with != Some(release.number))
    }

    /// What an application does with what it finds as it starts.
    fn starts(&mut self, chance: Chance, now: Timestamp) {
        let flaw = self.running.as_ref().and_then(|running| self.flaw(chance, &running.release));
        let Some(running) = &mut self.running else { return };
        running.started = now;
        if matches!(flaw, Some(Flaw::LosesData(_))) {
            self.content.work.clear();
            self.content.is_lost = true;
        }
        if running.release.changes_form {
            self.content.form = self.content.form.max(running.release.number);
        }
    }

    /// How its guard and its application are.
    pub fn tell(&self, chance: Chance, now: Timestamp) -> Told {
        let Some(running) = self.running.as_ref().filter(|_| !self.is_suspended) else {
            return Told { is_well: false, release: self.version(), version: None };
        };
        let age = now.duration_since(running.started);
        let flaw = self.flaw(chance, &running.release);
        let lives = match flaw {
            None | Some(Flaw::SaysAnother) => true,
            Some(Flaw::FailsToStart | Flaw::NeverWell | Flaw::TooSlow) => false,
            Some(Flaw::DiesAfter(life)) => age < life,
            // Until it notices.
            Some(Flaw::LosesData(life)) => age < life,
        };
        // Only the first time, and only where it finds something that it could be slow with.
        let slowness = if self.made_with == Some(running.release.number) {
            SignedDuration::ZERO
        } else {
            running.release.slowness
        };
        let finds_its_data = matches!(flaw, Some(Flaw::LosesData(_)))
            || (!self.content.is_lost && self.content.form <= running.release.number);
        Told {
            is_well: lives && finds_its_data && now.duration_since(running.installed) >= slowness,
            release: self.version(),
            version: (flaw == Some(Flaw::SaysAnother)).then_some("0.0.0"),
        }
    }

    /// How long until it runs what is being deployed to it.
    pub fn left(&self, now: Timestamp) -> Option<SignedDuration> {
        self.coming.as_ref().map(|(_, until)| until.duration_since(now).max(SignedDuration::ZERO))
    }
}
