//! The app that a workspace makes: by which ways it is reached, by whom, and what it can't do.

use crate::support;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use crate::support::client::{Answer, raw};
use crate::support::{Guard, Town, bearer, refused_start, soon, until};
use access::ListState;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use proxy::{Body, Limits, serve};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_util::sync::CancellationToken;

const WORKSPACE: &str = "acme.test";
const APP: &str = "acme-app.test";

/// Records what reaches it and answers with the headers that the request asks for, each in an
/// `x-answer: name: value`.
#[derive(Clone)]
pub struct Upstream {
    pub address: SocketAddr,
    name: &'static str,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Upstream {
    pub async fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = Self { address: listener.local_addr().unwrap(), name, seen: Arc::default() };
        let serving = upstream.clone();
        tokio::spawn(serve(listener, Limits::default(), CancellationToken::new(), move |_| {
            let upstream = serving.clone();
            service_fn(move |request| {
                let answer = upstream.answer(&request);
                async move { Ok::<_, Infallible>(answer) }
            })
        }));
        upstream
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Body> {
        let mut text = format!("{} {}\n", request.method(), request.uri());
        for (name, value) in request.headers() {
            text.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
        }
        self.seen.lock().unwrap().push(text);
        let mut answer = Response::new(Body::from(format!("from the {}", self.name)));
        for wanted in request.headers().get_all("x-answer") {
            let (name, value) = wanted.to_str().unwrap().split_once(": ").unwrap();
            answer.headers_mut().append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        answer
    }

    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    pub fn last(&self) -> String {
        self.seen.lock().unwrap().last().cloned().expect("nothing came")
    }
}

/// A guard before a workspace and its app.
pub struct Scene {
    pub town: Town,
    pub workspace: Upstream,
    pub app: Upstream,
    pub guard: Guard,
}

impl Scene {
    async fn with(more: &[(&'static str, &str)]) -> Self {
        let (town, workspace, app) =
            (Town::new().await, Upstream::start("workspace").await, Upstream::start("app").await);
        let mut settings = settings(&town, workspace.address, app.address);
        settings.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let guard = Guard::start(&settings, &[]).await;
        Self { town, workspace, app, guard }
    }

    async fn by_host() -> Self {
        Self::with(&[("GUARD_APP_HOST", "Acme-App.TEST.")]).await
    }

    async fn by_prefix() -> Self {
        Self::with(&[("GUARD_APP_PREFIX", "/yourapp/")]).await
    }

    /// Ada asks for something.
    pub async fn ada(&self, host: &str, path: &str, lines: &[&str]) -> Answer {
        self.ask(host, path, &[&[bearer(&self.town.ada()).as_str()], lines].concat()).await
    }

    pub async fn ask(&self, host: &str, target: &str, lines: &[&str]) -> Answer {
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{lines}\r\n");
        raw(&self.guard.address, request).await
    }

    pub fn reached(&self) -> (usize, usize) {
        (self.workspace.count(), self.app.count())
    }
}

pub fn settings(town: &Town, workspace: SocketAddr, app: SocketAddr) -> Vec<(&'static str, String)> {
    let mut settings = town.settings_with("GUARD_UPSTREAM", format!("http://{workspace}"));
    settings.push(("GUARD_APP_PORT", app.port().to_string()));
    // Probing is not what is tested here, and would be recorded.
    settings.push(("GUARD_APP_HEALTH", "/well".into()));
    settings
}

fn headers<'a>(answer: &'a Answer, name: &str) -> Vec<&'a str> {
    let lines = answer.head.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(found, _)| *found == name).map(|(_, value)| value).collect()
}

