//! Two customers side by side: neither can enter, read or name anything of the other.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::browser::Browser;
use crate::support::server::Server;
use crate::support::visitor::Order;
use crate::support::world::guard_port;

const ADA: &str = "ada@example.com";
const ZOE: &str = "zoe@example.com";
/// What nobody but Ada may ever read.
const OF_ADA: [&str; 4] = ["ada@", "lovelace", "engines", "difference machine"];

#[tokio::test]
async fn neighbours_can_neither_enter_nor_read_nor_name_each_other() {
    let server = Server::start().await;
    let (ada, zoe) = (Browser::open().await, Browser::open().await);
    let engines = Order { company: "Difference Machine Ltd", ..Order::of("Ada Lovelace", ADA, "engines") };
    let bakery = Order::of("Zoe Bakker", ZOE, "bakery");
    tokio::join!(ada.sign_up(&server, &engines), zoe.sign_up(&server, &bakery));
    let progress_of_ada = ada.url().await;
    enters_own(&ada, &server, &engines).await;
    enters_own(&zoe, &server, &bakery).await;
    ada.press("Write your first vision").await;
    ada.fill("title", "A difference machine").await;
    ada.press("Save").await;
    ada.see("Draft").await;

    nothing_of_the_other_is_read(&zoe, &server).await;
    the_portal_knows_only_ones_own(&zoe, &server).await;
    no_progress_can_be_guessed(&zoe, &progress_of_ada).await;
    a_session_is_worth_nothing_elsewhere(&zoe, &server).await;
    the_other_door_stays_shut(&zoe, &server).await;
    no_page_acts_for_somebody_elsewhere(&ada, &server).await;
}

async fn enters_own(browser: &Browser, server: &Server, order: &Order<'_>) {
    browser.press("Open your workspace").await;
    browser.sign_in_as(server, order.email).await;
    browser.see("Your notebook").await;
    browser.go(&format!("{}/portal", server.url())).await;
    browser.sign_in_as(server, order.email).await;
    browser.see(&server.host(order.subdomain)).await;
    browser.go(&format!("http://{}/", server.host(order.subdomain))).await;
}

async fn nothing_of_the_other_is_read(zoe: &Browser, server: &Server) {
    let site = server.url();
    let inside = format!("http://{}", server.host("bakery"));
    for page in [
        format!("{site}/"),
        format!("{site}/status"),
        format!("{site}/signup"),
        format!("{site}/portal"),
        format!("{site}/portal/instances/bakery"),
        format!("{inside}/"),
        format!("{inside}/deleted"),
        format!("{inside}/export.tar?"),
        format!("{inside}/-/access/whoami"),
        format!("{inside}/-/health"),
    ] {
        let asked = format!("fetch('{page}').then((answer) => answer.text())");
        zoe.go(if page.starts_with(&site) { &site } else { &inside }).await;
        let source = zoe.js_later(&asked).await.as_str().unwrap().to_lowercase();
        assert!(!source.is_empty(), "{page}");
        for secret in OF_ADA {
            assert!(!source.contains(secret), "{page} says {secret:?}: {source}");
        }
    }
    zoe.go(&site).await;
    let asked = async |name: &str| {
        let asked = format!("fetch('/signup/availability?subdomain={name}').then((answer) => answer.text())");
        zoe.js_later(&asked).await.as_str().unwrap().to_owned()
    };
    let (of_ada, own) = (asked("engines").await, asked("bakery").await);
    assert!(of_ada.contains("is taken"), "{of_ada}");
    assert_eq!(of_ada.replace("engines", "bakery"), own, "taken, and not a word about by whom");
}

async fn the_portal_knows_only_ones_own(zoe: &Browser, server: &Server) {
    for path in ["", "/delete", "/deletion", "/deletion/events", "/members/ada%40example.com/remove"] {
        zoe.go(&format!("{}/portal/instances/engines{path}", server.url())).await;
        assert_eq!(zoe.status().await, 404, "{path}");
        assert!(!zoe.text().await.contains("ada@"), "{path}");
        zoe.go(&format!("{}/portal/instances/never-made{path}", server.url())).await;
        assert_eq!(zoe.status().await, 404, "and what never was is answered alike: {path}");
    }
    for (path, form) in [
        ("delete", "confirmation=engines"),
        ("members", "email=zoe%40example.com"),
        ("members/ada%40example.com/remove", ""),
    ] {
        let sent = format!(
            "fetch('/portal/instances/engines/{path}', {{ method: 'POST', body: new URLSearchParams('{form}') }})
                .then((answer) => answer.status)"
        );
        assert_eq!(zoe.js_later(&sent).await, json!(404), "{path}");
    }
    let engines = server.cli(&["instances", "show", "engines", "--json"]).ok().json();
    assert_eq!(engines["state"], "active");
    let members = server.cli(&["members", "list", "engines", "--json"]).ok().out;
    assert!(members.contains(ADA) && !members.contains(ZOE), "{members}");
}

