use domain::{CustomerId, Email, InstanceId, Rating, TicketId, TicketKind, TicketState};
use jiff::Timestamp;
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis, optional_from_millis};

use super::{Channel, Rated, Ticket};
use crate::text::{Stored, from_json, to_json};

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026120310,
    name: "tickets",
    sql: "
        create table tickets (
            id text not null primary key,
            customer_id text references customers (id),
            requester text not null,
            name text not null,
            instance_id text references instances (id),
            kind text not null,
            subject text not null,
            channel text not null,
            state text not null,
            assignee text,
            facts text not null,
            opened_at bigint not null,
            changed_at bigint not null,
            waiting_since bigint,
            first_answer_at bigint,
            ended_at bigint,
            rating_asked_at bigint,
            rating bigint,
            rating_comment text,
            rated_at bigint
        );
        create index tickets_requester on tickets (requester, opened_at);
        create index tickets_customer on tickets (customer_id);
        create index tickets_instance on tickets (instance_id);
        create index tickets_waiting on tickets (waiting_since) where waiting_since is not null;
        create index tickets_opened on tickets (opened_at);
        create index tickets_solved on tickets (ended_at) where state = 'solved';",
}];

pub(super) async fn insert(tx: &mut Tx, ticket: &Ticket) -> Result<(), Error> {
    sqlx::query(
        "insert into tickets (id, customer_id, requester, name, instance_id, kind, subject, channel, state, facts,
                              opened_at, changed_at, waiting_since)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $11)",
    )
    .bind(ticket.id.to_string())
    .bind(ticket.customer.map(|customer| customer.to_string()))
    .bind(ticket.requester.as_str())
    .bind(&ticket.name)
    .bind(ticket.instance.map(|instance| instance.to_string()))
    .bind(ticket.kind.as_str())
    .bind(&ticket.subject)
    .bind(ticket.channel.as_str())
    .bind(ticket.state.as_str())
    .bind(to_json(&ticket.facts)?)
    .bind(millis(ticket.opened_at))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A ticket, held until the transaction ends.
