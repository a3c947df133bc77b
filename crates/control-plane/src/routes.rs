//! Every address of the main instance, in one table.

use axum::Router;
use axum::extract::DefaultBodyLimit;

use tower_http::csrf::CsrfLayer;

use crate::analytics::visits;
use crate::app::App;
use crate::mail::mailbox;
use crate::routing::{AndMore as _, delete, get, post, put};
use crate::{api, console, portal, site, tickets, webhooks};

/// What people and programs see on the site's own hostname.
pub(crate) fn for_people(app: &App) -> Router {
    let site = Router::new()
        .route("/", get(site::pages::landing))
        .route("/pricing", get(site::pages::pricing))
        .route("/terms", get(site::pages::terms))
        .route("/privacy", get(site::pages::privacy))
        .route("/acceptable-use", get(site::pages::acceptable_use))
        .route("/billing-agreement", get(site::pages::billing_agreement))
        .route("/getting-started", get(site::pages::getting_started))
        .route("/docs", get(site::documents::start))
        .route("/docs/search", get(site::documents::search))
        .route("/docs/{*page}", get(site::documents::page))
        .route("/security", get(site::pages::security))
        .route("/news", get(site::news::page))
        .route("/news/feed.atom", get(site::news::feed))
        .route("/robots.txt", get(site::news::robots))
        .route("/sitemap.xml", get(site::news::sitemap))
        .route("/.well-known/security.txt", get(site::news::security_contact))
        .route("/status", get(site::status::show))
        .route("/status/feed.atom", get(site::status::feed))
        .route("/status/subscribe", post(site::status::subscribe))
        .route("/status/confirm/{token}", get(site::status::confirm_subscription).and_post(site::status::subscribed))
        .route("/status/unsubscribe/{token}", get(site::status::confirm_leaving).and_post(site::status::leave))
        .route("/support/rating/{token}", get(site::rating::ask).and_post(site::rating::answer))
        .route("/mail/unsubscribe/{token}", get(site::unsubscribe::confirm).and_post(site::unsubscribe::leave))
        .route("/assets/{file}", get(site::pages::asset))
        .route("/signup", get(site::signup::form).and_post(site::signup::submit))
        .route("/signup/availability", get(site::signup::availability))
        .route("/signup/{workflow}", get(site::progress::page))
        .route("/signup/{workflow}/events", get(site::progress::events))
        .route("/signup/{workflow}/payment", get(site::order::payment))
        .route("/signup/{workflow}/cancel", post(site::order::cancel))
        .route("/-/health", get(site::pages::health))
        .route("/-/ready", get(site::pages::health));
    let site = site.layer(axum::middleware::from_fn_with_state(app.clone(), visits::notice));
    let console = console::door::behind(app, for_operators()).route("/admin/enter", get(console::enter::enter));
    let mut all = site.merge(for_customers()).merge(tickets_for_customers()).merge(console);
    if app.settings.mailbox {
        all = all
            .route("/mailbox", get(mailbox::index))
            .route("/mailbox/messages.json", get(mailbox::messages))
            .route("/mailbox/{id}", get(mailbox::show))
            .route("/mailbox/{id}/body", get(mailbox::body));
    }
    all.fallback(site::pages::not_found)
        .layer(axum::middleware::from_fn_with_state(app.clone(), site::dress_errors))
        .layer(CsrfLayer::new())
        .nest(api::PREFIX, for_programs())
        .merge(for_providers())
        .with_state(app.clone())
        .merge(app.gate.routes())
        .layer(axum::middleware::from_fn(site::secure_headers))
}

