//! What would be invoiced: the closing itself, in transactions that are never committed.

use ::store::sqlx::Error;
use billing::Invoice;
use domain::{InstanceId, Month, UsageHour};

use super::close::{self, CloseError, Closing, Service};
use super::{accounts, closing};
use crate::app::Core;

const PAGE: u32 = 200;

/// An invoice that would be issued, or why it would not.
#[derive(Debug)]
pub(crate) struct Preview {
    pub service: Service,
    /// The invoice that came before it.
    pub previous: Option<Invoice>,
    pub invoice: Result<Invoice, String>,
}

/// All that would be issued if the month ended now; without a month, all that is over.
pub(crate) async fn preview(core: &Core, month: Option<Month>) -> Result<Vec<Preview>, Error> {
    let until = month.map_or_else(|| closing::settled_until(core, core.clock.now()), |it| it.next().first_hour());
    let closing = Closing::new(core).await?;
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = close::store::services(&core.db, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after = Some((last.customer, last.instance));
        // A customer's services share the credit, so they are closed in one transaction; a page may cut a customer
        // in two, and then the second part sees the credit that the first would have used.
        for services in page.chunk_by(|one, other| one.customer == other.customer) {
            all.extend(of_customer(&closing, services, until).await?);
        }
    }
}

/// What an instance would be invoiced for the period that is running, if that ended now. Nothing when no period runs.
pub(crate) async fn of_running(core: &Core, instance: InstanceId) -> Result<Option<Preview>, Error> {
    let Some(service) = close::store::find(&core.db, instance).await? else { return Ok(None) };
    let closing = Closing::new(core).await?;
    let period = core.settings.billing.cycle_of(service.began).period_of(UsageHour::of(core.clock.now()));
    if !closing.periods(&service, period.end()).contains(&period) {
        return Ok(None);
    }
    // Periods before it that are not closed yet come first, since it takes what they leave of the credit.
    Ok(of_customer(&closing, &[service], period.end()).await?.pop())
}

async fn of_customer(closing: &Closing<'_>, services: &[Service], until: UsageHour) -> Result<Vec<Preview>, Error> {
    let due: Vec<_> = services.iter().map(|service| (service, closing.periods(service, until))).collect();
    let mut previews = Vec::new();
    if due.iter().all(|(_, periods)| periods.is_empty()) {
        return Ok(previews);
    }
    let mut tx = closing.core.db.begin().await?;
    let unreadable = |error: CloseError| error.of_the_store().map_or_else(|other| Ok(other.to_string()), Err);
    let mut held = match accounts::open(&mut tx, services[0].customer).await {
        Ok(held) => held,
        Err(error) => {
            let problem = unreadable(error.into())?;
            let all = services.iter().map(|service| failed(service, None, problem.clone()));
            return Ok(all.collect());
        }
    };
    for (service, periods) in due {
        let mut previous = super::invoices::store::latest(&mut tx, service.instance, 1).await?.pop();
        for period in periods {
            match closing.close_in(&mut tx, &mut held, service, period).await {
                Ok(None) => {}
                Ok(Some(invoice)) => {
                    let before = previous.replace(invoice.clone());
                    previews.push(Preview { service: service.clone(), previous: before, invoice: Ok(invoice) });
                }
                Err(error) => {
                    previews.push(failed(service, previous.take(), unreadable(error)?));
                    break;
                }
            }
        }
    }
    // Dropped without a commit, the transaction leaves nothing behind.
    Ok(previews)
}

fn failed(service: &Service, previous: Option<Invoice>, problem: String) -> Preview {
    Preview { service: service.clone(), previous, invoice: Err(problem) }
}
