//! `spinoff-guard`: the guard as a program of its own.

use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
#[command(name = "spinoff-guard", version)]
struct Program {
    #[command(flatten)]
    line: guard::CommandLine,
}

fn main() -> ExitCode {
    Program::parse().line.run()
}
