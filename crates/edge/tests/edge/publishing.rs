use edge::{EdgeError, HostState};
use jiff::SignedDuration;
use store::Engine;
use store::sqlx;

use crate::town::{Town, host, instance, no_mail, open, open_with, route};

crate::on_both_engines!(
    publishing_twice_changes_nothing_but_the_way,
    unpublishing_leaves_nothing_behind,
    one_audience_never_serves_two_instances,
    a_second_start_signs_with_the_same_key,
    another_replicas_changes_hold_within_a_second,
    admissions_are_replaced_as_a_whole,
);

async fn publishing_twice_changes_nothing_but_the_way(engine: Engine) {
    let town = Town::start(engine).await;
    let acme = host("acme.localhost");
    town.edge.set_state(&acme, HostState::Suspended, Some("Unpaid.")).await.unwrap();
    let moved = route(&town.edge, "acme.localhost", "127.0.0.1:9".parse().unwrap());
    for _ in 0..2 {
        town.edge.publish(&moved).await.unwrap();
    }
    let found = town.edge.find(&acme).await.unwrap().unwrap();
    assert_eq!((&found.route, found.state, found.note.as_deref()), (&moved, HostState::Suspended, Some("Unpaid.")));
    let names: Vec<_> = town.edge.list().await.unwrap().into_iter().map(|published| published.route.hostname).collect();
    assert_eq!(names, [acme, host("umbrella.localhost")]);
    assert_eq!(admitted(&town).await, ["ada@example.com"]);
}

async fn unpublishing_leaves_nothing_behind(engine: Engine) {
    let town = Town::start(engine).await;
    let mut ada = town.signed_in("ada@example.com", "acme.localhost").await;
    town.browser("acme.localhost").ask_for_code("ada@example.com").await;
    town.browser("umbrella.localhost").ask_for_code("bob@example.com").await;
    let acme = host("acme.localhost");
    for _ in 0..2 {
        town.edge.unpublish(&acme).await.unwrap();
    }
    assert_eq!(ada.visit("/").await.status(), 404);
    assert_eq!(town.edge.find(&acme).await.unwrap(), None);
    for table in ["edge_hostnames", "edge_admissions", "edge_codes"] {
        let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table} where hostname = 'acme.localhost'"));
        let rows: i64 = sqlx::query_scalar(sql).fetch_one(town.db.db.read()).await.unwrap();
        assert_eq!(rows, 0, "{table}");
    }
    let waiting: i64 =
        sqlx::query_scalar("select count(*) from edge_codes").fetch_one(town.db.db.read()).await.unwrap();
    assert_eq!(waiting, 1, "the neighbour's code stays");
}

async fn one_audience_never_serves_two_instances(engine: Engine) {
    let town = Town::start(engine).await;
    let mut other = route(&town.edge, "umbrella.localhost", town.upstream.address);
    other.audience = town.edge.audience_of(instance("acme.localhost"));
    assert!(matches!(town.edge.publish(&other).await, Err(EdgeError::AudienceTaken { .. })));
    let mut second_name = route(&town.edge, "acme.localhost", town.upstream.address);
    second_name.hostname = host("acme-works.localhost");
    town.edge.publish(&second_name).await.unwrap();
    let audience = town.edge.audience_of(instance("acme.localhost"));
    assert!(audience.len() == 64 && audience.bytes().all(|byte| byte.is_ascii_hexdigit()), "{audience}");
}

async fn a_second_start_signs_with_the_same_key(engine: Engine) {
    let town = Town::start(engine).await;
    town.edge.admit(town.edge.site(), &"root@example.com".parse().unwrap()).await.unwrap();
    let cookie = town.edge.sign_in_to_site(&"root@example.com".parse().unwrap()).unwrap();
    let again = town.replica().await;
    let mut headers = http::HeaderMap::new();
    headers.insert("cookie", cookie.to_str().unwrap().split(';').next().unwrap().parse().unwrap());
    assert_eq!(again.identify(&headers).await.unwrap(), Some("root@example.com".parse().unwrap()));
    let other_key = open_with(&town.db, &town.clock, no_mail(), [8; 32]).await;
    assert!(matches!(other_key, Err(EdgeError::Seal(_))), "another installation's key must not open it");
}

async fn another_replicas_changes_hold_within_a_second(engine: Engine) {
    let town = Town::start(engine).await;
    let replica = town.replica().await;
    let mut ada = town.signed_in("ada@example.com", "acme.localhost").await;
    assert_eq!(ada.visit("/").await.status(), 200);
    replica.set_admissions(&host("acme.localhost"), &[]).await.unwrap();
    town.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(ada.visit("/").await.status(), 403);
    replica.unpublish(&host("acme.localhost")).await.unwrap();
    town.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(ada.visit("/").await.status(), 404);
}

async fn admissions_are_replaced_as_a_whole(engine: Engine) {
    let town = Town::start(engine).await;
    let acme = host("acme.localhost");
    let rules = ["@example.org".parse().unwrap(), "bob@example.com".parse().unwrap()];
    for _ in 0..2 {
        town.edge.set_admissions(&acme, &rules).await.unwrap();
    }
    assert_eq!(admitted(&town).await, ["@example.org", "bob@example.com"]);
    assert!(!town.edge.admit(&acme, &rules[0]).await.unwrap(), "it is there already");
    town.edge.set_admissions(&acme, &rules[1..]).await.unwrap();
    assert_eq!(admitted(&town).await, ["bob@example.com"]);
}

async fn admitted(town: &Town) -> Vec<String> {
    let sql = "select rule from edge_admissions where hostname = 'acme.localhost' order by rule";
    sqlx::query_scalar(sql).fetch_all(town.db.db.read()).await.unwrap()
}

#[tokio::test]
async fn only_names_below_the_base_domain_are_published() {
    let town = Town::start(Engine::Sqlite).await;
    for name in ["localhost", "acme.example.com", "evillocalhost"] {
        let refused = town.edge.publish(&route(&town.edge, name, town.upstream.address)).await;
        assert!(matches!(refused, Err(EdgeError::NotBelow { .. })), "{name}");
    }
}

#[tokio::test]
async fn replicas_that_start_together_agree_on_one_key() {
    let db = store::testing::fresh(Engine::Postgres, edge::MIGRATIONS).await;
    let clock = world::Clock::System;
    let replicas = futures_util::future::join_all((0..3).map(|_| open(&db, &clock, no_mail()))).await;
    let root = "root@example.com".parse().unwrap();
    let mut headers = http::HeaderMap::new();
    for (number, replica) in replicas.iter().enumerate() {
        let replica = replica.as_ref().unwrap();
        replica.admit(replica.site(), &"root@example.com".parse().unwrap()).await.unwrap();
        if number == 0 {
            let cookie = replica.sign_in_to_site(&root).unwrap();
            headers.insert("cookie", cookie.to_str().unwrap().split(';').next().unwrap().parse().unwrap());
        }
        assert_eq!(replica.identify(&headers).await.unwrap().as_ref(), Some(&root), "replica {number}");
    }
}
