use axum::extract::{Form, Path, Query, State};
use axum::response::{Html, Redirect};
use domain::{InstanceId, InstanceState, OperatorRole, Subdomain};
use fleet::Stage;
use jiff::SignedDuration;
use pages::WindowForm;
use pages::console::{ConsoleInstance, ConsoleInstances, Fact, InstanceMemberRow, InstanceRow, UpdatesCard};
use serde::Deserialize;

use super::releases::is_owner;
use super::workflows::workflow_rows;
use super::{Listing, PAGE, console_shell, next};
use crate::analytics::leavings::Farewell;
use crate::app::App;
use crate::error::{AppError, refused};
use crate::instances::{self, Instance, cancellation, copy, deletion, suspension};
use crate::members;
use crate::model;
use crate::person::{Owner, Person, Reader, Supporter};
use crate::portal::moves::{Shown, lives_in};
use crate::portal::observed;
use crate::releases;
use crate::rollouts;
use crate::rollouts::agreement::{self, Changes};
use crate::site::PageError;
use crate::support_access;
use crate::text::capital;

const LOG_LINES: usize = 100;

pub(crate) async fn index(
    State(app): State<App>,
    Reader(person): Reader,
    Query(listing): Query<Listing>,
) -> Result<Html<String>, PageError> {
    let state = listing.state.as_deref().and_then(|word| InstanceState::parse(word).ok());
    let found = instances::store::list(&app.db, state, listing.cursor.as_deref(), PAGE).await?;
    let last = found.last().map(|instance| instance.id.to_string());
    let next = next("/admin/instances", state.map(InstanceState::as_str), last, found.len());
    let instances = found.iter().map(|instance| instance_row(&app, instance)).collect();
    Ok(Html(ConsoleInstances { shell: console_shell(&app, "Instances", &person), instances, next }.render()))
}

pub(crate) async fn show(
    State(app): State<App>,
    Reader(person): Reader,
    Path(id): Path<String>,
) -> Result<Html<String>, PageError> {
    let instance = find(&app, &id).await?;
    let id = instance.id;
    let members = members::store::list(&app.db, id).await?.into_iter().map(|member| InstanceMemberRow {
        member: member.email.to_string(),
        role: member.role,
        added_at: member.added_at,
    });
    let workflows = workflow::of_subject(&app.db, &id.to_string()).await?;
    let log = app.drivers.compute.logs(&instance.project, LOG_LINES).await.unwrap_or_else(|error| error.to_string());
    let page = ConsoleInstance {
        shell: console_shell(&app, instance.project.as_str(), &person),
        instance: instance_row(&app, &instance),
        health: crate::health::view::of(&app, &instance).await?,
        url: app.instance_url(&instance.subdomain),
        facts: facts(&app, &instance).await?,
        members: members.collect(),
        updates: updates(&app, &instance, &person).await?,
        lives_in: lives_in(&app, &instance, Shown::WithReasons).await?,
        workflows: workflow_rows(&app, &workflows).await?,
        subdomain: instance.subdomain.to_string(),
        is_cancelled: cancellation::of(&app, &instance).await?.is_some(),
        is_to_be_deleted: deletion::of(&app, &instance).await?.is_some(),
        support: support_access::report::rows(&app, id).await?,
        support_state: support_access::store::open_of(&app.db, id).await?.map(|open| open.word().to_owned()),
        log_tail: log.lines().map(str::to_owned).collect(),
    };
    Ok(Html(page.render()))
}

/// What is said to a customer: why the instance is suspended, or why support asks to enter.
#[derive(Deserialize)]
pub(crate) struct Why {
    reason: String,
}

pub(crate) async fn suspend(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
    Form(why): Form<Why>,
) -> Result<Redirect, PageError> {
    let instance = find(&app, &id).await?;
    let workflow = suspension::suspend(&app, &instance, &why.reason, person.email.as_str()).await?;
    Ok(Redirect::to(&format!("/admin/workflows/{workflow}")))
}

pub(crate) async fn resume(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    let instance = find(&app, &id).await?;
    let workflow = suspension::resume(&app, &instance, person.email.as_str()).await?;
    Ok(Redirect::to(&format!("/admin/workflows/{workflow}")))
}

/// Asks the customer, who reads the reason. Gives nobody anything.
pub(crate) async fn ask_for_access(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
    Form(why): Form<Why>,
) -> Result<Redirect, PageError> {
    let instance = find(&app, &id).await?;
    support_access::ask(&app, &instance, &why.reason, person.email.as_str()).await?;
    Ok(Redirect::to(&format!("/admin/instances/{id}")))
}

