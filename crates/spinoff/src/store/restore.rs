use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::PathBuf;

use control_plane::{KeptStoreBackup, PutBackError, TableTally, kept_store_backups, put_back_store};
use jiff::Timestamp;
use providers::ProviderError;
use providers::storage::ObjectName;
use serde::Serialize;
use world::Sealer;

use super::{Record, in_words, key, not_filled, rows, settings};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::table;
use crate::up::assemble::open_store;
use crate::up::config::Config;
use crate::up::drivers;
use crate::up::folder_lock;
use crate::when::moment;

const NOT_DONE: &str = "the record was not restored";

/// Where a backup comes from.
#[derive(Debug)]
pub enum Origin {
    /// A file.
    File(PathBuf),
    /// Where `[backups]` keeps it, by its name there.
    Named(String),
    /// The newest one there.
    Newest,
}

#[derive(Debug, Serialize)]
struct Listed {
    data: Vec<KeptStoreBackup>,
}

#[derive(Debug, Serialize)]
struct Restored {
    from: String,
    taken_at: Timestamp,
    /// The version of the program that wrote it.
    program: String,
    rows: u64,
    tables: Vec<TableTally>,
}

/// Lists what the server has backed up by itself.
pub async fn list(context: &Context) -> Result<(), Failure> {
    let (config, _) = settings(context, Record { store: None })?;
    let sealer = key(context, "tell which backups are this installation's")?;
    let storage = drivers::storage(&config, &context.data)?;
    let found = kept_store_backups(storage.as_ref(), &sealer).await;
    let data = found.map_err(|error| Failure::new(Exit::Failed, "can't list backups of the record", error))?;
    let listed = Listed { data };
    context.output.show(&listed, || {
        table(&["BACKUP", "TAKEN"], listed.data.iter().map(|it| [it.name.clone(), moment(it.taken_at)]))
    })
}

/// Puts a backup into a store that holds nothing.
pub async fn run(context: &Context, from: Origin, record: Record) -> Result<(), Failure> {
    let (config, _) = settings(context, record)?;
    let sealer = key(context, "open the backup")?;
    let lock = folder_lock::take(&context.data);
    let _lock = lock.map_err(|error| Failure::new(Exit::Refused, NOT_DONE, format!("{error:#}")))?;
    let (name, source) = open(context, &config, &sealer, from).await?;
    let db = open_store(&context.data, &config).await?;
    let put = put_back_store(source, sealer, (&db, &control_plane::migrations()), context.clock.now()).await;
    db.close().await;
    let put = put.map_err(|error| match &error {
        PutBackError::Filling(cause) => not_filled(NOT_DONE, cause),
        PutBackError::Unknown(_) | PutBackError::OtherKey { .. } => Failure::new(Exit::Refused, NOT_DONE, error),
        PutBackError::Damaged(_) => Failure::new(Exit::Failed, NOT_DONE, error),
    })?;
    let done = Restored {
        from: name,
        taken_at: put.taken_at,
        program: put.program,
        rows: rows(&put.tables),
        tables: put.tables,
    };
    context.output.show(&done, || {
        format!(
            "{}{} rows are back, as they were on {}, each read again and the same. What happened since is not in them: before \
             you start the server, read docs/runbooks/disaster.md.\n",
            in_words(&done.tables),
            done.rows,
            moment(done.taken_at)
        )
    })
}

/// The backup, and what it is called.
async fn open(
    context: &Context,
    config: &Config,
    sealer: &Sealer,
    from: Origin,
) -> Result<(String, Box<dyn Read + Send>), Failure> {
    let missing =
        |what: String| Failure::new(Exit::NotFound, what, "").next("`spinoff store backups` lists what there is");
    let named = match from {
        Origin::File(path) => {
            let name = path.display().to_string();
            return match File::open(&path) {
                Ok(file) => Ok((name, Box::new(file))),
                Err(cause) if cause.kind() == ErrorKind::NotFound => Err(missing(format!("there is no file {name}"))),
                Err(cause) => Err(Failure::new(Exit::Failed, format!("can't open {name}"), cause)),
            };
        }
        Origin::Named(name) => Some(name),
        Origin::Newest => None,
    };
    let storage = drivers::storage(config, &context.data)?;
    let failed = |error: ProviderError| Failure::new(Exit::Failed, NOT_DONE, error);
    let name = match named {
        Some(name) => name,
        None => {
            let newest = kept_store_backups(storage.as_ref(), sealer).await.map_err(failed)?.into_iter().next();
            newest.ok_or_else(|| missing("there is no backup of the record of this key".to_owned()))?.name
        }
    };
    let object = ObjectName::parse(&name).map_err(|error| Failure::new(Exit::Usage, NOT_DONE, error))?;
    match storage.get(&object).await {
        Ok(archive) => Ok((name, Box::new(archive.into_reader()))),
        Err(ProviderError::NotFound { .. }) => Err(missing(format!("there is no backup {name}"))),
        Err(error) => Err(failed(error)),
    }
}
