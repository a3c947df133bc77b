//! Who wants no mail that is not about their own account. Kept for good, so that nobody who asked for it once is written to
//! after all. What is about an account is written all the same: it is needed to use it.

pub(crate) mod store;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use domain::{CustomerId, Email};
use jiff::Timestamp;

use crate::app::{App, Core};
use crate::audit;
use crate::customers::{self, Customer};
use crate::error::AppError;

const PURPOSE: &str = "mail unsubscription";
/// Where the links in mails lead.
const PATH: &str = "/mail/unsubscribe";
/// Who asked for it by such a link.
const BY_LINK: &str = "link";

/// An address that is on the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suppressed {
    pub email: Email,
    pub since: Timestamp,
    pub asked_by: String,
}

/// The address in a mail with which its reader asks for no more.
pub(crate) fn address(core: &Core, customer: CustomerId) -> String {
    let proof = hex::encode(core.sealer.derive(PURPOSE, &customer.to_string()));
    core.site_url(&format!("{PATH}/{customer}.{proof}"))
}

/// Whose link it is; nobody's when it is not ours.
pub(crate) async fn of_link(core: &Core, token: &str) -> Result<Option<Customer>, AppError> {
    let Some((id, proof)) = token.split_once('.') else { return Ok(None) };
    let expected = core.sealer.derive(PURPOSE, id);
    let is_ours = hex::decode(proof).is_ok_and(|given| verify_slices_are_equal(&given, &expected).is_ok());
    let Ok(customer) = CustomerId::parse(id) else { return Ok(None) };
    if !is_ours {
        return Ok(None);
    }
    Ok(customers::store::find(&core.db, customer).await?)
}

/// They want no more. Asking again changes nothing.
pub(crate) async fn leave(core: &Core, customer: &Customer) -> Result<(), AppError> {
    let mut tx = core.db.begin().await?;
    store::insert(&mut tx, &customer.email, core.clock.now(), BY_LINK).await?;
    Ok(tx.commit().await?)
}

/// Somebody told an operator that they want no more.
pub(crate) async fn add(app: &App, email: &Email, by: &str) -> Result<Suppressed, AppError> {
    let mut tx = app.db.begin().await?;
    if store::insert(&mut tx, email, app.clock.now(), by).await? {
        audit::record(&mut tx, app, by, "mail.suppressed", email.as_str(), "").await?;
    }
    let found = store::find(&mut tx, email).await?.ok_or(AppError::NotFound)?;
    tx.commit().await?;
    Ok(found)
}
