//! One wildcard record for everybody: the router of this server leads to instances at Railway, which it
//! calls by names of Railway's choice. Real drivers, workflows, guards and application; providers simulated.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::server::Server;
use crate::support::until::until;

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";
const MADE: Duration = Duration::from_secs(90);

async fn desk(server: &Server) -> Value {
    let answer = server.site("/-/simulation?json").send().await.unwrap();
    answer.error_for_status().unwrap().json().await.unwrap()
}

/// Orders an instance and pays for it; Railway's name of it.
pub(crate) async fn made(server: &Server, email: &str, subdomain: &str) -> String {
    server.cli(&["provision", email, subdomain, "--no-wait"]).ok();
    let page = until("a page for the card", MADE, async || {
        desk(server).await["stripe"]["open_checkouts"][0]["id"].as_str().map(str::to_owned)
    })
    .await;
    let stripe = format!("stripe.localhost:{}", server.port());
    let paid = server.request(Method::POST, &stripe, &format!("/c/pay/{page}")).form(&[("do", "pay")]).send().await;
    assert_eq!(paid.unwrap().status(), StatusCode::SEE_OTHER);
    until("the instance is ready", MADE, async || (server.instance(subdomain)["state"] == "active").then_some(()))
        .await;
    let project = format!("ai-diy-{subdomain}");
    let all = desk(server).await;
    let projects = all["railway"]["projects"].as_array().unwrap();
    let ours = projects.iter().find(|held| held["name"] == *project).unwrap();
    assert_eq!(ours["hostnames"].as_array().unwrap().len(), 1, "{ours}");
    ours["hostnames"][0]["name"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn behind_cloudflare_an_instance_is_made_entered_renamed_and_removed_and_the_zone_holds_one_record() {
    let server = Server::with().simulate().by_wildcard().start().await;
    let name = made(&server, ADA, "engines").await;
    assert!(name.ends_with(".up.railway.app"), "{name}");
    let records = desk(&server).await["cloudflare"]["records"].clone();
    assert_eq!(records.as_array().unwrap().len(), 1, "{records}");
    assert_eq!((&records[0]["name"], &records[0]["proxied"]), (&json!("*.localhost"), &json!(true)));

    // Access asks who is there before anything comes here; the platform's own name lets nobody in.
    let asked = server.at("engines", "/").header("cf-access-jwt-assertion", "forged").send().await.unwrap();
    assert_eq!(asked.status(), StatusCode::FOUND);
    assert!(asked.headers()["location"].to_str().unwrap().starts_with("http://team.localhost"), "{asked:?}");
    let health = server.at("engines", "/-/health").send().await.unwrap();
    assert_eq!(health.status(), StatusCode::OK);
    assert_eq!(server.at("nobody", "/-/health").send().await.unwrap().status(), StatusCode::NOT_FOUND);

    let renamed = server.cli(&["instances", "rename", "engines", "looms", "--timeout", "90"]).ok();
    assert!(renamed.out.contains("engines is now looms"), "{renamed:?}");
    assert_eq!(server.at("looms", "/-/health").send().await.unwrap().status(), StatusCode::OK);
    until("the former name leads nowhere", MADE, async || {
        let answer = server.at("engines", "/-/health").send().await.unwrap();
        (answer.status() == StatusCode::NOT_FOUND).then_some(())
    })
    .await;
    assert_eq!(desk(&server).await["cloudflare"]["records"], records, "no record for either name");
    let found = server.cli(&["providers", "sweep", "--timeout", "60"]).ok();
    assert!(found.out.contains("nothing is left behind"), "{found:?}");

    server.cli(&["delete", "looms", "--confirm", "looms", "--timeout", "90"]).ok();
    let left = desk(&server).await;
    assert_eq!(left["railway"]["projects"], json!([]), "{left}");
    assert_eq!(left["cloudflare"]["records"], records, "{left}");
    assert_eq!(left["cloudflare"]["let_in"], json!(["nobody@spinoff.invalid"]), "{left}");
}

#[tokio::test]
async fn without_cloudflare_members_sign_in_here_and_a_neighbour_gets_no_further_than_the_guard() {
    let server = Server::with().simulate_builtin_edge().start().await;
    let name = made(&server, ADA, "engines").await;
    let neighbour = made(&server, EVE, "evil").await;
    assert_ne!(name, neighbour);
    assert_eq!(desk(&server).await["cloudflare"]["records"], json!([]));

    let (ada, eve) = (server.sign_in("engines", ADA).await, server.sign_in("evil", EVE).await);
    assert!(ada.text(&server, "/").await.contains(ADA));
    // Forms work, although the router calls the instance by another name than the page has.
    let saved = ada.post(&server, "/").form(&[("text", "hello")]).send().await.unwrap();
    assert_ne!(saved.status(), StatusCode::FORBIDDEN, "{saved:?}");

    // Whatever Eve says of where she wants to go, her session leads to her own instance or nowhere.
    let engines = server.host("engines");
    for claim in ["x-forwarded-host", "x-spinoff-host", "x-original-host", "forwarded"] {
        let answer = eve.get(&server, "/").header(claim, &engines).send().await.unwrap();
        let page = answer.text().await.unwrap();
        assert!(page.contains(EVE) && !page.contains(ADA), "{claim}: {page}");
    }
    let smuggled = server.request(Method::GET, &engines, "/").header("cookie", eve.cookie()).send().await.unwrap();
    assert_eq!(smuggled.status(), StatusCode::UNAUTHORIZED);
    let by_name = server.request(Method::GET, &name, "/").header("cookie", ada.cookie()).send().await.unwrap();
    assert!(by_name.status().is_client_error(), "{by_name:?}");

    server.cli(&["suspend", "engines", "--reason", "The last invoice is unpaid."]).ok();
    assert_eq!(ada.get(&server, "/").send().await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(server.cli(&["resume", "engines", "--timeout", "90"]).ok().out, "engines is open again\n");
    assert!(ada.text(&server, "/").await.contains(ADA));
}
