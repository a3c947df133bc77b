use access::{Assertion, Issuer, SigningKey};
use edge::HostState;
use futures_util::{SinkExt as _, StreamExt as _};
use jiff::SignedDuration;
use reqwest::Method;
use store::Engine;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::town::{PATIENCE, Town, email, host, instance, route};

crate::on_both_engines!(
    a_removed_member_loses_entry_at_the_next_request,
    a_domain_rule_admits_its_addresses,
    closed_instances_explain_themselves,
);

async fn a_removed_member_loses_entry_at_the_next_request(engine: Engine) {
    let town = Town::start(engine).await;
    let mut ada = town.signed_in("ada@example.com", "acme.localhost").await;
    assert_eq!(ada.visit("/").await.status(), 200);
    let reached = town.upstream.seen().len();
    town.edge.set_admissions(&host("acme.localhost"), &[]).await.unwrap();
    assert_eq!(ada.visit("/").await.status(), 403);
    let request = ada.request(Method::POST, "/save");
    assert_eq!(ada.send(request).await.status(), 403);
    assert_eq!(town.upstream.seen().len(), reached);
    town.edge.admit(&host("acme.localhost"), &"ada@example.com".parse().unwrap()).await.unwrap();
    assert_eq!(ada.visit("/").await.status(), 200);
}

async fn a_domain_rule_admits_its_addresses(engine: Engine) {
    let town = Town::start(engine).await;
    town.edge.set_admissions(&host("acme.localhost"), &["@example.org".parse().unwrap()]).await.unwrap();
    let mut eve = town.signed_in("eve@example.org", "acme.localhost").await;
    assert_eq!(eve.visit("/").await.status(), 200);
    for stranger in ["ada@example.com", "eve@mail.example.org", "eve@badexample.org"] {
        town.browser("acme.localhost").ask_for_code(stranger).await;
    }
    town.browser("acme.localhost").ask_for_code("mallory@example.org").await;
    assert_eq!(town.next_mail().await.to, email("mallory@example.org"));
}

async fn closed_instances_explain_themselves(engine: Engine) {
    let town = Town::start(engine).await;
    let mut ada = town.signed_in("ada@example.com", "acme.localhost").await;
    for (state, retries) in [(HostState::Starting, true), (HostState::Suspended, false), (HostState::Deleting, false)] {
        assert!(town.edge.set_state(&host("acme.localhost"), state, Some("Said so.")).await.unwrap());
        let closed = ada.visit("/").await;
        assert_eq!(closed.status(), 503, "{state:?}");
        assert_eq!(closed.headers().contains_key("retry-after"), retries, "{state:?}");
        let script = ada.request(Method::GET, "/api/things");
        let problem = ada.send(script).await;
        assert_eq!(problem.headers()["content-type"], "application/problem+json");
        assert_eq!(problem.json::<serde_json::Value>().await.unwrap()["detail"], "Said so.");
        assert_eq!(ada.visit("/-/health").await.status(), 503, "a closed instance is not probed through");
    }
    assert!(town.upstream.seen().is_empty());
    assert!(town.edge.set_state(&host("acme.localhost"), HostState::Active, None).await.unwrap());
    assert_eq!(ada.visit("/").await.status(), 200);
    assert!(!town.edge.set_state(&host("nobody.localhost"), HostState::Active, None).await.unwrap());
}

#[tokio::test]
async fn without_a_session_only_the_health_path_passes() {
    let town = Town::start(Engine::Sqlite).await;
    let mut stranger = town.browser("acme.localhost");
    for path in
        ["/", "/-/health/", "/-/healthy", "//-/health", "/-/access/whoami", "/%2d/health", "/CDN-CGI/access/certs"]
    {
        assert_eq!(stranger.visit(path).await.status(), 302, "{path}");
        let request = stranger.request(Method::GET, path);
        let refused = stranger.send(request).await;
        assert_eq!(refused.status(), 401, "{path}");
        assert!(refused.headers().contains_key("www-authenticate"));
        assert_eq!(refused.headers()["content-type"], "application/problem+json");
    }
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let request = stranger.request(method.clone(), "/-/health").header("accept", "text/html");
        let refused = stranger.send(request).await;
        assert_eq!(refused.status(), 401, "{method}");
        assert!(refused.headers()["content-type"].to_str().unwrap().starts_with("text/html"), "a person reads it");
    }
    let script = stranger.request(Method::GET, "/").header("accept", "text/html").header("sec-fetch-mode", "cors");
    assert_eq!(stranger.send(script).await.status(), 401, "a script is not sent to a page");
    assert!(town.upstream.seen().is_empty());

    let probe = stranger.request(Method::GET, "/-/health").header("cf-access-jwt-assertion", "forged");
    assert_eq!(stranger.send(probe).await.status(), 200);
    assert_eq!(town.upstream.last().header("cf-access-jwt-assertion"), None);
}