fn for_customers() -> Router<App> {
    Router::new()
        .route("/portal", get(portal::home))
        .route("/portal/payment", post(portal::payment::open))
        .route("/portal/payment/{workflow}", get(portal::payment::onward))
        .route("/portal/instances/{subdomain}", get(portal::instance))
        .route("/portal/instances/{subdomain}/members", post(portal::members::invite))
        .route(
            "/portal/instances/{subdomain}/members/{email}/remove",
            get(portal::members::confirm_remove).and_post(portal::members::remove),
        )
        .route("/portal/instances/{subdomain}/rename", post(portal::rename::request))
        .route("/portal/instances/{subdomain}/rename/availability", get(portal::rename::availability))
        .route("/portal/instances/{subdomain}/updates/window", post(portal::updates::choose_window))
        .route("/portal/instances/{subdomain}/updates/defer", post(portal::updates::defer))
        .route("/portal/instances/{subdomain}/bills", get(portal::bills::index))
        .route(
            "/portal/instances/{subdomain}/bills/cap",
            get(portal::spending::confirm_cap).and_post(portal::spending::set_cap),
        )
        .route("/portal/instances/{subdomain}/bills/budget", post(portal::spending::set_budget))
        .route(
            "/portal/instances/{subdomain}/bills/details",
            get(portal::billing_details::form).and_post(portal::billing_details::submit),
        )
        .route("/portal/instances/{subdomain}/bills/coupons", post(portal::coupons::redeem))
        .route(
            "/portal/instances/{subdomain}/bills/hours/{hour}",
            get(portal::bills::hour).and_post(portal::bills::contest),
        )
        .route("/portal/instances/{subdomain}/bills/invoices/{number}", get(portal::bills::invoice))
        .route("/portal/instances/{subdomain}/bills/invoices/{number}/pay", post(portal::bills::pay))
        .route("/portal/instances/{subdomain}/bills/invoices/{number}/pdf", get(portal::bills::pdf))
        .route("/portal/instances/{subdomain}/bills/invoices/{number}/csv", get(portal::bills::csv))
        .route("/portal/instances/{subdomain}/backups", get(portal::backups::index).and_post(portal::backups::request))
        .route(
            "/portal/instances/{subdomain}/backups/{backup}/restore",
            get(portal::backups::confirm_restore).and_post(portal::backups::put_back),
        )
        .route("/portal/instances/{subdomain}/cancel", get(portal::leaving::show).and_post(portal::leaving::request))
        .route("/portal/instances/{subdomain}/cancel/undo", post(portal::leaving::take_back))
        .route("/portal/instances/{subdomain}/support", get(portal::support::show))
        .route("/portal/instances/{subdomain}/support/let-in", post(portal::support::let_in))
        .route("/portal/instances/{subdomain}/support/decline", post(portal::support::decline))
        .route("/portal/instances/{subdomain}/support/end", post(portal::support::end))
        .route("/portal/instances/{subdomain}/copies", get(portal::copying::form).and_post(portal::copying::order))
        .route("/portal/instances/{subdomain}/moves/confirmation", post(portal::moves::confirm))
        .route("/portal/instances/{subdomain}/moves/back", post(portal::moves::take_back))
        .route("/portal/instances/{subdomain}/export", post(portal::leaving::download))
        .route(
            "/portal/instances/{subdomain}/delete",
            get(portal::deletion::confirm).and_post(portal::deletion::request),
        )
        .route("/portal/instances/{subdomain}/deletion", get(portal::deletion::progress))
        .route("/portal/instances/{subdomain}/deletion/events", get(portal::deletion::events))
        .route("/portal/instances/{subdomain}/deletion/undo", post(portal::deletion::take_back))
}

fn tickets_for_customers() -> Router<App> {
    let with_files = Router::new()
        .route("/portal/tickets", get(portal::tickets::index).and_post(portal::tickets::open))
        .route("/portal/tickets/{ticket}/messages", post(portal::tickets::write))
        .layer(DefaultBodyLimit::max(tickets::form::LARGEST_FORM));
    with_files
        .route("/portal/tickets/new", get(portal::tickets::form))
        .route("/portal/tickets/{ticket}", get(portal::tickets::show))
        .route("/portal/tickets/{ticket}/solved", post(portal::tickets::solve))
        .route("/portal/tickets/{ticket}/attachments/{file}", get(portal::tickets::attachment))
}

