//! Gives an instance an Access application of its own, in an order in which whoever Access lets through
//! also passes the guard: the guard first takes assertions of both applications, then the own one is put
//! before the hostname, and only then the guard takes no others.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{InstanceId, InstanceState, WorkflowId};
use jiff::SignedDuration;
use providers::ProviderError;
use providers::edge::{IdentityProvider, Oidc, OwnAccess as Edge, discover};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use workflow::{OnFailure, Run, StepError, Stop, Workflow, WorkflowState};

use super::{Wanted, able, is_changing, may_change, shared_access};
use crate::app::{App, Core};
use crate::error::{AppError, refused};
use crate::instances::rename::is_going;
use crate::instances::{self, Instance, place, probe};
use crate::text::capital;
use crate::workflows::{self, Plan, step_error};
use crate::{audit, members};

/// Stored with every run; a changed sequence of steps gets a new number.
pub(crate) const KIND: &str = "own-access.v1";

/// What a step says of an instance that was closed or given up meanwhile.
const OVERTAKEN: &str = "it was suspended or deleted meanwhile";

/// See the module.
pub(crate) struct OwnAccess(pub Arc<Core>);

#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    instance: InstanceId,
    provider: Provider,
}

/// An identity provider as it is stored with the run.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Provider {
    Known {
        id: String,
        name: String,
    },
    Oidc {
        issuer: String,
        auth_url: String,
        token_url: String,
        certs_url: String,
        client_id: String,
        /// Sealed for the instance.
        client_secret: String,
    },
}

impl Provider {
    async fn of(app: &App, id: InstanceId, wanted: Wanted) -> Result<Self, AppError> {
        let found = match wanted {
            Wanted::Existing(reference) => able(app)?.known_provider(&reference).await,
            Wanted::Oidc { issuer, client_id, client_secret } => {
                let client_id = client_id.trim().to_owned();
                if client_id.is_empty() || client_secret.expose_secret().is_empty() {
                    let next = "Register Spinoff's team domain as a client there, and give its id and secret.";
                    return Err(refused(422, "An OpenID Connect client has an id and a secret", next));
                }
                discover(&app.http, &issuer, client_id, client_secret).await.map(IdentityProvider::Oidc)
            }
        };
        match found {
            Ok(found) => Self::sealed(app, id, found),
            Err(ProviderError::Refused { what, why, next }) => {
                Err(refused(422, &format!("Spinoff can't {what}: {why}"), &format!("{}.", capital(&next))))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn sealed(core: &Core, id: InstanceId, found: IdentityProvider) -> Result<Self, AppError> {
        Ok(match found {
            IdentityProvider::Known { id, name } => Self::Known { id, name },
            IdentityProvider::Oidc(oidc) => {
                let sealed = core.sealer.seal(&purpose(id), oidc.client_secret.expose_secret().as_bytes());
                Self::Oidc {
                    issuer: oidc.issuer,
                    auth_url: oidc.auth_url,
                    token_url: oidc.token_url,
                    certs_url: oidc.certs_url,
                    client_id: oidc.client_id,
                    client_secret: hex::encode(sealed.map_err(AppError::internal)?),
                }
            }
        })
    }

    /// As the edge takes it.
    fn opened(&self, core: &Core, id: InstanceId) -> anyhow::Result<IdentityProvider> {
        Ok(match self {
            Self::Known { id, name } => IdentityProvider::Known { id: id.clone(), name: name.clone() },
            Self::Oidc { issuer, auth_url, token_url, certs_url, client_id, client_secret } => {
                let secret = core.sealer.open_sealed(&purpose(id), &hex::decode(client_secret)?)?;
                IdentityProvider::Oidc(Oidc {
                    issuer: issuer.clone(),
                    auth_url: auth_url.clone(),
                    token_url: token_url.clone(),
                    certs_url: certs_url.clone(),
                    client_id: client_id.clone(),
                    client_secret: SecretString::from(std::str::from_utf8(secret.expose_secret())?),
                })
            }
        })
    }

    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Known { id, .. }, Self::Known { id: other, .. }) => id == other,
            (Self::Oidc { issuer, client_id, .. }, Self::Oidc { issuer: other, client_id: of_other, .. }) => {
                issuer == other && client_id == of_other
            }
            _ => false,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Known { name, .. } => name,
            Self::Oidc { issuer, .. } => issuer,
        }
    }
}

fn purpose(id: InstanceId) -> String {
    format!("client secret of {id}")
}

/// Asks for an application of its own. While it is being made, asking again gives the workflow that does it.
pub(crate) async fn request(app: &App, instance: &Instance, wanted: Wanted, by: &str) -> Result<WorkflowId, AppError> {
    let edge = able(app)?;
    let (id, name) = (instance.id, &instance.subdomain);
    if instance.state != InstanceState::Active {
        let next = format!("It is {}. What stands before it can be changed while it is active.", instance.state);
        return Err(refused(409, &format!("The Access application of {name} can't be changed now"), &next));
    }
    let provider = Provider::of(app, id, wanted).await?;
    // What is being made takes its room already.
    if !is_changing(app, id).await? {
        edge.has_room(&provider.opened(app, id).map_err(AppError::internal)?).await?;
    }
    let mut tx = app.db.begin().await?;
    // Also locks the instance's row: of two requests one sees the other.
    members::store::next_serial(&mut tx, id).await?;
    if let Some((under_way, state)) = workflow::under_way(&mut tx, KIND, &id.to_string()).await? {
        let asked = workflow::input(&mut tx, &under_way).await?.unwrap_or_default();
        drop(tx);
        return same(app, instance, &provider, &asked, &under_way, state).await;
    }
    may_change(&mut tx, instance, (shared_access::KIND, "it is just going back to the shared one")).await?;
    if let Some(standing) = edge.standing(id).await? {
        let title = format!("{name} has its own Access application already, with {}", standing.identity_provider);
        let next = "To change its identity provider, give it the shared one first: `spinoff instances access shared`.";
        return Err(refused(409, &title, next));
    }
    audit::record(&mut tx, app, by, "instance.own_access_requested", &id.to_string(), provider.name()).await?;
    let time_limit = app.drivers.compute.patience();
    let plan = Plan { kind: KIND, time_limit, subject: &id.to_string() };
    let workflow = workflows::begin(&mut tx, app, &plan, &Asked { instance: id, provider }).await?;
    tx.commit().await?;
    app.engine.wake();
    Ok(workflow)
}

