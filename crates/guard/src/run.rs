//! Puts the guard together, runs it, and takes it apart again.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use hyper::service::service_fn;
use proxy::{Address, Limits, Timeouts, Upstream, serve};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use world::{Clock, Entropy};

use crate::Args;
use crate::access_log::AccessLog;
use crate::activity::{Meter, app_probe, application_report};
use crate::app_site::{AppSite, Sharing, sharing_order};
use crate::application::Application;
use crate::child::{self, Program, Told};
use crate::custody::{Custody, Life, Place, RestRecord};
use crate::egress;
use crate::emergency::{EmergencyDoor, Journal, JournalReporter};
use crate::gate::Gate;
use crate::identities::{Identities, Keys};
use crate::keyring::Keyring;
use crate::ledger::Ledger;
use crate::link::Link;
use crate::member_push::MemberPush;
use crate::metrics::{self, Metrics};
use crate::model::Model;
use crate::peers::Entrance;
use crate::remembered::Remembered;
use crate::reporter::Reporter;
use crate::roster::Roster;
use crate::server::Guard;
use crate::settings::{AppHost, Environment, Listen, MembersFrom, Settings};

/// Requests under way at once on one connection of a load balancer's.
pub(crate) const HTTP2_STREAMS: u32 = 128;

/// Runs the guard until it is told to stop or its application ends. Gives the application's exit
/// status; 2 for a configuration that cannot be run, 1 for anything else that prevents it.
#[must_use]
pub fn run(args: Args) -> ExitCode {
    log_to_stderr();
    let settings = match Settings::check(args, &Environment::read()) {
        Ok(settings) => settings,
        Err(error) => {
            tracing::error!("The guard does not start: {error}");
            return ExitCode::from(2);
        }
    };
    // One thread: an instance is one customer's, and memory is what it costs to keep it ready.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(guarded(settings)));
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            tracing::error!("The guard does not start: {error:#}");
            ExitCode::FAILURE
        }
    }
}

pub(crate) struct Parts {
    pub(crate) guard: Arc<Guard>,
    reporter: Option<Arc<Reporter>>,
    journal_reporter: Option<Arc<JournalReporter>>,
    /// Held while the guard runs: removes a temporary state folder at the end.
    _state: Option<tempfile::TempDir>,
}

async fn guarded(settings: Settings) -> anyhow::Result<u8> {
    let stop = CancellationToken::new();
    let (parts, mut life) = assemble(&settings, &stop)?;
    let listener = listen("--listen", &settings.listen).await?;
    // Before the application starts: it may ask for something at once.
    let way_out = match &settings.egress {
        Some(egress) => Some(egress::Egress::open(egress).await?),
        None => None,
    };
    let _way_out = way_out.map(|way_out| AbortOnDropHandle::new(tokio::spawn(way_out.serve())));
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut quit = signal(SignalKind::quit())?;
    // Before the application starts as well: it would be in vain if one of them could not.
    let reports = listen_if("--activity-listen", settings.activity.listen).await?;
    let figures = listen_if("--metrics", settings.metrics).await?;
    let told = Told {
        activity: application_report::address(reports.as_ref().unwrap_or(&listener).local_addr()?),
        sharing: match &reports {
            Some(reports) if settings.app_site.may_be_shared => Some(sharing_order::address(reports.local_addr()?)),
            _ => None,
        },
    };
    life.begin(Program::new(&settings.command, settings.upstream_port, told)?).await?;
    note_use_without_requests(&settings, reports, &parts.guard, &stop);
    if let Some(figures) = figures {
        tokio::spawn(metrics::publish(figures, Arc::clone(&parts.guard), stop.clone()));
    }
    announce(&listener)?;

    let reporting = keep_up(&parts, &stop);
    let guard = Arc::clone(&parts.guard);
    let limits = Limits { http2_streams: Some(HTTP2_STREAMS), ..Limits::default() };
    let entrance = Entrance::new(listener, Arc::clone(&guard.trusted_proxies));
    let serving = tokio::spawn(serve(entrance, limits, stop.clone(), move |peer| {
        let guard = Arc::clone(&guard);
        service_fn(move |request| {
            let guard = Arc::clone(&guard);
            // In one place from the start: what a request needs on its way is large, and would be copied
            // each time it is handed on.
            Box::pin(async move { Ok::<_, Infallible>(guard.serve(peer, request).await) })
        })
    }));

    let ended = tokio::select! {
        ended = life.live() => Some(ended?),
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
        _ = quit.recv() => None,
    };
    stop.cancel();
    life.hear_no_more();
    // Requests under way finish before the application is asked to stop.
    serving.await?;
    if let Some(reporting) = reporting {
        reporting.await?;
    }
    last_words(&parts).await;
    match ended {
        Some(status) => Ok(child::exit_code(status)),
        None => {
            life.stop().await;
            Ok(0)
        }
    }
}

