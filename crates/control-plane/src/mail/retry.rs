//! Another try for a mail that was not delivered, asked for by an operator.

use domain::MessageId;

use super::{bounces, store};
use crate::app::App;
use crate::audit;
use crate::error::{AppError, refused};

/// Makes a mail due now. That its address bounced is forgotten: whoever asks for this knows better.
pub(crate) async fn retry(app: &App, id: MessageId, by: &str) -> Result<store::Fate, AppError> {
    let id = id.to_string();
    let fate = store::fate_of(&app.db, &id).await?.ok_or(AppError::NotFound)?;
    let now = app.clock.now();
    if fate.delivered_at.is_some() {
        return Err(refused(409, "That mail was delivered", "There is nothing to retry."));
    }
    if fate.useless_at.is_some_and(|useless| useless <= now) {
        let next = "Whoever wanted it asks for a new one where they sign in.";
        return Err(refused(409, "That sign-in code is not valid any more", next));
    }
    let mut tx = app.db.begin().await?;
    if !store::renew(&mut tx, &id, now).await? {
        return Err(refused(409, "That mail is on its way", "Look at it again in a moment."));
    }
    bounces::store::remove(&mut tx, &fate.to).await?;
    store::release_to(&mut tx, &fate.to, now).await?;
    audit::record(&mut tx, app, by, "mail.retried", &id, &format!("to {}", fate.to)).await?;
    tx.commit().await?;
    app.mail_waiting.notify_one();
    store::fate_of(&app.db, &id).await?.ok_or(AppError::NotFound)
}
