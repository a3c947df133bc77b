use domain::{Cents, InstanceId, ProjectName, Subdomain};
use jiff::Timestamp;
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis};

use super::{Warm, WarmEvent, WarmState};
use crate::instances::Place;
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112901,
    name: "instances made ahead",
    sql: "
        create table warm_instances (
            id text not null primary key,
            subdomain text not null,
            project text not null,
            state text not null,
            release text not null,
            monthly_cents bigint,
            created_at bigint not null,
            changed_at bigint not null
        );
        create index warm_instances_state on warm_instances (state, created_at);
        create table pool_keeping (
            only_one bigint not null primary key,
            kept_at bigint not null
        );
        insert into pool_keeping (only_one, kept_at) values (1, 0);",
}];

/// Takes it upon oneself to look after the pool, if nobody did since `before`; until the transaction ends
/// nobody else does.
pub(super) async fn take_turn(tx: &mut Tx, now: Timestamp, before: Timestamp) -> Result<bool, Error> {
    let done = sqlx::query("update pool_keeping set kept_at = $1 where only_one = 1 and kept_at <= $2")
        .bind(millis(now))
        .bind(millis(before))
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn insert(tx: &mut Tx, place: &Place, release: &str, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "insert into warm_instances (id, subdomain, project, state, release, created_at, changed_at)
         values ($1, $2, $3, 'preparing', $4, $5, $5)",
    )
    .bind(place.id.to_string())
    .bind(place.subdomain.as_str())
    .bind(place.project.as_str())
    .bind(release)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Lets an event happen. `None` when it has no place: what was wanted is overtaken.
pub(super) async fn transition(
    tx: &mut Tx,
    id: InstanceId,
    event: WarmEvent,
    now: Timestamp,
) -> Result<Option<WarmState>, Error> {
    let Some(before) = locked(tx, id).await? else { return Ok(None) };
    let Some(after) = before.state.after(event) else { return Ok(None) };
    if after != before.state {
        sqlx::query("update warm_instances set state = $2, changed_at = $3 where id = $1")
            .bind(id.to_string())
            .bind(after.as_str())
            .bind(millis(now))
            .execute(&mut **tx)
            .await?;
    }
    Ok(Some(after))
}

/// Makes the one that has been ready for longest, and runs this release, somebody's.
pub(super) async fn claim(tx: &mut Tx, release: &str, now: Timestamp) -> Result<Option<Place>, Error> {
    loop {
        let ready: Option<String> = sqlx::query_scalar(
            "select id from warm_instances where state = 'ready' and release = $1 order by created_at, id limit 1",
        )
        .bind(release)
        .fetch_optional(&mut **tx)
        .await?;
        let Some(id) = ready else { return Ok(None) };
        let id = InstanceId::from_stored(&id)?;
        // None: another sign-up took it between the two, and the next look does not show it any more.
        if transition(tx, id, WarmEvent::Claim, now).await?.is_some() {
            return Ok(locked(tx, id).await?.map(|claimed| claimed.place));
        }
    }
}

/// The one with this id, which nobody else changes until the transaction ends.
pub(super) async fn locked(tx: &mut Tx, id: InstanceId) -> Result<Option<Warm>, Error> {
    let row = sqlx::query("update warm_instances set state = state where id = $1 returning *")
        .bind(id.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    row.as_ref().map(warm).transpose()
}

pub(crate) async fn find(db: &Db, id: InstanceId) -> Result<Option<Warm>, Error> {
    let row = sqlx::query("select * from warm_instances where id = $1")
        .bind(id.to_string())
        .fetch_optional(db.read())
        .await?;
    row.as_ref().map(warm).transpose()
}

pub(super) async fn is_claimed(tx: &mut Tx, id: InstanceId) -> Result<bool, Error> {
    let number: i64 = sqlx::query_scalar("select count(*) from warm_instances where id = $1 and state = 'claimed'")
        .bind(id.to_string())
        .fetch_one(&mut **tx)
        .await?;
    Ok(number > 0)
}

/// Those that nobody has and that are not gone, oldest first.
pub(crate) async fn unclaimed(on: impl sqlx::Executor<'_, Database = sqlx::Any>) -> Result<Vec<Warm>, Error> {
    let rows = sqlx::query(
        "select * from warm_instances where state in ('preparing', 'ready', 'discarding') order by created_at, id",
    )
    .fetch_all(on)
    .await?;
    rows.iter().map(warm).collect()
}

/// All that are no customer's, those that are gone too.
pub(crate) async fn not_claimed(db: &Db) -> Result<Vec<Warm>, Error> {
    let rows = sqlx::query("select * from warm_instances where state <> 'claimed'").fetch_all(db.read()).await?;
    rows.iter().map(warm).collect()
}

/// What the provider says that one costs.
pub(crate) async fn note_cost(tx: &mut Tx, id: InstanceId, cost: Cents) -> Result<(), Error> {
    sqlx::query("update warm_instances set monthly_cents = $2 where id = $1")
        .bind(id.to_string())
        .bind(cost.get())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

fn warm(row: &AnyRow) -> Result<Warm, Error> {
    let state = WarmState::parse(row.try_get("state")?);
    Ok(Warm {
        place: Place {
            id: InstanceId::from_stored(row.try_get("id")?)?,
            subdomain: Subdomain::from_stored(row.try_get("subdomain")?)?,
            project: ProjectName::from_stored(row.try_get("project")?)?,
        },
        state: state.ok_or_else(|| Error::Decode("an instance made ahead is in no known state".into()))?,
        release: row.try_get("release")?,
        created_at: from_millis(row.try_get("created_at")?),
        changed_at: from_millis(row.try_get("changed_at")?),
        monthly_cost: row.try_get::<Option<i64>, _>("monthly_cents")?.map(Cents::new),
    })
}
