//! What we write to people. A mail is stored in the transaction that gives reason for it, under a
//! key that says what it is about, so that a repeated step writes it once; it leaves afterwards.

pub(crate) mod bounces;
pub(crate) mod deliver;
pub(crate) mod mailbox;
pub(crate) mod retry;
pub(crate) mod store;
pub(crate) mod suppressions;

use std::sync::Arc;

use ::store::Tx;
use ::store::sqlx::Error;
use anyhow::Context as _;
use async_trait::async_trait;
use domain::{BackupId, Email, MessageId, Subdomain};
use jiff::SignedDuration;
use pages::mail::{self as letters, Written};
use providers::mail::Thread;
use world::Sealer;

use crate::alerts;
use crate::app::Core;
use crate::instances::holds::Standing;
use crate::instances::{Instance, provision, rename};
use crate::person::Program;

use self::store::Treatment;

/// A mail to be stored.
pub(crate) struct Letter<'a> {
    pub key: &'a str,
    pub to: &'a Email,
    pub written: Written,
}

pub(crate) async fn welcome(tx: &mut Tx, core: &Core, instance: &Instance) -> Result<(), Error> {
    let letter = letters::Welcome {
        product: core.settings.product.clone(),
        name: instance.customer_name.clone(),
        hostname: core.shown_hostname(&instance.subdomain),
        url: core.instance_url(&instance.subdomain),
        next_hostname: instance.next_subdomain.as_ref().map(|next| core.shown_hostname(next)),
        portal_url: core.site_url("/portal"),
    };
    let key = format!("welcome {}", instance.id);
    let to = &instance.customer_email;
    post(tx, core, Letter { key: &key, to, written: letter.written() }).await
}

pub(crate) async fn order_placed(
    tx: &mut Tx,
    core: &Core,
    instance: &Instance,
    closes_at: jiff::Timestamp,
    workflow: &str,
) -> Result<(), Error> {
    let letter = letters::OrderPlaced {
        product: core.settings.product.clone(),
        hostname: core.shown_hostname(instance.chosen()),
        closes_at,
        url: core.site_url(&format!("/signup/{workflow}")),
    };
    let key = format!("order placed {}", instance.id);
    let to = &instance.customer_email;
    post(tx, core, Letter { key: &key, to, written: letter.written() }).await
}

pub(crate) async fn order_closed(tx: &mut Tx, core: &Core, instance: &Instance, reason: &str) -> Result<(), Error> {
    let letter = letters::OrderClosed {
        product: core.settings.product.clone(),
        name: instance.customer_name.clone(),
        hostname: core.shown_hostname(instance.chosen()),
        reason: reason.to_owned(),
        retry_url: core.site_url("/signup"),
    };
    let key = format!("order closed {}", instance.id);
    let to = &instance.customer_email;
    post(tx, core, Letter { key: &key, to, written: letter.written() }).await
}

pub(crate) async fn provisioning_failed(
    tx: &mut Tx,
    core: &Core,
    instance: &Instance,
    reason: &str,
    workflow: &str,
) -> Result<(), Error> {
    let letter = letters::ProvisioningFailed {
        product: core.settings.product.clone(),
        name: instance.customer_name.clone(),
        hostname: core.shown_hostname(instance.chosen()),
        reason: provision::what_failed(Some(reason)),
        retry_url: core.site_url("/signup"),
    };
    let key = format!("provisioning failed {}", instance.id);
    let to = &instance.customer_email;
    post(tx, core, Letter { key: &key, to, written: letter.written() }).await?;
    let what = format!("Provisioning {} failed and was undone", core.hostname(instance.chosen()));
    let path = format!("/admin/workflows/{workflow}");
    alerts::raise(tx, core, alerts::Kind::WorkUndone, &format!("{key} operator"), &what, reason, &path).await
}

/// Writes to the operator about an alert, once for each key. What raises one is [`crate::alerts::raise`].
pub(crate) async fn alert(tx: &mut Tx, core: &Core, key: &str, what: &str, why: &str, path: &str) -> Result<(), Error> {
    alert_to(tx, core, &core.settings.operator, key, what, why, path).await
}

