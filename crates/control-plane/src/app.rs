use std::ops::Deref;
use std::sync::Arc;

use access::MembersKey;
use domain::{Email, InstanceId, Plan, Subdomain};
use pages::Brand;
use providers::compute::{Compute, Release};
use providers::edge::Edge;
use providers::mail::Mail;
use providers::payments::Payments;
use providers::status_feed::StatusFeed;
use providers::storage::Storage;
use store::Db;
use tokio::sync::Notify;
use world::{Clock, Entropy, Sealer};

use crate::alerts::AlertSettings;
use crate::analytics::visits::Visits;
use crate::backups::BackupSettings;
use crate::billing::BillingSettings;
use crate::model::ModelGateway;
use crate::releases::settings::Application;
use crate::tickets::settings::SupportSettings;
use crate::usage::intake::Intake;

/// What the operator decided.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What is sold here.
    pub product: String,
    /// How that looks, and what is said of it.
    pub brand: Arc<Brand>,
    /// Where the site is, such as `http://localhost:8080`.
    pub public_url: String,
    /// What instances' hostnames end with, such as `localhost`.
    pub base_domain: String,
    /// What an instance costs.
    pub plan: Plan,
    /// What instances run.
    pub release: Release,
    /// Where that comes from.
    pub application: Application,
    /// When invoices are made, and what they say beside amounts.
    pub billing: BillingSettings,
    /// How many instances are kept ready ahead of their customers.
    pub pool_size: u32,
    /// For how many days a deletion that was asked for can be taken back; 0 begins it at once.
    pub undo_days: u16,
    /// How often backups are taken, and how long they are kept.
    pub backups: BackupSettings,
    /// Who may use the console from the start.
    pub operator: Email,
    /// Whether the outbox can be read at `/mailbox`: on one machine only.
    pub mailbox: bool,
    /// Where the built-in edge is reached from here; the probes of a new instance go there. `None` where
    /// another edge stands before instances: probes then go to their hostnames, as everybody's requests do.
    pub probe_address: Option<std::net::SocketAddr>,
    /// How instances are watched, and who is told what of it.
    pub watch: WatchSettings,
    /// How mail reaches support.
    pub support: SupportSettings,
}

/// How instances are watched, and who is told what of it.
#[derive(Debug, Clone)]
pub struct WatchSettings {
    /// How many instances may be asked through their hostnames in a second, all together.
    pub probes_per_second: u32,
    /// Whom alerts reach beside the operator.
    pub alerts: AlertSettings,
    /// The status pages of the companies that all of it runs at.
    pub status_feeds: Vec<StatusFeed>,
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self { probes_per_second: 10, alerts: AlertSettings::default(), status_feeds: Vec::new() }
    }
}

/// The providers in use.
#[derive(Clone)]
pub struct Drivers {
    /// Runs instances.
    pub compute: Arc<dyn Compute>,
    /// Stands before them.
    pub edge: Arc<dyn Edge>,
    /// Collects money.
    pub payments: Arc<dyn Payments>,
    /// Sends mail.
    pub mail: Arc<dyn Mail>,
    /// Keeps backups; `None` where no place is set for them.
    pub storage: Option<Arc<dyn Storage>>,
}

/// What request handlers, workflows and reconcilers share.
pub struct Core {
    /// The record of everything.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Chance.
    pub entropy: Entropy,
    /// When this process started.
    pub started_at: jiff::Timestamp,
    /// Derives and seals secrets.
    pub sealer: Arc<Sealer>,
    /// What the operator decided.
    pub settings: Settings,
    /// The providers in use.
    pub drivers: Drivers,
    /// Signs member lists.
    pub members_key: MembersKey,
    /// Knows who may sign in to the site, and who is.
    pub gate: edge::Edge,
    /// Asks our own hostnames, and identity providers for what they say of themselves; follows no redirect.
    pub http: reqwest::Client,
    /// Wakes the delivery of mail.
    pub mail_waiting: Arc<Notify>,
    /// The way from instances to a model, where one is offered.
    pub model: Option<ModelGateway>,
}

impl Core {
    /// The hostname of an instance: `acme.example.com`.
    pub fn hostname(&self, subdomain: &Subdomain) -> String {
        format!("{subdomain}.{}", self.settings.base_domain)
    }

    /// The hostname of an instance as a browser shows it, with the port where it is not the usual one.
    pub fn shown_hostname(&self, subdomain: &Subdomain) -> String {
        format!("{subdomain}.{}", self.shown_base_domain())
    }

    /// What instances' hostnames end with, as a browser shows it.
    pub fn shown_base_domain(&self) -> String {
        let (_, port) = self.scheme_and_port();
        format!("{}{port}", self.settings.base_domain)
    }

    /// The address of an instance, with scheme and port as the site's own.
    pub fn instance_url(&self, subdomain: &Subdomain) -> String {
        let (scheme, _) = self.scheme_and_port();
        format!("{scheme}://{}", self.shown_hostname(subdomain))
    }

    fn scheme_and_port(&self) -> (&str, String) {
        let (scheme, rest) = self.settings.public_url.split_once("://").unwrap_or(("http", "localhost"));
        (scheme, rest.rsplit_once(':').map_or(String::new(), |(_, port)| format!(":{port}")))
    }

    /// Lets a person sign in to the site itself: their portal, or the console.
    ///
    /// # Errors
    /// When the store can't be used.
    pub async fn admit_to_site(&self, person: &Email) -> Result<(), edge::EdgeError> {
        self.gate.admit(self.gate.site(), &access::MemberRule::Exact(person.clone())).await.map(drop)
    }

    /// An address on the site.
    pub fn site_url(&self, path: &str) -> String {
        format!("{}{path}", self.settings.public_url)
    }

    /// What a guard proves with that it belongs to an instance.
    pub fn instance_token(&self, instance: InstanceId) -> secrecy::SecretString {
        crate::tokens::instance_token(&self.sealer, instance)
    }
}

/// The main instance: what is shared, and the engine that runs its workflows.
#[derive(Clone)]
pub struct App {
    core: Arc<Core>,
    /// Runs provisioning, deletion and the like.
    pub engine: workflow::Engine,
    intake: Arc<Intake>,
    visits: Visits,
}

impl App {
    /// Puts the parts together.
    pub fn new(core: Arc<Core>, engine: workflow::Engine) -> Self {
        Self { core, engine, intake: Arc::default(), visits: Visits::default() }
    }

    /// Takes in what guards report.
    pub(crate) fn intake(&self) -> &Intake {
        &self.intake
    }

    /// Counts visits of the site.
    pub(crate) fn visits(&self) -> &Visits {
        &self.visits
    }

    /// What workflows and reconcilers need.
    pub fn core(&self) -> Arc<Core> {
        Arc::clone(&self.core)
    }
}

impl Deref for App {
    type Target = Core;
    fn deref(&self) -> &Core {
        &self.core
    }
}