#[tokio::test]
async fn only_its_very_hostname_leads_to_the_app() {
    let scene = Scene::by_host().await;
    for host in [APP, "ACME-APP.test", "acme-app.test.", "acme-app.test:8080", "Acme-App.Test.:8080", "acme-app.test:"]
    {
        let answer = scene.ada(host, "/a?b=%2F", &[]).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "from the app"), "{host}");
        assert!(scene.app.last().starts_with("GET /a?b=%2F\n"), "{}", scene.app.last());
    }
    let absolute = scene.ada(APP, "http://acme-app.test/a", &[]).await;
    assert_eq!(absolute.body, "from the app");
    let seen = scene.app.last();
    for line in ["x-spinoff-user: ada@example.com\n", "host: acme-app.test\n", "x-forwarded-host: acme-app.test\n"] {
        assert!(seen.contains(line), "{line} is not in {seen}");
    }
    assert!(!seen.contains("x-forwarded-prefix"), "{seen}");

    let (_, reached) = scene.reached();
    for host in [
        WORKSPACE,
        "xacme-app.test",
        "x.acme-app.test",
        "acme-app.test.evil.test",
        "acme-app.tes",
        "acme-app.test..",
        ".acme-app.test",
        "acme-app.test:80:80",
        "acme-app",
        "127.0.0.1",
    ] {
        assert_eq!(scene.ada(host, "/a", &[]).await.body, "from the workspace", "{host}");
    }
    for (host, target) in [(WORKSPACE, "http://acme-app.test/"), (APP, "http://acme.test/")] {
        assert_eq!(scene.ada(host, target, &[]).await.status, 400, "{host} {target}");
    }
    let both = scene.ask(WORKSPACE, "/", &[&bearer(&scene.town.ada()), "Host: acme-app.test"]).await;
    assert_eq!(both.status, 400);
    assert_eq!(scene.reached().1, reached, "{}", scene.app.last());
}

#[tokio::test]
async fn over_http_2_one_connection_leads_to_both_by_the_authority_of_each_request() {
    let scene = Scene::by_host().await;
    let stream = TcpStream::connect(&scene.guard.address).await.unwrap();
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    for (host, from) in [(APP, "from the app"), (WORKSPACE, "from the workspace"), (APP, "from the app")] {
        let request = Request::get(format!("http://{host}/a")).header("cf-access-jwt-assertion", scene.town.ada());
        let answer = soon("an answer", sender.send_request(request.body(Body::empty()).unwrap())).await.unwrap();
        let body = soon("its body", answer.into_body().collect()).await.unwrap().to_bytes();
        assert_eq!(body, from, "{host}");
    }
    assert_eq!(scene.reached(), (1, 2));
}

#[tokio::test]
async fn strangers_reach_neither_and_nothing_of_the_app_is_public() {
    let scene = Scene::by_host().await;
    let eve = bearer(&scene.town.forge.token("eve@example.com"));
    for (who, lines, status) in [("nobody", vec![], 401), ("a stranger", vec![eve.as_str()], 403)] {
        for host in [WORKSPACE, APP] {
            assert_eq!(scene.ask(host, "/", &lines).await.status, status, "{who} at {host}");
        }
        assert_eq!(scene.ask(APP, "/robots.txt", &lines).await.status, status, "{who}");
    }
    assert_eq!(scene.reached(), (0, 0));
    assert_eq!(scene.ask(WORKSPACE, "/robots.txt", &[]).await.body, "from the workspace");

    // What the guard answers itself, it answers everywhere.
    let whoami = scene.ada(APP, "/-/access/whoami", &[]).await;
    assert!(whoami.status == 200 && whoami.body.contains("ada@example.com"), "{whoami:?}");
    soon("health", async { while scene.ask(APP, "/-/health", &[]).await.status != 200 {} }).await;
    assert_eq!(scene.ask(APP, "/-/access/logout", &[]).await.status, 303);
    assert_eq!(scene.app.count(), 0);
}