/// The same to somebody else.
pub(crate) async fn alert_to(
    tx: &mut Tx,
    core: &Core,
    to: &Email,
    key: &str,
    what: &str,
    why: &str,
    path: &str,
) -> Result<(), Error> {
    let letter = letters::OperatorAlert {
        product: core.settings.product.clone(),
        what: what.to_owned(),
        why: why.to_owned(),
        url: core.site_url(path),
    };
    post(tx, core, Letter { key, to, written: letter.written() }).await
}

pub(crate) async fn invitation(
    tx: &mut Tx,
    core: &Core,
    instance: &Instance,
    to: &Email,
    by: &str,
) -> Result<(), Error> {
    let letter = letters::Invitation {
        product: core.settings.product.clone(),
        // A program has no name that the invited person would know.
        invited_by: if by == Program::NAME { core.settings.product.clone() } else { by.to_owned() },
        hostname: core.shown_hostname(&instance.subdomain),
        url: core.instance_url(&instance.subdomain),
    };
    // Somebody who was removed and is invited again is written to again.
    let key = format!("invitation {} {to} {}", instance.id, core.clock.now().as_millisecond());
    post(tx, core, Letter { key: &key, to, written: letter.written() }).await
}

pub(crate) async fn suspended(tx: &mut Tx, core: &Core, instance: &Instance, reason: &Standing) -> Result<(), Error> {
    let letter = letters::Suspended {
        product: core.settings.product.clone(),
        name: instance.customer_name.clone(),
        hostname: core.shown_hostname(&instance.subdomain),
        reason: reason.why.clone(),
        portal_url: core.site_url(&format!("/portal/instances/{}", instance.subdomain)),
    };
    // Once each time, however many workflows see to it.
    let key = format!("suspended {} {}", instance.id, reason.since.as_millisecond());
    let to = &instance.customer_email;
    post(tx, core, Letter { key: &key, to, written: letter.written() }).await
}

pub(crate) async fn restored(tx: &mut Tx, core: &Core, instance: &Instance, before: &BackupId) -> Result<(), Error> {
    let letter = letters::Restored {
        product: core.settings.product.clone(),
        name: instance.customer_name.clone(),
        hostname: core.shown_hostname(&instance.subdomain),
        url: core.site_url(&format!("/portal/instances/{}/backups", instance.subdomain)),
    };
    let key = format!("restored {} {before}", instance.id);
    let to = &instance.customer_email;
    post(tx, core, Letter { key: &key, to, written: letter.written() }).await
}

pub(crate) async fn restore_failed(
    tx: &mut Tx,
    core: &Core,
    instance: &Instance,
    reason: &str,
    workflow: &str,
) -> Result<(), Error> {
    let letter = letters::RestoreFailed {
        product: core.settings.product.clone(),
        name: instance.customer_name.clone(),
        hostname: core.shown_hostname(&instance.subdomain),
        url: core.site_url(&format!("/portal/instances/{}/backups", instance.subdomain)),
    };
    let key = format!("restore failed {workflow}");
    let to = &instance.customer_email;
    post(tx, core, Letter { key: &key, to, written: letter.written() }).await?;
    let what = format!("Restoring {} failed and was undone", core.hostname(&instance.subdomain));
    alert(tx, core, &format!("{key} operator"), &what, reason, &format!("/admin/workflows/{workflow}")).await
}

pub(crate) async fn resumed(tx: &mut Tx, core: &Core, instance: &Instance) -> Result<(), Error> {
    let letter = letters::Resumed {
        product: core.settings.product.clone(),
        name: instance.customer_name.clone(),
        hostname: core.shown_hostname(&instance.subdomain),
        url: core.instance_url(&instance.subdomain),
    };
    let key = format!("resumed {} {}", instance.id, instance.changed_at.as_millisecond());
    let to = &instance.customer_email;
    post(tx, core, Letter { key: &key, to, written: letter.written() }).await
}

pub(crate) async fn renamed(
    tx: &mut Tx,
    core: &Core,
    instance: &Instance,
    from: &Subdomain,
    workflow: &str,
) -> Result<(), Error> {
    let letter = letters::Renamed {
        product: core.settings.product.clone(),
        name: instance.customer_name.clone(),
        old_hostname: core.shown_hostname(from),
        hostname: core.shown_hostname(&instance.subdomain),
        url: core.instance_url(&instance.subdomain),
    };
    let key = format!("renamed {workflow}");
    let to = &instance.customer_email;
    post(tx, core, Letter { key: &key, to, written: letter.written() }).await
}

