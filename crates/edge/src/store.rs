//! All SQL of the built-in edge. Portable text; sentences about one hostname take it as an argument.

use access::MemberRule;
use domain::{Email, InstanceId};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use store::{Db, Migration, Tx, millis};

use crate::EdgeError;
use crate::hostname::Hostname;
use crate::hostnames::{HostState, Published, Route};
use crate::origin::Origin;

/// The tables of the built-in edge.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112420,
    name: "edge",
    sql: "
        create table edge_keys (
            id text primary key,
            sealed {bytes} not null,
            made_at bigint not null
        );
        create table edge_hostnames (
            hostname text primary key,
            instance_id text,
            upstream text not null,
            audience text not null,
            state text not null,
            note text
        );
        create index edge_hostnames_audience on edge_hostnames (audience);
        create table edge_admissions (
            hostname text not null,
            rule text not null,
            primary key (hostname, rule)
        );
        create table edge_codes (
            browser text primary key,
            hostname text not null,
            email text not null,
            code {bytes} not null,
            tries bigint not null,
            expires_at bigint not null
        );
        create index edge_codes_expires_at on edge_codes (expires_at);
        create table edge_code_allowances (
            subject text not null,
            hour bigint not null,
            used bigint not null,
            primary key (subject, hour)
        );",
}];

type Stored<T> = Result<T, sqlx::Error>;

pub(crate) async fn sealed_key(db: &Db, id: &str) -> Stored<Option<Vec<u8>>> {
    sqlx::query_scalar("select sealed from edge_keys where id = $1").bind(id).fetch_optional(db.read()).await
}

/// Keeps a key unless there is one, and gives the one that is kept: of two replicas that start at
/// the same time, both use the first one's.
pub(crate) async fn keep_first_key(db: &Db, id: &str, sealed: Vec<u8>, now: jiff::Timestamp) -> Stored<Vec<u8>> {
    sqlx::query("insert into edge_keys (id, sealed, made_at) values ($1, $2, $3) on conflict (id) do nothing")
        .bind(id)
        .bind(sealed)
        .bind(millis(now))
        .execute(db.write())
        .await?;
    sqlx::query_scalar("select sealed from edge_keys where id = $1").bind(id).fetch_one(db.write()).await
}

