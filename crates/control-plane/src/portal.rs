//! What customers see of their own: instances, use, bill, members, deletion.

pub(crate) mod deletion;
pub(crate) mod members;

use axum::extract::{Path, State};
use axum::response::Html;
use domain::Month;
use pages::{
    Area, BillView, EvidenceRow, HourRow, InstanceCard, MemberRow, Notice, NoticeKind, Observed, PortalHome,
    PortalInstance,
};
use providers::compute::Health;

use crate::app::App;
use crate::error::AppError;
use crate::instances::{self, Instance};
use crate::person::Person;
use crate::site::progress::host;
use crate::site::{PageError, shell};
use crate::usage;

pub(crate) async fn home(State(app): State<App>, person: Person) -> Result<Html<String>, PageError> {
    let month = Month::of(app.clock.now());
    let mut cards = Vec::new();
    for instance in instances::store::owned_by(&app.db, &person.email).await? {
        let used = usage::of_month(&app, instance.id, month).await?;
        cards.push(InstanceCard {
            name: instance.subdomain.to_string(),
            hostname: host(&app, &instance),
            url: app.instance_url(&instance.subdomain),
            portal_url: portal_url(&instance),
            state: instance.state,
            observed: observed(&instance),
            hours_this_month: u32::try_from(used.hours.len()).unwrap_or(u32::MAX),
            bill_so_far: app.settings.plan.price(used.bill.total),
        });
    }
    let shell = shell(&app, Area::Portal, "Your workspaces", Some(&person));
    Ok(Html(PortalHome { shell, instances: cards }.render()))
}

pub(crate) async fn instance(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
) -> Result<axum::response::Response, PageError> {
    use axum::response::{IntoResponse as _, Redirect};
    let instance = owned(&app, &person, &subdomain).await?;
    if matches!(instance.state, domain::InstanceState::Deleting | domain::InstanceState::Deleted) {
        return Ok(Redirect::to(&format!("{}/deletion", portal_url(&instance))).into_response());
    }
    Ok(Html(page(&app, &person, &instance, Invitation::default()).await?).into_response())
}

/// What is shown around the invitation form.
#[derive(Debug, Default)]
pub(crate) struct Invitation {
    pub entered: String,
    pub error: Option<String>,
    pub notice: Option<String>,
}

/// The page of one instance.
pub(crate) async fn page(
    app: &App,
    person: &Person,
    instance: &Instance,
    invitation: Invitation,
) -> Result<String, AppError> {
    let month = Month::of(app.clock.now());
    let used = usage::of_month(app, instance.id, month).await?;
    let portal_url = portal_url(instance);
    let members = crate::members::store::list(&app.db, instance.id).await?;
    let members = members.into_iter().map(|member| MemberRow {
        remove_url: (member.role != domain::MemberRole::Owner).then(|| members::remove_url(&portal_url, &member.email)),
        member: member.email.to_string(),
        role: member.role,
        added_at: member.added_at,
    });
    let mut shell = shell(app, Area::Portal, instance.subdomain.as_str(), Some(person));
    shell.notice = invitation.notice.map(|text| Notice { kind: NoticeKind::Success, text });
    let page = PortalInstance {
        shell,
        name: instance.subdomain.to_string(),
        hostname: host(app, instance),
        url: app.instance_url(&instance.subdomain),
        state: instance.state,
        observed: observed(instance),
        month,
        hours: used.hours.into_iter().map(hour_row).collect(),
        bill: BillView { bill: used.bill, plan: app.settings.plan.clone() },
        members: members.collect(),
        may_manage: true,
        invite_email: invitation.entered,
        invite_error: invitation.error,
        portal_url,
    };
    Ok(page.render())
}

/// The person's instance of that name; anybody else's is as if it were not there.
pub(crate) async fn owned(app: &App, person: &Person, subdomain: &str) -> Result<Instance, AppError> {
    instances::store::find_owned(&app.db, &person.email, subdomain).await?.ok_or(AppError::NotFound)
}

pub(crate) fn portal_url(instance: &Instance) -> String {
    format!("/portal/instances/{}", instance.subdomain)
}

/// What was last seen, as pages show it.
pub(crate) fn observed(instance: &Instance) -> Option<Observed> {
    instance.observed.as_ref().map(|observed| Observed {
        health: match observed.observation.health {
            Health::Ok => pages::Health::Healthy,
            Health::Busy => pages::Health::Busy,
            Health::Starting => pages::Health::Starting,
            Health::Down => pages::Health::Unhealthy,
            Health::Asleep => pages::Health::Stopped,
            Health::Unknown => pages::Health::Unknown,
        },
        at: observed.observation.at,
        by: format!("{} driver", observed.by),
    })
}

fn hour_row((hour, evidence): (domain::UsageHour, Vec<domain::Evidence>)) -> HourRow {
    let row = |entry: domain::Evidence| EvidenceRow {
        signal: entry.signal,
        first: entry.first,
        last: entry.last,
        count: entry.count,
    };
    HourRow { hour, evidence: evidence.into_iter().map(row).collect() }
}
