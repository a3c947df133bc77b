use billing::{TaxBook, TaxVersion};
use store::sqlx::{self, Error};
use store::{Db, Migration};

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112971,
    name: "versions of the taxes",
    sql: "
        create table tax_versions (
            valid_from bigint not null primary key,
            document text not null
        );",
}];

/// All versions.
pub(crate) async fn book(db: &Db) -> Result<TaxBook, Error> {
    let documents: Vec<String> =
        sqlx::query_scalar("select document from tax_versions order by valid_from").fetch_all(db.read()).await?;
    let versions = documents.iter().map(|text| serde_json::from_str(text));
    let versions: Vec<TaxVersion> = versions.collect::<Result<_, _>>().map_err(|error| Error::Decode(error.into()))?;
    Ok(TaxBook::new(versions))
}

/// Adds a version; one that begins in the same hour stays.
pub(crate) async fn insert(db: &Db, version: &TaxVersion) -> Result<(), Error> {
    let document = serde_json::to_string(version).map_err(|error| Error::Encode(error.into()))?;
    sqlx::query("insert into tax_versions (valid_from, document) values ($1, $2) on conflict do nothing")
        .bind(version.valid_from.get())
        .bind(document)
        .execute(db.write())
        .await?;
    Ok(())
}
