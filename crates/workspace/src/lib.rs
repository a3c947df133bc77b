//! AI-DIY: a notebook of visions and backlog items for people who do not code, kept as plain
//! Markdown files in one folder.
//!
//! What holds: files are read anew for every page, so any other program may edit them too; nothing
//! that was saved is ever lost; and no address, title or link leads out of the folder. Whoever signs
//! in is the business of a guard in front; the program only shows the name it is told.

mod app;
mod assets;
mod comparison;
mod criteria;
mod events;
mod folder;
mod front_matter;
mod history;
mod item;
mod library;
mod markdown;
mod moment;
mod name;
mod pages;
mod protection;
mod refusal;
mod server;
mod title;
mod vision;
mod visitor;
mod web;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

pub use server::run;

/// How the notebook is started.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  without options                                 a notebook in ./data at http://127.0.0.1:8000
  --data ~/notebook --listen 127.0.0.1:9000       another folder and another port
  PORT=9000 and DATA=~/notebook in the environment  the same")]
pub struct Args {
    /// Address to listen on [default: 127.0.0.1 with $PORT, or 127.0.0.1:8000]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,

    /// Port to listen on at 127.0.0.1, unless --listen says more
    #[arg(long, env = "PORT", value_name = "PORT", hide_env_values = true)]
    pub port: Option<u16>,

    /// Folder that keeps the files; made if it is missing
    #[arg(long, env = "DATA", value_name = "DIR", default_value = "./data", hide_env_values = true)]
    pub data: PathBuf,

    /// Name under which a guard in front serves the notebook; without one, only requests for this
    /// machine's own names (localhost, 127.0.0.1) are answered
    #[arg(long, env = "HOSTNAME_PUBLIC", value_name = "NAME", hide_env_values = true)]
    pub public_hostname: Option<String>,
}

impl Args {
    /// The address that the options, the environment and the defaults lead to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port.unwrap_or(8000)));
        self.listen.unwrap_or(usual)
    }
}
