//! What a customer reads whose workspace is to be deleted, or is kept after all.

use ::store::Tx;
use ::store::sqlx::Error;
use pages::mail as letters;

use super::Waiting;
use crate::app::Core;
use crate::instances::Instance;
use crate::instances::cancellation::letters::{leaver, write};
use crate::instances::cancellation::until;
use crate::instances::holds::{self, Standing};

pub(super) async fn asked(tx: &mut Tx, core: &Core, instance: &Instance, waiting: &Waiting) -> Result<(), Error> {
    let letter = letters::DeletionAsked {
        leaver: leaver(core, instance, ""),
        until: until(waiting.due_at),
        is_by_owner: waiting.asked_by == instance.customer_email.as_str(),
        can_download: core.drivers.compute.exports().is_ok(),
    };
    write(tx, core, instance, "deletion asked", letter.written()).await
}

/// `left` are the reasons that keep it closed all the same.
pub(super) async fn taken_back(tx: &mut Tx, core: &Core, instance: &Instance, left: &[Standing]) -> Result<(), Error> {
    let letter = letters::DeletionTakenBack {
        leaver: leaver(core, instance, ""),
        stays_closed: (!left.is_empty()).then(|| holds::in_words(left)),
    };
    write(tx, core, instance, "deletion taken back", letter.written()).await
}
