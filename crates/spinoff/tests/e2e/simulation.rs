//! Production rehearsed without an account: the real drivers, workflows, guards and application, with
//! Railway, Cloudflare and Stripe simulated.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::server::Server;
use crate::support::until::until;

const ADA: &str = "ada@example.com";
const STRANGER: &str = "stranger@example.org";
/// Verification alone takes up to 15 seconds, and the driver looks only every 10.
const MADE: Duration = Duration::from_secs(150);

#[tokio::test]
async fn a_workspace_is_ordered_paid_made_entered_and_removed_without_a_trace_at_any_provider() {
    let server = Server::with().simulate().start().await;
    let ada = Browser::open().await;
    breaks_a_call(&ada, &server).await;
    orders_and_pays(&ada, &server).await;
    signs_in_by_access(&ada, &server).await;
    a_stranger_stays_outside(&server).await;
    is_shown_at_the_desk(&ada, &server).await;

    server.cli(&["delete", "engines", "--confirm", "engines", "--timeout", "90"]).ok();
    let left = desk(&server).await;
    assert_eq!(left["railway"]["projects"], json!([]), "{left}");
    assert_eq!(left["cloudflare"]["records"], json!([]), "{left}");
    assert_eq!(left["cloudflare"]["let_in"], json!(["nobody@spinoff.invalid"]), "{left}");
    assert_eq!(left["stripe"]["subscriptions"], json!([]), "{left}");
    assert_eq!(left["stripe"]["open_checkouts"], json!([]), "{left}");
    until("the volume goes with its data", Duration::from_secs(30), async || {
        let mut volumes = std::fs::read_dir(server.data().join("volumes")).unwrap();
        volumes.next().is_none().then_some(())
    })
    .await;
    ada.go(&format!("http://{}/", server.host("engines"))).await;
    ada.see("has no DNS record").await;
}

#[tokio::test]
async fn a_rehearsal_leaves_the_real_record_alone_and_refuses_real_providers() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("spinoff.db"), "the real record").unwrap();
    std::fs::write(folder.path().join("spinoff.toml"), "[stripe]\nsecret_key = \"sk_live_real\"\n").unwrap();
    let ran = crate::support::server::cli_at(folder.path(), &["up", "--simulate", "--listen", "127.0.0.1:0"]);
    ran.failed(1, &["[stripe] secret_key", "--config FILE"]);
    assert_eq!(std::fs::read_to_string(folder.path().join("spinoff.db")).unwrap(), "the real record");
    let ran = crate::support::server::cli_at(folder.path(), &["up", "--simulate-faults", "5"]);
    ran.failed(2, &["--simulate"]);
}

/// What the three providers hold.
async fn desk(server: &Server) -> Value {
    let answer = server.site("/-/simulation?json").send().await.unwrap();
    answer.error_for_status().unwrap().json().await.unwrap()
}

async fn breaks_a_call(ada: &Browser, server: &Server) {
    let elsewhere = format!("http://{}", server.host("evil"));
    let host = format!("localhost:{}", server.port());
    let press = server.request(Method::POST, &host, "/-/simulation/railway/revoke").header("origin", elsewhere);
    assert_eq!(press.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    ada.go(&format!("{}/-/simulation", server.url())).await;
    ada.see("Nothing here is real").await;
    // The project is made, and the answer never comes.
    ada.press("Next call: break after its effect").await;
    ada.arrive(&format!("{}/-/simulation", server.url())).await;
    assert_eq!(ada.complaints().await, Vec::<String>::new());
}

async fn orders_and_pays(ada: &Browser, server: &Server) {
    ada.go(&format!("{}/signup", server.url())).await;
    for (field, value) in [("name", "Ada Lovelace"), ("email", ADA), ("subdomain", "engines")] {
        ada.fill(field, value).await;
    }
    for agreement in ["agree_terms", "agree_privacy", "agree_acceptable_use", "agree_billing"] {
        ada.tick(agreement).await;
    }
    ada.press("Go on to payment").await;
    ada.arrive(&format!("http://stripe.localhost:{}/c/pay/", server.port())).await;
    ada.see("Simulated Stripe Checkout").await;
    ada.press("Pay with a card that is declined").await;
    ada.see("The card was declined").await;
    ada.press("Pay with a card that works").await;
    ada.arrive(&server.url()).await;
    until("the workspace is ready", MADE, async || {
        let instances = server.api("/instances").await;
        (instances["data"][0]["state"] == "active").then_some(())
    })
    .await;
    let made = desk(server).await;
    let projects = made["railway"]["projects"].as_array().unwrap();
    assert_eq!(projects.len(), 1, "an answer that never came makes no second one: {made}");
    assert_eq!(projects[0]["deployment"], "SUCCESS", "{made}");
    assert_eq!(made["stripe"]["subscriptions"][0]["status"], "active", "{made}");
    let kinds = made["cloudflare"]["records"].as_array().unwrap().iter().map(|record| &record["type"]);
    assert_eq!(kinds.collect::<Vec<_>>(), ["CNAME", "TXT"], "{made}");
}

async fn signs_in_by_access(ada: &Browser, server: &Server) {
    let home = format!("http://{}/", server.host("engines"));
    ada.go(&home).await;
    ada.arrive(&format!("http://team.localhost:{}/cdn-cgi/access/login/", server.port())).await;
    ada.fill("email", ADA).await;
    ada.press("Send me a code").await;
    let mail = server.mail_to(ADA, &server.host("engines")).await;
    let mail = match mail.code() {
        Some(_) => mail,
        // The welcome mail names the hostname too.
        None => server.mail_to(ADA, "code").await,
    };
    ada.fill("code", mail.code().unwrap()).await;
    ada.press("Sign in").await;
    ada.see("Your notebook").await;
    assert_eq!(ada.url().await, home);
    ada.see(ADA).await;
}

async fn a_stranger_stays_outside(server: &Server) {
    let asked = server.at("engines", "/").header("cf-access-jwt-assertion", "forged").send().await.unwrap();
    assert_eq!(asked.status(), StatusCode::FOUND);
    assert!(asked.headers()["location"].to_str().unwrap().starts_with("http://team.localhost:"), "{asked:?}");
    let stranger = Browser::open().await;
    stranger.go(&format!("http://{}/", server.host("engines"))).await;
    stranger.fill("email", STRANGER).await;
    stranger.press("Send me a code").await;
    stranger.see(&format!("A code has been emailed to {STRANGER}")).await;
    stranger.fill("code", "123456").await;
    stranger.press("Sign in").await;
    stranger.see("That code is wrong or too old").await;
    assert!(server.mails_to(STRANGER).await.is_empty(), "the page says so, and none is mailed");
}

async fn is_shown_at_the_desk(ada: &Browser, server: &Server) {
    ada.go(&format!("{}/-/simulation", server.url())).await;
    let hostname = "engines.localhost (verified)";
    for shown in ["ai-diy-engines", hostname, "through Access", "active", ADA, "spinoff:ins_"] {
        ada.see(shown).await;
    }
}
