//! `spinoff-guard`: the guard as a program of its own.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "spinoff-guard", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(flatten)]
    args: guard::Args,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Explain the configuration; with a token on standard input, judge it
    Check(guard::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        Some(Command::Check(args)) => guard::check(args),
        None => guard::run(cli.args),
    }
}
