use store::Db;
use store::sqlx::{self, Error, Row as _};

use super::Hit;

/// What is looked through: its kind, where it is in the console, and the statement that gives id, name and more. `$1` is the
/// pattern, `$2` an id, and `$3` how many.
const SOURCES: [(&str, &str, &str); 6] = [
    (
        "instance",
        "/admin/instances/",
        "select i.id, i.subdomain as name, i.state || ', ' || c.email as about from instances i
         join customers c on c.id = i.customer_id
         where lower(i.subdomain) like $1 escape '\\' or lower(i.project) like $1 escape '\\' or i.id = $2
         order by case when i.state in ('deleted', 'failed') then 1 else 0 end, i.id desc limit $3",
    ),
    (
        "customer",
        "/admin/customers/",
        "select id, name, email as about from customers
         where lower(name) like $1 escape '\\' or lower(email) like $1 escape '\\' or id = $2
             or lower(coalesce(company, '')) like $1 escape '\\'
         order by id desc limit $3",
    ),
    (
        "member",
        "/admin/instances/",
        "select m.instance_id as id, m.email as name, m.role || ' of ' || i.subdomain as about from members m
         join instances i on i.id = m.instance_id
         where lower(m.email) like $1 escape '\\' and i.state <> 'deleted' order by m.email, m.instance_id limit $3",
    ),
    (
        "invoice",
        "/admin/money/invoices/",
        "select v.number as id, v.number as name, 'issued on ' || v.issued_on || ', ' || c.email as about from invoices v
         join customers c on c.id = v.customer_id
         where lower(v.number) like $1 escape '\\' order by v.seq desc limit $3",
    ),
    (
        "workflow",
        "/admin/workflows/",
        "select id, kind as name, state || ', ' || subject as about from workflows
         where id = $2 or ($1 <> '' and subject = $2) order by id desc limit $3",
    ),
    (
        "release",
        "/admin/releases/",
        "select version as id, version as name, stage as about from releases
         where lower(version) like $1 escape '\\' order by id desc limit $3",
    ),
];

/// Everything that contains a pattern or goes by an id, so many of a kind.
pub(super) async fn find(db: &Db, pattern: &str, id: &str, most: i64) -> Result<Vec<Hit>, Error> {
    let mut hits = Vec::new();
    for (kind, place, sql) in SOURCES {
        let rows = sqlx::query(sql).bind(pattern).bind(id).bind(most).fetch_all(db.read()).await?;
        for row in rows {
            let id: String = row.try_get("id")?;
            let path = format!("{place}{id}");
            hits.push(Hit { kind, id, name: row.try_get("name")?, about: row.try_get("about")?, path });
        }
    }
    Ok(hits)
}