#[tokio::test]
async fn a_suspended_workspace_has_its_app_closed_as_well() {
    let (town, workspace, app) = (Town::new().await, Upstream::start("workspace").await, Upstream::start("app").await);
    town.list(2, ListState::Suspended, &["ada@example.com"]);
    let mut settings = settings(&town, workspace.address, app.address);
    settings.push(("GUARD_APP_HOST", APP.into()));
    let scene = Scene { guard: Guard::start(&settings, &[]).await, town, workspace, app };
    for host in [WORKSPACE, APP] {
        let answer = scene.ada(host, "/", &[]).await;
        assert!(answer.status == 503 && answer.body.contains("suspended"), "{host}: {answer:?}");
    }
    assert_eq!(scene.reached(), (0, 0));
}

#[tokio::test]
async fn the_apps_cookies_and_headers_concern_nothing_but_itself() {
    let scene = Scene::by_host().await;
    let token = format!("Cookie: CF_Authorization={}; theme=dark", scene.town.ada());
    let lines = [
        token.as_str(),
        "x-answer: Set-Cookie: sid=1; Domain=test; Path=/",
        "x-answer: Set-Cookie: own=1; HttpOnly",
        "x-answer: Set-Cookie: CF_Authorization=tossed; Path=/",
        "x-answer: Set-Cookie: =CF_Authorization=tossed",
        "x-answer: Set-Cookie: spinoff_sign_in=tossed",
        "x-answer: Clear-Site-Data: \"cookies\"",
        "x-answer: Strict-Transport-Security: max-age=1; includeSubDomains",
        "x-answer: Alt-Svc: h2=\"evil.test:443\"",
        "x-answer: Service-Worker-Allowed: /",
        "x-answer: Location: /login",
        "x-answer: X-Frame-Options: DENY",
    ];
    let answer = scene.ask(APP, "/", &lines).await;
    assert_eq!(answer.body, "from the app");
    assert_eq!(headers(&answer, "set-cookie"), ["sid=1; path=/", "own=1; httponly"]);
    for (name, left) in [
        ("clear-site-data", vec![]),
        ("strict-transport-security", vec![]),
        ("alt-svc", vec![]),
        ("service-worker-allowed", vec!["/"]),
        ("location", vec!["/login"]),
        ("x-frame-options", vec!["deny"]),
    ] {
        assert_eq!(headers(&answer, name), left, "{name}");
    }
    let seen = scene.app.last();
    assert!(seen.contains("\ncookie: theme=dark\n") && !seen.contains(&scene.town.ada()[..40]), "{seen}");

    // The workspace is trusted with its domain, not with the visitor's sign-in.
    let answer = scene.ask(WORKSPACE, "/", &lines).await;
    assert_eq!(headers(&answer, "set-cookie"), ["sid=1; domain=test; path=/", "own=1; httponly"]);
    assert_eq!(headers(&answer, "clear-site-data"), ["\"cookies\""]);
}

#[tokio::test]
async fn pages_of_the_app_do_not_act_in_the_workspace() {
    let scene = Scene::by_host().await;
    let upgrade = ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="];
    for origin in
        ["http://acme-app.test", "https://ACME-APP.test", "http://acme-app.test:8080", "http://acme-app.test."]
    {
        let origin = format!("Origin: {origin}");
        for more in [&[][..], &upgrade] {
            let answer = scene.ada(WORKSPACE, "/", &[&[origin.as_str()], more].concat()).await;
            assert!(answer.status == 403 && answer.body.contains("can't do that"), "{origin}: {answer:?}");
        }
        assert_eq!(scene.ada(APP, "/", &[&origin]).await.status, 200, "{origin} at home");
    }
    assert_eq!(scene.workspace.count(), 0);
    for origin in ["http://acme.test", "null", "http://other-app.test", "http://acme-app.test.evil.test", ""] {
        assert_eq!(scene.ada(WORKSPACE, "/", &[&format!("Origin: {origin}")]).await.status, 200, "{origin}");
    }
}

