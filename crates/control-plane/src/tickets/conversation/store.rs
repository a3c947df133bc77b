use std::collections::BTreeMap;

use domain::{TicketId, TicketVoice};
use secrecy::ExposeSecret as _;
use store::sqlx::{self, AnyConnection, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis};
use world::Sealer;

use super::{Attachment, Entry, Said, Sealed, Words};
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026120311,
    name: "ticket messages",
    sql: "
        create table ticket_messages (
            ticket_id text not null references tickets (id),
            seq bigint not null,
            message_key text not null unique,
            voice text not null,
            author text not null,
            words {bytes} not null,
            at bigint not null,
            primary key (ticket_id, seq)
        );
        create table ticket_attachments (
            ticket_id text not null references tickets (id),
            number bigint not null,
            seq bigint not null,
            name text not null,
            size bigint not null,
            content {bytes} not null,
            primary key (ticket_id, number)
        );",
}];

/// Adds an entry with its files. A unique violation means that it was said already.
pub(super) async fn insert(
    tx: &mut Tx,
    sealer: &Sealer,
    ticket: TicketId,
    said: &Said,
    words: &Words,
) -> Result<(), Error> {
    let id = ticket.to_string();
    let seq: i64 = sqlx::query_scalar("select count(*) from ticket_messages where ticket_id = $1")
        .bind(&id)
        .fetch_one(&mut **tx)
        .await?;
    let sealed = Sealed { text: words.text.clone(), quoted: words.quoted.clone() };
    let sealed = serde_json::to_vec(&sealed).map_err(|error| Error::Encode(Box::new(error)))?;
    sqlx::query(
        "insert into ticket_messages (ticket_id, seq, message_key, voice, author, words, at)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&id)
    .bind(seq)
    .bind(&words.key)
    .bind(said.voice.as_str())
    .bind(&said.author)
    .bind(seal(sealer, &words_of(&id, seq), &sealed)?)
    .bind(millis(said.at))
    .execute(&mut **tx)
    .await?;
    let first: i64 = sqlx::query_scalar("select count(*) from ticket_attachments where ticket_id = $1")
        .bind(&id)
        .fetch_one(&mut **tx)
        .await?;
    for (number, file) in (first + 1..).zip(words.attachments.files()) {
        sqlx::query(
            "insert into ticket_attachments (ticket_id, number, seq, name, size, content)
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&id)
        .bind(number)
        .bind(seq)
        .bind(&file.name)
        .bind(i64::try_from(file.content.len()).unwrap_or(i64::MAX))
        .bind(seal(sealer, &file_of(&id, number), &file.content)?)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// The ticket in which something was said under a key.
pub(in crate::tickets) async fn ticket_of_key(
    connection: &mut AnyConnection,
    key: &str,
) -> Result<Option<TicketId>, Error> {
    let id: Option<String> = sqlx::query_scalar("select ticket_id from ticket_messages where message_key = $1")
        .bind(key)
        .fetch_optional(connection)
        .await?;
    id.as_deref().map(TicketId::from_stored).transpose()
}

/// All that was said, notes as well: for support.
pub(crate) async fn all(db: &Db, sealer: &Sealer, ticket: TicketId) -> Result<Vec<Entry>, Error> {
    let rows = sqlx::query("select * from ticket_messages where ticket_id = $1 order by seq")
        .bind(ticket.to_string())
        .fetch_all(db.read())
        .await?;
    with_attachments(db, sealer, ticket, &rows).await
}

/// What its customer may read: everything but notes.
pub(crate) async fn for_customer(db: &Db, sealer: &Sealer, ticket: TicketId) -> Result<Vec<Entry>, Error> {
    let rows = sqlx::query("select * from ticket_messages where ticket_id = $1 and voice <> 'note' order by seq")
        .bind(ticket.to_string())
        .fetch_all(db.read())
        .await?;
    with_attachments(db, sealer, ticket, &rows).await
}

/// A file's name and what is in it.
pub(crate) async fn attachment(
    db: &Db,
    sealer: &Sealer,
    ticket: TicketId,
    number: i64,
) -> Result<Option<(String, Vec<u8>)>, Error> {
    let id = ticket.to_string();
    let row = sqlx::query("select name, content from ticket_attachments where ticket_id = $1 and number = $2")
        .bind(&id)
        .bind(number)
        .fetch_optional(db.read())
        .await?;
    let Some(row) = row else { return Ok(None) };
    let content: Vec<u8> = row.try_get("content")?;
    Ok(Some((row.try_get("name")?, unseal(sealer, &file_of(&id, number), &content)?)))
}

async fn with_attachments(db: &Db, sealer: &Sealer, ticket: TicketId, rows: &[AnyRow]) -> Result<Vec<Entry>, Error> {
    let id = ticket.to_string();
    let listed =
        sqlx::query("select number, seq, name, size from ticket_attachments where ticket_id = $1 order by number")
            .bind(&id)
            .fetch_all(db.read())
            .await?;
    let mut files: BTreeMap<i64, Vec<Attachment>> = BTreeMap::new();
    for row in &listed {
        files.entry(row.try_get("seq")?).or_default().push(Attachment {
            number: row.try_get("number")?,
            name: row.try_get("name")?,
            size: u64::try_from(row.try_get::<i64, _>("size")?).unwrap_or(0),
        });
    }
    let mut entries = Vec::new();
    for row in rows {
        let seq: i64 = row.try_get("seq")?;
        let sealed: Vec<u8> = row.try_get("words")?;
        let opened = unseal(sealer, &words_of(&id, seq), &sealed)?;
        let Sealed { text, quoted } =
            serde_json::from_slice(&opened).map_err(|error| Error::Decode(Box::new(error)))?;
        entries.push(Entry {
            voice: TicketVoice::from_stored(row.try_get("voice")?)?,
            author: row.try_get("author")?,
            at: from_millis(row.try_get("at")?),
            text,
            quoted,
            attachments: files.remove(&seq).unwrap_or_default(),
        });
    }
    Ok(entries)
}

fn words_of(ticket: &str, seq: i64) -> String {
    format!("ticket {ticket} message {seq}")
}

fn file_of(ticket: &str, number: i64) -> String {
    format!("ticket {ticket} attachment {number}")
}

fn seal(sealer: &Sealer, purpose: &str, content: &[u8]) -> Result<Vec<u8>, Error> {
    sealer.seal(purpose, content).map_err(|error| Error::Encode(Box::new(error)))
}

fn unseal(sealer: &Sealer, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, Error> {
    let opened = sealer.open_sealed(purpose, sealed).map_err(|error| Error::Decode(Box::new(error)))?;
    Ok(opened.expose_secret().clone())
}
