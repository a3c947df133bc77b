use axum::extract::{Query, State};
use axum::response::Html;
use domain::{InstanceId, WorkflowId};
use pages::console::{AuditRow, ConsoleAudit};

use super::{Listing, PAGE, console_shell, next};
use crate::app::App;
use crate::audit;
use crate::person::Reader;
use crate::site::PageError;

pub(crate) async fn index(
    State(app): State<App>,
    Reader(person): Reader,
    Query(listing): Query<Listing>,
) -> Result<Html<String>, PageError> {
    let found = audit::list(&app.db, listing.cursor.as_deref(), PAGE).await?;
    let next = next("/admin/audit", None, found.last().map(|event| event.id.clone()), found.len());
    let entries = found.into_iter().map(|event| AuditRow {
        at: event.at,
        who: event.actor,
        what: event.action,
        subject_url: address_of(&event.subject),
        subject: event.subject,
        details: event.detail,
    });
    let shell = console_shell(&app, "Audit log", &person);
    Ok(Html(ConsoleAudit { shell, entries: entries.collect(), next }.render()))
}

fn address_of(subject: &str) -> Option<String> {
    if InstanceId::parse(subject).is_ok() {
        return Some(format!("/admin/instances/{subject}"));
    }
    WorkflowId::parse(subject).is_ok().then(|| format!("/admin/workflows/{subject}"))
}
