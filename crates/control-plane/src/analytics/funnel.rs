//! From a visit to a first payment. Visits are counted in the month; from signing up on, it is the customers who signed up
//! in the month who are followed, up to the present.

use ::store::Db;
use ::store::sqlx::Error;
use domain::Month;

use super::report::span;
use super::store;
use super::visits::Visited;

/// How many got so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub name: &'static str,
    pub label: &'static str,
    pub definition: &'static str,
    pub count: u64,
}

pub(super) async fn of(db: &Db, month: Month, visited: Visited) -> Result<Vec<Step>, Error> {
    let (from, until) = span(month);
    let progress = store::progress(db, from, until).await?;
    let step = |name, label, definition, count| Step { name, label, definition, count };
    Ok(vec![
        step(
            "visits",
            "Visited",
            "Visits of the site in the month that came from elsewhere, without robots and people who are signed in.",
            visited.visits,
        ),
        step("form", "Opened the order", "How often the form for signing up was opened in the month.", visited.forms),
        step("signed_up", "Signed up", "Customers who signed up in the month.", progress.signed_up),
        step(
            "ready",
            "Had an instance",
            "Of them, those with an instance that was ready; a trial begins then.",
            progress.ready,
        ),
        step("used", "Used it", "Of them, those with at least one hour of use: the first useful hour.", progress.used),
        step("paid", "Paid", "Of them, those from whom a payment came in.", progress.paid),
    ])
}
