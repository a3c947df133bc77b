//! A customer signs up: everything that must be true together is stored in one transaction, and
//! provisioning begins.

pub(crate) mod checkout;
pub(crate) mod closing;

use access::TestIdentity;
use domain::{CouponCode, CustomerId, Email, InstanceId, MemberRole, Subdomain, WorkflowId};
use pages::LegalText;
use providers::payments::{Collects, SavedCard};
use store::{is_unique_violation, sqlx::Error};

use crate::app::App;
use crate::billing::coupons;
use crate::customers::{self, Customer};
use crate::error::{AppError, refused};
use crate::instances::copy::{self, CopyOf};
use crate::instances::{self, store::NewInstance};
use crate::limits::{self, Ceiling};
use crate::pool::claim::{self, MAKING};
use crate::text::capital;
use crate::{audit, members};

/// What a new instance is made from.
#[derive(Debug, Clone)]
pub(crate) struct NewSignup {
    pub name: String,
    pub email: Email,
    pub company: Option<String>,
    pub subdomain: Subdomain,
    /// Whether the customer accepted the texts; an operator's order leaves that to the customer.
    pub agreed: bool,
    pub card: Option<SavedCard>,
    /// What it takes off is given with the order, or nothing is ordered.
    pub coupon: Option<CouponCode>,
    /// Names the order, so that sending it twice makes one instance.
    pub key: Option<String>,
    /// What it begins with, if it does not begin empty.
    pub copy_of: Option<CopyOf>,
    /// Who asks, for the audit log.
    pub by: String,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub instance: InstanceId,
    pub workflow: WorkflowId,
}

/// Why not.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignupError {
    #[error("the name {0} is taken; choose another one")]
    Taken(Subdomain),
    #[error("this order was sent before, for another address or name")]
    KeyReused,
    #[error("{} of {} {} are used at {}, and no other instance fits", .0.used, .0.limit, .0.name, .0.provider)]
    Full(Box<Ceiling>),
    #[error("no mail gets to that address; give one at which you read mail")]
    Nobodys,
    #[error(transparent)]
    Coupon(AppError),
    #[error(transparent)]
    Copy(AppError),
    #[error(transparent)]
    Store(#[from] Error),
}

impl SignupError {
    /// Why not, for programs and operators.
    pub(crate) fn refusal(self) -> AppError {
        match self {
            Self::Taken(_) => refused(409, &self.to_string(), "Names that look alike count as the same."),
            Self::KeyReused => refused(422, &self.to_string(), "Use a new Idempotency-Key for each order."),
            Self::Full(ref ceiling) => {
                let next = format!("{}.", capital(&ceiling.advice));
                refused(409, &capital(&self.to_string()), &next)
            }
            Self::Nobodys => {
                refused(422, "No mail gets to that address", "Give an address at which the customer reads mail.")
            }
            Self::Coupon(error) | Self::Copy(error) => error,
            Self::Store(error) => error.into(),
        }
    }
}

/// Makes customer, instance, owner and provisioning workflow, or nothing at all. The same order
/// again gives the same instance.
pub(crate) async fn sign_up(app: &App, new: &NewSignup) -> Result<Accepted, SignupError> {
    if TestIdentity::is_one(&new.email) {
        return Err(SignupError::Nobodys);
    }
    if let Some(accepted) = earlier(app, new).await? {
        return Ok(accepted);
    }
    match insert(app, new).await {
        Ok(accepted) => {
            app.engine.wake();
            Ok(accepted)
        }
        // Either the same order won a race against itself, or somebody else took the name.
        Err(SignupError::Store(error)) if is_unique_violation(&error) => {
            earlier(app, new).await?.ok_or_else(|| SignupError::Taken(new.subdomain.clone()))
        }
        Err(SignupError::Full(ceiling)) => {
            limits::tell_of_refusal(app, &ceiling).await?;
            Err(SignupError::Full(ceiling))
        }
        Err(error) => Err(error),
    }
}

async fn earlier(app: &App, new: &NewSignup) -> Result<Option<Accepted>, SignupError> {
    let Some(key) = &new.key else { return Ok(None) };
    let Some(instance) = instances::store::of_signup(&app.db, key).await? else { return Ok(None) };
    let stored = instances::store::find(&app.db, instance).await?;
    // It may have moved to another name since.
    let is_called = instances::names::store::is_called(&app.db, instance, &new.subdomain).await?;
    if !is_called || stored.is_none_or(|stored| stored.customer_email != new.email) {
        return Err(SignupError::KeyReused);
    }
    let workflows = workflow::of_subject(&app.db, &instance.to_string()).await?;
    let of_kind = |kind: &str| workflows.iter().rev().find(|record| record.kind == kind);
    let first = [checkout::KIND].iter().chain(&MAKING).find_map(|kind| of_kind(kind));
    Ok(first.and_then(|record| WorkflowId::parse(&record.id).ok()).map(|workflow| Accepted { instance, workflow }))
}

fn may_start_at_once(app: &App, new: &NewSignup) -> bool {
    app.drivers.payments.collects() == Collects::Form || new.agreed
}

async fn insert(app: &App, new: &NewSignup) -> Result<Accepted, SignupError> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    // What was made ahead has its room already. Who orders for somebody else may wait a day for them to pay:
    // so long none is kept from the others.
    // What was made ahead was started empty.
    let may_be_ahead = new.copy_of.is_none() && may_start_at_once(app, new);
    let ahead = if may_be_ahead { claim::take(&mut tx, app).await? } else { None };
    if ahead.is_none()
        && let Some(ceiling) = limits::in_the_way(&mut tx).await?
    {
        return Err(SignupError::Full(Box::new(ceiling)));
    }
    if let Some(copy) = new.copy_of {
        copy::allow(&mut tx, copy).await.map_err(SignupError::Copy)?;
    }
    let candidate = Customer {
        id: CustomerId::new(now, app.entropy.bytes()),
        name: new.name.clone(),
        email: new.email.clone(),
        company: new.company.clone(),
        created_at: now,
    };
    let customer = customers::store::find_or_insert(&mut tx, &candidate).await?;
    if new.agreed {
        for text in LegalText::ALL {
            let document = text.path().trim_start_matches('/');
            customers::store::agree(&mut tx, customer, document, app.settings.brand.version_of(text), now).await?;
        }
    }
    if let Some(card) = &new.card {
        customers::store::save_card(&mut tx, customer, app.drivers.payments.name(), card, now).await?;
    }
    let id = ahead.as_ref().map_or_else(|| InstanceId::new(now, app.entropy.bytes()), |place| place.id);
    let (subdomain, signup_key) = (&new.subdomain, new.key.as_deref());
    let instance =
        NewInstance { id, customer, subdomain, ahead: ahead.as_ref(), signup_key, copy_of: new.copy_of, now };
    instances::store::insert(&mut tx, &instance).await?;
    members::store::insert(&mut tx, id, &new.email, MemberRole::Owner, now).await?;
    if let Some(code) = &new.coupon {
        coupons::redeem_within(&mut tx, app, customer, code, &new.by).await.map_err(SignupError::Coupon)?;
    }
    audit::record(&mut tx, app, &new.by, "instance.requested", &id.to_string(), new.subdomain.as_str()).await?;
    let workflow = match app.drivers.payments.collects() {
        Collects::Form => claim::start_or_provision(&mut tx, app, id).await?,
        // Whoever agreed to nothing did not order it themselves.
        Collects::Checkout => checkout::start(&mut tx, app, id, !new.agreed).await?,
    };
    tx.commit().await?;
    Ok(Accepted { instance: id, workflow })
}
