//! Both engines behave alike under the same text.
#![allow(clippy::unwrap_used)]

use store::sqlx::{self, Row as _};
use store::testing::fresh;
use store::{Db, Engine, FillError, Migration, StoreError, copy, is_unique_violation};

const TABLES: &[Migration] = &[Migration {
    version: 1,
    name: "things",
    sql: "create table things (id text primary key, size bigint not null, note text, body {bytes});
          create table parts (thing_id text not null references things (id), name text not null);",
}];

async fn round_trip(engine: Engine) {
    let test = fresh(engine, TABLES).await;
    let db = &test.db;
    sqlx::query("insert into things (id, size, note, body) values ($1, $2, $3, $4)")
        .bind("a")
        .bind(i64::MAX)
        .bind(None::<String>)
        .bind(vec![0_u8, 255])
        .execute(db.write())
        .await
        .unwrap();
    let row = sqlx::query("select id, size, note, body from things where id = $1")
        .bind("a")
        .fetch_one(db.read())
        .await
        .unwrap();
    assert_eq!(row.get::<i64, _>("size"), i64::MAX);
    assert_eq!(row.get::<Option<String>, _>("note"), None);
    assert_eq!(row.get::<Vec<u8>, _>("body"), vec![0, 255]);

    let again =
        sqlx::query("insert into things (id, size) values ($1, $2)").bind("a").bind(1_i64).execute(db.write()).await;
    assert!(is_unique_violation(&again.unwrap_err()));
    let orphan = sqlx::query("insert into parts (thing_id, name) values ($1, $2)")
        .bind("zz")
        .bind("x")
        .execute(db.write())
        .await;
    assert!(!is_unique_violation(&orphan.unwrap_err()));

    let mut tx = db.begin().await.unwrap();
    sqlx::query("update things set size = $2 where id = $1").bind("a").bind(5_i64).execute(&mut *tx).await.unwrap();
    drop(tx);
    let count =
        sqlx::query_scalar::<_, i64>("select count(*) from things where size = 5").fetch_one(db.read()).await.unwrap();
    assert_eq!(count, 0, "a transaction that was not committed left something behind");

    db.migrate(TABLES).await.unwrap();
    let changed = [Migration { sql: "create table others (id text)", ..TABLES[0] }];
    assert!(matches!(db.migrate(&changed).await, Err(StoreError::Migrate(_))), "an edited migration must be refused");
}

/// Everything that a column can hold, in more rows than go with one statement.
async fn everything_is_copied(from: Engine, to: Engine) {
    let (from, to) = (fresh(from, TABLES).await, fresh(to, &[]).await);
    for number in 0..3_000_i64 {
        let note = ["", "ä\u{1f980}\n\"'", "plain"].get(usize::try_from(number % 4).unwrap());
        sqlx::query("insert into things (id, size, note, body) values ($1, $2, $3, $4)")
            .bind(format!("{number:05}"))
            .bind(if number % 2 == 0 { i64::MIN + number } else { number })
            .bind(note.map(ToString::to_string))
            .bind((number % 3 > 0).then(|| number.to_be_bytes().to_vec()))
            .execute(from.db.write())
            .await
            .unwrap();
    }
    sqlx::query("insert into parts (thing_id, name) values ('00001', 'x'), ('00001', 'x')")
        .execute(from.db.write())
        .await
        .unwrap();
    let copied = copy(&from.db, &to.db, TABLES).await.unwrap();
    let told: Vec<(&str, u64)> = copied.iter().map(|(table, tally)| (table.name.as_str(), tally.rows())).collect();
    assert_eq!(told, [("things", 3_000), ("parts", 2)], "what is referred to comes first");
    let row =
        sqlx::query("select size, note, body from things where id = '00002'").fetch_one(to.db.read()).await.unwrap();
    assert_eq!(row.get::<i64, _>("size"), i64::MIN + 2);
    assert_eq!(row.get::<Option<String>, _>("note").as_deref(), Some("plain"));
    assert_eq!(row.get::<Option<Vec<u8>>, _>("body"), Some(2_i64.to_be_bytes().to_vec()));
    assert!(matches!(copy(&from.db, &to.db, TABLES).await, Err(FillError::NotEmpty(_))));
}

#[tokio::test]
async fn everything_is_copied_to_postgres_and_back() {
    everything_is_copied(Engine::Sqlite, Engine::Postgres).await;
    everything_is_copied(Engine::Postgres, Engine::Sqlite).await;
}

#[tokio::test]
async fn sqlite_keeps_what_it_is_given() {
    round_trip(Engine::Sqlite).await;
}

#[tokio::test]
async fn postgres_keeps_what_it_is_given() {
    round_trip(Engine::Postgres).await;
}

#[tokio::test]
async fn an_address_of_no_known_kind_is_refused_without_its_password() {
    let error = Db::open("mysql://root:hunter2@host/x").await.unwrap_err().to_string();
    assert!(error.contains("postgres://") && !error.contains("hunter2"), "{error}");
}
