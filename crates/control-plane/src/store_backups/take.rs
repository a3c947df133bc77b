use std::io::{self, Write as _};

use ::store::{Contents, Db, Tally};
use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use providers::backup::{Identity, enclose};
use providers::compute::Archive;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use tokio::sync::mpsc::Sender;
use tokio::task::JoinHandle;
use world::Sealer;

use super::lines::{FORM, Header, Line, TableLine, write_row};
use super::{PURPOSE, TableTally};

/// So many bytes are sent at once.
const CHUNK: usize = 64 * 1024;

/// A backup that is being taken.
#[derive(Debug)]
pub struct Taken {
    /// It, as it is written. An error in the middle means that it is not whole.
    pub content: Archive,
    /// What is in it, once all of it was read.
    pub tables: JoinHandle<anyhow::Result<Vec<TableTally>>>,
}

/// Reads everything in the store as it is now. Others go on using it.
///
/// # Errors
/// When the store can't be read, or the key of the backup not be sealed.
pub async fn take(db: &Db, sealer: &Sealer, now: Timestamp) -> anyhow::Result<Taken> {
    let contents = db.contents().await.context("reading the store")?;
    let identity = Identity::generate();
    let header = Header {
        form: FORM.to_owned(),
        taken_at: now,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        key: sealer.id(),
        sealed: STANDARD.encode(sealer.seal(PURPOSE, identity.to_secret().expose_secret().as_bytes())?),
    };
    let (sender, plain) = Archive::fed();
    let tables = tokio::spawn(async move {
        let told = tell(contents, &sender).await;
        if let Err(error) = &told {
            // Whoever writes it down must not take it for whole.
            let _ = sender.send(Err(io::Error::other(format!("{error:#}")))).await;
        }
        told
    });
    let recipient = identity.recipient();
    let content = Archive::written_by(move |sink| {
        serde_json::to_writer(&mut *sink, &header)?;
        sink.write_all(b"\n")?;
        enclose(&recipient, sink, |enclosed| io::copy(&mut plain.into_reader(), enclosed).map(drop))
    });
    Ok(Taken { content, tables })
}

async fn tell(mut contents: Contents, sender: &Sender<io::Result<Bytes>>) -> anyhow::Result<Vec<TableTally>> {
    let mut lines = Lines { sender, waiting: Vec::with_capacity(CHUNK) };
    lines.add(&Line::Migrations(contents.versions().to_vec())).await?;
    let mut told = Vec::new();
    for table in contents.tables().to_vec() {
        lines.add(&Line::Table(TableLine::from(&table))).await?;
        let mut tally = Tally::default();
        {
            let mut rows = contents.rows(&table);
            while let Some(row) = rows.try_next().await.with_context(|| format!("reading the table {}", table.name))? {
                tally.add(&row);
                lines.add(&write_row(&row)).await?;
            }
        }
        let tally = TableTally::of(&table, tally);
        lines.add(&Line::End(tally.clone())).await?;
        told.push(tally);
    }
    lines.add(&Line::Complete(told.len())).await?;
    lines.send().await?;
    Ok(told)
}

struct Lines<'a> {
    sender: &'a Sender<io::Result<Bytes>>,
    waiting: Vec<u8>,
}

impl Lines<'_> {
    async fn add(&mut self, line: &impl Serialize) -> anyhow::Result<()> {
        serde_json::to_writer(&mut self.waiting, line)?;
        self.waiting.write_all(b"\n")?;
        if self.waiting.len() < CHUNK { Ok(()) } else { self.send().await }
    }

    async fn send(&mut self) -> anyhow::Result<()> {
        let piece = std::mem::replace(&mut self.waiting, Vec::with_capacity(CHUNK));
        self.sender.send(Ok(piece.into())).await.context("writing it down: it was broken off")
    }
}
