use std::sync::Arc;

use ::store::Tx;
use async_trait::async_trait;
use domain::WorkflowId;
use jiff::SignedDuration;
use providers::ProviderError;
use providers::inventory::Item;
use workflow::{OnFailure, Run, StepError, Stop, Workflow, WorkflowState};

use super::compare::{Look, compare};
use super::store::{self, What};
use super::{Known, Role, known};
use crate::app::{App, Core};
use crate::error::AppError;
use crate::instances::{self, moves};
use crate::workflows::{self, Plan, step_error};
use crate::{audit, limits, pool};

/// Stored with every run; a changed sequence of steps gets a new number.
pub(crate) const KIND: &str = "sweep.v1";
/// What it works on.
pub(crate) const SUBJECT: &str = "providers";

const TIME_LIMIT: SignedDuration = SignedDuration::from_hours(1);
/// How often it is looked without being asked for.
const EVERY: SignedDuration = SignedDuration::from_mins(15);

/// Looks at every provider at once, when somebody asks for it.
pub(crate) struct Sweep(pub Arc<Core>);

/// Asks for a look at every provider. While one is under way, asking again gives that.
pub(crate) async fn request(app: &App, by: &str) -> Result<WorkflowId, AppError> {
    let mut tx = app.db.begin().await?;
    if let Some((id, state)) = workflow::under_way(&mut tx, KIND, SUBJECT).await? {
        drop(tx);
        if state == WorkflowState::Stuck {
            app.engine.retry(&id).await?;
        }
        return WorkflowId::parse(&id).map_err(AppError::internal);
    }
    audit::record(&mut tx, app, by, "providers.sweep_requested", SUBJECT, "").await?;
    let plan = Plan { kind: KIND, time_limit: TIME_LIMIT, subject: SUBJECT };
    let id = workflows::begin(&mut tx, app, &plan, &()).await?;
    tx.commit().await?;
    app.engine.wake();
    Ok(id)
}

#[async_trait]
impl Workflow for Sweep {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn time_limit(&self) -> SignedDuration {
        TIME_LIMIT
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Halt
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        run.step("look at compute", || in_words(core, Role::Compute)).await?;
        run.step("look at the edge", || in_words(core, Role::Edge)).await?;
        run.step("look at payments", || in_words(core, Role::Payments)).await?;
        run.step("check credentials", || async {
            for role in Role::ALL {
                check(core, role).await?;
            }
            Ok(())
        })
        .await?;
        run.step("read the ceilings", || async {
            for role in Role::ALL {
                limits::watch::read(core, role).await?;
            }
            Ok(())
        })
        .await
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

/// A provider that can't be asked is no failure of the sweep: it is what the sweep found out.
async fn in_words(core: &Core, role: Role) -> Result<String, StepError> {
    match look_at(core, role).await? {
        Ok(number) => Ok(format!("{number} found")),
        Err(error @ (ProviderError::InLine { .. } | ProviderError::NotYet { .. })) => Err(step_error(error)),
        Err(error) => Ok(format!("it could not be looked at: {error}")),
    }
}

/// Looks at whatever was not looked at for a while.
pub(crate) async fn sweep_if_due(core: &Core) -> Result<(), ::store::sqlx::Error> {
    for role in Role::ALL {
        let now = core.clock.now();
        if store::claim(&core.db, role, What::Inventory, now, now - EVERY).await?
            && let Err(error) = look_at(core, role).await?
        {
            tracing::warn!("{} could not be looked at: {error}", role.driver(core));
        }
        if store::claim(&core.db, role, What::Checks, now, now - EVERY).await? {
            check(core, role).await?;
        }
    }
    Ok(())
}

/// Compares one provider's inventory with the store. How much is not as it should be.
pub(super) async fn look_at(core: &Core, role: Role) -> Result<Result<usize, ProviderError>, ::store::sqlx::Error> {
    let began = core.clock.now();
    // First what exists: whoever makes something has stored the instance before.
    let items = match inventory(core, role).await {
        Ok(items) => items,
        Err(error) => {
            store::failed(&core.db, role, What::Inventory, &error.to_string()).await?;
            return Ok(Err(error));
        }
    };
    let items = match role {
        Role::Compute => without_other_places(core, items).await?,
        Role::Edge | Role::Payments => items,
    };
    let instances = known(core).await?;
    let kinds = match role {
        Role::Compute => core.drivers.compute.kinds(),
        Role::Edge => ["hostname"].as_slice(),
        Role::Payments => ["subscription"].as_slice(),
    };
    let look = Look { role, provider: role.driver(core), kinds, items: &items };
    let found = compare(&look, &instances, core.clock.now());
    let mut tx = core.db.begin().await?;
    if store::looked(&mut tx, role, What::Inventory, began).await? {
        store::replace(&mut tx, role, &found, began).await?;
        note_costs_of_pool(&mut tx, &items, &instances).await?;
    }
    tx.commit().await?;
    Ok(Ok(found.len()))
}

/// An instance whose move is not over has two projects on purpose: the one that it does not live in is nobody's mistake.
async fn without_other_places(core: &Core, items: Vec<Item>) -> Result<Vec<Item>, ::store::sqlx::Error> {
    let places = moves::store::places(&core.db).await?;
    let mut left = Vec::new();
    for item in items {
        let open = places.iter().find(|(instance, _)| item.kind == "project" && item.instance == Some(*instance));
        let is_a_place = open.is_some_and(|(_, both)| both.iter().any(|project| project.as_str() == item.name));
        let lives_there = match open.filter(|_| is_a_place) {
            Some((id, _)) => {
                instances::store::find(&core.db, *id).await?.is_some_and(|it| it.project.as_str() == item.name)
            }
            None => true,
        };
        if lives_there {
            left.push(item);
        }
    }
    Ok(left)
}

/// What instances cost that are nobody's yet is told with the pool.
async fn note_costs_of_pool(tx: &mut Tx, items: &[Item], instances: &[Known]) -> Result<(), ::store::sqlx::Error> {
    for warm in instances.iter().filter(|known| known.is_warm && known.is_living()) {
        let project = items.iter().find(|item| item.kind == "project" && item.instance == Some(warm.id));
        if let Some(cost) = project.and_then(|item| item.monthly_cost) {
            pool::store::note_cost(tx, warm.id, cost).await?;
        }
    }
    Ok(())
}

async fn inventory(core: &Core, role: Role) -> Result<Vec<Item>, ProviderError> {
    match role {
        Role::Compute => core.drivers.compute.inventory().await,
        Role::Edge => core.drivers.edge.inventory().await,
        Role::Payments => core.drivers.payments.inventory().await,
    }
}

/// Stores whether a provider can be used at all.
async fn check(core: &Core, role: Role) -> Result<(), ::store::sqlx::Error> {
    let began = core.clock.now();
    let checks = match role {
        Role::Compute => core.drivers.compute.check().await,
        Role::Edge => core.drivers.edge.check().await,
        Role::Payments => core.drivers.payments.check().await,
    };
    let mut tx = core.db.begin().await?;
    if store::looked(&mut tx, role, What::Checks, began).await? {
        store::replace_checks(&mut tx, role, &checks).await?;
    }
    tx.commit().await
}