async fn no_progress_can_be_guessed(zoe: &Browser, progress_of_ada: &str) {
    let (known, last) = progress_of_ada.split_at(progress_of_ada.len() - 1);
    let other = if last == "0" { "1" } else { "0" };
    zoe.go(&format!("{known}{other}")).await;
    assert_eq!(zoe.status().await, 404);
}

async fn a_session_is_worth_nothing_elsewhere(zoe: &Browser, server: &Server) {
    zoe.go(&format!("{}/portal", server.url())).await;
    let of_portal = zoe.cookie("CF_Authorization").await.unwrap();
    zoe.go(&format!("http://{}/", server.host("bakery"))).await;
    let of_bakery = zoe.cookie("CF_Authorization").await.unwrap();
    for (token, of) in [(&of_bakery, "bakery"), (&of_portal, "portal")] {
        let cookie = format!("CF_Authorization={token}");
        let answer = server.at("engines", "/").header("cookie", &cookie).header("accept", "text/html").send().await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), StatusCode::FOUND, "the cookie of the {of}");
        assert!(answer.headers()["location"].to_str().unwrap().starts_with("/cdn-cgi/access/login"));
        let answer = server.at("engines", "/").header("cf-access-jwt-assertion", token).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "the assertion of the {of} at the edge");
        let answer = straight(server, "engines", token).await;
        assert!(matches!(answer.as_u16(), 401 | 403), "the assertion of the {of} at the guard: {answer}");
    }
    let own = server.at("bakery", "/").header("cookie", format!("CF_Authorization={of_bakery}")).send().await.unwrap();
    assert_eq!(own.status(), StatusCode::OK, "at its own hostname the cookie is good");
    assert_eq!(straight(server, "bakery", &of_bakery).await, StatusCode::OK, "and its assertion at the own guard");
    assert!(matches!(straight(server, "bakery", &of_portal).await.as_u16(), 401 | 403));
}

/// Asks a guard at its own port, past the edge.
async fn straight(server: &Server, subdomain: &str, token: &str) -> StatusCode {
    let port = guard_port(&server.project(subdomain));
    let asked = reqwest::Client::new().request(Method::GET, format!("http://127.0.0.1:{port}/"));
    let asked = asked.header("host", server.host(subdomain)).header("cf-access-jwt-assertion", token);
    asked.send().await.unwrap().status()
}

async fn the_other_door_stays_shut(zoe: &Browser, server: &Server) {
    let mails = server.mails_to(ZOE).await.len();
    zoe.go(&format!("http://{}/", server.host("engines"))).await;
    zoe.ask_for_code(ZOE).await;
    let other_door = zoe.tab().await;
    zoe.new_tab().await;
    zoe.go(&format!("http://{}/cdn-cgi/access/logout", server.host("bakery"))).await;
    zoe.see("You are signed out").await;
    zoe.go(&format!("http://{}/", server.host("bakery"))).await;
    zoe.ask_for_code(ZOE).await;
    zoe.until("the code for the own workspace", async || server.mails_to(ZOE).await.len() > mails).await;
    let sent = server.mails_to(ZOE).await;
    assert_eq!(sent.len(), mails + 1, "no code is mailed to somebody who is no member there");
    assert!(sent[0].subject.contains(&server.host("bakery")), "{sent:?}");
    let own_tab = zoe.tab().await;
    zoe.switch_to(&other_door).await;
    zoe.give_code(sent[0].code().unwrap()).await;
    zoe.find("#code_error").await;
    assert_eq!(zoe.cookie("CF_Authorization").await, None);
    zoe.switch_to(&own_tab).await;
    zoe.give_code(sent[0].code().unwrap()).await;
    zoe.see("Your notebook").await;
}

/// Somebody who is signed in here opens a page of the neighbour, which sends forms here.
async fn no_page_acts_for_somebody_elsewhere(ada: &Browser, server: &Server) {
    let target = format!("http://{}/visions", server.host("engines"));
    ada.go(&format!("http://{}/cdn-cgi/access/login", server.host("bakery"))).await;
    let sent = format!(
        "fetch('{target}', {{ method: 'POST', credentials: 'include', mode: 'no-cors',
            body: new URLSearchParams('title=Planted&body=&status=draft') }}).then(() => 'sent')"
    );
    ada.js_later(&sent).await;
    let form = "const form = document.createElement('form');
        form.method = 'post';
        form.action = arguments[0];
        form.innerHTML = '<input name=title value=Planted><input name=status value=draft>';
        document.body.append(form);
        form.submit();";
    ada.js(form, &[json!(target)]).await;
    ada.go(&format!("http://{}/", server.host("engines"))).await;
    ada.see("A difference machine").await;
    assert!(!ada.text().await.contains("Planted"));
}
