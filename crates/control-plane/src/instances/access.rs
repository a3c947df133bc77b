//! Which Access application stands before an instance: the one that it shares with all others, or its own
//! with the identity provider of its customer. Membership is the guard's to check in either case.

pub(crate) mod own;
pub(crate) mod shared_access;

use domain::{InstanceId, InstanceState};
use providers::edge::{OwnAccess, Standing};
use secrecy::SecretString;
use store::Tx;
use store::sqlx::Error;
use workflow::WorkflowState;

use super::{Instance, moves, rename, retire_address, suspension};
use crate::app::{App, Core};
use crate::error::{AppError, refused};

/// The identity provider that an operator names.
pub(crate) enum Wanted {
    /// One that the edge knows, by its name or id.
    Existing(String),
    /// One that is made for the instance.
    Oidc { issuer: String, client_id: String, client_secret: SecretString },
}

/// What stands before an instance beside the shared application; `None` where only that one can.
pub(crate) async fn standing(core: &Core, id: InstanceId) -> Result<Option<Option<Standing>>, AppError> {
    match core.drivers.edge.own_access() {
        Some(edge) => Ok(Some(edge.standing(id).await?)),
        None => Ok(None),
    }
}

/// Whether what stands before an instance changes at this moment.
pub(crate) async fn is_changing(core: &Core, id: InstanceId) -> Result<bool, Error> {
    let all = workflow::of_subject(&core.db, &id.to_string()).await?;
    let is_at_work = |state| matches!(state, WorkflowState::Running | WorkflowState::Undoing);
    Ok(all
        .iter()
        .any(|record| [own::KIND, shared_access::KIND].contains(&record.kind.as_str()) && is_at_work(record.state)))
}

fn able(app: &App) -> Result<&dyn OwnAccess, AppError> {
    app.drivers.edge.own_access().ok_or_else(|| {
        let next = "Set [edge] driver = \"cloudflare\": there an instance can have an application of its own.";
        refused(409, "The built-in edge asks everybody who they are in the same way", next)
    })
}

/// Two things at once must not work on what stands before an instance, nor on its address.
async fn may_change(tx: &mut Tx, instance: &Instance, other: (&str, &str)) -> Result<(), AppError> {
    let (name, subject) = (&instance.subdomain, instance.id.to_string());
    let state = super::store::state(tx, instance.id).await?;
    if state != Some(InstanceState::Active) {
        let state = state.map_or("gone", InstanceState::as_str);
        let next = format!("It is {state}. What stands before it can be changed while it is active.");
        return Err(refused(409, &format!("The Access application of {name} can't be changed now"), &next));
    }
    for (kind, what) in [
        other,
        (rename::KIND, "it is changing its name"),
        (retire_address::KIND, "its former address is still being taken away"),
        (moves::relocate::KIND, "it is moving to another home"),
        (moves::go_back::KIND, "it is moving back to where it was"),
        (suspension::SUSPEND, "it is just being suspended"),
        (suspension::RESUME, "it is just being resumed"),
    ] {
        if let Some((under_way, _)) = workflow::under_way(tx, kind, &subject).await? {
            let title = format!("The Access application of {name} can't be changed now: {what}");
            return Err(refused(409, &title, &format!("Ask again when workflow {under_way} is over.")));
        }
    }
    Ok(())
}
