//! What the companies that all of it runs at say of themselves on their status pages. Kept with its time, shown beside what
//! we see ourselves, and never taken for it.

pub(crate) mod store;

use ::store::sqlx::Error;
use jiff::{SignedDuration, Timestamp};
use providers::status_feed::Condition;

use crate::alerts::{self, Kind};
use crate::app::Core;

/// How often each page is read.
const EVERY: SignedDuration = SignedDuration::from_mins(5);
/// What is older says nothing of the present.
pub(crate) const FRESH: SignedDuration = SignedDuration::from_mins(30);

/// What a company said last.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub name: String,
    pub condition: Condition,
    pub words: String,
    /// When it was read.
    pub at: Timestamp,
    /// Why the latest try to read it came to nothing.
    pub trouble: Option<String>,
}

/// Reads those pages that are due.
///
/// # Errors
/// When the store does not answer.
pub async fn read_if_due(core: &Core) -> Result<(), Error> {
    for feed in &core.settings.watch.status_feeds {
        let now = core.clock.now();
        if !store::take_turn(&core.db, feed.name(), now, now - EVERY).await? {
            continue;
        }
        let report = match feed.read().await {
            Ok(report) => report,
            Err(error) => {
                tracing::warn!("The status page of {} was not read: {error}", feed.name());
                store::failed(&core.db, feed.name(), &error.to_string()).await?;
                continue;
            }
        };
        let mut tx = core.db.begin().await?;
        store::said(&mut tx, feed.name(), &report, core.clock.now()).await?;
        let key = format!("provider trouble {}", feed.name());
        if report.condition >= Condition::Minor {
            let what = format!("{} says that it has trouble", feed.name());
            alerts::raise(&mut tx, core, Kind::ProviderTrouble, &key, &what, &report.words, "/admin/providers").await?;
        } else {
            alerts::resolve(&mut tx, core, &key).await?;
        }
        tx.commit().await?;
        core.mail_waiting.notify_one();
    }
    Ok(())
}
