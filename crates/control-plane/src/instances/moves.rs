//! An instance moves to another home: a region, or another compute driver. What it keeps goes there as a backup, once to see
//! that it runs there, and once more when it rests, so that nothing that is written meanwhile is lost. Then its hostname
//! leads there. The place that it left is kept, at rest, until its owner or the operator confirms; until then it can go back,
//! with everything that was written since. Whatever fails on the way leaves it where it was.
//!
//! A home has a project of its own for an instance (`domain::ProjectName`), so that both places have names while there are
//! two; the instance's row names the one that it lives in, and changing that is the move.
//!
//! - there: `relocate.rs`; back again: `go_back.rs`; what both have in common: `carry.rs`
//! - the place that it left goes: `settle.rs`, once somebody says so: `remind.rs`; what its owner reads of it: `letters.rs`

mod carry;
pub(crate) mod go_back;
mod letters;
pub(crate) mod relocate;
pub(crate) mod remind;
pub(crate) mod settle;
pub(crate) mod store;
pub(crate) mod view;

use ::store::Tx;
use ::store::sqlx::Error;
use domain::{HomeName, InstanceId, InstanceState, MoveEvent, MoveState, ProjectName, WorkflowId};
use jiff::{SignedDuration, Timestamp};
use providers::compute::{Home, Homes};
use serde::{Deserialize, Serialize};
use workflow::{StepError, WorkflowState};

use super::{Instance, holds};
use crate::app::{App, Core};
use crate::audit;
use crate::backups::back_up;
use crate::error::{AppError, refused};
use crate::workflows::{self, Plan};

/// What else works on an instance looks so often whether its move is over.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(1);
/// What an instance keeps may be large, and is packed and unpacked twice.
const TIME_LIMIT: SignedDuration = SignedDuration::from_hours(12);

/// A move as it stands in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Move {
    /// The workflow that began it, which is its name.
    pub id: String,
    pub instance: InstanceId,
    pub from: ProjectName,
    pub to: ProjectName,
    pub state: MoveState,
    pub asked_by: String,
    pub asked_at: Timestamp,
    /// Since when it stands so.
    pub changed_at: Timestamp,
    /// Why the last attempt came to nothing.
    pub why: Option<String>,
}

impl Move {
    /// Of its two places the one that an instance does not live in.
    pub(crate) fn other_than(&self, project: &ProjectName) -> &ProjectName {
        if self.to == *project { &self.from } else { &self.to }
    }
}

/// What its workflows are begun with.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Input {
    /// The move.
    id: Option<String>,
    instance: InstanceId,
    /// Where it lives.
    from: ProjectName,
    to: ProjectName,
    by: String,
}

/// Asks for a move, confirmed by the instance's subdomain. While it is on its way there, asking again gives the workflow that
/// takes it there.
pub(crate) async fn request(
    app: &App,
    instance: &Instance,
    to: &HomeName,
    confirm: &str,
    by: &str,
) -> Result<WorkflowId, AppError> {
    let home = destination(app, instance, to)?;
    back_up::can_be(app, instance)?;
    let name = &instance.subdomain;
    if confirm.trim() != name.as_str() {
        let what = format!("Type {name} to confirm that it shall be closed for a moment, and move.");
        return Err(refused(422, "The confirmation does not match", &what));
    }
    let (subject, project) = (instance.id.to_string(), instance.project.in_home(&home.name));
    let mut tx = app.db.begin().await?;
    let state = holds::store::lock(&mut tx, instance.id).await?;
    if let Some(open) = store::open(&mut tx, instance.id).await? {
        let takes_it = workflow::under_way(&mut tx, relocate::KIND, &subject).await?.is_some();
        match open.state {
            MoveState::Moving if !takes_it => {
                let why = Some("it was given up half-way");
                store::happen(&mut tx, &open.id, MoveEvent::Return, why, app.clock.now()).await?;
            }
            MoveState::Moving if open.to == project => return WorkflowId::parse(&open.id).map_err(AppError::internal),
            _ => return Err(not_while(instance, &open)),
        }
    }
    let lives_in = store::project_of(&mut tx, instance.id).await?.ok_or(AppError::NotFound)?;
    if lives_in == project {
        return Err(refused(409, &format!("{name} lives in {} already", home.label), "There is nothing to move."));
    }
    in_use(instance, state)?;
    refuse_while_others_work(&mut tx, instance).await?;
    let input = Input { id: None, instance: instance.id, from: lives_in, to: project, by: by.to_owned() };
    let plan = Plan { kind: relocate::KIND, time_limit: TIME_LIMIT, subject: &subject };
    let id = workflows::begin(&mut tx, app, &plan, &input).await?;
    store::insert(&mut tx, &id.to_string(), &input, app.clock.now()).await?;
    let detail = format!("from {} to {to}", input.from.home());
    audit::record(&mut tx, app, by, "instance.move_requested", &subject, &detail).await?;
    letters::begins(&mut tx, app, instance, &home.label, &id.to_string()).await?;
    tx.commit().await?;
    app.engine.wake();
    app.mail_waiting.notify_one();
    Ok(id)
}

