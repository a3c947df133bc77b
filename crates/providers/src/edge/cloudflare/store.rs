use ::store::sqlx::{self, Error, Row as _};
use ::store::{Db, Migration, from_millis, millis};
use domain::InstanceId;
use jiff::Timestamp;

/// The tables of who is let through, and of what the setup asked for.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 2026112533,
        name: "cloudflare admissions",
        sql: "
        create table cloudflare_admissions (
            hostname text not null,
            instance_id text not null,
            email text not null,
            primary key (hostname, instance_id, email)
        );",
    },
    Migration {
        version: 2026112822,
        name: "cloudflare setup",
        sql: "
        create table cloudflare_setup_asked (
            account_id text not null,
            what text not null,
            asked_at bigint not null,
            primary key (account_id, what)
        );",
    },
];

/// When the setup last asked for a thing that was not refused.
pub(super) async fn asked(db: &Db, account: &str, what: &str) -> Result<Option<Timestamp>, Error> {
    let found = sqlx::query_scalar("select asked_at from cloudflare_setup_asked where account_id = $1 and what = $2")
        .bind(account)
        .bind(what)
        .fetch_optional(db.write())
        .await?;
    Ok(found.map(from_millis))
}

/// Notes that the setup asks for a thing now.
pub(super) async fn asking(db: &Db, account: &str, what: &str, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "insert into cloudflare_setup_asked (account_id, what, asked_at) values ($1, $2, $3)
         on conflict (account_id, what) do update set asked_at = $3",
    )
    .bind(account)
    .bind(what)
    .bind(millis(now))
    .execute(db.write())
    .await?;
    Ok(())
}

/// Notes that a thing was certainly not made.
pub(super) async fn refused(db: &Db, account: &str, what: &str) -> Result<(), Error> {
    sqlx::query("delete from cloudflare_setup_asked where account_id = $1 and what = $2")
        .bind(account)
        .bind(what)
        .execute(db.write())
        .await?;
    Ok(())
}

/// Exactly these from now on.
pub(super) async fn replace(db: &Db, hostname: &str, instance: InstanceId, emails: &[&str]) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    sqlx::query("delete from cloudflare_admissions where hostname = $1 and instance_id = $2")
        .bind(hostname)
        .bind(instance.to_string())
        .execute(&mut *tx)
        .await?;
    for email in emails {
        sqlx::query(
            "insert into cloudflare_admissions (hostname, instance_id, email) values ($1, $2, $3)
             on conflict (hostname, instance_id, email) do nothing",
        )
        .bind(hostname)
        .bind(instance.to_string())
        .bind(*email)
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await
}

/// Everybody who is let through to any hostname, each once, sorted.
pub(super) async fn everybody(db: &Db) -> Result<Vec<String>, Error> {
    // From the writer: a replica of the store that lags would lock members out.
    let rows = sqlx::query("select distinct email from cloudflare_admissions").fetch_all(db.write()).await?;
    let mut all = rows.iter().map(|row| row.try_get("email")).collect::<Result<Vec<String>, _>>()?;
    // Here and not in the query, which sorts by the rules of the database's language.
    all.sort_unstable();
    Ok(all)
}

/// Everybody whom an instance lets through, each once, sorted.
pub(super) async fn of_instance(db: &Db, instance: InstanceId) -> Result<Vec<String>, Error> {
    let rows = sqlx::query("select distinct email from cloudflare_admissions where instance_id = $1")
        .bind(instance.to_string())
        .fetch_all(db.write())
        .await?;
    let mut all = rows.iter().map(|row| row.try_get("email")).collect::<Result<Vec<String>, _>>()?;
    all.sort_unstable();
    Ok(all)
}
