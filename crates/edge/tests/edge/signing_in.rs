use std::collections::BTreeSet;
use std::net::SocketAddr;

use access::{Identity, KeySet, Verifier};
use axum::body::Body;
use axum::extract::ConnectInfo;
use jiff::SignedDuration;
use reqwest::Method;
use store::Engine;

use crate::browser::location;
use crate::town::{Town, email, host, instance};

crate::on_both_engines!(
    a_member_signs_in_with_the_mailed_code,
    five_wrong_codes_use_a_code_up,
    a_code_gets_too_old,
    a_code_works_once,
    of_many_submissions_at_once_one_gets_in,
    a_code_opens_no_other_hostname,
    an_address_gets_only_so_many_codes_an_hour,
    a_strangers_flood_keeps_no_member_out,
    all_strangers_together_get_only_so_many_codes_for_an_address,
    a_member_removed_while_a_code_waits_stays_out,
);

async fn a_member_signs_in_with_the_mailed_code(engine: Engine) {
    let town = Town::start(engine).await;
    let mut ada = town.browser("acme.localhost");

    let sent_away = ada.visit("/visions?page=2").await;
    assert_eq!(sent_away.status(), 302);
    assert_eq!(location(&sent_away), "/cdn-cgi/access/login?redirect_url=%2Fvisions%3Fpage%3D2");
    let form = ada.visit("/cdn-cgi/access/login?redirect_url=%2Fvisions%3Fpage%3D2").await;
    assert_eq!(form.status(), 200);
    assert!(form.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'self'"));

    let asked = ada.ask_for_code(" Ada@Example.com ").await;
    assert_eq!(asked.status(), 200);
    let tie = asked.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        tie.starts_with("spinoff_sign_in=") && tie.contains("HttpOnly") && tie.contains("SameSite=Strict"),
        "{tie}"
    );
    let mail = town.next_mail().await;
    assert_eq!((&mail.to, &*mail.hostname, mail.valid_minutes), (&email("ada@example.com"), "acme.localhost:8080", 10));
    assert!(mail.code.len() == 6 && mail.code.bytes().all(|byte| byte.is_ascii_digit()), "{}", mail.code);

    let spaced = format!(" {} {} ", &mail.code[..3], &mail.code[3..]);
    let entered = ada.enter_code(&spaced).await;
    assert_eq!((entered.status().as_u16(), location(&entered)), (303, "/visions?page=2"));
    let session = entered.headers()["set-cookie"].to_str().unwrap();
    for attribute in ["CF_Authorization=", "; Path=/;", "; HttpOnly", "; SameSite=Lax", "; Max-Age=86400"] {
        assert!(session.contains(attribute), "{attribute} in {session}");
    }
    assert!(!session.contains("Secure") && !session.contains("Domain"), "{session}");
    assert_eq!(ada.cookies.keys().collect::<Vec<_>>(), ["CF_Authorization"], "the code's cookie is gone");

    let inside = ada.visit("/visions?page=2").await;
    assert_eq!((inside.status().as_u16(), &*inside.text().await.unwrap()), (200, "from the instance"));
    let identity: serde_json::Value = ada.visit("/cdn-cgi/access/get-identity").await.json().await.unwrap();
    assert_eq!(identity["email"], "ada@example.com");
    let keys = ada.visit("/cdn-cgi/access/certs").await.bytes().await.unwrap();
    let verifier = Verifier::new("http://localhost:8080", vec![town.edge.audience_of(instance("acme.localhost"))]);
    let passed_on = town.upstream.last().header("cf-access-jwt-assertion").unwrap().to_owned();
    let verified = verifier.unwrap().verify(&passed_on, &KeySet::parse(&keys).unwrap(), town.clock.now()).unwrap();
    assert_eq!(verified.identity(), &Identity::Person(email("ada@example.com")));
    assert_eq!(verified.subject(), identity["sub"]);
}

async fn five_wrong_codes_use_a_code_up(engine: Engine) {
    let town = Town::start(engine).await;
    let mut ada = town.browser("acme.localhost");
    ada.ask_for_code("ada@example.com").await;
    let right = town.next_mail().await.code;
    let wrong = other_than(&right);
    for _ in 0..3 {
        assert_eq!(ada.enter_code("12 34").await.status(), 422, "what is no code uses up no try");
    }
    for _ in 0..5 {
        assert_eq!(ada.enter_code(&wrong).await.status(), 403);
    }
    assert_eq!(ada.enter_code(&right).await.status(), 403, "the sixth try, though right, must not count");
    assert!(!ada.cookies.contains_key("CF_Authorization"));
}

