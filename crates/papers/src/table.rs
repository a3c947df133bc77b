//! Tables whose rows are as tall as their text and go on over pages, with the names of the columns on each.

use crate::letters::{Ink, Letters, Run, Style, Weight};
use crate::sheets::Sheets;
use crate::tags::{Kind, Leaf};

const NAME: Style = Style::new(8.5, Weight::Regular, Ink::Soft);
const CELL: Style = Style::new(9.5, Weight::Regular, Ink::Full);
/// Above and below a row's text.
const PADDING: f32 = 4.0;
/// A row of up to so many lines is never torn apart.
const KEPT_TOGETHER: usize = 12;

/// A column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub name: &'static str,
    pub left: f32,
    pub right: f32,
    pub edge: Edge,
}

/// Where a column's text is flush.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edge {
    Left,
    Right,
}

/// Draws rows, each with a text for every column.
pub(crate) fn draw<const N: usize>(sheets: &mut Sheets, columns: [Column; N], rows: &[[String; N]]) {
    sheets.tags.open(Kind::Table);
    sheets.need(NAME.leading() + CELL.leading() + 4.0 * PADDING);
    names(sheets, &columns, true);
    sheets.tags.open(Kind::Body);
    for texts in rows {
        row(sheets, &columns, texts);
    }
    sheets.tags.close();
    sheets.tags.close();
}

/// Those on later pages are ornament: whoever hears the table read hears them once.
fn names(sheets: &mut Sheets, columns: &[Column], first: bool) {
    if first {
        sheets.tags.open(Kind::Head);
        sheets.tags.open(Kind::Row);
    }
    for column in columns {
        let leaf = first.then(|| sheets.tags.only(Kind::ColumnName));
        let run = sheets.letters.run(column.name, NAME);
        place(sheets, *column, run, leaf);
    }
    if first {
        sheets.tags.close();
        sheets.tags.close();
    }
    sheets.y += NAME.leading() + PADDING;
    rule(sheets, columns, 0.9, Ink::Full);
}

fn row(sheets: &mut Sheets, columns: &[Column], texts: &[String]) {
    let cells: Vec<Vec<Run>> =
        columns.iter().zip(texts).map(|(column, text)| lines(&sheets.letters, *column, text)).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(1);
    let whole = if height <= KEPT_TOGETHER { height } else { 2 };
    if sheets.need(whole as f32 * CELL.leading() + 2.0 * PADDING) {
        names(sheets, columns, false);
    }
    sheets.tags.open(Kind::Row);
    let leaves: Vec<Leaf> = columns.iter().map(|_| sheets.tags.only(Kind::Cell)).collect();
    sheets.tags.close();
    sheets.y += PADDING;
    for line in 0..height {
        if sheets.need(CELL.leading()) {
            names(sheets, columns, false);
            sheets.y += PADDING;
        }
        for ((column, cell), leaf) in columns.iter().zip(&cells).zip(&leaves) {
            if let Some(run) = cell.get(line) {
                place(sheets, *column, run.clone(), Some(*leaf));
            }
        }
        sheets.y += CELL.leading();
    }
    sheets.y += PADDING;
    rule(sheets, columns, 0.5, Ink::Line);
}

fn lines(letters: &Letters, column: Column, text: &str) -> Vec<Run> {
    letters.wrap(text, CELL, column.right - column.left)
}

fn place(sheets: &mut Sheets, column: Column, run: Run, leaf: Option<Leaf>) {
    match column.edge {
        Edge::Left => sheets.place(run, column.left, leaf),
        Edge::Right => sheets.place_ending(run, column.right, leaf),
    }
}

fn rule(sheets: &mut Sheets, columns: &[Column], weight: f32, ink: Ink) {
    if let (Some(first), Some(last)) = (columns.first(), columns.last()) {
        sheets.rule(first.left, last.right, weight, ink);
    }
}
