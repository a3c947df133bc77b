//! `spinoff`: every role of the system in one executable, and the operator's commands.

mod admin_link;
mod alerts;
mod analytics;
mod audit;
mod backups;
mod billing;
mod cancel;
mod cli;
mod completions;
mod confirm;
mod contests;
mod context;
mod coupons;
mod customers;
mod data_folder;
mod delete;
mod deploy;
mod doctor;
mod dunning;
mod failure;
mod follow;
mod incidents;
mod instances;
mod invoices;
mod ledger;
mod log;
mod mail;
mod margin;
mod members;
mod model;
mod money;
mod output;
mod pool;
mod providers;
mod provision;
mod releases;
mod rollouts;
mod search;
mod serve;
mod server_file;
mod setup;
mod spend;
mod spending;
mod store;
mod suspension;
mod tickets;
mod up;
mod usage;
mod verify;
mod when;
mod workflows;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;
use secrecy::ExposeSecret as _;
use world::Clock;

use crate::cli::Cli;
use crate::context::Context;
use crate::data_folder::{DataFolder, Surroundings};
use crate::failure::Failure;
use crate::output::Output;

fn main() -> ExitCode {
    // First of all, since namespaces are entered by the calling thread only.
    if let Some(code) = sandbox_stage() {
        return code;
    }
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(failure) => {
            // Nobody is left to tell when standard error is closed.
            let _ = write!(std::io::stderr(), "{failure}");
            failure.exit_code()
        }
    }
}

fn sandbox_stage() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    if args.next()? != sandbox::SUBCOMMAND {
        return None;
    }
    let order = args.next().unwrap_or_default().into_string().unwrap_or_default();
    let rest: Vec<OsString> = args.collect();
    let command = match rest.split_first() {
        Some((dashes, command)) if dashes == "--" => command,
        _ => &rest[..],
    };
    let code = sandbox::run_from_args(&order, command);
    Some(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let (global, command) = cli.into_parts();
    let data = global.data.map_or_else(|| DataFolder::usual(&surroundings()), DataFolder::at);
    let context = Context {
        data,
        config: global.config,
        output: Output { json: global.json, quiet: global.quiet },
        clock: Clock::System,
        // A variable that is set to nothing is how scripts unset one.
        server: global.server.filter(|url| !url.is_empty()),
        token: global.token.filter(|token| !token.expose_secret().is_empty()),
    };
    command.run(&context)
}

/// The one place that asks the environment where data belongs.
fn surroundings() -> Surroundings {
    let path = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    Surroundings { xdg_data_home: path("XDG_DATA_HOME"), home: path("HOME"), is_root: nix::unistd::geteuid().is_root() }
}
