//! Somebody whom an instance's customer lets in for a while.

use crate::support;
use crate::support::{Town, ask, ask_with, bearer, push, soon};
use access::{Guest, ListState, MemberList};
use domain::Email;
use jiff::Timestamp;

const UPGRADE: [&str; 4] = [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

fn guest(email: &str, seconds: i64, may_change: bool) -> Guest {
    let until = Timestamp::from_second(support::forge::now() + seconds).unwrap();
    Guest { email: Email::parse(email).unwrap(), until, may_change }
}

fn signed(town: &Town, serial: u64, guests: Vec<Guest>) -> String {
    let list = MemberList {
        instance: support::instance(),
        serial,
        state: ListState::Active,
        members: vec!["ada@example.com".parse().unwrap()],
        guests,
    };
    serde_json::to_string(&town.key.sign(&list)).unwrap()
}

#[tokio::test]
async fn guests_look_and_change_nothing_unless_they_may_and_are_strangers_again_by_themselves() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let guests = vec![
        guest("looks@shop.org", 3_600, false),
        guest("mends@shop.org", 3_600, true),
        guest("late@shop.org", -1, true),
        guest("brief@shop.org", 4, false),
    ];
    assert_eq!(push(&guard.address, &signed(&town, 2, guests)).await.status, 204);
    let token = |email: &str| bearer(&town.forge.token(email));
    let (looks, mends, late) = (token("looks@shop.org"), token("mends@shop.org"), token("late@shop.org"));
    for method in ["GET", "HEAD", "OPTIONS"] {
        assert_eq!(ask_with(&guard.address, method, "/", &[&looks], "").await.status, 200, "{method}");
    }
    for method in ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"] {
        let refused = ask_with(&guard.address, method, "/", &[&looks], "").await;
        assert_eq!(refused.status, 403, "{method}");
        assert!(refused.head.contains("x-spinoff-refused-by: guard"), "{}", refused.head);
        assert_eq!(ask_with(&guard.address, method, "/", &[&mends], "").await.status, 200, "{method}");
    }
    let opening: Vec<&str> = UPGRADE.into_iter().chain([looks.as_str()]).collect();
    assert_eq!(ask(&guard.address, "/", &opening).await.status, 403, "a tunnel says what it likes");
    assert_eq!(ask(&guard.address, "/", &[&late]).await.status, 403);

    // Nobody tells the guard that the time is up.
    let brief = token("brief@shop.org");
    assert_eq!(ask(&guard.address, "/", &[&brief]).await.status, 200);
    town.main.set_down(true);
    soon("the end of a leave", async {
        while ask(&guard.address, "/", &[&brief]).await.status == 200 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
    assert_eq!(ask(&guard.address, "/", &[&brief]).await.status, 403);

    assert_eq!(push(&guard.address, &signed(&town, 3, Vec::new())).await.status, 204);
    assert_eq!(ask(&guard.address, "/", &[&mends]).await.status, 403, "ended before its time");
    assert_eq!(ask(&guard.address, "/", &[&bearer(&town.ada())]).await.status, 200);
}
