//! The command line's reference, `docs/cli.md`: what each command says of itself.

use clap::{Command, CommandFactory as _};

use super::Cli;

const BEGINNING: &str = "# The command line

What each command says of itself with `--help`, written by `cargo xtask docs`. What every command understands stands at the
first one only. Exit codes are 0 done, 1 failed, 2 usage, 3 not found, 4 refused, 5 timed out.

";

/// What every command repeats.
const EVERYWHERE: &str = "Options of every command:";

/// As wide as help is shown where nobody says how wide the terminal is.
const WIDTH: usize = 100;

fn reference() -> String {
    let mut root = Cli::command().term_width(WIDTH);
    root.build();
    let mut text = BEGINNING.to_owned();
    text.push_str(&section("spinoff", 2, &root.render_long_help().to_string()));
    for command in commands_of(&mut root) {
        add(&mut text, command, "spinoff", 2);
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn add(text: &mut String, command: &mut Command, above: &str, level: usize) {
    let name = format!("{above} {}", command.get_name());
    let help = command.render_long_help().to_string();
    text.push_str(&section(&name, level, &without_what_every_command_says(&help)));
    for below in commands_of(command) {
        add(text, below, &name, level + 1);
    }
}

fn commands_of(command: &mut Command) -> impl Iterator<Item = &mut Command> {
    command.get_subcommands_mut().filter(|below| !below.is_hide_set() && below.get_name() != "help")
}

fn section(name: &str, level: usize, help: &str) -> String {
    let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    format!("{} {name}\n\n```text\n{}\n```\n\n", "#".repeat(level), lines.join("\n"))
}

/// Help up to the options of every command, and from the next part that begins at the margin.
fn without_what_every_command_says(help: &str) -> String {
    let mut inside = false;
    let mut kept = Vec::new();
    for line in help.lines() {
        if line == EVERYWHERE {
            inside = true;
        } else if inside && !line.is_empty() && !line.starts_with(' ') {
            inside = false;
        }
        if !inside {
            kept.push(line);
        }
    }
    kept.join("\n")
}

mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::path::{Path, PathBuf};

    use super::reference;

    fn file() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md")
    }

    /// Has the document written anew before it is compared: `cargo xtask docs`.
    const WRITE: &str = "SPINOFF_WRITE_REFERENCE";

    #[test]
    fn the_reference_says_what_the_commands_say() {
        if std::env::var_os(WRITE).is_some() {
            fs::write(file(), reference()).unwrap();
        }
        let written = fs::read_to_string(file()).unwrap();
        let differs = written
            .lines()
            .zip(reference().lines())
            .find(|(written, is)| written != is)
            .map(|(a, b)| format!("{a:?} is {b:?}"));
        assert!(
            written == reference(),
            "docs/cli.md is not what the commands say: run `cargo xtask docs`; {differs:?}"
        );
    }
}
