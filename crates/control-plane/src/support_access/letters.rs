//! What people read of support's access: the owner, all members once support may enter, and whoever asked.

use ::store::Tx;
use ::store::sqlx::Error;
use domain::{Email, SupportAccessId};
use pages::mail as letters;

use super::{Asked, Leave, SupportAccess, in_words};
use crate::app::Core;
use crate::instances::Instance;
use crate::mail::{Letter, post};
use crate::members;

pub(super) async fn asked(
    tx: &mut Tx,
    core: &Core,
    instance: &Instance,
    id: &SupportAccessId,
    asked: &Asked,
) -> Result<(), Error> {
    let paragraphs = vec![
        format!("We ask for your leave to enter the workspace {}. Why: {}", hostname(core, instance), asked.reason),
        "You decide for how long, and whether we may only look or change things too. You can end it at any time, and \
         decline it. Without your leave nobody of us can enter."
            .to_owned(),
    ];
    let subject = format!("May we enter {}?", hostname(core, instance));
    write(tx, core, instance, (&format!("support asked {id}"), &instance.customer_email), subject, paragraphs).await
}

/// Every member reads it: whoever works there knows that somebody may look.
pub(super) async fn given(
    tx: &mut Tx,
    core: &Core,
    instance: &Instance,
    access: &SupportAccess,
    leave: &Leave,
) -> Result<(), Error> {
    let until = leave.until.strftime("%-d %B %Y, %H:%M UTC");
    let paragraphs = vec![
        format!(
            "{} let support enter the workspace {}, {}.",
            leave.by,
            hostname(core, instance),
            in_words(leave.may_change)
        ),
        format!("That ends by itself on {until}, or as soon as the owner ends it in the portal."),
    ];
    let subject = format!("Support may enter {}", hostname(core, instance));
    let members = members::store::list(&core.db, instance.id).await?;
    for member in members {
        let key = format!("support let in {} {}", access.id, member.email);
        write(tx, core, instance, (&key, &member.email), subject.clone(), paragraphs.clone()).await?;
    }
    tell_who_asked(tx, core, instance, access, "let in", subject, paragraphs).await
}

pub(super) async fn declined(
    tx: &mut Tx,
    core: &Core,
    instance: &Instance,
    access: &SupportAccess,
) -> Result<(), Error> {
    let hostname = hostname(core, instance);
    let paragraphs = vec![format!("The owner of {hostname} does not let support in.")];
    tell_who_asked(tx, core, instance, access, "declined", format!("Declined: {hostname}"), paragraphs).await
}

pub(super) async fn ended(tx: &mut Tx, core: &Core, instance: &Instance, access: &SupportAccess) -> Result<(), Error> {
    let hostname = hostname(core, instance);
    let paragraphs = vec![
        format!("Support can't enter the workspace {hostname} any more."),
        "The portal shows in which hours somebody of support was inside. Those in which no member was active cost nothing."
            .to_owned(),
    ];
    let subject = format!("Support has left {hostname}");
    write(tx, core, instance, (&format!("support ended {}", access.id), &instance.customer_email), subject, paragraphs)
        .await
}

async fn tell_who_asked(
    tx: &mut Tx,
    core: &Core,
    instance: &Instance,
    access: &SupportAccess,
    what: &str,
    subject: String,
    paragraphs: Vec<String>,
) -> Result<(), Error> {
    // A program that asked has no mailbox.
    let asked = access.asked.as_ref().and_then(|asked| Email::parse(&asked.by).ok());
    let to = asked.unwrap_or_else(|| core.settings.operator.clone());
    let key = format!("support {what} {} operator", access.id);
    write(tx, core, instance, (&key, &to), subject, paragraphs).await
}

async fn write(
    tx: &mut Tx,
    core: &Core,
    instance: &Instance,
    (key, to): (&str, &Email),
    subject: String,
    paragraphs: Vec<String>,
) -> Result<(), Error> {
    let letter = letters::SupportAccess {
        product: core.settings.product.clone(),
        subject,
        paragraphs,
        url: core.site_url(&format!("/portal/instances/{}/support", instance.subdomain)),
        is_owners: *to == instance.customer_email,
    };
    post(tx, core, Letter { key, to, written: letter.written() }).await
}

fn hostname(core: &Core, instance: &Instance) -> String {
    core.shown_hostname(&instance.subdomain)
}
