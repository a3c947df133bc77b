//! What changes around a guard while its visitors do not stop asking: keys, outages, members, and the
//! guard itself. Nobody who may enter notices anything.

use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::Duration;

use crate::support::client::ask;
use crate::support::traffic::Traffic;
use crate::support::{ADA, Certs, Forge, Guard, MainInstance, Town, bearer, command, push, soon, until};
use access::ListState;
use futures_util::future::join_all;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

/// Within which a change of members is to hold.
const A_SECOND: Duration = Duration::from_secs(1);
const VISITORS: usize = 4;
/// Requests between two events, so that traffic is under way at each.
const SOME: u64 = 100;

/// A key set of several issuers' keys.
fn together(forges: &[&Forge]) -> String {
    let keys: Vec<Value> = forges.iter().map(|forge| forge.jwk()).collect();
    json!({ "keys": keys }).to_string()
}

/// A guard that writes no log: there is one line for each of many thousand requests.
async fn silent(settings: &[(&'static str, String)]) -> Guard {
    let mut command = command(settings);
    command.stdin(Stdio::null()).stderr(Stdio::null());
    Guard::wait_until_ready(command).await
}

#[tokio::test]
async fn a_rotation_of_keys_refuses_nobody_and_a_withdrawn_key_opens_nothing() {
    let town = Town::new().await;
    let guard = silent(&town.settings()).await;
    let (old, new) = (bearer(&town.ada()), Forge::new());
    // Tokens that are the same every time, and tokens that are never seen again.
    let steady = Traffic::start(&guard.address, VISITORS, {
        let old = old.clone();
        move |_| old.clone()
    });
    steady.more(SOME).await;

    // Both keys are shown, and a token by the new one makes the guard look.
    town.main.set_certs(together(&[&town.forge, &new]));
    let fetched = town.main.count("/cdn-cgi/access/certs");
    let newcomer = Traffic::start(&guard.address, VISITORS, {
        let tokens: Vec<String> = (0..50).map(|nonce| bearer(&new.token_with_nonce(ADA, nonce))).collect();
        move |number| tokens[usize::try_from(number).unwrap() % tokens.len()].clone()
    });
    newcomer.more(SOME).await;
    assert_eq!(town.main.count("/cdn-cgi/access/certs"), fetched + 1, "one fetch, however many asked");
    steady.more(SOME).await;
    let mut outcome = steady.end().await;

    // The old key is withdrawn; nothing asks the guard to look but its own restart.
    town.main.set_certs(together(&[&new]));
    newcomer.more(SOME).await;
    let newcomers = newcomer.end().await;
    outcome.served += newcomers.served;
    outcome.wrong.extend(newcomers.wrong);
    // Both sorts number their requests from zero, so what counts here is only that none went wrong.
    assert!(outcome.wrong.is_empty(), "{:?}", outcome.wrong);
    assert!(guard.end().await.success());

    let guard = silent(&town.settings()).await;
    let newcomer = bearer(&new.token(ADA));
    assert_eq!(ask(&guard.address, "/", &[&newcomer]).await.status, 200);
    soon("the end of the old key", async { while ask(&guard.address, "/", &[&old]).await.status != 401 {} }).await;
    assert_eq!(ask(&guard.address, "/", &[&newcomer]).await.status, 200);
}

#[tokio::test]
async fn a_withdrawn_key_stops_at_once_for_those_who_were_let_in_by_it_a_moment_ago() {
    let town = Town::new().await;
    let guard = silent(&town.settings()).await;
    let (old, new) = (bearer(&town.ada()), Forge::new());
    let former = Traffic::start(&guard.address, VISITORS, move |_| old.clone());
    former.more(SOME).await;
    town.main.set_certs(together(&[&new]));
    // The first to come with the new key makes the guard look, and has his answer after it did.
    assert_eq!(ask(&guard.address, "/", &[&bearer(&new.token(ADA))]).await.status, 200);
    until("all others are refused", || former.gone() == VISITORS).await;
    let former = former.end().await;
    assert!(former.wrong.iter().all(|wrong| wrong.contains(": 401 ")), "{:?}", former.wrong);
}

#[tokio::test]
async fn a_bad_key_endpoint_is_not_noticed_by_anybody_whose_key_is_known() {
    let elsewhere = Forge::new();
    let trap = MainInstance::start(elsewhere.key_set()).await;
    let address = format!("http://{}/cdn-cgi/access/certs", trap.address);
    let conducts = [
        (Certs::Hanging, true),
        (Certs::Trickling, true),
        (Certs::Endless, false),
        (Certs::Failing, false),
        (Certs::Redirecting(address), false),
    ];
    let stranger = bearer(&elsewhere.token(ADA));
    join_all(conducts.map(|(conduct, keeps_waiting)| not_noticed(conduct, keeps_waiting, &stranger))).await;
    assert_eq!(trap.total(), 0, "no redirect was followed");
}

/// Visitors ask all the while that the endpoint behaves like this, and after a restart in the midst of it.
async fn not_noticed(conduct: Certs, keeps_waiting: bool, stranger: &str) {
    let town = Town::new().await;
    let guard = silent(&town.settings()).await;
    let ada = bearer(&town.ada());
    let traffic = Traffic::start(&guard.address, VISITORS, {
        let ada = ada.clone();
        move |_| ada.clone()
    });
    traffic.more(SOME).await;
    town.main.certs_are(conduct.clone());
    let asked = town.main.count("/cdn-cgi/access/certs");

    // A key that nobody knows makes the guard ask. Whoever brings it waits; nobody else does.
    let waiting = tokio::spawn({
        let (address, stranger) = (guard.address.clone(), stranger.to_owned());
        async move { ask(&address, "/", &[&stranger]).await }
    });
    until("the guard asks", || town.main.count("/cdn-cgi/access/certs") > asked).await;
    traffic.more(5 * SOME).await;
    if keeps_waiting {
        assert_eq!(town.main.held(), 1, "{conduct:?}: the endpoint keeps the guard waiting all the while");
    }
    assert_eq!(soon("the refusal", waiting).await.unwrap().status, 401, "{conduct:?}");
    traffic.more(SOME).await;
    traffic.end().await.assert_flawless(&town.app);

    // A restart at such a time rests on the keys that were kept.
    assert!(guard.end().await.success());
    let guard = silent(&town.settings()).await;
    assert_eq!(ask(&guard.address, "/", &[&ada]).await.status, 200, "{conduct:?}, after a restart");
}

#[tokio::test]
async fn a_cold_start_with_a_bad_key_endpoint_lets_nobody_in_and_stays_calm() {
    let conducts = [Certs::Hanging, Certs::Endless, Certs::Failing, Certs::Redirecting("http://127.0.0.1:1/".into())];
    join_all(conducts.map(calm)).await;
}

async fn calm(conduct: Certs) {
    let town = Town::new().await;
    town.main.certs_are(conduct.clone());
    let guard = silent(&town.settings()).await;
    let ada = bearer(&town.ada());
    let refused = ask(&guard.address, "/", &[&ada]).await;
    assert!(refused.status == 401, "{conduct:?}: {refused:?}");
    assert_eq!(ask(&guard.address, "/robots.txt", &[]).await.status, 200, "{conduct:?}: what is public stays so");
    assert_eq!(ask(&guard.address, "/-/health", &[]).await.status, 200, "{conduct:?}");
    assert!(town.app.seen().iter().all(|seen| seen.starts_with("GET /robots.txt\n")), "{:?}", town.app.seen());
}

/// Two members ask without a pause; one of them is let go. From that moment on he is refused, and the
/// other notices nothing.
async fn one_is_let_go(town: &Town, settings: &[(&'static str, String)], let_go: impl AsyncFnOnce(&Guard)) {
    let guard = silent(settings).await;
    let [ada, bob] = [ADA, "bob@example.com"].map(|email| bearer(&town.forge.token(email)));
    let staying = Traffic::start(&guard.address, VISITORS, move |_| ada.clone());
    let leaving = Traffic::start(&guard.address, VISITORS, move |_| bob.clone());
    staying.more(SOME).await;
    leaving.more(SOME).await;
    let_go(&guard).await;
    let refused = tokio::time::timeout(A_SECOND, async {
        while leaving.gone() < VISITORS {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    assert!(
        refused.await.is_ok(),
        "he still enters a second later, on {} of {VISITORS} connections",
        VISITORS - leaving.gone()
    );
    let leaving = leaving.end().await;
    assert!(leaving.wrong.iter().all(|wrong| wrong.contains(": 403 ")), "{:?}", leaving.wrong);
    staying.more(SOME).await;
    let staying = staying.end().await;
    assert!(staying.wrong.is_empty(), "{:?}", staying.wrong);
}

#[tokio::test]
async fn a_member_who_is_let_go_by_a_pushed_list_is_out_within_a_second() {
    let town = Town::new().await;
    town.list(2, ListState::Active, &[ADA, "bob@example.com"]);
    one_is_let_go(&town, &town.settings(), async |guard| {
        let list = town.list(3, ListState::Active, &[ADA]);
        assert_eq!(push(&guard.address, &list).await.status, 204);
    })
    .await;
}

#[tokio::test]
async fn a_member_who_is_struck_from_the_file_is_out_within_a_second() {
    let town = Town::new().await;
    let file = town.folder.path().join("members.txt");
    std::fs::write(&file, format!("{ADA}\nbob@example.com\n")).unwrap();
    one_is_let_go(&town, &town.settings_with_file(&file), async |_| {
        // As editors do it: another file takes its place.
        let next = file.with_extension("new");
        std::fs::write(&next, format!("{ADA}\n")).unwrap();
        std::fs::rename(&next, &file).unwrap();
    })
    .await;
}

/// A guard on a listener that others have as well.
async fn successor(settings: &[(&'static str, String)], listener: &std::net::TcpListener) -> Guard {
    let mut command = command(settings);
    command.stdin(Stdio::from(OwnedFd::from(listener.try_clone().unwrap()))).stderr(Stdio::null());
    Guard::wait_until_ready(command).await
}

#[tokio::test]
async fn one_guard_takes_over_from_another_and_no_request_is_lost() {
    let town = Town::new().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = town.settings_with("GUARD_LISTEN", "inherited");
    let mut guard = successor(&settings, &listener).await;
    let ada = bearer(&town.ada());
    let traffic = Traffic::start(&guard.address, 2 * VISITORS, move |_| ada.clone());
    for _ in 0..5 {
        traffic.more(SOME).await;
        let next = successor(&settings, &listener).await;
        traffic.more(SOME).await;
        guard.signal(Signal::SIGTERM);
        assert!(guard.ended().await.success());
        traffic.more(SOME).await;
        guard = next;
    }
    let outcome = traffic.end().await;
    println!("{} served, {} sent again, of which {} were on their way", outcome.served, outcome.retried, outcome.reset);
    outcome.assert_flawless(&town.app);
    assert!(guard.end().await.success());
}
