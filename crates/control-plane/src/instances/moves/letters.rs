//! What a customer reads whose workspace moves. Nobody is told of drivers and projects: of places, and of what to do.

use ::store::Tx;
use ::store::sqlx::Error;
use pages::mail::{self as letters, Written};

use crate::app::Core;
use crate::instances::Instance;
use crate::mail::{self, Letter};

pub(super) async fn begins(tx: &mut Tx, core: &Core, instance: &Instance, to: &str, id: &str) -> Result<(), Error> {
    let letter = letters::MoveBegins { mover: mover(core, instance), to: to.to_owned() };
    let key = format!("move begins {id}");
    send(tx, core, instance, &key, letter.written()).await
}

pub(super) async fn moved(
    tx: &mut Tx,
    core: &Core,
    instance: &Instance,
    (from, to): (&str, &str),
    id: &str,
) -> Result<(), Error> {
    let letter = letters::Moved { mover: mover(core, instance), from: from.to_owned(), to: to.to_owned() };
    let key = format!("moved {id}");
    send(tx, core, instance, &key, letter.written()).await
}

pub(super) async fn moved_back(tx: &mut Tx, core: &Core, instance: &Instance, to: &str, id: &str) -> Result<(), Error> {
    let letter = letters::MovedBack { mover: mover(core, instance), to: to.to_owned() };
    let key = format!("moved back {id}");
    send(tx, core, instance, &key, letter.written()).await
}

/// Nobody has said yet that all is well. The operator is told in the first week.
pub(super) async fn waits(
    tx: &mut Tx,
    core: &Core,
    instance: &Instance,
    (from, to): (&str, &str),
    id: &str,
    weeks: i64,
) -> Result<(), Error> {
    let letter = letters::MoveWaits { mover: mover(core, instance), from: from.to_owned(), to: to.to_owned() };
    send(tx, core, instance, &format!("move waits {id} {weeks}"), letter.written()).await?;
    let what = format!("{} has moved, and nobody has confirmed it", core.hostname(&instance.subdomain));
    let why = format!("Its place in {from} is kept, and costs what it did. Confirm the move, or let its owner do so.");
    let path = format!("/admin/instances/{}", instance.id);
    mail::alert(tx, core, &format!("move waits {id} operator"), &what, &why, &path).await
}

/// It could not move. Whoever is deleted meanwhile is not told; the operator always is.
pub(super) async fn stayed(
    tx: &mut Tx,
    core: &Core,
    instance: &Instance,
    reason: &str,
    workflow: &str,
) -> Result<(), Error> {
    let key = format!("move failed {workflow}");
    if !instance.state.is_over() && instance.state != domain::InstanceState::Deleting {
        let letter = letters::MoveFailed { mover: mover(core, instance) };
        send(tx, core, instance, &key, letter.written()).await?;
    }
    let what = format!("{} could not be moved and is where it was", core.hostname(&instance.subdomain));
    mail::alert(tx, core, &format!("{key} operator"), &what, reason, &format!("/admin/workflows/{workflow}")).await
}

fn mover(core: &Core, instance: &Instance) -> letters::Mover {
    letters::Mover {
        product: core.settings.product.clone(),
        name: instance.customer_name.clone(),
        hostname: core.shown_hostname(&instance.subdomain),
        url: core.site_url(&format!("/portal/instances/{}", instance.subdomain)),
    }
}

async fn send(tx: &mut Tx, core: &Core, instance: &Instance, key: &str, written: Written) -> Result<(), Error> {
    mail::post(tx, core, Letter { key, to: &instance.customer_email, written }).await
}
