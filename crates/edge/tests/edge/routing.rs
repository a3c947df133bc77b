//! The edge as a router: instances elsewhere, which are called by names of their own.

use edge::{EdgeError, Identification, Origin, Route, Settings};
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::{Method, StatusCode};
use store::Engine;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::town::{PATIENCE, Town, host, route};

const ACME: &str = "acme.localhost";
/// How Railway calls the instances.
const ORIGIN: &str = "app-production-1a2b.up.railway.app";
const OTHER: &str = "app-production-9z8y.up.railway.app";

fn routed(name: &str, origin: &str, town: &Town) -> Route {
    Route { upstream: Origin::Name(host(origin)), ..route(&town.edge, name, town.upstream.address) }
}

/// A town whose instances are elsewhere, all behind one address as Railway's are.
async fn town(identification: Identification) -> Town {
    let town = Town::start_with(Engine::Sqlite, |settings: &mut Settings, upstream| {
        settings.origin_address = Some(upstream);
        settings.identification = identification;
    })
    .await;
    town.edge.publish(&routed(ACME, ORIGIN, &town)).await.unwrap();
    town.edge.publish(&routed("umbrella.localhost", OTHER, &town)).await.unwrap();
    town
}

#[tokio::test]
async fn an_instance_elsewhere_is_called_by_its_name_and_told_what_the_visitor_called_it() {
    let town = town(Identification::Here).await;
    let ada = town.signed_in("ada@example.com", ACME).await;
    let mut request = ada.request(Method::POST, "/a%2Fb?q=1").body("data");
    for (name, value) in [
        ("x-forwarded-host", "umbrella.localhost"),
        ("x-spinoff-host", "umbrella.localhost"),
        ("x_spinoff_host", "umbrella.localhost"),
        ("forwarded", "host=umbrella.localhost"),
        ("x-original-host", OTHER),
        ("connection", "keep-alive, x-spinoff-host, host"),
    ] {
        request = request.header(name, value);
    }
    assert_eq!(request.send().await.unwrap().status(), 200);
    let seen = town.upstream.last();
    assert_eq!((&*seen.method, &*seen.target, &seen.body[..]), ("POST", "/a%2Fb?q=1", &b"data"[..]));
    assert_eq!(seen.header("host"), Some(ORIGIN));
    assert_eq!(seen.header("x-spinoff-host"), Some("acme.localhost:8080"));
    assert_eq!(seen.header("x-forwarded-host"), Some("acme.localhost:8080"));
    assert_eq!(seen.header("cf-access-jwt-assertion"), Some(ada.session()));
    assert!(!format!("{:?}", seen.headers).contains("umbrella"), "{:?}", seen.headers);
    // One on this machine is called as the visitor called it.
    town.edge.publish(&route(&town.edge, ACME, town.upstream.address)).await.unwrap();
    assert_eq!(ada.request(Method::GET, "/").send().await.unwrap().status(), 200);
    let seen = town.upstream.last();
    assert_eq!((seen.header("host"), seen.header("x-spinoff-host")), (Some("acme.localhost:8080"), None));
}

#[tokio::test]
async fn a_session_for_one_instance_leads_to_no_other_instances_origin() {
    let town = town(Identification::Here).await;
    let ada = town.signed_in("ada@example.com", ACME).await;
    let reached = town.upstream.seen().len();
    for other in ["umbrella.localhost", "nobody.localhost"] {
        let answer = ada.smuggled_to(other).request(Method::POST, "/").send().await.unwrap();
        assert!(answer.status().is_client_error(), "{other}: {answer:?}");
    }
    let mut own_name = ada.request(Method::GET, "/");
    own_name = own_name.header("host", OTHER);
    assert!(own_name.send().await.unwrap().status().is_client_error(), "an origin's name is no hostname here");
    assert_eq!(town.upstream.seen().len(), reached);
}

#[tokio::test]
async fn who_was_asked_before_is_passed_on_with_their_assertion_as_it_came() {
    let town = town(Identification::Before).await;
    let stranger = town.browser(ACME);
    let send = async |assertions: &[&str]| {
        let mut request = stranger.request(Method::POST, "/").header("x-spinoff-user", "root@example.com");
        for assertion in assertions {
            request = request.header("cf-access-jwt-assertion", *assertion);
        }
        let request = request.header("cf-connecting-ip", "198.51.100.1").header("x-spinoff-host", "umbrella.localhost");
        assert_eq!(request.send().await.unwrap().status(), 200);
        town.upstream.last()
    };
    let seen = send(&["a.b.c"]).await;
    assert_eq!(seen.header("cf-access-jwt-assertion"), Some("a.b.c"));
    assert_eq!((seen.header("host"), seen.header("x-spinoff-host")), (Some(ORIGIN), Some("acme.localhost:8080")));
    assert_eq!((seen.header("x-spinoff-user"), seen.header("cf-connecting-ip")), (None, None));
    // What is worth nothing is the guard's to refuse, and so is what is there twice.
    let both: Vec<_> = send(&["a", "b"]).await.headers.get_all("cf-access-jwt-assertion").iter().cloned().collect();
    assert_eq!(both, ["a", "b"]);
    assert_eq!(send(&[]).await.header("cf-access-jwt-assertion"), None);
}

