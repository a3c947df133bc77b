//! Copies of all that the store knows of one instance, each with ids and a name of its own, made by the store itself.

use std::collections::{BTreeMap, BTreeSet};

use store::sqlx::any::{AnyRow, AnyTypeInfoKind};
use store::sqlx::{AssertSqlSafe, Executor as _, Row as _, ValueRef as _, query, query_scalar};
use store::{Db, Engine};

/// What the instance is called that is copied. Occurs in no other word.
pub const NAME: &str = "zqxvkubed";

/// How many copies one statement makes.
const AT_ONCE: u32 = 5000;
/// What stays of an id when its end is replaced by a number: its kind and most of its 26 characters.
const KEPT_OF_AN_ID: usize = "ins_".len() + 16;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Null,
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// By the names of columns.
type Row = BTreeMap<String, Value>;

/// Every row of every table.
pub struct Rows(BTreeMap<String, BTreeSet<Row>>);

impl Rows {
    pub async fn of(db: &Db) -> Self {
        let mut all = BTreeMap::new();
        for table in tables(db).await {
            let found = query(AssertSqlSafe(format!("select * from {table}"))).fetch_all(db.read()).await.unwrap();
            all.insert(table, found.iter().map(row).collect());
        }
        Self(all)
    }
}

/// Makes so many copies of every row that was not there before and that names the instance, its customer, or something of
/// theirs.
pub async fn make(db: &Db, before: &Rows, number: u32) {
    let now = Rows::of(db).await;
    let new: BTreeMap<&String, Vec<&Row>> =
        now.0.iter().map(|(table, rows)| (table, rows.difference(&before.0[table]).collect())).collect();
    let ids = whatever_is_ours(&new);
    let invoices = i64::try_from(now.0["invoices"].len()).unwrap();
    let mut tx = db.begin().await.unwrap();
    // Copies come in the order of tables, not in that of what refers to what.
    let waiting = match db.engine() {
        Engine::Sqlite => "pragma defer_foreign_keys = on",
        Engine::Postgres => "set local session_replication_role = replica",
    };
    tx.execute(waiting).await.unwrap();
    for (table, rows) in &new {
        for row in rows.iter().filter(|row| names_any(row, &ids)) {
            let mut from = 1;
            while from <= number {
                let until = number.min(from + AT_ONCE - 1);
                let statement = copies(db.engine(), table, row, (&ids, invoices), (from, until));
                query(AssertSqlSafe(statement)).execute(&mut *tx).await.unwrap();
                from = until + 1;
            }
        }
    }
    let given = "update invoice_numbers set last = (select max(seq) from invoices)";
    query(given).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    query("analyze").execute(db.write()).await.unwrap();
}

/// Ids and words that are the instance's, or of something that is about it.
fn whatever_is_ours(new: &BTreeMap<&String, Vec<&Row>>) -> BTreeSet<String> {
    let mut ours = BTreeSet::from([NAME.to_owned()]);
    loop {
        let more: BTreeSet<String> = new
            .values()
            .flatten()
            .filter(|row| names_any(row, &ours))
            .filter_map(|row| match row.get("id").or_else(|| row.get("number")) {
                Some(Value::Text(id)) if !ours.contains(id) && !id.contains(NAME) => Some(id.clone()),
                _ => None,
            })
            .collect();
        if more.is_empty() {
            return ours;
        }
        ours.extend(more);
    }
}

fn names_any(row: &Row, ids: &BTreeSet<String>) -> bool {
    let texts = row.values().filter_map(|value| if let Value::Text(text) = value { Some(text) } else { None });
    texts.into_iter().any(|text| ids.iter().any(|id| text.contains(id.as_str())))
}

/// A statement that makes the copies of a row with these numbers.
fn copies(
    engine: Engine,
    table: &str,
    row: &Row,
    (ids, invoices): (&BTreeSet<String>, i64),
    (from, until): (u32, u32),
) -> String {
    let columns: Vec<&str> = row.keys().map(String::as_str).collect();
    let values: Vec<String> = row
        .iter()
        .map(|(column, value)| match value {
            Value::Null => "null".to_owned(),
            // Numbers of invoices leave no gaps.
            Value::Number(seq) if table == "invoices" && column == "seq" => format!("{seq} + i * {invoices}"),
            Value::Number(number) => number.to_string(),
            Value::Text(text) => copied(engine, text, ids),
            Value::Bytes(bytes) if engine == Engine::Sqlite => format!("X'{}'", hex::encode(bytes)),
            Value::Bytes(bytes) => format!("'\\x{}'::bytea", hex::encode(bytes)),
        })
        .collect();
    format!(
        "insert into {table} ({}) with recursive n(i) as (select {from} union all select i + 1 from n where i < {until}) \
         select {} from n",
        columns.join(", "),
        values.join(", ")
    )
}

/// An expression for the `i`th copy of a text.
fn copied(engine: Engine, text: &str, ids: &BTreeSet<String>) -> String {
    let number = match engine {
        Engine::Sqlite => "printf('%010d', i)",
        Engine::Postgres => "lpad(i::text, 10, '0')",
    };
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((at, id)) = ids.iter().filter_map(|id| Some((rest.find(id.as_str())?, id))).min() {
        parts.push(literal(&rest[..at]));
        let kept = match id.as_str() {
            NAME => "c",
            // An invoice's number.
            id if !id.contains('_') => id,
            id => &id[..KEPT_OF_AN_ID],
        };
        parts.push(literal(kept));
        parts.push(number.to_owned());
        rest = &rest[at + id.len()..];
    }
    parts.push(literal(rest));
    parts.join(" || ")
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

async fn tables(db: &Db) -> Vec<String> {
    let select = match db.engine() {
        Engine::Sqlite => {
            "select name from sqlite_master where type = 'table' and name not like 'sqlite%' order by name"
        }
        Engine::Postgres => {
            "select table_name::text from information_schema.tables where table_schema = 'public' order by table_name"
        }
    };
    let all: Vec<String> = query_scalar(select).fetch_all(db.read()).await.unwrap();
    all.into_iter().filter(|name| !name.contains("migrations")).collect()
}

fn row(row: &AnyRow) -> Row {
    use store::sqlx::Column as _;
    let value = |at: usize| {
        let raw = row.try_get_raw(at).unwrap();
        if raw.is_null() {
            return Value::Null;
        }
        match raw.type_info().kind() {
            AnyTypeInfoKind::Text => Value::Text(row.get(at)),
            AnyTypeInfoKind::Blob => Value::Bytes(row.get(at)),
            _ => Value::Number(row.get(at)),
        }
    };
    row.columns().iter().map(|column| (column.name().to_owned(), value(column.ordinal()))).collect()
}
