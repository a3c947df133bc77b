use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use control_plane::{TableTally, Taken, key_belongs, take_store_backup};
use jiff::Timestamp;
use serde::Serialize;

use super::{Record, existing, in_words, key, rows, settings};
use crate::context::Context;
use crate::failure::{Exit, Failure};

const NOT_DONE: &str = "the record was not backed up";

#[derive(Debug, Serialize)]
struct BackedUp {
    file: PathBuf,
    bytes: u64,
    taken_at: Timestamp,
    /// What the installation's key is called that opens it.
    key: String,
    rows: u64,
    tables: Vec<TableTally>,
}

/// Writes a backup of the record into a file that does not exist yet.
pub async fn run(context: &Context, file: &Path, record: Record) -> Result<(), Failure> {
    let (_, url) = settings(context, record)?;
    if file.exists() {
        let why = format!("{} is there already", file.display());
        return Err(Failure::new(Exit::Refused, NOT_DONE, why).next("name another file"));
    }
    let db = existing(context, url.as_ref()).await?;
    let sealer = key(context, "seal the backup")?;
    let failed = |error: &dyn std::fmt::Display| Failure::new(Exit::Failed, NOT_DONE, error);
    // A key that does not belong to the record would seal a backup that nobody looks for it with.
    key_belongs(&db, &context.data.key(), &sealer)
        .await
        .map_err(|error| Failure::new(Exit::Refused, NOT_DONE, error))?;
    let taken_at = context.clock.now();
    let Taken { content, tables } = take_store_backup(&db, &sealer, taken_at).await?;
    let (path, mut content) = (file.to_owned(), content.into_reader());
    let written = tokio::task::spawn_blocking(move || whole(&path, |part| io::copy(&mut content, part))).await;
    let bytes = written.map_err(|error| failed(&error))??;
    let tables = tables.await.map_err(|error| failed(&error))??;
    db.close().await;
    let done = BackedUp { file: file.to_owned(), bytes, taken_at, key: sealer.id(), rows: rows(&tables), tables };
    context.output.show(&done, || {
        format!(
            "{}{} rows are in {}. The secret.key with the id {} opens it, and nothing else: keep a copy of that elsewhere.\n",
            in_words(&done.tables),
            done.rows,
            done.file.display(),
            done.key
        )
    })
}

/// Under another name until all of it is on the disk.
fn whole(path: &Path, write: impl FnOnce(&mut File) -> io::Result<u64>) -> anyhow::Result<u64> {
    let name = path.file_name().context("naming the file")?.to_string_lossy();
    let part = path.with_file_name(format!(".part-{}-{name}", std::process::id()));
    let outcome = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        let bytes = write(&mut file)?;
        file.flush()?;
        file.sync_all()?;
        // Unlike a renamed file, a link takes the place of none that came meanwhile.
        fs::hard_link(&part, path)?;
        Ok::<u64, io::Error>(bytes)
    })();
    // What is not whole is of no use to anybody.
    let _ = fs::remove_file(&part);
    outcome.with_context(|| format!("writing {}", path.display()))
}