/// Publishes, or changes where a published hostname leads; its state stays what it is. False when
/// it leads to somebody else: whose it is, is looked at within the statement.
pub(crate) async fn publish(tx: &mut Tx, route: &Route) -> Stored<bool> {
    sqlx::query(
        "insert into edge_hostnames (hostname, instance_id, upstream, audience, state)
         values ($1, $2, $3, $4, 'active')
         on conflict (hostname) do update set
             instance_id = excluded.instance_id, upstream = excluded.upstream, audience = excluded.audience
         where coalesce(edge_hostnames.instance_id, '') = coalesce(excluded.instance_id, '')",
    )
    .bind(route.hostname.as_str())
    .bind(route.instance.map(|id| id.to_string()))
    .bind(route.upstream.to_string())
    .bind(route.audience.as_str())
    .execute(&mut **tx)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Whether a hostname is published for this instance; nobody else gets it before the transaction ends.
pub(crate) async fn hold(tx: &mut Tx, hostname: &Hostname, instance: InstanceId) -> Stored<bool> {
    let done = sqlx::query("update edge_hostnames set note = note where hostname = $1 and instance_id = $2")
        .bind(hostname.as_str())
        .bind(instance.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Another hostname with this audience that belongs to another instance.
pub(crate) async fn other_holder(tx: &mut Tx, route: &Route) -> Stored<Option<String>> {
    sqlx::query_scalar(
        "select hostname from edge_hostnames
         where audience = $1 and hostname <> $2 and coalesce(instance_id, '') <> coalesce($3, '')
         order by hostname limit 1",
    )
    .bind(route.audience.as_str())
    .bind(route.hostname.as_str())
    .bind(route.instance.map(|id| id.to_string()))
    .fetch_optional(&mut **tx)
    .await
}

pub(crate) async fn set_state(db: &Db, hostname: &Hostname, state: HostState, note: Option<&str>) -> Stored<bool> {
    let done = sqlx::query("update edge_hostnames set state = $2, note = $3 where hostname = $1")
        .bind(hostname.as_str())
        .bind(state.as_str())
        .bind(note)
        .execute(db.write())
        .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn set_state_of(
    db: &Db,
    hostname: &Hostname,
    instance: InstanceId,
    state: HostState,
    note: Option<&str>,
) -> Stored<bool> {
    let sql = "update edge_hostnames set state = $3, note = $4 where hostname = $1 and instance_id = $2";
    let done = sqlx::query(sql)
        .bind(hostname.as_str())
        .bind(instance.to_string())
        .bind(state.as_str())
        .bind(note)
        .execute(db.write())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// In one statement with the look whose it is, so that nobody can take the name in between.
pub(crate) async fn unpublish_of(tx: &mut Tx, hostname: &Hostname, instance: InstanceId) -> Stored<bool> {
    let done = sqlx::query("delete from edge_hostnames where hostname = $1 and instance_id = $2")
        .bind(hostname.as_str())
        .bind(instance.to_string())
        .execute(&mut **tx)
        .await?;
    let others: i64 = sqlx::query_scalar("select count(*) from edge_hostnames where hostname = $1")
        .bind(hostname.as_str())
        .fetch_one(&mut **tx)
        .await?;
    if others == 0 {
        unpublish(tx, hostname).await?;
    }
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn unpublish(tx: &mut Tx, hostname: &Hostname) -> Stored<()> {
    let app_site = access::app_site::hostname_of(hostname.as_str());
    for (sql, name) in [
        ("delete from edge_codes where hostname = $1", hostname.as_str()),
        ("delete from edge_codes where hostname = $1", &app_site),
        ("delete from edge_admissions where hostname = $1", hostname.as_str()),
        ("delete from edge_hostnames where hostname = $1", hostname.as_str()),
    ] {
        sqlx::query(sql).bind(name).execute(&mut **tx).await?;
    }
    Ok(())
}

pub(crate) async fn find(db: &Db, hostname: &Hostname) -> Result<Option<Published>, EdgeError> {
    sqlx::query("select hostname, instance_id, upstream, audience, state, note from edge_hostnames where hostname = $1")
        .bind(hostname.as_str())
        .fetch_optional(db.read())
        .await?
        .map(|row| published(&row))
        .transpose()
}

pub(crate) async fn list(db: &Db) -> Result<Vec<Published>, EdgeError> {
    sqlx::query("select hostname, instance_id, upstream, audience, state, note from edge_hostnames order by hostname")
        .fetch_all(db.read())
        .await?
        .iter()
        .map(published)
        .collect()
}

fn published(row: &AnyRow) -> Result<Published, EdgeError> {
    let hostname: String = row.try_get("hostname")?;
    let fail = |what: &str| EdgeError::Unreadable(format!("{what} of {hostname}"));
    let instance = row.try_get::<Option<String>, _>("instance_id")?;
    let upstream: String = row.try_get("upstream")?;
    let state: String = row.try_get("state")?;
    Ok(Published {
        route: Route {
            instance: instance.map(|id| InstanceId::parse(&id)).transpose().map_err(|_| fail("instance"))?,
            upstream: Origin::parse(&upstream).ok_or_else(|| fail("upstream"))?,
            audience: row.try_get("audience")?,
            hostname: Hostname::parse(&hostname).map_err(|_| fail("name"))?,
        },
        state: HostState::parse(&state).ok_or_else(|| fail("state"))?,
        note: row.try_get("note")?,
    })
}

/// Adds a rule; `false` when it was there.
pub(crate) async fn admit(tx: &mut Tx, hostname: &Hostname, rule: &MemberRule) -> Stored<bool> {
    let done = sqlx::query(
        "insert into edge_admissions (hostname, rule) values ($1, $2) on conflict (hostname, rule) do nothing",
    )
    .bind(hostname.as_str())
    .bind(rule.to_string())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn clear_admissions(tx: &mut Tx, hostname: &Hostname) -> Stored<()> {
    sqlx::query("delete from edge_admissions where hostname = $1")
        .bind(hostname.as_str())
        .execute(&mut **tx)
        .await
        .map(drop)
}

/// Whether a rule admits the address: the stored text of an exact rule is the address itself, and
/// that of a domain rule is what follows its name.
pub(crate) async fn admits(db: &Db, hostname: &Hostname, email: &Email) -> Stored<bool> {
    let rules: i64 =
        sqlx::query_scalar("select count(*) from edge_admissions where hostname = $1 and rule in ($2, $3)")
            .bind(hostname.as_str())
            .bind(email.as_str())
            .bind(format!("@{}", email.domain()))
            .fetch_one(db.read())
            .await?;
    Ok(rules > 0)
}

/// Counts one more use by a subject in an hour and gives the count; the row lock makes parallel
/// requests count one after the other.
pub(crate) async fn count_use(tx: &mut Tx, subject: &str, hour: i64) -> Stored<i64> {
    sqlx::query_scalar(
        "insert into edge_code_allowances (subject, hour, used) values ($1, $2, 1)
         on conflict (subject, hour) do update set used = edge_code_allowances.used + 1
         returning used",
    )
    .bind(subject)
    .bind(hour)
    .fetch_one(&mut **tx)
    .await
}

pub(crate) async fn forgive_use(db: &Db, subject: &str, hour: i64) -> Stored<()> {
    sqlx::query("update edge_code_allowances set used = used - 1 where subject = $1 and hour = $2 and used > 0")
        .bind(subject)
        .bind(hour)
        .execute(db.write())
        .await
        .map(drop)
}

/// A code as stored: what it opens, for whom, and what it must equal once hashed.
pub(crate) struct Code<'a> {
    pub(crate) browser: &'a str,
    pub(crate) hostname: &'a Hostname,
    pub(crate) email: &'a Email,
    pub(crate) hash: &'a [u8],
    pub(crate) expires: jiff::Timestamp,
}

pub(crate) async fn insert_code(tx: &mut Tx, code: &Code<'_>) -> Stored<()> {
    sqlx::query(
        "insert into edge_codes (browser, hostname, email, code, tries, expires_at) values ($1, $2, $3, $4, 0, $5)",
    )
    .bind(code.browser)
    .bind(code.hostname.as_str())
    .bind(code.email.as_str())
    .bind(code.hash.to_vec())
    .bind(millis(code.expires))
    .execute(&mut **tx)
    .await
    .map(drop)
}

pub(crate) async fn drop_code(tx: &mut Tx, browser: &str, hostname: &Hostname) -> Stored<()> {
    sqlx::query("delete from edge_codes where browser = $1 and hostname = $2")
        .bind(browser)
        .bind(hostname.as_str())
        .execute(&mut **tx)
        .await
        .map(drop)
}

/// What a try is compared with.
pub(crate) struct Tried {
    pub(crate) email: Email,
    pub(crate) hash: Vec<u8>,
    pub(crate) tries: i64,
}

/// Uses up one try of the browser's code before the comparison, so that parallel guesses can't
/// have more tries than there are. `None` when there is no code, it is too old, or no try is left.
pub(crate) async fn take_try(
    db: &Db,
    browser: &str,
    hostname: &Hostname,
    now: jiff::Timestamp,
    most: i64,
) -> Result<Option<Tried>, EdgeError> {
    let row = sqlx::query(
        "update edge_codes set tries = tries + 1
         where browser = $1 and hostname = $2 and expires_at > $3 and tries < $4
         returning email, code, tries",
    )
    .bind(browser)
    .bind(hostname.as_str())
    .bind(millis(now))
    .bind(most)
    .fetch_optional(db.write())
    .await?;
    row.map(|row| {
        let email: String = row.try_get("email")?;
        Ok(Tried {
            email: Email::parse(&email).map_err(|_| EdgeError::Unreadable("the address of a code".to_owned()))?,
            hash: row.try_get("code")?,
            tries: row.try_get("tries")?,
        })
    })
    .transpose()
}

/// Takes the code away; of parallel requests one gets `true`.
pub(crate) async fn use_up(db: &Db, browser: &str, hash: &[u8]) -> Stored<bool> {
    let done = sqlx::query("delete from edge_codes where browser = $1 and code = $2")
        .bind(browser)
        .bind(hash.to_vec())
        .execute(db.write())
        .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn purge(db: &Db, now: jiff::Timestamp, hour: i64) -> Stored<()> {
    sqlx::query("delete from edge_codes where expires_at <= $1").bind(millis(now)).execute(db.write()).await?;
    sqlx::query("delete from edge_code_allowances where hour < $1").bind(hour).execute(db.write()).await?;
    Ok(())
}
