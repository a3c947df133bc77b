//! A backup of the store as lines of JSON. The first one stands before what is encrypted and says what opens it; then the
//! tables, each followed by its rows and their sum; the last one says that it is all.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Cell, Column, ColumnKind, Row, Table};

use super::TableTally;

/// A stored name, not to be changed: another form gets another one.
pub(super) const FORM: &str = "spinoff-store-backup.v1";

/// What can be read without a key. Nothing of it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    pub form: String,
    pub taken_at: Timestamp,
    /// The version of the program that wrote it.
    pub program: String,
    /// What the installation's key is called.
    pub key: String,
    /// The key of this backup, sealed with the installation's.
    pub sealed: String,
}

/// A line of what is encrypted that is no row. Rows are arrays.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// Which migrations made the tables.
    Migrations(Vec<i64>),
    /// A table begins.
    Table(TableLine),
    /// It ends.
    End(TableTally),
    /// That was all: so many tables.
    Complete(usize),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TableLine {
    name: String,
    columns: Vec<(String, Kind)>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Text,
    Number,
    Bytes,
}

impl From<&Table> for TableLine {
    fn from(table: &Table) -> Self {
        let kind = |kind| match kind {
            ColumnKind::Text => Kind::Text,
            ColumnKind::Number => Kind::Number,
            ColumnKind::Bytes => Kind::Bytes,
        };
        let columns = table.columns.iter().map(|column| (column.name.clone(), kind(column.kind))).collect();
        Self { name: table.name.clone(), columns }
    }
}

impl From<TableLine> for Table {
    fn from(line: TableLine) -> Self {
        let kind = |kind| match kind {
            Kind::Text => ColumnKind::Text,
            Kind::Number => ColumnKind::Number,
            Kind::Bytes => ColumnKind::Bytes,
        };
        let columns = line.columns.into_iter().map(|(name, it)| Column { name, kind: kind(it) }).collect();
        Self { name: line.name, columns }
    }
}

/// A row as an array: numbers, texts, nothing, and bytes in base64 behind their column's kind.
pub(super) fn write_row(row: &[Cell]) -> Value {
    let cell = |cell: &Cell| match cell {
        Cell::Null => Value::Null,
        Cell::Text(text) => Value::from(text.as_str()),
        Cell::Number(number) => Value::from(*number),
        Cell::Bytes(bytes) => Value::from(STANDARD.encode(bytes)),
    };
    Value::Array(row.iter().map(cell).collect())
}

/// Reads it back, by the table's columns.
pub(super) fn read_row(values: Vec<Value>, table: &Table) -> io::Result<Row> {
    let wrong =
        || io::Error::new(io::ErrorKind::InvalidData, format!("a row of {} is not as its table is", table.name));
    if values.len() != table.columns.len() {
        return Err(wrong());
    }
    let cell = |(column, value): (&Column, Value)| match (column.kind, value) {
        (_, Value::Null) => Ok(Cell::Null),
        (ColumnKind::Text, Value::String(text)) => Ok(Cell::Text(text)),
        (ColumnKind::Number, Value::Number(number)) => number.as_i64().map(Cell::Number).ok_or_else(wrong),
        (ColumnKind::Bytes, Value::String(text)) => STANDARD.decode(text).map(Cell::Bytes).map_err(|_| wrong()),
        _ => Err(wrong()),
    };
    table.columns.iter().zip(values).map(cell).collect()
}
