use std::sync::Arc;
use std::time::Duration;

use access::MembersKey;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use control_plane::{Core, Drivers, Settings, SignInCodes, Started, migrations, operator_token};
use domain::{Email, Plan};
use jiff::{SignedDuration, Timestamp};
use providers::compute::Release;
use providers::compute::railway::{Railway, RailwaySettings};
use providers::mail::Outbox;
use providers::payments::ledger::Ledger;
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use simulators::railway::{self, Fate, Route};
use simulators::{Pace, Served, serve};
use store::testing::{TestDb, fresh};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use workflow::{Direction, Faults, WorkflowRecord, WorkflowState};
use world::{Clock, Entropy, Sealer};

use crate::names::Names;

/// A main instance whose customers live at a simulated Railway.
pub struct Town {
    pub railway: railway::Railway,
    pub served: Served,
    pub names: Names,
    pub clock: Clock,
    pub db: TestDb,
    started: Started,
    url: String,
    http: reqwest::Client,
    stop: CancellationToken,
}

impl Town {
    pub async fn open(settings: railway::Settings, faults: Faults) -> Self {
        let clock = Clock::at("2026-11-25T10:00:00Z".parse().unwrap());
        let railway = railway::Railway::new(clock.clone(), Entropy::seeded(7), settings);
        let names = Names::default();
        railway.set_dns(Arc::new(names.clone()));
        let served = serve(Arc::new(railway.clone()), clock.clone(), Pace::Virtual).await.unwrap();
        let front = front(railway.clone()).await;
        let db = fresh(store::Engine::Sqlite, &migrations()).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let core = core(&db, &clock, &url, &railway, &served, &names, front).await;
        let engine = workflow::Settings { faults, parallel: 4, ..workflow::Settings::default() };
        let started = control_plane::start(core, engine).await.unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(control_plane::serve_people(listener, started.app.clone(), stop.clone()));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { railway, served, names, clock, db, started, url, http, stop }
    }

    /// Orders an instance. The workflow that makes it.
    pub async fn order(&self, subdomain: &str) -> String {
        let order = json!({"customer_email": format!("{subdomain}@example.com"), "subdomain": subdomain});
        self.ask(Method::POST, "/instances", order).await
    }

