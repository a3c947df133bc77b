//! An app that is shared with everybody: who says so, what that opens, and all that it does not open.

use std::fs;
use std::path::Path;

use crate::app_site::{Scene, Upstream, settings};
use crate::emergency::{right, with_door};
use crate::observability::logging;
use crate::support::client::{Answer, raw};
use crate::support::house::{House, order, told, written};
use crate::support::{Guard, Town, bearer, push, refused_start, soon, until};
use access::ListState;
use access::orders::Order;
use futures_util::{SinkExt as _, StreamExt as _};
use nix::sys::signal::Signal;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

const WORKSPACE: &str = "acme.test";
const APP: &str = "acme-app.test";
const ORDERS: &str = "/-/app/sharing";
const OPEN: &str = r#"{"shared":true}"#;
const CLOSE: &str = r#"{"shared":false}"#;

type Settings = Vec<(&'static str, String)>;

/// A guard before a workspace that may share its app.
struct Street {
    scene: Scene,
    settings: Settings,
    /// Where the workspace says so.
    orders: String,
}

impl Street {
    async fn new() -> Self {
        Self::with(async |settings| settings).await
    }

    async fn with(adjust: impl AsyncFnOnce(Settings) -> Settings) -> Self {
        let (town, workspace, app) =
            (Town::new().await, Upstream::start("workspace").await, Upstream::start("app").await);
        let orders = free_address();
        let usual = shareable(settings(&town, workspace.address, app.address), &orders);
        let settings = adjust(usual).await;
        let guard = Guard::start(&settings, &[]).await;
        Self { scene: Scene { town, workspace, app, guard }, settings, orders }
    }

    async fn say(&self, body: &str) -> Answer {
        say(&self.orders, "POST", &[], body).await
    }

    async fn share(&self) {
        assert_eq!(self.say(OPEN).await.status, 204);
    }

    /// What nobody gets at the app.
    async fn nobody(&self, path: &str, lines: &[&str]) -> Answer {
        self.scene.ask(APP, path, lines).await
    }

    async fn is_open(&self) -> bool {
        let answer = self.nobody("/", &[]).await;
        assert!(matches!(answer.status, 200 | 401), "{answer:?}");
        answer.status == 200
    }

    async fn restarted(mut self) -> Self {
        self.scene.guard.signal(Signal::SIGKILL);
        self.scene.guard.ended().await;
        self.scene.guard = Guard::start(&self.settings, &[]).await;
        self
    }

    fn record(&self) -> std::path::PathBuf {
        self.scene.town.state().join("app-sharing.json")
    }
}

fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn shareable(mut settings: Settings, orders: &str) -> Settings {
    settings.extend([
        ("GUARD_APP_HOST", APP.to_owned()),
        ("GUARD_APP_SHARING", "application".to_owned()),
        ("GUARD_ACTIVITY_LISTEN", orders.to_owned()),
    ]);
    settings
}

async fn say(address: &str, method: &str, lines: &[&str], body: &str) -> Answer {
    let host =
        if lines.iter().any(|line| line.starts_with("Host")) { String::new() } else { format!("Host: {address}\r\n") };
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let length = body.len();
    let request = format!(
        "{method} {ORDERS} HTTP/1.1\r\n{host}Connection: close\r\n{lines}Content-Length: {length}\r\n\r\n{body}"
    );
    raw(address, request).await
}

#[tokio::test]
async fn an_app_is_for_members_until_the_application_shares_it_and_again_afterwards() {
    let street = Street::new().await;
    assert!(!street.is_open().await);
    let asked = say(&street.orders, "GET", &[], "").await;
    assert_eq!((asked.status, asked.body.as_str()), (200, r#"{"shared":false}"#));
    street.share().await;
    assert_eq!(say(&street.orders, "GET", &[], "").await.body, r#"{"shared":true}"#);
    let answer = street.nobody("/made?x=%2F", &["X-Spinoff-User: ada@example.com", "X-Spinoff-User-Id: 1"]).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "from the app"));
    let seen = street.scene.app.last();
    assert!(seen.starts_with("GET /made?x=%2F\n") && !seen.contains("x-spinoff-user"), "{seen}");
    let health = street.scene.ask(WORKSPACE, "/-/health", &[]).await;
    assert!(health.body.contains(r#""app":"shared""#), "{health:?}");

    assert_eq!(street.say(CLOSE).await.status, 204);
    assert!(!street.is_open().await);
    assert!(!street.scene.ask(WORKSPACE, "/-/health", &[]).await.body.contains("shared"));
    assert_eq!(street.scene.ada(APP, "/", &[]).await.status, 200, "members stay");
}

#[tokio::test]
async fn sharing_opens_the_apps_hostname_and_nothing_else() {
    let street = Street::with(async |mut settings| {
        settings.push(("GUARD_APP_PREFIX", "/yourapp/".into()));
        settings
    })
    .await;
    street.share().await;
    let reached = street.scene.workspace.count();
    for (host, path) in [
        (WORKSPACE, "/"),
        (WORKSPACE, "/yourapp/"),
        ("xacme-app.test", "/"),
        ("acme-app.test.evil.test", "/"),
        (APP, "/-/access/whoami"),
    ] {
        assert_eq!(street.scene.ask(host, path, &[]).await.status, 401, "{host}{path}");
    }
    for order in Order::ALL {
        let request = format!(
            "POST {} HTTP/1.1\r\nHost: {APP}\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}",
            order.path()
        );
        assert_eq!(raw(&street.scene.guard.address, request).await.status, 403, "{order:?}");
    }
    assert_eq!(street.scene.workspace.count(), reached);
    assert_eq!(street.scene.app.count(), 0);
    let origin = format!("Origin: http://{APP}");
    let across = street.scene.ada(WORKSPACE, "/", &[&origin]).await;
    assert_eq!(across.status, 403, "pages of the app act in the workspace as little as before");
}

#[tokio::test]
async fn at_a_shared_app_members_are_known_and_whoever_else_is_nobody() {
    let street = Street::with(async |mut settings| {
        settings.push(("GUARD_APP_AUDIENCE", "apps-1".into()));
        settings
    })
    .await;
    street.share().await;
    let forge = &street.scene.town.forge;
    let member = bearer(&forge.with("aud", "apps-1".into()));
    assert_eq!(street.nobody("/", &[&member]).await.status, 200);
    assert!(street.scene.app.last().contains("x-spinoff-user: ada@example.com\n"), "{}", street.scene.app.last());
    for (who, line) in [
        ("a stranger", bearer(&forge.token("eve@example.com"))),
        ("a member's sign-in to the workspace", bearer(&street.scene.town.ada())),
        ("nonsense", bearer("nonsense")),
        ("an old cookie", "Cookie: CF_Authorization=nonsense; theme=dark".to_owned()),
        ("two", format!("{member}\r\n{member}")),
    ] {
        assert_eq!(street.nobody("/", &[&line]).await.status, 200, "{who}");
        let seen = street.scene.app.last();
        assert!(!seen.contains("x-spinoff-user") && !seen.contains("nonsense"), "{who}: {seen}");
    }
    // A page elsewhere may send a form for nobody, but not in a member's name.
    let form = async |lines: &[&str]| {
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let head = format!("POST /form HTTP/1.1\r\nHost: {APP}\r\nConnection: close\r\nOrigin: http://evil.test\r\n");
        raw(&street.scene.guard.address, format!("{head}{lines}Content-Length: 0\r\n\r\n")).await.status
    };
    assert_eq!((form(&[]).await, form(&[&member]).await), (200, 403));
}

#[tokio::test]
async fn a_shared_app_is_closed_with_its_instance_and_opens_with_it() {
    let street = Street::new().await;
    street.share().await;
    let town = &street.scene.town;
    for (serial, state) in [(2, ListState::Suspended), (3, ListState::Deleting)] {
        let list = town.list(serial, state, &["ada@example.com"]);
        assert_eq!(push(&street.scene.guard.address, &list).await.status, 204);
        assert_eq!(street.nobody("/", &[]).await.status, 503, "{state:?}");
    }
    assert_eq!(street.scene.app.count(), 0);
    let list = town.list(4, ListState::Active, &["ada@example.com"]);
    assert_eq!(push(&street.scene.guard.address, &list).await.status, 204);
    assert!(street.is_open().await);
}

#[tokio::test]
async fn what_visitors_have_open_ends_when_it_is_shared_no_more() {
    let echo = crate::support::app::websocket_echo().await;
    let street = Street::with(async |mut settings| {
        settings.retain(|(name, _)| *name != "GUARD_APP_PORT");
        settings.push(("GUARD_APP_PORT", echo.port().to_string()));
        settings
    })
    .await;
    street.share().await;
    let open = async || {
        let request = format!("ws://{APP}/live").into_client_request().unwrap();
        let stream = TcpStream::connect(&street.scene.guard.address).await.unwrap();
        tokio_tungstenite::client_async(request, stream).await
    };
    let (mut socket, _) = open().await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(soon("an echo", socket.next()).await.unwrap().unwrap(), Message::text("hello"));
    assert_eq!(street.say(CLOSE).await.status, 204);
    soon("its end", async { while let Some(Ok(_)) = socket.next().await {} }).await;
    assert!(open().await.is_err());
}

#[tokio::test]
async fn it_stays_shared_over_a_crash_and_closed_where_that_can_not_be_read() {
    let mut street = Street::new().await;
    street.share().await;
    street = street.restarted().await;
    assert!(street.is_open().await);
    let record = street.record();
    for text in ["", "{", r#"{"host":"other-app.test","shared":true}"#, r#"{"shared":true}"#] {
        fs::write(&record, text).unwrap();
        street = street.restarted().await;
        assert!(!street.is_open().await, "{text}");
    }
    street.share().await;
    assert_eq!(street.say(CLOSE).await.status, 204);
    street = street.restarted().await;
    assert!(!street.is_open().await);
}

#[tokio::test]
async fn where_the_operator_takes_the_leave_back_it_is_closed_and_stays_so() {
    let mut street = Street::new().await;
    street.share().await;
    let allowed = street.settings.clone();
    street.settings.retain(|(name, _)| *name != "GUARD_APP_SHARING");
    street = street.restarted().await;
    assert!(!street.is_open().await);
    for (method, body) in [("GET", ""), ("POST", OPEN)] {
        assert_eq!(say(&street.orders, method, &[], body).await.status, 404, "{method}");
    }
    street.settings = allowed;
    street = street.restarted().await;
    assert!(!street.is_open().await, "not by accident");
}

#[tokio::test]
async fn only_the_application_itself_can_share() {
    let street = Street::new().await;
    for line in [
        "Host: acme.test",
        "Host: localhost.evil.test",
        "X-Forwarded-For: 127.0.0.1",
        "Via: 1.1 edge",
        "Origin: null",
        "Cookie: a=b",
        "Sec-Fetch-Site: same-origin",
    ] {
        assert_eq!(say(&street.orders, "POST", &[line], OPEN).await.status, 403, "{line}");
    }
    for (body, status) in [
        ("", 422),
        ("true", 422),
        (r#"{"shared":1}"#, 422),
        (r#"{"shared":true,"host":"x"}"#, 422),
        (&format!("{OPEN}{}", " ".repeat(2_000)), 413),
    ] {
        assert_eq!(street.say(body).await.status, status, "{body}");
    }
    assert_eq!(say(&street.orders, "PUT", &[], OPEN).await.status, 405);
    // At the main listener it is a path like any other, from wherever.
    let main = street.scene.guard.address.clone();
    assert_eq!(say(&main, "POST", &[], OPEN).await.status, 401);
    let (ada, app) = (bearer(&street.scene.town.ada()), format!("Host: {APP}"));
    assert_eq!(say(&main, "POST", &[&ada], OPEN).await.status, 200);
    assert!(street.scene.workspace.last().starts_with("POST /-/app/sharing\n"));
    assert_eq!(say(&main, "POST", &[&app, &ada], OPEN).await.status, 200);
    assert!(!street.is_open().await);
}

#[tokio::test]
async fn visits_without_identity_are_no_use_and_the_log_says_that_they_were_shared() {
    let (town, workspace, app) = (Town::new().await, Upstream::start("workspace").await, Upstream::start("app").await);
    let orders = free_address();
    let mut settings = shareable(settings(&town, workspace.address, app.address), &orders);
    // That it runs is use already.
    settings.retain(|(name, _)| *name != "GUARD_APP_PORT");
    settings.push(("GUARD_APP_PORT", free_address().rsplit_once(':').unwrap().1.to_owned()));
    let (guard, log) = logging(&town, &settings).await;
    assert_eq!(say(&orders, "POST", &[], OPEN).await.status, 204);
    let lines = ["Accept: text/html", "User-Agent: Mozilla/5.0", "Sec-Fetch-Mode: navigate", "Sec-Fetch-User: ?1"];
    let lines: String = lines.map(|line| format!("{line}\r\n")).concat();
    let visit = format!("GET /made HTTP/1.1\r\nHost: {APP}\r\nConnection: close\r\n{lines}\r\n");
    let page = raw(&guard.address, visit).await;
    assert!(page.status == 503 && page.body.contains("This app is not running"), "{page:?}");
    assert!(!page.head.contains("retry-after") && !page.body.contains("refresh"), "nobody's tab asks again: {page:?}");
    let wanted = ["who=- ", "decision=shared", "reason=app-not-running", "path=/made"];
    let seen = || log.lock().unwrap().lines().any(|line| wanted.iter().all(|word| line.contains(word)));
    until("the line", seen).await;
    assert!(guard.end().await.success());
    assert!(town.main.reports().is_empty(), "{:?}", town.main.reports());
}

#[tokio::test]
async fn the_emergency_door_stays_what_it_is() {
    let street = Street::with(with_door).await;
    assert_eq!(street.nobody("/", &[&right()]).await.status, 200, "to an app for members");
    street.share().await;
    let theirs = "Authorization: Basic dmlzaXRvcjpzZWNyZXQ=";
    // More than the door has attempts.
    for _ in 0..20 {
        assert_eq!(street.nobody("/", &[theirs]).await.status, 200);
    }
    assert!(street.scene.app.last().contains("authorization: Basic dmlzaXRvcjpzZWNyZXQ=\n"), "the app's own");
    assert_eq!(street.nobody("/", &[&right()]).await.status, 200);
    let seen = street.scene.app.last();
    assert!(!seen.contains("authorization") && !seen.contains("x-spinoff-user"), "{seen}");
    assert_eq!(street.scene.ask(WORKSPACE, "/", &[&right()]).await.status, 200);
    assert_eq!(street.scene.ask(WORKSPACE, "/", &[theirs]).await.status, 401);
}

#[tokio::test]
async fn what_is_put_back_is_for_members_again() {
    let house = House::new().await;
    let orders = free_address();
    let settings = shareable(house.settings(), &orders);
    let guard = house.guard_with(&settings).await;
    house.runs_by_now().await;
    let (kept, sealed) = house.back_up(&guard).await;
    assert_eq!(say(&orders, "POST", &[], OPEN).await.status, 204);
    assert_eq!(told(&guard, Order::Rest).await, 204);
    let (status, said) = order(&guard, Order::Restore, &written(&house.terms_of(&kept)), &sealed).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&said));
    assert_eq!(say(&orders, "GET", &[], "").await.body, r#"{"shared":false}"#);
    assert!(guard.end().await.success());
    let guard = house.guard_with(&settings).await;
    assert_eq!(say(&orders, "GET", &[], "").await.body, r#"{"shared":false}"#);
    assert!(guard.end().await.success());
}

#[tokio::test]
async fn the_application_is_told_where_to_share_only_where_it_may() {
    let town = Town::new().await;
    let file = town.folder.path().join("told");
    let script =
        format!("echo \"<$SPINOFF_APP_SHARING_URL>\" > {0}.part; mv {0}.part {0}; exec sleep 1000", file.display());
    let orders = free_address();
    let mut settings = shareable(town.settings(), &orders);
    settings.push(("PATH", "/usr/bin:/bin".into()));
    let tell = async |settings: &Settings, file: &Path| {
        let guard = Guard::start(settings, &["--", "/bin/sh", "-c", &script]).await;
        until("the application has started", || file.exists()).await;
        let said = fs::read_to_string(file).unwrap();
        fs::remove_file(file).unwrap();
        assert!(guard.end().await.success());
        said
    };
    assert_eq!(tell(&settings, &file).await, format!("<http://{orders}{ORDERS}>\n"));
    settings.retain(|(name, _)| *name != "GUARD_APP_SHARING");
    settings.push(("SPINOFF_APP_SHARING_URL", "http://127.0.0.1:1/".into()));
    assert_eq!(tell(&settings, &file).await, "<>\n", "nobody else's either");
}

#[tokio::test]
async fn leave_to_share_needs_a_hostname_and_an_address_of_its_own() {
    let town = Town::new().await;
    let allowed = ("GUARD_APP_SHARING", "application".to_owned());
    let (host, listen) = (("GUARD_APP_HOST", APP.to_owned()), ("GUARD_ACTIVITY_LISTEN", "127.0.0.1:0".to_owned()));
    let prefix = ("GUARD_APP_PREFIX", "/yourapp/".to_owned());
    for (more, says) in [
        (vec![allowed.clone()], "--app-host"),
        (vec![allowed.clone(), prefix, listen.clone()], "--app-host"),
        (vec![allowed.clone(), host.clone()], "--activity-listen"),
        (vec![("GUARD_APP_SHARING", "everybody".to_owned()), host, listen], "application"),
    ] {
        let mut settings = town.settings();
        settings.extend(more.clone());
        let (code, complaint) = refused_start(&settings).await;
        assert!(code == Some(2) && complaint.contains(says), "{more:?}: {code:?} {complaint}");
    }
}
