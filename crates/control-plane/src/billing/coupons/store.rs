use billing::Taken;
use domain::{Cents, CouponCode, CustomerId};
use jiff::Timestamp;
use store::sqlx::{self, AnyConnection, Error, Row as _, any::AnyRow};
use store::{Db, Migration, Tx, from_millis, millis};

use super::held::Held;
use super::{Coupon, Offered};
use crate::text::Stored as _;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 2026112972,
    name: "coupons",
    sql: "
        create table coupons (
            code text not null primary key,
            name text not null,
            offer text not null,
            redeem_until bigint,
            most bigint,
            redeemed bigint not null,
            author text not null,
            created_at bigint not null,
            ended_at bigint,
            check (most is null or redeemed <= most)
        );
        create table customer_coupons (
            customer_id text not null references customers (id),
            code text not null references coupons (code),
            author text not null,
            redeemed_at bigint not null,
            primary key (customer_id, code)
        );
        create table coupon_uses (
            customer_id text not null,
            code text not null,
            invoice text not null references invoices (number),
            amount bigint not null,
            hours bigint not null,
            primary key (customer_id, code, invoice),
            foreign key (customer_id, code) references customer_coupons (customer_id, code)
        );",
}];

/// Adds a coupon. Whether there was none of that code.
pub(crate) async fn insert(tx: &mut Tx, new: &Offered, by: &str, now: Timestamp) -> Result<bool, Error> {
    let added = sqlx::query(
        "insert into coupons (code, name, offer, redeem_until, most, redeemed, author, created_at)
         values ($1, $2, $3, $4, $5, 0, $6, $7) on conflict (code) do nothing",
    )
    .bind(new.code.as_str())
    .bind(&new.name)
    .bind(serde_json::to_string(&new.offer).map_err(|error| Error::Encode(error.into()))?)
    .bind(new.redeem_until.map(millis))
    .bind(new.most.map(i64::from))
    .bind(by)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(added.rows_affected() > 0)
}

pub(crate) async fn find(connection: &mut AnyConnection, code: &CouponCode) -> Result<Option<Coupon>, Error> {
    let row =
        sqlx::query("select * from coupons where code = $1").bind(code.as_str()).fetch_optional(connection).await?;
    row.as_ref().map(coupon).transpose()
}

/// Coupons by code, after one.
pub(crate) async fn list(db: &Db, after: &str, limit: u32) -> Result<Vec<Coupon>, Error> {
    let rows = sqlx::query("select * from coupons where code > $1 order by code limit $2")
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(db.read())
        .await?;
    rows.iter().map(coupon).collect()
}

/// Whether there is a coupon that somebody could redeem now.
pub(crate) async fn any_to_redeem(db: &Db, now: Timestamp) -> Result<bool, Error> {
    let found = sqlx::query(
        "select code from coupons where ended_at is null and (most is null or redeemed < most)
             and (redeem_until is null or redeem_until > $1) limit 1",
    )
    .bind(millis(now))
    .fetch_optional(db.read())
    .await?;
    Ok(found.is_some())
}

/// Ends a coupon. Whether it had not ended.
pub(crate) async fn end(tx: &mut Tx, code: &CouponCode, now: Timestamp) -> Result<bool, Error> {
    let ended = sqlx::query("update coupons set ended_at = $2 where code = $1 and ended_at is null")
        .bind(code.as_str())
        .bind(millis(now))
        .execute(&mut **tx)
        .await?;
    Ok(ended.rows_affected() > 0)
}

/// Lets a customer have a coupon. Whether they had it not.
pub(crate) async fn give(
    tx: &mut Tx,
    customer: CustomerId,
    code: &CouponCode,
    by: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    let given = sqlx::query(
        "insert into customer_coupons (customer_id, code, author, redeemed_at) values ($1, $2, $3, $4)
         on conflict (customer_id, code) do nothing",
    )
    .bind(customer.to_string())
    .bind(code.as_str())
    .bind(by)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(given.rows_affected() > 0)
}

/// Counts one more customer who has a coupon. Whether one more may have it.
pub(crate) async fn count(tx: &mut Tx, code: &CouponCode, now: Timestamp) -> Result<bool, Error> {
    let counted = sqlx::query(
        "update coupons set redeemed = redeemed + 1
         where code = $1 and ended_at is null and (most is null or redeemed < most)
             and (redeem_until is null or redeem_until > $2)",
    )
    .bind(code.as_str())
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(counted.rows_affected() > 0)
}

/// The coupons that a customer has, the earliest first, without what was taken of them.
pub(crate) async fn held(connection: &mut AnyConnection, customer: CustomerId) -> Result<Vec<Held>, Error> {
    let rows = sqlx::query(
        "select h.code, h.redeemed_at, c.name, c.offer from customer_coupons h join coupons c on c.code = h.code
         where h.customer_id = $1 order by h.redeemed_at, h.code",
    )
    .bind(customer.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Held {
                code: CouponCode::from_stored(row.try_get("code")?)?,
                name: row.try_get("name")?,
                offer: offer(row)?,
                redeemed_at: from_millis(row.try_get("redeemed_at")?),
                taken: Vec::new(),
            })
        })
        .collect()
}

/// What each invoice took of which coupon of a customer, in no order.
pub(crate) async fn taken(
    connection: &mut AnyConnection,
    customer: CustomerId,
) -> Result<Vec<(String, String, Taken)>, Error> {
    let rows = sqlx::query("select * from coupon_uses where customer_id = $1")
        .bind(customer.to_string())
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let hours: i64 = row.try_get("hours")?;
            let hours = u32::try_from(hours).map_err(|error| Error::Decode(error.into()))?;
            let taken = Taken { amount: Cents::new(row.try_get("amount")?), hours };
            Ok((row.try_get("code")?, row.try_get("invoice")?, taken))
        })
        .collect()
}

/// Keeps what an invoice takes of a coupon.
pub(crate) async fn take(
    tx: &mut Tx,
    customer: CustomerId,
    code: &str,
    invoice: &str,
    taken: Taken,
) -> Result<(), Error> {
    sqlx::query("insert into coupon_uses (customer_id, code, invoice, amount, hours) values ($1, $2, $3, $4, $5)")
        .bind(customer.to_string())
        .bind(code)
        .bind(invoice)
        .bind(taken.amount.get())
        .bind(i64::from(taken.hours))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

fn coupon(row: &AnyRow) -> Result<Coupon, Error> {
    let count = |number: i64| u32::try_from(number).map_err(|error| Error::Decode(error.into()));
    let moment = |column: &str| Ok::<_, Error>(row.try_get::<Option<i64>, _>(column)?.map(from_millis));
    Ok(Coupon {
        offered: Offered {
            code: CouponCode::from_stored(row.try_get("code")?)?,
            name: row.try_get("name")?,
            offer: offer(row)?,
            redeem_until: moment("redeem_until")?,
            most: row.try_get::<Option<i64>, _>("most")?.map(count).transpose()?,
        },
        redeemed: count(row.try_get("redeemed")?)?,
        created_at: from_millis(row.try_get("created_at")?),
        ended_at: moment("ended_at")?,
    })
}

fn offer(row: &AnyRow) -> Result<billing::Offer, Error> {
    serde_json::from_str(row.try_get("offer")?).map_err(|error| Error::Decode(error.into()))
}
