//! How support is doing, in figures.

mod store;

use ::store::sqlx::Error;
use jiff::{SignedDuration, Timestamp};

use crate::app::Core;

/// Over how long the past is looked at.
pub(crate) const DAYS: i64 = 90;

/// How support is doing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figures {
    /// Tickets whose customers wait for us.
    pub open: u64,
    /// Tickets whose customers we wait for.
    pub waiting: u64,
    /// Since when who has waited longest waits.
    pub oldest: Option<Timestamp>,
    /// In the last [`DAYS`] days: tickets that were opened.
    pub opened: u64,
    /// Of those, the time to the first answer that half of them got sooner; none where none was answered.
    pub median_first_answer: Option<SignedDuration>,
    /// How many said how content they are.
    pub ratings: u64,
    /// What they said on average, in tenths: 46 for 4.6 of 5.
    pub average_tenths: Option<u64>,
}

/// The figures as of now.
pub(crate) async fn read(core: &Core) -> Result<Figures, Error> {
    let since = core.clock.now() - SignedDuration::from_hours(24 * DAYS);
    let (open, waiting, oldest) = store::at_present(&core.db).await?;
    let opened = store::opened_since(&core.db, since).await?;
    let answered = store::answered_since(&core.db, since).await?;
    // Of an even number, the later of the two in the middle: no average of what nobody waited.
    let median = match answered {
        0 => None,
        number => store::first_answer_at_rank(&core.db, since, number / 2).await?,
    };
    let (ratings, sum) = store::ratings_since(&core.db, since).await?;
    let average_tenths = (ratings > 0).then(|| (sum * 10 + ratings / 2) / ratings.max(1));
    Ok(Figures {
        open,
        waiting,
        oldest,
        opened,
        median_first_answer: median.map(SignedDuration::from_millis),
        ratings,
        average_tenths,
    })
}
