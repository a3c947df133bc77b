use std::collections::BTreeMap;

use domain::Month;
use jiff::civil::Date;
use store::sqlx::{self, Error, Row as _};
use store::{Db, Migration};

use super::{Page, Seen, Visited};
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026120321,
    name: "visits of the site",
    sql: "
        create table visits (
            day text not null,
            page text not null,
            views bigint not null,
            arrivals bigint not null,
            primary key (day, page)
        );",
}];

/// Adds what was seen to what was counted before, always in the same order, so that no two replicas wait for each other.
pub(super) async fn add(db: &Db, seen: &BTreeMap<(Date, Page), Seen>) -> Result<(), Error> {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let mut tx = db.begin().await?;
    for ((day, page), seen) in seen {
        sqlx::query(
            "insert into visits (day, page, views, arrivals) values ($1, $2, $3, $4)
             on conflict (day, page) do update set
                 views = visits.views + excluded.views, arrivals = visits.arrivals + excluded.arrivals",
        )
        .bind(day.to_string())
        .bind(page.as_str())
        .bind(number(seen.views))
        .bind(number(seen.arrivals))
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await
}

/// What was counted in each month.
pub(in crate::analytics) async fn by_month(db: &Db) -> Result<BTreeMap<Month, Visited>, Error> {
    let rows = sqlx::query(
        "select substr(day, 1, 7) as month, cast(sum(arrivals) as bigint) as arrivals,
                cast(sum(case when page = $1 then views else 0 end) as bigint) as forms
         from visits group by substr(day, 1, 7)",
    )
    .bind(Page::Signup.as_str())
    .fetch_all(db.read())
    .await?;
    rows.iter()
        .map(|row| {
            let number = |column: &str| Ok::<_, Error>(row.try_get::<i64, _>(column)?.unsigned_abs());
            let visited = Visited { visits: number("arrivals")?, forms: number("forms")? };
            Ok((Month::from_stored(row.try_get("month")?)?, visited))
        })
        .collect()
}
