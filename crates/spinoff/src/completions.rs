use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::failure::Failure;
use crate::output;

/// Which completions to print.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  spinoff completions bash > ~/.local/share/bash-completion/completions/spinoff
  spinoff completions zsh > ~/.zfunc/_spinoff
  spinoff completions fish > ~/.config/fish/completions/spinoff.fish")]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Prints the completions.
pub fn run(args: &Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "spinoff", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}