async fn a_code_gets_too_old(engine: Engine) {
    let town = Town::start(engine).await;
    let mut ada = town.browser("acme.localhost");
    ada.ask_for_code("ada@example.com").await;
    let code = town.next_mail().await.code;
    town.clock.advance(SignedDuration::from_mins(10));
    assert_eq!(ada.enter_code(&code).await.status(), 403);

    ada.ask_for_code("ada@example.com").await;
    let code = town.next_mail().await.code;
    town.clock.advance(SignedDuration::from_mins(10) - SignedDuration::from_millis(1));
    assert_eq!(ada.enter_code(&code).await.status(), 303);
}

async fn a_code_works_once(engine: Engine) {
    let town = Town::start(engine).await;
    let mut ada = town.browser("acme.localhost");
    ada.ask_for_code("ada@example.com").await;
    let code = town.next_mail().await.code;
    let mut copy = ada.clone();
    assert_eq!(ada.enter_code(&code).await.status(), 303);
    assert_eq!(copy.enter_code(&code).await.status(), 403);
}

async fn of_many_submissions_at_once_one_gets_in(engine: Engine) {
    let town = Town::start(engine).await;
    let mut ada = town.browser("acme.localhost");
    ada.ask_for_code("ada@example.com").await;
    let code = town.next_mail().await.code;
    let submissions = (0..5).map(|_| {
        let (mut copy, code) = (ada.clone(), code.clone());
        async move { copy.enter_code(&code).await.status().as_u16() }
    });
    let mut answers = futures_util::future::join_all(submissions).await;
    answers.sort_unstable();
    assert_eq!(answers, [303, 403, 403, 403, 403]);
}

async fn a_code_opens_no_other_hostname(engine: Engine) {
    let town = Town::start(engine).await;
    town.edge.admit(&host("umbrella.localhost"), &"ada@example.com".parse().unwrap()).await.unwrap();
    let mut ada = town.browser("acme.localhost");
    ada.ask_for_code("ada@example.com").await;
    let code = town.next_mail().await.code;
    let mut smuggler = ada.smuggled_to("umbrella.localhost");
    assert_eq!(smuggler.enter_code(&code).await.status(), 403);
    assert_eq!(ada.enter_code(&code).await.status(), 303, "and it was not used up by that");
}

async fn an_address_gets_only_so_many_codes_an_hour(engine: Engine) {
    let town = Town::start(engine).await;
    for address in ["ada@example.com", "stranger@example.com"] {
        for round in 0..5 {
            let asked = town.browser("acme.localhost").ask_for_code(address).await;
            assert_eq!(asked.status(), 200, "{address} {round}");
        }
        let mut browser = town.browser("acme.localhost");
        let refused = browser.ask_for_code(address).await;
        assert_eq!(refused.status(), 429, "{address}");
        assert!(browser.cookies.is_empty());
    }
    for _ in 0..5 {
        town.next_mail().await;
    }
    town.clock.advance(SignedDuration::from_hours(1));
    for round in 0..8 {
        let mut ada = town.browser("acme.localhost");
        assert_eq!(ada.ask_for_code("ada@example.com").await.status(), 200, "sign-ins don't count, {round}");
        let code = town.next_mail().await.code;
        assert_eq!(ada.enter_code(&code).await.status(), 303);
    }
}

async fn a_strangers_flood_keeps_no_member_out(engine: Engine) {
    let town = Town::start(engine).await;
    for round in 0..40 {
        let status = ask_for(&town, "203.0.113.9:5000", "ada@example.com").await;
        assert_eq!(status, if round < 5 { 200 } else { 429 }, "{round}");
    }
    for _ in 0..5 {
        town.next_mail().await;
    }
    for round in 0..8 {
        let mut ada = town.browser("acme.localhost");
        assert_eq!(ada.ask_for_code("ada@example.com").await.status(), 200, "{round}");
        let code = town.next_mail().await.code;
        assert_eq!(ada.enter_code(&code).await.status(), 303, "{round}");
    }
}

async fn all_strangers_together_get_only_so_many_codes_for_an_address(engine: Engine) {
    let town = Town::start(engine).await;
    let mut codes = 0;
    for network in 0..9 {
        for _ in 0..6 {
            let status = ask_for(&town, &format!("203.0.113.{network}:5000"), "ada@example.com").await;
            codes += usize::from(status == 200);
        }
    }
    assert_eq!(codes, 30, "each is good for five guesses, and each mails her");
    for _ in 0..codes {
        town.next_mail().await;
    }
    town.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(ask_for(&town, "203.0.113.1:5000", "ada@example.com").await, 200);
    town.next_mail().await;
    assert!(town.no_mail_waits().await, "a refusal mails nobody");
}

