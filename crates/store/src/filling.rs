//! A store that holds nothing yet gets everything that another one held, or stays as it is.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Error};

use crate::contents::{tables, tally, versions};
use crate::table::quoted;
use crate::{Cell, ColumnKind, Db, Migration, Row, StoreError, Table, Tally, Tx};

/// So many values go with one statement: fewer than either engine takes.
const MOST_VALUES: usize = 8_000;
/// So many rows are held at once.
const ROWS_AT_ONCE: usize = 1_000;

/// Why a store can't be filled.
#[derive(Debug, thiserror::Error)]
pub enum FillError {
    /// It is used already.
    #[error(
        "the store that is to be filled is not empty ({0} is in it); name a database that was made for this and holds \
         nothing"
    )]
    NotEmpty(String),
    /// What is to be put in was written by a newer program.
    #[error("what is to be put in was written by a newer version of this program (migration {0}); use that version")]
    Newer(i64),
    /// What was put in is not what is there.
    #[error("the table {table} holds {found} after it was filled, and not {wanted}; nothing was kept: try again")]
    Differs {
        /// Which one.
        table: String,
        /// What it should hold.
        wanted: Tally,
        /// What it does.
        found: Tally,
    },
    /// It has no such table, or refuses a row.
    #[error("filling the table {table}: {cause}")]
    Row {
        /// Which one.
        table: String,
        /// What the store said.
        cause: Error,
    },
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It failed in between.
    #[error("the store failed: {0}; nothing was put into it")]
    Failed(#[from] Error),
}

/// A store that is being filled. Dropped before [`Filling::commit`], it stays as it was.
#[derive(Debug)]
pub struct Filling {
    tx: Tx,
}

impl Db {
    /// Begins to fill a store that is new, with tables as these migrations, out of `known`, leave them.
    ///
    /// # Errors
    /// [`FillError`] when it holds anything, or a migration is not known.
    pub async fn fill(&self, versions: &[i64], known: &[Migration]) -> Result<Filling, FillError> {
        if let Some(newer) = versions.iter().find(|version| !known.iter().any(|it| it.version == **version)) {
            return Err(FillError::Newer(*newer));
        }
        let wanted: Vec<Migration> = known.iter().copied().filter(|it| versions.contains(&it.version)).collect();
        // Looked at before anything is made in it: it may be somebody else's.
        self.holds_nothing(&wanted).await?;
        self.migrate(&wanted).await?;
        let mut tx = self.begin().await?;
        let mut tables = tables(&mut tx, self.engine()).await?;
        tables.reverse();
        // What migrations put in comes again.
        for table in &tables {
            sqlx::query(AssertSqlSafe(format!("delete from {}", quoted(&table.name)))).execute(&mut *tx).await?;
        }
        Ok(Filling { tx })
    }

    /// Whether there is nothing in it but what these migrations themselves put in. An earlier attempt may have been broken
    /// off after them.
    async fn holds_nothing(&self, migrations: &[Migration]) -> Result<(), FillError> {
        let mut tx = self.read().begin().await?;
        let found = tables(&mut tx, self.engine()).await.map_err(|error| match error {
            Error::Decode(what) => FillError::NotEmpty(what.to_string()),
            other => other.into(),
        })?;
        if found.is_empty() {
            return Ok(());
        }
        let applied = versions(&mut tx, self.engine()).await?;
        let fresh = Self::fresh(&applied, migrations).await?;
        let mut as_made = fresh.read().begin().await?;
        let made = tables(&mut as_made, fresh.engine()).await?;
        for table in found {
            if !made.iter().any(|other| other.name == table.name) {
                return Err(FillError::NotEmpty(table.name));
            }
            let there = tally(&mut tx, &table).await?;
            if there != tally(&mut as_made, &table).await? {
                return Err(FillError::NotEmpty(table.name));
            }
        }
        drop(as_made);
        fresh.close().await;
        Ok(())
    }

