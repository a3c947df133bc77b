use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use access::MembersKey;
use control_plane::{App, Application, Core, Settings, SignInCodes, migrations};
use domain::{Email, Plan};
use edge::Identification;
use jiff::{SignedDuration, Timestamp};
use providers::Routing;
use providers::compute::Release;
use simulators::railway::{self, Span};
use store::testing::{TestDb, fresh};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};
use workflow::{Direction, Faults, WorkflowRecord, WorkflowState};
use world::{Clock, Entropy, Sealer};

use super::companies::{BASE, Companies};
use super::customers::Habit;
use super::front;

/// Whoever needs the clock to be moved more often than this is not getting anywhere.
const MOST_ROUNDS: u64 = 20_000;

/// What a town is like.
#[derive(Clone)]
pub struct Wishes {
    /// Decides all that is left to chance.
    pub seed: u64,
    /// How Railway is.
    pub railway: railway::Settings,
    /// What goes wrong between the steps of workflows.
    pub steps: Faults,
    /// What customers do when they are asked for a card.
    pub habit: Habit,
    /// How many instances are made ahead.
    pub pool: u32,
    /// Where the record is.
    pub store: store::Engine,
    /// How hostnames find their instances.
    pub routing: Routing,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            seed: 7,
            railway: railway::Settings::default(),
            steps: Faults::none(),
            habit: Habit::Pays,
            pool: 0,
            store: store::Engine::Sqlite,
            routing: Routing::Records,
        }
    }
}

impl Wishes {
    /// As Railway is, but that it may be asked as often as one likes: for what is about something else.
    pub fn unhurried() -> Self {
        let railway = railway::Settings { plan: railway::Plan::Unlimited, ..railway::Settings::default() };
        Self { railway, ..Self::default() }
    }

    /// As above, and what Railway takes minutes for takes it seconds: for what is done a hundred times. Its
    /// throttles and lags stay.
    pub fn brisk() -> Self {
        let mut wishes = Self::unhurried();
        wishes.railway.deploy = Span::seconds(6, 12);
        wishes.railway.verification = Span::seconds(12, 30);
        wishes
    }
}

/// A main instance whose customers live at three simulated companies.
pub struct Town {
    pub companies: Companies,
    pub clock: Clock,
    pub db: TestDb,
    pub app: App,
    /// Where its API is.
    pub url: String,
    pub http: reqwest::Client,
    pub habit: Habit,
    rounds: AtomicU64,
    /// How many pages for cards had been opened when customers last looked.
    pub checkouts_visited: AtomicU64,
    _stop: DropGuard,
}

impl Town {
    pub async fn open(wishes: Wishes) -> Self {
        let clock = Clock::at("2026-11-25T10:00:00Z".parse().unwrap());
        let companies = Companies::open(&clock, &wishes).await;
        let db = fresh(wishes.store, &migrations()).await;
        Self::on(companies, clock, db, wishes).await
    }

    /// The main instance is gone. Another one, on another store, has the same companies.
    pub async fn rebuilt_on(self, db: TestDb, wishes: Wishes) -> Self {
        let Self { companies, clock, _stop: stop, .. } = self;
        drop(stop);
        Self::on(companies, clock, db, wishes).await
    }

    async fn on(companies: Companies, clock: Clock, db: TestDb, wishes: Wishes) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let core = core(&companies, &db, &clock, &wishes, listener.local_addr().unwrap()).await;
        let engine = workflow::Settings { faults: wishes.steps, parallel: 8, ..workflow::Settings::default() };
        let app = control_plane::assemble(core, engine).await.unwrap();
        let url = format!("http://{}/api/v1", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(control_plane::serve_people(listener, app.clone(), stop.clone()));
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        let checkouts_visited = AtomicU64::new(0);
        let (habit, rounds) = (wishes.habit, AtomicU64::new(0));
        Self { companies, clock, db, app, url, http, habit, rounds, checkouts_visited, _stop: stop.drop_guard() }
    }

    /// Lets the clock run until nothing is left to do.
    pub async fn settle(&self) {
        self.live_until(Timestamp::MAX).await;
    }

