//! The program's outside: every address in one table, and its life from start to stop.

use std::future::Future;
use std::io::Write;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tower_http::csrf::CsrfLayer;

use crate::activity::Reports;
use crate::app::{App, Provision};
use crate::bench::Tools;
use crate::members;
use crate::protection::{self, Answered};
use crate::refusal::Refusal;
use crate::web::{
    api, approvals, attachments, backlog, board, chats, decisions, deleted, documents, export, history, home, import,
    made, meetings, projects, proposals, remote, review, search, settings, sharing, sprints, table, visions,
};
use crate::{Args, assets, events};

/// The most a form may carry, in bytes: a document of the largest size with every byte escaped, and
/// the other fields.
const LARGEST_FORM: usize = 2 * 1024 * 1024;

/// How long requests that are being answered may take to finish once the program is to stop.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// Serves the notebook until the process is told to stop (SIGTERM or SIGINT).
///
/// # Errors
/// When the data folder or the address cannot be used.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot watch for the signal to stop")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot watch for the signal to stop")?;
    let listener = TcpListener::bind(args.address())
        .await
        .with_context(|| format!("cannot listen on {}; choose another with --listen", args.address()))?;
    let address = listener.local_addr().context("cannot tell the address listened on")?;
    let (close, closing) = watch::channel(false);
    let proxy = args.registries_through.clone().filter(|proxy| !proxy.is_empty());
    let tools =
        Tools { programs: args.programs.clone(), readable: Vec::new(), taken_ports: vec![address.port()], proxy };
    let app = App::open(&args.data, Provision { tools, ..args.provision()? }, closing).await?;
    match app.workshop.bench.open_registries(args.registries()).await {
        Ok(true) => {}
        Ok(false) => tracing::info!("Installers have no way to package registries here; see --registries-anyway"),
        Err(error) => tracing::warn!(%error, "Installers have no way to package registries: {error}"),
    }
    let reports = args.activity_url.as_deref().and_then(Reports::to);
    // A closed standard output is no reason not to serve.
    let _ = writeln!(
        std::io::stdout(),
        "AI-DIY is open at http://{address} (your files are in {}; Ctrl+C closes it)",
        args.data.display()
    );
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    serve(listener, app, close, reports, Answered::new(args.public_hostname.as_deref()), stop).await
}

async fn serve(
    listener: TcpListener,
    app: App,
    close: watch::Sender<bool>,
    reports: Option<Reports>,
    answered: Answered,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let mut closing = app.closing.clone();
    let workshop = app.workshop.clone();
    tokio::spawn(workshop.clone().tell(app.changes.clone(), closing.clone()));
    tokio::spawn(app.talks.clone().tell(app.changes.clone(), closing.clone()));
    if let Some(reports) = reports {
        tokio::spawn(reports.tell(workshop.sprints.clone(), closing.clone()));
    }
    tokio::spawn(sharing::settle_after_start(app.clone()));
    if let Err(error) = workshop.sprints.take_up().await {
        tracing::error!(%error, "The sprint that was worked on cannot go on: {error}");
    }
    let stopping = async move {
        stop.await;
        tracing::info!("Stopping");
        close.send_replace(true);
    };
    let server = axum::serve(listener, router(app, answered)).with_graceful_shutdown(stopping);
    let too_late = async move {
        // The sender lives until it has sent, so an error means the same as the signal.
        let _ = closing.wait_for(|closing| *closing).await;
        tokio::time::sleep(LAST_ANSWERS).await;
    };
    tokio::select! {
        served = server => served.context("the server failed"),
        () = too_late => Ok(()),
    }
}