#[tokio::test]
async fn an_app_that_is_not_running_says_so_and_is_no_use() {
    let (town, workspace) = (Town::new().await, Upstream::start("workspace").await);
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut settings = settings(&town, workspace.address, gone);
    settings.extend([("GUARD_APP_HOST", APP.into()), ("GUARD_APP_PREFIX", "/yourapp/".into())]);
    let app = Upstream { address: gone, name: "app", seen: Arc::default() };
    let scene = Scene { guard: Guard::start(&settings, &[]).await, town, workspace, app };
    for (host, path) in [(APP, "/"), (WORKSPACE, "/yourapp/")] {
        let page = scene.ada(host, path, &["Accept: text/html"]).await;
        assert!(page.status == 503 && page.body.contains("Your app is not running"), "{page:?}");
        assert!(page.head.contains("retry-after: ") && page.body.contains("http-equiv=\"refresh\""), "{page:?}");
        let problem = scene.ada(host, path, &["Accept: application/json"]).await;
        assert_eq!((problem.status, headers(&problem, "content-type")), (503, vec!["application/problem+json"]));
        let problem: serde_json::Value = serde_json::from_str(&problem.body).unwrap();
        assert_eq!(problem["title"], "Your app is not running");
    }
    assert_eq!(scene.workspace.count(), 0);
    let Scene { town, guard, .. } = scene;
    assert!(guard.end().await.success());
    assert!(town.main.reports().is_empty(), "{:?}", town.main.reports());
}

#[tokio::test]
async fn to_use_the_app_is_to_use_the_instance() {
    let scene = Scene::by_host().await;
    let lines = ["Accept: text/html", "User-Agent: Mozilla/5.0", "Sec-Fetch-Mode: navigate", "Sec-Fetch-User: ?1"];
    assert_eq!(scene.ada(APP, "/", &lines).await.status, 200);
    until("a report", || !scene.town.main.reports().is_empty()).await;
}

#[tokio::test]
async fn below_its_prefix_the_app_sees_paths_without_it() {
    let scene = Scene::by_prefix().await;
    for (path, inside) in [
        ("/yourapp/", "/"),
        ("/yourapp/?q", "/?q"),
        ("/yourapp/a/b?c=/d", "/a/b?c=/d"),
        ("/yourapp//x", "//x"),
        ("/yourapp/a%2fb%20c", "/a%2fb%20c"),
        ("/yourapp/yourapp/x", "/yourapp/x"),
        ("/yourapp/..x/...", "/..x/..."),
        ("http://acme.test/yourapp/a", "/a"),
    ] {
        let answer = scene.ada(WORKSPACE, path, &["X-Forwarded-Prefix: /evil"]).await;
        assert_eq!(answer.body, "from the app", "{path}");
        let seen = scene.app.last();
        assert!(seen.starts_with(&format!("GET {inside}\n")), "{path}: {seen}");
        assert!(seen.contains("x-forwarded-prefix: /yourapp\n") && !seen.contains("evil"), "{seen}");
    }
    let (_, reached) = scene.reached();
    for path in ["/", "/yourapps/", "/YourApp/", "//yourapp/", "/%79ourapp/", "/yourapp%2fx", "/x/yourapp/"] {
        assert_eq!(scene.ada(WORKSPACE, path, &[]).await.body, "from the workspace", "{path}");
        assert!(scene.workspace.last().starts_with(&format!("GET {path}\n")), "{}", scene.workspace.last());
    }
    let before = scene.workspace.count();
    for path in [
        "/yourapp/..",
        "/yourapp/../",
        "/yourapp/../secret",
        "/yourapp/./x",
        "/yourapp/a/%2e%2E/b",
        "/yourapp/..%2fsecret",
        "/yourapp/a%2f..%2f..%2fb",
        "/yourapp/..%5cb",
        "/yourapp/..;x/b",
    ] {
        assert_eq!(scene.ada(WORKSPACE, path, &[]).await.status, 400, "{path}");
    }
    for (path, location) in [("/yourapp", "/yourapp/"), ("/yourapp?a=b", "/yourapp/?a=b")] {
        assert_eq!(scene.ask(WORKSPACE, path, &[]).await.status, 401, "{path}");
        let answer = scene.ada(WORKSPACE, path, &[]).await;
        assert_eq!((answer.status, headers(&answer, "location")), (308, vec![location]));
    }
    assert_eq!(scene.ask(WORKSPACE, "/yourapp/", &[]).await.status, 401);
    assert_eq!(scene.reached(), (before, reached));
}

