use domain::AuditId;
use store::sqlx::{self, Error, Row as _};
use store::{Db, Migration, Tx, from_millis, millis};

use super::AuditEvent;
use crate::app::Core;

/// The table of the audit log.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112446,
    name: "audit events",
    sql: "
        create table audit_events (
            id text not null primary key,
            at bigint not null,
            actor text not null,
            action text not null,
            subject text not null,
            detail text not null
        );
        create index audit_events_subject on audit_events (subject);",
}];

/// Adds an entry in the transaction that makes the change.
pub(crate) async fn record(
    tx: &mut Tx,
    core: &Core,
    actor: &str,
    action: &str,
    subject: &str,
    detail: &str,
) -> Result<(), Error> {
    let now = core.clock.now();
    sqlx::query("insert into audit_events (id, at, actor, action, subject, detail) values ($1, $2, $3, $4, $5, $6)")
        .bind(AuditId::new(now, core.entropy.bytes()).to_string())
        .bind(millis(now))
        .bind(actor)
        .bind(action)
        .bind(subject)
        .bind(detail)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Entries, newest first; `before` is the id of the last one of the page before.
pub(crate) async fn list(db: &Db, before: Option<&str>, limit: u32) -> Result<Vec<AuditEvent>, Error> {
    let rows = sqlx::query("select * from audit_events where ($1 = '' or id < $1) order by id desc limit $2")
        .bind(before.unwrap_or_default())
        .bind(i64::from(limit))
        .fetch_all(db.read())
        .await?;
    rows.iter()
        .map(|row| {
            Ok(AuditEvent {
                id: row.try_get("id")?,
                at: from_millis(row.try_get("at")?),
                actor: row.try_get("actor")?,
                action: row.try_get("action")?,
                subject: row.try_get("subject")?,
                detail: row.try_get("detail")?,
            })
        })
        .collect()
}
