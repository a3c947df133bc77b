use domain::InstanceId;
use jiff::{SignedDuration, Timestamp};
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis};

use super::tally::{Standing, Tally};
use crate::text::Stored as _;

/// The tables of what was tried.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 2026113060,
        name: "isolation",
        sql: "
        create table isolation_rounds (
            id text not null primary key,
            turn bigint not null,
            only_instance text not null,
            requested_by text not null,
            has_identities bigint not null,
            began_at bigint not null,
            instances bigint,
            ended_at bigint
        );
        create unique index isolation_rounds_turn on isolation_rounds (turn) where only_instance = '';
        create table isolation_seats (
            round_id text not null references isolation_rounds (id),
            seat bigint not null,
            instance_id text not null,
            is_target bigint not null,
            standing text not null,
            tally text not null,
            ended_at bigint,
            primary key (round_id, seat)
        );
        create index isolation_seats_instance on isolation_seats (instance_id);
        create table isolation_entrances (
            round_id text not null,
            instance_id text not null,
            neighbour_id text not null,
            way text not null,
            trick text not null,
            status bigint not null,
            at bigint not null,
            primary key (round_id, instance_id, neighbour_id, way, trick)
        );
        create table isolation_proofs (
            instance_id text not null primary key,
            round_id text not null,
            proven_at bigint not null,
            refused bigint not null,
            neighbours bigint not null
        );",
    },
    Migration {
        version: 2026120360,
        name: "isolation rounds sums",
        sql: "
        alter table isolation_rounds add column refused bigint;
        alter table isolation_rounds add column admitted bigint;
        alter table isolation_rounds add column proven bigint;
        alter table isolation_rounds add column tried bigint;
        create index isolation_rounds_added_up on isolation_rounds (ended_at) where tried is not null;",
    },
];

/// Rounds are kept so long; entrances for good.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// One round.
#[derive(Debug, Clone)]
pub(crate) struct Round {
    /// Its workflow's.
    pub id: String,
    pub turn: u64,
    /// The one instance that is tried, if not all are.
    pub only: Option<InstanceId>,
    pub requested_by: String,
    pub has_identities: bool,
    pub began_at: Timestamp,
    /// How many take part; unknown until that was looked up.
    pub instances: Option<u64>,
    pub ended_at: Option<Timestamp>,
}

/// One instance's place in a round.
#[derive(Debug, Clone)]
pub(crate) struct Seat {
    pub seat: usize,
    pub instance: InstanceId,
    pub is_target: bool,
    pub standing: Standing,
    pub tally: Tally,
    pub ended_at: Option<Timestamp>,
}

/// What a round comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sum {
    /// Attempts that were refused, and those that were not.
    pub refused: u64,
    pub admitted: u64,
    /// Instances that were tried, and those of them at which all was refused.
    pub tried: u64,
    pub proven: u64,
    /// Instances that there were.
    pub instances: u64,
}

/// A trial that was no refusal.
#[derive(Debug, Clone)]
pub(crate) struct Entrance {
    pub instance: InstanceId,
    pub neighbour: Option<InstanceId>,
    pub way: String,
    pub trick: String,
    pub status: u16,
    pub at: Timestamp,
}

/// When an instance was last proven to be walled off, and by what.
#[derive(Debug, Clone)]
pub(crate) struct Proof {
    pub instance: InstanceId,
    pub proven_at: Timestamp,
    pub refused: u64,
    /// Of how many others' refusals.
    pub neighbours: u64,
}

/// The turn of the next round of all.
pub(crate) async fn next_turn(tx: &mut Tx) -> Result<u64, Error> {
    let last: Option<i64> = sqlx::query_scalar("select max(turn) from isolation_rounds where only_instance = ''")
        .fetch_one(&mut **tx)
        .await?;
    Ok(last.map_or(0, |last| number(last) + 1))
}

