use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use crate::failure::{Exit, Failure};

/// Where a command's words go: results to standard output, everything else to standard error.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// Print the API's own objects instead of tables and sentences.
    pub json: bool,
    /// Say nothing that was not asked for.
    pub quiet: bool,
}

impl Output {
    /// Prints a result: as JSON, or in the form for people.
    pub fn show(&self, value: &impl Serialize, people: impl FnOnce() -> String) -> Result<(), Failure> {
        if !self.json {
            return print(&people());
        }
        let json = serde_json::to_string_pretty(value)
            .map_err(|cause| Failure::new(Exit::Failed, "can't write the result as JSON", cause))?;
        print(&format!("{json}\n"))
    }

    /// Prints the result of a command that changes something: as JSON, or as a sentence.
    pub fn report(&self, value: &impl Serialize, sentence: impl Display) -> Result<(), Failure> {
        if self.quiet && !self.json { Ok(()) } else { self.show(value, || format!("{sentence}\n")) }
    }

    /// Says something in passing.
    pub fn note(&self, words: impl Display) {
        if !self.quiet {
            // Nobody is left to tell when standard error is closed.
            let _ = writeln!(io::stderr(), "{words}");
        }
    }

    /// Whether somebody watches the progress.
    pub fn is_watched(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }
}

/// Prints to standard output. A reader that has seen enough, such as `head`, is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    print_bytes(text.as_bytes())
}

/// The same for what is no text.
pub fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(cause) if cause.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Failed, "can't write the result", cause))
        }
        _ => Ok(()),
    }
}

/// Rows under headings, as wide as the terminal; unwrapped where there is none, for other programs.
pub fn table<R: IntoIterator<Item = String>>(headings: &[&str], rows: impl IntoIterator<Item = R>) -> String {
    let mut table = plain();
    table.set_header(headings);
    for row in rows {
        table.add_row(row.into_iter().map(visible));
    }
    finish(&mut table)
}

/// Names and their values, one pair a line.
pub fn pairs(pairs: &[(&str, String)]) -> String {
    let mut table = plain();
    for (name, value) in pairs {
        table.add_row([(*name).to_owned(), visible(value.clone())]);
    }
    finish(&mut table)
}

/// Something that may be absent.
pub fn or_dash(value: Option<impl Display>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn plain() -> Table {
    let mut table = Table::new();
    let arrangement =
        if io::stdout().is_terminal() { ContentArrangement::Dynamic } else { ContentArrangement::Disabled };
    table.load_style(presets::NOTHING).set_content_arrangement(arrangement);
    table
}

fn finish(table: &mut Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    format!("{}\n", table.trim_fmt())
}

/// What others typed is shown in terminals, where control characters are commands.
pub fn visible(text: String) -> String {
    if text.chars().any(char::is_control) {
        text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_lines_end_where_their_words_end() {
        let rows = [["ai-diy-acme".to_owned(), "active".to_owned()], ["zoo".to_owned(), "-".to_owned()]];
        assert_eq!(table(&["PROJECT", "STATE"], rows), "PROJECT      STATE\nai-diy-acme  active\nzoo          -\n");
        assert_eq!(table::<[String; 2]>(&["PROJECT", "STATE"], []), "PROJECT  STATE\n");
    }

    #[test]
    fn what_customers_typed_cannot_command_the_terminal() {
        assert_eq!(pairs(&[("name", "a\u{1b}[2Jb\nc".to_owned())]), "name  a\u{fffd}[2Jb\u{fffd}c\n");
    }
}
