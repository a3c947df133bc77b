use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use pages::{Area, Docs, Landing, Legal, LegalText, NotFound, Pricing, Security, Walls};

use super::{PageError, shell};
use crate::app::App;
use crate::person::Person;
use crate::{backups, isolation};

pub(crate) async fn landing(State(app): State<App>, person: Option<Person>) -> Html<String> {
    let shell = shell(&app, Area::Site, "Welcome", person.as_ref());
    Html(Landing::new(shell, app.settings.plan.clone()).render())
}

pub(crate) async fn pricing(State(app): State<App>, person: Option<Person>) -> Html<String> {
    let shell = shell(&app, Area::Site, "Pricing", person.as_ref());
    Html(Pricing { shell, plan: app.settings.plan.clone() }.render())
}

/// What keeps customers apart, and what was last seen of it.
pub(crate) async fn security(State(app): State<App>, person: Option<Person>) -> Result<Html<String>, PageError> {
    let walls = isolation::store::last_sum(&app.db).await?.map(|(sum, ended_at)| Walls {
        refused: sum.refused,
        got_in: sum.admitted,
        proven: sum.proven,
        tried: sum.tried,
        of: sum.instances,
        ended_at,
    });
    let restore = backups::proofs::store::last_proven(&app.db).await?;
    let shell = shell(&app, Area::Site, "Security", person.as_ref());
    Ok(Html(Security { shell, walls, restore, backs_up: backups::possible(&app).is_ok() }.render()))
}

pub(crate) async fn terms(state: State<App>, person: Option<Person>) -> Html<String> {
    legal(state, person, LegalText::Terms)
}

pub(crate) async fn privacy(state: State<App>, person: Option<Person>) -> Html<String> {
    legal(state, person, LegalText::Privacy)
}

pub(crate) async fn acceptable_use(state: State<App>, person: Option<Person>) -> Html<String> {
    legal(state, person, LegalText::AcceptableUse)
}

pub(crate) async fn billing_agreement(state: State<App>, person: Option<Person>) -> Html<String> {
    legal(state, person, LegalText::BillingAgreement)
}

fn legal(State(app): State<App>, person: Option<Person>, text: LegalText) -> Html<String> {
    let shell = shell(&app, Area::Site, text.title(), person.as_ref());
    Html(Legal { shell, text, plan: app.settings.plan.clone() }.render())
}

pub(crate) async fn getting_started(State(app): State<App>, person: Option<Person>) -> Html<String> {
    let shell = shell(&app, Area::Site, "Getting started", person.as_ref());
    Html(Docs { shell, plan: app.settings.plan.clone() }.render())
}

pub(crate) async fn asset(State(app): State<App>, Path(file): Path<String>, request: HeaderMap) -> Response {
    let Some(asset) = app.settings.brand.asset(&format!("/assets/{file}")) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if request.get(header::IF_NONE_MATCH).is_some_and(|etag| etag.as_bytes() == asset.etag.as_bytes()) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    // The name holds a hash of the content, so the content under it never changes.
    let headers = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::ETAG, asset.etag.as_str()),
    ];
    (headers, asset.bytes.clone()).into_response()
}

pub(crate) async fn not_found(State(app): State<App>, person: Option<Person>) -> Response {
    let page = NotFound { shell: shell(&app, Area::Site, "Not found", person.as_ref()) };
    (StatusCode::NOT_FOUND, Html(page.render())).into_response()
}

/// The keys with which guards verify who comes in.
pub(crate) async fn key_set(State(app): State<App>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], app.gate.key_set_json()).into_response()
}

/// Whether the main instance can do its work: it can when its store answers.
pub(crate) async fn health(State(app): State<App>) -> Response {
    let (status, state) = match app.db.ping().await {
        Ok(()) => (StatusCode::OK, api::HealthState::Ok),
        Err(error) => {
            tracing::error!("The store does not answer: {error}");
            (StatusCode::SERVICE_UNAVAILABLE, api::HealthState::Unavailable)
        }
    };
    let version = env!("CARGO_PKG_VERSION").to_owned();
    (status, axum::Json(api::HealthReport { status: state, version })).into_response()
}
