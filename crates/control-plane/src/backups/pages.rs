//! What people see of the backups of an instance: its customer in the portal, operators in the console.

use domain::{BackupId, BackupState, InstanceState};
use pages::{BackupRow, Backups, ConfirmRestore, Shell};

use super::{Backup, back_up, possible, proofs, restore, store};
use crate::app::App;
use crate::error::AppError;
use crate::instances::{self, Instance};
use crate::releases;
use crate::text::capital;

pub(crate) const PAGE: u32 = 50;

/// Who reads, and where their pages are.
pub(crate) struct Reading {
    pub shell: Shell,
    /// The instance's page; the backups are below it.
    pub back_url: String,
    /// Whether they may take them and put them back.
    pub may_change: bool,
    /// Whether they learn what went wrong in which words.
    pub is_operator: bool,
    pub cursor: Option<String>,
}

/// All backups of an instance.
pub(crate) async fn list(app: &App, instance: &Instance, reading: Reading) -> Result<Backups, AppError> {
    let Reading { shell, back_url, may_change, is_operator, cursor } = reading;
    let found = store::list(&app.db, Some(instance.id), cursor.as_deref(), PAGE).await?;
    let here = format!("{back_url}/backups");
    let more = found.last().filter(|_| found.len() >= PAGE as usize);
    let next = more.map(|last| format!("{here}?cursor={}", last.id));
    let may_change = may_change && back_up::in_use(instance, Some(instance.state)).is_ok();
    let is_possible = possible(app);
    let can_restore = |backup: &Backup| may_change && is_possible.is_ok() && backup.state == BackupState::Kept;
    let row = |backup: &Backup| BackupRow {
        reason: backup.reason,
        state: backup.state,
        at: backup.begun_at,
        version: backup.version.clone(),
        contents: backup.held.as_ref().map(|held| (held.files, held.content_bytes)),
        left_out: backup.held.as_ref().map_or(0, |held| held.left_out),
        expires_at: backup.held.as_ref().map(|held| held.expires_at),
        proven_at: backup.proven_at,
        // Names of the operator's machines are not the customer's to know.
        trouble: backup.trouble.clone().filter(|_| is_operator),
        restore_url: can_restore(backup).then(|| format!("{here}/{}/restore", backup.id)),
    };
    Ok(Backups {
        shell,
        hostname: app.shown_hostname(&instance.subdomain),
        take_url: (may_change && is_possible.is_ok()).then(|| here.clone()),
        instead: is_possible.err().map(|why| if is_operator { why.to_owned() } else { NONE.to_owned() }),
        doing: doing(app, instance).await?,
        planned: planned(app.settings.backups.every_hours),
        proofs: match app.drivers.compute.proves() {
            Ok(()) => proofs::in_words(app.settings.backups.proofs_a_night, in_use(app).await?),
            Err(why) => why.to_owned(),
        },
        proven_at: store::last_proven(&app.db, instance.id).await?,
        backups: found.iter().map(row).collect(),
        next,
        back_url,
    })
}

/// What a customer reads where there are no backups.
const NONE: &str = "Backups of single workspaces are not offered here. Write to us if you need something back.";

/// Asks whether a backup is meant.
pub(crate) async fn question(
    app: &App,
    instance: &Instance,
    backup: &str,
    (shell, back_url): (Shell, String),
    error: Option<String>,
) -> Result<ConfirmRestore, AppError> {
    let backup = find(app, instance, backup).await?;
    let now = releases::to_run(app, instance.id).await?;
    Ok(ConfirmRestore {
        shell,
        hostname: app.shown_hostname(&instance.subdomain),
        subdomain: instance.subdomain.to_string(),
        at: backup.begun_at,
        versions: (backup.version, now.made.version.to_string()),
        error,
        action: format!("{back_url}/backups/{}/restore", backup.id),
        back_url: format!("{back_url}/backups"),
    })
}

/// One backup of this instance; anybody else's is as if it were not there.
pub(crate) async fn find(app: &App, instance: &Instance, backup: &str) -> Result<Backup, AppError> {
    let id = BackupId::parse(backup).map_err(|_| AppError::NotFound)?;
    store::find(&app.db, instance.id, id).await?.ok_or(AppError::NotFound)
}

/// How many instances there are of which backups are proven in turn.
async fn in_use(app: &App) -> Result<u64, AppError> {
    let counts = instances::store::counts(&app.db).await?;
    let counted = |state| matches!(state, InstanceState::Active | InstanceState::Suspended);
    Ok(counts.into_iter().filter(|(state, _)| counted(*state)).map(|(_, count)| u64::from(count)).sum())
}

async fn doing(app: &App, instance: &Instance) -> Result<Option<String>, AppError> {
    let all = workflow::of_subject(&app.db, &instance.id.to_string()).await?;
    let at_work = all
        .into_iter()
        .find(|record| !record.state.is_over() && [back_up::KIND, restore::KIND].contains(&record.kind.as_str()));
    let Some(record) = at_work else { return Ok(None) };
    if record.kind == back_up::KIND {
        return Ok(Some("A backup is being taken.".to_owned()));
    }
    let under_way = record.steps.last().and_then(|step| restore::STEPS.iter().find(|(name, _)| *name == step.name));
    Ok(Some(
        under_way.map_or_else(|| "A backup is being put back.".to_owned(), |(_, words)| format!("{}.", capital(words))),
    ))
}

fn planned(every_hours: u32) -> String {
    match every_hours {
        0 => "None is taken by itself.".to_owned(),
        24 => "One is taken every day, at a quiet time if there is one.".to_owned(),
        1 => "One is taken every hour.".to_owned(),
        hours => format!("One is taken every {hours} hours, at a quiet time if there is one."),
    }
}
