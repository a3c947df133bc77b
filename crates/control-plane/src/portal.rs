//! What customers see of their own: instances, use, bill, members, deletion.

pub(crate) mod backups;
pub(crate) mod billing_details;
pub(crate) mod bills;
pub(crate) mod copying;
pub(crate) mod coupons;
pub(crate) mod deletion;
pub(crate) mod leaving;
pub(crate) mod members;
pub(crate) mod moves;
pub(crate) mod payment;
pub(crate) mod rename;
pub(crate) mod spending;
pub(crate) mod support;
pub(crate) mod tickets;
pub(crate) mod updates;

use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use domain::{Email, InstanceState, Month};
use jiff::SignedDuration;
use pages::{
    Area, BillView, EvidenceRow, HourRow, IncludedAi, InstanceCard, IsolationNote, MemberRow, Notice, NoticeKind,
    Observed, PortalHome, PortalInstance,
};
use providers::compute::Health;
use serde::Deserialize;

use crate::app::App;
use crate::error::AppError;
use crate::instances::{self, Instance, provision};
use crate::isolation::{self, report::OfInstance};
use crate::model;
use crate::person::Person;
use crate::pool::claim;
use crate::signup::checkout;
use crate::site::{PageError, shell};
use crate::support_access;
use crate::usage;

/// How long an order that came to nothing is shown.
const FAILURES_SHOWN: SignedDuration = SignedDuration::from_hours(7 * 24);

pub(crate) async fn home(State(app): State<App>, person: Person) -> Result<Html<String>, PageError> {
    let month = Month::of(app.clock.now());
    let mut cards = Vec::new();
    let lately = app.clock.now() - FAILURES_SHOWN;
    for instance in instances::store::owned_by(&app.db, &person.email, lately).await? {
        let used = usage::of_month(&app, instance.id, month).await?;
        cards.push(InstanceCard {
            name: instance.subdomain.to_string(),
            hostname: app.shown_hostname(&instance.subdomain),
            url: app.instance_url(&instance.subdomain),
            portal_url: page_url(&app, &instance).await?,
            state: instance.state,
            observed: observed(&instance),
            hours_this_month: u32::try_from(used.hours.len()).unwrap_or(u32::MAX),
            bill_so_far: app.settings.plan.price(used.bill.total),
        });
    }
    let shell = shell(&app, Area::Portal, "Your workspaces", Some(&person));
    let paid_at = payment::kept_by(&app, &person).await?;
    Ok(Html(PortalHome { shell, instances: cards, paid_at }.render()))
}

pub(crate) async fn instance(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
    Query(invited): Query<Invited>,
) -> Result<Response, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let url = page_url(&app, &instance).await?;
    // The name may be a former one.
    if url != portal_url(&instance) || subdomain != instance.subdomain.as_str() {
        return Ok(Redirect::to(&url).into_response());
    }
    let invited = invited.email.map(|email| format!("{email} was invited. A mail with the address is on its way."));
    let around = Around { notice: invited, ..Around::default() };
    Ok(Html(page(&app, &person, &instance, around).await?).into_response())
}

/// Whom the reader has just invited.
#[derive(Deserialize)]
pub(crate) struct Invited {
    #[serde(rename = "invited")]
    email: Option<Email>,
}

/// What is shown in and around the forms.
#[derive(Debug, Default)]
pub(crate) struct Around {
    pub notice: Option<String>,
    /// Who was to be invited, and why not.
    pub entered: String,
    pub error: Option<String>,
    /// Which name was wanted, and why not.
    pub wanted_name: String,
    pub name_error: Option<String>,
    /// What was wanted of updates, and why not.
    pub updates: Option<updates::Refused>,
}

/// The page of one instance.
pub(crate) async fn page(app: &App, person: &Person, instance: &Instance, around: Around) -> Result<String, AppError> {
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
    let renaming = rename::view(app, instance, &around).await?;
    let deletion = instances::deletion::of(app, instance).await?;
    let leaving = if deletion.is_some() { None } else { leaving::on_page(app, instance).await? };
    let updates = updates::view(app, instance, around.updates).await?;
    let mut shell = shell(app, Area::Portal, instance.subdomain.as_str(), Some(person));
    shell.notice = around.notice.map(|text| Notice { kind: NoticeKind::Success, text });
    let page = PortalInstance {
        shell,
        name: instance.subdomain.to_string(),
        hostname: app.shown_hostname(&instance.subdomain),
        url: app.instance_url(&instance.subdomain),
        state: instance.state,
        suspended_because: instance.suspended_because.clone(),
        observed: observed(instance),
        health: crate::health::view::of(app, instance).await?,
        month,
        hours: used.hours.into_iter().map(hour_row).collect(),
        bill: BillView { bill: used.bill, plan: app.settings.plan.clone() },
        included_ai: included_ai(app, instance).await?,
        members: members.collect(),
        may_manage: true,
        invite_email: around.entered,
        invite_error: around.error,
        updates,
        lives_in: moves::lives_in(app, instance, moves::Shown::InWords).await?,
        renaming,
        leaving,
        deleted_at: deletion.map(|waiting| instances::cancellation::until(waiting.due_at)),
        download: leaving::downloads(app),
        support_until: support_until(app, instance).await?,
        isolation: isolation_note(isolation::report::of_instance(app, instance.id).await?),
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

/// Where an instance is looked after now: while it is made or removed, that is being watched.
async fn page_url(app: &App, instance: &Instance) -> Result<String, AppError> {
    match instance.state {
        InstanceState::Requested | InstanceState::Provisioning | InstanceState::Failed => {
            let all = workflow::of_subject(&app.db, &instance.id.to_string()).await?;
            let kinds = [provision::KIND, claim::KIND, checkout::KIND];
            let making = all.into_iter().find(|record| kinds.contains(&record.kind.as_str()));
            Ok(making.map_or_else(|| portal_url(instance), |record| format!("/signup/{}", record.id)))
        }
        InstanceState::Deleting | InstanceState::Deleted => Ok(format!("{}/deletion", portal_url(instance))),
        InstanceState::Active | InstanceState::Suspended => Ok(portal_url(instance)),
    }
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

/// What of the included AI is used, where some is included.
async fn included_ai(app: &App, instance: &Instance) -> Result<Option<IncludedAi>, AppError> {
    let standing = if instance.state.is_over() { None } else { model::report::standing(app, instance.id).await? };
    Ok(standing.map(|standing| IncludedAi {
        used: standing.in_words(),
        is_used_up: standing.used >= standing.allowance,
        renewed_at: standing.renewed_at,
    }))
}

/// Until when support may enter, if it may.
async fn support_until(app: &App, instance: &Instance) -> Result<Option<jiff::Timestamp>, AppError> {
    let open = support_access::store::open_of(&app.db, instance.id).await?;
    let until = open.as_ref().and_then(|open| open.leave()).map(|leave| leave.until);
    Ok(until.filter(|until| *until > app.clock.now()))
}

fn isolation_note(known: OfInstance) -> IsolationNote {
    let (proven_at, refused, neighbours) =
        known.proven.map_or((None, 0, 0), |(at, refused, by)| (Some(at), refused, by));
    IsolationNote { proven_at, refused, neighbours, since: known.since, is_breached: known.is_breached }
}

fn hour_row((hour, evidence): (domain::UsageHour, Vec<domain::Evidence>)) -> HourRow {
    let row = |entry: domain::Evidence| EvidenceRow {
        signal: entry.signal,
        who: entry.who.in_words(),
        first: entry.first,
        last: entry.last,
        count: entry.count,
    };
    HourRow { hour, evidence: evidence.into_iter().map(row).collect() }
}
