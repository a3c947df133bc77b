use std::sync::Arc;
use std::time::Duration;

use access::MembersKey;
use control_plane::{Application, Core, Drivers, Settings, SignInCodes, Started, migrations, operator_token};
use domain::{Email, Evidence, Month, Plan, Signal, UsageHour, UsageHours};
use jiff::{SignedDuration, Timestamp};
use providers::compute::Release;
use providers::edge::Builtin;
use providers::mail::Outbox;
use providers::payments::stripe::{Stripe, StripeSettings, VERSION};
use reqwest::{Method, StatusCode, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use simulators::stripe::{Settings as Account, Stripe as Simulator};
use simulators::{Pace, Served, serve};
use store::testing::{TestDb, fresh};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use workflow::{Faults, StepState, WorkflowRecord};
use world::{Clock, Entropy, Sealer};

use crate::host::Host;

const KEY: &str = "sk_test_simulated";

/// A main instance whose customers pay at a simulated Stripe.
pub struct City {
    pub stripe: Simulator,
    pub served: Served,
    pub host: Host,
    pub clock: Clock,
    pub db: TestDb,
    /// What webhooks are signed with.
    pub secret: String,
    pub url: String,
    started: Started,
    stop: CancellationToken,
    plan: Plan,
    http: reqwest::Client,
}

/// What the customer fills in.
pub const FORM: [(&str, &str); 9] = [
    ("key", "k1"),
    ("name", "Ada Lovelace"),
    ("email", "ada@example.com"),
    ("company", ""),
    ("subdomain", "acme"),
    ("agree_terms", "yes"),
    ("agree_privacy", "yes"),
    ("agree_acceptable_use", "yes"),
    ("agree_billing", "yes"),
];

impl City {
    pub async fn open() -> Self {
        Self::open_with(store::Engine::Sqlite, Faults::none()).await
    }

    pub async fn open_with(engine: store::Engine, faults: Faults) -> Self {
        Self::selling(Plan::default(), engine, faults).await
    }

    pub async fn selling(plan: Plan, engine: store::Engine, faults: Faults) -> Self {
        let clock = Clock::at("2026-11-25T10:00:00Z".parse().unwrap());
        let stripe = Simulator::new(clock.clone(), Entropy::seeded(7), Account::default());
        let served = serve(Arc::new(stripe.clone()), clock.clone(), Pace::Virtual).await.unwrap();
        sell(&served).await;
        let db = fresh(engine, &migrations()).await;
        let (host, stop) = (Host::default(), CancellationToken::new());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let hook = format!("http://{address}/webhooks/stripe");
        let form = [("url", hook.as_str()), ("enabled_events[]", "*")];
        let endpoint = ask(&served, "/v1/webhook_endpoints", &form).await;
        let secret = endpoint["secret"].as_str().unwrap().to_owned();
        let core = core(&db, &clock, &host, &served, &secret, address, plan.clone()).await;
        let url = core.settings.public_url.clone();
        let started = start(core, listener, faults, stop.clone()).await;
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Self { stripe, served, host, clock, db, secret, url, plan, started, stop, http }
    }

    /// The same city after its server was started again, at another address: webhooks go to the former one.
    pub async fn restarted(self) -> Self {
        let Self { stripe, served, host, clock, db, secret, plan, started, stop, http, .. } = self;
        stop.cancel();
        started.stop().await;
        let (listener, stop) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), CancellationToken::new());
        let address = listener.local_addr().unwrap();
        let core = core(&db, &clock, &host, &served, &secret, address, plan.clone()).await;
        let url = core.settings.public_url.clone();
        let started = start(core, listener, Faults::none(), stop.clone()).await;
        Self { stripe, served, host, clock, db, secret, url, plan, started, stop, http }
    }

    pub fn app(&self) -> &control_plane::App {
        &self.started.app
    }

    /// Fills in the form. The workflow of the order.
    pub async fn sign_up(&self, form: &[(&str, &str)]) -> String {
        let page = self.post("/signup", None, form).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
        let to = page.location.unwrap();
        to.strip_prefix("/signup/").and_then(|rest| rest.strip_suffix("/payment")).expect(&to).to_owned()
    }

    /// Orders an instance for Ada as the operator. The workflow of the order.
    pub async fn order(&self) -> String {
        let token = operator_token(&self.app().sealer);
        let body = json!({"customer_email": "ada@example.com", "subdomain": "acme"});
        let request = self.http.post(format!("{}/api/v1/instances", self.url)).json(&body);
        let answer = request.bearer_auth(token.expose_secret()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        answer.json::<Value>().await.unwrap()["workflow_id"].as_str().unwrap().to_owned()
    }

    /// Asks our API as the operator.
    pub async fn api(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let token = operator_token(&self.app().sealer);
        let request = self.http.request(method.clone(), format!("{}/api/v1{path}", self.url));
        let request = if method == Method::GET { request } else { request.json(&body) };
        let answer = request.bearer_auth(token.expose_secret()).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    /// The guard of an instance reports that it was used at a moment.
    pub async fn used(&self, subdomain: &str, at: Timestamp) {
        let mut hours = UsageHours::none(Month::of(at));
        hours.insert(UsageHour::of(at)).unwrap();
        let evidence = [Evidence::seen(Signal::Member, at)];
        let report = json!({"month": Month::of(at), "hours": hours.encode(), "source": "guard", "evidence": evidence});
        let token = self.host.token_of(&format!("ai-diy-{subdomain}"));
        let request = self.http.post(format!("{}/api/v1/activity", self.url)).bearer_auth(token);
        assert_eq!(request.json(&report).send().await.unwrap().status(), StatusCode::OK);
    }

    /// Asks Stripe as its dashboard would.
    pub async fn at_stripe(&self, path: &str, form: &[(&str, &str)]) -> Value {
        ask(&self.served, path, form).await
    }

    pub async fn get(&self, path: &str, who: Option<&str>) -> Page {
        self.send(self.http.get(format!("{}{path}", self.url)), who).await
    }

    pub async fn post(&self, path: &str, who: Option<&str>, form: &[(&str, &str)]) -> Page {
        self.send(self.http.post(format!("{}{path}", self.url)).form(form), who).await
    }

    async fn send(&self, request: reqwest::RequestBuilder, who: Option<&str>) -> Page {
        let mut request = request.header("sec-fetch-site", "same-origin").header(header::ACCEPT, "text/html");
        if let Some(email) = who {
            let cookie = self.app().gate.sign_in_to_site(&Email::parse(email).unwrap()).unwrap();
            request = request.header(header::COOKIE, cookie.to_str().unwrap().split(';').next().unwrap());
        }
        Page::of(request.send().await.unwrap()).await
    }

    /// What somebody posts to where webhooks come in.
    pub async fn hook(&self, path: &str, signature: &str, body: &str) -> StatusCode {
        let request = self.http.post(format!("{}/webhooks/{path}", self.url)).header("stripe-signature", signature);
        request.body(body.to_owned()).send().await.unwrap().status()
    }

    /// Lets the clock run from one due date to the next until something holds.
    pub async fn until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let engine = &self.app().engine;
        let mut changes = engine.changes();
        let wait = async {
            while !holds().await {
                if tokio::time::timeout(Duration::from_millis(40), changes.changed()).await.is_ok() {
                    continue;
                }
                let now = self.clock.now();
                if let Some(due) = engine.next_due().await.unwrap().filter(|due| *due > now) {
                    self.clock.advance(due.duration_since(now));
                    engine.wake();
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait).await.unwrap_or_else(|_| panic!("it never came: {what}"));
    }

    /// Until an order has seen that its customer entered nothing yet, and looks again later only.
    pub async fn waits(&self, order: &str) {
        let waits = async || {
            let record = self.workflow(order).await;
            record.steps.iter().any(|step| step.state == StepState::Waiting) && record.due_at > self.clock.now()
        };
        self.until("a look", waits).await;
    }

    /// The session in which the customer of an order can pay now.
    pub async fn session(&self, order: &str) -> String {
        self.until("the checkout", async || self.output(order, "open checkout").await.is_some()).await;
        self.stripe.checkout_sessions().last().unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// The customer of an order enters a card that works, and Stripe tells of it.
    pub async fn pay(&self, order: &str) {
        let session = self.session(order).await;
        self.stripe.complete(&session).unwrap();
        self.stripe.deliver_due().await;
    }

    pub async fn active(&self) {
        self.until("an active instance", async || self.state().await == "active").await;
    }

    pub async fn failed(&self) {
        self.until("a closed order", async || self.state().await == "failed" && self.nothing_runs().await).await;
    }

    pub async fn nothing_runs(&self) -> bool {
        self.count("select count(*) from workflows where state in ('running', 'undoing')").await == 0
    }

    /// How the latest instance is.
    pub async fn state(&self) -> String {
        let sql = "select state from instances order by id desc limit 1";
        store::sqlx::query_scalar(sql).fetch_one(self.db.db.read()).await.unwrap()
    }

    pub async fn workflow(&self, id: &str) -> WorkflowRecord {
        workflow::find(&self.db.db, id).await.unwrap().unwrap()
    }

    /// The latest workflow of a kind.
    pub async fn workflow_of(&self, kind: &str) -> String {
        let sql = "select id from workflows where kind = $1 order by id desc limit 1";
        store::sqlx::query_scalar(sql).bind(kind).fetch_one(self.db.db.read()).await.unwrap()
    }

    pub async fn output(&self, workflow: &str, step: &str) -> Option<String> {
        let steps = self.workflow(workflow).await.steps;
        steps.into_iter().find(|found| found.name == step).and_then(|found| found.output)
    }

    /// Subjects of the mails to somebody.
    pub async fn mails_to(&self, email: &str) -> Vec<String> {
        let sql = "select subject from messages where recipient = $1 order by id";
        store::sqlx::query_scalar(sql).bind(email).fetch_all(self.db.db.read()).await.unwrap()
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        store::sqlx::query_scalar(sql).fetch_one(self.db.db.read()).await.unwrap()
    }

    /// What all cards were charged, less what was given back.
    pub fn charged(&self) -> i64 {
        let all = self.stripe.customers().into_iter();
        let net = |id: &str| self.stripe.charged_cents(id) - self.stripe.refunded_cents(id);
        all.map(|customer| net(customer["id"].as_str().unwrap())).sum()
    }

    /// Days in which nobody does anything.
    pub fn pass(&self, days: i64) {
        for _ in 0..days * 24 {
            self.clock.advance(SignedDuration::from_hours(1));
            self.stripe.tick();
        }
    }

    pub async fn close(self) {
        self.stop.cancel();
        self.started.stop().await;
    }
}

pub struct Page {
    pub status: StatusCode,
    pub location: Option<String>,
    pub body: String,
}

impl Page {
    async fn of(answer: reqwest::Response) -> Self {
        let location = answer.headers().get(header::LOCATION).map(|value| value.to_str().unwrap().to_owned());
        Self { status: answer.status(), location, body: answer.text().await.unwrap() }
    }

    /// Where the page goes on to by itself.
    pub fn onward(&self) -> &str {
        let (_, rest) = self.body.split_once("http-equiv=\"refresh\" content=\"0;url=").expect(&self.body);
        rest.split('"').next().unwrap()
    }
}

async fn ask(served: &Served, path: &str, form: &[(&str, &str)]) -> Value {
    let request = reqwest::Client::new().request(Method::POST, format!("{}{path}", served.url));
    let answer = request.bearer_auth(KEY).header("Stripe-Version", VERSION).form(form).send().await.unwrap();
    assert!(answer.status().is_success(), "{path}");
    answer.json().await.unwrap()
}

async fn sell(served: &Served) {
    let product = ask(served, "/v1/products", &[("name", "Instance")]).await;
    let form = [
        ("product", product["id"].as_str().unwrap()),
        ("currency", "usd"),
        ("unit_amount", "0"),
        ("recurring[interval]", "month"),
        ("lookup_key", "base"),
    ];
    ask(served, "/v1/prices", &form).await;
}

async fn start(core: Core, listener: TcpListener, faults: Faults, stop: CancellationToken) -> Started {
    let poll = Duration::from_millis(20);
    let engine = workflow::Settings { faults, poll, parallel: 4, ..workflow::Settings::default() };
    let started = control_plane::start(core, engine).await.unwrap();
    tokio::spawn(control_plane::serve_people(listener, started.app.clone(), stop));
    started
}

async fn core(
    db: &TestDb,
    clock: &Clock,
    host: &Host,
    served: &Served,
    secret: &str,
    address: std::net::SocketAddr,
    plan: Plan,
) -> Core {
    let (entropy, sealer) = (Entropy::seeded(u64::from(address.port())), Arc::new(Sealer::new([9; 32])));
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
    let settings = edge::Settings::new(&url, "localhost", "AI-DIY");
    let (codes, opened) = (Arc::new(codes), (db.db.clone(), Arc::clone(&sealer)));
    let gate = edge::Edge::open(opened.0, opened.1, clock.clone(), entropy.clone(), settings, codes).await.unwrap();
    let secrets = vec![SecretString::from(secret.to_owned())];
    let mut settings = StripeSettings::new(&served.url, SecretString::from(KEY), secrets, "base").unwrap();
    settings.pause = Duration::from_millis(1);
    settings.rate.burst = 10_000;
    let payments = Stripe::new(settings, db.db.clone(), clock.clone(), Entropy::seeded(3)).unwrap();
    Core {
        members_key: MembersKey::generate().unwrap(),
        gate: gate.clone(),
        http: reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap(),
        started_at: clock.now(),
        drivers: Drivers {
            compute: Arc::new(host.clone()),
            edge: Arc::new(Builtin::new(gate)),
            payments: Arc::new(payments),
            mail: Arc::new(Outbox),
            storage: None,
        },
        settings: Settings {
            product: "AI-DIY".into(),
            brand: Arc::default(),
            public_url: url,
            base_domain: "localhost".into(),
            plan,
            release: Release {
                version: "1".into(),
                image: None,
                command: "true".into(),
                health_path: "/".into(),
                read_only: Vec::new(),
                activity_rules: None,
            },
            application: Application::Bundled,
            operator: Email::parse("operator@localhost").unwrap(),
            mailbox: true,
            pool_size: 0,
            undo_days: 0,
            backups: control_plane::BackupSettings::default(),
            billing: control_plane::BillingSettings::default(),
            probe_address: Some(address),
            watch: control_plane::WatchSettings::default(),
            support: control_plane::SupportSettings::default(),
        },
        db: db.db.clone(),
        clock: clock.clone(),
        entropy,
        sealer,
        mail_waiting,
        model: None,
    }
}