#[tokio::test]
async fn below_its_prefix_what_the_app_says_about_addresses_is_put_right() {
    let scene = Scene::by_prefix().await;
    let own = format!("http://127.0.0.1:{}/in?x", scene.app.address.port());
    for (name, said, heard) in [
        ("Location", "/login?next=/", "/yourapp/login?next=/"),
        ("Location", "/yourapp/login", "/yourapp/login"),
        ("Location", "login", "login"),
        ("Location", &own, "/yourapp/in?x"),
        ("Location", "http://acme.test/in", "/yourapp/in"),
        ("Location", "//acme.test/in", "/yourapp/in"),
        ("Location", "https://elsewhere.test/in", "https://elsewhere.test/in"),
        ("Content-Location", "/a.html", "/yourapp/a.html"),
        ("Refresh", "3; url=/next", "3; url=/yourapp/next"),
    ] {
        let answer = scene.ada(WORKSPACE, "/yourapp/", &[&format!("x-answer: {name}: {said}")]).await;
        assert_eq!(headers(&answer, &name.to_ascii_lowercase()), [heard], "{name}: {said}");
        let answer = scene.ada(WORKSPACE, "/", &[&format!("x-answer: {name}: {said}")]).await;
        assert_eq!(headers(&answer, &name.to_ascii_lowercase()), [said], "the workspace's own is left alone");
    }
    let persistent = ["Service-Worker-Allowed: /", "NEL: {}", "Report-To: {}", "Clear-Site-Data: \"*\""];
    for said in persistent {
        let answer = scene.ada(WORKSPACE, "/yourapp/", &[&format!("x-answer: {said}")]).await;
        assert!(!answer.head.contains(&said.to_ascii_lowercase()), "{answer:?}");
    }
}

#[tokio::test]
async fn below_its_prefix_the_app_has_cookies_of_its_own_and_no_others() {
    let scene = Scene::by_prefix().await;
    let answer = scene
        .ada(
            WORKSPACE,
            "/yourapp/",
            &[
                "Cookie: sid=the-workspaces; yourapp.sid=1; CF_Authorization=x; yourapp.CF_Authorization=y",
                "Cookie: yourapp.theme=dark",
                "x-answer: Set-Cookie: sid=1; HttpOnly",
                "x-answer: Set-Cookie: a=1; Path=/admin; Domain=test",
                "x-answer: Set-Cookie: __Host-b=1; Secure; Path=/",
                "x-answer: Set-Cookie: CF_Authorization=x; Path=/",
                "x-answer: Set-Cookie: =nameless",
            ],
        )
        .await;
    assert_eq!(
        headers(&answer, "set-cookie"),
        ["yourapp.sid=1; httponly; path=/yourapp/", "yourapp.a=1; path=/yourapp/admin"]
    );
    let seen = scene.app.last();
    assert!(seen.contains("\ncookie: sid=1; theme=dark\n"), "{seen}");
    scene.ada(WORKSPACE, "/yourapp/", &["Cookie: sid=the-workspaces"]).await;
    assert!(!scene.app.last().contains("\ncookie:"), "{}", scene.app.last());
    scene.ada(WORKSPACE, "/", &["Cookie: sid=the-workspaces"]).await;
    assert!(scene.workspace.last().contains("cookie: sid=the-workspaces\n"), "{}", scene.workspace.last());
}

