//! Where an instance lives and how its move stands, as people and programs are shown it.

use domain::{HomeName, MoveState};
use workflow::{Direction, WorkflowState};

use super::{Move, go_back, homes, label, relocate, settle, store};
use crate::app::Core;
use crate::error::AppError;
use crate::instances::Instance;

/// Where an instance lives, where there are several homes.
#[derive(Debug, Clone)]
pub(crate) struct Living {
    pub home: HomeName,
    pub label: String,
    /// Where it could move to.
    pub others: Vec<(HomeName, String)>,
    /// Its last move, over or not.
    pub last: Option<Move>,
    /// What is done at this moment, in words.
    pub doing: Option<&'static str>,
}

/// Where an instance lives; none where all live in one home.
pub(crate) async fn of(core: &Core, instance: &Instance) -> Result<Option<Living>, AppError> {
    let Some(homes) = homes(core).filter(|_| !instance.state.is_over()) else { return Ok(None) };
    let home = instance.project.home();
    let others = homes.all().filter(|other| other.name != home);
    let others = others.map(|other| (other.name.clone(), other.label.clone())).collect();
    let last = store::last(&core.db, instance.id).await?;
    let doing = match &last {
        Some(last) if !last.state.is_over() && last.state != MoveState::Kept => {
            doing(core, instance, last.state).await?
        }
        _ => None,
    };
    Ok(Some(Living { label: label(core, &home), home, others, last, doing }))
}

async fn doing(core: &Core, instance: &Instance, state: MoveState) -> Result<Option<&'static str>, AppError> {
    let (kind, steps) = match state {
        MoveState::Returning => (go_back::KIND, go_back::steps()),
        MoveState::Settling => (settle::KIND, settle::STEPS.to_vec()),
        _ => (relocate::KIND, relocate::steps()),
    };
    let all = workflow::of_subject(&core.db, &instance.id.to_string()).await?;
    let Some(working) = all.into_iter().find(|record| record.kind == kind && !record.state.is_over()) else {
        return Ok(None);
    };
    if working.state == WorkflowState::Undoing {
        return Ok(Some("Taking it back to where it was"));
    }
    let record = workflow::find(&core.db, &working.id).await?;
    let begun = record.map(|record| record.steps).unwrap_or_default();
    let is_begun = |name: &str| begun.iter().any(|step| step.direction == Direction::Do && step.name == name);
    Ok(steps.into_iter().rev().find(|(name, _)| is_begun(name)).map(|(_, words)| words))
}
