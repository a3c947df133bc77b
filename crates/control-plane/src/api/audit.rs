use api::AuditEvent;
use axum::extract::State;
use domain::AuditId;

use super::{Listing, Query, Refusal};
use crate::app::App;
use crate::audit;
use crate::person::Program;

pub(crate) async fn index(
    State(app): State<App>,
    _: Program,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<api::Page<AuditEvent>>, Refusal> {
    let found = audit::list(&app.db, listing.cursor.as_deref(), listing.limit()).await?;
    let view = |event: audit::AuditEvent| {
        Some(AuditEvent {
            id: AuditId::parse(&event.id).ok()?,
            at: event.at,
            actor: event.actor,
            action: event.action,
            subject: event.subject,
            detail: event.detail,
        })
    };
    Ok(listing.page(found.into_iter().filter_map(view).collect(), |event: &AuditEvent| event.id.to_string()))
}
