//! What was known of an instance and its customer when a ticket was opened. Support sees it beside what was said, also when
//! everything has changed since.

use domain::CustomerId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::NewTicket;
use crate::app::Core;
use crate::billing::dunning;
use crate::billing::invoices::{self, store::Filter};
use crate::error::AppError;
use crate::health::{self, view};
use crate::instances::Instance;
use crate::{incidents, releases};

const MOST_INCIDENTS: u32 = 10;

/// What was known at a moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub taken_at: Timestamp,
    pub instance: Option<InstanceFacts>,
    /// How it stood with the last invoice, and with paying at all.
    pub payment: Option<String>,
    /// What the status page said was wrong.
    pub incidents: Vec<IncidentFact>,
}

/// How the instance was.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InstanceFacts {
    pub subdomain: String,
    pub hostname: String,
    pub state: String,
    /// The version that it ran.
    pub release: Option<String>,
    /// The verdict on it, from all that was seen.
    pub health: String,
    /// When its provider looked last.
    pub looked_at: Option<Timestamp>,
}

/// What was wrong for everybody.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct IncidentFact {
    pub id: String,
    pub title: String,
    pub state: String,
}

pub(super) async fn take(core: &Core, new: &NewTicket<'_>) -> Result<Facts, AppError> {
    let instance = match new.instance {
        Some(instance) => Some(of_instance(core, instance).await?),
        None => None,
    };
    let payment = match new.asker.customer {
        Some(customer) => of_payment(core, customer).await?,
        None => None,
    };
    let open = incidents::store::list(&core.db, "open", None, MOST_INCIDENTS).await?;
    let incidents = open.into_iter().map(|incident| IncidentFact {
        id: incident.id.to_string(),
        title: incident.title,
        state: incident.state.as_str().to_owned(),
    });
    Ok(Facts { taken_at: core.clock.now(), instance, payment, incidents: incidents.collect() })
}

async fn of_instance(core: &Core, instance: &Instance) -> Result<InstanceFacts, AppError> {
    let standing = health::of(core, instance).await?;
    let release = releases::store::of_instance(&core.db, instance.id).await?;
    Ok(InstanceFacts {
        subdomain: instance.subdomain.to_string(),
        hostname: core.shown_hostname(&instance.subdomain),
        state: instance.state.to_string(),
        release: release.map(|release| release.made.version.to_string()),
        health: view::verdict_of(&standing).to_string(),
        looked_at: standing.views.look.map(|look| look.at),
    })
}

async fn of_payment(core: &Core, customer: CustomerId) -> Result<Option<String>, AppError> {
    let today = invoices::day_of(core.clock.now());
    let filter = Filter { customer: Some(customer), ..Filter::default() };
    let last = invoices::store::list(&core.db, &filter, today, 1).await?.pop();
    let last = last.map(|invoice| {
        let total = core.settings.plan.price(invoice.total);
        format!("Invoice {} of {}, {total}: {}.", invoice.number, invoice.issued, invoice.state(today).as_str())
    });
    let dunned = dunning::view::view(core, customer).await?.map(|view| view.now.to_owned());
    let said: Vec<String> = last.into_iter().chain(dunned).collect();
    Ok((!said.is_empty()).then(|| said.join(" ")))
}