fn for_operators() -> Router<App> {
    Router::new()
        .merge(customers_for_operators())
        .route("/admin/instances", get(console::instances::index))
        .route("/admin/instances/{id}", get(console::instances::show))
        .route("/admin/instances/{id}/suspend", post(console::instances::suspend))
        .route("/admin/instances/{id}/resume", post(console::instances::resume))
        .route("/admin/instances/{id}/support", post(console::instances::ask_for_access))
        .route("/admin/instances/{id}/support/end", post(console::instances::end_access))
        .route("/admin/instances/{id}/cancel", post(console::instances::cancel))
        .route("/admin/instances/{id}/cancel/undo", post(console::instances::take_back))
        .route("/admin/instances/{id}/deletion/undo", post(console::instances::take_deletion_back))
        .route("/admin/instances/{id}/backups", get(console::backups::index).and_post(console::backups::request))
        .route(
            "/admin/instances/{id}/backups/{backup}/restore",
            get(console::backups::confirm_restore).and_post(console::backups::put_back),
        )
        .route("/admin/instances/{id}/copies", post(console::instances::copy))
        .merge(moves_for_operators().merge(updates_for_operators()))
        .merge(tickets_for_operators().merge(growth_for_operators()))
        .route("/admin/workflows", get(console::workflows::index))
        .route("/admin/workflows/{id}", get(console::workflows::show))
        .route(
            "/admin/workflows/{id}/retry",
            get(console::workflows::confirm_retry).and_post(console::workflows::retry),
        )
        .route(
            "/admin/workflows/{id}/abandon",
            get(console::workflows::confirm_abandon).and_post(console::workflows::abandon),
        )
        .route("/admin/isolation", get(console::isolation::index).and_post(console::isolation::begin))
        .route("/admin/isolation/{id}", get(console::isolation::show))
        .route("/admin/providers", get(console::providers::index))
        .route("/admin/providers/sweep", post(console::providers::sweep))
        .route(
            "/admin/providers/findings/{id}/repair",
            get(console::providers::confirm_repair).and_post(console::providers::repair),
        )
        .route("/admin/money", get(console::money::index))
        .route("/admin/money/margins", get(console::money::margins::show))
        .route("/admin/money/contests/{contest}", post(console::money::answer))
        .route("/admin/money/close", get(console::money::close::show).and_post(console::money::close::close))
        .route("/admin/money/invoices", get(console::money::list))
        .route("/admin/money/invoices/{number}", get(console::money::invoice::show))
        .route("/admin/money/invoices/{number}/pdf", get(console::money::invoice::pdf))
        .route("/admin/money/invoices/{number}/csv", get(console::money::invoice::csv))
        .route("/admin/money/invoices/{number}/payments", post(console::money::invoice::pay))
        .route("/admin/money/invoices/{number}/charge", post(console::money::invoice::charge))
        .route("/admin/money/invoices/{number}/pause", post(console::money::invoice::pause))
        .route("/admin/money/invoices/{number}/unpause", post(console::money::invoice::unpause))
        .route("/admin/money/invoices/{number}/credits", post(console::money::invoice::give_credit))
        .route(
            "/admin/money/invoices/{number}/refund",
            get(console::money::refund::confirm).and_post(console::money::refund::give_back),
        )
        .route(
            "/admin/money/invoices/{number}/write-off",
            get(console::money::invoice::confirm_write_off).and_post(console::money::invoice::write_off),
        )
        .route("/admin/alerts", get(console::alerts::index))
        .route("/admin/alerts/{id}/acknowledge", post(console::alerts::acknowledge))
        .route("/admin/alerts/{id}/silence", post(console::alerts::silence))
        .route("/admin/alerts/{id}/resolve", post(console::alerts::resolve))
        .route("/admin/incidents", get(console::incidents::index).and_post(console::incidents::open))
        .route("/admin/incidents/{id}", get(console::incidents::show))
        .route("/admin/incidents/{id}/updates", post(console::incidents::update))
        .route("/admin/audit", get(console::audit::index))
}

fn customers_for_operators() -> Router<App> {
    Router::new()
        .route("/admin", get(console::home))
        .route("/admin/search", get(console::search::show))
        .route("/admin/customers", get(console::customers::index))
        .route("/admin/customers/{id}", get(console::customers::show))
        .route("/admin/customers/{id}/bounce/clear", post(console::customers::clear_bounce))
}

fn tickets_for_operators() -> Router<App> {
    Router::new()
        .route("/admin/tickets", get(console::tickets::index))
        .route("/admin/tickets/answers", get(console::tickets::canned_answers).and_post(console::tickets::add_canned))
        .route("/admin/tickets/answers/{answer}/remove", post(console::tickets::remove_canned))
        .route("/admin/tickets/{ticket}", get(console::tickets::show))
        .route("/admin/tickets/{ticket}/answer", post(console::tickets::answer))
        .route("/admin/tickets/{ticket}/note", post(console::tickets::note))
        .route("/admin/tickets/{ticket}/assign", post(console::tickets::assign))
        .route("/admin/tickets/{ticket}/close", post(console::tickets::close))
        .route("/admin/tickets/{ticket}/attachments/{file}", get(console::tickets::attachment))
}

