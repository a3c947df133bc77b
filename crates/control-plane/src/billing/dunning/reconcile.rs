//! What days bring: invoices become overdue, waits run out. And what should be closed is, and nothing else.

use ::billing::dunning::{Event, Stage};
use ::store::sqlx::Error;
use domain::CustomerId;

use super::{actions, happened, is_closed, owed, settled, store};
use crate::app::Core;
use crate::billing::{accounts, invoices};
use crate::error::AppError;

/// So many customers are looked at with one query.
const PAGE: u32 = 200;

/// What is to be told of a customer.
#[derive(Debug, Clone, Copy)]
enum News {
    /// Something may be overdue.
    Overdue,
    /// A wait may be over.
    Due,
    /// Nothing may be owed any more.
    Settled,
    /// An instance may be open that should be closed, or the other way round.
    Doors,
}

/// Looks at who owes what, and tells it. To be called often; it mostly does nothing. What can't be told of one customer
/// keeps nobody else waiting.
///
/// # Errors
/// When the store can't be used.
pub async fn dun_if_due(core: &Core) -> Result<(), Error> {
    // Where invoices are charged, the charge that failed tells; one that is late for another reason is not the
    // customer's fault.
    let hand = (!core.drivers.payments.charges()).then_some(News::Overdue);
    for news in [News::Settled, News::Due].into_iter().chain(hand).chain([News::Doors]) {
        let mut after = String::new();
        loop {
            let page = candidates(core, news, &after).await?;
            let Some(last) = page.last() else { break };
            after = last.to_string();
            for customer in page {
                if let Err(error) = tell(core, customer, news).await {
                    tracing::error!(customer.id = %customer, "Dunning of {customer} is tried again later: {error}");
                }
            }
        }
    }
    Ok(())
}

/// Of whom it may be told, by id, after one.
async fn candidates(core: &Core, news: News, after: &str) -> Result<Vec<CustomerId>, Error> {
    let now = core.clock.now();
    let today = invoices::day_of(now);
    match news {
        News::Overdue => store::overdue(&core.db, today, after, PAGE).await,
        News::Due => store::due(&core.db, now, after, PAGE).await,
        News::Settled => store::settled(&core.db, today, after, PAGE).await,
        News::Doors => store::at_wrong_doors(&core.db, after, PAGE).await,
    }
}

async fn tell(core: &Core, customer: CustomerId, news: News) -> Result<(), AppError> {
    let mut tx = core.db.begin().await?;
    let held = accounts::open(&mut tx, customer).await?;
    match news {
        // Seen before the book was held; money may have come since.
        News::Overdue if owed(&mut tx, core, &held).await?.is_empty() => return Ok(()),
        News::Overdue => happened(&mut tx, core, &held, Event::Overdue).await?,
        News::Due => {
            // Nobody is taken a step further who owes nothing.
            settled(&mut tx, core, &held).await?;
            happened(&mut tx, core, &held, Event::TimePassed).await?;
        }
        News::Settled => settled(&mut tx, core, &held).await?,
        News::Doors => {
            let stage = store::find(&mut tx, customer).await?.map_or(Stage::Current, |kept| kept.state.stage());
            for (instance, is_held) in store::doors(&mut tx, customer).await? {
                match (is_closed(stage), is_held) {
                    (true, false) => actions::close(&mut tx, core, instance, stage).await?,
                    (false, true) => actions::open(&mut tx, core, instance).await?,
                    _ => {}
                }
            }
        }
    }
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}
