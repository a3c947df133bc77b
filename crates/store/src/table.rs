//! Tables and rows, whichever engine holds them, and what tells whether two hold the same.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};

/// What a column holds. There is no fourth kind: see the crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// TEXT.
    Text,
    /// BIGINT.
    Number,
    /// BLOB or BYTEA.
    Bytes,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
}

/// A table, and in which order its columns are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// All of its columns.
    pub columns: Vec<Column>,
}

impl Table {
    /// The names of its columns as a statement lists them.
    pub(crate) fn listed(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|column| quoted(&column.name)).collect();
        names.join(", ")
    }
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// None.
    Null,
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// The values of a row, in the order of its table's columns.
pub type Row = Vec<Cell>;

/// How many rows a table has, and a digest of them: the same of two tables that hold the same rows, in whatever order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    rows: u64,
    // The digests of all rows, added up: a row that is there twice counts twice.
    sum: [u64; 4],
}

impl Tally {
    /// Counts a row.
    pub fn add(&mut self, row: &[Cell]) {
        let mut context = Context::new(&SHA256);
        for cell in row {
            let (mark, bytes): (u8, &[u8]) = match cell {
                Cell::Null => (0, &[]),
                Cell::Text(text) => (1, text.as_bytes()),
                Cell::Number(number) => (2, &number.to_be_bytes()),
                Cell::Bytes(bytes) => (3, bytes),
            };
            context.update(&[mark]);
            context.update(&(bytes.len() as u64).to_be_bytes());
            context.update(bytes);
        }
        let digest = context.finish();
        for (lane, part) in self.sum.iter_mut().zip(digest.as_ref().chunks_exact(8)) {
            let part = part.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
            *lane = lane.wrapping_add(part);
        }
        self.rows += 1;
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Their digest, in hexadecimal.
    pub fn digest(&self) -> String {
        self.sum.iter().map(|lane| format!("{lane:016x}")).collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows, {}", self.rows, self.digest())
    }
}

/// A name as a statement has it. Names come from tables that are there, which anybody may have made.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(rows: &[&[Cell]]) -> Tally {
        let mut tally = Tally::default();
        rows.iter().for_each(|row| tally.add(row));
        tally
    }

    #[test]
    fn a_tally_knows_no_order_of_rows_and_tells_everything_else_apart() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let (one, two) = ([text("a"), Cell::Number(1)], [text("b"), Cell::Null]);
        assert_eq!(tally(&[&one, &two]), tally(&[&two, &one]));
        let others = [
            tally(&[&one]),
            tally(&[&one, &two, &two]),
            tally(&[&one, &[Cell::Null, text("b")]]),
            tally(&[&one, &[text("b"), text("")]]),
            tally(&[&one, &[text("b"), Cell::Bytes(Vec::new())]]),
            tally(&[&[text("a1"), Cell::Null], &two]),
        ];
        for other in others {
            assert_ne!(tally(&[&one, &two]), other);
        }
        assert_eq!(tally(&[&one, &two]).rows(), 2);
    }
}
