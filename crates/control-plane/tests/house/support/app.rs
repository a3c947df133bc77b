//! The main instance as a test sees it: a browser's view, an API's view, and what lies behind.

use std::sync::Arc;
use std::time::Duration;

use access::MembersKey;
use control_plane::{
    App, Application, BackupSettings, BillingSettings, Core, Drivers, ModelGateway, Settings, SignInCodes, Started,
    SupportSettings, WatchSettings, migrations, operator_token,
};
use domain::{Email, HomeName, InstanceId, Plan, ProjectName};
use jiff::SignedDuration;
use pages::Brand;
use providers::compute::{Compute, Home, Homes, Release};
use providers::edge::Builtin;
use providers::payments::ledger::Ledger;
use reqwest::{Method, StatusCode, header};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use store::sqlx::Row as _;
use store::testing::{TestDb, fresh};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use workflow::{Backoff, Faults};
use world::{Clock, Entropy, Sealer};

use super::door::{Door, Log};
use super::post::Post;
use super::{Host, Vault};

/// What a server is given, and keeps when it is started again.
#[derive(Clone)]
pub struct Given {
    pub clock: Clock,
    pub post: Post,
    pub log: Log,
    pub plan: Plan,
    pub billing: BillingSettings,
    pub host: Host,
    /// Another home, in which instances can live too.
    pub away: Option<Host>,
    /// The version that the settings name; the first one, if nothing is said.
    pub version: Option<String>,
    /// Where what the settings name comes from.
    pub application: Application,
    /// How often it was started again with another version.
    pub starts: u64,
    pub brand: Arc<Brand>,
    pub vault: Option<Vault>,
    pub backups: BackupSettings,
    pub watch: WatchSettings,
    /// How mail reaches support.
    pub support: SupportSettings,
    /// Deletions begin at once unless a test is about their being taken back.
    pub undo_days: u16,
    /// The model that is offered to instances.
    pub model: Option<ModelGateway>,
}

impl Default for Given {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            post: Default::default(),
            log: Default::default(),
            plan: Default::default(),
            billing: Default::default(),
            host: Default::default(),
            away: None,
            version: Default::default(),
            application: Application::Bundled,
            starts: Default::default(),
            brand: Default::default(),
            vault: Some(Vault::default()),
            // None is taken by itself, so that time can be moved without that.
            backups: BackupSettings { every_hours: 0, proofs_a_night: 0, ..BackupSettings::default() },
            watch: Default::default(),
            support: Default::default(),
            undo_days: 0,
            model: None,
        }
    }
}

pub struct TestApp {
    pub given: Given,
    pub host: Host,
    pub db: TestDb,
    pub clock: Clock,
    started: Started,
    url: String,
    http: reqwest::Client,
    stop: CancellationToken,
    machine: Option<Machine>,
}

impl TestApp {
    pub async fn start() -> Self {
        Self::start_with(store::Engine::Sqlite, Faults::none()).await
    }

    pub async fn start_with(engine: store::Engine, faults: Faults) -> Self {
        let db = fresh(engine, &migrations()).await;
        Self::on(db, faults, Email::parse("operator@localhost").unwrap(), Given::default()).await
    }

    /// Where something else is sold.
    pub async fn start_branded(brand: Arc<Brand>) -> Self {
        let db = fresh(store::Engine::Sqlite, &migrations()).await;
        let given = Given { brand, ..Given::default() };
        Self::on(db, Faults::none(), Email::parse("operator@localhost").unwrap(), given).await
    }

    /// Where no place is set for backups.
    pub async fn start_without_backups() -> Self {
        let db = fresh(store::Engine::Sqlite, &migrations()).await;
        let given = Given { vault: None, ..Given::default() };
        Self::on(db, Faults::none(), Email::parse("operator@localhost").unwrap(), given).await
    }

    /// Time passes only when it is told to.
    pub async fn start_on_a_still_clock(engine: store::Engine) -> Self {
        Self::start_at("2026-11-25T10:00:00Z", engine, Faults::none()).await
    }

    /// Time begins at a moment, and passes only when it is told to.
    pub async fn start_at(moment: &str, engine: store::Engine, faults: Faults) -> Self {
        Self::start_on(fresh(engine, &migrations()).await, moment, faults).await
    }

    /// The same on a store that is there.
    pub async fn start_on(db: TestDb, moment: &str, faults: Faults) -> Self {
        let given = Given { clock: Clock::at(moment.parse().unwrap()), ..Given::default() };
        Self::on(db, faults, Email::parse("operator@localhost").unwrap(), given).await
    }

