use api::{
    Access, AccessApplication, AskedDeletion, CopyInstance, DeleteInstance, DeletionAccepted, Health, IdentityProvider,
    Instance, InstanceAccepted, NewAccess, NewInstance, OidcClient, RemovalRecord, Removed, RenameInstance,
    SuspendInstance, WorkflowAccepted,
};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use domain::{InstanceState, WorkflowId};
use serde::Deserialize;

use super::{Json, Listing, Query, Refusal};
use crate::analytics::leavings::Farewell;
use crate::app::App;
use crate::error::{AppError, refused};
use crate::instances::access::{Wanted, own, shared_access};
use crate::instances::delete::{Requested, Start};
use crate::instances::{self, copy, delete, deletion, moves, rename, suspension};
use crate::person::Program;
use crate::signup::{NewSignup, SignupError, sign_up};

const MOST_LINES: usize = 10_000;

pub(crate) async fn index(
    State(app): State<App>,
    _: Program,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<api::Page<Instance>>, Refusal> {
    let state = match listing.state.as_deref() {
        Some(word) => Some(InstanceState::parse(word).map_err(|error| {
            refused(422, &error.to_string(), "Use one of the states that /api/v1/openapi.json lists.")
        })?),
        None => None,
    };
    let found = instances::store::list(&app.db, state, listing.cursor.as_deref(), listing.limit()).await?;
    let mut data = Vec::new();
    for instance in &found {
        data.push(view(&app, instance).await?);
    }
    Ok(listing.page(data, |instance| instance.id.to_string()))
}

pub(crate) async fn create(
    State(app): State<App>,
    _: Program,
    headers: HeaderMap,
    Json(new): Json<NewInstance>,
) -> Result<(StatusCode, axum::Json<InstanceAccepted>), Refusal> {
    let key = headers.get(api::IDEMPOTENCY_KEY).and_then(|key| key.to_str().ok());
    let order = NewSignup {
        // Until the customer says how to be called.
        name: new.customer_email.to_string(),
        email: new.customer_email,
        company: None,
        subdomain: new.subdomain.clone(),
        agreed: false,
        card: None,
        coupon: None,
        // Kept apart from the keys of signup forms.
        key: key.map(|key| format!("api {key}")),
        copy_of: None,
        by: Program::NAME.to_owned(),
    };
    let accepted = sign_up(&app, &order).await.map_err(SignupError::refusal)?;
    let url = app.instance_url(&new.subdomain);
    let answer = InstanceAccepted { id: accepted.instance, workflow_id: accepted.workflow, url };
    Ok((StatusCode::ACCEPTED, axum::Json(answer)))
}

pub(crate) async fn show(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
) -> Result<axum::Json<Instance>, Refusal> {
    let instance = find(&app, &reference).await?;
    let mut view = view(&app, &instance).await?;
    if instance.state == InstanceState::Deleted {
        let removed = instances::store::removals(&app.db, instance.id).await?;
        view.removal = Some(RemovalRecord {
            requested_by: instance.deletion_requested_by.clone().unwrap_or_default(),
            finished_at: instance.changed_at,
            removed: removed.into_iter().map(|(entry, _)| Removed { kind: entry.kind, name: entry.name }).collect(),
        });
    }
    Ok(axum::Json(view))
}

pub(crate) async fn remove(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
    Json(asked): Json<DeleteInstance>,
) -> Result<(StatusCode, axum::Json<DeletionAccepted>), Refusal> {
    let instance = find(&app, &reference).await?;
    let farewell = Farewell::of(asked.reason, asked.comment.as_deref());
    let start = if asked.now { Start::AtOnce } else { Start::InDueTime };
    let accepted = match delete::request(&app, &instance, &asked.confirm, start, &farewell, Program::NAME).await? {
        Requested::Begun(id) => DeletionAccepted { workflow_id: Some(id), deleted_at: None },
        Requested::Waits(waiting) => DeletionAccepted { workflow_id: None, deleted_at: Some(waiting.due_at) },
    };
    Ok((StatusCode::ACCEPTED, axum::Json(accepted)))
}

pub(crate) async fn take_deletion_back(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
) -> Result<axum::Json<Instance>, Refusal> {
    let instance = find(&app, &reference).await?;
    deletion::take_back(&app, &instance, Program::NAME).await?;
    let instance = find(&app, &instance.id.to_string()).await?;
    Ok(axum::Json(view(&app, &instance).await?))
}

pub(crate) async fn suspend(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
    Json(why): Json<SuspendInstance>,
) -> Result<(StatusCode, axum::Json<WorkflowAccepted>), Refusal> {
    let instance = find(&app, &reference).await?;
    let workflow_id = suspension::suspend(&app, &instance, &why.reason, Program::NAME).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(WorkflowAccepted { workflow_id })))
}

pub(crate) async fn resume(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
) -> Result<(StatusCode, axum::Json<WorkflowAccepted>), Refusal> {
    let instance = find(&app, &reference).await?;
    let workflow_id = suspension::resume(&app, &instance, Program::NAME).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(WorkflowAccepted { workflow_id })))
}

