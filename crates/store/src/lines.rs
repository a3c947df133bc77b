use sqlx::{AnyExecutor, AssertSqlSafe, Error};

/// Many small rows as the lines of one text: `select` names each row's words `line`. A row of its own takes microseconds to
/// read and a kilobyte to hold, and of what is looked at again and again there are tens of thousands.
///
/// # Errors
/// When the store can't be read.
pub async fn lines<'c>(on: impl AnyExecutor<'c>, select: &'static str) -> Result<String, Error> {
    let statement = format!("select string_agg(line, $1) from ({select}) as named");
    let all: Option<String> = sqlx::query_scalar(AssertSqlSafe(statement)).bind("\n").fetch_one(on).await?;
    Ok(all.unwrap_or_default())
}
