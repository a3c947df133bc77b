use domain::{InstanceId, ProjectName};
use jiff::Timestamp;
use providers::compute::Observation;
use store::sqlx::{self, Error, Row as _};
use store::{Db, Migration, Tx, from_millis, millis, optional_from_millis};

use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026120141,
    name: "looks at all instances",
    sql: "
        alter table instances add column observed_digest bigint;
        alter table instances add column last_seen_at bigint;
        create index instances_state on instances (state, id);
        create table looks (
            id bigint not null primary key,
            looked_at bigint
        );
        insert into looks (id) values (1);",
}];

/// When an instance `i` was last seen by its provider, where `l` is the row of `looks`.
macro_rules! seen_at {
    () => {
        "case when i.last_seen_at is not null then i.last_seen_at \
              when i.state in ('active', 'suspended') and l.looked_at > i.observed_at then l.looked_at \
              else i.observed_at end"
    };
}
pub(crate) use seen_at;

/// What was known of an instance before a look.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub id: InstanceId,
    pub digest: Option<i64>,
    /// When it was looked at by itself, or changed.
    pub observed: Option<Timestamp>,
    /// When it was seen last, if not with the last look at all.
    pub last_seen: Option<Timestamp>,
}

/// The instances that the provider is asked about, and what was known of each.
pub(super) async fn in_service(db: &Db) -> Result<Vec<(ProjectName, Kept)>, Error> {
    let all = store::lines(
        db.read(),
        "select project || ' ' || id || ' ' || coalesce(cast(observed_digest as text), '-')
             || ' ' || coalesce(cast(observed_at as text), '-') || ' ' || coalesce(cast(last_seen_at as text), '-') as line
         from instances where state in ('active', 'suspended')",
    )
    .await?;
    all.lines().map(in_words).collect()
}

fn in_words(line: &str) -> Result<(ProjectName, Kept), Error> {
    let broken = || Error::Decode(format!("{line:?} is no line of what is in service").into());
    let mut words = line.split(' ');
    let mut word = || words.next().ok_or_else(broken);
    let (project, id) = (ProjectName::from_stored(word()?)?, InstanceId::from_stored(word()?)?);
    let mut number = || match word()? {
        "-" => Ok(None),
        number => number.parse().map(Some).map_err(|_| broken()),
    };
    let (digest, observed, last_seen) = (number()?, number()?, number()?);
    let (observed, last_seen) = (optional_from_millis(observed), optional_from_millis(last_seen));
    Ok((project, Kept { id, digest, observed, last_seen }))
}

/// Makes other looks wait. When all were looked at last.
pub(super) async fn lock(tx: &mut Tx) -> Result<Option<Timestamp>, Error> {
    let at: Option<i64> = sqlx::query_scalar("update looks set looked_at = looked_at where id = 1 returning looked_at")
        .fetch_one(&mut **tx)
        .await?;
    Ok(at.map(from_millis))
}

/// The same of one of them, for whoever made other looks wait; `None` when it is not in service any more.
pub(super) async fn kept(tx: &mut Tx, id: InstanceId) -> Result<Option<Kept>, Error> {
    let row = sqlx::query(
        "select observed_digest, observed_at, last_seen_at from instances
         where id = $1 and state in ('active', 'suspended')",
    )
    .bind(id.to_string())
    .fetch_optional(&mut **tx)
    .await?;
    row.map(|row| {
        Ok(Kept {
            id,
            digest: row.try_get("observed_digest")?,
            observed: optional_from_millis(row.try_get("observed_at")?),
            last_seen: optional_from_millis(row.try_get("last_seen_at")?),
        })
    })
    .transpose()
}

/// What was seen of one; `last_seen` if that was not with this look.
pub(super) async fn write(
    tx: &mut Tx,
    by: &str,
    (id, observation, digest): (InstanceId, &Observation, i64),
    last_seen: Option<Timestamp>,
) -> Result<(), Error> {
    let text = serde_json::to_string(observation).map_err(|error| Error::Encode(Box::new(error)))?;
    sqlx::query(
        "update instances set observation = $2, observed_at = $3, observed_by = $4, health = $5, observed_digest = $6,
             last_seen_at = $7 where id = $1",
    )
    .bind(id.to_string())
    .bind(text)
    .bind(millis(observation.at))
    .bind(by)
    .bind(observation.health.as_str())
    .bind(digest)
    .bind(last_seen.map(millis))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The last look did not show it, but one before.
pub(super) async fn miss(tx: &mut Tx, id: InstanceId, last_seen: Timestamp) -> Result<(), Error> {
    sqlx::query("update instances set last_seen_at = $2 where id = $1")
        .bind(id.to_string())
        .bind(millis(last_seen))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Everything was looked at, beginning then.
pub(super) async fn looked(tx: &mut Tx, begun: Timestamp) -> Result<(), Error> {
    sqlx::query("update looks set looked_at = $1 where id = 1 and (looked_at is null or looked_at < $1)")
        .bind(millis(begun))
        .execute(&mut **tx)
        .await?;
    Ok(())
}
