//! What the application hears of who asks and from where, when others would say it: proxies, trailers.

use crate::support::client::raw;
use crate::support::{App, Guard, Tap, Town, ask, bearer, soon, until};
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use hyper_util::rt::{TokioExecutor, TokioIo};
use proxy::Body;
use tokio::net::TcpStream;

const TRAILERS: [(&str, &str); 7] = [
    ("x-spinoff-user", "eve@example.com"),
    ("x_spinoff_user", "eve@example.com"),
    ("cf-access-jwt-assertion", "eve"),
    ("x-forwarded-for", "6.6.6.6"),
    ("cookie", "CF_Authorization=eve"),
    ("authorization", "Bearer eve"),
    ("x-sum", "42"),
];

#[tokio::test]
async fn only_trusted_proxies_say_who_stands_behind_them() {
    let town = Town::new().await;
    let ada = bearer(&town.ada());
    let lines = [ada.as_str(), "X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.1.1.1", "X-Forwarded-Proto: https"];
    for (trusted, client, proto) in [
        (None, "10.1.1.1", "https"),
        (Some("127.0.0.1,10.0.0.0/8"), "203.0.113.9", "https"),
        (Some("192.0.2.1"), "127.0.0.1", "http"),
    ] {
        let mut settings = town.settings();
        settings.extend(trusted.map(|trusted| ("GUARD_TRUSTED_PROXIES", trusted.to_owned())));
        let guard = Guard::start(&settings, &[]).await;
        assert_eq!(ask(&guard.address, "/", &lines).await.status, 200);
        let seen = town.app.last();
        let said = format!("\nx-forwarded-for: {client}\n");
        assert!(
            seen.contains(&said) && seen.contains(&format!("\nx-forwarded-proto: {proto}\n")),
            "{trusted:?}: {seen}"
        );
        assert!(!seen.contains("6.6.6.6"), "{seen}");
        assert!(guard.end().await.success());
    }
}

/// Trailers come when it has been decided who asks, and many programs take them for headers.
#[tokio::test]
async fn nobody_says_who_they_are_after_the_body() {
    let town = Town::new().await;
    let tap = Tap::before(town.app.address).await;
    let guard = Guard::start(&town.settings_with("GUARD_UPSTREAM", format!("http://{}", tap.address)), &[]).await;
    let announced: Vec<&str> = TRAILERS.iter().map(|(name, _)| *name).collect();
    let announced = announced.join(", ");

    let head = format!(
        "POST /1 HTTP/1.1\r\nHost: acme.test\r\n{}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: {announced}",
        bearer(&town.ada())
    );
    let trailers: String = TRAILERS.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let answer = soon("an answer", raw(&guard.address, format!("{head}\r\n\r\n2\r\nhi\r\n0\r\n{trailers}\r\n"))).await;
    assert_eq!(answer.body, "app got hi");

    let stream = TokioIo::new(TcpStream::connect(&guard.address).await.unwrap());
    let (mut client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let trailers: HeaderMap =
        TRAILERS.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    let frames = [Frame::data(Bytes::from_static(b"ho")), Frame::trailers(trailers)].map(Ok::<_, std::io::Error>);
    let request = Request::post("http://acme.test/2")
        .header("cf-access-jwt-assertion", town.ada())
        .header("trailer", announced)
        .body(Body::stream(StreamBody::new(futures_util::stream::iter(frames))))
        .unwrap();
    let answer = soon("an answer", client.send_request(request)).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "app got ho");

    let heard = || String::from_utf8_lossy(&tap.heard()).to_ascii_lowercase();
    until("both have arrived", || heard().matches("\r\n0\r\nx-sum: 42\r\n\r\n").count() == 2).await;
    let heard = heard();
    assert_eq!(heard.matches("\r\ntrailer: x-sum\r\n").count(), 2, "{heard}");
    assert!(!heard.contains("eve") && !heard.contains("6.6.6.6"), "{heard}");
}

/// A guard that a router calls by a name of its own, with an app beside the workspace.
async fn behind_router(town: &Town, app: &App) -> Guard {
    let mut settings = town.settings_with("GUARD_BEHIND_ROUTER", "true");
    settings.push(("GUARD_APP_HOST", "acme-app.test".into()));
    settings.push(("GUARD_APP_PORT", app.address.port().to_string()));
    Guard::start(&settings, &[]).await
}

#[tokio::test]
async fn behind_a_router_the_application_is_asked_by_the_name_that_the_visitor_used() {
    let (town, app) = (Town::new().await, App::start().await);
    let guard = behind_router(&town, &app).await;
    let ada = bearer(&town.ada());
    let post = async |host: &str, lines: &[&str]| {
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let head = format!("POST /save HTTP/1.1\r\nHost: app-1.up.railway.app\r\nX-Spinoff-Host: {host}\r\n{ada}\r\n");
        let rest = "Content-Length: 0\r\nConnection: close\r\n\r\n";
        soon("an answer", raw(&guard.address, format!("{head}{lines}{rest}"))).await
    };
    // What its own pages send is its own, although the router calls it otherwise.
    assert_eq!(post("acme.test", &["Origin: https://acme.test"]).await.status, 200);
    let seen = town.app.last();
    assert!(seen.contains("\nhost: acme.test\n") && seen.contains("\nx-forwarded-host: acme.test\n"), "{seen}");
    assert!(!seen.contains("railway") && !seen.contains("x-spinoff-host"), "{seen}");
    for origin in ["https://acme-app.test", "https://app-1.up.railway.app", "https://evil.example"] {
        assert_eq!(post("acme.test", &[&format!("Origin: {origin}")]).await.status, 403, "{origin}");
    }
    assert_eq!(post("acme-app.test", &["Origin: https://acme-app.test"]).await.status, 200);
    assert!(app.last().contains("\nhost: acme-app.test\n"), "{}", app.last());
    assert_eq!(post("acme.test", &["X-Spinoff-Host: acme-app.test"]).await.status, 400, "two names");
}

#[tokio::test]
async fn past_the_router_nobody_gets_in_who_would_not_through_it() {
    let (town, app) = (Town::new().await, App::start().await);
    let guard = behind_router(&town, &app).await;
    let eve = bearer(&town.forge.token("eve@example.com"));
    for host in ["acme.test", "acme-app.test", "app-1.up.railway.app", "umbrella.test"] {
        let named = format!("X-Spinoff-Host: {host}");
        assert_eq!(ask(&guard.address, "/", &[&named]).await.status, 401, "{host}");
        assert_eq!(ask(&guard.address, "/", &[&named, &eve]).await.status, 403, "{host}");
    }
    assert_eq!(ask(&guard.address, "/", &[]).await.status, 401);
    assert_eq!(ask(&guard.address, "/-/health", &[]).await.status, 200);
    assert!(town.app.seen().is_empty() && app.seen().is_empty());
}

#[tokio::test]
async fn without_a_router_nobody_says_by_another_name_where_they_are() {
    let (town, app) = (Town::new().await, App::start().await);
    let mut settings = town.settings();
    settings.push(("GUARD_APP_HOST", "acme-app.test".into()));
    settings.push(("GUARD_APP_PORT", app.address.port().to_string()));
    let guard = Guard::start(&settings, &[]).await;
    let (ada, named) = (bearer(&town.ada()), "X-Spinoff-Host: acme-app.test");
    assert_eq!(ask(&guard.address, "/page", &[&ada, named, "X-Forwarded-Host: acme-app.test"]).await.status, 200);
    assert!(app.seen().is_empty(), "the app was reached by a header");
    assert!(!town.app.last().contains("acme-app.test"), "{}", town.app.last());
}