pub(crate) async fn end_access(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    let instance = find(&app, &id).await?;
    support_access::end(&app, &instance, person.email.as_str()).await?;
    Ok(Redirect::to(&format!("/admin/instances/{id}")))
}

/// The subdomain, to say that it is meant.
#[derive(Deserialize)]
pub(crate) struct Confirmation {
    confirmation: String,
}

impl Confirmation {
    pub(super) fn typed(&self) -> &str {
        &self.confirmation
    }
}

/// For a customer who asked for it in another way.
pub(crate) async fn cancel(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
    Form(form): Form<Confirmation>,
) -> Result<Redirect, PageError> {
    let instance = find(&app, &id).await?;
    let farewell = Farewell::default();
    cancellation::request(&app, &instance, &form.confirmation, &farewell, person.email.as_str()).await?;
    Ok(Redirect::to(&format!("/admin/instances/{id}")))
}

pub(crate) async fn take_back(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    let instance = find(&app, &id).await?;
    if cancellation::of(&app, &instance).await?.is_some() {
        cancellation::take_back(&app, &instance, person.email.as_str()).await?;
    }
    Ok(Redirect::to(&format!("/admin/instances/{id}")))
}

pub(crate) async fn take_deletion_back(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    let instance = find(&app, &id).await?;
    if deletion::of(&app, &instance).await?.is_some() {
        deletion::take_back(&app, &instance, person.email.as_str()).await?;
    }
    Ok(Redirect::to(&format!("/admin/instances/{id}")))
}

/// How a copy is to be called.
#[derive(Deserialize)]
pub(crate) struct CopyAs {
    #[serde(default)]
    subdomain: String,
}

/// For a customer who asked for it.
pub(crate) async fn copy(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
    Form(form): Form<CopyAs>,
) -> Result<Redirect, PageError> {
    let source = find(&app, &id).await?;
    let subdomain = Subdomain::parse(&form.subdomain)
        .map_err(|error| refused(422, &capital(&error.to_string()), "Go back and enter another name."))?;
    let by = person.email.to_string();
    let wanted = copy::Wanted { subdomain, backup: None, agreed: false, key: None, by };
    let accepted = copy::request(&app, &source, wanted).await?;
    Ok(Redirect::to(&format!("/admin/workflows/{}", accepted.workflow)))
}

/// A stage, by its word.
#[derive(Deserialize)]
pub(crate) struct InStage {
    #[serde(default)]
    stage: String,
}

pub(crate) async fn move_to_stage(
    State(app): State<App>,
    Owner(person): Owner,
    Path(id): Path<String>,
    Form(form): Form<InStage>,
) -> Result<Redirect, PageError> {
    let stage = Stage::parse(&form.stage).map_err(|error| refused(422, &error.to_string(), "Choose one of them."))?;
    agree(&app, &person, &id, Changes { stage: Some(stage), ..Changes::default() }).await
}

/// For how long an instance stays at what it runs, and why.
#[derive(Deserialize)]
pub(crate) struct PinFor {
    #[serde(default)]
    days: String,
    #[serde(default)]
    reason: String,
}

pub(crate) async fn pin(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
    Form(form): Form<PinFor>,
) -> Result<Redirect, PageError> {
    let days: u16 = form.days.trim().parse().map_err(|_| {
        refused(422, &format!("{:?} is no number of days", form.days), "Enter for how many days it stays, 1 to 180.")
    })?;
    let until = app.clock.now() + SignedDuration::from_hours(24 * i64::from(days));
    agree(&app, &person, &id, Changes { pin: Some(Some((until, form.reason))), ..Changes::default() }).await
}

pub(crate) async fn unpin(
    State(app): State<App>,
    Supporter(person): Supporter,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    agree(&app, &person, &id, Changes { pin: Some(None), ..Changes::default() }).await
}

async fn agree(app: &App, person: &Person, id: &str, changes: Changes) -> Result<Redirect, PageError> {
    let instance = find(app, id).await?;
    agreement::agree(app, &instance, changes, person.email.as_str()).await?;
    Ok(Redirect::to(&format!("/admin/instances/{id}#updates")))
}

