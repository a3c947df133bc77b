//! What operators see: who is broken, why, and what now.

pub(crate) mod alerts;
pub(crate) mod analytics;
pub(crate) mod audit;
pub(crate) mod backups;
pub(crate) mod customers;
pub(crate) mod door;
pub(crate) mod enter;
pub(crate) mod incidents;
pub(crate) mod instances;
pub(crate) mod isolation;
pub(crate) mod money;
pub(crate) mod moves;
pub(crate) mod previews;
pub(crate) mod providers;
pub(crate) mod releases;
pub(crate) mod rollouts;
pub(crate) mod search;
pub(crate) mod tickets;
pub(crate) mod workflows;

use ::providers::payments::DisputeState;
use axum::extract::State;
use axum::response::Html;
use domain::InstanceState;
use fleet::RolloutState;
use pages::console::{Attention, ConsoleHome, Count};
use pages::{Area, Shell};
use serde::Deserialize;
use workflow::{Filter, WorkflowState};

use crate::app::App;
use crate::billing::disputes::words;
use crate::costs::spend;
use crate::error::AppError;
use crate::person::{Person, Reader};
use crate::site::{PageError, shell};
use crate::workflows::{kind_in_words, subject_in_words};
use crate::{billing, inventory};

/// Entries on one page of a list.
const PAGE: u32 = 50;

/// Which part of which list.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Listing {
    cursor: Option<String>,
    state: Option<String>,
}

pub(crate) async fn home(State(app): State<App>, Reader(person): Reader) -> Result<Html<String>, PageError> {
    let counts = crate::instances::store::counts(&app.db).await?;
    let number = |wanted: &[InstanceState]| {
        counts.iter().filter(|(state, _)| wanted.contains(state)).map(|(_, count)| u64::from(*count)).sum()
    };
    let count = |label: &str, value: u64, url: &str| Count { label: label.to_owned(), value, url: url.to_owned() };
    let tiles = vec![
        count("Active instances", number(&[InstanceState::Active]), "/admin/instances?state=active"),
        count("Being made", number(&[InstanceState::Provisioning]), "/admin/instances?state=provisioning"),
        count("Being removed", number(&[InstanceState::Deleting]), "/admin/instances?state=deleting"),
        count("Failed", number(&[InstanceState::Failed]), "/admin/instances?state=failed"),
    ];
    let shell = console_shell(&app, "Overview", &person);
    Ok(Html(ConsoleHome { shell, attention: attention(&app).await?, counts: tiles }.render()))
}

