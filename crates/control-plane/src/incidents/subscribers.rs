//! Who is told of incidents by mail: whoever asked, and then said once more from that very mailbox that they meant it.
//! Nobody learns here whether an address is among them.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use domain::Email;
use jiff::SignedDuration;
use pages::mail as letters;

use super::store::{self, Subscriber};
use crate::app::Core;
use crate::error::{AppError, refused};
use crate::mail::{self, Letter};

/// One address is written to so often at most, whoever asks for it.
const ASK_AGAIN: SignedDuration = SignedDuration::from_hours(1);
/// So many may ask within [`LATELY`], all together: the form shall not be a way to send mail to strangers.
const MOST_ASKING: u32 = 30;
const LATELY: SignedDuration = SignedDuration::from_mins(10);

/// What a link in a mail is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// To be told from now on.
    Confirm,
    /// To be told no more.
    Leave,
}

impl Link {
    const fn purpose(self) -> &'static str {
        match self {
            Self::Confirm => "status subscription",
            Self::Leave => "status unsubscription",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Confirm => "/status/confirm",
            Self::Leave => "/status/unsubscribe",
        }
    }
}

/// Somebody wants to be told. The answer is the same whatever is known of the address.
pub(crate) async fn ask(core: &Core, email: &str) -> Result<(), AppError> {
    let email =
        Email::parse(email.trim()).map_err(|_| refused(422, "That is not an e-mail address", "Check it for slips."))?;
    let now = core.clock.now();
    let mut tx = core.db.begin().await?;
    if store::asked_since(&mut tx, now - LATELY).await? >= MOST_ASKING {
        return Err(refused(429, "Too many ask at this moment", "Try again in a quarter of an hour."));
    }
    let known = store::by_email(&mut tx, &email).await?;
    let is_told = known.as_ref().is_some_and(|known| known.confirmed_at.is_some());
    let was_written_to = known.as_ref().is_some_and(|known| now.duration_since(known.asked_at) < ASK_AGAIN);
    if is_told || was_written_to {
        return Ok(());
    }
    let id = known.map_or_else(|| hex::encode(core.entropy.bytes::<16>()), |known| known.id);
    store::ask(&mut tx, &id, &email, now).await?;
    let letter =
        letters::ConfirmSubscription { product: core.settings.product.clone(), url: address(core, Link::Confirm, &id) };
    let key = format!("status subscription {id} {}", now.as_millisecond());
    mail::post(&mut tx, core, Letter { key: &key, to: &email, written: letter.written() }).await?;
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}

/// Whom a link is of; nobody when it is not ours.
pub(crate) async fn find(core: &Core, link: Link, token: &str) -> Result<Option<Subscriber>, AppError> {
    let Some((id, proof)) = token.split_once('.') else { return Ok(None) };
    let expected = core.sealer.derive(link.purpose(), id);
    let is_ours = hex::decode(proof).is_ok_and(|given| verify_slices_are_equal(&given, &expected).is_ok());
    if !is_ours {
        return Ok(None);
    }
    Ok(store::subscriber_of(&core.db, id).await?)
}

/// They meant it.
pub(crate) async fn confirm(core: &Core, subscriber: &Subscriber) -> Result<(), AppError> {
    Ok(store::confirm(&core.db, &subscriber.id, core.clock.now()).await?)
}

/// They want no more. Nothing of them is kept.
pub(crate) async fn leave(core: &Core, subscriber: &Subscriber) -> Result<(), AppError> {
    Ok(store::remove(&core.db, &subscriber.id).await?)
}

/// The address that a mail to a subscriber holds.
pub(super) fn address(core: &Core, link: Link, id: &str) -> String {
    let proof = hex::encode(core.sealer.derive(link.purpose(), id));
    core.site_url(&format!("{}/{id}.{proof}", link.path()))
}