async fn a_member_removed_while_a_code_waits_stays_out(engine: Engine) {
    let town = Town::start(engine).await;
    let mut ada = town.browser("acme.localhost");
    ada.ask_for_code("ada@example.com").await;
    let code = town.next_mail().await.code;
    town.edge.set_admissions(&host("acme.localhost"), &[]).await.unwrap();
    assert_eq!(ada.enter_code(&code).await.status(), 403);
    assert!(!ada.cookies.contains_key("CF_Authorization"));
}

#[tokio::test]
async fn a_code_is_worthless_in_another_browser() {
    let town = Town::start(Engine::Sqlite).await;
    let mut ada = town.browser("acme.localhost");
    ada.ask_for_code("ada@example.com").await;
    let code = town.next_mail().await.code;
    let mut thief = town.browser("acme.localhost");
    assert_eq!(thief.enter_code(&code).await.status(), 403, "without any cookie");
    thief.ask_for_code("ada@example.com").await;
    let thiefs_code = town.next_mail().await.code;
    if thiefs_code != code {
        assert_eq!(thief.enter_code(&code).await.status(), 403, "with a cookie of its own");
    }
    assert_eq!(ada.enter_code(&code).await.status(), 303, "whose code a stranger's request must not end");
}

#[tokio::test]
async fn a_neighbours_cookie_does_not_hide_the_one_that_a_code_needs() {
    let town = Town::start(Engine::Sqlite).await;
    town.edge.admit(&host("acme.localhost"), &"eve@example.com".parse().unwrap()).await.unwrap();
    let (mut ada, mut eve) = (town.browser("acme.localhost"), town.browser("acme.localhost"));
    eve.ask_for_code("eve@example.com").await;
    let eves_code = town.next_mail().await.code;
    ada.ask_for_code("ada@example.com").await;
    let code = town.next_mail().await.code;
    let (adas, eves) = (ada.cookies["spinoff_sign_in"].clone(), eve.cookies["spinoff_sign_in"].clone());
    let tossed = format!("junk; spinoff_sign_in={eves}; spinoff_sign_in={adas}");
    ada.cookies.insert("spinoff_sign_in".to_owned(), tossed);
    let wrong = ["000000", "000001", "000002"].into_iter().find(|wrong| *wrong != code && *wrong != eves_code);
    assert_eq!(ada.enter_code(wrong.unwrap()).await.status(), 403);
    assert_eq!(ada.enter_code(&code).await.status(), 303);
    let identity: serde_json::Value = ada.visit("/cdn-cgi/access/get-identity").await.json().await.unwrap();
    assert_eq!(identity["email"], "ada@example.com");
}

#[tokio::test]
async fn asking_again_replaces_the_browsers_former_code() {
    let town = Town::start(Engine::Sqlite).await;
    let mut ada = town.browser("acme.localhost");
    ada.ask_for_code("ada@example.com").await;
    let (former, mut before) = (town.next_mail().await.code, ada.clone());
    ada.ask_for_code("ada@example.com").await;
    let latter = town.next_mail().await.code;
    assert_eq!(before.enter_code(&former).await.status(), 403);
    assert_eq!(ada.enter_code(&latter).await.status(), 303);
}

#[tokio::test]
async fn strangers_are_answered_like_members_and_get_no_mail() {
    let town = Town::start(Engine::Sqlite).await;
    let mut answers = BTreeSet::new();
    for address in ["bob@example.com", "eve@example.org", "ada@example.com"] {
        let mut browser = town.browser("acme.localhost");
        let asked = browser.ask_for_code(address).await;
        let (status, names) = (asked.status().as_u16(), header_names(&asked));
        let page = asked.text().await.unwrap().replace(address, "ADDRESS");
        let wrong = browser.enter_code("000000").await;
        let (wrong_status, wrong_page) = (wrong.status().as_u16(), wrong.text().await.unwrap());
        answers.insert((status, names, page, wrong_status, wrong_page));
    }
    assert_eq!(answers.len(), 1, "answers tell who is a member: {answers:#?}");
    assert_eq!(town.next_mail().await.to, email("ada@example.com"), "the first mail is the member's");
    assert!(town.no_mail_waits().await);
}

#[tokio::test]
async fn what_is_no_address_is_sent_back_with_an_explanation() {
    let town = Town::start(Engine::Sqlite).await;
    let mut browser = town.browser("acme.localhost");
    for address in ["", "ada", "ada@example.com\r\nBcc: eve@example.org"] {
        assert_eq!(browser.ask_for_code(address).await.status(), 422, "{address:?}");
    }
    assert!(browser.cookies.is_empty());
}

