//! Coverage-guided fuzzing of what hostile clients reach first.

use anyhow::Result;
use clap::Parser;

use crate::services;
use crate::shell::{self, cargo, step};

const CARGO_FUZZ: &str = "0.13.2";
const TARGETS: [&str; 7] = ["token", "claims", "headers", "cookies", "path", "framing", "requests"];

/// How long, and what.
#[derive(Debug, Parser)]
pub struct Args {
    /// Seconds for each target
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Only these
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(TARGETS), value_name = "TARGET")]
    targets: Vec<String>,
}

/// Runs each target for its time; ends at the first input that breaks one, which is then kept in
/// `fuzz/artifacts`.
pub fn run(args: &Args) -> Result<()> {
    if services::is_missing("cargo-fuzz") {
        step("installing cargo-fuzz (once)", || {
            shell::run(cargo().args(["install", "cargo-fuzz", "--locked", "--version", CARGO_FUZZ]))
        })?;
    }
    let all = TARGETS.map(str::to_owned);
    let targets = if args.targets.is_empty() { &all[..] } else { &args.targets };
    for target in targets {
        step(&format!("fuzzing {target} for {} s", args.seconds), || {
            let (found, seeds) = (format!("fuzz/corpus/{target}"), format!("fuzz/seeds/{target}"));
            std::fs::create_dir_all(&found)?;
            let mut fuzz = cargo();
            // Sanitizers and coverage are flags that the stable compiler keeps for itself otherwise.
            fuzz.env("RUSTC_BOOTSTRAP", "1").args(["fuzz", "run", target]);
            // What is found goes to the first folder; what is in the second was written by hand.
            fuzz.args([&found, &seeds]).args(["--", &format!("-max_total_time={}", args.seconds)]);
            if target == "requests" {
                // The guard's access log.
                fuzz.arg("-close_fd_mask=2");
            }
            shell::run(fuzz.args(["-max_len=8192", "-timeout=10", "-print_final_stats=1"]))
        })?;
    }
    Ok(())
}

impl Args {
    /// A bounded run of everything.
    pub const fn briefly() -> Self {
        Self { seconds: 20, targets: Vec::new() }
    }
}
