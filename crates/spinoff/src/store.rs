//! `spinoff store`: the whole record, moved, backed up and put back. None of it asks a server: it is for the day on which
//! there is none.

mod back_up;
mod restore;
mod transfer;

use std::path::PathBuf;
use std::sync::Arc;

use ::store::{Db, FillError};
use clap::{Subcommand, ValueHint};
use control_plane::TableTally;
use secrecy::{ExposeSecret as _, SecretString};
use world::Sealer;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::table;
use crate::up::UpArgs;
use crate::up::config::{Config, secret};

/// What can be done with the whole record.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Move the record from its SQLite file to PostgreSQL
    #[command(
        after_help = "Everything is copied in one transaction, read again there, and compared; then it is kept, or nothing is. The file
stays as it is. No server may run on the data folder meanwhile, and the database must hold nothing.

Exit codes: 0 it is there and the same, 1 failed, 3 there is no record, 4 refused.

Examples:
  spinoff store move --to postgres://spinoff@localhost/spinoff
  spinoff store move --to-file /etc/spinoff/secrets/store-url --json | jq .rows"
    )]
    Move {
        /// The database, such as postgres://user@host/database
        #[arg(long, value_name = "URL", value_hint = ValueHint::Url, required_unless_present = "to_file")]
        to: Option<String>,

        /// File that holds its address, where that has a password
        #[arg(long, value_name = "FILE", conflicts_with = "to")]
        to_file: Option<PathBuf>,
    },
    /// Back the record up into a file, while a server runs or not
    #[command(
        after_help = "It is the record of one moment, encrypted; the secret.key of this installation opens it and is not in it. Keep both,
and apart. What instances keep is backed up by `spinoff backups`.

Exit codes: 0 it is kept, 1 failed, 3 there is no record, 4 refused.

Examples:
  spinoff store backup /mnt/elsewhere/spinoff.store.age
  spinoff store backup before-upgrade.store.age --json | jq .rows"
    )]
    Backup {
        /// Where to write it; nothing may be there
        file: PathBuf,

        #[command(flatten)]
        record: Record,
    },
    /// List the backups of the record that the server takes by itself
    #[command(
        after_help = "They are where [backups] says. Those of other installations there are left out, by their key.

Exit codes: 0 done, 1 failed, 4 there is no secret.key.

Examples:
  spinoff store backups
  spinoff store backups --json | jq -r '.data[0].name'"
    )]
    Backups,
    /// Put a backup of the record into a store that holds nothing
    #[command(
        after_help = "All of it is put in, read again and compared; then it is kept, or nothing is. No server may run on the data folder
meanwhile, and the secret.key that belongs to the backup must be in it.
Before the next start, read docs/runbooks/disaster.md: what happened since the backup is not in it.

Exit codes: 0 it is there and the same, 1 failed, 3 there is no such backup, 4 refused.

Examples:
  spinoff store restore --newest
  spinoff store restore --file /mnt/elsewhere/spinoff.store.age
  spinoff store restore --newest --store postgres://spinoff@localhost/spinoff --json | jq .taken_at"
    )]
    Restore {
        /// The file that it is in
        #[arg(long, value_name = "FILE", required_unless_present_any = ["name", "newest"])]
        file: Option<PathBuf>,

        /// One of those that `spinoff store backups` lists
        #[arg(long, value_name = "NAME", conflicts_with_all = ["file", "newest"])]
        name: Option<String>,

        /// The newest of those
        #[arg(long, conflicts_with = "file")]
        newest: bool,

        #[command(flatten)]
        record: Record,
    },
}

/// Where the record is.
#[derive(Debug, clap::Args)]
pub struct Record {
    /// Where the record is kept [default: as set, or a SQLite file in the data folder]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    store: Option<String>,
}

/// Does what was asked.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    // Fails only when a provider is installed already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match command {
        Command::Move { to, to_file } => transfer::run(context, to.map(SecretString::from), to_file).await,
        Command::Backup { file, record } => back_up::run(context, &file, record).await,
        Command::Backups => restore::list(context).await,
        Command::Restore { file, name, newest: _, record } => {
            let from = match (file, name) {
                (Some(file), _) => restore::Origin::File(file),
                (None, Some(name)) => restore::Origin::Named(name),
                (None, None) => restore::Origin::Newest,
            };
            restore::run(context, from, record).await
        }
    }
}

/// The settings, and the record's address where it is not in the data folder.
fn settings(context: &Context, record: Record) -> Result<(Config, Option<SecretString>), Failure> {
    let config = Config::read(context, &UpArgs { store: record.store, ..UpArgs::usual() })?;
    let url = secret(config.store.url.as_ref(), config.store.url_file.as_ref())?;
    Ok((config, url))
}

/// The record that is there; none is made.
async fn existing(context: &Context, url: Option<&SecretString>) -> Result<Db, Failure> {
    if let Some(url) = url {
        return Db::open(url.expose_secret())
            .await
            .map_err(|error| Failure::new(Exit::Failed, "can't open the store", error));
    }
    let path = context.data.store();
    if !path.exists() {
        let what = format!("there is no record at {}", path.display());
        return Err(
            Failure::new(Exit::NotFound, what, "").next("name the data folder with --data, or the store with --store")
        );
    }
    let opened = Db::open(&format!("sqlite:{}?mode=rw", path.display())).await;
    opened.map_err(|error| Failure::new(Exit::Failed, "can't open the store", error))
}

/// The installation's key; none is made.
fn key(context: &Context, purpose: &str) -> Result<Arc<Sealer>, Failure> {
    let path = context.data.key();
    match Sealer::read(&path) {
        Ok(Some(sealer)) => Ok(Arc::new(sealer)),
        Ok(None) => {
            let what = format!("there is no key at {}", path.display());
            Err(Failure::new(Exit::Refused, what, format!("it is needed to {purpose}"))
                .next("put the installation's secret.key there"))
        }
        Err(error) => Err(Failure::new(Exit::Failed, "can't read the key", error)),
    }
}

fn not_filled(what: &str, error: &FillError) -> Failure {
    let exit = match error {
        FillError::NotEmpty(_) | FillError::Newer(_) => Exit::Refused,
        _ => Exit::Failed,
    };
    Failure::new(exit, what, error)
}

/// An address without what is secret in it.
fn shown(url: &SecretString) -> String {
    let url = url.expose_secret();
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    format!("{scheme}://{}", rest.rsplit('@').next().unwrap_or_default().split('?').next().unwrap_or_default())
}

fn in_words(tables: &[TableTally]) -> String {
    let row = |it: &TableTally| [it.table.clone(), it.rows.to_string(), it.digest.chars().take(16).collect()];
    table(&["TABLE", "ROWS", "DIGEST"], tables.iter().map(row))
}

fn rows(tables: &[TableTally]) -> u64 {
    tables.iter().map(|it| it.rows).sum()
}
