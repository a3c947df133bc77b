//! The same product with its record in PostgreSQL.

use store::sqlx::{AnyConnection, AssertSqlSafe, Connection as _, SqlSafeStr as _, raw_sql};

use crate::support::server::Server;

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn an_instance_recorded_in_postgresql_outlives_a_restart() {
    let database = format!("spinoff_e2e_{}", std::process::id());
    administer(&[&format!("drop database if exists {database}"), &format!("create database {database}")]).await;
    let mut server = Server::with().store(&format!("{}/{database}", address())).start().await;
    server.provision(ADA, "acme");
    let ada = server.sign_in("acme", ADA).await;
    assert!(!server.data().join("spinoff.db").exists(), "nothing is recorded elsewhere");

    let stopped = server.stop().await;
    assert!(stopped.success(), "{stopped}: {}", server.output());
    server.restart().await;
    server.until_healthy("acme").await;
    assert_eq!(server.instance("acme")["state"], "active");
    assert!(ada.text(&server, "/-/access/whoami").await.contains(ADA));
    server.cli(&["delete", "acme", "--confirm", "acme"]).ok();
    assert!(server.world().folders().is_empty(), "{:?}", server.world().folders());
    server.kill9();
    administer(&[&format!("drop database {database} with (force)")]).await;
}

async fn administer(statements: &[&str]) {
    let url = format!("{}/postgres", address());
    // Opening a store makes the engines known.
    store::Db::open(&url).await.unwrap().close().await;
    let mut connection = AnyConnection::connect(&url).await.unwrap();
    for statement in statements {
        let statement = AssertSqlSafe((*statement).to_owned()).into_sql_str();
        raw_sql(statement).execute(&mut connection).await.unwrap();
    }
}

fn address() -> String {
    std::env::var("SPINOFF_TEST_POSTGRES").expect("SPINOFF_TEST_POSTGRES: run the tests with `cargo xtask test`")
}
