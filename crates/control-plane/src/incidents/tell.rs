//! Tells subscribers of each update, once.

use ::store::sqlx::Error;
use jiff::SignedDuration;
use pages::mail as letters;

use super::store;
use super::subscribers::{Link, address};
use crate::app::Core;
use crate::mail::{self, Letter};

const PAGE: u32 = 100;
/// Who does not confirm within this is forgotten.
const CONFIRM_WITHIN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Writes to everybody about each update of which nobody was told. Who was written to already, before this broke off, is
/// not written to again.
///
/// # Errors
/// When the store does not answer.
pub async fn tell_due(core: &Core) -> Result<(), Error> {
    store::forget_unconfirmed(&core.db, core.clock.now() - CONFIRM_WITHIN).await?;
    while let Some(untold) = store::untold(&core.db).await? {
        let mut last = String::new();
        loop {
            let page = store::subscribers(&core.db, &last, PAGE).await?;
            let Some(end) = page.last() else { break };
            last.clone_from(&end.id);
            let mut tx = core.db.begin().await?;
            for subscriber in &page {
                let letter = letters::IncidentUpdate {
                    product: core.settings.product.clone(),
                    title: untold.title.clone(),
                    state: untold.update.state,
                    text: untold.update.text.clone(),
                    url: core.site_url(&format!("/status#{}", untold.incident)),
                    leave_url: address(core, Link::Leave, &subscriber.id),
                };
                let key = format!("incident {} {} {}", untold.incident, untold.number, subscriber.id);
                let leave_url = letter.leave_url.clone();
                let letter = Letter { key: &key, to: &subscriber.email, written: letter.written() };
                mail::post_with_way_out(&mut tx, core, letter, &leave_url).await?;
            }
            tx.commit().await?;
        }
        store::told(&core.db, untold.incident, untold.number, core.clock.now()).await?;
        core.mail_waiting.notify_one();
    }
    Ok(())
}
