use ::store::sqlx::{self, Error, Row as _};
use ::store::{Db, Migration};
use domain::InstanceId;

/// The table of who is let through.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112533,
    name: "cloudflare admissions",
    sql: "
        create table cloudflare_admissions (
            hostname text not null,
            instance_id text not null,
            email text not null,
            primary key (hostname, instance_id, email)
        );",
}];

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
