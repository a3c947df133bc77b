//! Whether what was put into a place is all there: what the place keeps is packed once more, counted, and kept nowhere.

use std::sync::Arc;

use anyhow::anyhow;
use async_trait::async_trait;
use domain::BackupId;
use providers::ProviderError;
use providers::backup::{Identity, Target};
use providers::compute::Archive;
use providers::inventory::Check;
use providers::storage::{ObjectName, Storage};
use workflow::StepError;

use super::SUFFIX;
use super::put_back::whole;
use crate::app::Core;
use crate::instances::{Instance, Place};
use crate::workflows::step_error;

/// Compares a place, whose application rests, with the backup that was put into it. That the backup was not changed on its
/// way was seen when it was opened; here it is seen that nothing of it is missing.
///
/// # Errors
/// Permanent when something is missing, or too much; temporary when it could not be counted.
pub(crate) async fn same(core: &Core, of: &Instance, backup: BackupId, place: &Place) -> Result<(), StepError> {
    let backup = whole(core, of, backup).await?;
    let Some(held) = backup.held else {
        return Err(StepError::permanent(anyhow!("the backup {} was never taken whole", backup.id)));
    };
    let name = ObjectName::parse(&format!("{}/measured{SUFFIX}", place.id)).map_err(StepError::permanent)?;
    // Nobody keeps the key, as nobody keeps what is sealed with it.
    let target = Target { storage: Arc::new(Nowhere), name, recipient: Identity::generate().recipient() };
    let counted = core.drivers.compute.back_up(&place.project, place.id, &target).await.map_err(step_error)?.contents;
    if (counted.files, counted.bytes) == (held.files, held.content_bytes) {
        return Ok(());
    }
    let (files, bytes) = (counted.files, counted.bytes);
    let why = format!(
        "{} keeps {files} files of {bytes} bytes, and its backup has {} of {}",
        place.project, held.files, held.content_bytes
    );
    Err(StepError::permanent(anyhow!(why)))
}

/// Takes everything, and keeps nothing.
struct Nowhere;

#[async_trait]
impl Storage for Nowhere {
    fn name(&self) -> &'static str {
        "nowhere"
    }

    fn place(&self, name: &ObjectName) -> String {
        name.to_string()
    }

    async fn put(&self, name: &ObjectName, mut content: Archive) -> Result<(), ProviderError> {
        while let Some(piece) = content.next().await {
            piece.map_err(|why| ProviderError::unavailable(format!("count {name}"), why))?;
        }
        Ok(())
    }

    async fn get(&self, name: &ObjectName) -> Result<Archive, ProviderError> {
        Err(ProviderError::not_found(name.to_string()))
    }

    async fn delete(&self, _name: &ObjectName) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn list(&self) -> Result<Vec<ObjectName>, ProviderError> {
        Ok(Vec::new())
    }

    async fn check(&self) -> Vec<Check> {
        Vec::new()
    }
}
