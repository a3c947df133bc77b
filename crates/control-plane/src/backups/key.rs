//! The key of an instance's backups, made with the first of them. It belongs to that instance alone, and rests sealed.

use domain::InstanceId;
use providers::backup::{Identity, Recipient};
use secrecy::{ExposeSecret as _, SecretString};
use workflow::StepError;

use super::store;
use crate::app::Core;

/// For whom its backups are encrypted. The key is made if there is none yet.
pub(super) async fn recipient(tx: &mut ::store::Tx, core: &Core, instance: InstanceId) -> Result<Recipient, StepError> {
    if let Some(kept) = store::recipient(tx, instance).await? {
        return Recipient::parse(&kept).map_err(StepError::permanent);
    }
    let identity = Identity::generate();
    let secret = identity.to_secret();
    let sealed =
        core.sealer.seal(&purpose(instance), secret.expose_secret().as_bytes()).map_err(StepError::permanent)?;
    let recipient = identity.recipient();
    store::insert_key(tx, instance, &recipient.to_string(), sealed, core.clock.now()).await?;
    Ok(recipient)
}

/// What opens its backups.
pub(super) async fn identity(core: &Core, instance: InstanceId) -> Result<Identity, StepError> {
    let Some(sealed) = store::sealed_identity(&core.db, instance).await? else {
        let why = "the key of this instance's backups was destroyed, and nothing opens them any more";
        return Err(StepError::permanent(anyhow::anyhow!(why)));
    };
    let opened = core.sealer.open_sealed(&purpose(instance), &sealed).map_err(StepError::permanent)?;
    let secret = SecretString::from(String::from_utf8_lossy(opened.expose_secret()).into_owned());
    Identity::parse(&secret).map_err(StepError::permanent)
}

/// A row that was copied to another instance does not open there.
fn purpose(instance: InstanceId) -> String {
    format!("backup key {instance}")
}
