//! Finds what an operator has in mind by what they know of it: a piece of a name or an address, a number, an id.

use store::sqlx::{self, Error, Row as _};

use crate::app::App;
use crate::error::{AppError, refused};

/// Found of each kind; whoever has more in mind types more.
const MOST_OF_A_KIND: i64 = 10;
/// A single letter is in nearly everything.
const SHORTEST: usize = 2;
const LONGEST: usize = 200;

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    /// What it is, such as `instance`.
    pub kind: &'static str,
    pub id: String,
    /// What people call it.
    pub name: String,
    /// More about it, such as its state.
    pub about: String,
    /// Where it is in the console.
    pub path: String,
}

/// What is looked through: its kind, where it is in the console, and the statement that gives id, name and more. `$1` is the
/// pattern and `$2` what was typed.
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

/// Finds it. What is found by its id comes first.
pub(crate) async fn find(app: &App, typed: &str) -> Result<Vec<Hit>, AppError> {
    let typed = typed.trim();
    let length = typed.chars().count();
    if !(SHORTEST..=LONGEST).contains(&length) {
        let what = format!("Search for {SHORTEST} to {LONGEST} characters.");
        return Err(refused(422, &what, "A piece of a name or an e-mail address, a number, or an id."));
    }
    let pattern = pattern(typed);
    let mut hits = Vec::new();
    for (kind, place, sql) in SOURCES {
        hits.extend(of_a_kind(app, (kind, place, sql), &pattern, typed).await?);
    }
    hits.sort_by_key(|hit| hit.id != typed);
    Ok(hits)
}

async fn of_a_kind(
    app: &App,
    (kind, place, sql): (&'static str, &str, &'static str),
    pattern: &str,
    typed: &str,
) -> Result<Vec<Hit>, Error> {
    let rows = sqlx::query(sql).bind(pattern).bind(typed).bind(MOST_OF_A_KIND).fetch_all(app.db.read()).await?;
    rows.iter()
        .map(|row| {
            let id: String = row.try_get("id")?;
            let path = format!("{place}{id}");
            Ok(Hit { kind, id, name: row.try_get("name")?, about: row.try_get("about")?, path })
        })
        .collect()
}

/// A pattern for `like … escape '\'` that is in what contains the text, however it is written.
fn pattern(typed: &str) -> String {
    let mut pattern = String::from("%");
    for letter in typed.to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_looked_for_and_not_obeyed() {
        assert_eq!(pattern("Ada_50%\\"), "%ada\\_50\\%\\\\%");
    }
}