fn growth_for_operators() -> Router<App> {
    Router::new()
        .route("/admin/analytics", get(console::analytics::show))
        .route("/admin/analytics/csv", get(console::analytics::as_csv))
        .route("/admin/analytics/json", get(console::analytics::as_json))
        .route("/admin/analytics/spend", get(console::analytics::spend::index).and_post(console::analytics::spend::add))
        .route("/admin/analytics/spend/{id}/take-back", post(console::analytics::spend::take_back))
        .route("/admin/mail/previews", get(console::previews::index))
        .route("/admin/mail/previews/{name}", get(console::previews::show))
        .route("/admin/mail/previews/{name}/body", get(console::previews::body))
}

fn moves_for_operators() -> Router<App> {
    Router::new()
        .route("/admin/instances/{id}/moves", post(console::moves::request))
        .route("/admin/instances/{id}/moves/confirmation", post(console::moves::confirm))
        .route("/admin/instances/{id}/moves/back", post(console::moves::take_back))
}

fn updates_for_operators() -> Router<App> {
    Router::new()
        .route("/admin/instances/{id}/stage", post(console::instances::move_to_stage))
        .route("/admin/instances/{id}/pin", post(console::instances::pin))
        .route("/admin/instances/{id}/unpin", post(console::instances::unpin))
        .route("/admin/releases", get(console::releases::index).and_post(console::releases::create))
        .route("/admin/releases/new", get(console::releases::form))
        .route("/admin/releases/{version}", get(console::releases::show))
        .route(
            "/admin/releases/{version}/promote",
            get(console::releases::confirm_promote).and_post(console::releases::promote),
        )
        .route(
            "/admin/releases/{version}/withdraw",
            get(console::releases::confirm_withdraw).and_post(console::releases::withdraw),
        )
        .route("/admin/rollouts", get(console::rollouts::index).and_post(console::rollouts::plan::start))
        .route("/admin/rollouts/new", get(console::rollouts::plan::form))
        .route("/admin/rollouts/plan", get(console::rollouts::plan::show))
        .route("/admin/rollouts/{id}", get(console::rollouts::show))
        .route("/admin/rollouts/{id}/pause", post(console::rollouts::pause))
        .route("/admin/rollouts/{id}/resume", post(console::rollouts::resume))
        .route(
            "/admin/rollouts/{id}/cancel",
            get(console::rollouts::confirm_cancel).and_post(console::rollouts::cancel),
        )
        .route(
            "/admin/rollouts/{id}/roll-back",
            get(console::rollouts::confirm_roll_back).and_post(console::rollouts::roll_back),
        )
        .route("/admin/rollouts/{id}/units/{instance}/skip", post(console::rollouts::skip))
}

/// What the guards of instances may reach, and nothing else: this is served on a socket of its own.
pub(crate) fn for_guards(app: &App) -> Router {
    let api = Router::new()
        .route("/activity", post(api::activity::report))
        .route("/activity/emergency", post(api::activity::emergency))
        .route("/activity/members", get(api::activity::members))
        .route("/model/chat/completions", post(api::model::complete))
        .route("/model/models", get(api::model::index));
    Router::new()
        .nest(api::PREFIX, api)
        .route(access::protocol::CERTS, get(site::pages::key_set))
        .fallback(api::not_found)
        .with_state(app.clone())
}

/// What providers tell: proven by a signature or by a secret in the address, not by who is signed in.
fn for_providers() -> Router<App> {
    Router::new()
        .route("/webhooks/stripe", post(webhooks::stripe))
        .route("/webhooks/railway/{secret}", post(webhooks::railway))
        .layer(DefaultBodyLimit::max(webhooks::LARGEST_BODY))
        .merge(mail_for_support())
}

fn mail_for_support() -> Router<App> {
    Router::new()
        .route("/webhooks/mail", post(webhooks::mail))
        .layer(DefaultBodyLimit::max(tickets::inbound::read::LARGEST_MAIL))
}