#[tokio::test]
async fn websockets_reach_the_app_either_way() {
    let town = Town::new().await;
    let echo = support::app::websocket_echo().await;
    let mut settings = settings(&town, town.app.address, echo);
    settings.extend([("GUARD_APP_HOST", APP.into()), ("GUARD_APP_PREFIX", "/yourapp/".into())]);
    let guard = Guard::start(&settings, &[]).await;
    for (host, path) in [(APP, "/live"), (WORKSPACE, "/yourapp/live")] {
        let mut request = format!("ws://{host}{path}").into_client_request().unwrap();
        let token = HeaderValue::from_str(&town.ada()).unwrap();
        request.headers_mut().insert("cf-access-jwt-assertion", token);
        let stream = TcpStream::connect(&guard.address).await.unwrap();
        let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
        socket.send(Message::text("hello")).await.unwrap();
        let echoed = soon("an echo", socket.next()).await.unwrap().unwrap();
        assert_eq!(echoed.into_text().unwrap(), "hello", "{host}{path}");
    }
}

#[tokio::test]
async fn a_sign_in_to_the_app_is_none_to_the_workspace_nor_the_other_way_round() {
    let apart = [
        ("GUARD_APP_HOST", APP),
        ("GUARD_APP_PREFIX", "/yourapp/"),
        ("GUARD_APP_AUDIENCE", "apps-1,apps-2"),
        ("GUARD_SERVICE_TOKENS", "deploy.access"),
    ];
    let scene = Scene::with(&apart).await;
    let ours = support::AUDIENCE;
    for (audience, workspace, app) in [
        (json!(ours), 200, 401),
        (json!([ours, "elsewhere"]), 200, 401),
        (json!("apps-1"), 401, 200),
        (json!(["elsewhere", "apps-2"]), 401, 200),
        (json!([ours, "apps-1"]), 200, 200),
        (json!("elsewhere"), 401, 401),
    ] {
        let token = bearer(&scene.town.forge.with("aud", audience.clone()));
        let mut claims = scene.town.forge.claims("x");
        drop(claims.as_object_mut().unwrap().remove("email"));
        (claims["common_name"], claims["aud"]) = (json!("deploy.access"), audience.clone());
        let service = bearer(&scene.town.forge.sign(&scene.town.forge.header(), &claims));
        for token in [token, service] {
            for (host, path, status) in
                [(WORKSPACE, "/", workspace), (WORKSPACE, "/yourapp/", workspace), (APP, "/", app)]
            {
                let answer = scene.ask(host, path, &[&token]).await;
                assert_eq!(answer.status, status, "{audience} at {host}{path}");
            }
        }
    }
    assert_eq!(scene.reached(), (6, 6 + 6));
}

#[tokio::test]
async fn without_audiences_of_its_own_the_app_is_opened_by_any() {
    let scene = Scene::with(&[("GUARD_APP_HOST", APP)]).await;
    for host in [WORKSPACE, APP] {
        assert_eq!(scene.ada(host, "/", &[]).await.status, 200, "{host}");
    }
}

#[tokio::test]
async fn contradictory_settings_do_not_start() {
    let town = Town::new().await;
    for (more, says) in [
        (("GUARD_APP_PORT", town.app.address.port().to_string()), "--app-port"),
        (("GUARD_APP_PORT", "0".into()), "--app-port 0"),
        (("GUARD_APP_HOST", "acme-app.test:8080".into()), "--app-host"),
        (("GUARD_APP_HOST", "*.test".into()), "--app-host"),
        (("GUARD_APP_PREFIX", "/".into()), "--app-prefix"),
        (("GUARD_APP_AUDIENCE", "apps-1".into()), "--app-host"),
    ] {
        let mut settings = town.settings();
        settings.push(more.clone());
        let (code, complaint) = refused_start(&settings).await;
        assert!(code == Some(2) && complaint.contains(says), "{more:?}: {code:?} {complaint}");
    }
}