    /// On a store that is there, where all instances sleep that it knows.
    pub async fn start_asleep_on(db: TestDb, moment: &str) -> Self {
        let known: Vec<(String, String)> = store::sqlx::query("select project, id from instances")
            .fetch_all(db.db.read())
            .await
            .unwrap()
            .iter()
            .map(|row| (row.get(0), row.get(1)))
            .collect();
        let known = known.iter().map(|(name, id)| (ProjectName::parse(name).unwrap(), InstanceId::parse(id).unwrap()));
        let backups = BackupSettings { proofs_a_night: 0, ..BackupSettings::default() };
        let given = Given { clock: Clock::at(moment.parse().unwrap()), backups, ..Given::default() };
        given.host.let_sleep(known.collect());
        Self::on(db, Faults::none(), Email::parse("operator@localhost").unwrap(), given).await
    }

    /// Stops. What it leaves.
    pub async fn ended(self) -> TestDb {
        let Self { db, started, stop, .. } = self;
        stop.cancel();
        started.stop().await;
        db
    }

    /// Time begins at a moment, and instances are watched as is said.
    pub async fn start_watched(moment: &str, watch: impl FnOnce(&TestDb, &Clock) -> WatchSettings) -> Self {
        let (db, clock) = (fresh(store::Engine::Sqlite, &migrations()).await, Clock::at(moment.parse().unwrap()));
        let given = Given { watch: watch(&db, &clock), clock, ..Given::default() };
        Self::on(db, Faults::none(), Email::parse("operator@localhost").unwrap(), given).await
    }

    /// The same, with settings that say otherwise what is charged and when.
    pub async fn start_selling(moment: &str, engine: store::Engine, plan: Plan, billing: BillingSettings) -> Self {
        Self::start_selling_with(moment, engine, Faults::none(), (plan, billing)).await
    }

    /// The same, with faults.
    pub async fn start_selling_with(
        moment: &str,
        engine: store::Engine,
        faults: Faults,
        (plan, billing): (Plan, BillingSettings),
    ) -> Self {
        let db = fresh(engine, &migrations()).await;
        let given = Given { clock: Clock::at(moment.parse().unwrap()), plan, billing, ..Given::default() };
        Self::on(db, faults, Email::parse("operator@localhost").unwrap(), given).await
    }

    /// Time begins at a moment, and deletions can be taken back for so many days.
    pub async fn start_undoing(moment: &str, engine: store::Engine, faults: Faults, undo_days: u16) -> Self {
        let db = fresh(engine, &migrations()).await;
        let given = Given { clock: Clock::at(moment.parse().unwrap()), undo_days, ..Given::default() };
        Self::on(db, faults, Email::parse("operator@localhost").unwrap(), given).await
    }

    /// Time begins at a moment, and there is a place for backups.
    pub async fn start_backing_up(
        moment: &str,
        engine: store::Engine,
        faults: Faults,
        (vault, backups): (Vault, BackupSettings),
    ) -> Self {
        let db = fresh(engine, &migrations()).await;
        let clock = Clock::at(moment.parse().unwrap());
        let given = Given { clock, vault: Some(vault), backups, ..Given::default() };
        Self::on(db, faults, Email::parse("operator@localhost").unwrap(), given).await
    }

    /// Time begins at a moment, and mail reaches support as is said.
    pub async fn start_supporting(moment: &str, engine: store::Engine, support: SupportSettings) -> Self {
        let db = fresh(engine, &migrations()).await;
        let given = Given { clock: Clock::at(moment.parse().unwrap()), support, ..Given::default() };
        Self::on(db, Faults::none(), Email::parse("operator@localhost").unwrap(), given).await
    }

    /// Time begins at a moment, and a model is offered to instances.
    pub async fn start_offering(moment: &str, engine: store::Engine, model: ModelGateway) -> Self {
        let db = fresh(engine, &migrations()).await;
        let given = Given { clock: Clock::at(moment.parse().unwrap()), model: Some(model), ..Given::default() };
        Self::on(db, Faults::none(), Email::parse("operator@localhost").unwrap(), given).await
    }

    /// The same, on a machine that can be turned off.
    pub async fn start_offering_on_a_machine(moment: &str, engine: store::Engine, model: ModelGateway) -> Self {
        let clock = Clock::at(moment.parse().unwrap());
        let given = Given { clock, host: Host::elsewhere(), model: Some(model), ..Given::default() };
        Machine::start(async move {
            let db = fresh(engine, &migrations()).await;
            Self::on(db, Faults::none(), Email::parse("operator@localhost").unwrap(), given).await
        })
        .await
    }

