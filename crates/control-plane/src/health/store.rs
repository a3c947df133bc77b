use domain::{
    Freshness, InstanceId, InstanceState, Look, Met, Probe, ProjectName, Purpose, Seen, Span, Subdomain, Verdict,
};
use jiff::Timestamp;
use providers::compute::Observation;
use store::sqlx::{self, AnyExecutor, Error, Row as _, any::AnyRow};
use store::{Db, Engine, Migration, Tx, from_millis, millis, optional_from_millis};

use super::{Kept, Watched};
use crate::instances::Place;
use crate::instances::observe::seen_at;
use crate::text::{Stored as _, from_json};

pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 2026113040,
        name: "what is known of instances",
        sql: "
        create table health_probes (
            instance_id text not null primary key references instances (id),
            due_at bigint not null,
            met text,
            probed_at bigint,
            misses bigint not null,
            answered_at bigint,
            detail text
        );
        create index health_probes_due on health_probes (due_at);
        create table guards_heard (
            instance_id text not null primary key references instances (id),
            heard_at bigint not null
        );
        create table health_spans (
            instance_id text not null references instances (id),
            began_at bigint not null,
            verdict text not null,
            ended_at bigint,
            primary key (instance_id, began_at)
        );
        create unique index health_spans_open on health_spans (instance_id) where ended_at is null;
        create index health_spans_ended on health_spans (ended_at);
        create table health_watch (
            id bigint not null primary key,
            until_at bigint not null
        );",
    },
    Migration {
        version: 2026120140,
        name: "instances in trouble",
        sql: "create index health_spans_trouble on health_spans (began_at)
                  where ended_at is null and verdict in ('down', 'unreachable');",
    },
];

/// What is kept of an instance that is judged.
const KEPT: &str = "p.met, p.probed_at, p.misses, p.answered_at, p.detail, g.heard_at, s.verdict, s.began_at";

/// An instance that is to be asked through its hostname.
#[derive(Debug, Clone)]
pub(crate) struct Due {
    pub place: Place,
    pub before: Option<Probe>,
}

pub(crate) async fn number_active<'c>(on: impl AnyExecutor<'c>) -> Result<u32, Error> {
    let number: i64 = sqlx::query_scalar("select count(*) from instances where state = 'active'").fetch_one(on).await?;
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Instances that came into use are asked from now on.
pub(crate) async fn take_up_new(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "insert into health_probes (instance_id, due_at, misses)
         select i.id, $1, 0 from instances i where i.state = 'active'
             and not exists (select 1 from health_probes p where p.instance_id = i.id)
         on conflict do nothing",
    )
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Which instances may be asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Askable {
    /// All that do not rest.
    Awake,
    /// Those of them whose guards reported use since then: asking keeps others from going to sleep, or wakes them.
    UsedSince(Timestamp),
}

/// Takes those that are due; for a while nobody else does.
pub(crate) async fn take_due(
    db: &Db,
    askable: Askable,
    now: Timestamp,
    until: Timestamp,
    most: u32,
) -> Result<Vec<Due>, Error> {
    let lock = match db.engine() {
        Engine::Sqlite => "",
        Engine::Postgres => " for update of p skip locked",
    };
    let statement = format!(
        "update health_probes set due_at = $2 where instance_id in (
             select p.instance_id from health_probes p join instances i on i.id = p.instance_id
             where p.due_at <= $1 and i.state = 'active' and coalesce(i.health, '') <> 'asleep'
                 and ($4 = 0 or exists (
                     select 1 from guards_heard g where g.instance_id = p.instance_id and g.heard_at >= $5))
             order by p.due_at limit $3{lock})
         returning *"
    );
    let (only_used, since) = match askable {
        Askable::Awake => (0, 0),
        Askable::UsedSince(since) => (1, millis(since)),
    };
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(millis(now))
        .bind(millis(until))
        .bind(i64::from(most))
        .bind(i64::from(only_used))
        .bind(since)
        .fetch_all(db.write())
        .await?;
    let mut due = Vec::new();
    for row in rows {
        let id: &str = row.try_get("instance_id")?;
        let place = sqlx::query("select id, subdomain, project from instances where id = $1")
            .bind(id)
            .fetch_one(db.read())
            .await?;
        let place = Place {
            id: InstanceId::from_stored(place.try_get("id")?)?,
            subdomain: Subdomain::from_stored(place.try_get("subdomain")?)?,
            project: ProjectName::from_stored(place.try_get("project")?)?,
        };
        due.push(Due { place, before: probe(&row)? });
    }
    Ok(due)
}

