//! The same door for HTTP/2: many requests on one connection, each decided by itself.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use super::scene::Scene;
use super::table::Verdict;
use super::tokens;
use crate::support::client::everything;
use crate::support::{ADA, soon};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

type Sender = SendRequest<Full<Bytes>>;
type Lines<'l> = Vec<(&'l str, &'l str)>;

async fn connect(scene: &Scene) -> Sender {
    let stream = TcpStream::connect(&scene.guard.address).await.unwrap();
    let greeted = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (sender, connection) = greeted.expect("HTTP/2 is spoken from the first byte");
    tokio::spawn(connection);
    sender
}

async fn ask(sender: &mut Sender, target: &str, lines: &[(&str, &str)]) -> StatusCode {
    let request = lines.iter().fold(Request::get(target), |request, (name, value)| request.header(*name, *value));
    let request = request.body(Full::default()).unwrap();
    soon("room for a request", sender.ready()).await.unwrap();
    let answer = soon("an answer", sender.send_request(request)).await.unwrap();
    let status = answer.status();
    soon("its body", answer.into_body().collect()).await.unwrap();
    status
}

#[tokio::test]
async fn tokens_that_lie_do_not_get_in_by_http_2_either() {
    let scene = Scene::new().await;
    let mut sender = connect(&scene).await;
    let groups = tokens::all(&scene);
    let (mut wrong, mut before) = (Vec::new(), scene.reached());
    for case in groups.iter().flat_map(|group| &group.cases) {
        let sayable = http::HeaderValue::from_str(&case.token).is_ok() && case.token.trim() == case.token;
        // This client's own limit for the headers of a request.
        if !sayable || case.token.len() > 14_000 {
            continue;
        }
        let status = ask(&mut sender, "http://acme.test/secret", &[("cf-access-jwt-assertion", &case.token)]).await;
        let expected = match case.verdict {
            Verdict::Unbelieved(_) => 401,
            Verdict::Stranger => 403,
            Verdict::Admitted => 200,
        };
        if status != expected {
            wrong.push(format!("{}: {status} instead of {expected}", case.what));
        }
        if case.verdict == Verdict::Admitted {
            before = scene.reached();
        }
        assert_eq!(scene.since(before), "", "{}", case.what);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    scene.only_ada_enters(before).await;
}

#[tokio::test]
async fn headers_that_lie_do_not_get_in_by_http_2_either() {
    let scene = Scene::new().await;
    let mut sender = connect(&scene).await;
    let (ada, eve) = (scene.town.ada(), scene.forge().token("eve@example.com"));
    let assertion = "cf-access-jwt-assertion";
    let cookie = format!("CF_Authorization={ada}");
    let page = "http://acme.test/secret";
    let before = scene.reached();
    let rows: [(&str, &str, Lines<'_>, u16); 10] = [
        ("nothing", page, vec![], 401),
        ("two assertions", page, vec![(assertion, &ada), (assertion, &ada)], 401),
        ("a bad one and a good cookie", page, vec![(assertion, "x.y.z"), ("cookie", &cookie)], 401),
        (
            "two cookies, in pieces as HTTP/2 has them",
            page,
            vec![("cookie", &cookie), ("cookie", "CF_Authorization=x")],
            401,
        ),
        ("a user", page, vec![("x-spinoff-user", ADA)], 401),
        ("one who is no member", page, vec![(assertion, &eve)], 403),
        ("another host than its authority", page, vec![(assertion, &ada), ("host", "other.test")], 400),
        ("a user in the authority", "http://ada@acme.test/secret", vec![(assertion, &ada)], 400),
        ("a path that looks public", "http://acme.test/robots.txt/../secret", vec![], 401),
        ("a path that looks like health", "http://acme.test/-/health?x", vec![], 401),
    ];
    for (what, target, lines, expected) in rows {
        assert_eq!(ask(&mut sender, target, &lines).await, expected, "{what}");
    }
    assert_eq!(scene.since(before), "");
    assert_eq!(ask(&mut sender, page, &[("cookie", "a=1"), ("cookie", &cookie)]).await, 200, "a cookie in pieces");
    let seen = scene.town.app.last();
    assert!(seen.contains("\nhost: acme.test\n") && seen.contains("\nx-spinoff-user: ada@example.com\n"), "{seen}");
    assert!(!seen.contains(&ada), "{seen}");
}

/// Bytes that begin like HTTP/2 and go on as something else.
#[tokio::test]
async fn a_greeting_alone_opens_nothing() {
    let scene = Scene::new().await;
    let before = scene.reached();
    let smuggled = b"GET /smuggled HTTP/1.1\r\nHost: acme.test\r\n\r\n".as_slice();
    let empty_settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    // HEADERS on stream 1, whose block names no method, path or authority.
    let headers = [0, 0, 1, 1, 5, 0, 0, 0, 1, 0xff];
    for (what, bytes) in [
        ("HTTP/1.1 after the greeting", [PREFACE, smuggled].concat()),
        ("half the greeting", [&PREFACE[..16], smuggled].concat()),
        ("a greeting for another version", [&b"PRI * HTTP/3.0\r\n\r\nSM\r\n\r\n"[..], smuggled].concat()),
        ("a greeting with a host", b"PRI * HTTP/2.0\r\nHost: acme.test\r\n\r\nSM\r\n\r\n".to_vec()),
        ("a frame longer than any", [PREFACE, &[0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0]].concat()),
        ("headers that are none", [PREFACE, &empty_settings, &headers].concat()),
        ("data before any request", [PREFACE, &empty_settings, &[0, 0, 1, 0, 0, 0, 0, 0, 1, 0]].concat()),
    ] {
        let answer = everything(&scene.guard.address, &bytes).await;
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{what}: {}", String::from_utf8_lossy(&answer));
        assert_eq!(scene.since(before), "", "{what}");
    }
    scene.only_ada_enters(before).await;
}