    /// A request as the guard of an instance makes it, answered as far as its head.
    pub async fn as_guard(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> reqwest::Response {
        let mut request = self.http.request(method, format!("{}/api/v1{path}", self.url)).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.unwrap()
    }

    /// Instances can live in two homes: `Oregon`, the default one, and `Frankfurt`.
    pub async fn start_in_two_homes(engine: store::Engine, faults: Faults, (host, away): (Host, Host)) -> Self {
        let db = fresh(engine, &migrations()).await;
        let clock = Clock::at("2026-11-25T06:00:00Z".parse().unwrap());
        let given = Given { clock, host, away: Some(away), ..Given::default() };
        Self::on(db, faults, Email::parse("operator@localhost").unwrap(), given).await
    }

    /// The same on a store that is there.
    pub async fn start_backing_up_on(db: TestDb, moment: &str, (vault, backups): (Vault, BackupSettings)) -> Self {
        let clock = Clock::at(moment.parse().unwrap());
        let given = Given { clock, vault: Some(vault), backups, ..Given::default() };
        Self::on(db, Faults::none(), Email::parse("operator@localhost").unwrap(), given).await
    }

    /// Time begins at a moment, on a machine that can be turned off.
    pub async fn start_on_a_machine(moment: &str, engine: store::Engine, faults: Faults) -> Self {
        let clock = Clock::at(moment.parse().unwrap());
        let given = Given { clock, host: Host::elsewhere(), ..Given::default() };
        Machine::start(async move {
            let db = fresh(engine, &migrations()).await;
            Self::on(db, faults, Email::parse("operator@localhost").unwrap(), given).await
        })
        .await
    }

    /// The machine is turned off, whatever it is about to do. Another server starts on the same store.
    pub async fn killed(self, faults: Faults) -> Self {
        let Self { mut db, given, machine, .. } = self;
        drop(machine);
        Machine::start(async move {
            // Connections of the dead are nobody's.
            db.db = store::Db::open(&db.url).await.unwrap();
            Self::on(db, faults, Email::parse("operator@localhost").unwrap(), given).await
        })
        .await
    }

    /// Another server on the same store, whose settings say otherwise what is charged and when.
    pub async fn restarted_with(self, plan: Plan, billing: BillingSettings) -> Self {
        let Self { db, started, stop, given, .. } = self;
        stop.cancel();
        started.stop().await;
        let given = Given { plan, billing, ..given };
        Self::on(db, Faults::none(), Email::parse("operator@localhost").unwrap(), given).await
    }

    /// Another server on the same store, whose settings name another version of what instances run.
    pub async fn restarted_running(self, version: &str) -> Self {
        let Self { db, started, stop, given, .. } = self;
        stop.cancel();
        started.stop().await;
        // Whoever starts a server again takes a moment for it.
        given.clock.advance(SignedDuration::from_secs(1));
        let given = Given { version: Some(version.to_owned()), starts: given.starts + 1, ..given };
        Self::on(db, Faults::none(), Email::parse("operator@localhost").unwrap(), given).await
    }

    /// Another version of the server on the same store, whose instances run what is no part of it.
    pub async fn upgraded_running(self, version: &str, application: Application) -> Self {
        let given = Given { application, ..self.given.clone() };
        Self { given, ..self }.restarted_running(version).await
    }

    /// Another server on the same store, whose settings say otherwise how long deletions can be taken back.
    pub async fn restarted_undoing(self, undo_days: u16) -> Self {
        let Self { db, started, stop, given, .. } = self;
        stop.cancel();
        started.stop().await;
        let given = Given { undo_days, starts: given.starts + 1, ..given };
        Self::on(db, Faults::none(), Email::parse("operator@localhost").unwrap(), given).await
    }

    /// Another server on the same store, whose settings name another operator.
    pub async fn restarted_for(self, operator: Email) -> Self {
        let Self { db, started, stop, given, .. } = self;
        stop.cancel();
        started.stop().await;
        Self::on(db, Faults::none(), operator, given).await
    }

    async fn on(db: TestDb, faults: Faults, operator: Email, given: Given) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (clock, entropy) = (given.clock.clone(), Entropy::seeded(11 + given.starts));
        let sealer = Arc::new(Sealer::new([9; 32]));
        let url = format!("http://localhost:{}", address.port());
        let mail_waiting = Arc::new(Notify::new());
        let codes = SignInCodes {
            db: db.db.clone(),
            sealer: Arc::clone(&sealer),
            clock: clock.clone(),
            entropy: entropy.clone(),
            product: "AI-DIY".into(),
            waiting: Arc::clone(&mail_waiting),
        };
        let gate = edge::Edge::open(
            db.db.clone(),
            Arc::clone(&sealer),
            clock.clone(),
            entropy.clone(),
            edge::Settings::new(&url, "localhost", "AI-DIY"),
            Arc::new(codes),
        )
        .await
        .unwrap();
        let host = given.host.clone();
        host.keep_time(clock.clone());
        let compute = in_homes(&host, given.away.as_ref(), &clock);
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        let core = Core {
            members_key: MembersKey::generate().unwrap(),
            gate: gate.clone(),
            http: http.clone(),
            started_at: clock.now(),
            drivers: Drivers {
                compute,
                edge: Arc::new(Door { edge: Builtin::new(gate.clone()), log: Arc::clone(&given.log) }),
                payments: Arc::new(Ledger::new(db.db.clone(), clock.clone())),
                mail: Arc::new(given.post.clone()),
                storage: given.vault.clone().map(|vault| Arc::new(vault) as Arc<dyn providers::storage::Storage>),
            },
            settings: Settings {
                product: "AI-DIY".into(),
                brand: Arc::clone(&given.brand),
                public_url: url.clone(),
                base_domain: "localhost".into(),
                plan: given.plan.clone(),
                release: Release {
                    image: None,
                    version: given.version.clone().unwrap_or_else(|| "1".into()),
                    command: "true".into(),
                    health_path: "/".into(),
                    read_only: Vec::new(),
                    activity_rules: None,
                },
                application: given.application,
                operator,
                mailbox: true,
                pool_size: 0,
                undo_days: given.undo_days,
                backups: given.backups.clone(),
                billing: given.billing.clone(),
                probe_address: Some(address),
                watch: given.watch.clone(),
                support: given.support.clone(),
            },
            db: db.db.clone(),
            clock: clock.clone(),
            entropy,
            sealer,
            mail_waiting,
            model: given.model.clone(),
        };
        // Leases and delays are short, so that a rehearsed death is noticed at once.
        let engine = workflow::Settings {
            lease: SignedDuration::from_millis(300),
            poll: Duration::from_millis(20),
            backoff: Backoff { first: SignedDuration::from_millis(1), most: SignedDuration::from_millis(20) },
            faults,
            ..workflow::Settings::default()
        };
        let started = control_plane::start(core, engine).await.unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(control_plane::serve_people(listener, started.app.clone(), stop.clone()));
        Self { given, host, db, clock, started, url, http, stop, machine: None }
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A client that follows no redirects.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub fn app(&self) -> &App {
        &self.started.app
    }

    /// A request to the site, as a browser on the same site makes it.
    pub async fn browser(&self, method: Method, path: &str, who: Option<&str>, form: &[(&str, &str)]) -> Page {
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", self.url))
            .header("sec-fetch-site", "same-origin")
            .header(header::ACCEPT, "text/html");
        if let Some(email) = who {
            let cookie = self.started.app.gate.sign_in_to_site(&Email::parse(email).unwrap()).unwrap();
            let value = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
            request = request.header(header::COOKIE, value);
        }
        if method == Method::POST {
            request = request.form(form);
        }
        Page::of(request.send().await.unwrap()).await
    }

    /// A request with a body of any form: with a session, as a browser on the same site makes it.
    pub async fn send(&self, path: &str, who: Option<&str>, headers: &[(&str, &str)], body: Vec<u8>) -> Page {
        let mut request = self.http.post(format!("{}{path}", self.url)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(email) = who {
            let cookie = self.started.app.gate.sign_in_to_site(&Email::parse(email).unwrap()).unwrap();
            let value = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
            request = request.header("sec-fetch-site", "same-origin").header(header::COOKIE, value);
        }
        Page::of(request.send().await.unwrap()).await
    }

    /// What a stranger sees at an instance's hostname.
    pub async fn visit(&self, subdomain: &str) -> Page {
        let request = self.http.get(&self.url).header(header::HOST, self.shown(subdomain));
        Page::of(request.header(header::ACCEPT, "text/html").send().await.unwrap()).await
    }

    /// An instance's hostname as browsers show it.
    pub fn shown(&self, subdomain: &str) -> String {
        self.started.app.shown_hostname(&domain::Subdomain::parse(subdomain).unwrap())
    }

    /// A page that a stranger's browser opens, which says so in its headers.
    pub async fn opened(&self, path: &str, headers: &[(&str, &str)]) -> StatusCode {
        let mut request = self.http.get(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap().status()
    }

    pub async fn get(&self, path: &str, who: Option<&str>) -> Page {
        self.browser(Method::GET, path, who, &[]).await
    }

    /// A request to the API as the operator.
    pub async fn api(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let token = operator_token(&self.started.app.sealer);
        self.api_as(Some(token.expose_secret()), method, path, body).await
    }

    pub async fn api_as(
        &self,
        token: Option<&str>,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let mut request = self.http.request(method, format!("{}/api/v1{path}", self.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// The printed link to the console, without the site's address.
    pub fn admin_link(&self) -> String {
        self.started.admin_link.expose_secret().replace(&self.url, "")
    }

    /// Orders an instance under a key.
    pub async fn order(&self, key: &str, body: Value) -> (StatusCode, Value) {
        let token = operator_token(&self.started.app.sealer);
        let request = self.http.post(format!("{}/api/v1/instances", self.url)).header("idempotency-key", key);
        let answer = request.bearer_auth(token.expose_secret()).json(&body).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    /// Orders an instance and waits until its provisioning is over. The workflow's state then.
    pub async fn provision(&self, email: &str, subdomain: &str) -> String {
        let order = json!({"customer_email": email, "subdomain": subdomain});
        let (status, accepted) = self.api(Method::POST, "/instances", Some(order)).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
        self.settled(accepted["workflow_id"].as_str().unwrap()).await
    }

    /// Asks for a deletion and waits until it is over. The workflow's state then.
    pub async fn delete(&self, subdomain: &str) -> String {
        let path = format!("/instances/{subdomain}");
        let (status, accepted) = self.api(Method::DELETE, &path, Some(json!({"confirm": subdomain}))).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
        self.settled(accepted["workflow_id"].as_str().unwrap()).await
    }

    pub async fn instance(&self, reference: &str) -> Value {
        let (status, instance) = self.api(Method::GET, &format!("/instances/{reference}"), None).await;
        assert_eq!(status, StatusCode::OK, "{instance}");
        instance
    }

    /// The edge mails a code.
    pub async fn send_code(&self, to: &Email) {
        let app = self.app();
        let codes = SignInCodes {
            db: app.db.clone(),
            sealer: Arc::clone(&app.sealer),
            clock: app.clock.clone(),
            entropy: app.entropy.clone(),
            product: app.settings.product.clone(),
            waiting: Arc::clone(&app.mail_waiting),
        };
        let (to, hostname) = (to.clone(), self.shown("acme"));
        let mail = edge::SignInMail { to, hostname, code: "123456".into(), valid_minutes: 10 };
        edge::CodeMail::send_code(&codes, mail).await.unwrap();
    }

    /// Subjects of the mails to somebody, oldest first.
    pub async fn mails_to(&self, email: &str) -> Vec<String> {
        let page = self.get("/mailbox/messages.json", None).await;
        let all: Vec<Value> = serde_json::from_str(&page.body).unwrap();
        let mut subjects: Vec<String> = all
            .iter()
            .filter(|mail| mail["to"] == email)
            .map(|mail| mail["subject"].as_str().unwrap().to_owned())
            .collect();
        subjects.reverse();
        subjects
    }

    pub async fn hostnames(&self) -> Vec<String> {
        let items = self.app().drivers.edge.inventory().await.unwrap();
        items.into_iter().map(|item| item.name).collect()
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        store::sqlx::query_scalar(sql).fetch_one(self.db.db.read()).await.unwrap()
    }
}

fn in_homes(host: &Host, away: Option<&Host>, clock: &Clock) -> Arc<dyn Compute> {
    let Some(away) = away else { return Arc::new(host.clone()) };
    away.keep_time(clock.clone());
    let name = HomeName::parse("frankfurt").unwrap();
    let home = Home { name, label: "Frankfurt".into(), compute: Arc::new(away.clone()) };
    Arc::new(Homes::new("Oregon".into(), Arc::new(host.clone()), vec![home]).unwrap())
}

/// What a server runs on, apart from the test.
struct Machine(Option<Runtime>);

impl Machine {
    async fn start(server: impl Future<Output = TestApp> + Send + 'static) -> TestApp {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let app = runtime.spawn(server).await.unwrap();
        TestApp { machine: Some(Self(Some(runtime))), ..app }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Tasks end where they stand, and nobody waits for them.
        self.0.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

pub struct Page {
    pub status: StatusCode,
    pub location: Option<String>,
    pub cookie: Option<String>,
    pub body: String,
}

impl Page {
    async fn of(answer: reqwest::Response) -> Self {
        let header = |name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (location, cookie) = (header(header::LOCATION), header(header::SET_COOKIE));
        Self { status: answer.status(), location, cookie, body: answer.text().await.unwrap() }
    }
}