fn router(app: App, answered: Answered) -> Router {
    Router::new()
        .route("/", get(home::show))
        .route("/new/vision", get(visions::new))
        .route("/new/item", get(backlog::new))
        .route("/visions", get(home::visions).post(visions::create))
        .route("/visions/{name}", get(visions::show).post(visions::save))
        .route("/visions/{name}/edit", get(visions::edit))
        .route("/backlog", get(table::show).post(backlog::create))
        .route("/backlog/{name}", get(backlog::show).post(backlog::save))
        .route("/backlog/{name}/edit", get(backlog::edit))
        .route("/backlog/{name}/status", post(backlog::set_status))
        .route("/backlog/{name}/criteria", post(backlog::set_criterion))
        .route("/meetings", get(meetings::list).post(meetings::create))
        .route("/meetings/{id}", get(meetings::show))
        .route("/meetings/{id}/messages", post(meetings::say))
        .route("/meetings/{id}/stop", post(meetings::stop))
        .route("/meetings/{id}/continuation", post(meetings::go_on))
        .route("/meetings/{id}/closing", post(meetings::close))
        .route("/meetings/{id}/reopening", post(meetings::reopen))
        .route("/meetings/{id}/events", get(meetings::events))
        .route("/meetings/{id}/proposals/{number}/approval", post(proposals::approve))
        .route("/meetings/{id}/proposals/{number}/refusal", post(proposals::decline))
        .route("/decisions", get(decisions::list))
        .route("/decisions/{name}", get(decisions::show))
        .route("/chats", get(chats::show))
        .route("/search", get(search::show))
        .route("/settings", get(settings::show))
        .route("/settings/provider", post(settings::set_provider))
        .route("/settings/models", post(settings::set_models))
        .route("/settings/budgets", post(settings::set_budgets))
        .route("/settings/appearance", post(settings::set_appearance))
        .route("/settings/trial", post(settings::try_it))
        .route("/settings/members", post(settings::set_member))
        .merge(work())
        .merge(app_router())
        .merge(beside())
        .route("/deleted", get(deleted::list))
        .route("/export.tar", get(export::download))
        .route("/import", get(import::show).post(import::receive))
        .route("/import/approval", post(import::approve))
        .route("/import/refusal", post(import::decline))
        .route("/api/visions", get(api::visions).post(api::create_vision))
        .route("/api/backlog", get(api::backlog).post(api::create_item))
        .route("/events", get(events::stream))
        .route("/assets/{version}/{name}", get(assets::show))
        .route("/health", get(async || "ok"))
        .fallback(async || Refusal::missing())
        .layer(from_fn_with_state(app.clone(), members::admit))
        .with_state(app)
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
        .layer(CsrfLayer::new().with_rejection_response(|_| protection::cross_site()))
        .layer(from_fn_with_state(answered, protection::hosts))
        .layer(from_fn(protection::headers))
}

/// What can be done with documents and proposals beside writing and reading them.
fn beside() -> Router<App> {
    Router::new()
        .route("/backlog/{name}/place", post(board::put))
        .route("/backlog/{name}/row", post(table::save_row))
        .route("/backlog-changes", get(table::look).post(table::change_chosen))
        .route("/meetings/{id}/proposals", get(approvals::confirm).post(approvals::approve))
        .route("/meetings/{id}/proposals/{number}/picture", get(proposals::picture))
        .route("/{shelf}/{name}/file", get(documents::edit_file).post(documents::save_file))
        .route("/{shelf}/{name}/deletion", get(documents::confirm_deletion).post(documents::delete))
        .route("/{shelf}/{name}/history", get(history::list))
        .route("/{shelf}/{name}/history/comparison", get(history::compare))
        .route("/{shelf}/{name}/history/{number}", get(history::show))
        .route("/{shelf}/{name}/history/{number}/restoration", post(history::restore))
        .route("/{shelf}/{name}/attachments", post(attachments::add))
        .route("/{shelf}/{name}/attachments/{file}", get(attachments::download))
        .route("/{shelf}/{name}/attachments/{file}/picture", get(attachments::picture))
        .route("/{shelf}/{name}/attachments/{file}/removal", post(attachments::remove))
        .route("/{shelf}/{name}/attachments/{file}/restoration", post(attachments::restore))
}

/// Sprints and what comes of them.
fn work() -> Router<App> {
    Router::new()
        .route("/sprints", get(sprints::list).post(sprints::create))
        .route("/sprints/new", get(sprints::new))
        .route("/sprints/{number}", get(sprints::show))
        .route("/sprints/{number}/start", post(sprints::start))
        .route("/sprints/{number}/pause", post(sprints::pause))
        .route("/sprints/{number}/stop", post(sprints::stop))
        .route("/sprints/{number}/stories/{story}", get(sprints::story))
        .route("/sprints/{number}/review", get(review::show))
        .route("/sprints/{number}/review/comments", post(review::comment))
        .route("/sprints/{number}/review/comments/{comment}/answers", post(review::answer))
        .route("/sprints/{number}/review/comments/{comment}/settlement", post(review::settle))
        .route("/sprints/{number}/review/requests", post(review::request))
        .route("/commands/{number}", get(sprints::command))
        .route("/projects/{vision}", get(projects::show))
        .route("/projects/{vision}/app.tar", get(projects::download))
        .route("/projects/{vision}/states/{commit}", get(projects::state))
        .route("/projects/{vision}/states/{commit}/return", post(projects::go_back))
        .route("/projects/{vision}/remote", post(remote::set))
        .route("/projects/{vision}/pushes", post(remote::push))
}

/// The addresses of the app made.
fn app_router() -> Router<App> {
    Router::new()
        .route("/app", get(made::show))
        .route("/app/start", post(made::start))
        .route("/app/stop", post(made::stop))
        .route("/app/restart", post(made::restart))
        .route("/app/keep", post(made::keep))
        .route("/app/log", get(made::follow))
        .route("/app/news", get(made::news))
        .route("/app/sharing", get(sharing::confirm).post(sharing::switch))
}

#[cfg(test)]
mod tests;
