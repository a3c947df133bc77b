//! Makes an instance, or leaves nothing behind.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{Event, InstanceId, WorkflowId};
use jiff::SignedDuration;
use providers::compute::{GuardSettings, Origin};
use providers::payments::Ending;
use store::Tx;
use store::sqlx::Error;
use workflow::{OnFailure, Run, StepError, Stop, Workflow};

use super::store::TransitionError;
use super::{Instance, probe};
use crate::app::Core;
use crate::workflows::{self, Plan, step_error};
use crate::{audit, mail, members};

/// Stored with every run; a changed sequence of steps gets a new number.
pub(crate) const KIND: &str = "provision.v1";

/// The steps in the order in which people are shown them, in their words.
pub(crate) const STEPS: [(&str, &str); 11] = [
    ("begin", "Reserving your address"),
    ("create project", "Making a place of its own for your workspace"),
    ("configure", "Handing it its settings and secrets"),
    ("register hostname", "Announcing its address to the computers that run it"),
    ("deploy", "Starting the application"),
    ("publish address", "Putting your address on the map"),
    ("cover with access control", "Letting in you, and nobody else"),
    ("wait until healthy", "Waiting until it answers at your address"),
    ("refuse strangers", "Checking that strangers stay outside"),
    ("start subscription", "Starting your subscription"),
    ("record", "Writing it down and sending you the welcome mail"),
];

/// Why a provisioning failed, in words for the customer: which step, but not what a provider said,
/// since that may name what is not theirs to know.
pub(crate) fn what_failed(recorded: Option<&str>) -> String {
    let step = recorded.and_then(|error| error.split_once(": ")).map(|(step, _)| step);
    match STEPS.iter().find(|(name, _)| Some(*name) == step) {
        Some((_, label)) => format!("This step did not succeed: {}.", label.to_lowercase()),
        None => "It was stopped before it was ready.".to_owned(),
    }
}

/// See the module.
pub(crate) struct Provision(pub Arc<Core>);

/// Starts provisioning in the transaction that stores the instance.
pub(crate) async fn start(tx: &mut Tx, core: &Core, instance: InstanceId) -> Result<WorkflowId, Error> {
    let subject = instance.to_string();
    workflows::begin(
        tx,
        core,
        &Plan { kind: KIND, time_limit: core.drivers.compute.patience(), subject: &subject },
        &instance,
    )
    .await
}

#[async_trait]
impl Workflow for Provision {
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
        let instance = &instance_of(core, run).await?;
        let (compute, edge) = (&core.drivers.compute, &core.drivers.edge);
        let (project, hostname) = (&instance.project, &core.hostname(&instance.subdomain));

        run.step("begin", || happen(core, instance, Event::Start)).await?;
        run.step("create project", || async { compute.create_project(project, instance.id).await.map_err(step_error) })
            .await?;
        // Hostnames can take minutes to be verified, so they are seen to beside the deploy.
        let deployed = async {
            run.step("configure", || async {
                compute.configure(project, &guard_settings(core, instance)?).await.map_err(step_error)
            })
            .await?;
            run.step("deploy", || async { compute.deploy(project, &core.settings.release).await.map_err(step_error) })
                .await
        };
        let addressed = async {
            let origin: Origin = run
                .step("register hostname", || async {
                    compute.register_hostname(project, hostname).await.map_err(step_error)
                })
                .await?;
            run.step("publish address", || async {
                edge.publish(hostname, instance.id, &origin).await.map_err(step_error)
            })
            .await?;
            run.step("cover with access control", || cover(core, instance)).await
        };
        workflow::both(deployed, addressed).await?;
        run.step("wait until healthy", || async {
            compute.hostname_ready(project, hostname).await.map_err(step_error)?;
            probe::wait_until_healthy(core, instance).await
        })
        .await?;
        run.step("refuse strangers", || probe::refuses_strangers(core, instance)).await?;
        run.step("start subscription", || async {
            core.drivers.payments.subscribe(instance.customer, instance.id).await.map_err(step_error)
        })
        .await?;
        run.step("record", || record(core, instance)).await
    }

    async fn undo(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let instance = &instance_of(core, run).await?;
        let hostname = &core.hostname(&instance.subdomain);
        // Even if it was not started by us: what the customer agreed to on the provider's page is ended too.
        run.step("start subscription", || async {
            core.drivers.payments.cancel(instance.id, Ending::NeverWorked).await.map_err(step_error)
        })
        .await?;
        run.undo("publish address", || async {
            core.drivers.edge.remove(hostname, instance.id).await.map_err(step_error)
        })
        .await?;
        run.undo("create project", || async {
            core.drivers.compute.delete_project(&instance.project, instance.id).await.map_err(step_error)
        })
        .await?;
        let reason = run.failure().await?;
        run.step("tell customer and operator", || give_up(core, instance, &reason, run.id())).await
    }
}

async fn instance_of(core: &Core, run: &Run) -> Result<Instance, Stop> {
    let id: InstanceId = run.input()?;
    let found = super::store::find(&core.db, id).await?;
    found.ok_or_else(|| Stop::Failed(format!("there is no instance {id} in the store")))
}

pub(crate) fn guard_settings(core: &Core, instance: &Instance) -> Result<GuardSettings, StepError> {
    let main_key = core.members_key.public().map_err(StepError::permanent)?;
    Ok(GuardSettings {
        instance: instance.id,
        public_url: core.instance_url(&instance.subdomain),
        issuer: core.drivers.edge.issuer(),
        audience: core.drivers.edge.audience(instance.id),
        main_url: core.settings.public_url.clone(),
        main_key: main_key.to_string(),
        instance_token: core.instance_token(instance.id),
    })
}

pub(crate) async fn cover(core: &Core, instance: &Instance) -> Result<(), StepError> {
    members::publish::tell_edge(core, instance).await?;
    core.admit_to_site(&instance.customer_email).await.map_err(StepError::temporary)
}

async fn happen(core: &Core, instance: &Instance, event: Event) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    super::store::transition(&mut tx, instance.id, event, core.clock.now()).await.map_err(transition_error)?;
    Ok(tx.commit().await?)
}

async fn record(core: &Core, instance: &Instance) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    super::store::transition(&mut tx, instance.id, Event::Provisioned, core.clock.now())
        .await
        .map_err(transition_error)?;
    let detail = format!("at {}", core.hostname(&instance.subdomain));
    audit::record(&mut tx, core, "provisioning", "instance.activated", &instance.id.to_string(), &detail).await?;
    mail::welcome(&mut tx, core, instance).await?;
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}

async fn give_up(core: &Core, instance: &Instance, reason: &str, workflow: &str) -> Result<(), StepError> {
    let mut tx = core.db.begin().await?;
    super::store::transition(&mut tx, instance.id, Event::GiveUp, core.clock.now()).await.map_err(transition_error)?;
    members::store::delete_all(&mut tx, instance.id).await?;
    audit::record(&mut tx, core, "provisioning", "instance.failed", &instance.id.to_string(), reason).await?;
    mail::provisioning_failed(&mut tx, core, instance, reason, workflow).await?;
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}

pub(crate) fn transition_error(error: TransitionError) -> StepError {
    match error {
        TransitionError::Store(error) => error.into(),
        TransitionError::Raced => StepError::temporary(error),
        TransitionError::NotFound(_) | TransitionError::Invalid(_) => StepError::permanent(error),
    }
}
