#![allow(clippy::unwrap_used)]
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use store::testing::fresh;

use super::*;

const INSTANCES: usize = 40;

fn now() -> Timestamp {
    "2026-11-29T12:00:00.000Z".parse().unwrap()
}

fn freshness() -> Freshness {
    let of = jiff::SignedDuration::from_secs;
    Freshness { probe: of(180), look: of(60), heard: of(600) }
}

/// Everything that a verdict depends on, and the one that is kept.
#[derive(Debug, Clone)]
struct Case {
    state: &'static str,
    health: Option<&'static str>,
    observed: i64,
    last_seen: Option<i64>,
    probe: Option<(&'static str, i64, i64, Option<i64>)>,
    heard: Option<i64>,
    verdict: Option<&'static str>,
}

/// Moments around those at which a view becomes too old, in milliseconds before now; some are in the future.
fn moments() -> impl Strategy<Value = i64> {
    let edges = prop::sample::select(vec![0, 30_000, 60_000, 180_000, 600_000]);
    (edges, -1500..1500_i64).prop_map(|(edge, off)| now().as_millisecond() - edge - off)
}

fn cases() -> impl Strategy<Value = Case> {
    let of = |words: &[&'static str]| prop::sample::select(words.to_vec());
    let probe = (of(&["answer", "unwell", "nothing"]), moments(), 0..4_i64, prop::option::of(moments()));
    (
        of(&["active", "active", "active", "suspended", "deleting"]),
        prop::option::of(of(&["ok", "busy", "starting", "down", "asleep", "unknown"])),
        moments(),
        prop::option::of(moments()),
        prop::option::of(probe),
        prop::option::of(moments()),
        prop::option::of(of(&["up", "starting", "asleep", "down", "unreachable", "suspended"])),
        any::<bool>(),
    )
        .prop_map(|(state, health, observed, last_seen, probe, heard, verdict, is_as_seen)| {
            // Often what is kept is what its provider sees.
            let seen = match health {
                Some("ok" | "busy") => Some("up"),
                other => other.filter(|word| *word != "unknown"),
            };
            let verdict = if is_as_seen { seen } else { verdict };
            Case { state, health, observed, last_seen, probe, heard, verdict }
        })
}

async fn keep(tx: &mut Tx, number: usize, case: &Case) {
    let id = format!("ins_{number:026}");
    sqlx::query(
        "insert into instances (id, customer_id, subdomain, skeleton, project, state, members_serial, created_at, changed_at,
             health, observed_at, last_seen_at)
         values ($1, 'cus_00000000000000000000000000', $2, $2, $3, $4, 1, 0, 0, $5, $6, $7)",
    )
    .bind(&id)
    .bind(format!("name{number}"))
    .bind(format!("ai-diy-name{number}"))
    .bind(case.state)
    .bind(case.health)
    .bind(case.health.map(|_| case.observed))
    .bind(case.last_seen)
    .execute(&mut **tx)
    .await
    .unwrap();
    if let Some((met, at, misses, answered)) = case.probe {
        let insert = "insert into health_probes (instance_id, due_at, met, probed_at, misses, answered_at)
                      values ($1, 0, $2, $3, $4, $5)";
        let row = sqlx::query(insert).bind(&id).bind(met).bind(at).bind(misses).bind(answered);
        row.execute(&mut **tx).await.unwrap();
    }
    if let Some(at) = case.heard {
        let insert = "insert into guards_heard (instance_id, heard_at) values ($1, $2)";
        sqlx::query(insert).bind(&id).bind(at).execute(&mut **tx).await.unwrap();
    }
    if let Some(verdict) = case.verdict {
        let insert = "insert into health_spans (instance_id, began_at, verdict) values ($1, 0, $2)";
        sqlx::query(insert).bind(&id).bind(verdict).execute(&mut **tx).await.unwrap();
    }
}

fn is_settled(watched: &Watched) -> bool {
    let verdict = watched.purpose.filter(|purpose| *purpose != Purpose::Making);
    let verdict = verdict.map(|purpose| watched.views().judge(purpose, now(), &freshness()).verdict);
    verdict.filter(|verdict| *verdict != Verdict::Unknown) == watched.kept.open.map(|span| span.verdict)
}

#[tokio::test]
async fn of_whom_it_is_plain_that_nothing_changed_nothing_did() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let store = fresh(engine, &crate::migrations()).await;
        let mut runner = TestRunner::deterministic();
        let (mut plain, mut changed) = (0, 0);
        for _ in 0..60 {
            let mut tx = store.db.begin().await.unwrap();
            sqlx::query(
                "insert into customers (id, email, name, created_at)
                 values ('cus_00000000000000000000000000', 'ada@example.com', 'Ada', 0)",
            )
            .execute(&mut *tx)
            .await
            .unwrap();
            for number in 0..INSTANCES {
                keep(&mut tx, number, &cases().new_tree(&mut runner).unwrap().current()).await;
            }
            let looked = "update looks set looked_at = $1 where id = 1";
            let at = moments().new_tree(&mut runner).unwrap().current();
            sqlx::query(looked).bind(at).execute(&mut *tx).await.unwrap();
            // Everything, since nothing is ever plain at the end of time.
            let ever = Freshness { look: jiff::SignedDuration::MIN, ..freshness() };
            let all = unsettled(&mut tx, Timestamp::MIN, &ever).await.unwrap();
            let unsettled = unsettled(&mut tx, now(), &freshness()).await.unwrap();
            for watched in all.iter().filter(|watched| !unsettled.iter().any(|other| other.id == watched.id)) {
                assert!(is_settled(watched), "{watched:?}");
                plain += 1;
            }
            changed += unsettled.iter().filter(|watched| !is_settled(watched)).count();
            tx.rollback().await.unwrap();
        }
        assert!(plain > 20 && changed > 500, "{plain} plain, {changed} changed");
    }
}