/// What a look came to, and when the next one is due. One that is older than what is known changes nothing.
pub(crate) async fn probed(
    tx: &mut Tx,
    id: InstanceId,
    probe: &Probe,
    detail: Option<&str>,
    due_at: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "update health_probes set met = $2, probed_at = $3, misses = $4, answered_at = $5, detail = $6, due_at = $7
         where instance_id = $1 and (probed_at is null or probed_at <= $3)",
    )
    .bind(id.to_string())
    .bind(probe.met.as_str())
    .bind(millis(probe.at))
    .bind(i64::from(probe.misses))
    .bind(probe.answered_at.map(millis))
    .bind(detail)
    .bind(millis(due_at))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Those whose verdict may be another than the one that is kept: of those in use or closed for a while, and those of which a
/// span is still open, all but the ones of which it is plain that nothing changed. Whether something did is judged later.
pub(crate) async fn unsettled(tx: &mut Tx, now: Timestamp, freshness: &Freshness) -> Result<Vec<Watched>, Error> {
    let statement = format!(
        "select * from (
             select i.id, i.subdomain, i.state, i.health, {} as seen_at, {KEPT}
             from instances i left join looks l on l.id = 1
                 left join health_probes p on p.instance_id = i.id
                 left join guards_heard g on g.instance_id = i.id
                 left join health_spans s on s.instance_id = i.id and s.ended_at is null
             where i.state in ('active', 'suspended')) as judged
         where coalesce(case
             when state = 'suspended' then case when verdict = 'suspended' then 1 end
             when seen_at is null or seen_at <= $2 or seen_at > $1 then 0
             when verdict = 'asleep' and health = 'asleep' then
                 case when (probed_at is null or probed_at < $3) and (heard_at is null or heard_at <= seen_at) then 1 end
             when verdict = 'up' and health in ('ok', 'busy') then
                 case when probed_at is null or probed_at < $3 or (met = 'answer' and misses = 0 and probed_at <= $1)
                      then 1 end
             end, 0) = 0
         union all
         select i.id, i.subdomain, i.state, i.health, i.observed_at as seen_at, {KEPT}
         from health_spans s join instances i on i.id = s.instance_id
             left join health_probes p on p.instance_id = i.id
             left join guards_heard g on g.instance_id = i.id
         where s.ended_at is null and i.state not in ('active', 'suspended')",
        seen_at!()
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(millis(now))
        .bind(millis(now.saturating_sub(freshness.look).unwrap_or(Timestamp::MIN)))
        .bind(millis(now.saturating_sub(freshness.probe).unwrap_or(Timestamp::MIN)))
        .fetch_all(&mut **tx)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Watched {
                id: InstanceId::from_stored(row.try_get("id")?)?,
                subdomain: Subdomain::from_stored(row.try_get("subdomain")?)?,
                purpose: Purpose::of(InstanceState::from_stored(row.try_get("state")?)?),
                look: look(row)?,
                kept: kept(row)?,
            })
        })
        .collect()
}

