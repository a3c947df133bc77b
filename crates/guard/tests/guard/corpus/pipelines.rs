//! Several requests on one connection, and bodies of those that are refused.

use super::scene::Scene;
use crate::support::client::{Kept, everything};
use crate::support::{Forge, bearer, soon};

fn get(path: &str, lines: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: acme.test\r\n{lines}\r\n")
}

/// Statuses of the answers in a text of many.
fn statuses(answers: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(answers).into_owned();
    text.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.get(..3)?.parse().ok()).collect()
}

#[tokio::test]
async fn each_request_of_a_kept_connection_is_decided_by_itself() {
    let scene = Scene::new().await;
    let forge = scene.forge();
    let [ada, eve, stranger] =
        [scene.town.ada(), forge.token("eve@example.com"), Forge::new().token("ada@example.com")]
            .map(|token| bearer(&token) + "\r\n");
    let nobody = String::new();
    let rows: [(&str, Vec<(&String, u16)>); 7] = [
        ("good, then nobody's", vec![(&ada, 200), (&nobody, 401)]),
        ("nobody's, then good", vec![(&nobody, 401), (&ada, 200)]),
        ("good, a stranger's, good", vec![(&ada, 200), (&stranger, 401), (&ada, 200)]),
        ("a stranger's, good, a stranger's", vec![(&stranger, 401), (&ada, 200), (&stranger, 401)]),
        ("good, one who is no member, good", vec![(&ada, 200), (&eve, 403), (&ada, 200)]),
        ("many of nobody's, then good", vec![(&nobody, 401), (&nobody, 401), (&nobody, 401), (&ada, 200)]),
        (
            "all of them twice",
            vec![(&ada, 200), (&eve, 403), (&stranger, 401), (&nobody, 401), (&ada, 200), (&nobody, 401)],
        ),
    ];
    for (what, requests) in rows {
        let before = scene.reached();
        let expected: Vec<u16> = requests.iter().map(|(_, status)| *status).collect();
        let texts: Vec<String> =
            requests.iter().enumerate().map(|(at, (lines, _))| get(&format!("/{at}"), lines)).collect();
        let mut one_by_one = Kept::connect(&scene.guard.address).await.unwrap();
        for (text, status) in texts.iter().zip(&expected) {
            let answer = soon(what, one_by_one.exchange(text)).await.unwrap();
            assert_eq!(answer.status, *status, "{what}, one by one: {text}");
        }
        let mut at_once = Kept::connect(&scene.guard.address).await.unwrap();
        at_once.send(texts.concat()).await.unwrap();
        for (at, status) in expected.iter().enumerate() {
            let answer = soon(what, at_once.answer()).await.unwrap();
            assert_eq!(answer.status, *status, "{what}, at once: number {at}");
        }
        let asked = scene.since(before);
        assert_eq!(
            asked.matches("HTTP/1.1\r\n").count(),
            2 * expected.iter().filter(|status| **status == 200).count(),
            "{what}: {asked}"
        );
    }
}