/// Keeps keys, members and the main instance up to date, until `stop`. Gives the task to wait for.
fn keep_up(parts: &Parts, stop: &CancellationToken) -> Option<JoinHandle<()>> {
    tokio::spawn(Arc::clone(&parts.guard.keyring).wake());
    let roster = Arc::clone(&parts.guard.gate.roster);
    tokio::spawn(async move { roster.follow().await });
    if let Some(journal_reporter) = parts.journal_reporter.clone() {
        let stop = stop.clone();
        tokio::spawn(async move { journal_reporter.run(stop).await });
    }
    parts.reporter.clone().map(|reporter| {
        let (waking, stop) = (Arc::clone(&reporter), stop.clone());
        tokio::spawn(async move { waking.wake().await });
        tokio::spawn(async move { reporter.run(stop).await })
    })
}

/// Says what is left to say, and has it on disk in any case.
async fn last_words(parts: &Parts) {
    let of_use = async {
        if let Some(reporter) = &parts.reporter {
            reporter.last_words().await;
        }
    };
    let of_emergencies = async {
        if let Some(journal_reporter) = &parts.journal_reporter {
            journal_reporter.last_words().await;
        }
    };
    // At once, so that a main instance that is away costs the end one wait.
    tokio::join!(of_use, of_emergencies);
    parts.guard.meter.ledger().save_all();
    parts.guard.access_log.flush();
}

/// Learns of use that no request shows: what the application reports, and whether its app runs.
fn note_use_without_requests(
    settings: &Settings,
    reports: Option<TcpListener>,
    guard: &Guard,
    stop: &CancellationToken,
) {
    if let Some(listener) = reports {
        tokio::spawn(application_report::listen(
            listener,
            guard.meter.clone(),
            guard.model.clone(),
            Arc::clone(&guard.gate.sharing),
            stop.clone(),
        ));
    }
    if let Some(app) = settings.activity.app {
        tokio::spawn(app_probe::look(app, guard.meter.clone(), stop.clone()));
    }
}

pub(crate) fn assemble(settings: &Settings, stop: &CancellationToken) -> anyhow::Result<(Parts, Life)> {
    let (state, temporary) = state_folder(settings.state.clone())?;
    let (socket, ca_file) = (settings.main_socket.as_deref(), settings.ca_file.as_deref());
    let clock = Clock::System;
    let roster = Arc::new(Roster::open(settings.members.clone(), state.join("members.json"), clock.clone())?);
    let ledger = Arc::new(Ledger::open(state.join("activity")));
    let certs = Link::to(&settings.certs_url, socket, ca_file);
    let keyring = Keyring::open(settings.certs_url.clone(), certs, state.join("certs.json"));
    let reporter = settings.main.clone().map(|main| {
        let link = Link::to(&main.url, socket, ca_file);
        let (ledger, roster) = (Arc::clone(&ledger), Arc::clone(&roster));
        Arc::new(Reporter { main, link, ledger, roster, entropy: Entropy::System })
    });
    let metrics = Metrics::default();
    let meter = Meter::new(ledger, Arc::clone(&roster), clock.clone());
    let (emergency, journal_reporter) = emergency_door(settings, &state, &metrics, reporter.clone()).unzip();
    let shared_host = settings.app_site.host.as_ref().filter(|_| settings.app_site.may_be_shared);
    let sharing = Arc::new(Sharing::open(&state, shared_host.map(AppHost::as_str)));
    let gate = Gate {
        identities: Identities {
            verifier: settings.verifier.clone(),
            keys: Keys::Fetched(Arc::clone(&keyring)),
            remembered: Remembered::default(),
            clock: clock.clone(),
        },
        roster,
        service_tokens: settings.service_tokens.clone(),
        app_audiences: settings.app_audiences.clone(),
        public_paths: settings.public_paths.clone(),
        sharing: Arc::clone(&sharing),
        emergency,
    };
    let upstream = Upstream::new(Address::Tcp(settings.upstream.clone()), Timeouts::default());
    let (life, custody) = custody(settings, &state, &sharing, &clock)?;
    let guard = Arc::new(Guard {
        gate,
        keyring,
        application: Arc::new(Application::new(&settings.upstream, &settings.app_health)),
        release: settings.release.clone(),
        upstream: upstream.ending_tunnels_on(stop.clone()),
        app_site: AppSite::new(&settings.app_site, stop.clone()),
        trusted_proxies: Arc::new(settings.trusted_proxies.clone()),
        behind_router: settings.behind_router,
        member_push: MemberPush::new(settings.main.as_ref().map(|main| main.token.clone())),
        custody,
        meter,
        activity: Arc::clone(&settings.activity.judge),
        takes_reports: settings.activity.listen.is_none(),
        model: model(settings),
        access_log: AccessLog::default(),
        metrics,
        clock,
    });
    Ok((Parts { guard, reporter, journal_reporter, _state: temporary }, life))
}

