//! `spinoff serve`: the main instance for everybody, as `spinoff up` is for one machine.

use std::net::SocketAddr;

use clap::ValueHint;

use crate::context::Context;
use crate::up::config::Config;
use crate::up::{self, UpArgs};

/// How to start the main instance for customers.
#[derive(Debug, clap::Args)]
#[command(after_help = "Prints `ready https://…` as a line of its own when serving. All else is said in the settings \
file or in the
environment, as SPINOFF_<SECTION>__<KEY>. It refuses to start unless [site] public_url is an https address, which a
reverse proxy on this machine answers, and mail leaves by SMTP. Cloudflare can't be that proxy: on names that it
proxies it keeps the paths at which people sign in to the site. With [edge] routing = \"wildcard\" the hostnames of
instances lead here too.

Examples:
  spinoff serve --config /etc/spinoff/spinoff.toml
  spinoff serve --data /var/lib/spinoff --listen 0.0.0.0:8080
  SPINOFF_CLOUDFLARE__TOKEN_FILE=/run/secrets/cloudflare spinoff serve")]
pub struct Args {
    /// Address to listen on [default: as set, or 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,

    /// Where the record is kept [default: as set, or a SQLite file in the data folder]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    store: Option<String>,
}

/// Starts the main instance and serves until told to stop.
pub async fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let args = UpArgs { listen: args.listen, store: args.store, ..UpArgs::usual() };
    up::serve(context, args, Config::fits_everybody).await
}
