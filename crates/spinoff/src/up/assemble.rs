//! Makes the parts of one machine and puts them together.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use access::MembersKey;
use anyhow::{Context as _, ensure};
use base64::Engine as _;
use control_plane::{Application, Core, Drivers, Settings, SignInCodes, Started, WatchSettings};
use domain::HomeName;
use edge::Identification;
use providers::Routing;
use providers::compute::local::{Isolation, Local, LocalSettings};
use providers::compute::{Compute, Home, Homes, Release};
use providers::edge::{Builtin, Edge, Routed};
use providers::mail::{Mail, Outbox};
use providers::payments::Payments;
use providers::payments::ledger::Ledger;
use providers::setup::Findings;
use providers::storage::Storage;
use secrecy::ExposeSecret as _;
use store::Db;
use tokio::sync::Notify;
use workflow::{Faults, Point};
use world::{Clock, Entropy, Sealer};

use super::UpArgs;
use super::config::homes::{self, LocalHome};
use super::config::{self, ComputeDriver, Config, EdgeDriver, MailDriver, PaymentsDriver};
use super::drivers::{self, Parts};
use super::watch;
use crate::data_folder::DataFolder;

/// How long a guard or one of our own hostnames may take to answer us.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens or makes everything in the data folder, and starts what runs in it.
pub async fn start(
    folder: &DataFolder,
    config: &Config,
    args: &UpArgs,
    address: SocketAddr,
    guards_socket: &Path,
) -> anyhow::Result<Started> {
    let (clock, entropy) = (Clock::System, Entropy::System);
    let db = open_store(folder, config).await?;
    db.migrate(&control_plane::migrations()).await?;
    let sealer = Arc::new(control_plane::open_key(&db, &folder.key(), &entropy, clock.now()).await?);

    let sealed_by = Some(Arc::clone(&sealer));
    let parts = Parts { db: db.clone(), clock: clock.clone(), entropy: entropy.clone(), sealer: sealed_by };
    let settings = Settings { watch: watch::settings(config, &parts)?, ..settings(folder, config, address)? };
    let mail_waiting = Arc::new(Notify::new());
    let codes = SignInCodes {
        db: db.clone(),
        sealer: Arc::clone(&sealer),
        clock: clock.clone(),
        entropy: entropy.clone(),
        product: settings.product.clone(),
        waiting: Arc::clone(&mail_waiting),
    };
    let mut edge_settings = edge::Settings::new(&settings.public_url, &settings.base_domain, &settings.product);
    edge_settings.brand = Arc::clone(&settings.brand);
    edge_settings.mailbox_url = settings.mailbox.then(|| format!("{}/mailbox", settings.public_url));
    // Without walls, all instances would share the port that such apps listen on.
    edge_settings.app_sites = !homes::any(config, ComputeDriver::Railway) && !args.insecure_no_sandbox;
    edge_settings.shared_apps = edge_settings.app_sites && config.compute.app_sharing;
    edge_settings.origin_address = config.railway.edge_address;
    if config.edge.driver == EdgeDriver::Cloudflare && config.edge.routing == Routing::Wildcard {
        edge_settings.identification = Identification::Before;
    }
    let gate = edge::Edge::open(
        db.clone(),
        Arc::clone(&sealer),
        clock.clone(),
        entropy.clone(),
        edge_settings,
        Arc::new(codes),
    )
    .await?;
    let findings = Findings::new(db.clone(), Arc::clone(&sealer), clock.clone());
    let local =
        async |home: Option<LocalHome>| local(folder, config, args, guards_socket, (&clock, &sealer), home).await;
    let drivers = all_told(
        compute_driver(config, &parts, local).await,
        edge_driver(config, &gate, &findings, &parts).await,
        payments_driver(config, &findings, &parts).await,
        mail_driver(config),
        drivers::storage(config, folder),
    )?;
    let core = Core {
        members_key: members_key(&sealer)?,
        gate,
        http: http()?,
        started_at: clock.now(),
        db,
        clock,
        entropy,
        sealer,
        settings,
        drivers,
        mail_waiting,
        model: config.model.gateway()?,
    };
    let engine = workflow::Settings { faults: faults(args.crash_at.clone()), ..workflow::Settings::default() };
    control_plane::start(core, engine).await
}