/// Everything that waits for a person.
async fn attention(app: &App) -> Result<Vec<Attention>, AppError> {
    let mut entries = Vec::new();
    if let Some((since, why, waiting)) = crate::mail::store::refused_server(&app.db).await? {
        let what = format!("The mail server takes nothing of ours; {waiting} mails wait");
        entries.push(Attention { what, why, at: since, url: "/admin".to_owned() });
    }
    entries.extend(breaches(app).await?);
    let filter = Filter { state: Some(WorkflowState::Stuck), before: None, limit: PAGE };
    for record in workflow::list(&app.db, &filter).await? {
        let subject = subject_in_words(app, &record.subject).await?;
        entries.push(Attention {
            what: format!("{} of {subject} is stuck", kind_in_words(&record.kind)),
            why: record.error.unwrap_or_default(),
            at: record.finished_at.unwrap_or(record.created_at),
            url: format!("/admin/workflows/{}", record.id),
        });
    }
    entries.extend(halted(app).await?);
    entries.extend(down(app).await?);
    entries.extend(tickets::waiting(app).await?.map(|(number, since)| Attention {
        what: match number {
            1 => "A customer waits for an answer".to_owned(),
            number => format!("{number} customers wait for an answer"),
        },
        why: "The one who has waited longest comes first.".to_owned(),
        at: since,
        url: "/admin/tickets?order=waiting".to_owned(),
    }));
    let contested = billing::contests::store::waiting(&app.db, PAGE).await?;
    if let Some(oldest) = contested.first() {
        entries.push(Attention {
            what: match contested.len() {
                1 => "A customer contests an hour".to_owned(),
                number => format!("{number} contested hours wait for an answer"),
            },
            why: oldest.reason.clone(),
            at: oldest.opened_at,
            url: "/admin/money".to_owned(),
        });
    }
    let questioned = billing::disputes::store::list(&app.db, true, PAGE).await?;
    entries.extend(questioned.iter().filter_map(evidence));
    for (limit, told) in spend::store::list(&app.db).await? {
        entries.extend(spend::worth_saying(&told).map(|(notice, at)| Attention {
            what: limit.headline(*notice),
            why: limit.in_words(app.clock.now()),
            at: *at,
            url: spend::PAGE.to_owned(),
        }));
    }
    let findings = inventory::store::list(&app.db, true, PAGE).await?;
    if let Some(oldest) = findings.first() {
        entries.push(Attention {
            what: match findings.len() {
                1 => "Something at a provider is left behind, missing or changed".to_owned(),
                number => format!("{number} things at the providers are left behind, missing or changed"),
            },
            why: oldest.difference.words.clone(),
            at: oldest.first_seen_at,
            url: "/admin/providers".to_owned(),
        });
    }
    Ok(entries)
}

/// A rollout that waits for a decision.
async fn halted(app: &App) -> Result<Option<Attention>, AppError> {
    let open = crate::rollouts::store::open(&app.db).await?.filter(|open| open.state == RolloutState::Halted);
    Ok(open.map(|open| Attention {
        what: format!("The rollout of {} halted", open.version),
        why: open.why.unwrap_or_default(),
        at: open.made_at,
        url: format!("/admin/rollouts/{}", open.id),
    }))
}

/// Instances that do not answer, as all that was seen of them says.
async fn down(app: &App) -> Result<Vec<Attention>, AppError> {
    let down = crate::health::store::in_trouble(&app.db, PAGE).await?;
    Ok(down
        .into_iter()
        .map(|it| Attention {
            what: format!("{} does not answer", app.hostname(&it.subdomain)),
            why: it.detail.unwrap_or_default(),
            at: it.since,
            url: format!("/admin/instances/{}", it.instance),
        })
        .collect())
}

/// Walls that did not hold when they were tried last.
async fn breaches(app: &App) -> Result<Vec<Attention>, AppError> {
    let mut entries = Vec::new();
    for (instance, round, at) in crate::isolation::store::breached(&app.db).await? {
        entries.push(Attention {
            what: format!("A stranger got into {}", crate::isolation::report::hostname(app, instance).await?),
            why: "The isolation prover was not refused there. Suspend it until it is known why.".to_owned(),
            at,
            url: format!("/admin/isolation/{round}"),
        });
    }
    Ok(entries)
}

/// A bank that waits for an answer.
fn evidence(kept: &billing::disputes::Kept) -> Option<Attention> {
    let waits = matches!(kept.dispute.state, DisputeState::NeedsResponse | DisputeState::Inquiry);
    waits.then(|| Attention {
        what: format!("A bank questions a payment of {}", words::price(&kept.dispute)),
        why: words::next(kept),
        at: kept.dispute.opened_at,
        url: words::PAGE.to_owned(),
    })
}

fn console_shell(app: &App, title: &str, person: &Person) -> Shell {
    shell(app, Area::Console, title, Some(person))
}

/// Where the next page is, if this one is full.
fn next(path: &str, state: Option<&str>, last: Option<String>, length: usize) -> Option<String> {
    let cursor = last.filter(|_| length >= PAGE as usize)?;
    let state = state.map(|state| format!("state={state}&")).unwrap_or_default();
    Some(format!("{path}?{state}cursor={cursor}"))
}