/// How the application lives, and who may change that: nobody but a main instance whose signed lists are taken.
fn custody(
    settings: &Settings,
    state: &Path,
    sharing: &Arc<Sharing>,
    clock: &Clock,
) -> anyhow::Result<(Life, Option<Custody>)> {
    let record = RestRecord::new(state, &settings.deployment);
    let place = settings.data.as_deref().map(|data| Place::new(data, state));
    let exchange = place.as_ref().map(Place::exchange);
    let can_rest = place.is_some() && !settings.command.is_empty();
    let (life, leash) = Life::new(can_rest, record, exchange, settings.begins_at_rest, clock.clone())?;
    let custody = match (&settings.main, &settings.members) {
        (Some(main), MembersFrom::Signed { instance, .. }) => {
            Some(Custody::new((*instance, main.token.clone()), place, leash, Arc::clone(sharing), clock.clone()))
        }
        _ => None,
    };
    Ok((life, custody))
}

/// The way to the model that the main instance offers.
fn model(settings: &Settings) -> Option<Arc<Model>> {
    let main = settings.main.as_ref().filter(|_| settings.model)?;
    let link = Link::to(&main.url, settings.main_socket.as_deref(), settings.ca_file.as_deref());
    Some(Arc::new(Model::new(main, link)))
}

fn emergency_door(
    settings: &Settings,
    state: &Path,
    metrics: &Metrics,
    reporter: Option<Arc<Reporter>>,
) -> Option<(Arc<EmergencyDoor>, Arc<JournalReporter>)> {
    let door = settings.emergency.as_ref()?;
    let (clock, hashes) = (Clock::System, metrics.password_hashes.clone());
    let journal = Arc::new(Journal::open(state.join("emergency.json"), door.user.as_str().into()));
    let journal_reporter = JournalReporter { journal: Arc::clone(&journal), reporter, clock: clock.clone() };
    let door = EmergencyDoor::new(door, journal, hashes, clock, Entropy::System);
    Some((Arc::new(door), Arc::new(journal_reporter)))
}

fn state_folder(configured: Option<PathBuf>) -> anyhow::Result<(PathBuf, Option<tempfile::TempDir>)> {
    match configured {
        Some(folder) => {
            std::fs::create_dir_all(&folder)
                .map_err(|error| anyhow::anyhow!("--state {}: {error}", folder.display()))?;
            Ok((folder, None))
        }
        None => {
            let folder = tempfile::Builder::new().prefix("spinoff-guard-").tempdir()?;
            Ok((folder.path().to_owned(), Some(folder)))
        }
    }
}

async fn listen_if(option: &str, address: Option<SocketAddr>) -> anyhow::Result<Option<TcpListener>> {
    match address {
        Some(address) => listen(option, &Listen::Address(address)).await.map(Some),
        None => Ok(None),
    }
}

async fn listen(option: &str, listen: &Listen) -> anyhow::Result<TcpListener> {
    match listen {
        Listen::Address(address) => TcpListener::bind(address)
            .await
            .map_err(|error| anyhow::anyhow!("{option} {address}: can't listen there: {error}")),
        Listen::Inherited => {
            let descriptor = std::io::stdin().as_fd().try_clone_to_owned()?;
            let listener = std::net::TcpListener::from(descriptor);
            listener.set_nonblocking(true)?;
            listener.local_addr().map_err(|error| {
                anyhow::anyhow!("--listen inherited: standard input is no listening socket: {error}")
            })?;
            Ok(TcpListener::from_std(listener)?)
        }
    }
}

fn announce(listener: &TcpListener) -> anyhow::Result<()> {
    use std::io::Write as _;
    let address = listener.local_addr()?;
    let mut out = std::io::stdout();
    // Nobody reading is no reason to stop guarding.
    let _ = writeln!(out, "ready http://{address}").and_then(|()| out.flush());
    Ok(())
}

fn log_to_stderr() {
    // `spinoff guard` may have set up logging already.
    let _ = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .with_max_level(tracing::Level::INFO)
        .try_init();
}