#[tokio::test]
async fn a_session_is_worth_nothing_at_another_hostname() {
    let town = Town::start(Engine::Sqlite).await;
    for place in [host("umbrella.localhost"), town.edge.site().clone()] {
        town.edge.admit(&place, &"ada@example.com".parse().unwrap()).await.unwrap();
    }
    let ada = town.signed_in("ada@example.com", "acme.localhost").await;
    assert_eq!(ada.smuggled_to("umbrella.localhost").visit("/").await.status(), 302);
    assert_eq!(ada.smuggled_to("localhost").visit("/cdn-cgi/access/get-identity").await.status(), 401);
    assert!(town.upstream.seen().is_empty());
}

#[tokio::test]
async fn a_session_ends_a_day_after_signing_in_however_much_it_is_used() {
    let town = Town::start(Engine::Sqlite).await;
    let mut ada = town.signed_in("ada@example.com", "acme.localhost").await;
    for _ in 0..23 {
        town.clock.advance(SignedDuration::from_hours(1));
        assert_eq!(ada.visit("/").await.status(), 200);
    }
    town.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(ada.visit("/").await.status(), 302);
}

#[tokio::test]
async fn forged_sessions_are_no_sessions() {
    let town = Town::start(Engine::Sqlite).await;
    let mut ada = town.signed_in("ada@example.com", "acme.localhost").await;
    let genuine = ada.session().to_owned();
    let foreign = Issuer::new("http://localhost:8080", SigningKey::generate().unwrap());
    let audience = town.edge.audience_of(instance("acme.localhost"));
    let forged = foreign.issue(&Assertion {
        email: &email("ada@example.com"),
        subject: "x",
        audience: &audience,
        now: town.clock.now(),
        ttl: SignedDuration::from_hours(1),
        nonce: "x",
    });
    let (signed, _) = genuine.rsplit_once('.').unwrap();
    for session in [forged.unwrap(), format!("{signed}."), format!("{signed}.AAAA"), String::new(), "a.b.c".to_owned()]
    {
        ada.cookies.insert("CF_Authorization".to_owned(), session.clone());
        assert_eq!(ada.visit("/").await.status(), 302, "{session}");
    }
    assert!(town.upstream.seen().is_empty());

    ada.cookies.insert("CF_Authorization".to_owned(), format!("tossed; CF_Authorization={genuine}"));
    assert_eq!(ada.visit("/").await.status(), 200, "a neighbour's cookie must not drown the genuine one");
}

#[tokio::test]
async fn genuine_sessions_of_two_people_in_one_browser_are_nobodys() {
    let town = Town::start(Engine::Sqlite).await;
    town.edge.admit(&host("acme.localhost"), &"eve@example.com".parse().unwrap()).await.unwrap();
    let mut ada = town.signed_in("ada@example.com", "acme.localhost").await;
    let again = town.signed_in("ada@example.com", "acme.localhost").await;
    let eve = town.signed_in("eve@example.com", "acme.localhost").await;
    let genuine = ada.session().to_owned();
    for tossed in [
        format!("{}; CF_Authorization={genuine}", eve.session()),
        format!("{genuine}; CF_Authorization={}", eve.session()),
    ] {
        ada.cookies.insert("CF_Authorization".to_owned(), tossed);
        assert_eq!(ada.visit("/").await.status(), 302);
    }
    assert!(town.upstream.seen().is_empty());
    ada.cookies.insert("CF_Authorization".to_owned(), format!("{genuine}; CF_Authorization={}", again.session()));
    assert_eq!(ada.visit("/").await.status(), 200, "two of one person are that person's");
}

#[tokio::test]
async fn an_instance_gives_no_cookies_that_would_pass_for_the_edges() {
    let town = Town::start(Engine::Sqlite).await;
    let mut ada = town.signed_in("ada@example.com", "acme.localhost").await;
    let before = ada.cookies.clone();
    let answer = ada.visit("/cookies").await;
    let given: Vec<_> = answer.headers().get_all("set-cookie").iter().collect();
    assert_eq!(given, ["theme=dark"]);
    assert_eq!(ada.cookies["CF_Authorization"], before["CF_Authorization"]);
}