#[tokio::test]
async fn a_source_gets_only_so_many_codes_an_hour_whatever_it_asks_for() {
    let town = Town::start(Engine::Sqlite).await;
    let mut answers = Vec::new();
    for number in 0..61 {
        answers.push(ask_from(&town, "203.0.113.9:5000", number).await);
    }
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 60);
    assert_eq!(answers.last(), Some(&429));
    assert_eq!(ask_from(&town, "203.0.113.10:5000", 61).await, 200, "the neighbour is not limited with it");
    for number in 100..161 {
        let from = format!("[2001:db8:1:2:{number:x}::1]:5000");
        answers.push(ask_from(&town, &from, number).await);
    }
    assert_eq!(answers.last(), Some(&429), "a network of 64 bits is one source");
}

#[tokio::test]
async fn signing_in_never_leads_to_another_place() {
    let town = Town::start(Engine::Sqlite).await;
    for place in ["https%3A%2F%2Fevil.example%2F", "%2F%2Fevil.example", "%2F%5Cevil.example", "javascript%3Aalert(1)"]
    {
        let mut ada = town.browser("acme.localhost");
        ada.ask_for_code("ada@example.com").await;
        let code = town.next_mail().await.code;
        let entered = ada.post(&format!("/cdn-cgi/access/code?redirect_url={place}"), &[("code", &code)]).await;
        assert_eq!((entered.status().as_u16(), location(&entered)), (303, "/"), "{place}");
    }
}

#[tokio::test]
async fn forms_sent_from_elsewhere_do_nothing() {
    let town = Town::start(Engine::Sqlite).await;
    let mut ada = town.browser("acme.localhost");
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "http://umbrella.localhost:8080"),
        ("origin", "https://acme.localhost:8080"),
        ("origin", "null"),
    ] {
        let path = "/cdn-cgi/access/login";
        let request = ada.request(Method::POST, path).header(name, value).form(&[("email", "ada@example.com")]);
        let refused = ada.send(request).await;
        assert_eq!(refused.status(), 403, "{name}: {value}");
    }
    assert!(ada.cookies.is_empty() && town.no_mail_waits().await);
    for (name, value) in [("sec-fetch-site", "same-origin"), ("origin", "http://acme.localhost:8080")] {
        let path = "/cdn-cgi/access/login";
        let request = ada.request(Method::POST, path).header(name, value).form(&[("email", "ada@example.com")]);
        assert_eq!(ada.send(request).await.status(), 200, "{name}: {value}");
    }
}

#[tokio::test]
async fn signing_out_ends_the_browsers_session() {
    let town = Town::start(Engine::Sqlite).await;
    let mut ada = town.signed_in("ada@example.com", "acme.localhost").await;
    let from_elsewhere = ada.request(Method::GET, "/cdn-cgi/access/logout").header("sec-fetch-site", "cross-site");
    assert_eq!(ada.send(from_elsewhere).await.status(), 200);
    assert!(ada.cookies.contains_key("CF_Authorization"), "a link elsewhere signs nobody out unasked");
    let forged = ada.request(Method::POST, "/cdn-cgi/access/logout").header("sec-fetch-site", "same-site");
    assert_eq!(ada.send(forged).await.status(), 403);
    assert_eq!(ada.visit("/").await.status(), 200);

    let mut other_window = ada.clone();
    assert_eq!(ada.post("/cdn-cgi/access/logout", &[]).await.status(), 200);
    assert!(ada.cookies.is_empty());
    assert_eq!(ada.visit("/").await.status(), 302);
    assert_eq!(other_window.visit("/cdn-cgi/access/logout").await.status(), 200);
    assert!(other_window.cookies.is_empty());
}

async fn ask_from(town: &Town, peer: &str, number: u32) -> u16 {
    ask_for(town, peer, &format!("somebody{number}@example.com")).await
}

async fn ask_for(town: &Town, peer: &str, email: &str) -> u16 {
    let mut request = http::Request::post("/cdn-cgi/access/login")
        .header("host", "acme.localhost:8080")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(format!("email={}", email.replace('@', "%40"))))
        .unwrap();
    request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
    town.edge.handle(request).await.status().as_u16()
}

fn header_names(response: &reqwest::Response) -> Vec<String> {
    response.headers().keys().map(ToString::to_string).collect()
}

fn other_than(code: &str) -> String {
    if code == "000000" { "000001" } else { "000000" }.to_owned()
}
