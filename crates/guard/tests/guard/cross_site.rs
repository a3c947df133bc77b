//! What pages of other hostnames have a member's browser send: neighbours are of one site, so it adds
//! the member's cookies.

use crate::support::client::{Answer, raw};
use crate::support::{App, Guard, Town, soon};

const WORKSPACE: &str = "acme.test:8080";
const APP: &str = "acme-app.test:8080";

struct Scene {
    town: Town,
    app: App,
    guard: Guard,
}

impl Scene {
    async fn new() -> Self {
        let (town, app) = (Town::new().await, App::start().await);
        let mut settings = town.settings();
        settings.push(("GUARD_APP_HOST", "acme-app.test".into()));
        settings.push(("GUARD_APP_PORT", app.address.port().to_string()));
        Self { guard: Guard::start(&settings, &[]).await, town, app }
    }

    /// Ada's browser sends this.
    async fn ada(&self, method: &str, host: &str, path: &str, lines: &[&str]) -> Answer {
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let cookie = format!("Cookie: CF_Authorization={}", self.town.ada());
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{cookie}\r\nConnection: close\r\n");
        soon("an answer", raw(&self.guard.address, format!("{head}{lines}\r\n"))).await
    }

    fn reached(&self) -> usize {
        self.town.app.seen().len() + self.app.seen().len()
    }
}

#[tokio::test]
async fn no_page_elsewhere_acts_in_a_members_name() {
    let scene = Scene::new().await;
    for (host, neighbour) in [(WORKSPACE, APP), (APP, WORKSPACE)] {
        let own = format!("Origin: http://{host}");
        let neighbour = format!("Origin: http://{neighbour}");
        let other_port = format!("Origin: http://{}", host.replace("8080", "8081"));
        for lines in [
            &["Sec-Fetch-Site: same-site"][..],
            &["Sec-Fetch-Site: cross-site"],
            &["Sec-Fetch-Site: same-site", &own],
            &["Sec-Fetch-Site: cross-site", "Origin: null"],
            &[&neighbour],
            &[&other_port],
            &["Origin: null"],
            &["Origin: http://umbrella.test:8080"],
            &["Origin: https://evil.example"],
        ] {
            for method in ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"] {
                let answer = scene.ada(method, host, "/save", lines).await;
                assert!(answer.status == 403 && answer.body.contains("Another site"), "{host} {lines:?}: {answer:?}");
            }
            let socket = ["Upgrade: websocket", "Connection: upgrade", "Sec-WebSocket-Version: 13"];
            let answer = scene.ada("GET", host, "/ws", &[lines, &socket].concat()).await;
            assert_eq!(answer.status, 403, "{host} {lines:?}");
        }
    }
    assert_eq!(scene.reached(), 0);
}

#[tokio::test]
async fn pages_of_the_place_itself_and_programs_act_and_anybody_may_look() {
    let scene = Scene::new().await;
    for host in [WORKSPACE, APP] {
        let own = format!("Origin: http://{host}");
        for lines in [
            &[][..],
            &["Sec-Fetch-Site: same-origin", &own],
            // A page whose policy is to tell nobody its address.
            &["Sec-Fetch-Site: same-origin", "Origin: null"],
            &["Sec-Fetch-Site: none"],
            &[&own],
        ] {
            assert_eq!(scene.ada("POST", host, "/save", lines).await.status, 200, "{host} {lines:?}");
        }
        for lines in [&["Sec-Fetch-Site: cross-site"][..], &["Sec-Fetch-Site: same-site"], &["Origin: null"]] {
            for method in ["GET", "HEAD", "OPTIONS"] {
                assert_eq!(scene.ada(method, host, "/", lines).await.status, 200, "{host} {method} {lines:?}");
            }
        }
    }
    let hook = scene.ada("POST", WORKSPACE, "/robots.txt", &["Sec-Fetch-Site: cross-site", "Origin: null"]).await;
    assert_eq!(hook.status, 200, "what is public is so for pages elsewhere too");
}

#[tokio::test]
async fn nobody_is_signed_out_by_another_page() {
    let scene = Scene::new().await;
    for host in [WORKSPACE, APP] {
        for (method, lines) in [
            ("GET", &["Sec-Fetch-Site: cross-site"][..]),
            ("GET", &["Sec-Fetch-Site: same-site"]),
            ("POST", &["Origin: null"]),
            ("POST", &["Origin: http://umbrella.test:8080"]),
        ] {
            let answer = scene.ada(method, host, "/-/access/logout", lines).await;
            assert!(answer.status == 403 && !answer.head.contains("set-cookie"), "{lines:?}: {answer:?}");
            assert!(answer.body.contains("<a href=\"/-/access/logout\">Sign out</a>"), "{answer:?}");
        }
        for lines in [&[][..], &["Sec-Fetch-Site: same-origin"], &["Sec-Fetch-Site: none"]] {
            let answer = scene.ada("GET", host, "/-/access/logout", lines).await;
            assert!(answer.status == 303 && answer.head.contains("set-cookie: "), "{lines:?}: {answer:?}");
        }
    }
}