#[tokio::test]
async fn an_instance_sees_what_the_edge_says_and_not_what_the_client_claims() {
    let town = Town::start(Engine::Sqlite).await;
    let mut ada = town.signed_in("ada@example.com", "acme.localhost").await;
    ada.cookies.insert("theme".to_owned(), "dark".to_owned());
    let session = ada.session().to_owned();
    let mut request = ada.request(Method::POST, "/a%2Fb/..;?q=%20").body("data");
    for (name, value) in [
        ("cf-access-jwt-assertion", "forged"),
        ("cf_access_jwt_assertion", "forged"),
        ("cf-access-authenticated-user-email", "root@example.com"),
        ("x-spinoff-user", "root@example.com"),
        ("x-forwarded-for", "198.51.100.1"),
        ("x-forwarded-host", "umbrella.localhost"),
        ("forwarded", "for=198.51.100.1"),
        ("x-real-ip", "198.51.100.1"),
        ("connection", "keep-alive, cf-access-jwt-assertion, x-forwarded-for"),
        ("x-kept", "yes"),
    ] {
        request = request.header(name, value);
    }
    assert_eq!(ada.send(request).await.status(), 200);
    let seen = town.upstream.last();
    assert_eq!((&*seen.method, &*seen.target, &seen.body[..]), ("POST", "/a%2Fb/..;?q=%20", &b"data"[..]));
    assert_eq!(seen.header("cf-access-jwt-assertion"), Some(&*session));
    assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(seen.header("x-forwarded-proto"), Some("http"));
    assert_eq!(seen.header("x-forwarded-host"), Some("acme.localhost:8080"));
    assert_eq!(seen.header("host"), Some("acme.localhost:8080"));
    assert_eq!(seen.header("cookie"), Some("theme=dark"));
    assert_eq!(seen.header("x-kept"), Some("yes"));
    for gone in
        ["cf_access_jwt_assertion", "cf-access-authenticated-user-email", "x-spinoff-user", "forwarded", "x-real-ip"]
    {
        assert_eq!(seen.header(gone), None, "{gone}");
    }
    ada.visit("/").await;
    let seen = town.upstream.last();
    assert_eq!((seen.header("transfer-encoding"), seen.header("content-length")), (None, None), "a GET got a body");
}

#[tokio::test]
async fn websockets_pass_for_members_only() {
    let town = Town::start(Engine::Sqlite).await;
    let ada = town.signed_in("ada@example.com", "acme.localhost").await;
    let dial = async |cookie: Option<String>| {
        let mut request = format!("ws://{}/ws", town.address()).into_client_request().unwrap();
        request.headers_mut().insert("host", "acme.localhost:8080".parse().unwrap());
        if let Some(cookie) = cookie {
            request.headers_mut().insert("cookie", cookie.parse().unwrap());
        }
        let stream = TcpStream::connect(town.address()).await.unwrap();
        tokio_tungstenite::client_async(request, stream).await
    };
    assert!(dial(None).await.is_err());
    assert!(town.upstream.seen().is_empty());

    let (mut socket, _) = dial(Some(ada.cookie_header())).await.unwrap();
    for text in ["one", "two"] {
        socket.send(Message::text(text)).await.unwrap();
        let answer = tokio::time::timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
        assert_eq!(answer, Message::text(format!("echo {text}")));
    }
    assert_eq!(town.upstream.last().header("cf-access-jwt-assertion"), Some(ada.session()));
}

/// Trailers arrive when it has been decided who asks, and many programs take them for headers.
#[tokio::test]
async fn nobody_says_who_they_are_after_the_body() {
    let town = Town::start(Engine::Sqlite).await;
    let ada = town.signed_in("ada@example.com", "acme.localhost").await;
    let instance = TcpListener::bind("127.0.0.1:0").await.unwrap();
    town.edge.publish(&route(&town.edge, "acme.localhost", instance.local_addr().unwrap())).await.unwrap();
    let mut client = TcpStream::connect(town.address()).await.unwrap();
    let head = format!(
        "POST /save HTTP/1.1\r\nHost: acme.localhost:8080\r\nCookie: {}\r\nTransfer-Encoding: chunked\r\n\
         Trailer: X-Sum, X-Spinoff-User, Cf-Access-Jwt-Assertion, Cookie\r\n\r\n",
        ada.cookie_header()
    );
    let trailers = "X-Spinoff-User: eve\r\nCf-Access-Jwt-Assertion: x\r\nCookie: CF_Authorization=x\r\nX-Sum: 42\r\n";
    client.write_all(format!("{head}2\r\nhi\r\n0\r\n{trailers}\r\n").as_bytes()).await.unwrap();
    let (mut seen, mut server) = (Vec::new(), instance.accept().await.unwrap().0);
    while !seen.ends_with(b"\r\n0\r\nx-sum: 42\r\n\r\n") {
        let read = tokio::time::timeout(PATIENCE, server.read_buf(&mut seen)).await.expect("no such end").unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&seen));
    }
    let seen = String::from_utf8(seen).unwrap();
    assert!(seen.contains("\r\ntrailer: x-sum\r\n") && !seen.contains("eve"), "{seen}");
}

