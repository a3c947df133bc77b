//! How much more the providers take: whoever could not be served is told so before anything is made.

pub(crate) mod planner;
pub(crate) mod store;
pub(crate) mod watch;

use ::store::Tx;
use ::store::sqlx::Error;

use crate::alerts::{self, Kind};
use crate::app::Core;

pub(crate) use planner::Ceiling;

/// The ceiling that another instance would not fit below, as seen within the transaction that would
/// make it. Of several such transactions one at a time goes past this.
pub(crate) async fn in_the_way(tx: &mut Tx) -> Result<Option<Ceiling>, Error> {
    for ceiling in store::locked(tx).await? {
        let begun = store::begun_since(tx, ceiling.observed_at).await?;
        if !ceiling.has_room_after(begun) {
            return Ok(Some(ceiling));
        }
    }
    Ok(None)
}

/// Tells the operator that somebody was turned away, once a day for each ceiling.
pub(crate) async fn tell_of_refusal(core: &Core, ceiling: &Ceiling) -> Result<(), Error> {
    let day = core.clock.now().strftime("%Y-%m-%d");
    let key = format!("ceiling {} {} refused {day}", ceiling.provider, ceiling.name);
    let what = "A signup was turned away, since a provider has no room for another instance".to_owned();
    alert(core, &key, &what, ceiling).await
}

/// Tells the operator that a ceiling comes near, once a month for each and each time that it is moved.
pub(crate) async fn tell_that_it_is_near(core: &Core, ceiling: &Ceiling) -> Result<(), Error> {
    let month = core.clock.now().strftime("%Y-%m");
    let key = format!("ceiling {} {} near {} {month}", ceiling.provider, ceiling.name, ceiling.limit);
    let what = format!("A limit of {} is nearly reached: {}", ceiling.provider, ceiling.name);
    alert(core, &key, &what, ceiling).await
}

async fn alert(core: &Core, key: &str, what: &str, ceiling: &Ceiling) -> Result<(), Error> {
    let mut tx = core.db.begin().await?;
    alerts::raise(&mut tx, core, Kind::ProviderLimit, key, what, &ceiling.in_words(), "/admin/providers").await?;
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}
