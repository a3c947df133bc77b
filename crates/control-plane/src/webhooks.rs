//! What others tell by themselves. Of providers it is believed nothing but that somebody should look at once; mail for support
//! is believed whoever hands it over, since that proves itself by a signature.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use providers::payments::{Collects, NotGenuine};
use providers::resources::Resources;
use providers::webhook::Signed;
use serde::{Deserialize, Serialize};

use crate::api::Refusal;
use crate::app::App;
use crate::error::{AppError, refused};
use crate::payment_events::{self, Way};
use crate::tickets::inbound::{self, Outcome, read};
use crate::{instances, tokens};

/// More than any event has.
pub(crate) const LARGEST_BODY: usize = 1 << 20;

/// An event of the payment provider's, signed by it.
pub(crate) async fn stripe(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<StatusCode, Refusal> {
    let payments = &app.drivers.payments;
    if payments.collects() == Collects::Form {
        return Err(AppError::NotFound.into());
    }
    let signature = headers.get("stripe-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let event = match payments.read_event(signature, &body, app.clock.now()) {
        Ok(event) => event,
        Err(NotGenuine(why)) => {
            tracing::warn!(webhook = "stripe", "A webhook was refused: {why}");
            let next = "Compare the webhook secret in the settings with the one of the provider's endpoint.";
            return Err(refused(400, &format!("This is no genuine event: {why}"), next).into());
        }
    };
    if payment_events::accept(&app, &event, Way::Webhook).await? {
        app.engine.wake();
    }
    Ok(StatusCode::OK)
}

/// What Railway says of a deployment, as far as it is used: it is not signed, so it is believed nothing.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    resource: Resource,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resource {
    project: Project,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Project {
    id: Option<String>,
    name: Option<String>,
}

/// Something changed in a project at the compute provider; what, is read from its API.
pub(crate) async fn railway(
    State(app): State<App>,
    Path(secret): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    if !tokens::is_railway_webhook_secret(&app.sealer, &secret) {
        tracing::warn!(webhook = "railway", "A webhook was refused: its address holds another secret");
        return Err(AppError::NotFound.into());
    }
    let told: Told = serde_json::from_slice(&body).unwrap_or_default();
    if let Some(instance) = instance_of(&app, &told.resource.project).await? {
        let mut tx = app.db.begin().await?;
        workflow::nudge(&mut tx, &instance.to_string(), app.clock.now()).await?;
        tx.commit().await?;
        app.engine.wake();
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What became of a mail.
#[derive(Serialize)]
pub(crate) struct Taken {
    /// `opened` a ticket, was `added` to one, came before (`known`), or was `ignored`.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<domain::TicketId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
}

/// A mail to support, from whoever receives mail for us: whole (`message/rfc822`), or taken apart (`application/json`).
pub(crate) async fn mail(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<axum::Json<Taken>, Refusal> {
    let Some(receiver) = &app.settings.support.mail else { return Err(AppError::NotFound.into()) };
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let signed = Signed {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
    };
    if let Err(NotGenuine(why)) = receiver.check(signed, &body, app.clock.now()) {
        tracing::warn!(webhook = "mail", "A mail was refused: {why}");
        let next = "Sign it with the webhook secret of [support] in the settings, as the guide shows it.";
        return Err(refused(400, &format!("This is no genuine mail: {why}"), next).into());
    }
    let form = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mail = match form.split(';').next().unwrap_or_default().trim() {
        "message/rfc822" => read::whole(&body)?,
        "application/json" => read::parts(&body)?,
        _ => {
            let next = "Send a whole mail as message/rfc822, or one taken apart as application/json.";
            return Err(refused(415, "A mail does not come in this form", next).into());
        }
    };
    let (outcome, ticket, why) = match inbound::take(&app, mail).await? {
        Outcome::Opened(ticket) => ("opened", Some(ticket), None),
        Outcome::Added(ticket) => ("added", Some(ticket), None),
        Outcome::Known(ticket) => ("known", Some(ticket), None),
        Outcome::Ignored(why) => ("ignored", None, Some(why)),
    };
    Ok(axum::Json(Taken { outcome, ticket, why }))
}

async fn instance_of(app: &App, project: &Project) -> Result<Option<domain::InstanceId>, AppError> {
    if let Some(name) = &project.name {
        return Ok(instances::store::find_by_reference(&app.db, name).await?.map(|instance| instance.id));
    }
    let Some(id) = &project.id else { return Ok(None) };
    let same = |thing: &providers::resources::Resource| thing.made.as_ref().is_some_and(|made| made.id == *id);
    for file in app.drivers.compute.files() {
        let made = Resources::new(app.db.clone(), app.clock.clone(), file).of_kind("project").await?;
        if let Some(found) = made.into_iter().find(same) {
            return Ok(Some(found.instance));
        }
    }
    Ok(None)
}
