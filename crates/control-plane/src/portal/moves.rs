//! Where a workspace lives, and what its owner says of its move.

use axum::extract::{Path, State};
use axum::response::Redirect;
use pages::{LivesIn, MoveNote};

use super::{owned, portal_url};
use crate::app::{App, Core};
use crate::error::AppError;
use crate::instances::Instance;
use crate::instances::moves::{self, Move, view};
use crate::person::Person;
use crate::site::PageError;

/// For whom it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Its owner, who reads that something failed.
    InWords,
    /// The operator, who reads why.
    WithReasons,
}

pub(crate) async fn confirm(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
) -> Result<Redirect, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    moves::confirm(&app, &instance, person.email.as_str()).await?;
    Ok(Redirect::to(&format!("{}#home", portal_url(&instance))))
}

pub(crate) async fn take_back(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
) -> Result<Redirect, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    moves::request_back(&app, &instance, person.email.as_str()).await?;
    Ok(Redirect::to(&format!("{}#home", portal_url(&instance))))
}

/// Where an instance lives, and how its last move stands.
pub(crate) async fn lives_in(core: &Core, instance: &Instance, shown: Shown) -> Result<Option<LivesIn>, AppError> {
    let Some(living) = view::of(core, instance).await? else { return Ok(None) };
    let doing = living.doing;
    let last = living.last.map(|last| note(core, &last, doing, shown));
    let others = living.others.into_iter().map(|(name, label)| (name.to_string(), label)).collect();
    Ok(Some(LivesIn { label: living.label, others, last }))
}

fn note(core: &Core, last: &Move, doing: Option<&str>, shown: Shown) -> MoveNote {
    MoveNote {
        state: last.state,
        from: moves::label(core, &last.from.home()),
        to: moves::label(core, &last.to.home()),
        since: last.changed_at,
        doing: doing.map(str::to_owned),
        has_failed: last.why.is_some(),
        why: last.why.clone().filter(|_| shown == Shown::WithReasons),
    }
}
