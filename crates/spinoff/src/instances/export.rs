use std::fs;
use std::path::PathBuf;

use domain::write_instances_txt;
use serde_json::json;

use super::{file_failure, projects};
use crate::context::Context;
use crate::failure::Failure;
use crate::output;

/// Where to write the list.
#[derive(Debug, clap::Args)]
#[command(after_help = "The list is an export, not the record: the server's store is.

Examples:
  spinoff instances export
  spinoff instances export instances.txt")]
pub struct Args {
    /// File to write, replaced if it is there [default: standard output]
    file: Option<PathBuf>,
}

/// Writes `instances.txt`.
pub async fn run(context: &Context, args: &Args) -> Result<(), Failure> {
    let names = projects(&context.client()?).await?;
    let text = write_instances_txt(&names);
    match args.file.as_ref().filter(|file| file.as_os_str() != "-") {
        None if context.output.json => context.output.show(&json!({"projects": names}), String::new),
        None => output::print(&text),
        Some(file) => {
            fs::write(file, text).map_err(|cause| file_failure("can't write the list", file, &cause))?;
            let words = format!("{} instances are listed in {}", names.len(), file.display());
            context.output.report(&json!({"projects": names}), words)
        }
    }
}
