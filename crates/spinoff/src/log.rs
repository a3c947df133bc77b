use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Writes log lines to standard error: those of `info` and above, unless `RUST_LOG` says which.
pub fn to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}