fn for_programs() -> Router<App> {
    Router::new()
        .route("/openapi.json", get(api::openapi::document))
        .merge(about_instances())
        .merge(about_releases())
        .merge(about_tickets().merge(about_growth()))
        .route("/customers", get(api::customers::index))
        .route("/customers/{id}/ledger", get(api::ledgers::show))
        .route("/customers/{id}/credits", post(api::ledgers::give_credit))
        .route("/customers/{id}/billing", get(api::billing_details::show).and_put(api::billing_details::set))
        .route("/customers/{id}/coupons", get(api::coupons::of_customer).and_post(api::coupons::give))
        .route("/customers/{id}/dunning", get(api::dunning::show))
        .route("/customers/{id}/dunning/pause", post(api::dunning::pause))
        .route("/customers/{id}/dunning/unpause", post(api::dunning::unpause))
        .route("/invoices", get(api::invoices::index))
        .route("/invoices/{number}", get(api::invoices::show))
        .route("/invoices/{number}/pdf", get(api::invoices::pdf))
        .route("/invoices/{number}/csv", get(api::invoices::csv))
        .route("/invoices/{number}/payments", post(api::invoices::pay))
        .route("/invoices/{number}/charge", post(api::invoices::charge))
        .route("/invoices/{number}/refunds", get(api::invoices::given_back).and_post(api::invoices::give_back))
        .route("/invoices/{number}/write-off", post(api::invoices::write_off))
        .route("/disputes", get(api::disputes::index))
        .route("/coupons", get(api::coupons::index).and_post(api::coupons::create))
        .route("/coupons/{code}", get(api::coupons::show))
        .route("/coupons/{code}/end", post(api::coupons::end))
        .route("/contests", get(api::contests::index).and_post(api::contests::open))
        .route("/contests/{id}/decision", post(api::contests::decide))
        .route("/billing/close", post(api::billing::close))
        .route("/billing/preview/{instance}", get(api::billing::preview_bill))
        .route("/billing/check", post(api::billing::check))
        .route("/billing/differences", get(api::billing::differences))
        .route("/billing/margins", get(api::margins::show))
        .route("/backups", get(api::backups::index).and_post(api::backups::create))
        .route("/backups/proofs", get(api::backups::list_proofs))
        .route("/backups/{backup}", get(api::backups::show))
        .route("/backups/{backup}/verify", post(api::backups::verify))
        .route("/backups/{backup}/restore", post(api::backups::put_back))
        .route("/messages", get(api::messages::index))
        .route("/messages/{id}/retry", post(api::messages::retry))
        .route("/isolation", get(api::isolation::index))
        .route("/isolation/rounds", post(api::isolation::begin))
        .route("/isolation/rounds/{id}", get(api::isolation::show))
        .route("/pool", get(api::pool::show))
        .route("/providers", get(api::providers::index))
        .route("/providers/sweep", post(api::providers::sweep))
        .route("/providers/findings", get(api::providers::findings))
        .route("/providers/findings/{id}", get(api::providers::finding))
        .route("/providers/findings/{id}/repair", post(api::providers::repair))
        .route("/workflows", get(api::workflows::index))
        .route("/workflows/{id}", get(api::workflows::show))
        .route("/workflows/{id}/retry", post(api::workflows::retry))
        .route("/workflows/{id}/abandon", post(api::workflows::abandon))
        .route("/alerts", get(api::alerts::index))
        .route("/alerts/{id}/acknowledge", post(api::alerts::acknowledge))
        .route("/alerts/{id}/silence", post(api::alerts::silence))
        .route("/alerts/{id}/resolve", post(api::alerts::resolve))
        .route("/incidents", get(api::incidents::index).and_post(api::incidents::open))
        .route("/incidents/{id}", get(api::incidents::show))
        .route("/incidents/{id}/updates", post(api::incidents::update))
        .route("/audit-events", get(api::audit::index))
        .route("/activity", post(api::activity::report))
        .route("/activity/emergency", post(api::activity::emergency))
        .route("/activity/members", get(api::activity::members))
        .route("/model/chat/completions", post(api::model::complete))
        .route("/model/models", get(api::model::index))
        .route("/model/usage", get(api::model::usage))
        .fallback(api::not_found)
        .method_not_allowed_fallback(api::method_not_allowed)
}

fn about_growth() -> Router<App> {
    Router::new()
        .route("/search", get(api::search::find))
        .route("/analytics", get(api::analytics::show))
        .route("/analytics/csv", get(api::analytics::as_csv))
        .route("/spend", get(api::spend::index).and_post(api::spend::add))
        .route("/spend/{id}/take-back", post(api::spend::take_back))
        .route("/suppressions", get(api::suppressions::index).and_post(api::suppressions::add))
}

