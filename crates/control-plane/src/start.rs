//! Puts the main instance together from what it is given, and starts what runs in it.

use std::sync::Arc;

use secrecy::SecretString;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use workflow::Workflow;

use crate::app::{App, Core};
use crate::backups::back_up::BackUp;
use crate::backups::proofs::Prove;
use crate::backups::restore::Restore;
use crate::billing::closing::Close;
use crate::billing::collection::{Collect, HandOver, LookUp, Withdraw};
use crate::billing::comparison::Compare;
use crate::billing::disputes::LookUpDispute;
use crate::billing::pay_page::PayPage;
use crate::billing::refunds::elsewhere::LookUpRepayments;
use crate::billing::refunds::{GiveBack, SettleRefund};
use crate::billing::{plans, taxes};
use crate::customers::payment_portal::PaymentPortal;
use crate::instances::access::own::OwnAccess;
use crate::instances::access::shared_access::SharedAccess;
use crate::instances::cancellation::subscription::Subscription;
use crate::instances::delete::Delete;
use crate::instances::moves;
use crate::instances::moves::go_back::GoBackHome;
use crate::instances::moves::relocate::Relocate;
use crate::instances::moves::settle::Settle;
use crate::instances::provision::Provision;
use crate::instances::rename::Rename;
use crate::instances::retire_address::RetireAddress;
use crate::instances::suspension::{Resume, Suspend};
use crate::inventory::repair::Repair;
use crate::inventory::sweep::Sweep;
use crate::isolation::round::ProveIsolation;
use crate::members::publish::PublishMembers;
use crate::operators;
use crate::pool::claim::Claim;
use crate::pool::discard::Discard;
use crate::pool::prepare::Prepare;
use crate::reconcilers::Reconcilers;
use crate::releases;
use crate::rollouts::go_back::GoBack;
use crate::rollouts::update::Update;
use crate::signup::checkout::SignUp;
use crate::{support_access, tokens};

/// A running main instance.
pub struct Started {
    /// For the routers.
    pub app: App,
    /// The link that signs the operator in.
    pub admin_link: SecretString,
    engine: JoinHandle<Result<(), store::sqlx::Error>>,
    reconcilers: Reconcilers,
    stop: CancellationToken,
}

/// Puts the main instance together on a store that is migrated. Nothing runs by itself yet.
///
/// # Errors
/// When the store does not answer.
pub async fn assemble(core: Core, engine: workflow::Settings) -> anyhow::Result<App> {
    let core = Arc::new(core);
    operators::appoint(&core.db, &core.settings.operator, core.clock.now()).await?;
    core.admit_to_site(&core.settings.operator).await?;
    support_access::tell_who_is_support(&core).await?;
    // Before the plan: whether one was ever sold says from when the first taxes hold.
    taxes::keep(&core).await?;
    plans::keep(&core).await?;
    releases::settings::keep(&core).await?;
    moves::homes_are_named(&core).await?;
    let kinds: [Arc<dyn Workflow>; 37] = [
        Arc::new(SignUp(Arc::clone(&core))),
        Arc::new(PaymentPortal(Arc::clone(&core))),
        Arc::new(PayPage(Arc::clone(&core))),
        Arc::new(Provision(Arc::clone(&core))),
        Arc::new(Prepare(Arc::clone(&core))),
        Arc::new(Claim(Arc::clone(&core))),
        Arc::new(Discard(Arc::clone(&core))),
        Arc::new(Delete(Arc::clone(&core))),
        Arc::new(BackUp(Arc::clone(&core))),
        Arc::new(Restore(Arc::clone(&core))),
        Arc::new(Prove(Arc::clone(&core))),
        Arc::new(Suspend(Arc::clone(&core))),
        Arc::new(Resume(Arc::clone(&core))),
        Arc::new(Subscription(Arc::clone(&core))),
        Arc::new(Rename(Arc::clone(&core))),
        Arc::new(RetireAddress(Arc::clone(&core))),
        Arc::new(Relocate(Arc::clone(&core))),
        Arc::new(GoBackHome(Arc::clone(&core))),
        Arc::new(Settle(Arc::clone(&core))),
        Arc::new(OwnAccess(Arc::clone(&core))),
        Arc::new(SharedAccess(Arc::clone(&core))),
        Arc::new(PublishMembers(Arc::clone(&core))),
        Arc::new(Sweep(Arc::clone(&core))),
        Arc::new(ProveIsolation(Arc::clone(&core))),
        Arc::new(Repair(Arc::clone(&core))),
        Arc::new(Close(Arc::clone(&core))),
        Arc::new(Collect(Arc::clone(&core))),
        Arc::new(LookUp(Arc::clone(&core))),
        Arc::new(Withdraw(Arc::clone(&core))),
        Arc::new(GiveBack(Arc::clone(&core))),
        Arc::new(SettleRefund(Arc::clone(&core))),
        Arc::new(LookUpRepayments(Arc::clone(&core))),
        Arc::new(LookUpDispute(Arc::clone(&core))),
        Arc::new(HandOver(Arc::clone(&core))),
        Arc::new(Compare(Arc::clone(&core))),
        Arc::new(Update(Arc::clone(&core))),
        Arc::new(GoBack(Arc::clone(&core))),
    ];
    let engine = workflow::Engine::new(core.db.clone(), core.clock.clone(), core.entropy.clone(), engine, kinds);
    Ok(App::new(core, engine))
}

/// Starts workflows and reconcilers on a store that is migrated.
///
/// # Errors
/// When the store does not answer.
pub async fn start(core: Core, engine: workflow::Settings) -> anyhow::Result<Started> {
    let app = assemble(core, engine).await?;
    let core = app.core();
    let ticket = tokens::entry_ticket(&core.sealer, core.started_at);
    let admin_link = {
        use secrecy::ExposeSecret as _;
        core.site_url(&format!("/admin/enter?token={}", ticket.expose_secret())).into()
    };
    let stop = CancellationToken::new();
    let working = app.engine.clone();
    let token = stop.clone();
    Ok(Started {
        engine: tokio::spawn(async move { working.work(token).await }),
        reconcilers: Reconcilers::start(&core, &stop),
        app,
        admin_link,
        stop,
    })
}

impl Started {
    /// Stops workflows between their steps, then the instances that live in this process' care. Their
    /// guards send last reports, so go on serving them until this is done; close the store after that.
    pub async fn stop(self) {
        self.stop.cancel();
        match self.engine.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!("The workflow engine failed: {error}"),
            Err(error) => tracing::error!("The workflow engine ended in an unexpected way: {error}"),
        }
        self.reconcilers.ended().await;
        self.app.drivers.compute.shutdown().await;
    }
}
