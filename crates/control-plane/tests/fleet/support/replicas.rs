//! Several main instances on one store, each with its own engine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use access::MembersKey;
use control_plane::{
    App, Application, BackupSettings, BillingSettings, Core, Drivers, Settings, SignInCodes, WatchSettings, assemble,
};
use domain::{Email, Plan};
use providers::compute::Release;
use providers::edge::Builtin;
use providers::mail::Outbox;
use providers::payments::ledger::Ledger;
use store::Db;
use tokio::sync::Notify;
use workflow::{Fault, Faults};
use world::{Clock, Entropy, Sealer};

use super::vault::Vault;
use super::{Chance, Host, Scale};

pub const BASE: &str = "fleet.example";

/// What all replicas share.
pub struct Grounds {
    pub db: Db,
    pub clock: Clock,
    pub host: Host,
    pub vault: Vault,
    pub guards: SocketAddr,
    pub chance: Chance,
    /// How many replicas there ever were.
    pub born: AtomicU64,
    /// How many died within a step.
    pub deaths: Arc<AtomicU64>,
}

impl Grounds {
    /// One more of them.
    pub async fn replica(&self, scale: &Scale) -> App {
        let number = self.born.fetch_add(1, Ordering::SeqCst);
        let entropy = Entropy::seeded(self.chance.of(("replica", number)));
        let sealer = Arc::new(Sealer::new([9; 32]));
        let mail_waiting = Arc::new(Notify::new());
        let (db, clock) = (self.db.clone(), self.clock.clone());
        let codes = SignInCodes {
            db: db.clone(),
            sealer: Arc::clone(&sealer),
            clock: clock.clone(),
            entropy: entropy.clone(),
            product: "AI-DIY".into(),
            waiting: Arc::clone(&mail_waiting),
        };
        let url = format!("http://{BASE}");
        let opened = (db.clone(), Arc::clone(&sealer), clock.clone(), entropy.clone());
        let settings = edge::Settings::new(&url, BASE, "AI-DIY");
        let gate = edge::Edge::open(opened.0, opened.1, opened.2, opened.3, settings, Arc::new(codes)).await.unwrap();
        let core = Core {
            members_key: MembersKey::generate().unwrap(),
            drivers: Drivers {
                compute: Arc::new(self.host.clone()),
                edge: Arc::new(Builtin::new(gate.clone())),
                payments: Arc::new(Ledger::new(db.clone(), clock.clone())),
                mail: Arc::new(Outbox),
                storage: Some(Arc::new(self.vault.clone())),
            },
            gate,
            http: reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap(),
            started_at: clock.now(),
            settings: self.settings(url),
            db,
            clock,
            entropy,
            sealer,
            mail_waiting,
            model: None,
        };
        let engine = workflow::Settings {
            owner: format!("replica {number}"),
            parallel: scale.parallel,
            faults: self.deadly(number, scale.deaths),
            ..workflow::Settings::default()
        };
        assemble(core, engine).await.unwrap()
    }

    fn settings(&self, public_url: String) -> Settings {
        Settings {
            product: "AI-DIY".into(),
            brand: Arc::default(),
            public_url,
            base_domain: BASE.into(),
            plan: Plan::default(),
            release: Release {
                image: None,
                version: "1".into(),
                command: "true".into(),
                health_path: "/".into(),
                read_only: Vec::new(),
                activity_rules: None,
            },
            application: Application::Bundled,
            operator: Email::parse("operator@fleet.example").unwrap(),
            undo_days: 0,
            mailbox: false,
            pool_size: 0,
            backups: BackupSettings { every_hours: 0, proofs_a_night: 0, ..BackupSettings::default() },
            billing: BillingSettings::default(),
            probe_address: Some(self.guards),
            watch: WatchSettings::default(),
            support: control_plane::SupportSettings::default(),
        }
    }

    /// Now and then whoever does a step dies before or after it.
    fn deadly(&self, replica: u64, often: u64) -> Faults {
        let (chance, steps, deaths) = (self.chance, AtomicU64::new(0), Arc::clone(&self.deaths));
        Faults::by(move |_| {
            let step = steps.fetch_add(1, Ordering::SeqCst);
            (chance.below(("death", replica, step), 10_000) < often).then(|| {
                deaths.fetch_add(1, Ordering::SeqCst);
                Fault::Death
            })
        })
    }
}