fn about_instances() -> Router<App> {
    Router::new()
        .route("/instances", get(api::instances::index).and_post(api::instances::create))
        .route("/instances/{instance}", get(api::instances::show).and_delete(api::instances::remove))
        .route("/instances/{instance}/deletion", delete(api::instances::take_deletion_back))
        .route("/instances/{instance}/suspend", post(api::instances::suspend))
        .route("/instances/{instance}/resume", post(api::instances::resume))
        .route("/instances/{instance}/rename", post(api::instances::rename))
        .route("/instances/{instance}/copies", post(api::instances::copy))
        .route("/instances/{instance}/moves", post(api::moves::create).and_delete(api::moves::take_back))
        .route("/instances/{instance}/moves/confirmation", post(api::moves::confirm))
        .route(
            "/instances/{instance}/cancellation",
            get(api::cancellation::show).and_post(api::cancellation::request).and_delete(api::cancellation::take_back),
        )
        .route("/instances/{instance}/export", get(api::cancellation::download))
        .route(
            "/instances/{instance}/access",
            put(api::instances::give_own_access).and_delete(api::instances::give_shared_access),
        )
        .route(
            "/instances/{instance}/support-access",
            get(api::support_access::index).and_post(api::support_access::ask).and_delete(api::support_access::end),
        )
        .route("/instances/{instance}/members", get(api::members::index).and_post(api::members::add))
        .route("/instances/{instance}/members/{email}", delete(api::members::remove))
        .route("/instances/{instance}/usage", get(api::usage::show))
        .route("/instances/{instance}/usage/waive", post(api::contests::waive))
        .route("/instances/{instance}/usage/hours/{hour}", get(api::usage::hour))
        .route("/instances/{instance}/spending", get(api::spending::show))
        .route("/instances/{instance}/spending/cap", put(api::spending::set_cap).and_delete(api::spending::remove_cap))
        .route(
            "/instances/{instance}/spending/budget",
            put(api::spending::set_budget).and_delete(api::spending::remove_budget),
        )
        .route("/instances/{instance}/updates", get(api::updates::show).and_put(api::updates::change))
        .route("/instances/{instance}/health", get(api::health::show))
        .route("/instances/{instance}/logs", get(api::instances::logs))
}

fn about_tickets() -> Router<App> {
    Router::new()
        .route("/tickets", get(api::tickets::index).and_post(api::tickets::open))
        .route("/tickets/figures", get(api::tickets::show_figures))
        .route("/tickets/{ticket}", get(api::tickets::show))
        .route("/tickets/{ticket}/answers", post(api::tickets::answer))
        .route("/tickets/{ticket}/notes", post(api::tickets::note))
        .route("/tickets/{ticket}/assignee", put(api::tickets::assign))
        .route("/tickets/{ticket}/close", post(api::tickets::close))
        .route("/tickets/{ticket}/attachments/{file}", get(api::tickets::attachment))
        .route("/canned-answers", get(api::tickets::canned_answers).and_post(api::tickets::keep_canned_answer))
        .route("/canned-answers/{answer}", delete(api::tickets::remove_canned_answer))
}

fn about_releases() -> Router<App> {
    Router::new()
        .route("/releases", get(api::releases::index).and_post(api::releases::create))
        .route("/releases/{version}", get(api::releases::show))
        .route("/releases/{version}/promote", post(api::releases::promote))
        .route("/releases/{version}/withdraw", post(api::releases::withdraw))
        .route("/releases/{version}/proofs", post(api::releases::prove))
        .route("/rollouts", get(api::rollouts::index).and_post(api::rollouts::start))
        .route("/rollouts/{id}", get(api::rollouts::show))
        .route("/rollouts/{id}/units", get(api::rollouts::units))
        .route("/rollouts/{id}/units/{instance}/skip", post(api::rollouts::skip))
        .route("/rollouts/{id}/pause", post(api::rollouts::pause))
        .route("/rollouts/{id}/resume", post(api::rollouts::resume))
        .route("/rollouts/{id}/cancel", post(api::rollouts::cancel))
        .route("/rollouts/{id}/roll-back", post(api::rollouts::roll_back))
}
