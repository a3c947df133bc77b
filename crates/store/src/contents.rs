//! Everything that a store holds, as it is at one moment.

use std::collections::BTreeSet;

use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Error, Row as _};

use crate::table::quoted;
use crate::{Cell, Column, ColumnKind, Db, Engine, Row, Table, Tally, Tx};

/// What migrations note of themselves; it is made anew wherever they run.
const MIGRATIONS: &str = "_sqlx_migrations";

/// A look at the whole store that stays the same however long it is read, while others go on writing.
#[derive(Debug)]
pub struct Contents {
    tx: Tx,
    tables: Vec<Table>,
    versions: Vec<i64>,
}

impl Db {
    /// Begins to look at everything.
    ///
    /// # Errors
    /// When the store can't be read, or has a table that no migration of this program made.
    pub async fn contents(&self) -> Result<Contents, Error> {
        let begin = match self.engine() {
            Engine::Sqlite => "begin",
            Engine::Postgres => "begin transaction isolation level repeatable read read only",
        };
        let mut tx = self.read().begin_with(begin).await?;
        let tables = tables(&mut tx, self.engine()).await?;
        let versions = versions(&mut tx, self.engine()).await?;
        Ok(Contents { tx, tables, versions })
    }
}

impl Contents {
    /// Its tables, each behind those that it refers to.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// Which migrations made them.
    pub fn versions(&self) -> &[i64] {
        &self.versions
    }

    /// All rows of a table, in no order.
    pub fn rows<'a>(&'a mut self, table: &'a Table) -> BoxStream<'a, Result<Row, Error>> {
        rows(&mut self.tx, table)
    }
}

/// The same within a transaction that somebody else began.
pub(crate) fn rows<'a>(tx: &'a mut Tx, table: &'a Table) -> BoxStream<'a, Result<Row, Error>> {
    let select = format!("select {} from {}", table.listed(), quoted(&table.name));
    let found = sqlx::query(AssertSqlSafe(select)).persistent(false).fetch(&mut **tx);
    found.map(move |row| cells(&row?, table)).boxed()
}

/// What a table holds by then.
pub(crate) async fn tally(tx: &mut Tx, table: &Table) -> Result<Tally, Error> {
    let (mut tally, mut rows) = (Tally::default(), rows(tx, table));
    while let Some(row) = rows.try_next().await? {
        tally.add(&row);
    }
    Ok(tally)
}

fn cells(row: &AnyRow, table: &Table) -> Result<Row, Error> {
    let cell = |(index, column): (usize, &Column)| {
        Ok(match column.kind {
            ColumnKind::Text => row.try_get::<Option<String>, _>(index)?.map_or(Cell::Null, Cell::Text),
            ColumnKind::Number => row.try_get::<Option<i64>, _>(index)?.map_or(Cell::Null, Cell::Number),
            ColumnKind::Bytes => row.try_get::<Option<Vec<u8>>, _>(index)?.map_or(Cell::Null, Cell::Bytes),
        })
    };
    table.columns.iter().enumerate().map(cell).collect()
}

/// All tables but the one of migrations, each behind those that it refers to.
pub(crate) async fn tables(tx: &mut Tx, engine: Engine) -> Result<Vec<Table>, Error> {
    let mut waiting = Vec::new();
    for name in names(tx, engine).await? {
        if name != MIGRATIONS {
            let columns = columns(tx, engine, &name).await?;
            let refers_to = refers_to(tx, engine, &name).await?;
            waiting.push((Table { name, columns }, refers_to));
        }
    }
    let mut ordered: Vec<Table> = Vec::new();
    while !waiting.is_empty() {
        let left: BTreeSet<String> = waiting.iter().map(|(table, _)| table.name.clone()).collect();
        let (ready, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(table, refers_to)| {
            refers_to.iter().all(|other| *other == table.name || !left.contains(other))
        });
        if ready.is_empty() {
            return Err(unreadable(format!("tables refer to each other in a circle: {left:?}")));
        }
        ordered.extend(ready.into_iter().map(|(table, _)| table));
        waiting = rest;
    }
    Ok(ordered)
}

/// Which migrations were applied; none where there never was one.
pub(crate) async fn versions(tx: &mut Tx, engine: Engine) -> Result<Vec<i64>, Error> {
    if !names(tx, engine).await?.iter().any(|name| name == MIGRATIONS) {
        return Ok(Vec::new());
    }
    sqlx::query_scalar("select version from _sqlx_migrations order by version").fetch_all(&mut **tx).await
}

async fn names(tx: &mut Tx, engine: Engine) -> Result<Vec<String>, Error> {
    let select = match engine {
        Engine::Sqlite => {
            "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name"
        }
        Engine::Postgres => {
            "select cast(table_name as text) from information_schema.tables
             where table_schema = current_schema() and table_type = 'BASE TABLE' order by 1"
        }
    };
    sqlx::query_scalar(select).fetch_all(&mut **tx).await
}

async fn columns(tx: &mut Tx, engine: Engine, table: &str) -> Result<Vec<Column>, Error> {
    let select = match engine {
        Engine::Sqlite => "select name, lower(type) as type from pragma_table_info($1) order by cid",
        Engine::Postgres => {
            "select cast(column_name as text) as name, cast(data_type as text) as type from information_schema.columns
             where table_schema = current_schema() and cast(table_name as text) = $1 order by ordinal_position"
        }
    };
    let rows = sqlx::query(select).bind(table).fetch_all(&mut **tx).await?;
    let column = |row: &AnyRow| {
        let (name, declared): (String, String) = (row.try_get("name")?, row.try_get("type")?);
        let kind = match declared.as_str() {
            "text" => ColumnKind::Text,
            "bigint" => ColumnKind::Number,
            "blob" | "bytea" => ColumnKind::Bytes,
            _ => {
                return Err(unreadable(format!("{table}.{name} is declared as {declared}, which no table of ours is")));
            }
        };
        Ok(Column { name, kind })
    };
    rows.iter().map(column).collect()
}

async fn refers_to(tx: &mut Tx, engine: Engine, table: &str) -> Result<Vec<String>, Error> {
    let select = match engine {
        Engine::Sqlite => "select distinct \"table\" from pragma_foreign_key_list($1)",
        Engine::Postgres => {
            "select distinct cast(other.relname as text) from pg_constraint c
             join pg_class one on one.oid = c.conrelid
             join pg_class other on other.oid = c.confrelid
             join pg_namespace n on n.oid = one.relnamespace
             where c.contype = 'f' and n.nspname = current_schema() and cast(one.relname as text) = $1"
        }
    };
    sqlx::query_scalar(select).bind(table).fetch_all(&mut **tx).await
}

fn unreadable(what: String) -> Error {
    Error::Decode(what.into())
}
