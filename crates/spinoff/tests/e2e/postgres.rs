//! The same product with its record in PostgreSQL.

use store::sqlx::{AnyConnection, AssertSqlSafe, Connection as _, SqlSafeStr as _, raw_sql};

use crate::support::server::{Server, cli_at};

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

#[tokio::test]
async fn a_record_is_backed_up_moved_and_restored_and_serves_on() {
    let (moved, restored) =
        (format!("spinoff_moved_{}", std::process::id()), format!("spinoff_back_{}", std::process::id()));
    for name in [&moved, &restored] {
        administer(&[&format!("drop database if exists {name}"), &format!("create database {name}")]).await;
    }
    let mut server = Server::start().await;
    server.provision(ADA, "acme");
    let ada = server.sign_in("acme", ADA).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("spinoff.store.age").display().to_string();
    let to = format!("{}/{moved}", address());

    // While it runs.
    let backup = server.cli(&["store", "backup", &file, "--json"]).ok().json();
    assert!(backup["rows"].as_u64().unwrap() > 20 && backup["key"].as_str().unwrap().len() == 16, "{backup}");
    assert_eq!(server.cli(&["store", "backups", "--json"]).ok().json()["data"], serde_json::json!([]));
    server.cli(&["store", "backup", &file]).failed(4, &["is there already"]);
    server.cli(&["store", "move", "--to", &to]).failed(4, &["another server is running on the data folder"]);
    server.cli(&["store", "restore", "--file", &file]).failed(4, &["another server is running on the data folder"]);
    let stopped = server.stop().await;
    assert!(stopped.success(), "{stopped}: {}", server.output());

    server.cli(&["store", "move", "--to", "sqlite:elsewhere.db"]).failed(4, &["postgres://"]);
    let told = server.cli(&["store", "move", "--to", &to]).ok();
    assert!(told.out.contains("instances") && told.out.contains("set [store] url"), "{told:?}");
    server.cli(&["store", "move", "--to", &to]).failed(4, &["is not empty"]);
    server.keep_record_at(&to);
    server.restart().await;
    server.until_healthy("acme").await;
    assert_eq!(server.instance("acme")["state"], "active");
    assert!(ada.text(&server, "/-/access/whoami").await.contains(ADA), "who was signed in still is");
    server.stop().await;

    // Without its key nothing opens it, and none is made.
    let back = format!("{}/{restored}", address());
    let restore: [&str; 6] = ["store", "restore", "--file", &file, "--store", &back];
    cli_at(elsewhere.path(), &restore).failed(4, &["there is no key", "secret.key"]);
    std::fs::write(elsewhere.path().join("secret.key"), [7; 32]).unwrap();
    cli_at(elsewhere.path(), &restore).failed(4, &[backup["key"].as_str().unwrap()]);
    let up: [&str; 5] = ["up", "--listen", "127.0.0.1:0", "--store", &to];
    cli_at(elsewhere.path(), &up).failed(1, &["is not the one that the store was sealed with"]);
    std::fs::remove_file(elsewhere.path().join("secret.key")).unwrap();
    cli_at(elsewhere.path(), &up).failed(1, &["put the secret.key there that belongs to this store"]);
    assert!(!elsewhere.path().join("secret.key").exists());
    std::fs::copy(server.data().join("secret.key"), elsewhere.path().join("secret.key")).unwrap();
    let put = cli_at(elsewhere.path(), &[&restore[..], &["--json"]].concat()).ok().json();
    assert_eq!((&put["rows"], &put["tables"]), (&backup["rows"], &backup["tables"]));
    server.keep_record_at(&back);
    server.restart().await;
    server.until_healthy("acme").await;
    assert!(ada.text(&server, "/-/access/whoami").await.contains(ADA));
    server.kill9();
    for name in [&moved, &restored] {
        administer(&[&format!("drop database {name} with (force)")]).await;
    }
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