#[tokio::test]
async fn events_pass_piece_by_piece() {
    let town = Town::start(Engine::Sqlite).await;
    let mut ada = town.signed_in("ada@example.com", "acme.localhost").await;
    let mut stream = ada.visit("/events").await;
    for piece in ["data: one\n\n", "data: two\n\n"] {
        town.upstream.emit(piece);
        let chunk = tokio::time::timeout(PATIENCE, stream.chunk()).await.expect("a piece was held back").unwrap();
        assert_eq!(chunk.unwrap(), piece);
    }
}

#[tokio::test]
async fn requests_for_nowhere_lead_nowhere() {
    let town = Town::start(Engine::Sqlite).await;
    for (head, status) in [
        ("Host: nobody.localhost:8080", 404),
        ("Host: deep.acme.localhost", 404),
        ("Host: ACME.localhost.:8080", 302),
        ("Host: acme.example.com", 421),
        ("Host: evil-localhost", 421),
        ("Host: 127.0.0.1:8080", 421),
        ("Host: [::1]:8080", 421),
        ("Host: acme.localhost:8080\r\nHost: umbrella.localhost:8080", 400),
    ] {
        assert_eq!(status_of_raw(&town, "/", head).await, status, "{head}");
    }
    assert_eq!(status_of_raw(&town, "http://umbrella.localhost/", "Host: acme.localhost").await, 400);
    assert_eq!(status_of_raw(&town, "/cdn-cgi/access/login", "Host: nobody.localhost").await, 404);
    assert!(town.upstream.seen().is_empty());
}

#[tokio::test]
async fn an_instance_that_does_not_answer_is_said_to_be_starting() {
    let town = Town::start(Engine::Sqlite).await;
    let mut ada = town.signed_in("ada@example.com", "acme.localhost").await;
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    town.edge.publish(&route(&town.edge, "acme.localhost", unused)).await.unwrap();
    let starting = ada.visit("/").await;
    assert_eq!(starting.status(), 503);
    assert_eq!(starting.headers()["retry-after"], "2");
    assert!(starting.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    let script = ada.request(Method::POST, "/save");
    assert_eq!(ada.send(script).await.headers()["content-type"], "application/problem+json");

    town.edge.publish(&route(&town.edge, "acme.localhost", town.upstream.address)).await.unwrap();
    assert_eq!(ada.visit("/").await.status(), 200);
}

#[tokio::test]
async fn whoever_asks_for_a_page_while_an_instance_starts_gets_it_once_it_listens() {
    let town = Town::start_with(Engine::Sqlite, |settings, _| settings.hold = PATIENCE).await;
    let mut ada = town.signed_in("ada@example.com", "acme.localhost").await;
    let mut prober = town.browser("acme.localhost");
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    town.edge.publish(&route(&town.edge, "acme.localhost", unused)).await.unwrap();
    // What was sent is not kept for later: it may be wanted no more by then.
    let sent = ada.request(Method::POST, "/save").body("text");
    assert_eq!(ada.send(sent).await.status(), 503);
    let starts = async {
        // Probes see things as they are, all the while that somebody waits.
        for _ in 0..5 {
            assert_eq!(prober.visit("/-/health").await.status(), 503);
        }
        let listener = TcpListener::bind(unused).await.unwrap();
        let router = axum::Router::new().fallback(|| async { "awake" });
        tokio::spawn(async move { axum::serve(listener, router).await });
    };
    let (answer, ()) = tokio::join!(ada.visit("/"), starts);
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await.unwrap(), "awake");
}

#[tokio::test]
async fn an_instance_that_breaks_off_is_no_bare_gateway_error() {
    let town = Town::start(Engine::Sqlite).await;
    let mut ada = town.signed_in("ada@example.com", "acme.localhost").await;
    let rude = TcpListener::bind("127.0.0.1:0").await.unwrap();
    town.edge.publish(&route(&town.edge, "acme.localhost", rude.local_addr().unwrap())).await.unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = rude.accept().await {
            let _ = stream.read(&mut [0; 64]).await;
        }
    });
    let answer = ada.visit("/").await;
    assert_eq!(answer.status(), 503);
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
}

/// What a request line and a head, sent as they are, are answered with.
async fn status_of_raw(town: &Town, target: &str, head: &str) -> u16 {
    let mut stream = TcpStream::connect(town.address()).await.unwrap();
    let request = format!("GET {target} HTTP/1.1\r\n{head}\r\nAccept: text/html\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}
