use domain::{Email, InstanceId, MemberRole};
use jiff::Timestamp;
use store::sqlx::{self, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis};

use super::Member;
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112442,
    name: "members",
    sql: "
        create table members (
            instance_id text not null references instances (id),
            email text not null,
            role text not null,
            added_at bigint not null,
            primary key (instance_id, email)
        );
        create index members_email on members (email);",
}];

/// Adds a member; false when the person is one already.
pub(crate) async fn insert(
    tx: &mut Tx,
    instance: InstanceId,
    email: &Email,
    role: MemberRole,
    now: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "insert into members (instance_id, email, role, added_at) values ($1, $2, $3, $4)
         on conflict (instance_id, email) do nothing",
    )
    .bind(instance.to_string())
    .bind(email.as_str())
    .bind(role.as_str())
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 1 {
        next_serial(tx, instance).await?;
    }
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn delete(tx: &mut Tx, instance: InstanceId, email: &Email) -> Result<(), Error> {
    sqlx::query("delete from members where instance_id = $1 and email = $2")
        .bind(instance.to_string())
        .bind(email.as_str())
        .execute(&mut **tx)
        .await?;
    next_serial(tx, instance).await
}

/// Removes everybody: the instance is gone.
pub(crate) async fn delete_all(tx: &mut Tx, instance: InstanceId) -> Result<u64, Error> {
    let done =
        sqlx::query("delete from members where instance_id = $1").bind(instance.to_string()).execute(&mut **tx).await?;
    Ok(done.rows_affected())
}

/// Makes the next list newer than every list before. Called for every change of what a list says.
pub(crate) async fn next_serial(tx: &mut Tx, instance: InstanceId) -> Result<(), Error> {
    sqlx::query("update instances set members_serial = members_serial + 1 where id = $1")
        .bind(instance.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub(crate) async fn find(db: &Db, instance: InstanceId, email: &Email) -> Result<Option<Member>, Error> {
    let row = sqlx::query("select * from members where instance_id = $1 and email = $2")
        .bind(instance.to_string())
        .bind(email.as_str())
        .fetch_optional(db.read())
        .await?;
    row.as_ref().map(member).transpose()
}

/// Owner first, then in the order of being added.
pub(crate) async fn list(db: &Db, instance: InstanceId) -> Result<Vec<Member>, Error> {
    let rows = sqlx::query(
        "select * from members where instance_id = $1
         order by case when role = 'owner' then 0 else 1 end, added_at, email",
    )
    .bind(instance.to_string())
    .fetch_all(db.read())
    .await?;
    rows.iter().map(member).collect()
}

fn member(row: &AnyRow) -> Result<Member, Error> {
    Ok(Member {
        email: Email::from_stored(row.try_get("email")?)?,
        role: MemberRole::from_stored(row.try_get("role")?)?,
        added_at: from_millis(row.try_get("added_at")?),
    })
}