/// Its owner, or the operator, is content: the place that it left is removed. Asked again, the workflow that does so.
pub(crate) async fn confirm(app: &App, instance: &Instance, by: &str) -> Result<WorkflowId, AppError> {
    let mut tx = app.db.begin().await?;
    let state = holds::store::lock(&mut tx, instance.id).await?;
    let open = store::open(&mut tx, instance.id).await?.ok_or_else(|| nothing_kept(instance))?;
    let subject = instance.id.to_string();
    if open.state == MoveState::Settling
        && let Some(found) = workflow::under_way(&mut tx, settle::KIND, &subject).await?
    {
        drop(tx);
        return go_on(app, found).await;
    }
    if open.state.after(MoveEvent::Confirm).is_none() {
        return Err(not_while(instance, &open));
    }
    if !matches!(state, Some(InstanceState::Active | InstanceState::Suspended)) {
        return Err(nothing_kept(instance));
    }
    let id = begin(&mut tx, app, instance, &open, (settle::KIND, MoveEvent::Confirm), by).await?;
    audit::record(&mut tx, app, by, "instance.move_confirmed", &subject, open.to.home().as_str()).await?;
    tx.commit().await?;
    app.engine.wake();
    Ok(id)
}

/// Its owner, or the operator, wants it back where it was, with everything that was written since. Asked again, the workflow
/// that takes it there.
pub(crate) async fn request_back(app: &App, instance: &Instance, by: &str) -> Result<WorkflowId, AppError> {
    let mut tx = app.db.begin().await?;
    let state = holds::store::lock(&mut tx, instance.id).await?;
    let open = store::open(&mut tx, instance.id).await?.ok_or_else(|| nothing_kept(instance))?;
    let subject = instance.id.to_string();
    if open.state == MoveState::Returning
        && let Some(found) = workflow::under_way(&mut tx, go_back::KIND, &subject).await?
    {
        drop(tx);
        return go_on(app, found).await;
    }
    if open.state.after(MoveEvent::GoBack).is_none() {
        return Err(not_while(instance, &open));
    }
    in_use(instance, state)?;
    refuse_while_others_work(&mut tx, instance).await?;
    let id = begin(&mut tx, app, instance, &open, (go_back::KIND, MoveEvent::GoBack), by).await?;
    audit::record(&mut tx, app, by, "instance.move_back_requested", &subject, open.from.home().as_str()).await?;
    tx.commit().await?;
    app.engine.wake();
    Ok(id)
}