pub(crate) async fn rename_failed(
    tx: &mut Tx,
    core: &Core,
    instance: &Instance,
    wanted: &Subdomain,
    reason: &str,
    workflow: &str,
) -> Result<(), Error> {
    let letter = letters::RenameFailed {
        product: core.settings.product.clone(),
        name: instance.customer_name.clone(),
        hostname: core.shown_hostname(&instance.subdomain),
        wanted: core.shown_hostname(wanted),
        reason: rename::what_failed(reason),
        portal_url: core.site_url(&format!("/portal/instances/{}", instance.subdomain)),
    };
    let key = format!("rename failed {workflow}");
    let to = &instance.customer_email;
    post(tx, core, Letter { key: &key, to, written: letter.written() }).await?;
    let what = format!("{} could not move to {wanted}; that was undone", core.hostname(&instance.subdomain));
    let path = format!("/admin/workflows/{workflow}");
    alerts::raise(tx, core, alerts::Kind::WorkUndone, &format!("{key} operator"), &what, reason, &path).await
}

pub(crate) async fn deleted(tx: &mut Tx, core: &Core, instance: &Instance) -> Result<(), Error> {
    let letter = letters::Deleted {
        product: core.settings.product.clone(),
        name: instance.customer_name.clone(),
        hostname: core.shown_hostname(&instance.subdomain),
        record_url: core.site_url(&format!("/portal/instances/{}", instance.subdomain)),
    };
    let key = format!("deleted {}", instance.id);
    let to = &instance.customer_email;
    post(tx, core, Letter { key: &key, to, written: letter.written() }).await
}

pub(crate) async fn post(tx: &mut Tx, core: &Core, letter: Letter<'_>) -> Result<(), Error> {
    let now = core.clock.now();
    store::insert(tx, &core.sealer, MessageId::new(now, core.entropy.bytes()), &letter, now, Treatment::default()).await
}

/// A mail of a conversation. Its id, by which answers name it.
pub(crate) async fn post_in_thread(
    tx: &mut Tx,
    core: &Core,
    letter: Letter<'_>,
    thread: Thread,
) -> Result<MessageId, Error> {
    let now = core.clock.now();
    let id = MessageId::new(now, core.entropy.bytes());
    store::insert(tx, &core.sealer, id, &letter, now, Treatment { thread, useless_at: None }).await?;
    Ok(id)
}

/// The same for a mail that is not about its reader's own account, with the address at which they ask for no more: mail
/// programs offer it beside the mail, and ask there by themselves (RFC 8058).
pub(crate) async fn post_with_way_out(
    tx: &mut Tx,
    core: &Core,
    letter: Letter<'_>,
    leave_url: &str,
) -> Result<(), Error> {
    let key = letter.key;
    post(tx, core, letter).await?;
    store::let_leave(tx, key, leave_url).await
}

/// Puts the edge's sign-in codes into the outbox.
pub struct SignInCodes {
    /// The store with the outbox.
    pub db: ::store::Db,
    /// Seals what the mails say.
    pub sealer: Arc<Sealer>,
    /// The time.
    pub clock: world::Clock,
    /// Chance.
    pub entropy: world::Entropy,
    /// What is sold here.
    pub product: String,
    /// Wakes the delivery of mail.
    pub waiting: Arc<tokio::sync::Notify>,
}

#[async_trait]
impl edge::CodeMail for SignInCodes {
    async fn send_code(&self, mail: edge::SignInMail) -> anyhow::Result<()> {
        let letter = letters::SignInCode {
            product: self.product.clone(),
            code: mail.code,
            hostname: mail.hostname,
            valid_minutes: mail.valid_minutes,
        };
        let now = self.clock.now();
        let id = MessageId::new(now, self.entropy.bytes());
        let key = format!("sign-in code {id}");
        let until = now + SignedDuration::from_mins(i64::from(mail.valid_minutes));
        let letter = Letter { key: &key, to: &mail.to, written: letter.written() };
        let mut tx = self.db.begin().await.context("opening the outbox")?;
        let treatment = Treatment { useless_at: Some(until), thread: Thread::default() };
        store::insert(&mut tx, &self.sealer, id, &letter, now, treatment).await.context("writing to the outbox")?;
        tx.commit().await.context("writing to the outbox")?;
        self.waiting.notify_one();
        Ok(())
    }
}