/// Stores a new round. A unique violation means that another replica began the same turn.
pub(crate) async fn begin(tx: &mut Tx, round: &Round) -> Result<(), Error> {
    sqlx::query(
        "insert into isolation_rounds (id, turn, only_instance, requested_by, has_identities, began_at)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&round.id)
    .bind(whole(round.turn))
    .bind(round.only.map(|only| only.to_string()).unwrap_or_default())
    .bind(&round.requested_by)
    .bind(i64::from(round.has_identities))
    .bind(millis(round.began_at))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// When the latest round of all began.
pub(crate) async fn last_began(db: &Db) -> Result<Option<Timestamp>, Error> {
    let at: Option<i64> = sqlx::query_scalar("select max(began_at) from isolation_rounds where only_instance = ''")
        .fetch_one(db.read())
        .await?;
    Ok(at.map(from_millis))
}

/// Gives every instance its seat, unless that was done.
pub(crate) async fn seat(tx: &mut Tx, round: &Round, instances: &[InstanceId]) -> Result<(), Error> {
    for (seat, instance) in instances.iter().enumerate() {
        sqlx::query(
            "insert into isolation_seats (round_id, seat, instance_id, is_target, standing, tally)
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&round.id)
        .bind(whole(seat as u64))
        .bind(instance.to_string())
        .bind(i64::from(round.only.is_none_or(|only| only == *instance)))
        .bind(Standing::Waiting.as_str())
        .bind(written(&Tally::default())?)
        .execute(&mut **tx)
        .await?;
    }
    sqlx::query("update isolation_rounds set instances = $2 where id = $1")
        .bind(&round.id)
        .bind(whole(instances.len() as u64))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The seats of a round, in their order.
pub(crate) async fn seats(db: &Db, round: &str) -> Result<Vec<Seat>, Error> {
    let rows = sqlx::query("select * from isolation_seats where round_id = $1 order by seat")
        .bind(round)
        .fetch_all(db.read())
        .await?;
    rows.iter().map(seat_of).collect()
}

/// The latest that a round said of an instance.
pub(crate) async fn latest_of(db: &Db, instance: InstanceId) -> Result<Option<Seat>, Error> {
    let row = sqlx::query(
        "select * from isolation_seats where instance_id = $1 and is_target = 1 and ended_at is not null
         order by ended_at desc limit 1",
    )
    .bind(instance.to_string())
    .fetch_optional(db.read())
    .await?;
    row.as_ref().map(seat_of).transpose()
}

/// Stores what became of one seat; one that was told already stays as it is.
pub(crate) async fn told(tx: &mut Tx, round: &str, seat: &Seat, at: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "update isolation_seats set standing = $3, tally = $4, ended_at = $5
         where round_id = $1 and seat = $2 and ended_at is null",
    )
    .bind(round)
    .bind(whole(seat.seat as u64))
    .bind(seat.standing.as_str())
    .bind(written(&seat.tally)?)
    .bind(millis(at))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Keeps the latest proof of an instance.
pub(crate) async fn proven(tx: &mut Tx, round: &str, proof: &Proof) -> Result<(), Error> {
    sqlx::query(
        "insert into isolation_proofs (instance_id, round_id, proven_at, refused, neighbours)
         values ($1, $2, $3, $4, $5)
         on conflict (instance_id) do update set round_id = excluded.round_id, proven_at = excluded.proven_at,
             refused = excluded.refused, neighbours = excluded.neighbours",
    )
    .bind(proof.instance.to_string())
    .bind(round)
    .bind(millis(proof.proven_at))
    .bind(whole(proof.refused))
    .bind(whole(proof.neighbours))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(crate) async fn proof_of(db: &Db, instance: InstanceId) -> Result<Option<Proof>, Error> {
    let row = sqlx::query("select * from isolation_proofs where instance_id = $1")
        .bind(instance.to_string())
        .fetch_optional(db.read())
        .await?;
    row.as_ref().map(proof).transpose()
}

/// What is known of the instances that are open, those that were never proven left out; the oldest proof first.
pub(crate) async fn proofs(db: &Db) -> Result<Vec<Proof>, Error> {
    let rows = sqlx::query(
        "select p.* from isolation_proofs p join instances i on i.id = p.instance_id where i.state = 'active'
         order by p.proven_at, p.instance_id",
    )
    .fetch_all(db.read())
    .await?;
    rows.iter().map(proof).collect()
}

/// Notes that somebody got in; whether that is new.
pub(crate) async fn got_in(tx: &mut Tx, round: &str, entrance: &Entrance) -> Result<bool, Error> {
    let done = sqlx::query(
        "insert into isolation_entrances (round_id, instance_id, neighbour_id, way, trick, status, at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (round_id, instance_id, neighbour_id, way, trick) do nothing",
    )
    .bind(round)
    .bind(entrance.instance.to_string())
    .bind(entrance.neighbour.map(|id| id.to_string()).unwrap_or_default())
    .bind(&entrance.way)
    .bind(&entrance.trick)
    .bind(i64::from(entrance.status))
    .bind(millis(entrance.at))
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What was no refusal in a round, oldest first.
pub(crate) async fn entrances(db: &Db, round: &str, most: u32) -> Result<Vec<Entrance>, Error> {
    let rows = sqlx::query("select * from isolation_entrances where round_id = $1 order by at limit $2")
        .bind(round)
        .bind(i64::from(most))
        .fetch_all(db.read())
        .await?;
    rows.iter().map(entrance).collect()
}

/// Ends a round with what it comes to, and forgets those of long ago.
pub(crate) async fn end(tx: &mut Tx, round: &str, sum: &Sum, now: Timestamp) -> Result<(), Error> {
    let sql = "update isolation_rounds set ended_at = $2, refused = $3, admitted = $4, proven = $5, tried = $6
               where id = $1 and ended_at is null";
    sqlx::query(sql)
        .bind(round)
        .bind(millis(now))
        .bind(whole(sum.refused))
        .bind(whole(sum.admitted))
        .bind(whole(sum.proven))
        .bind(whole(sum.tried))
        .execute(&mut **tx)
        .await?;
    let before = millis(now - KEPT);
    sqlx::query("delete from isolation_seats where round_id in (select id from isolation_rounds where began_at < $1)")
        .bind(before)
        .execute(&mut **tx)
        .await?;
    sqlx::query("delete from isolation_rounds where began_at < $1").bind(before).execute(&mut **tx).await?;
    Ok(())
}

/// What the last round of all came to, and when.
pub(crate) async fn last_sum(db: &Db) -> Result<Option<(Sum, Timestamp)>, Error> {
    let row = sqlx::query(
        "select refused, admitted, proven, tried, instances, ended_at from isolation_rounds
         where tried is not null and only_instance = '' order by ended_at desc limit 1",
    )
    .fetch_optional(db.read())
    .await?;
    row.map(|row| {
        let part = |name| row.try_get(name).map(number);
        let (refused, admitted) = (part("refused")?, part("admitted")?);
        let (proven, tried) = (part("proven")?, part("tried")?);
        let instances = row.try_get::<Option<i64>, _>("instances")?.map_or(tried, number);
        Ok((Sum { refused, admitted, proven, tried, instances }, from_millis(row.try_get("ended_at")?)))
    })
    .transpose()
}

pub(crate) async fn find(db: &Db, id: &str) -> Result<Option<Round>, Error> {
    let row = sqlx::query("select * from isolation_rounds where id = $1").bind(id).fetch_optional(db.read()).await?;
    row.as_ref().map(round).transpose()
}

/// Rounds, newest first.
pub(crate) async fn list(db: &Db, before: Option<&str>, limit: u32) -> Result<Vec<Round>, Error> {
    let rows = sqlx::query("select * from isolation_rounds where ($1 = '' or id < $1) order by id desc limit $2")
        .bind(before.unwrap_or_default())
        .bind(i64::from(limit))
        .fetch_all(db.read())
        .await?;
    rows.iter().map(round).collect()
}

/// How many instances a round would have.
pub(crate) async fn number_open(db: &Db) -> Result<u64, Error> {
    let open: i64 =
        sqlx::query_scalar("select count(*) from instances where state = 'active'").fetch_one(db.read()).await?;
    Ok(number(open))
}

/// The instances into which somebody got, and that were not proven since: the latest such entrance first.
pub(crate) async fn breached(db: &Db) -> Result<Vec<(InstanceId, String, Timestamp)>, Error> {
    let rows = sqlx::query(
        "select s.instance_id, s.round_id, s.ended_at from isolation_seats s join instances i on i.id = s.instance_id
         where s.standing = 'breached' and i.state = 'active' and not exists (
             select l.seat from isolation_seats l where l.instance_id = s.instance_id and l.ended_at > s.ended_at
                 and l.standing in ('proven', 'breached'))
         order by s.ended_at desc, s.instance_id",
    )
    .fetch_all(db.read())
    .await?;
    rows.iter()
        .map(|row| {
            let instance = InstanceId::from_stored(row.try_get("instance_id")?)?;
            Ok((instance, row.try_get("round_id")?, from_millis(row.try_get("ended_at")?)))
        })
        .collect()
}

/// The instances that take part in a round: all that are open, in an order that stays.
pub(crate) async fn open_instances(db: &Db) -> Result<Vec<InstanceId>, Error> {
    let ids: Vec<String> =
        sqlx::query_scalar("select id from instances where state = 'active' order by id").fetch_all(db.read()).await?;
    ids.iter().map(|id| InstanceId::from_stored(id)).collect()
}

fn round(row: &AnyRow) -> Result<Round, Error> {
    let only: &str = row.try_get("only_instance")?;
    Ok(Round {
        id: row.try_get("id")?,
        turn: number(row.try_get("turn")?),
        only: if only.is_empty() { None } else { Some(InstanceId::from_stored(only)?) },
        requested_by: row.try_get("requested_by")?,
        has_identities: row.try_get::<i64, _>("has_identities")? == 1,
        began_at: from_millis(row.try_get("began_at")?),
        instances: row.try_get::<Option<i64>, _>("instances")?.map(number),
        ended_at: row.try_get::<Option<i64>, _>("ended_at")?.map(from_millis),
    })
}

fn seat_of(row: &AnyRow) -> Result<Seat, Error> {
    let word: &str = row.try_get("standing")?;
    let unknown = || Error::Decode(format!("{word:?} is no standing of an instance").into());
    Ok(Seat {
        seat: usize::try_from(row.try_get::<i64, _>("seat")?).unwrap_or(0),
        instance: InstanceId::from_stored(row.try_get("instance_id")?)?,
        is_target: row.try_get::<i64, _>("is_target")? == 1,
        standing: Standing::parse(word).ok_or_else(unknown)?,
        tally: read(row.try_get("tally")?)?,
        ended_at: row.try_get::<Option<i64>, _>("ended_at")?.map(from_millis),
    })
}

fn entrance(row: &AnyRow) -> Result<Entrance, Error> {
    let neighbour: &str = row.try_get("neighbour_id")?;
    Ok(Entrance {
        instance: InstanceId::from_stored(row.try_get("instance_id")?)?,
        neighbour: if neighbour.is_empty() { None } else { Some(InstanceId::from_stored(neighbour)?) },
        way: row.try_get("way")?,
        trick: row.try_get("trick")?,
        status: u16::try_from(row.try_get::<i64, _>("status")?).unwrap_or(0),
        at: from_millis(row.try_get("at")?),
    })
}

fn proof(row: &AnyRow) -> Result<Proof, Error> {
    Ok(Proof {
        instance: InstanceId::from_stored(row.try_get("instance_id")?)?,
        proven_at: from_millis(row.try_get("proven_at")?),
        refused: number(row.try_get("refused")?),
        neighbours: number(row.try_get("neighbours")?),
    })
}

fn written(tally: &Tally) -> Result<String, Error> {
    serde_json::to_string(tally).map_err(|error| Error::Encode(Box::new(error)))
}

fn read(text: &str) -> Result<Tally, Error> {
    serde_json::from_str(text).map_err(|error| Error::Decode(Box::new(error)))
}

fn number(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
