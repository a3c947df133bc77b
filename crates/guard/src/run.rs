//! Puts the guard together, runs it, and takes it apart again.

use std::convert::Infallible;
use std::future::pending;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use hyper::service::service_fn;
use proxy::{Address, Limits, Timeouts, Upstream, serve};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use world::{Clock, Entropy};

use crate::Args;
use crate::access_log::AccessLog;
use crate::application::Application;
use crate::child::{self, Running};
use crate::egress;
use crate::gate::Gate;
use crate::keyring::Keyring;
use crate::ledger::Ledger;
use crate::link::Link;
use crate::metrics::{self, Metrics};
use crate::remembered::Remembered;
use crate::reporter::Reporter;
use crate::roster::Roster;
use crate::server::Guard;
use crate::settings::{Environment, Listen, Settings};

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

struct Parts {
    guard: Arc<Guard>,
    keyring: Arc<Keyring>,
    reporter: Option<Arc<Reporter>>,
    /// Held while the guard runs: removes a temporary state folder at the end.
    _state: Option<tempfile::TempDir>,
}

async fn guarded(settings: Settings) -> anyhow::Result<u8> {
    let stop = CancellationToken::new();
    let parts = assemble(&settings, &stop)?;
    let listener = listen(&settings.listen).await?;
    // Before the application starts: it may ask for something at once.
    let way_out = match &settings.egress {
        Some(egress) => Some(egress::Egress::open(egress).await?),
        None => None,
    };
    let _way_out = way_out.map(|way_out| AbortOnDropHandle::new(tokio::spawn(way_out.serve())));
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut quit = signal(SignalKind::quit())?;
    let mut application = Running::start(&settings.command, settings.upstream_port)?;
    if let Some(address) = settings.metrics {
        let listener = listen(&Listen::Address(address)).await?;
        tokio::spawn(metrics::publish(listener, Arc::clone(&parts.guard), stop.clone()));
    }
    announce(&listener)?;

    tokio::spawn(Arc::clone(&parts.keyring).wake());
    let roster = Arc::clone(&parts.guard.gate.roster);
    tokio::spawn(async move { roster.follow().await });
    let reporting = parts.reporter.clone().map(|reporter| {
        let (waking, stop) = (Arc::clone(&reporter), stop.clone());
        tokio::spawn(async move { waking.wake().await });
        tokio::spawn(async move { reporter.run(stop).await })
    });
    let guard = Arc::clone(&parts.guard);
    let serving = tokio::spawn(serve(listener, Limits::default(), stop.clone(), move |peer| {
        let guard = Arc::clone(&guard);
        service_fn(move |request| {
            let guard = Arc::clone(&guard);
            async move { Ok::<_, Infallible>(guard.serve(peer, request).await) }
        })
    }));

    let ended = tokio::select! {
        ended = ended(application.as_mut()) => Some(ended?),
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
        _ = quit.recv() => None,
    };
    stop.cancel();
    // Requests under way finish before the application is asked to stop.
    serving.await?;
    if let Some(reporting) = reporting {
        reporting.await?;
    }
    if let Some(reporter) = &parts.reporter {
        reporter.last_words().await;
    }
    parts.guard.ledger.save_all();
    parts.guard.access_log.flush();
    match (ended, application) {
        (Some(status), _) => Ok(child::exit_code(status)),
        (None, Some(mut application)) => {
            application.stop().await;
            Ok(0)
        }
        (None, None) => Ok(0),
    }
}

fn assemble(settings: &Settings, stop: &CancellationToken) -> anyhow::Result<Parts> {
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
    let gate = Gate {
        verifier: settings.verifier.clone(),
        keyring: Arc::clone(&keyring),
        remembered: Remembered::default(),
        roster,
        service_tokens: settings.service_tokens.clone(),
        public_paths: settings.public_paths.clone(),
        clock,
    };
    let upstream = Upstream::new(Address::Tcp(settings.upstream.clone()), Timeouts::default());
    let guard = Arc::new(Guard {
        gate,
        application: Application::new(&settings.upstream, &settings.app_health),
        upstream: upstream.ending_tunnels_on(stop.clone()),
        ledger,
        access_log: AccessLog::default(),
        metrics: Metrics::default(),
    });
    Ok(Parts { guard, keyring, reporter, _state: temporary })
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

async fn listen(listen: &Listen) -> anyhow::Result<TcpListener> {
    match listen {
        Listen::Address(address) => {
            TcpListener::bind(address).await.map_err(|error| anyhow::anyhow!("can't listen on {address}: {error}"))
        }
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

async fn ended(application: Option<&mut Running>) -> std::io::Result<std::process::ExitStatus> {
    match application {
        Some(application) => application.ended().await,
        None => pending().await,
    }
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
