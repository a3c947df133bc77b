//! AI-DIY: a notebook of visions and backlog items for people who do not code, and a team of AI
//! personas that talks with them about it, kept as plain files in one folder.
//!
//! What holds: files are read anew for every page, so any other program may edit them too; nothing
//! that was saved is ever lost; and no address, title or link leads out of the folder. Whoever signs
//! in is the business of a guard in front; the program only shows the name it is told.

mod activity;
mod app;
mod assets;
mod attachments;
mod bench;
mod comparison;
mod criteria;
mod decision;
mod events;
mod export;
mod folder;
mod front_matter;
mod history;
mod import;
mod item;
mod journal;
mod library;
mod made;
mod markdown;
mod meetings;
mod members;
pub mod model;
mod moment;
mod name;
mod order;
mod pages;
mod project;
mod protection;
mod refusal;
mod remote;
mod server;
mod settings;
mod sprint;
mod surroundings;
mod team;
mod title;
mod transit;
mod upload;
mod vision;
mod visitor;
mod web;
mod wireframe;
mod workshop;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use secrecy::SecretString;

use app::Provision;
use bench::Registries;
use made::{Door, Shown, Whereabouts};
use model::{BaseUrl, Setup};
pub use server::run;

/// The pause between two words of a rehearsal.
const PACE: Duration = Duration::from_millis(15);

/// How the notebook is started.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  without options                                 a notebook in ./data at http://127.0.0.1:8000
  --data ~/notebook --listen 127.0.0.1:9000       another folder and another port
  --model rehearsal                               a recorded project is played, to try it without a model
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

    /// Folder with programs that the projects' code may use, beside the system's own, such as one with
    /// Node; several are separated by colons
    #[arg(long, env = "PROGRAMS", value_name = "DIR", value_delimiter = ':', hide_env_values = true)]
    pub programs: Vec<PathBuf>,

    /// Package registries that the projects' installers may reach, where this machine has no other
    /// network; none with an empty value
    #[arg(long, env = "REGISTRIES", value_name = "HOST", value_delimiter = ',', default_values = bench::USUAL, hide_env_values = true)]
    pub registries: Vec<String>,

    /// Lets installers reach them although this machine has a network: code in a package can then reach
    /// one port of any host
    #[arg(long)]
    pub registries_anyway: bool,

    /// Proxy on the way to package registries
    #[arg(long, env = "HTTPS_PROXY", value_name = "URL", hide_env_values = true)]
    pub registries_through: Option<String>,

    /// Address on this machine at which a guard in front is told that a sprint is worked on
    #[arg(long, env = "SPINOFF_ACTIVITY_URL", value_name = "URL", hide_env_values = true)]
    pub activity_url: Option<String>,

    /// Address on this machine at which a guard in front is told to show the app made to everybody, where it
    /// may
    #[arg(long, env = "SPINOFF_APP_SHARING_URL", value_name = "URL", hide_env_values = true)]
    pub app_sharing_url: Option<String>,

    /// Name under which a guard in front shows the app made
    #[arg(long, env = "APP_HOSTNAME_PUBLIC", value_name = "NAME", hide_env_values = true)]
    pub app_hostname: Option<String>,

    /// Name under which a guard in front serves the notebook; without one, only requests for this
    /// machine's own names (localhost, 127.0.0.1) are answered
    #[arg(long, env = "HOSTNAME_PUBLIC", value_name = "NAME", hide_env_values = true)]
    pub public_hostname: Option<String>,

    /// Play a recorded project instead of asking a model: the only value is “rehearsal”
    #[arg(long, env = "AI_DIY_MODEL", value_name = "WHICH", value_enum, hide_env_values = true)]
    pub model: Option<Played>,

    /// Address of an OpenAI-compatible provider for everybody who sets none of their own, such as
    /// https://api.example.com/v1
    #[arg(long, env = "AI_DIY_MODEL_URL", value_name = "URL", requires = "model_name", hide_env_values = true)]
    pub model_url: Option<String>,

    /// Name of the model at that provider
    #[arg(long, env = "AI_DIY_MODEL_NAME", value_name = "NAME", hide_env_values = true)]
    pub model_name: Option<String>,

    /// File with the key for that provider
    #[arg(long, env = "AI_DIY_MODEL_KEY_FILE", value_name = "FILE", hide_env_values = true)]
    pub model_key_file: Option<PathBuf>,

    /// File that seals keys typed into the settings; made if it is missing [default: settings.key in
    /// the data folder]
    #[arg(long, env = "AI_DIY_SETTINGS_KEY_FILE", value_name = "FILE", hide_env_values = true)]
    pub settings_key_file: Option<PathBuf>,
}

/// What is played instead of asking a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Played {
    /// A recorded project, clearly labelled on every page.
    Rehearsal,
}

impl Args {
    /// The package registries and the way to them.
    fn registries(&self) -> Registries {
        let lower = |host: &String| host.trim().to_ascii_lowercase();
        let through = self.registries_through.as_deref().map(|url| url.trim_end_matches('/'));
        Registries {
            hosts: self.registries.iter().map(lower).filter(|host| !host.is_empty()).collect(),
            through: through.map(|url| url.strip_prefix("http://").unwrap_or(url).to_owned()),
            insist: self.registries_anyway,
        }
    }

    /// The address that the options, the environment and the defaults lead to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port.unwrap_or(8000)));
        self.listen.unwrap_or(usual)
    }

    /// Where models are, as far as the options say.
    fn provision(&self) -> anyhow::Result<Provision> {
        let operators = match (&self.model_url, &self.model_name) {
            (Some(url), Some(name)) => {
                let base = BaseUrl::parse(url).context("cannot use --model-url")?;
                let key = self.model_key_file.as_deref().map(read_key).transpose()?;
                Some(Setup { key, ..Setup::new(base, name) })
            }
            _ => None,
        };
        let rehearsal = self.model.map(|Played::Rehearsal| PACE);
        let is_guarded = self.public_hostname.as_deref().is_some_and(|name| !name.is_empty());
        let whereabouts = Whereabouts::of(is_guarded, self.app_hostname.as_deref());
        let door = self.app_sharing_url.as_deref().and_then(Door::at);
        let door = door.filter(|_| matches!(whereabouts, Whereabouts::Hostname(_)));
        Ok(Provision {
            shown: Shown { whereabouts, door },
            operators,
            rehearsal,
            is_guarded,
            key_file: self.settings_key_file.clone(),
            ..Provision::default()
        })
    }
}

fn read_key(file: &Path) -> anyhow::Result<SecretString> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the key for the model in {}; check --model-key-file", file.display()))?;
    Ok(SecretString::from(text.trim()))
}
