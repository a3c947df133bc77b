use billing::{PlanVersion, PriceBook};
use store::sqlx::{self, Error};
use store::{Db, Migration};

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112942,
    name: "versions of the plan",
    sql: "
        create table plan_versions (
            id text not null primary key,
            valid_from bigint not null unique,
            document text not null
        );",
}];

/// All versions.
pub(crate) async fn book(db: &Db) -> Result<PriceBook, Error> {
    let documents: Vec<String> =
        sqlx::query_scalar("select document from plan_versions order by valid_from").fetch_all(db.read()).await?;
    let versions = documents.iter().map(|text| serde_json::from_str(text));
    let versions: Vec<PlanVersion> = versions.collect::<Result<_, _>>().map_err(|error| Error::Decode(error.into()))?;
    PriceBook::try_from(versions).map_err(|error| Error::Decode(error.into()))
}

/// Adds a version; one that is there stays.
pub(crate) async fn insert(db: &Db, version: &PlanVersion) -> Result<(), Error> {
    let document = serde_json::to_string(version).map_err(|error| Error::Encode(error.into()))?;
    sqlx::query("insert into plan_versions (id, valid_from, document) values ($1, $2, $3) on conflict do nothing")
        .bind(&version.id)
        .bind(version.valid_from.get())
        .bind(document)
        .execute(db.write())
        .await?;
    Ok(())
}
