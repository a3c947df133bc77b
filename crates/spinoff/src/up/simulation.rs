//! `spinoff up --simulate`: production rehearsed on this machine, without an account anywhere.
//!
//! The workflows, the drivers, the guards and the application are the real ones. Simulated are the three
//! companies and the network before them:
//!
//! ```text
//! browser ─▶ front (public address), by hostname
//!              ├─ localhost          ─▶ main instance (another port) · desk at /-/simulation
//!              ├─ team.localhost     ─▶ simulated Access: sign-in by mailed code
//!              ├─ stripe.localhost   ─▶ simulated Stripe: payment pages
//!              └─ acme.localhost     ─▶ DNS record? ─▶ Access ─▶ Railway's edge ─▶ container: guard ─▶ application
//!                                       with [edge] routing = "wildcard": ─▶ main instance ─▶ Railway's edge …
//! drivers ─▶ the three APIs, each on a port of its own
//! runtime ─▶ runs what Railway has deployed, and reports its health to Railway
//! ```
//!
//! Differences from production, beside those that the simulators list: no TLS, all on loopback, and
//! containers are plain processes without walls, whose volumes are folders.

mod answers;
mod container;
mod desk;
mod folder;
mod front;
mod names;
mod pace;
mod providers;
mod railway_edge;
mod runtime;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use access::protocol::CERTS;
use anyhow::{Context as _, anyhow, ensure};
use control_plane::{App, SignInCodes};
use domain::Email;
use edge::{CodeMail as _, SignInMail};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::data_folder::DataFolder;
use crate::failure::Failure;
use crate::setup;
use crate::up::assemble;
use crate::up::config::{ComputeDriver, Config, EdgeDriver, MailDriver, PaymentsDriver, is_local};
use crate::up::home::Home;
use container::Program;
use desk::Desk;
use front::{Front, local};
use names::Names;
use pace::Pace;
use providers::{Edges, Providers};
use railway_edge::RailwayEdge;
use runtime::Runtime;

pub use folder::{empty, of as folder};

/// Chance repeats itself, so that what was seen once can be seen again.
const SEED: u64 = 1;
/// How long a code of Access is good.
const CODE_MINUTES: u32 = 10;

/// How production is rehearsed.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Rehearsal")]
pub struct Options {
    /// Rehearse production with a simulated Railway, Cloudflare and Stripe in place of accounts. PACE is
    /// quick, where all takes seconds, or realistic, where it takes the minutes of the real ones
    #[arg(long, value_name = "PACE", num_args = 0..=1, require_equals = true, default_missing_value = "quick",
        conflicts_with_all = ["store", "insecure_no_sandbox", "app_egress", "crash_at"])]
    pub simulate: Option<Pace>,

    /// So many of a thousand calls to them go wrong, in every way, the same at each start
    #[arg(long, value_name = "PERMILLE", requires = "simulate", value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub simulate_faults: Option<u16>,

    /// Who asks visitors who they are: cloudflare, or builtin, where one wildcard record leads everybody to
    /// this server [default: cloudflare]
    #[arg(long, value_name = "EDGE", requires = "simulate")]
    pub simulate_edge: Option<RehearsedEdge>,
}

/// Who stands before instances in a rehearsal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum RehearsedEdge {
    /// The simulated Cloudflare.
    #[default]
    Cloudflare,
    /// The edge of this server, behind a wildcard record of its own.
    Builtin,
}

/// A rehearsal that is prepared; nothing answers yet.
pub struct Rehearsal {
    names: Names,
    edge: RehearsedEdge,
    providers: Arc<Providers>,
    public: TcpListener,
    railway: TcpListener,
    main: SocketAddr,
}

/// A rehearsal that goes on.
pub struct Running {
    runtime: Runtime,
    network: TaskTracker,
    stop: CancellationToken,
}

/// Whether the settings name nothing real.
///
/// # Errors
/// Naming what does, and what to do about it.
pub fn fits(config: &Config) -> anyhow::Result<()> {
    let (railway, cloudflare, stripe) = (&config.railway, &config.cloudflare, &config.stripe);
    let real = [
        (config.compute.driver != ComputeDriver::Local, "[compute] driver"),
        (config.edge.driver != EdgeDriver::Builtin, "[edge] driver"),
        (config.payments.driver != PaymentsDriver::Ledger, "[payments] driver"),
        (config.mail.driver != MailDriver::Outbox, "[mail] driver"),
        (railway.token.is_some() || railway.token_file.is_some(), "[railway] token"),
        (cloudflare.token.is_some() || cloudflare.token_file.is_some(), "[cloudflare] token"),
        (stripe.secret_key.is_some() || stripe.secret_key_file.is_some(), "[stripe] secret_key"),
        (config.store.url.is_some() || config.store.url_file.is_some(), "[store] url"),
        (config.site.public_url().is_some(), "[site] public_url"),
        (!is_local(&config.site.base_domain), "[site] base_domain"),
    ];
    let named = real.iter().find(|(is_named, _)| *is_named);
    ensure!(
        named.is_none(),
        "--simulate brings a Railway, a Cloudflare and a Stripe of its own and touches nothing real, but the settings \
         name something real: {}; rehearse with settings that leave it out, by --config FILE",
        named.map_or("", |(_, name)| name)
    );
    Ok(())
}