#[tokio::test]
async fn a_body_is_never_read_as_a_request() {
    let scene = Scene::new().await;
    let ada = bearer(&scene.town.ada());
    let hidden = get("/hidden", &format!("{ada}\r\n"));
    let chunk = format!("{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len());
    let length = format!("Content-Length: {}\r\n", hidden.len());
    let chunked = "Transfer-Encoding: chunked\r\n";
    for (what, method, framing, body) in [
        ("a length", "POST", length.as_str(), &hidden),
        ("chunks", "POST", chunked, &chunk),
        ("a length, and GET", "GET", length.as_str(), &hidden),
        ("chunks, and GET", "GET", chunked, &chunk),
        ("a length, and DELETE", "DELETE", length.as_str(), &hidden),
    ] {
        // From nobody: nothing of it gets through, neither the request nor what it carries.
        let before = scene.reached();
        let refused = everything(
            &scene.guard.address,
            format!("{method} /outer HTTP/1.1\r\nHost: acme.test\r\nConnection: close\r\n{framing}\r\n{body}"),
        )
        .await;
        assert_eq!(statuses(&refused), [401], "{what}");
        assert_eq!(scene.since(before), "", "{what}");
        // From a member: one request, with a body.
        let seen = scene.town.app.seen().len();
        let mut kept = Kept::connect(&scene.guard.address).await.unwrap();
        let outer = format!("{method} /outer HTTP/1.1\r\nHost: acme.test\r\n{ada}\r\n{framing}\r\n{body}");
        let answer = soon(what, kept.exchange(&outer)).await.unwrap();
        assert!(answer.status == 200 && answer.body.contains("/hidden"), "{what}: {answer:?}");
        let next = soon(what, kept.exchange(get("/next", ""))).await.unwrap();
        assert_eq!(next.status, 401, "{what}: what comes after it is judged by itself");
        assert_eq!(scene.town.app.seen().len(), seen + 1, "{what}");
    }
}

/// Whoever is refused learns it before he has sent anything: his body is neither wanted nor read.
#[tokio::test]
async fn a_refusal_does_not_wait_for_a_body() {
    let scene = Scene::new().await;
    let before = scene.reached();
    let bad = bearer(&Forge::new().token("ada@example.com"));
    let eve = bearer(&scene.forge().token("eve@example.com"));
    for (what, line, status) in
        [("nobody", "X: y", 401), ("a bad token", bad.as_str(), 401), ("no member", eve.as_str(), 403)]
    {
        for framing in ["Content-Length: 2000000000", "Transfer-Encoding: chunked"] {
            for expect in ["X: y", "Expect: 100-continue"] {
                let mut kept = Kept::connect(&scene.guard.address).await.unwrap();
                kept.send(format!(
                    "POST /upload HTTP/1.1\r\nHost: acme.test\r\n{line}\r\n{framing}\r\n{expect}\r\n\r\n"
                ))
                .await
                .unwrap();
                let rest = soon("the refusal", kept.rest()).await;
                assert_eq!(statuses(&rest), [status], "{what}, {framing}, {expect}: and no 100 before it");
            }
        }
    }
    assert_eq!(scene.since(before), "");
    scene.only_ada_enters(before).await;
}

/// What `Connection` names is removed after it was judged, and before the guard says its own.
#[tokio::test]
async fn connection_can_take_nothing_that_the_guard_relies_on() {
    let scene = Scene::new().await;
    let ada = scene.town.ada();
    let header = bearer(&ada);
    let cookie = format!("Cookie: a=1; CF_Authorization={ada}");
    for (what, lines) in [
        ("the assertion", [header.as_str(), "Connection: Cf-Access-Jwt-Assertion"]),
        ("the assertion and more", [header.as_str(), "Connection: close, cf-access-jwt-assertion, x"]),
        ("the user", [header.as_str(), "Connection: X-Spinoff-User"]),
        ("the user's id", [header.as_str(), "Connection: x-spinoff-user-id, x_spinoff_user"]),
        ("where it came from", [header.as_str(), "Connection: x-forwarded-for, x-forwarded-proto, x-forwarded-host"]),
        ("the host", [header.as_str(), "Connection: host"]),
        ("the cookie", [cookie.as_str(), "Connection: cookie"]),
        ("nothing", [header.as_str(), "X-Spinoff-User: root@example.com"]),
        ("nothing, with a claim in other letters", [header.as_str(), "x-SPINOFF_user: root@example.com"]),
        ("nothing, with a claim about the way", [header.as_str(), "X-Forwarded-Host: root.example.com"]),
        ("nothing, with an old protocol", [header.as_str(), "Upgrade: h2c"]),
        (
            "HTTP/2 by upgrade",
            [header.as_str(), "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk"],
        ),
    ] {
        let answer = crate::support::ask(&scene.guard.address, "/page", &lines).await;
        assert_eq!(answer.status, 200, "{what}");
        let seen = scene.town.app.last();
        for line in [
            "\nx-spinoff-user: ada@example.com\n",
            "\nx-spinoff-user-id: usr-1\n",
            "\nx-forwarded-for: 127.0.0.1\n",
            "\nx-forwarded-host: acme.test\n",
            "\nhost: acme.test\n",
        ] {
            assert_eq!(seen.matches(line).count(), 1, "{what}: {line:?} once in {seen}");
        }
        for never in [ada.as_str(), "cf-access", "CF_Auth", "root", "upgrade", "h2c", "http2-settings"] {
            assert!(!seen.contains(never), "{what}: {never:?} in {seen}");
        }
    }
}