pub(super) async fn hold(tx: &mut Tx, id: TicketId) -> Result<Option<Ticket>, Error> {
    let row = sqlx::query("update tickets set state = state where id = $1 returning *")
        .bind(id.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    row.as_ref().map(ticket).transpose()
}

/// Stores what changes in a ticket's life.
pub(super) async fn keep(tx: &mut Tx, ticket: &Ticket) -> Result<(), Error> {
    sqlx::query(
        "update tickets set state = $2, assignee = $3, changed_at = $4, waiting_since = $5, first_answer_at = $6,
             ended_at = $7, rating_asked_at = $8
         where id = $1",
    )
    .bind(ticket.id.to_string())
    .bind(ticket.state.as_str())
    .bind(ticket.assignee.as_ref().map(Email::as_str))
    .bind(millis(ticket.changed_at))
    .bind(ticket.waiting_since.map(millis))
    .bind(ticket.first_answer_at.map(millis))
    .bind(ticket.ended_at.map(millis))
    .bind(ticket.rating_asked_at.map(millis))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Stores how content its customer was; the last word counts.
pub(super) async fn rate(tx: &mut Tx, id: TicketId, rated: &Rated, now: Timestamp) -> Result<(), Error> {
    sqlx::query("update tickets set rating = $2, rating_comment = $3, rated_at = $4 where id = $1")
        .bind(id.to_string())
        .bind(i64::from(rated.rating.get()))
        .bind(&rated.comment)
        .bind(millis(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub(super) async fn find(db: &Db, id: TicketId) -> Result<Option<Ticket>, Error> {
    let row = sqlx::query("select * from tickets where id = $1").bind(id.to_string()).fetch_optional(db.read()).await?;
    row.as_ref().map(ticket).transpose()
}

macro_rules! of_person {
    ($rest:literal) => {
        concat!(
            "select * from tickets where (requester = $1 or customer_id in (select id from customers where email = $1)) ",
            $rest
        )
    };
}

/// A ticket that a person opened, or that is theirs as a customer.
pub(super) async fn find_of(db: &Db, person: &Email, id: TicketId) -> Result<Option<Ticket>, Error> {
    let row = sqlx::query(of_person!("and id = $2"))
        .bind(person.as_str())
        .bind(id.to_string())
        .fetch_optional(db.read())
        .await?;
    row.as_ref().map(ticket).transpose()
}

/// A person's tickets, newest first.
pub(crate) async fn list_of(db: &Db, person: &Email, before: &str, limit: u32) -> Result<Vec<Ticket>, Error> {
    let rows = sqlx::query(of_person!("and ($2 = '' or id < $2) order by id desc limit $3"))
        .bind(person.as_str())
        .bind(before)
        .bind(i64::from(limit))
        .fetch_all(db.read())
        .await?;
    rows.iter().map(ticket).collect()
}

/// How many one address opened since then.
pub(super) async fn opened_since(tx: &mut Tx, requester: &Email, since: Timestamp) -> Result<u32, Error> {
    let number: i64 = sqlx::query_scalar("select count(*) from tickets where requester = $1 and opened_at >= $2")
        .bind(requester.as_str())
        .bind(millis(since))
        .fetch_one(&mut **tx)
        .await?;
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Which tickets support looks at; empty words for all of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// A state, or `unfinished` for those that are neither solved nor closed.
    pub state: String,
    /// An operator's address, or `nobody`.
    pub assignee: String,
    /// Those of one instance, by its id.
    pub instance: String,
    pub before: String,
}

/// Newest first.
pub(crate) async fn list(db: &Db, filter: &Filter, limit: u32) -> Result<Vec<Ticket>, Error> {
    let rows = sqlx::query(
        "select * from tickets
         where ($1 = '' or state = $1 or ($1 = 'unfinished' and state in ('open', 'waiting')))
             and ($2 = '' or assignee = $2 or ($2 = 'nobody' and assignee is null))
             and ($3 = '' or instance_id = $3) and ($4 = '' or id < $4)
         order by id desc limit $5",
    )
    .bind(&filter.state)
    .bind(&filter.assignee)
    .bind(&filter.instance)
    .bind(&filter.before)
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    rows.iter().map(ticket).collect()
}

/// Those whose customers wait for us, who has waited longest first.
pub(crate) async fn waiting(db: &Db, assignee: &str, limit: u32) -> Result<Vec<Ticket>, Error> {
    let rows = sqlx::query(
        "select * from tickets where waiting_since is not null
             and ($1 = '' or assignee = $1 or ($1 = 'nobody' and assignee is null))
         order by waiting_since, id limit $2",
    )
    .bind(assignee)
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    rows.iter().map(ticket).collect()
}

/// Those that have been solved since before then, without a word against it.
pub(super) async fn solved_before(db: &Db, before: Timestamp, limit: u32) -> Result<Vec<TicketId>, Error> {
    let ids: Vec<String> = sqlx::query_scalar(
        "select id from tickets where state = 'solved' and ended_at < $1 order by ended_at limit $2",
    )
    .bind(millis(before))
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    ids.iter().map(|id| TicketId::from_stored(id)).collect()
}

fn ticket(row: &AnyRow) -> Result<Ticket, Error> {
    let text = |column: &str| row.try_get::<String, _>(column);
    let maybe = |column: &str| row.try_get::<Option<String>, _>(column);
    let moment = |column: &str| Ok::<_, Error>(optional_from_millis(row.try_get(column)?));
    let rating = row.try_get::<Option<i64>, _>("rating")?.and_then(|score| u8::try_from(score).ok());
    let comment = maybe("rating_comment")?.unwrap_or_default();
    Ok(Ticket {
        id: TicketId::from_stored(&text("id")?)?,
        customer: maybe("customer_id")?.as_deref().map(CustomerId::from_stored).transpose()?,
        requester: Email::from_stored(&text("requester")?)?,
        name: text("name")?,
        instance: maybe("instance_id")?.as_deref().map(InstanceId::from_stored).transpose()?,
        kind: TicketKind::from_stored(&text("kind")?)?,
        subject: text("subject")?,
        channel: Channel::from_stored(&text("channel")?)?,
        state: TicketState::from_stored(&text("state")?)?,
        assignee: maybe("assignee")?.as_deref().map(Email::from_stored).transpose()?,
        facts: from_json(&text("facts")?)?,
        opened_at: from_millis(row.try_get("opened_at")?),
        changed_at: from_millis(row.try_get("changed_at")?),
        waiting_since: moment("waiting_since")?,
        first_answer_at: moment("first_answer_at")?,
        ended_at: moment("ended_at")?,
        rating_asked_at: moment("rating_asked_at")?,
        rated: rating.and_then(Rating::new).map(|rating| Rated { rating, comment }),
    })
}

impl Stored for Channel {
    fn from_stored(text: &str) -> Result<Self, Error> {
        let found = [Self::Portal, Self::Mail, Self::Api].into_iter().find(|channel| channel.as_str() == text);
        found.ok_or_else(|| Error::Decode(format!("{text:?} is no channel of a ticket").into()))
    }
}