/// All of them, or all that is missing at once: an operator should not have to start as often as something is.
fn all_told(
    compute: anyhow::Result<Arc<dyn Compute>>,
    edge: anyhow::Result<Arc<dyn Edge>>,
    payments: anyhow::Result<Arc<dyn Payments>>,
    mail: anyhow::Result<Arc<dyn Mail>>,
    storage: anyhow::Result<Arc<dyn Storage>>,
) -> anyhow::Result<Drivers> {
    let missing = [
        compute.as_ref().err(),
        edge.as_ref().err(),
        payments.as_ref().err(),
        mail.as_ref().err(),
        storage.as_ref().err(),
    ];
    let missing: Vec<String> = missing.into_iter().flatten().map(|error| format!("{error:#}")).collect();
    ensure!(missing.len() < 2, "{}", missing.join(";\nand "));
    Ok(Drivers { compute: compute?, edge: edge?, payments: payments?, mail: mail?, storage: Some(storage?) })
}

async fn compute_driver(
    config: &Config,
    parts: &Parts,
    local: impl AsyncFn(Option<LocalHome>) -> anyhow::Result<Local>,
) -> anyhow::Result<Arc<dyn Compute>> {
    let default: Arc<dyn Compute> = match config.compute.driver {
        ComputeDriver::Local => Arc::new(local(None).await?),
        ComputeDriver::Railway => {
            let driver = drivers::railway(config, parts)?;
            driver.keeps_to_its_routing().await?;
            Arc::new(driver)
        }
    };
    if config.compute.homes.is_empty() {
        return Ok(default);
    }
    let mut others = Vec::new();
    for (name, home) in &config.compute.homes {
        let compute: Arc<dyn Compute> = match home.driver {
            ComputeDriver::Local => Arc::new(local(Some(home.on_this_machine(name)?)).await?),
            ComputeDriver::Railway => Arc::new(drivers::railway_home(config, parts, name, home)?),
        };
        let label = home.label.clone().unwrap_or_else(|| name.to_string());
        others.push(Home { name: name.clone(), label, compute });
    }
    let label = config.compute.label.clone().unwrap_or_else(|| HomeName::the_default().to_string());
    Ok(Arc::new(Homes::new(label, default, others)?))
}

fn mail_driver(config: &Config) -> anyhow::Result<Arc<dyn Mail>> {
    match config.mail.driver {
        MailDriver::Outbox => Ok(Arc::new(Outbox)),
        MailDriver::Smtp => Ok(Arc::new(drivers::smtp(config)?)),
    }
}

async fn edge_driver(
    config: &Config,
    gate: &edge::Edge,
    findings: &Findings,
    parts: &Parts,
) -> anyhow::Result<Arc<dyn Edge>> {
    match config.edge.driver {
        EdgeDriver::Builtin => Ok(Arc::new(Builtin::new(gate.clone()))),
        EdgeDriver::Cloudflare => {
            let known = findings.of(drivers::CLOUDFLARE).await?;
            let driver = drivers::cloudflare(config, &known, parts)?;
            drivers::cloudflare_is_set_up(config, &known)?;
            match config.edge.routing {
                Routing::Records => Ok(Arc::new(driver)),
                Routing::Wildcard => Ok(Arc::new(Routed::new(driver, Builtin::new(gate.clone())))),
            }
        }
    }
}

async fn payments_driver(config: &Config, findings: &Findings, parts: &Parts) -> anyhow::Result<Arc<dyn Payments>> {
    match config.payments.driver {
        PaymentsDriver::Ledger => Ok(Arc::new(Ledger::new(parts.db.clone(), parts.clock.clone()))),
        PaymentsDriver::Stripe => {
            let known = findings.of(drivers::STRIPE).await?;
            let driver = drivers::stripe(config, &known, parts)?;
            drivers::stripe_is_set_up(config, &known)?;
            Ok(Arc::new(driver))
        }
    }
}

/// Opens the record where the settings say that it is, and makes it where it is a file that is not there.
pub async fn open_store(folder: &DataFolder, config: &Config) -> anyhow::Result<Db> {
    let url = config::secret(config.store.url.as_ref(), config.store.url_file.as_ref())?;
    Ok(match url {
        Some(url) => Db::open(url.expose_secret()).await?,
        None => Db::open_file(&folder.store()).await?,
    })
}

