//! What was spent to win customers, as people enter it. Entries are only added; one that was a mistake is taken back and
//! stays on record.

pub(crate) mod store;

use domain::{Cents, Month, SpendId};
use jiff::Timestamp;

use crate::app::App;
use crate::audit;
use crate::error::{AppError, refused};

const LONGEST_PURPOSE: usize = 100;

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub id: SpendId,
    pub month: Month,
    pub amount: Cents,
    pub purpose: String,
    pub entered_by: String,
    pub entered_at: Timestamp,
    /// When, and by whom.
    pub taken_back: Option<(Timestamp, String)>,
}

/// What is to be entered.
#[derive(Debug, Clone)]
pub(crate) struct NewEntry {
    pub month: Month,
    pub amount: Cents,
    pub purpose: String,
    /// Names it, so that sending it twice makes one entry.
    pub key: Option<String>,
}

/// Enters what was spent, once for each key.
pub(crate) async fn add(app: &App, new: &NewEntry, by: &str) -> Result<Entry, AppError> {
    let now = app.clock.now();
    let purpose = new.purpose.trim();
    if new.amount < Cents::ZERO {
        let next = "Enter what was spent as an amount; an entry that was a mistake is taken back.";
        return Err(refused(422, "Nobody spends less than nothing", next));
    }
    if purpose.is_empty() || purpose.chars().count() > LONGEST_PURPOSE || purpose.chars().any(char::is_control) {
        let next = format!("Say in one line of at most {LONGEST_PURPOSE} characters what the money was for.");
        return Err(refused(422, "It is not said what the money was for", &next));
    }
    if new.month > Month::of(now) {
        return Err(refused(422, &format!("{} is still to come", new.month), "Enter it when the month has begun."));
    }
    let mut tx = app.db.begin().await?;
    let entry = Entry {
        id: SpendId::new(now, app.entropy.bytes()),
        month: new.month,
        amount: new.amount,
        purpose: purpose.to_owned(),
        entered_by: by.to_owned(),
        entered_at: now,
        taken_back: None,
    };
    let (stored, is_new) = store::insert(&mut tx, &entry, new.key.as_deref()).await?;
    if !is_new && (stored.month, stored.amount, &stored.purpose) != (entry.month, entry.amount, &entry.purpose) {
        let next = "Use a new Idempotency-Key for each entry.";
        return Err(refused(422, "This was entered before, with another amount, month or purpose", next));
    }
    if is_new {
        let detail = format!("{} in {}: {purpose}", app.settings.plan.price(entry.amount), entry.month);
        audit::record(&mut tx, app, by, "spend.added", &entry.id.to_string(), &detail).await?;
    }
    tx.commit().await?;
    Ok(stored)
}

/// Takes back what was a mistake. Asking again changes nothing.
pub(crate) async fn take_back(app: &App, id: &str, by: &str) -> Result<Entry, AppError> {
    let id = SpendId::parse(id).map_err(|_| AppError::NotFound)?;
    let mut tx = app.db.begin().await?;
    store::find(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    if store::take_back(&mut tx, id, app.clock.now(), by).await? {
        audit::record(&mut tx, app, by, "spend.taken_back", &id.to_string(), "").await?;
    }
    let entry = store::find(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    tx.commit().await?;
    Ok(entry)
}
