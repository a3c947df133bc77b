//! The notebook as a program of its own.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

/// A notebook of visions and backlog items, and a team of AI personas to talk with about it
#[derive(Parser)]
#[command(name = "ai-diy", version)]
struct Cli {
    #[command(flatten)]
    args: workspace::Args,
}

fn main() -> ExitCode {
    // First of all: a wall is built around the only thread there is.
    if let Some(code) = sandbox_stage() {
        return code;
    }
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(workspace::run(cli.args)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ai-diy: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn sandbox_stage() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != sandbox::SUBCOMMAND {
        return None;
    }
    let order = arguments.next().unwrap_or_default();
    let command: Vec<OsString> = arguments.skip_while(|argument| argument == "--").collect();
    let code = sandbox::run_from_args(&order.to_string_lossy(), &command);
    Some(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}