/// What it runs, what waits, and what was agreed.
async fn updates(app: &App, instance: &Instance, person: &Person) -> Result<UpdatesCard, AppError> {
    let now = app.clock.now();
    let mut facts = Vec::new();
    let mut fact = |label: &str, value: String| facts.push(Fact { label: label.to_owned(), value });
    let agreed = agreement::find(&app.db, instance.id).await?;
    match releases::store::run_since(&app.db, instance.id).await? {
        Some((version, since)) => fact("Is to run", format!("{version}, since {since}")),
        None => fact("Is to run", "nothing yet".to_owned()),
    }
    if let Some((rollout, unit)) = rollouts::store::of_instance(&app.db, instance.id, 1).await?.pop() {
        let why = unit.why.map(|why| format!(": {why}")).unwrap_or_default();
        fact("Last rollout", format!("{}, {}{why}", rollout.version, unit.state));
    }
    if let Some(pin) = agreed.rules.pinned(now) {
        fact("Pinned", format!("until {}: {}", pin.until, pin.because));
    }
    if let Some(window) = &agreed.rules.window {
        let form = WindowForm { now: Some(window.clone()), ..WindowForm::default() };
        fact("Its customer wants updates", form.in_words().unwrap_or_default());
    }
    if let Some(until) = agreed.rules.deferred_until.filter(|until| *until > now) {
        fact("Put off by its customer until", until.to_string());
    }
    Ok(UpdatesCard {
        facts,
        stage: agreed.stage,
        is_pinned: agreed.rules.pinned(now).is_some(),
        may_pin: person.role >= Some(OperatorRole::Support),
        may_move: is_owner(person),
    })
}

pub(super) async fn find(app: &App, id: &str) -> Result<Instance, AppError> {
    let id = InstanceId::parse(id).map_err(|_| AppError::NotFound)?;
    instances::store::find(&app.db, id).await?.ok_or(AppError::NotFound)
}

async fn facts(app: &App, instance: &Instance) -> Result<Vec<Fact>, AppError> {
    let mut facts = Vec::new();
    let mut fact = |label: &str, value: String| facts.push(Fact { label: label.to_owned(), value });
    fact("Asked for", instance.created_at.to_string());
    fact("In this state since", instance.changed_at.to_string());
    if let Some(next) = &instance.next_subdomain {
        fact("Moves to", app.shown_hostname(next));
    }
    if let Some(source) = instance.copied_from {
        fact("Copied from", source.to_string());
    }
    let former = instances::names::store::former(app.db.read(), instance.id).await?;
    if !former.is_empty() {
        let names: Vec<_> = former.iter().map(ToString::to_string).collect();
        fact("Keeps the names", names.join(", "));
    }
    fact("Serial of the member list", instance.members_serial.to_string());
    if !instance.state.is_over() {
        match instances::access::standing(app, instance.id).await? {
            Some(Some(own)) => fact("Access application", format!("its own, with {}", own.identity_provider)),
            Some(None) => fact("Access application", "the shared one".to_owned()),
            None => {}
        }
    }
    if let Some(standing) = model::report::standing(app, instance.id).await? {
        fact("Included AI this month", standing.in_words());
    }
    if let Some(observed) = &instance.observed {
        fact("Runs version", observed.observation.version.clone().unwrap_or_else(|| "unknown".to_owned()));
        if let Some(detail) = &observed.observation.detail {
            fact("Last word", detail.clone());
        }
    }
    if let Some(reason) = &instance.suspended_because {
        fact("Suspended because", reason.clone());
    }
    if let Some(kept) = cancellation::of(app, instance).await? {
        fact("Cancelled", format!("at {} by {}", kept.requested_at, kept.requested_by));
        if let Some(until) = kept.state.until() {
            fact(if kept.state.has_ended() { "Ended at" } else { "Ends at" }, until.start().to_string());
        }
        if let Some(kept_until) = kept.state.kept_until() {
            fact("Data is kept until", kept_until.to_string());
        }
    }
    if let Some(waiting) = deletion::of(app, instance).await? {
        fact("Deletion asked for", format!("at {} by {}", waiting.asked_at, waiting.asked_by));
        fact("Is deleted at", waiting.due_at.to_string());
    }
    if let Some(by) = &instance.deletion_requested_by {
        fact("Deletion asked for by", by.clone());
    }
    for (removed, at) in instances::store::removals(&app.db, instance.id).await? {
        fact("Removed", format!("{} {} at {at}", removed.kind, removed.name));
    }
    Ok(facts)
}

pub(super) fn instance_row(app: &App, instance: &Instance) -> InstanceRow {
    let observation = instance.observed.as_ref().map(|observed| &observed.observation);
    InstanceRow {
        id: instance.id,
        project: instance.project.to_string(),
        hostname: app.shown_hostname(&instance.subdomain),
        customer: instance.customer_email.to_string(),
        customer_url: format!("/admin/customers/{}", instance.customer),
        state: instance.state,
        observed: observed(instance),
        restarts: observation.map(|observation| observation.restarts),
        memory_bytes: observation.and_then(|observation| observation.memory_bytes),
    }
}