/// What is kept of one.
pub(crate) async fn kept_of(db: &Db, id: InstanceId) -> Result<Kept, Error> {
    let statement = format!(
        "select {KEPT} from instances i left join health_probes p on p.instance_id = i.id
             left join guards_heard g on g.instance_id = i.id
             left join health_spans s on s.instance_id = i.id and s.ended_at is null
         where i.id = $1"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(id.to_string()).fetch_optional(db.read()).await?;
    row.as_ref().map_or_else(|| Ok(Kept::default()), kept)
}

/// Until when the watch was kept without a gap.
pub(crate) async fn watched_until(tx: &mut Tx) -> Result<Option<Timestamp>, Error> {
    let until: Option<i64> =
        sqlx::query_scalar("select until_at from health_watch where id = 1").fetch_optional(&mut **tx).await?;
    Ok(until.map(from_millis))
}

/// The watch is kept until now.
pub(crate) async fn watch_until(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "insert into health_watch (id, until_at) values (1, $1)
         on conflict (id) do update set until_at = excluded.until_at where excluded.until_at > health_watch.until_at",
    )
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Nobody watched after that moment: what is open ended then, as far as anybody knows.
pub(crate) async fn end_all(tx: &mut Tx, at: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "update health_spans set ended_at = case when began_at > $1 then began_at else $1 end where ended_at is null",
    )
    .bind(millis(at))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends what is open of an instance.
pub(crate) async fn end(tx: &mut Tx, id: InstanceId, at: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "update health_spans set ended_at = case when began_at > $2 then began_at else $2 end
         where instance_id = $1 and ended_at is null",
    )
    .bind(id.to_string())
    .bind(millis(at))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Begins a span. Of two replicas that see the same, one does.
pub(crate) async fn begin(tx: &mut Tx, id: InstanceId, verdict: Verdict, at: Timestamp) -> Result<(), Error> {
    sqlx::query("insert into health_spans (instance_id, began_at, verdict) values ($1, $2, $3) on conflict do nothing")
        .bind(id.to_string())
        .bind(millis(at))
        .bind(verdict.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// How many instances in use are in each way, as the open spans say; and of how many nothing is known.
pub(crate) async fn counts(db: &Db) -> Result<Vec<(Verdict, u32)>, Error> {
    let rows = sqlx::query(
        "select coalesce(s.verdict, 'unknown') as seen, count(*) as number from instances i
             left join health_spans s on s.instance_id = i.id and s.ended_at is null
         where i.state = 'active' group by coalesce(s.verdict, 'unknown')",
    )
    .fetch_all(db.read())
    .await?;
    rows.iter()
        .map(|row| {
            let number = u32::try_from(row.try_get::<i64, _>("number")?).unwrap_or(u32::MAX);
            Ok((Verdict::from_stored(row.try_get("seen")?)?, number))
        })
        .collect()
}

/// An instance in use that does not answer.
pub(crate) struct InTrouble {
    pub instance: InstanceId,
    pub subdomain: Subdomain,
    pub since: Timestamp,
    /// What was met at its hostname, or else what its provider says.
    pub detail: Option<String>,
}

/// Those that do not answer, the longest first.
pub(crate) async fn in_trouble(db: &Db, limit: u32) -> Result<Vec<InTrouble>, Error> {
    let rows = sqlx::query(
        "select s.instance_id, s.began_at, i.subdomain, i.observation, p.detail from health_spans s
             join instances i on i.id = s.instance_id left join health_probes p on p.instance_id = s.instance_id
         where s.ended_at is null and s.verdict in ('down', 'unreachable') and i.state = 'active'
         order by s.began_at limit $1",
    )
    .bind(i64::from(limit))
    .fetch_all(db.read())
    .await?;
    rows.iter()
        .map(|row| {
            let provider = row.try_get::<Option<&str>, _>("observation")?.map(from_json::<Observation>).transpose()?;
            let met: Option<String> = row.try_get("detail")?;
            Ok(InTrouble {
                instance: InstanceId::from_stored(row.try_get("instance_id")?)?,
                subdomain: Subdomain::from_stored(row.try_get("subdomain")?)?,
                since: from_millis(row.try_get("began_at")?),
                detail: met.or(provider.and_then(|seen| seen.detail)),
            })
        })
        .collect()
}

/// Until when the watch was kept, as readers see it.
pub(crate) async fn last_watch(db: &Db) -> Result<Option<Timestamp>, Error> {
    let until: Option<i64> =
        sqlx::query_scalar("select until_at from health_watch where id = 1").fetch_optional(db.read()).await?;
    Ok(until.map(from_millis))
}

fn kept(row: &AnyRow) -> Result<Kept, Error> {
    let verdict: Option<&str> = row.try_get("verdict")?;
    let open = match verdict {
        Some(word) => Some(Span {
            verdict: Verdict::from_stored(word)?,
            began: from_millis(row.try_get("began_at")?),
            ended: None,
        }),
        None => None,
    };
    let heard = optional_from_millis(row.try_get("heard_at")?);
    Ok(Kept { probe: probe(row)?, detail: row.try_get("detail")?, heard, open })
}

fn probe(row: &AnyRow) -> Result<Option<Probe>, Error> {
    let met: Option<&str> = row.try_get("met")?;
    let at: Option<Timestamp> = optional_from_millis(row.try_get("probed_at")?);
    let Some((met, at)) = met.zip(at) else { return Ok(None) };
    let misses: i64 = row.try_get("misses")?;
    Ok(Some(Probe {
        met: Met::from_stored(met)?,
        at,
        misses: u32::try_from(misses).unwrap_or(u32::MAX),
        answered_at: optional_from_millis(row.try_get("answered_at")?),
    }))
}

/// The provider's view, from the columns that lists are counted by.
fn look(row: &AnyRow) -> Result<Option<Look>, Error> {
    let health: Option<&str> = row.try_get("health")?;
    let at: Option<Timestamp> = optional_from_millis(row.try_get("seen_at")?);
    let seen = match health {
        Some("ok" | "busy") => Seen::Running,
        Some("starting") => Seen::Starting,
        Some("down") => Seen::Down,
        Some("asleep") => Seen::Asleep,
        _ => Seen::Unknown,
    };
    Ok(at.map(|at| Look { seen, at }))
}

#[cfg(test)]
mod tests;
