//! The built-in edge as a driver: whose a hostname is decides what may be done to it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use domain::{Email, InstanceId};
use edge::{HostState, Hostname};
use providers::ProviderError;
use providers::compute::{Origin, Txt};
use providers::edge::{Builtin, Edge, Entry};
use store::Engine;
use store::testing::{TestDb, fresh};
use world::{Clock, Entropy, Sealer};

const ACME: &str = "acme.localhost";

struct NoMail;

#[async_trait::async_trait]
impl edge::CodeMail for NoMail {
    async fn send_code(&self, _mail: edge::SignInMail) -> anyhow::Result<()> {
        anyhow::bail!("nobody signs in here")
    }
}

/// The driver, the edge behind it, and the store they work on.
async fn open() -> (Builtin, edge::Edge, TestDb) {
    let db = fresh(Engine::Sqlite, edge::MIGRATIONS).await;
    let settings = edge::Settings::new("http://localhost:8080", "localhost", "Acme");
    let (sealer, entropy) = (Arc::new(Sealer::new([7; 32])), Entropy::seeded(1));
    let edge =
        edge::Edge::open(db.db.clone(), sealer, Clock::System, entropy, settings, Arc::new(NoMail)).await.unwrap();
    (Builtin::new(edge.clone()), edge, db)
}

fn instance(number: u8) -> InstanceId {
    InstanceId::new("2026-01-01T00:00:00Z".parse().unwrap(), [number; 10])
}

fn origin() -> Origin {
    Origin::Address("127.0.0.1:21000".parse().unwrap())
}

async fn admissions(db: &TestDb) -> i64 {
    sqlx::query_scalar("select count(*) from edge_admissions").fetch_one(db.db.read()).await.unwrap()
}

#[tokio::test]
async fn a_late_removal_leaves_the_next_instance_of_that_name_alone() {
    let (driver, edge, db) = open().await;
    driver.publish(ACME, instance(2), &origin()).await.unwrap();
    driver.admit(ACME, instance(2), &[Email::parse("eve@example.com").unwrap()]).await.unwrap();
    driver.set_entry(ACME, instance(1), Entry::Deleting).await.unwrap();
    assert!(driver.remove(ACME, instance(1)).await.unwrap().is_empty());
    let published = edge.find(&Hostname::parse(ACME).unwrap()).await.unwrap().unwrap();
    assert_eq!((published.state, published.route.instance), (HostState::Active, Some(instance(2))));
    assert_eq!(admissions(&db).await, 1);
    driver.admit(ACME, instance(1), &[]).await.unwrap();
    assert_eq!(admissions(&db).await, 1);
}

#[tokio::test]
async fn an_instances_own_hostname_is_closed_and_removed_with_everything_and_may_be_removed_twice() {
    let (driver, edge, db) = open().await;
    driver.publish(ACME, instance(1), &origin()).await.unwrap();
    driver.admit(ACME, instance(1), &[Email::parse("ada@example.com").unwrap()]).await.unwrap();
    driver.set_entry(ACME, instance(1), Entry::Deleting).await.unwrap();
    let published = edge.find(&Hostname::parse(ACME).unwrap()).await.unwrap().unwrap();
    assert_eq!(published.state, HostState::Deleting);
    let removed = driver.remove(ACME, instance(1)).await.unwrap();
    assert_eq!(removed.iter().map(|removed| removed.kind.as_str()).collect::<Vec<_>>(), ["hostname", "access rules"]);
    assert_eq!(admissions(&db).await, 0);
    assert!(driver.remove(ACME, instance(1)).await.unwrap().is_empty());
    driver.set_entry(ACME, instance(1), Entry::Deleting).await.unwrap();
    driver.publish(ACME, instance(2), &origin()).await.unwrap();
    let items = driver.inventory().await.unwrap();
    assert_eq!(
        items.iter().map(|item| (item.name.as_str(), item.instance)).collect::<Vec<_>>(),
        [(ACME, Some(instance(2)))]
    );
}

#[tokio::test]
async fn what_another_try_cannot_mend_is_refused() {
    let (driver, _edge, _db) = open().await;
    driver.publish(ACME, instance(1), &origin()).await.unwrap();
    let errors = [
        driver.publish(ACME, instance(2), &origin()).await.unwrap_err(),
        driver.publish("acme.elsewhere.example", instance(2), &origin()).await.unwrap_err(),
        driver.publish("localhost", instance(2), &origin()).await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, ProviderError::Refused { .. }), "{error}");
    }
}

#[tokio::test]
async fn an_instance_elsewhere_is_published_by_the_name_that_its_provider_gave_it() {
    let (driver, edge, _db) = open().await;
    let named = |target: &str| Origin::Name { target: target.into(), proof: None };
    driver.publish(ACME, instance(1), &named("app-1.up.railway.app")).await.unwrap();
    let published = edge.find(&Hostname::parse(ACME).unwrap()).await.unwrap().unwrap();
    assert_eq!(published.route.upstream.to_string(), "https://app-1.up.railway.app");
    assert_eq!(driver.inventory().await.unwrap().len(), 1);
    // One for whose hostname records have to be made is none for a router, which makes none.
    let proof = Some(Txt { name: "_railway-verify.acme.localhost".into(), text: "railway-verify=1".into() });
    let refused = driver.publish(ACME, instance(1), &Origin::Name { target: "q7.up.railway.app".into(), proof }).await;
    assert!(refused.unwrap_err().to_string().contains("routing = \"wildcard\""));
    for target in ["localhost", "127.0.0.1", "umbrella.localhost", "a b", ""] {
        let refused = driver.publish(ACME, instance(1), &named(target)).await.unwrap_err();
        assert!(matches!(refused, ProviderError::Refused { .. }), "{target}: {refused}");
    }
    let published = edge.find(&Hostname::parse(ACME).unwrap()).await.unwrap().unwrap();
    assert_eq!(published.route.upstream.to_string(), "https://app-1.up.railway.app");
}
