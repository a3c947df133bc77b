//! The issuer's keys: when they come, and when they are no good.

use crate::support::{Forge, Town, ask, bearer, soon};
use access::key_set_json;
use serde_json::json;

#[tokio::test]
async fn a_cold_start_without_keys_fails_closed_and_opens_when_they_come() {
    let town = Town::new().await;
    town.main.set_down(true);
    let guard = town.guard().await;
    let ada = bearer(&town.ada());
    let refused = ask(&guard.address, "/", &[&ada]).await;
    assert!(refused.status == 401 && refused.head.contains("retry-after"), "{refused:?}");
    assert_eq!(ask(&guard.address, "/", &[]).await.status, 401);
    assert!(town.app.seen().is_empty());
    town.main.set_down(false);
    soon("entry", async { while ask(&guard.address, "/", &[&ada]).await.status != 200 {} }).await;
}

#[tokio::test]
async fn the_first_visitor_is_not_refused_because_the_keys_are_on_their_way() {
    let town = Town::new().await;
    for _ in 0..5 {
        std::fs::remove_dir_all(town.state()).ok();
        let guard = town.guard().await;
        assert_eq!(ask(&guard.address, "/", &[&bearer(&town.ada())]).await.status, 200);
    }
}

#[tokio::test]
async fn a_new_key_is_fetched_once_however_many_ask_for_unknown_ones() {
    let town = Town::new().await;
    let guard = town.guard().await;
    assert_eq!(ask(&guard.address, "/", &[&bearer(&town.ada())]).await.status, 200);
    let before = town.main.count("/cdn-cgi/access/certs");
    let rotated = Forge::new();
    town.main.set_certs(rotated.key_set());
    let new = bearer(&rotated.token("ada@example.com"));
    assert_eq!(ask(&guard.address, "/", &[&new]).await.status, 200, "seen within one fetch");
    assert_eq!(
        ask(&guard.address, "/", &[&bearer(&town.ada())]).await.status,
        401,
        "the withdrawn key is worth nothing"
    );
    for number in 0..40 {
        let unknown = bearer(&town.forge.with_header("kid", json!(format!("k{number}"))));
        assert_eq!(ask(&guard.address, "/", &[&unknown]).await.status, 401);
    }
    assert_eq!(town.main.count("/cdn-cgi/access/certs"), before + 1);
    assert_eq!(ask(&guard.address, "/", &[&new]).await.status, 200);
}

#[tokio::test]
async fn a_malformed_key_set_does_not_replace_a_good_one() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let ada = bearer(&town.ada());
    assert_eq!(ask(&guard.address, "/", &[&ada]).await.status, 200);
    for bad in ["<html>".to_owned(), key_set_json(&[]), "x".repeat(3_000_000)] {
        town.main.set_certs(bad);
        let unknown = bearer(&town.forge.with_header("kid", json!("new")));
        assert_eq!(ask(&guard.address, "/", &[&unknown]).await.status, 401);
        assert_eq!(ask(&guard.address, "/", &[&ada]).await.status, 200);
    }
}