impl Rehearsal {
    /// Opens the accounts, sets them up as real ones are, and makes the settings name them. Gives the
    /// listener of the main instance, which stands behind the simulated network.
    ///
    /// # Errors
    /// When a port can't be had, or the setup fails.
    pub async fn prepare(
        options: &Options,
        config: &mut Config,
        folder: &DataFolder,
        public: TcpListener,
    ) -> anyhow::Result<(Self, TcpListener)> {
        let front = public.local_addr().context("asking for the address that is listened on")?;
        let names = Names { base_domain: config.site.base_domain.clone(), port: front.port() };
        let providers = Providers::open(options.simulate.unwrap_or_default(), &names, &config.site.product).await?;
        let (railway, main) = (on_loopback().await?, on_loopback().await?);
        let edges = Edges { cloudflare: front, railway: railway.local_addr()? };
        let edge = options.simulate_edge.unwrap_or_default();
        providers.name_in(config, &names, edges, edge);
        set_up(folder, config).await.map_err(|failure| anyhow!("{failure}")).context("setting up the accounts")?;
        if let Some(thousandths) = options.simulate_faults {
            providers.fail_by_chance(thousandths, SEED);
        }
        let prepared = Self { names, edge, providers: Arc::new(providers), public, railway, main: main.local_addr()? };
        Ok((prepared, main))
    }

    /// Lets the network answer, runs what is deployed, and mails the codes of Access.
    ///
    /// # Errors
    /// When containers can't be started here.
    pub fn begin(self, folder: &DataFolder, app: &App) -> anyhow::Result<Running> {
        let Self { names, edge: before, providers, public, railway, main } = self;
        // Not every machine finds names below localhost.
        let issuer = match before {
            RehearsedEdge::Cloudflare => providers.cloudflare_api.url.clone(),
            RehearsedEdge::Builtin => names.site_url(),
        };
        let program = Program {
            executable: assemble::executable()?,
            command: app.settings.release.command.clone(),
            variables: vec![("GUARD_CERTS_URL".to_owned(), format!("{issuer}{CERTS}"))],
            logs: folder::make(folder, "logs")?,
        };
        let volumes = folder::make(folder, "volumes")?;
        let runtime = Runtime::start(providers.railway.clone(), program, volumes).context("starting containers")?;
        mail_codes(&providers, app);
        let (network, stop) = (TaskTracker::new(), CancellationToken::new());
        let edge = RailwayEdge::new(providers.railway.clone(), runtime.doors());
        network.spawn(edge.clone().serve(railway, stop.clone()));
        let front = Front {
            names,
            before,
            cloudflare: providers.cloudflare.clone(),
            railway: edge,
            desk: Desk::new(Arc::clone(&providers), &app.settings.product),
            site: local(main, &stop),
            checkout: local(providers.stripe_api.address, &stop),
        };
        network.spawn(front.serve(public, stop.clone()));
        network.close();
        Ok(Running { runtime, network, stop })
    }
}

impl Running {
    /// Stops the containers, whose guards say what is left to say, and then the network.
    pub async fn stop(self) {
        self.runtime.stop().await;
        self.stop.cancel();
        self.network.wait().await;
    }
}

/// Sets the accounts up by the code that sets up real ones.
async fn set_up(folder: &DataFolder, config: &Config) -> Result<(), Failure> {
    let home = Home::open(folder, config).await?;
    setup::apply_all(config, &home).await?;
    home.parts.db.close().await;
    Ok(())
}

/// What Cloudflare would mail lands in the mailbox.
fn mail_codes(providers: &Providers, app: &App) {
    let codes = Arc::new(SignInCodes {
        db: app.db.clone(),
        sealer: Arc::clone(&app.sealer),
        clock: app.clock.clone(),
        entropy: app.entropy.clone(),
        product: app.settings.product.clone(),
        waiting: Arc::clone(&app.mail_waiting),
    });
    providers.cloudflare.on_code(move |code| {
        let Ok(to) = Email::parse(&code.email) else { return };
        let mail = SignInMail { to, hostname: code.host.clone(), code: code.code.clone(), valid_minutes: CODE_MINUTES };
        let codes = Arc::clone(&codes);
        tokio::spawn(async move {
            if let Err(error) = codes.send_code(mail).await {
                tracing::warn!("A code of the simulated Access was not mailed: {error:#}");
            }
        });
    });
}

async fn on_loopback() -> anyhow::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("opening a port on loopback")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_rehearsal_refuses_settings_that_name_something_real() {
        fits(&Config::default()).unwrap();
        let mut config = Config::default();
        config.railway.token = Some("real".into());
        let error = fits(&config).unwrap_err().to_string();
        assert!(error.contains("[railway] token; rehearse"), "{error}");
        let mut config = Config::default();
        config.site.base_domain = "example.com".into();
        assert!(fits(&config).unwrap_err().to_string().contains("[site] base_domain"));
    }
}
