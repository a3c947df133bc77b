//! A town of two customers behind one edge: Ada is a member of `acme`, Bob of `umbrella`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use domain::{Email, InstanceId};
use edge::{CodeMail, Edge, Hostname, Route, Settings, SignInMail};
use jiff::Timestamp;
use store::Engine;
use store::testing::{TestDb, fresh};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tower::ServiceExt as _;
use world::{Clock, Entropy, Sealer};

use crate::browser::Browser;
use crate::upstream::Upstream;

/// Longer than anything here takes, even on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Town {
    pub edge: Edge,
    pub clock: Clock,
    pub upstream: Upstream,
    pub db: TestDb,
    address: SocketAddr,
    mails: Mutex<UnboundedReceiver<SignInMail>>,
}

struct Outbox(UnboundedSender<SignInMail>);

#[async_trait::async_trait]
impl CodeMail for Outbox {
    async fn send_code(&self, mail: SignInMail) -> anyhow::Result<()> {
        Ok(self.0.send(mail)?)
    }
}

impl Town {
    pub async fn start(engine: Engine) -> Self {
        Self::start_with(engine, |_, _| ()).await
    }

    /// With other settings than the usual ones, which may name where the upstream is.
    pub async fn start_with(engine: Engine, adjust: impl FnOnce(&mut Settings, SocketAddr)) -> Self {
        let db = fresh(engine, edge::MIGRATIONS).await;
        let clock = Clock::at("2026-11-24T12:00:00Z".parse::<Timestamp>().unwrap());
        let (outbox, mails) = unbounded_channel();
        let upstream = Upstream::start().await;
        let mut settings = settings();
        adjust(&mut settings, upstream.address);
        let edge = open_as(&db, &clock, Arc::new(Outbox(outbox)), [7; 32], settings).await.unwrap();
        for (name, member) in [("acme.localhost", "ada@example.com"), ("umbrella.localhost", "bob@example.com")] {
            edge.publish(&route(&edge, name, upstream.address)).await.unwrap();
            edge.set_admissions(&host(name), &[member.parse().unwrap()]).await.unwrap();
        }
        let address = serve(edge.clone()).await;
        Self { edge, clock, upstream, db, address, mails: Mutex::new(mails) }
    }

    /// A second replica on the same store.
    pub async fn replica(&self) -> Edge {
        open(&self.db, &self.clock, Arc::new(Outbox(unbounded_channel().0))).await.unwrap()
    }

    pub fn browser(&self, hostname: &str) -> Browser {
        Browser::new(self.address, hostname)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub async fn next_mail(&self) -> SignInMail {
        tokio::time::timeout(PATIENCE, self.mails.lock().await.recv()).await.expect("no mail came").unwrap()
    }

    /// Whether no mail waits. Mails are handed over in the order in which they were asked for, so
    /// ask after a later one has come.
    pub async fn no_mail_waits(&self) -> bool {
        self.mails.lock().await.try_recv().is_err()
    }

    /// Signs somebody in and gives their browser.
    pub async fn signed_in(&self, email: &str, hostname: &str) -> Browser {
        let mut browser = self.browser(hostname);
        assert_eq!(browser.ask_for_code(email).await.status(), 200);
        let code = self.next_mail().await.code;
        assert_eq!(browser.enter_code(&code).await.status(), 303);
        browser
    }
}

pub async fn open(db: &TestDb, clock: &Clock, mail: Arc<dyn CodeMail>) -> Result<Edge, edge::EdgeError> {
    open_with(db, clock, mail, [7; 32]).await
}

pub async fn open_with(
    db: &TestDb,
    clock: &Clock,
    mail: Arc<dyn CodeMail>,
    key: [u8; 32],
) -> Result<Edge, edge::EdgeError> {
    open_as(db, clock, mail, key, settings()).await
}

fn settings() -> Settings {
    let mut settings = Settings::new("http://localhost:8080", "localhost", "AI-DIY");
    settings.app_sites = true;
    settings.hold = Duration::ZERO;
    settings
}

async fn open_as(
    db: &TestDb,
    clock: &Clock,
    mail: Arc<dyn CodeMail>,
    key: [u8; 32],
    settings: Settings,
) -> Result<Edge, edge::EdgeError> {
    Edge::open(db.db.clone(), Arc::new(Sealer::new(key)), clock.clone(), Entropy::System, settings, mail).await
}

pub fn no_mail() -> Arc<dyn CodeMail> {
    Arc::new(Outbox(unbounded_channel().0))
}

pub fn host(name: &str) -> Hostname {
    Hostname::parse(name).unwrap()
}

pub fn email(address: &str) -> Email {
    Email::parse(address).unwrap()
}

/// An instance's id that follows from its hostname.
pub fn instance(name: &str) -> InstanceId {
    let mut chance = [0; 10];
    for (to, from) in chance.iter_mut().zip(name.bytes()) {
        *to = from;
    }
    InstanceId::new(Timestamp::UNIX_EPOCH, chance)
}

pub fn route(edge: &Edge, name: &str, upstream: SocketAddr) -> Route {
    let instance = instance(name);
    Route {
        hostname: host(name),
        instance: Some(instance),
        upstream: upstream.into(),
        audience: edge.audience_of(instance),
    }
}

/// One listener for the site and all instances, as the server has it.
async fn serve(edge: Edge) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let site = edge.routes();
    let dispatch = Router::new().fallback(move |request: Request| dispatch(edge.clone(), site.clone(), request));
    let service = dispatch.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

async fn dispatch(edge: Edge, site: Router, request: Request) -> Response {
    let is_site = request.headers().get("host").is_some_and(|host| host == "localhost:8080");
    if is_site { site.oneshot(request).await.unwrap() } else { edge.handle(request).await }
}
