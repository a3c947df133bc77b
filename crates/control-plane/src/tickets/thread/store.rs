use domain::{MessageId, TicketId};
use jiff::Timestamp;
use providers::mail::Earlier;
use store::sqlx::{self, Error};
use store::{Db, Migration, Tx, millis};

use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026120312,
    name: "ticket mails",
    sql: "
        create table ticket_mails (
            message_id text not null primary key,
            ticket_id text not null references tickets (id),
            number bigint not null,
            is_ours bigint not null,
            at bigint not null
        );
        create index ticket_mails_ticket on ticket_mails (ticket_id, number);",
}];

/// More are named in no mail: their list grows with each.
const MOST_NAMED: i64 = 12;

/// What our own ids begin with; others' are kept in angle brackets, so that none passes for one of ours.
const OURS: &str = "msg_";

/// Notes that we wrote a mail.
pub(super) async fn note_ours(tx: &mut Tx, ticket: TicketId, id: MessageId, now: Timestamp) -> Result<(), Error> {
    note(tx, ticket, (&id.to_string(), 1), now).await
}

/// Notes that a mail came.
pub(in crate::tickets) async fn note_theirs(
    tx: &mut Tx,
    ticket: TicketId,
    id: &str,
    now: Timestamp,
) -> Result<(), Error> {
    note(tx, ticket, (&format!("<{id}>"), 0), now).await
}

async fn note(tx: &mut Tx, ticket: TicketId, (id, is_ours): (&str, i64), now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "insert into ticket_mails (message_id, ticket_id, number, is_ours, at)
         values ($1, $2, (select count(*) from ticket_mails where ticket_id = $2), $3, $4)
         on conflict (message_id) do nothing",
    )
    .bind(id)
    .bind(ticket.to_string())
    .bind(is_ours)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The latest mails of a ticket, earliest first.
pub(super) async fn earlier(tx: &mut Tx, ticket: TicketId) -> Result<Vec<Earlier>, Error> {
    let mut ids: Vec<String> =
        sqlx::query_scalar("select message_id from ticket_mails where ticket_id = $1 order by number desc limit $2")
            .bind(ticket.to_string())
            .bind(MOST_NAMED)
            .fetch_all(&mut **tx)
            .await?;
    ids.reverse();
    let read = |id: String| match id.strip_prefix('<').and_then(|id| id.strip_suffix('>')) {
        Some(theirs) => Earlier::Theirs(theirs.to_owned()),
        None => Earlier::Ours(id),
    };
    Ok(ids.into_iter().map(read).collect())
}

/// The ticket that one of these mails belongs to, by their `Message-ID`s without angle brackets; the last one first.
pub(in crate::tickets) async fn ticket_of(db: &Db, ids: &[String]) -> Result<Option<TicketId>, Error> {
    for id in ids.iter().rev() {
        let ours = id.split('@').next().filter(|name| name.starts_with(OURS)).unwrap_or_default();
        let found: Option<String> =
            sqlx::query_scalar("select ticket_id from ticket_mails where message_id = $1 or message_id = $2 limit 1")
                .bind(ours)
                .bind(format!("<{id}>"))
                .fetch_optional(db.read())
                .await?;
        if let Some(found) = found {
            return TicketId::from_stored(&found).map(Some);
        }
    }
    Ok(None)
}

/// Whether a mail is one that we wrote.
pub(in crate::tickets) async fn is_ours(db: &Db, id: &str) -> Result<bool, Error> {
    let found: Option<i64> =
        sqlx::query_scalar("select is_ours from ticket_mails where message_id = $1 and is_ours = 1")
            .bind(id.split('@').next().unwrap_or_default())
            .fetch_optional(db.read())
            .await?;
    Ok(found.is_some())
}

/// How many mails of others came for a ticket since then.
pub(in crate::tickets) async fn came_since(db: &Db, ticket: TicketId, since: Timestamp) -> Result<u32, Error> {
    let number: i64 =
        sqlx::query_scalar("select count(*) from ticket_mails where ticket_id = $1 and is_ours = 0 and at >= $2")
            .bind(ticket.to_string())
            .bind(millis(since))
            .fetch_one(db.read())
            .await?;
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

/// How many tickets mails opened since then, whoever wrote them.
pub(in crate::tickets) async fn opened_by_mail_since(db: &Db, since: Timestamp) -> Result<u32, Error> {
    let number: i64 = sqlx::query_scalar(
        "select count(*) from tickets where channel = 'mail' and customer_id is null and opened_at >= $1",
    )
    .bind(millis(since))
    .fetch_one(db.read())
    .await?;
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}
