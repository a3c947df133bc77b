//! What a customer reads whose workspace is to be deleted, or is kept after all.

use ::store::Tx;
use ::store::sqlx::Error;
use pages::mail as letters;

use super::Waiting;
use crate::app::Core;
use crate::instances::Instance;
use crate::instances::cancellation::until;
use crate::instances::holds::{self, Standing};
use crate::mail::{Letter, post};

pub(super) async fn asked(tx: &mut Tx, core: &Core, instance: &Instance, waiting: &Waiting) -> Result<(), Error> {
    let letter = letters::DeletionAsked {
        leaver: leaver(core, instance),
        until: until(waiting.due_at),
        is_by_owner: waiting.asked_by == instance.customer_email.as_str(),
        can_download: core.drivers.compute.exports().is_ok(),
    };
    write(tx, core, instance, "deletion asked", (letter.subject(), letter.text(), letter.html())).await
}

/// `left` are the reasons that keep it closed all the same.
pub(super) async fn taken_back(tx: &mut Tx, core: &Core, instance: &Instance, left: &[Standing]) -> Result<(), Error> {
    let letter = letters::DeletionTakenBack {
        leaver: leaver(core, instance),
        stays_closed: (!left.is_empty()).then(|| holds::in_words(left)),
    };
    write(tx, core, instance, "deletion taken back", (letter.subject(), letter.text(), letter.html())).await
}

fn leaver(core: &Core, instance: &Instance) -> letters::Leaver {
    letters::Leaver {
        product: core.settings.product.clone(),
        name: instance.customer_name.clone(),
        hostname: core.shown_hostname(&instance.subdomain),
        url: core.site_url(&format!("/portal/instances/{}", instance.subdomain)),
    }
}

/// Each is written by the transaction that it tells of; the moment tells one time from the next.
async fn write(
    tx: &mut Tx,
    core: &Core,
    instance: &Instance,
    what: &str,
    (subject, text, html): (String, String, String),
) -> Result<(), Error> {
    let key = format!("{what} {} {}", instance.id, core.clock.now().as_millisecond());
    post(tx, core, Letter { key: &key, to: &instance.customer_email, subject, text, html }).await
}