async fn begin(
    tx: &mut Tx,
    core: &Core,
    instance: &Instance,
    open: &Move,
    (kind, event): (&'static str, MoveEvent),
    by: &str,
) -> Result<WorkflowId, Error> {
    let input = Input {
        id: Some(open.id.clone()),
        instance: instance.id,
        from: open.to.clone(),
        to: open.from.clone(),
        by: by.to_owned(),
    };
    store::happen(tx, &open.id, event, None, core.clock.now()).await?;
    let plan = Plan { kind, time_limit: TIME_LIMIT, subject: &instance.id.to_string() };
    workflows::begin(tx, core, &plan, &input).await
}

/// A workflow that is under way already; one that is stuck is tried again.
async fn go_on(app: &App, (id, state): (String, WorkflowState)) -> Result<WorkflowId, AppError> {
    if state == WorkflowState::Stuck {
        app.engine.retry(&id).await?;
    }
    WorkflowId::parse(&id).map_err(AppError::internal)
}

/// For whatever would change an instance as a whole: waits until it has arrived, or is back. The project that it lives in.
pub(crate) async fn where_it_lives(core: &Core, instance: &Instance) -> Result<ProjectName, StepError> {
    let all = workflow::of_subject(&core.db, &instance.id.to_string()).await?;
    let works = |state| matches!(state, WorkflowState::Running | WorkflowState::Undoing);
    let moves = |kind: &str| [relocate::KIND, go_back::KIND, settle::KIND].contains(&kind);
    if all.iter().any(|record| moves(&record.kind) && works(record.state)) {
        let why = "Its move to another home ends first.".to_owned();
        return Err(StepError::NotYet { why, after: LOOK_AGAIN });
    }
    // It may have moved since whoever asks looked it up.
    let found = super::store::find(&core.db, instance.id).await?;
    Ok(found.map_or_else(|| instance.project.clone(), |found| found.project))
}

/// All projects of an instance that does not move: the one that it lives in first.
pub(super) async fn all_places(core: &Core, instance: &Instance) -> Result<Vec<ProjectName>, StepError> {
    let lives_in = where_it_lives(core, instance).await?;
    let open = store::open_of(&core.db, instance.id).await?;
    let other = open.map(|open| open.other_than(&lives_in).clone());
    Ok([lives_in].into_iter().chain(other).collect())
}

/// The homes of this installation, where there are several.
pub(crate) fn homes(core: &Core) -> Option<&Homes> {
    core.drivers.compute.homes()
}

/// How a home is called before people.
pub(crate) fn label(core: &Core, home: &HomeName) -> String {
    homes(core).and_then(|homes| homes.find(home)).map_or_else(|| home.to_string(), |home| home.label.clone())
}

/// Whether every home that an instance lives in, or may have to go back to, is in the settings.
///
/// # Errors
/// When one is not: which, and what to do.
pub(crate) async fn homes_are_named(core: &Core) -> anyhow::Result<()> {
    let away = store::away(&core.db).await?;
    let is_named = |home: &HomeName| homes(core).is_some_and(|homes| homes.find(home).is_some());
    if let Some(lost) = away.iter().find(|project| !is_named(&project.home())) {
        let home = lost.home();
        anyhow::bail!(
            "{lost} lives in the home {home}, which the settings do not name; put [compute.homes.{home}] back as it was, \
             move what lives there to another home, and take it out then"
        );
    }
    Ok(())
}

fn destination<'a>(app: &'a App, instance: &Instance, to: &HomeName) -> Result<&'a Home, AppError> {
    let Some(homes) = homes(app) else {
        let next = "Add another one to the settings: [compute.homes.<name>].";
        return Err(refused(409, "There is one home here, and all instances live in it", next));
    };
    let Some(home) = homes.find(to) else {
        let names: Vec<&str> = homes.all().map(|home| home.name.as_str()).collect();
        return Err(refused(
            422,
            &format!("There is no home {to}"),
            &format!("Choose one of these: {}.", names.join(", ")),
        ));
    };
    let lives_in = homes.find(&instance.project.home());
    for home in lives_in.into_iter().chain([home]) {
        let what = format!("{} can't move between these homes", instance.subdomain);
        home.compute.moves().map_err(|why| refused(409, &what, why))?;
    }
    Ok(home)
}

fn in_use(instance: &Instance, state: Option<InstanceState>) -> Result<(), AppError> {
    match state.unwrap_or(InstanceState::Deleted) {
        InstanceState::Active => Ok(()),
        state => {
            let what = format!("{} is {state}", instance.subdomain);
            Err(refused(409, &what, "What is in use can move; look again when it is open."))
        }
    }
}

async fn refuse_while_others_work(tx: &mut Tx, instance: &Instance) -> Result<(), AppError> {
    let Some(kind) = store::others_at_work(tx, instance.id).await? else { return Ok(()) };
    let doing = workflows::kind_in_words(&kind).to_lowercase();
    let what = format!("Something else is done with {} at this moment: {doing}", instance.subdomain);
    Err(refused(409, &what, "Ask again when that is over; its page shows how far it is."))
}

fn not_while(instance: &Instance, open: &Move) -> AppError {
    let (name, there, before) = (&instance.subdomain, open.to.home(), open.from.home());
    let (what, next) = match open.state {
        MoveState::Moving => (format!("{name} is on its way to {there}"), "Wait until it is there, or back."),
        MoveState::Kept => (
            format!("{name} moved to {there}, and its place in {before} is still kept"),
            "Confirm that move first, or take it back.",
        ),
        MoveState::Settling => (
            format!("The place of {name} in {before} is being removed"),
            "Wait until that is done; nothing of it can be taken back any more.",
        ),
        MoveState::Returning => (format!("{name} is on its way back to {before}"), "Wait until it is there."),
        MoveState::Settled | MoveState::Returned => (format!("The move of {name} is over"), "Ask for another one."),
    };
    refused(409, &what, next)
}

fn nothing_kept(instance: &Instance) -> AppError {
    let what = format!("{} has not moved, or its move is over", instance.subdomain);
    refused(409, &what, "There is nothing to confirm, and nothing to take back.")
}
