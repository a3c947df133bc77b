//! Who may change what, for every address there is.

use std::sync::Arc;

use reqwest::{Method, StatusCode};

use super::notebook::Notebook;
use crate::app::Provision;
use crate::members::{CHANGES, Right};

/// The addresses of the router that change something, read from where they are written.
fn changing_addresses() -> Vec<String> {
    let source = include_str!("../../server.rs");
    let lines = source.lines().filter(|line| line.contains(".route(\"") && line.contains("post("));
    lines.map(|line| line.split('"').nth(1).unwrap().to_owned()).collect()
}

fn filled(address: &str) -> String {
    let parts = [("{name}", "pots"), ("{shelf}", "visions"), ("{id}", "M-1"), ("{number}", "1")];
    parts.into_iter().fold(address.to_owned(), |address, (part, value)| address.replace(part, value))
}

async fn with_three() -> (Notebook, [Notebook; 3]) {
    let notebook = Notebook::open().await;
    let people = ["ada@example.com", "bob@example.com", "eve@example.com"];
    let people = people.map(|email| notebook.clone().signed_in(email));
    for person in &people {
        person.page("/").await;
    }
    let demoted = [("email", "eve@example.com"), ("standing", "viewer")];
    assert_eq!(people[0].post("/settings/members", &demoted).await.status, StatusCode::SEE_OTHER);
    (notebook, people)
}

#[tokio::test]
async fn every_address_that_changes_something_stands_in_the_table() {
    let listed: Vec<String> = CHANGES.iter().map(|(address, _)| (*address).to_owned()).collect();
    let mut routed = changing_addresses();
    assert!(routed.len() > 20, "{routed:?}");
    routed.retain(|address| !listed.contains(address));
    assert_eq!(routed, Vec::<String>::new(), "say in members/rights.rs who may change these");
}

#[tokio::test]
async fn viewers_change_nothing_anywhere_and_only_owners_change_settings() {
    let (notebook, [ada, bob, eve]) = with_three().await;
    ada.post("/visions", &[("title", "Pots")]).await;
    let before = notebook.file("visions/pots.md");
    for (address, right) in CHANGES {
        let address = filled(address);
        let refused = eve.post(&address, &[]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{address}");
        assert!(refused.text.contains("not yours to change"), "{address}");
        let editors = bob.post(&address, &[]).await.status;
        assert_eq!(editors == StatusCode::FORBIDDEN, right == Right::Own, "{address}: {editors}");
        assert_ne!(ada.post(&address, &[]).await.status, StatusCode::FORBIDDEN, "{address}");
    }
    assert_eq!(notebook.file("visions/pots.md"), before);
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
        let request = eve.client.request(method, eve.url("/visions/pots"));
        let status = eve.send(request).await.status;
        assert!(status == StatusCode::FORBIDDEN || status == StatusCode::METHOD_NOT_ALLOWED, "{status}");
    }
}

#[tokio::test]
async fn viewers_see_everything_and_are_told_what_they_cannot_do() {
    let (_, [ada, _, eve]) = with_three().await;
    ada.post("/meetings", &[("kind", "vision")]).await;
    for address in ["/", "/meetings", "/meetings/M-1", "/decisions", "/search?q=x", "/settings", "/deleted"] {
        let page = eve.page(address).await;
        assert!(!page.contains("data-composer") && !page.contains(">Start</button>"), "{address}");
    }
    assert!(eve.page("/settings").await.contains("only owners can change them"));
    assert!(ada.page("/meetings/M-1").await.contains("data-composer"));
}

#[tokio::test]
async fn behind_a_guard_who_has_no_name_changes_nothing() {
    let home = Arc::new(tempfile::tempdir().unwrap());
    let provision = Provision { is_guarded: true, ..Provision::default() };
    let notebook = Notebook::open_in(home, provision).await;
    for (address, _) in CHANGES {
        assert_eq!(notebook.post(&filled(address), &[]).await.status, StatusCode::FORBIDDEN, "{address}");
    }
    let ada = notebook.clone().signed_in("ada@example.com");
    assert_eq!(ada.post("/settings/trial", &[]).await.status, StatusCode::UNPROCESSABLE_ENTITY, "the first owns it");
}

#[tokio::test]
async fn the_last_owner_stays_and_a_new_owner_can_take_over() {
    let (_, [ada, bob, _]) = with_three().await;
    let resigned = [("email", "ada@example.com"), ("standing", "viewer")];
    let refused = ada.post("/settings/members", &resigned).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("One owner must remain"), "{}", refused.text);
    ada.post("/settings/members", &[("email", "bob@example.com"), ("standing", "owner")]).await;
    assert_eq!(bob.post("/settings/members", &resigned).await.status, StatusCode::SEE_OTHER);
    assert_eq!(ada.post("/visions", &[("title", "Mine")]).await.status, StatusCode::FORBIDDEN);
}
