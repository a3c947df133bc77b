use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use control_plane::Drivers;
use providers::Routing;
use providers::compute::railway::{Railway, RailwaySettings};
use providers::edge::cloudflare::{Cloudflare, CloudflareSettings};
use providers::edge::{Builtin, Routed};
use providers::mail::Outbox;
use providers::payments::stripe::{Stripe, StripeSettings, VERSION};
use providers::storage::FolderStorage;
use reqwest::Client;
use secrecy::SecretString;
use serde_json::Value;
use simulators::{Fault, Faults, Pace, Served, Simulator, cloudflare, railway, serve, stripe};
use store::Db;
use tempfile::TempDir;
use world::{Clock, Entropy, Sealer};

use super::{Containers, Wishes};

/// Below which customers' hostnames are.
pub const BASE: &str = "ai-diy.ai";
const KEY: &str = "sk_test_simulated";

/// Railway, Cloudflare and Stripe, and what goes wrong with them.
pub struct Companies {
    pub railway: railway::Railway,
    pub cloudflare: cloudflare::Cloudflare,
    pub stripe: stripe::Stripe,
    pub served: [(&'static str, Served); 3],
    /// What runs at Railway.
    pub containers: Containers,
    /// Where backups are kept.
    pub vault: TempDir,
    pub routing: Routing,
    /// Whether Stripe has the price already.
    is_sold: AtomicBool,
}

impl Companies {
    pub async fn open(clock: &Clock, wishes: &Wishes) -> Self {
        let chance = |stream| Entropy::seeded(wishes.seed * 16 + stream);
        let railway = railway::Railway::new(clock.clone(), chance(1), wishes.railway.clone());
        // Room for a crowd: how full an account may get is told elsewhere.
        let account = cloudflare::Settings {
            plan: cloudflare::Plan::Paid,
            record_quota: 3_500,
            zone: BASE.into(),
            ..cloudflare::Settings::default()
        };
        let cloudflare = cloudflare::Cloudflare::new(clock.clone(), chance(2), account);
        let stripe = stripe::Stripe::new(clock.clone(), chance(3), stripe::Settings::default());
        railway.set_dns(Arc::new(cloudflare.clone()));
        let at = async |simulator: Arc<dyn Simulator>| serve(simulator, clock.clone(), Pace::Virtual).await.unwrap();
        let served = [
            ("railway", at(Arc::new(railway.clone())).await),
            ("cloudflare", at(Arc::new(cloudflare.clone())).await),
            ("stripe", at(Arc::new(stripe.clone())).await),
        ];
        let (containers, vault) = (Containers::new(clock), tempfile::tempdir().unwrap());
        Self {
            railway,
            cloudflare,
            stripe,
            served,
            containers,
            vault,
            routing: wishes.routing,
            is_sold: AtomicBool::new(false),
        }
    }

    /// What goes wrong at a company.
    pub fn faults(&self, company: &str) -> &Faults {
        &self.at(company).faults
    }

    pub fn calls(&self, company: &str) -> u64 {
        self.faults(company).calls()
    }

    pub fn fail_at(&self, company: &str, number: u64, fault: Fault) {
        self.faults(company).at_call(number, fault);
    }

    /// So many of a thousand calls go wrong at each of them.
    pub fn fail_by_chance(&self, thousandths: u16, seed: u64) {
        for (stream, (_, served)) in self.served.iter().enumerate() {
            served.faults.by_chance(thousandths, Entropy::seeded(seed * 16 + 8 + stream as u64));
        }
    }

    pub fn behave(&self) {
        self.served.iter().for_each(|(_, served)| served.faults.clear());
    }

    pub fn at(&self, company: &str) -> &Served {
        &self.served.iter().find(|(name, _)| *name == company).unwrap().1
    }

    /// An identity provider that the account at Cloudflare has. Its id.
    pub async fn identity_provider(&self, name: &str) -> String {
        let account = &self.cloudflare;
        let url = &self.at("cloudflare").url;
        let path = format!("{url}/client/v4/accounts/{}/access/identity_providers", account.account_id());
        let body = serde_json::json!({ "name": name, "type": "oidc", "config": { "client_id": "cloudflare" } });
        let request = Client::builder().no_proxy().build().unwrap().post(path).bearer_auth(account.token());
        let answer: Value = request.json(&body).send().await.unwrap().json().await.unwrap();
        answer["result"]["id"].as_str().unwrap().to_owned()
    }

    /// The drivers of all three, with the one-time part of each done.
    pub async fn drivers(
        &self,
        (db, clock, sealer): (&Db, &Clock, &Arc<Sealer>),
        guards: SocketAddr,
        router: &edge::Edge,
    ) -> Drivers {
        Drivers {
            compute: Arc::new(self.compute((db, clock, sealer), guards)),
            edge: match (self.edge(db, clock).await, self.routing) {
                (cloudflare, Routing::Records) => Arc::new(cloudflare),
                (cloudflare, Routing::Wildcard) => Arc::new(Routed::new(cloudflare, Builtin::new(router.clone()))),
            },
            payments: Arc::new(self.payments(db, clock).await),
            mail: Arc::new(Outbox),
            storage: Some(Arc::new(FolderStorage::new(self.vault.path()))),
        }
    }

    fn compute(&self, (db, clock, sealer): (&Db, &Clock, &Arc<Sealer>), guards: SocketAddr) -> Railway {
        let token = SecretString::from(self.railway.workspace_token());
        let mut settings = RailwaySettings::new(&self.at("railway").url, token, "ws-simulated").unwrap();
        settings.pause = Duration::ZERO;
        settings.edge_address = Some(guards);
        settings.routing = self.routing;
        let sealer = Arc::clone(sealer);
        settings.tokens = Some(Arc::new(move |instance| control_plane::instance_token(&sealer, instance)));
        settings.observer = Arc::new(workflow::note);
        Railway::new(settings, db.clone(), clock.clone(), Entropy::seeded(3)).unwrap()
    }

    async fn edge(&self, db: &Db, clock: &Clock) -> Cloudflare {
        let driver = |settings| Cloudflare::new(settings, db.clone(), clock.clone(), Entropy::seeded(4)).unwrap();
        let (api, account) = (format!("{}/client/v4", self.at("cloudflare").url), &self.cloudflare);
        let token = SecretString::from(account.token());
        let mut settings = CloudflareSettings::new(&api, token, account.zone_id(), account.account_id(), BASE).unwrap();
        settings.pause = Duration::ZERO;
        settings.observer = Arc::new(workflow::note);
        settings.router = (self.routing == Routing::Wildcard).then(|| BASE.to_owned());
        let ready = driver(settings.clone()).apply().await.unwrap();
        settings.audience = ready.audience;
        settings.policy_id = ready.policy_id;
        settings.team_domain = ready.team_domain;
        driver(settings)
    }

    async fn payments(&self, db: &Db, clock: &Clock) -> Stripe {
        let url = &self.at("stripe").url;
        if !self.is_sold.swap(true, Ordering::SeqCst) {
            sell(url).await;
        }
        let secrets = vec![SecretString::from("whsec_test")];
        let mut settings = StripeSettings::new(url, SecretString::from(KEY), secrets, "base").unwrap();
        settings.pause = Duration::ZERO;
        settings.observer = Arc::new(workflow::note);
        Stripe::new(settings, db.clone(), clock.clone(), Entropy::seeded(5)).unwrap()
    }
}

/// Makes the price of the base fee, as an operator does in the dashboard.
async fn sell(url: &str) {
    let http = Client::builder().no_proxy().build().unwrap();
    let post = async |path: &str, form: &[(&str, &str)]| {
        let request = http.post(format!("{url}{path}")).bearer_auth(KEY).header("Stripe-Version", VERSION).form(form);
        request.send().await.unwrap().error_for_status().unwrap().json::<Value>().await.unwrap()
    };
    let product = post("/v1/products", &[("name", "Instance")]).await;
    let product = product["id"].as_str().unwrap();
    let form = [
        ("product", product),
        ("currency", "usd"),
        ("unit_amount", "0"),
        ("recurring[interval]", "month"),
        ("lookup_key", "base"),
    ];
    post("/v1/prices", &form).await;
}