async fn same(
    app: &App,
    instance: &Instance,
    provider: &Provider,
    asked: &str,
    under_way: &str,
    state: WorkflowState,
) -> Result<WorkflowId, AppError> {
    let asked: Asked = serde_json::from_str(asked).map_err(AppError::internal)?;
    if !asked.provider.is_same(provider) {
        let title = format!("{} is just getting one with {}", instance.subdomain, asked.provider.name());
        return Err(refused(409, &title, &format!("Wait until workflow {under_way} is over, then ask again.")));
    }
    if state == WorkflowState::Stuck {
        app.engine.retry(under_way).await?;
    }
    WorkflowId::parse(under_way).map_err(AppError::internal)
}

#[async_trait]
impl Workflow for OwnAccess {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn time_limit(&self) -> SignedDuration {
        self.0.drivers.compute.patience()
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Undo
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let asked: &Asked = &run.input()?;
        let (id, edge) = (asked.instance, edge(core)?);
        let place = async || Ok::<_, StepError>(wanted(core, id).await?.place());
        run.step("make application", || async {
            let hostname = core.hostname(&wanted(core, id).await?.subdomain);
            let provider = asked.provider.opened(core, id).map_err(StepError::permanent)?;
            edge.make(&hostname, id, &provider).await.map_err(step_error)?;
            // Those who joined since its policy was made.
            members::publish::tell_edge(core, &wanted(core, id).await?).await
        })
        .await?;
        run.step("configure for both", || async { place::configure(core, &place().await?).await }).await?;
        run.step("deploy for both", || async { place::deploy(core, &place().await?).await }).await?;
        run.step("wait until it takes both", || async { probe::wait_until_healthy(core, &place().await?).await })
            .await?;
        run.step("put before hostname", || async {
            let hostname = core.hostname(&wanted(core, id).await?.subdomain);
            edge.put_before(&hostname, id).await.map_err(step_error)
        })
        .await?;
        run.step("look through its hostname", || async { look(core, &place().await?).await }).await?;
        run.step("rely on it alone", || async {
            wanted(core, id).await?;
            edge.rely_on_it(id, true).await.map_err(step_error)
        })
        .await?;
        run.step("configure", || async { place::configure(core, &place().await?).await }).await?;
        run.step("deploy", || async { place::deploy(core, &place().await?).await }).await?;
        run.step("look again", || async { look(core, &place().await?).await }).await?;
        run.step("record", || record(core, id, "instance.own_access_given", asked.provider.name())).await
    }

    /// The guard takes both again before the own application goes, and stops to take it when it is gone.
    async fn undo(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let asked: &Asked = &run.input()?;
        let (id, edge) = (asked.instance, edge(core)?);
        let Some(instance) = &instances::store::find(&core.db, id).await? else { return Ok(()) };
        let place = &instance.place();
        run.undo("rely on it alone", || async {
            match edge.rely_on_it(id, false).await {
                Err(ProviderError::NotFound { .. }) => Ok(()),
                done => done.map_err(step_error),
            }
        })
        .await?;
        // One that is being deleted has no use for settings any more.
        if !is_going(instance) {
            run.undo("configure", || place::configure(core, place)).await?;
            run.undo("deploy", || place::deploy(core, place)).await?;
        }
        run.undo("make application", || async { edge.take_away_own(id).await.map_err(step_error) }).await?;
        if !is_going(instance) {
            run.undo("configure for both", || place::configure(core, place)).await?;
            run.undo("deploy for both", || place::deploy(core, place)).await?;
        }
        let reason = run.failure().await?;
        run.step("say why not", || record(core, id, "instance.own_access_failed", &reason)).await
    }
}

/// The edge, as long as it can do this: its driver may have been changed since it was asked for.
pub(super) fn edge(core: &Core) -> Result<&dyn Edge, Stop> {
    let gone = || Stop::Failed("the edge can't set an application of its own before an instance any more".to_owned());
    core.drivers.edge.own_access().ok_or_else(gone)
}

/// That it answers through its hostname to whoever asks whether it is well, and to no stranger who asks more.
pub(super) async fn look(core: &Core, place: &instances::Place) -> Result<(), StepError> {
    probe::wait_until_healthy(core, place).await?;
    probe::refuses_strangers(core, place).await
}

pub(super) async fn record(core: &Core, id: InstanceId, action: &str, detail: &str) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    audit::record(&mut tx, core, "access", action, &id.to_string(), detail).await?;
    Ok(tx.commit().await?)
}

/// The instance, if it still is to have one.
async fn wanted(core: &Core, id: InstanceId) -> Result<Instance, StepError> {
    let found = instances::store::find(&core.db, id).await?;
    let active = found.filter(|instance| instance.state == InstanceState::Active);
    active.ok_or_else(|| StepError::permanent(anyhow::anyhow!(OVERTAKEN)))
}
