use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use world::Entropy;

use super::deployments::Deployment;
use super::domains::{CustomDomain, ServiceDomain};
use super::limits::Windows;
use super::refusal::Refusal;
use super::services::{Service, ServiceInstance};
use super::tokens::Tokens;
use super::volumes::{Backup, Volume, VolumeInstance};
use super::{Behaviour, Dns, Kind, Settings, Span};

pub(super) type Variables = BTreeMap<String, String>;

/// Everything that there is, and the moment at which it is looked at.
pub(super) struct State {
    pub(super) now: Timestamp,
    pub(super) settings: Settings,
    pub(super) entropy: Entropy,
    pub(super) dns: Arc<dyn Dns>,
    pub(super) tokens: Tokens,
    pub(super) windows: Windows,
    pub(super) behaviours: BTreeMap<String, Behaviour>,
    /// By image.
    pub(super) behaviours_of_images: BTreeMap<String, Behaviour>,
    /// Where nothing else was said.
    pub(super) usual_behaviour: Behaviour,
    pub(super) backups: BTreeMap<String, Backup>,
    /// In the order in which they were made. Deleted ones stay, since their usage is still asked for.
    pub(super) projects: Vec<Project>,
    /// Which project an id belongs to, whatever it names.
    owners: HashMap<String, usize>,
    /// Which project a hostname belongs to.
    pub(super) hosts: HashMap<String, usize>,
    made: BTreeMap<(Kind, String), usize>,
    last_made: BTreeMap<Kind, Timestamp>,
}

#[derive(Debug)]
pub(super) struct Project {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) is_public: bool,
    pub(super) pr_deploys: bool,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) end: End,
    pub(super) environments: Vec<Environment>,
    pub(super) services: Vec<Service>,
    pub(super) instances: Vec<ServiceInstance>,
    /// By environment and, unless they are shared, service.
    pub(super) variables: BTreeMap<(String, Option<String>), Variables>,
    pub(super) volumes: Vec<Volume>,
    pub(super) volume_instances: Vec<VolumeInstance>,
    pub(super) custom_domains: Vec<CustomDomain>,
    pub(super) service_domains: Vec<ServiceDomain>,
    pub(super) deployments: Vec<Deployment>,
}

#[derive(Debug)]
pub(super) struct Environment {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_ephemeral: bool,
    pub(super) created: Timestamp,
}

/// Whether and when a project ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Open,
    /// Asked for at the first moment, done at the second.
    Scheduled(Timestamp, Timestamp),
    Done(Timestamp),
}

impl End {
    /// The moment at which everything was gone, if it has come.
    pub(super) fn gone(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Scheduled(_, at) | Self::Done(at) if at <= now => Some(at),
            Self::Open | Self::Scheduled(..) | Self::Done(_) => None,
        }
    }
}

impl State {
    pub(super) fn new(now: Timestamp, entropy: Entropy, settings: Settings, dns: Arc<dyn Dns>) -> Self {
        Self {
            now,
            settings,
            entropy,
            dns,
            tokens: Tokens::default(),
            windows: Windows::default(),
            behaviours: BTreeMap::new(),
            behaviours_of_images: BTreeMap::new(),
            usual_behaviour: Behaviour::Succeeds,
            backups: BTreeMap::new(),
            projects: Vec::new(),
            owners: HashMap::new(),
            hosts: HashMap::new(),
            made: BTreeMap::new(),
            last_made: BTreeMap::new(),
        }
    }

    /// A new id that is known to belong to a project.
    pub(super) fn id(&mut self, project: usize) -> String {
        let id = uuid(&self.entropy);
        self.owners.insert(id.clone(), project);
        id
    }

    /// Whose an id is, deleted projects included.
    pub(super) fn owner(&self, id: &str) -> Option<usize> {
        self.owners.get(id).copied()
    }

    /// The project that an id belongs to, unless it is gone; `noun` is what wasn't found otherwise.
    pub(super) fn place(&self, id: &str, noun: &str) -> Result<usize, Refusal> {
        let place = self.owner(id).ok_or_else(|| Refusal::not_found(noun))?;
        if self.at(place).end.gone(self.now).is_some() {
            return Err(Refusal::not_found(noun));
        }
        Ok(place)
    }

    /// As [`State::place`], for a project's own id.
    pub(super) fn project_place(&self, id: &str) -> Result<usize, Refusal> {
        let place = self.place(id, "Project")?;
        if self.at(place).id == id { Ok(place) } else { Err(Refusal::not_found("Project")) }
    }

    pub(super) fn at(&self, place: usize) -> &Project {
        &self.projects[place]
    }

    pub(super) fn at_mut(&mut self, place: usize) -> &mut Project {
        &mut self.projects[place]
    }

    /// Counts what was made and remembers when.
    pub(super) fn note_made(&mut self, kind: Kind, name: &str) {
        *self.made.entry((kind, name.to_owned())).or_default() += 1;
        self.last_made.insert(kind, self.now);
    }

    pub(super) fn made(&self, kind: Kind, name: &str) -> usize {
        self.made.get(&(kind, name.to_owned())).copied().unwrap_or(0)
    }

    /// Whether something of this kind was made less than so long ago.
    pub(super) fn is_too_soon(&self, kind: Kind, pause: SignedDuration) -> bool {
        self.last_made.get(&kind).is_some_and(|last| self.now.duration_since(*last) < pause)
    }

    /// Somewhere within a span.
    pub(super) fn draw(&self, span: Span) -> SignedDuration {
        let width = (span.most - span.least).as_millis().max(0).unsigned_abs();
        let chance = u128::from(u32::from_be_bytes(self.entropy.bytes::<4>()));
        let extra = i64::try_from(width * chance / u128::from(u32::MAX)).unwrap_or(0);
        span.least + SignedDuration::from_millis(extra)
    }
}

impl Project {
    pub(super) fn environment(&self, id: &str) -> Result<&Environment, Refusal> {
        self.environments.iter().find(|held| held.id == id).ok_or_else(|| Refusal::not_found("Environment"))
    }

    pub(super) fn service(&self, id: &str) -> Result<&Service, Refusal> {
        self.services.iter().find(|held| held.id == id).ok_or_else(|| Refusal::not_found("Service"))
    }
}

/// A random identifier in the usual form, version 4.
fn uuid(entropy: &Entropy) -> String {
    let mut bytes = entropy.bytes::<16>();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// So many characters that may stand in a hostname.
pub(super) fn label<const N: usize>(entropy: &Entropy) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnopqrstuvwxyz2345678";
    entropy.bytes::<N>().iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}
