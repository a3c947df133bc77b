use std::process::ExitCode;

use clap::Subcommand;

use crate::{Args, check, hash_password, run};

const ABOUT: &str = "Lets members of one instance through to its application, and nobody else.

A reverse proxy: it verifies the assertion that Cloudflare Access, or the built-in edge, adds to each request, looks \
whether the visitor is a member, tells the application who it is (X-Spinoff-User), and notes which hours were used. \
With a COMMAND it starts the application and ends with it.

Each option is an environment variable as well. Options that take several values take them with commas, or are given \
again.";

const EXAMPLES: &str = "Examples:
  In front of an application that runs already:
    spinoff-guard --listen 0.0.0.0:8080 --upstream http://127.0.0.1:8000 --members members.txt \\
      --issuer https://team.cloudflareaccess.com --audience 4714c135
  As a container's entry point; GUARD_ISSUER, GUARD_AUDIENCE, GUARD_MEMBERS are in its environment:
    spinoff-guard --listen 0.0.0.0:8080 -- gunicorn --bind 127.0.0.1:8000 app:app
  What these options mean, and which rule allows or refuses a token:
    spinoff-guard check --issuer https://team.cloudflareaccess.com --audience 4714c135 \\
      --members members.txt <token.txt
  A password for the day on which nobody can sign in:
    openssl rand -base64 18 | tee password.txt | spinoff-guard hash-password >hash.txt

Exit codes:
  0  stopped by a signal
  2  the configuration can't be run; the message says why
  1  anything else that kept the guard from starting
  Otherwise the application's own, where the guard started it (128 and the signal, if one ended it).
  `check` ends with 4 for a token that is refused.";

/// All that the guard's program can be asked.
#[derive(Clone, Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(about = ABOUT, after_help = EXAMPLES)]
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
  spinoff-guard check --issuer https://team.cloudflareaccess.com --audience 4714c135 </dev/null
  spinoff-guard check --issuer https://team.cloudflareaccess.com --audience 4714c135 \\
    --members members.txt <token.txt

Exit codes:
  0  all is well
  2  the configuration can't be run
  4  the token is refused")]
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