fn settings(folder: &DataFolder, config: &Config, address: SocketAddr) -> anyhow::Result<Settings> {
    let executable = executable()?;
    let mut read_only = config.compute.app_path.clone();
    let (command, health_path) = match &config.compute.app {
        Some(command) => (command.clone(), config.compute.app_health.clone()),
        None => {
            let command = format!("exec {} workspace", shell_quoted(&executable));
            read_only.push(executable);
            (command, "/health".to_owned())
        }
    };
    Ok(Settings {
        product: config.site.product.clone(),
        brand: Arc::new(config.brand.read(folder.path())?),
        public_url: config.site.url(address.port()),
        base_domain: config.site.base_domain.clone(),
        plan: config.plan.clone(),
        release: Release {
            image: homes::any(config, ComputeDriver::Railway).then(|| config.railway.image.clone()),
            // The name of what is new here. What is no part of this program keeps the name under which it was first seen.
            version: env!("CARGO_PKG_VERSION").to_owned(),
            command,
            health_path,
            read_only,
            activity_rules: config.compute.activity_rules()?,
        },
        application: match &config.compute.app {
            _ if !homes::any(config, ComputeDriver::Local) => Application::Image,
            Some(_) => Application::Command,
            None => Application::Bundled,
        },
        billing: config.billing.clone(),
        pool_size: config.pool.size,
        undo_days: config.instances.undo_days,
        backups: config.backups.settings(),
        operator: config.site.operator_email.clone(),
        mailbox: config.mail.driver == MailDriver::Outbox,
        probe_address: match config.edge.driver {
            EdgeDriver::Builtin => Some(from_here(address)),
            EdgeDriver::Cloudflare => config.cloudflare.edge_address,
        },
        watch: WatchSettings::default(),
        support: config.support.settings()?,
    })
}

async fn local(
    folder: &DataFolder,
    config: &Config,
    args: &UpArgs,
    guards_socket: &Path,
    (clock, sealer): (&Clock, &Arc<Sealer>),
    home: Option<LocalHome>,
) -> anyhow::Result<Local> {
    let mut settings = LocalSettings::new(folder.path().join("instances"), executable()?);
    settings.main_socket = Some(guards_socket.to_owned());
    settings.limits = config.compute.limits();
    settings.egress.clone_from(&config.compute.egress);
    settings.app_sharing = config.compute.app_sharing;
    settings.model = config.model.offer();
    settings.first_port = config.compute.first_port.unwrap_or(settings.first_port);
    settings.first_uid = config.compute.first_uid.unwrap_or(settings.first_uid);
    if let Some(home) = home {
        settings.folder = home.folder;
        (settings.first_port, settings.first_uid) = (home.first_port, home.first_uid);
    }
    settings.isolation = if args.insecure_no_sandbox { Isolation::InsecureNone } else { Isolation::Sandbox };
    if settings.isolation == Isolation::InsecureNone && !settings.egress.is_empty() {
        tracing::warn!("[compute] egress has no effect: without a sandbox, instances reach the whole network");
    }
    Ok(Local::open(settings, clock.clone(), Arc::clone(sealer)).await?)
}

/// An address that stands for all of this machine's is reached by one of them.
fn from_here(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, address.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => (Ipv6Addr::LOCALHOST, address.port()).into(),
        _ => address,
    }
}

/// The key that signs member lists follows from the installation's key.
fn members_key(sealer: &Sealer) -> anyhow::Result<MembersKey> {
    let seed = sealer.derive("members key", "v1");
    let text = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(seed);
    Ok(MembersKey::from_secret(&text.into())?)
}

fn http() -> anyhow::Result<reqwest::Client> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(PATIENCE)
        .build()
        .context("making the HTTP client")
}

fn faults(crash_at: Option<Point>) -> Faults {
    let Some(point) = crash_at else { return Faults::none() };
    Faults::by(move |here| {
        if *here == point {
            // The rehearsed crash is the real one: no destructor runs, nothing is said.
            let _ = nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::Signal::SIGKILL);
        }
        None
    })
}

/// This program's own file.
pub fn executable() -> anyhow::Result<std::path::PathBuf> {
    std::env::current_exe().context("finding the program's own file")
}

fn shell_quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}