pub(crate) async fn rename(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
    Json(wanted): Json<RenameInstance>,
) -> Result<(StatusCode, axum::Json<WorkflowAccepted>), Refusal> {
    let instance = find(&app, &reference).await?;
    let workflow_id = rename::request(&app, &instance, &wanted.subdomain, Program::NAME).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(WorkflowAccepted { workflow_id })))
}

pub(crate) async fn copy(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
    headers: HeaderMap,
    Json(new): Json<CopyInstance>,
) -> Result<(StatusCode, axum::Json<InstanceAccepted>), Refusal> {
    let source = find(&app, &reference).await?;
    let key = headers.get(api::IDEMPOTENCY_KEY).and_then(|key| key.to_str().ok());
    let wanted = copy::Wanted {
        subdomain: new.subdomain.clone(),
        backup: new.backup,
        agreed: false,
        key: key.map(|key| format!("api {key}")),
        by: Program::NAME.to_owned(),
    };
    let accepted = copy::request(&app, &source, wanted).await?;
    let url = app.instance_url(&new.subdomain);
    let answer = InstanceAccepted { id: accepted.instance, workflow_id: accepted.workflow, url };
    Ok((StatusCode::ACCEPTED, axum::Json(answer)))
}

pub(crate) async fn give_own_access(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
    Json(new): Json<NewAccess>,
) -> Result<(StatusCode, axum::Json<WorkflowAccepted>), Refusal> {
    let instance = find(&app, &reference).await?;
    let wanted = match new.identity_provider {
        IdentityProvider::Existing(reference) => Wanted::Existing(reference),
        IdentityProvider::Oidc(OidcClient { issuer, client_id, client_secret }) => {
            Wanted::Oidc { issuer, client_id, client_secret }
        }
    };
    let workflow_id = own::request(&app, &instance, wanted, Program::NAME).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(WorkflowAccepted { workflow_id })))
}

pub(crate) async fn give_shared_access(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
) -> Result<(StatusCode, axum::Json<WorkflowAccepted>), Refusal> {
    let instance = find(&app, &reference).await?;
    let workflow_id = shared_access::request(&app, &instance, Program::NAME).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(WorkflowAccepted { workflow_id })))
}

#[derive(Deserialize)]
pub(crate) struct Tail {
    lines: Option<usize>,
}

pub(crate) async fn logs(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
    Query(tail): Query<Tail>,
) -> Result<String, Refusal> {
    let instance = find(&app, &reference).await?;
    Ok(app.drivers.compute.logs(&instance.project, tail.lines.unwrap_or(100).min(MOST_LINES)).await?)
}

pub(super) async fn find(app: &App, reference: &str) -> Result<instances::Instance, AppError> {
    let found = instances::store::find_by_reference(&app.db, reference).await?;
    found.ok_or_else(|| {
        let next = "Give an id, a project name or a subdomain; `spinoff instances list` shows all.";
        refused(404, &format!("There is no instance {reference}"), next)
    })
}

async fn view(app: &App, instance: &instances::Instance) -> Result<Instance, AppError> {
    let workflows = workflow::of_subject(&app.db, &instance.id.to_string()).await?;
    let latest = workflows.first().and_then(|record| WorkflowId::parse(&record.id).ok());
    let observed = instance.observed.as_ref();
    let (home, last_move) = moves::view::of(app, instance).await?.map(super::moves::of).unzip();
    Ok(Instance {
        id: instance.id,
        project: instance.project.clone(),
        subdomain: instance.subdomain.clone(),
        next_subdomain: instance.next_subdomain.clone(),
        copied_from: instance.copied_from,
        url: app.instance_url(&instance.subdomain),
        customer_id: instance.customer,
        customer_email: instance.customer_email.clone(),
        state: instance.state,
        health: observed.map(|observed| health(observed.observation.health)),
        observed_at: observed.map(|observed| observed.observation.at),
        observed_by: observed.map(|observed| observed.by.clone()),
        release: observed.and_then(|observed| observed.observation.version.clone()),
        created_at: instance.created_at,
        workflow_id: latest,
        suspended_because: instance.suspended_because.clone(),
        deletion: deletion::of(app, instance).await?.map(|waiting| AskedDeletion {
            asked_at: waiting.asked_at,
            asked_by: waiting.asked_by,
            deleted_at: waiting.due_at,
        }),
        access: access(app, instance).await?,
        home,
        last_move: last_move.flatten(),
        removal: None,
    })
}

async fn access(app: &App, instance: &instances::Instance) -> Result<Option<Access>, AppError> {
    if instance.state.is_over() {
        return Ok(None);
    }
    let Some(own) = instances::access::standing(app, instance.id).await? else { return Ok(None) };
    let application = if own.is_some() { AccessApplication::Own } else { AccessApplication::Shared };
    let changing = instances::access::is_changing(app, instance.id).await?;
    Ok(Some(Access { application, identity_provider: own.map(|own| own.identity_provider), changing }))
}

fn health(seen: providers::compute::Health) -> Health {
    use providers::compute::Health as Seen;
    match seen {
        Seen::Starting => Health::Starting,
        Seen::Ok => Health::Ok,
        Seen::Busy => Health::Busy,
        Seen::Down => Health::Down,
        Seen::Asleep => Health::Asleep,
        Seen::Unknown => Health::Unknown,
    }
}
