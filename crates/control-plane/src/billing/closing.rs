//! Closes every period that is over, once a day, and then computes the books again.

pub(crate) mod store;

use std::sync::Arc;

use ::store::Tx;
use ::store::sqlx::Error;
use async_trait::async_trait;
use domain::{Month, UsageHour, WorkflowId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use workflow::{OnFailure, Run, StepError, Stop, Workflow, WorkflowState};

use super::close::{self, CloseError, Closing, Service};
use super::{books, comparison, invoices};
use crate::alerts::{self, Kind};
use crate::app::{App, Core};
use crate::audit;
use crate::error::{AppError, refused};
use crate::workflows::{self, Plan};

/// Stored with every run; a changed sequence of steps gets a new number.
pub(crate) const KIND: &str = "close.v1";

const TIME_LIMIT: SignedDuration = SignedDuration::from_hours(12);
/// So many services are looked at with one query.
const PAGE: u32 = 200;
/// For so long after its deletion an instance's late hours are looked for: what it did not report by then, it never will.
const LATE_AFTER_DELETION: SignedDuration = SignedDuration::from_hours(7 * 24);
/// So many problems are told by mail; the rest by the check of the books.
const TOLD: usize = 20;

/// See the module.
pub(crate) struct Close(pub Arc<Core>);

/// What a closing is started with.
#[derive(Debug, Serialize, Deserialize)]
struct Wanted {
    /// Periods that end at this hour or before it are closed.
    until: UsageHour,
}

/// What a closing did.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Done {
    /// So many invoices were issued by the pass that finished.
    issued: u32,
    /// What kept periods from being closed, in words. They are tried again with the next closing.
    problems: Vec<String>,
}

/// Periods that end at this hour or before it have waited long enough for late reports.
pub(crate) fn settled_until(core: &Core, now: Timestamp) -> UsageHour {
    UsageHour::of(now - grace(core))
}

fn grace(core: &Core) -> SignedDuration {
    SignedDuration::from_hours(i64::from(core.settings.billing.grace_hours))
}

/// Starts the closing of a day, in one replica, once the periods that ended with the day before have waited for late
/// reports. To be called often; it mostly does nothing.
///
/// # Errors
/// When the store can't be used.
pub async fn close_if_due(core: &Core) -> Result<(), Error> {
    let now = core.clock.now();
    let day = invoices::day_of(now - grace(core));
    let mut tx = core.db.begin().await?;
    if store::take(&mut tx, day, now).await? {
        begin(&mut tx, core, &day.to_string(), settled_until(core, now)).await?;
        comparison::begin(&mut tx, core, &day.to_string()).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Closes now what is over, or everything up to the end of a month without waiting for late reports. Asking again while
/// that is under way gives the same workflow.
pub(crate) async fn request(app: &App, month: Option<Month>, by: &str) -> Result<WorkflowId, AppError> {
    let now = app.clock.now();
    let (subject, until) = match month {
        Some(month) if month.next().first_hour() > UsageHour::of(now) => {
            let next = "Try a dry run: it shows what would be invoiced if the month ended now.";
            return Err(refused(422, &format!("{month} is not over"), next));
        }
        Some(month) => (month.to_string(), month.next().first_hour()),
        None => ("billing".to_owned(), settled_until(app, now)),
    };
    let mut tx = app.db.begin().await?;
    if let Some((id, state)) = workflow::under_way(&mut tx, KIND, &subject).await? {
        drop(tx);
        if state == WorkflowState::Stuck {
            app.engine.retry(&id).await?;
        }
        return WorkflowId::parse(&id).map_err(AppError::internal);
    }
    audit::record(&mut tx, app, by, "billing.close_requested", &subject, "").await?;
    let id = begin(&mut tx, app, &subject, until).await?;
    tx.commit().await?;
    app.engine.wake();
    Ok(id)
}

async fn begin(tx: &mut Tx, core: &Core, subject: &str, until: UsageHour) -> Result<WorkflowId, Error> {
    workflows::begin(tx, core, &Plan { kind: KIND, time_limit: TIME_LIMIT, subject }, &Wanted { until }).await
}

#[async_trait]
impl Workflow for Close {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn time_limit(&self) -> SignedDuration {
        TIME_LIMIT
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Halt
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        let Wanted { until } = run.input()?;
        let done: Done = run.step("issue invoices", || async { Ok(issue_all(core, until).await?) }).await?;
        let wrong: Vec<String> = run
            .step("check the books", || async {
                let found = books::check(core).await?;
                Ok::<_, StepError>(found.problems.into_iter().take(TOLD).collect())
            })
            .await?;
        run.step("tell the operator", || tell(core, run.id(), [done.problems.clone(), wrong].concat())).await
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

/// Closes everything that ends at an hour or before it, one service after another. A service that can't be billed stops
/// no other.
async fn issue_all(core: &Core, until: UsageHour) -> Result<Done, Error> {
    let closing = Closing::new(core).await?;
    let mut done = Done::default();
    let mut after = None;
    loop {
        let page = close::store::services(&core.db, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.customer, last.instance));
        for service in &page {
            done.count(service, issue(&closing, service, until).await)?;
        }
        core.mail_waiting.notify_one();
    }
    issue_late(&closing, &mut done).await?;
    Ok(done)
}

/// Hours of instances that are gone come on no other invoice.
async fn issue_late(closing: &Closing<'_>, done: &mut Done) -> Result<(), Error> {
    let core = closing.core;
    let since = core.clock.now() - LATE_AFTER_DELETION;
    let mut after = None;
    loop {
        let page = close::store::over_since(&core.db, since, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some((last.customer, last.instance));
        for service in &page {
            let issued = closing.close_late(service).await;
            done.count(service, issued.map(|invoice| u32::from(invoice.is_some())))?;
        }
        core.mail_waiting.notify_one();
    }
}

impl Done {
    /// Counts what was issued for a service, or says why nothing was. Only the store's errors are everybody's.
    fn count(&mut self, service: &Service, issued: Result<u32, CloseError>) -> Result<(), Error> {
        match issued {
            Ok(issued) => self.issued = self.issued.saturating_add(issued),
            Err(error) => {
                let error = error.of_the_store().map_or_else(Ok, Err)?;
                tracing::error!(instance.id = %service.instance, "A period was not closed: {error}");
                self.problems.push(format!("{} was not billed: {error}", service.instance));
            }
        }
        Ok(())
    }
}

async fn issue(closing: &Closing<'_>, service: &Service, until: UsageHour) -> Result<u32, CloseError> {
    let mut issued = 0;
    for period in closing.periods(service, until) {
        issued += u32::from(closing.close(service, period).await?.is_some());
    }
    Ok(issued)
}

async fn tell(core: &Core, run: &str, problems: Vec<String>) -> Result<(), StepError> {
    if problems.is_empty() {
        return Ok(());
    }
    let mut tx = core.db.begin().await?;
    let why = problems.into_iter().take(TOLD).collect::<Vec<_>>().join("\n");
    let path = format!("/admin/workflows/{run}");
    alerts::raise(&mut tx, core, Kind::BooksDiffer, &format!("closing {run}"), "The books need you", &why, &path)
        .await?;
    tx.commit().await?;
    core.mail_waiting.notify_one();
    Ok(())
}
