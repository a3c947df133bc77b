use std::path::PathBuf;

use ::store::{Db, copy};
use control_plane::TableTally;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use super::{Record, existing, in_words, not_filled, rows, settings, shown};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::visible;
use crate::up::config::secret;
use crate::up::folder_lock;

const NOT_MOVED: &str = "the record was not moved";

#[derive(Debug, Serialize)]
struct Moved {
    from: String,
    to: String,
    rows: u64,
    tables: Vec<TableTally>,
}

/// Copies the record of the data folder into a database, and compares.
pub async fn run(context: &Context, to: Option<SecretString>, to_file: Option<PathBuf>) -> Result<(), Failure> {
    let refused = |why: &str, next: &str| Failure::new(Exit::Refused, NOT_MOVED, why).next(next);
    let to = secret(to.as_ref(), to_file.as_ref())?;
    let Some(to) = to.filter(|to| to.expose_secret().starts_with("postgres")) else {
        return Err(refused("it moves to PostgreSQL alone", "give an address such as postgres://user@host/database"));
    };
    let (_, url) = settings(context, Record { store: None })?;
    if let Some(url) = url {
        let next = format!("to go elsewhere from {}, take `spinoff store backup`, and restore it there", shown(&url));
        return Err(refused("the settings say that the record is in a database already", &next));
    }
    let from = existing(context, None).await?;
    let _lock = folder_lock::take(&context.data)
        .map_err(|error| Failure::new(Exit::Refused, NOT_MOVED, format!("{error:#}")))?;
    let into = Db::open(to.expose_secret()).await;
    let into = into.map_err(|error| Failure::new(Exit::Failed, NOT_MOVED, error))?;
    let copied = copy(&from, &into, &control_plane::migrations()).await;
    from.close().await;
    into.close().await;
    let copied = copied.map_err(|error| not_filled(NOT_MOVED, &error))?;
    let tables: Vec<TableTally> = copied.iter().map(|(table, tally)| TableTally::of(table, *tally)).collect();
    let file = context.data.store();
    let moved = Moved { from: file.display().to_string(), to: shown(&to), rows: rows(&tables), tables };
    context.output.show(&moved, || {
        visible_lines(&format!(
            "{}{} rows are in {}, each read again and the same. {} is as it was.\n\
             Now set [store] url (or url_file) to this address, and start the server on the same data folder: secret.key stays \
             where it is. When all is well, move {} away.\n",
            in_words(&moved.tables),
            moved.rows,
            moved.to,
            moved.from,
            moved.from,
        ))
    })
}

fn visible_lines(text: &str) -> String {
    text.split('\n').map(|line| visible(line.to_owned())).collect::<Vec<_>>().join("\n")
}