    /// What these migrations make of nothing.
    async fn fresh(applied: &[i64], migrations: &[Migration]) -> Result<Self, FillError> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let db = Self::open(&format!("sqlite:file:spinoff-fresh-{number}?mode=memory&cache=shared")).await?;
        let applied: Vec<Migration> = migrations.iter().copied().filter(|it| applied.contains(&it.version)).collect();
        db.migrate(&applied).await?;
        Ok(db)
    }
}

impl Filling {
    /// Puts rows into a table, behind all tables that it refers to.
    ///
    /// # Errors
    /// [`FillError::Row`] when the store has no such table or refuses a row.
    pub async fn add(&mut self, table: &Table, rows: &[Row]) -> Result<(), FillError> {
        let failed = |cause| FillError::Row { table: table.name.clone(), cause };
        let width = table.columns.len().max(1);
        for some in rows.chunks((MOST_VALUES / width).max(1)) {
            let places: Vec<String> = (0..some.len()).map(|row| places(row * width, width)).collect();
            let (name, columns) = (quoted(&table.name), table.listed());
            let insert = format!("insert into {name} ({columns}) values {}", places.join(", "));
            let mut statement = sqlx::query(AssertSqlSafe(insert)).persistent(false);
            for row in some {
                for (column, cell) in table.columns.iter().zip(row) {
                    statement = match (cell, column.kind) {
                        (Cell::Text(text), _) => statement.bind(text.clone()),
                        (Cell::Number(number), _) => statement.bind(*number),
                        (Cell::Bytes(bytes), _) => statement.bind(bytes.clone()),
                        (Cell::Null, ColumnKind::Text) => statement.bind(None::<String>),
                        (Cell::Null, ColumnKind::Number) => statement.bind(None::<i64>),
                        (Cell::Null, ColumnKind::Bytes) => statement.bind(None::<Vec<u8>>),
                    };
                }
            }
            statement.execute(&mut *self.tx).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Reads a table from the store itself, and makes sure that it holds what it should.
    ///
    /// # Errors
    /// [`FillError::Differs`] when it does not.
    pub async fn verify(&mut self, table: &Table, wanted: Tally) -> Result<(), FillError> {
        let found = tally(&mut self.tx, table).await?;
        if found == wanted { Ok(()) } else { Err(FillError::Differs { table: table.name.clone(), wanted, found }) }
    }

    /// What it is filled in, for what else has to be said in the same breath.
    pub fn tx(&mut self) -> &mut Tx {
        &mut self.tx
    }

    /// Keeps all of it.
    ///
    /// # Errors
    /// When the store does not take it; nothing is kept then.
    pub async fn commit(self) -> Result<(), FillError> {
        Ok(self.tx.commit().await?)
    }
}

/// Puts everything that one store holds into another one, which holds nothing yet: all of it, read again and compared, or
/// nothing.
///
/// # Errors
/// [`FillError`]. The first store is only read.
pub async fn copy(from: &Db, to: &Db, known: &[Migration]) -> Result<Vec<(Table, Tally)>, FillError> {
    let mut contents = from.contents().await?;
    let mut filling = to.fill(contents.versions(), known).await?;
    let mut copied = Vec::new();
    for table in contents.tables().to_vec() {
        let mut tally = Tally::default();
        {
            let mut pieces = contents.rows(&table).try_chunks(ROWS_AT_ONCE);
            while let Some(rows) = pieces.try_next().await.map_err(|error| FillError::Failed(error.1))? {
                rows.iter().for_each(|row| tally.add(row));
                filling.add(&table, &rows).await?;
            }
        }
        filling.verify(&table, tally).await?;
        copied.push((table, tally));
    }
    filling.commit().await?;
    Ok(copied)
}

/// `($1, $2)` behind so many that came before.
fn places(before: usize, width: usize) -> String {
    let each: Vec<String> = (1..=width).map(|place| format!("${}", before + place)).collect();
    format!("({})", each.join(", "))
}
