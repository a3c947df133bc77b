use std::process::ExitCode;

use clap::Subcommand;

use crate::{Args, check, hash_password, run};

/// All that the guard's program can be asked.
#[derive(Clone, Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct CommandLine {
    /// What the guard runs with, when nothing else is asked.
    #[command(flatten)]
    pub args: Args,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Explain the configuration; with a token on standard input, judge it
    #[command(after_help = "Examples:
  spinoff-guard check --issuer https://team.cloudflareaccess.com --audience AUD </dev/null
  spinoff-guard check <token.txt")]
    Check(Box<Args>),
    /// Hash a password from standard input for --emergency-password-hash
    #[command(after_help = "Example:
  openssl rand -base64 18 | tee /dev/stderr | spinoff-guard hash-password")]
    HashPassword,
}

impl CommandLine {
    /// Does what is asked; gives the code to exit with.
    #[must_use]
    pub fn run(self) -> ExitCode {
        match self.command {
            Some(Command::Check(args)) => check(*args),
            Some(Command::HashPassword) => hash_password(),
            None => run(self.args),
        }
    }
}
