//! `spinoff up`: everything on this machine, in one process.

pub mod assemble;
pub mod config;
mod doors;
pub mod drivers;
pub mod folder_lock;
pub mod home;
mod simulation;
mod watch;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use providers::compute::local::EgressRule;
use secrecy::ExposeSecret as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::data_folder::DataFolder;
use crate::server_file::ServerFile;
use config::Config;
use simulation::Rehearsal;

/// How to start everything on this machine.
#[derive(Debug, Default, clap::Args)]
#[command(
    after_help = "Prints `ready http://…` as a line of its own when serving. Nothing outside this machine is opened.
In COMMAND, $PORT, $DATA, $HOSTNAME_PUBLIC and $APP_HOSTNAME_PUBLIC are given and expanded; the latter is for the app
that COMMAND makes, on port 3000. Instances reach nothing on the network but what --app-egress lists, through the
proxy in $HTTPS_PROXY and $ALL_PROXY, which opens tunnels only (CONNECT).
All but --insecure-no-sandbox can be said in the settings file too, such as `driver = \"smtp\"` under [mail], and
in the environment as SPINOFF_<SECTION>__<KEY>, such as SPINOFF_MAIL__DRIVER=smtp.

With --simulate, workflows, drivers, guards and the application are those of production; Railway,
Cloudflare and Stripe are simulated in this process. What they hold is at /-/simulation, with
buttons for what can go wrong. The record is in the folder `simulation` of the data folder, which
is emptied at each start; give that folder as --data to other commands. Instances are plain
processes then, without walls between them: a rehearsal, and no place for other people's data.

Examples:
  spinoff up
  spinoff up --data ./data --listen 127.0.0.1:9000
  spinoff up --app 'datasette serve $DATA/notes.db --create --port $PORT'
  spinoff up --app './my-app --port $PORT' --app-egress api.example.com:443 --app-egress '*.example.org:443'
  spinoff up --store postgres://spinoff@localhost/spinoff
  spinoff up --simulate --data ./rehearsal
  spinoff up --simulate=realistic --simulate-faults 50"
)]
pub struct UpArgs {
    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,

    /// Sell this application instead of the bundled one
    #[arg(long, value_name = "COMMAND")]
    pub app: Option<String>,

    /// Path at which the application answers when it is well [default: /]
    #[arg(long, value_name = "PATH")]
    pub app_health: Option<String>,

    /// File that says what counts as use of the application, as docs/activity.md describes
    #[arg(long, value_name = "FILE")]
    pub app_activity_rules: Option<PathBuf>,

    /// Read-only folder that the application may see; can be given more than once
    #[arg(long, value_name = "DIR")]
    pub app_path: Vec<PathBuf>,

    /// Destination that instances may reach, such as api.example.com:443 or *.example.com:443; can be
    /// given more than once
    #[arg(long, value_name = "HOST:PORT")]
    pub app_egress: Vec<EgressRule>,

    /// Where the record is kept [default: a SQLite file in the data folder]
    #[arg(long, value_name = "URL")]
    pub store: Option<String>,

    /// Instances are at <subdomain>.DOMAIN [default: localhost]
    #[arg(long, value_name = "DOMAIN")]
    pub base_domain: Option<String>,

    /// Run instances without walls between them, where the kernel can't build any
    #[arg(long)]
    pub insecure_no_sandbox: bool,

    /// Die at this point, such as `provision.v1/deploy/after`: the rehearsal of a crash
    #[arg(long, value_name = "POINT", hide = true, value_parser = crash_point)]
    pub crash_at: Option<workflow::Point>,

    #[command(flatten)]
    pub rehearsal: simulation::Options,
}

impl UpArgs {
    /// What holds when nothing is said.
    pub fn usual() -> Self {
        Self::default()
    }
}

/// Starts everything and serves until told to stop.
pub async fn run(context: &Context, args: UpArgs) -> anyhow::Result<()> {
    serve(context, args, Config::fits_one_machine).await
}