    /// Lets the clock run until this moment, or until nothing is left to do.
    pub async fn live_until(&self, end: Timestamp) {
        self.work().await;
        while let Some(due) = self.app.engine.next_due().await.unwrap().filter(|due| *due <= end) {
            let now = self.clock.now();
            let rounds = self.rounds.fetch_add(1, Ordering::SeqCst);
            assert!(rounds < MOST_ROUNDS, "at {now} it does not end: {:#?}", self.under_way().await);
            // What is due and can't be had is held by a process that died, until its lease is over.
            self.clock.advance(due.duration_since(now).max(SignedDuration::from_secs(2)));
            self.companies.railway.look();
            self.work().await;
        }
        if end < Timestamp::MAX {
            self.clock.advance(end.duration_since(self.clock.now()).max(SignedDuration::ZERO));
        }
    }

    async fn under_way(&self) -> Vec<String> {
        let sql = "select w.kind || ' ' || w.subject || ' ' || w.state || ': ' || s.name || ' ' || s.direction || ' '
                     || s.state || ' ' || s.attempts || ' ' || coalesce(s.error, '')
                   from workflows w join workflow_steps s on s.workflow_id = w.id
                   where w.state in ('running', 'undoing') and s.state <> 'done'";
        store::sqlx::query_scalar(sql).fetch_all(self.db.db.read()).await.unwrap()
    }

    /// Does what is due at this moment.
    async fn work(&self) {
        self.app.engine.run_due().await.unwrap();
        while self.visit_checkouts().await {
            self.app.engine.run_due().await.unwrap();
        }
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

    /// A page of the site, as anybody sees it.
    pub async fn page(&self, path: &str) -> String {
        let url = format!("{}{path}", self.url.trim_end_matches("/api/v1"));
        self.http.get(url).header("host", BASE).send().await.unwrap().text().await.unwrap()
    }

    pub async fn text(&self, sql: &'static str) -> String {
        store::sqlx::query_scalar(sql).fetch_one(self.db.db.read()).await.unwrap()
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        store::sqlx::query_scalar(sql).fetch_one(self.db.db.read()).await.unwrap()
    }
}

async fn core(companies: &Companies, db: &TestDb, clock: &Clock, wishes: &Wishes, own: SocketAddr) -> Core {
    let url = format!("http://{BASE}");
    let (entropy, sealer) = (Entropy::seeded(wishes.seed * 16 + 11), Arc::new(Sealer::new([9; 32])));
    let mail_waiting = Arc::new(Notify::new());
    let codes = SignInCodes {
        db: db.db.clone(),
        sealer: Arc::clone(&sealer),
        clock: clock.clone(),
        entropy: entropy.clone(),
        product: "AI-DIY".into(),
        waiting: Arc::clone(&mail_waiting),
    };
    let guards = front::of_railway(&companies.railway, &companies.containers).await;
    let mut settings = edge::Settings::new(&url, BASE, "AI-DIY");
    settings.origin_address = Some(guards);
    if wishes.routing == Routing::Wildcard {
        settings.identification = Identification::Before;
    }
    let opened = (db.db.clone(), Arc::clone(&sealer));
    let gate =
        edge::Edge::open(opened.0, opened.1, clock.clone(), entropy.clone(), settings, Arc::new(codes)).await.unwrap();
    let visitors = front::of_cloudflare(&companies.cloudflare, (&companies.railway, &companies.containers), own).await;
    // Every hostname is reached at Cloudflare.
    let way = reqwest::Proxy::http(format!("http://{visitors}")).unwrap();
    Core {
        members_key: MembersKey::generate().unwrap(),
        drivers: companies.drivers((&db.db, clock, &sealer), guards, &gate).await,
        gate,
        http: reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).proxy(way).build().unwrap(),
        started_at: clock.now(),
        settings: Settings {
            product: "AI-DIY".into(),
            brand: Arc::default(),
            public_url: url,
            base_domain: BASE.into(),
            plan: Plan::default(),
            release: release(),
            application: Application::Image,
            operator: Email::parse("operator@ai-diy.ai").unwrap(),
            mailbox: false,
            pool_size: wishes.pool,
            undo_days: 0,
            backups: control_plane::BackupSettings::default(),
            billing: control_plane::BillingSettings::default(),
            probe_address: None,
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

fn release() -> Release {
    Release {
        version: "1".into(),
        image: Some("registry.example/app@sha256:1111".into()),
        command: "true".into(),
        health_path: "/".into(),
        read_only: Vec::new(),
        activity_rules: None,
    }
}