    pub async fn delete(&self, subdomain: &str) -> String {
        self.ask(Method::DELETE, &format!("/instances/{subdomain}"), json!({"confirm": subdomain})).await
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> String {
        let token = operator_token(&self.started.app.sealer);
        let request = self.http.request(method, format!("{}/api/v1{path}", self.url)).json(&body);
        let answer = request.bearer_auth(token.expose_secret()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        let accepted: Value = answer.json().await.unwrap();
        accepted["workflow_id"].as_str().unwrap().to_owned()
    }

    /// Lets the clock run until nothing is left to do.
    pub async fn settle(&self) {
        let engine = &self.started.app.engine;
        let mut changes = engine.changes();
        while let Some(due) = engine.next_due().await.unwrap() {
            let now = self.clock.now();
            if due > now {
                self.clock.advance(due.duration_since(now));
            }
            self.railway.look();
            engine.run_due().await.unwrap();
            // What the server's own engine holds now is over when that says so.
            if engine.next_due().await.unwrap().is_some_and(|due| due <= self.clock.now()) {
                let _ = tokio::time::timeout(Duration::from_millis(20), changes.changed()).await;
            }
        }
    }

    /// Until each workflow has come as far as it can at this moment.
    pub async fn started_all(&self, orders: &[String]) {
        let mut changes = self.started.app.engine.changes();
        let all = async {
            for order in orders {
                while self.waiting(order).await.is_none() {
                    let _ = tokio::time::timeout(Duration::from_millis(20), changes.changed()).await;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), all).await.expect("not all began");
    }

    pub async fn workflow(&self, id: &str) -> WorkflowRecord {
        workflow::find(&self.db.db, id).await.unwrap().unwrap()
    }

    /// How a workflow ended, and how long that took.
    pub async fn outcome(&self, id: &str) -> (WorkflowState, SignedDuration) {
        let record = self.workflow(id).await;
        (record.state, record.finished_at.unwrap_or(Timestamp::MAX).duration_since(record.created_at))
    }

    /// What a step says while it waits.
    pub async fn waiting(&self, id: &str) -> Option<String> {
        let steps = self.workflow(id).await.steps;
        let waiting =
            |step: &workflow::StepRecord| step.direction == Direction::Do && step.state == workflow::StepState::Waiting;
        steps.into_iter().find(waiting).and_then(|step| step.error)
    }

    /// The live projects at Railway, and how many of each of their things there are.
    pub fn projects(&self) -> Vec<String> {
        let live = self.railway.projects().into_iter().filter(|project| project.fate == Fate::Kept);
        live.map(|project| {
            assert_eq!(project.services.len(), 1, "{}", project.name);
            assert!(project.service_domains.is_empty(), "{} has a second door", project.name);
            project.name
        })
        .collect()
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        store::sqlx::query_scalar(sql).fetch_one(self.db.db.read()).await.unwrap()
    }

    pub async fn close(self) {
        self.stop.cancel();
        self.started.stop().await;
    }
}

async fn core(
    db: &TestDb,
    clock: &Clock,
    url: &str,
    railway: &railway::Railway,
    served: &Served,
    names: &Names,
    front: std::net::SocketAddr,
) -> Core {
    let (entropy, sealer) = (Entropy::seeded(11), Arc::new(Sealer::new([9; 32])));
    let mail_waiting = Arc::new(Notify::new());
    let codes = SignInCodes {
        db: db.db.clone(),
        sealer: Arc::clone(&sealer),
        clock: clock.clone(),
        entropy: entropy.clone(),
        product: "AI-DIY".into(),
        waiting: Arc::clone(&mail_waiting),
    };
    let settings = edge::Settings::new(url, "localhost", "AI-DIY");
    let (codes, opened) = (Arc::new(codes), (db.db.clone(), Arc::clone(&sealer)));
    let gate = edge::Edge::open(opened.0, opened.1, clock.clone(), entropy.clone(), settings, codes).await.unwrap();
    let token = SecretString::from(railway.workspace_token());
    let mut settings = RailwaySettings::new(&served.url, token, "ws-simulated").unwrap();
    settings.pause = Duration::ZERO;
    settings.edge_address = Some(front);
    settings.observer = Arc::new(workflow::note);
    let compute = Railway::new(settings, db.db.clone(), clock.clone(), entropy.clone()).unwrap();
    Core {
        members_key: MembersKey::generate().unwrap(),
        gate,
        http: reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap(),
        started_at: clock.now(),
        drivers: Drivers {
            compute: Arc::new(compute),
            edge: Arc::new(names.clone()),
            payments: Arc::new(Ledger::new(db.db.clone(), clock.clone())),
            mail: Arc::new(Outbox),
        },
        settings: Settings {
            product: "AI-DIY".into(),
            public_url: url.to_owned(),
            base_domain: "localhost".into(),
            plan: Plan::default(),
            release: Release {
                version: "1".into(),
                image: Some("registry.example/app@sha256:1111".into()),
                command: "true".into(),
                health_path: "/".into(),
                read_only: Vec::new(),
                activity_rules: None,
            },
            operator: Email::parse("operator@localhost").unwrap(),
            mailbox: false,
            probe_address: front,
        },
        db: db.db.clone(),
        clock: clock.clone(),
        entropy,
        sealer,
        mail_waiting,
    }
}

/// What stands at Railway's edge: routes by hostname, and answers for guards as they do to strangers.
async fn front(railway: railway::Railway) -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(answer).with_state(railway);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

async fn answer(State(railway): State<railway::Railway>, request: Request) -> StatusCode {
    let host = request.headers()[header::HOST].to_str().unwrap();
    let host = host.split(':').next().unwrap();
    match railway.route(host) {
        Route::NotFound => StatusCode::NOT_FOUND,
        Route::BadGateway => StatusCode::BAD_GATEWAY,
        Route::Up(_) if request.uri().path() == "/-/health" => StatusCode::OK,
        Route::Up(_) if request.method() == axum::http::Method::PUT => StatusCode::NO_CONTENT,
        Route::Up(_) => StatusCode::UNAUTHORIZED,
    }
}