#[tokio::test]
async fn nobody_is_asked_to_sign_in_where_that_is_seen_to_before() {
    let town = town(Identification::Before).await;
    for path in ["/cdn-cgi/access/login", "/cdn-cgi/access/code", "/cdn-cgi/access/certs", "/cdn-cgi/access/logout"] {
        let answer = town.browser(ACME).visit(path).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert!(answer.text().await.unwrap().contains("before requests come here"), "{path}");
    }
    for other in ["nobody.localhost", "acme-app.localhost.nobody.localhost", "acme.example.com"] {
        assert!(town.browser(other).visit("/").await.status().is_client_error(), "{other}");
    }
    assert!(town.upstream.seen().is_empty());
    town.edge.set_state(&host(ACME), edge::HostState::Suspended, None).await.unwrap();
    let closed = town.browser(ACME).request(Method::GET, "/").header("cf-access-jwt-assertion", "a.b.c");
    assert_eq!(closed.send().await.unwrap().status(), 503);
    assert!(town.upstream.seen().is_empty(), "a closed instance is not woken");
}

/// Cloudflare answers for all below `/cdn-cgi/` itself.
#[tokio::test]
async fn pages_find_their_styles_where_nobody_before_this_edge_answers() {
    for (identification, base) in
        [(Identification::Here, "/cdn-cgi/access/assets/"), (Identification::Before, "/-/access/assets/")]
    {
        let town = town(identification).await;
        let mut nobody = town.browser("nobody.localhost");
        let page = nobody.visit("/").await.text().await.unwrap();
        assert_eq!(page.matches("/assets/").count(), page.matches(base).count(), "{page}");
        let style = page.split('"').find(|part| part.starts_with(base) && part.ends_with(".css")).unwrap();
        let answer = nobody.visit(style).await;
        assert_eq!(
            (answer.status(), answer.headers()["content-type"].to_str().unwrap()),
            (StatusCode::OK, "text/css; charset=utf-8")
        );
        assert_eq!(nobody.visit(&format!("{base}other.css")).await.status(), 404);
        assert!(town.upstream.seen().is_empty());
    }
}

#[tokio::test]
async fn an_origin_that_is_down_is_explained_in_words() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let town = Town::start_with(Engine::Sqlite, |settings: &mut Settings, _| {
        settings.identification = Identification::Before;
        settings.origin_address = Some(gone);
    })
    .await;
    town.edge.publish(&routed(ACME, ORIGIN, &town)).await.unwrap();
    let answer = town.browser(ACME).visit("/").await;
    assert_eq!((answer.status(), answer.headers().contains_key("retry-after")), (StatusCode::BAD_GATEWAY, true));
    let page = answer.text().await.unwrap();
    assert!(page.contains("does not answer at the moment") && !page.contains("railway"), "{page}");
}

#[tokio::test]
async fn a_platforms_page_about_nothing_there_is_not_passed_off_as_the_instances() {
    let town = town(Identification::Before).await;
    let answer = town.browser(ACME).visit("/fallback").await;
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    let page = answer.text().await.unwrap();
    assert!(page.contains("does not answer at the moment") && !page.contains("train"), "{page}");
}

#[tokio::test]
async fn what_has_no_end_passes_to_instances_elsewhere_too() {
    let town = town(Identification::Before).await;
    let mut stream = town.browser(ACME).visit("/events").await;
    for piece in ["data: one\n\n", "data: two\n\n"] {
        town.upstream.emit(piece);
        let chunk = tokio::time::timeout(PATIENCE, stream.chunk()).await.expect("a piece was held back").unwrap();
        assert_eq!(chunk.unwrap(), piece);
    }
    let mut request = format!("ws://{}/ws", town.address()).into_client_request().unwrap();
    request.headers_mut().insert("host", "acme.localhost:8080".parse().unwrap());
    request.headers_mut().insert("cf-access-jwt-assertion", "a.b.c".parse().unwrap());
    let stream = TcpStream::connect(town.address()).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    socket.send(Message::text("one")).await.unwrap();
    let answer = tokio::time::timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(answer, Message::text("echo one"));
    assert_eq!(town.upstream.last().header("x-spinoff-host"), Some("acme.localhost:8080"));
}

#[tokio::test]
async fn another_name_leads_there_at_the_next_request_and_the_former_nowhere() {
    let town = town(Identification::Before).await;
    let moved = Route { instance: routed(ACME, ORIGIN, &town).instance, ..routed("zebra.localhost", ORIGIN, &town) };
    let moved = Route { audience: routed(ACME, ORIGIN, &town).audience, ..moved };
    assert_eq!(town.browser("zebra.localhost").visit("/").await.status(), 404);
    town.edge.publish(&moved).await.unwrap();
    for name in ["zebra.localhost", ACME] {
        assert_eq!(town.browser(name).visit("/").await.status(), 200, "{name}");
        assert_eq!(town.upstream.last().header("x-spinoff-host"), Some(&*format!("{name}:8080")));
    }
    assert!(town.edge.unpublish_of(&host(ACME), moved.instance.unwrap()).await.unwrap());
    assert_eq!(town.browser(ACME).visit("/").await.status(), 404);
    assert_eq!(town.browser("zebra.localhost").visit("/").await.status(), 200);
}

#[tokio::test]
async fn an_origin_that_leads_back_here_is_refused() {
    let town = town(Identification::Before).await;
    for origin in ["localhost", "umbrella.localhost", "a.b.localhost"] {
        let refused = town.edge.publish(&routed(ACME, origin, &town)).await;
        assert!(matches!(refused, Err(EdgeError::Loop { .. })), "{origin}: {refused:?}");
    }
    let found = town.edge.find(&host(ACME)).await.unwrap().unwrap();
    assert_eq!(found.route.upstream, Origin::Name(host(ORIGIN)));
}