/// Starts the main instance and what it drives, if the settings fit, and serves until told to stop.
pub async fn serve(context: &Context, args: UpArgs, fit: fn(&Config) -> anyhow::Result<()>) -> anyhow::Result<()> {
    crate::log::to_stderr();
    // Fails only when a provider is installed already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    raise_open_files();
    let rehearses = args.rehearsal.simulate.is_some();
    let folder = &if rehearses { simulation::folder(&context.data) } else { context.data.clone() };
    let _lock = folder_lock::take(folder)?;
    let mut config = Config::read(context, &args)?;
    fit(&config)?;
    if rehearses {
        simulation::fits(&config)?;
        simulation::empty(folder)?;
    }
    let mut listener = doors::for_people(config.site.listen).await?;
    let address = listener.local_addr().context("asking for the address that is listened on")?;
    let mut rehearsal = None;
    if rehearses {
        let (prepared, main) = Rehearsal::prepare(&args.rehearsal, &mut config, folder, listener).await?;
        (rehearsal, listener) = (Some(prepared), main);
    }
    let (guards, socket) = doors::for_guards(folder)?;
    let started = assemble::start(folder, &config, &args, address, &socket).await?;
    let rehearsal = rehearsal.map(|prepared| prepared.begin(folder, &started.app)).transpose()?;

    let stop = CancellationToken::new();
    let site = tokio::spawn(control_plane::serve_people(listener, started.app.clone(), stop.clone()));
    let no_more_reports = CancellationToken::new();
    let reports = tokio::spawn(control_plane::serve_guards(guards, started.app.clone(), no_more_reports.clone()));
    let url = started.app.settings.public_url.clone();
    let file = ServerFile {
        url: url.clone(),
        token: control_plane::operator_token(&started.app.sealer),
        pid: i32::try_from(std::process::id()).unwrap_or(0),
        admin_link: started.admin_link.clone(),
    };
    file.write(folder).context("writing run/server.json into the data folder")?;
    announce(context, folder, &config, &url, started.admin_link.expose_secret())?;

    wait_for_signal().await?;
    tracing::info!("Stopping: requests under way may finish, then the instances stop");
    ServerFile::remove(folder).context("removing run/server.json from the data folder")?;
    if let Some(rehearsal) = rehearsal {
        // Guards elsewhere would outlive the main instance; these tell it what is left to tell.
        rehearsal.stop().await;
    }
    stop.cancel();
    let db = started.app.db.clone();
    let _ = tokio::join!(site, started.stop());
    no_more_reports.cancel();
    let _ = reports.await;
    db.close().await;
    Ok(())
}

/// Lets the server keep as many connections open as the system allows it: each visitor takes two.
fn raise_open_files() {
    let raised =
        getrlimit(Resource::RLIMIT_NOFILE).and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
    if let Err(error) = raised {
        tracing::warn!("The limit on open files stays as it is: {error}");
    }
}

/// Tells a person what to do next, and a script that it can go on.
fn announce(
    context: &Context,
    folder: &DataFolder,
    config: &Config,
    url: &str,
    admin_link: &str,
) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if !context.output.quiet {
        let mail = match config.mail.driver {
            config::MailDriver::Outbox => format!("mail lands at {url}/mailbox"),
            config::MailDriver::Smtp => "mail leaves by SMTP".to_owned(),
        };
        writeln!(
            out,
            "{} is for sale at {url}. Sign in as its operator: {admin_link}; {mail}; everything is kept in {}",
            config.site.product,
            folder.path().display()
        )?;
        if *folder != context.data {
            writeln!(
                out,
                "This is a rehearsal: Railway, Cloudflare and Stripe are simulated; look at them at {url}/-/simulation. \
                 It is forgotten at the next start. For other commands, add --data {}",
                folder.path().display()
            )?;
        }
    }
    writeln!(out, "ready {url}")?;
    out.flush()?;
    Ok(())
}

async fn wait_for_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

fn crash_point(text: &str) -> Result<workflow::Point, String> {
    workflow::Point::parse(text).ok_or_else(|| "write it as KIND/STEP/before or KIND/STEP/after".to_owned())
}
