use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::server_file::ServerFile;

/// Nothing to choose.
#[derive(Debug, clap::Args)]
#[command(after_help = "The link comes from the data folder of the server that runs on this machine.

Examples:
  spinoff admin-link
  spinoff admin-link --data /srv/spinoff")]
pub struct Args {}

/// Prints the link that the running server left in its data folder.
pub fn run(context: &Context) -> Result<(), Failure> {
    let server = ServerFile::find(&context.data)?;
    let link = server.admin_link.expose_secret();
    context.output.show(&json!({"admin_link": link}), || format!("{link}\n"))
}
