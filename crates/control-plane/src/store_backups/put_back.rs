use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use ::store::{Db, FillError, Filling, Migration, Row, Table, Tally};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use providers::backup::{Identity, Trouble, disclose};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::sync::mpsc::{Sender, channel};
use world::Sealer;

use super::lines::{FORM, Header, Line, read_row};
use super::{PURPOSE, TableTally, store};

/// So many rows are held at once.
const ROWS_AT_ONCE: usize = 500;
/// So long nothing is deleted that was to be: a person looks around first.
const TO_LOOK_AROUND: SignedDuration = SignedDuration::from_hours(72);
/// The first line is far shorter.
const LONGEST_HEADER: u64 = 16 * 1024;

/// Why a backup of the store was not put back. The store is as it was.
#[derive(Debug, thiserror::Error)]
pub enum PutBackError {
    /// It is something else.
    #[error("this is no backup of a store that this version reads: {0}")]
    Unknown(String),
    /// Another key sealed it.
    #[error(
        "this backup was sealed with the key {of_backup}, and the secret.key here is {here}: put the secret.key there that \
         belongs to it"
    )]
    OtherKey {
        /// What the key is called that it was sealed with.
        of_backup: String,
        /// What the one here is called.
        here: String,
    },
    /// It is not as it was written.
    #[error("this backup can't be read: {0}; use another one")]
    Damaged(String),
    /// The store does not take it.
    #[error(transparent)]
    Filling(#[from] FillError),
}

/// What was put back.
#[derive(Debug)]
pub struct PutBack {
    /// As the store was then.
    pub taken_at: Timestamp,
    /// By which version of the program it was written.
    pub program: String,
    /// What each table holds, read again from the store.
    pub tables: Vec<TableTally>,
}

enum Piece {
    Migrations(Vec<i64>),
    Table(Table),
    Rows(Vec<Row>),
    End(TableTally),
    Complete(usize),
}

/// Puts a backup into a store that holds nothing yet: all of it, or nothing. `known` are the migrations of this program; an
/// older backup gets the tables of its time, and the next start brings them up to date.
///
/// # Errors
/// [`PutBackError`]
pub async fn put_back(
    source: impl Read + Send + 'static,
    sealer: Arc<Sealer>,
    (into, known): (&Db, &[Migration]),
    now: Timestamp,
) -> Result<PutBack, PutBackError> {
    let (sender, mut pieces) = channel(4);
    let reading = tokio::task::spawn_blocking(move || read(source, &sealer, &sender));
    let mut filled = None;
    let mut trouble = None;
    while let Some(piece) = pieces.recv().await {
        if let Err(error) = Placing::take(&mut filled, piece, (into, known)).await {
            trouble = Some(error);
            break;
        }
    }
    drop(pieces);
    let read = reading.await.unwrap_or_else(|cause| Err(PutBackError::Damaged(cause.to_string())));
    if let Some(error) = trouble {
        return Err(error);
    }
    // What was read may be used only now.
    let header = read?;
    let Some(mut placing) = filled.filter(|placing: &Placing| placing.is_complete) else {
        return Err(PutBackError::Damaged("it ends too early".to_owned()));
    };
    store::skip_serials(placing.filling.tx()).await.map_err(FillError::from)?;
    store::put_deletions_off(placing.filling.tx(), now + TO_LOOK_AROUND).await.map_err(FillError::from)?;
    placing.filling.commit().await?;
    Ok(PutBack { taken_at: header.taken_at, program: header.program, tables: placing.tables })
}

/// What was put in so far.
struct Placing {
    filling: Filling,
    table: Option<(Table, Tally)>,
    tables: Vec<TableTally>,
    is_complete: bool,
}

impl Placing {
    async fn take(
        placing: &mut Option<Self>,
        piece: Piece,
        (into, known): (&Db, &[Migration]),
    ) -> Result<(), PutBackError> {
        let out_of_order = || PutBackError::Damaged("its parts are not in their order".to_owned());
        if let Piece::Migrations(versions) = piece {
            if placing.is_some() {
                return Err(out_of_order());
            }
            let filling = into.fill(&versions, known).await?;
            *placing = Some(Self { filling, table: None, tables: Vec::new(), is_complete: false });
            return Ok(());
        }
        let Some(Self { filling, table: place, tables, is_complete }) = placing else { return Err(out_of_order()) };
        match (piece, place) {
            (Piece::Table(table), place @ None) => *place = Some((table, Tally::default())),
            (Piece::Rows(rows), Some((table, tally))) => {
                rows.iter().for_each(|row| tally.add(row));
                filling.add(table, &rows).await?;
            }
            (Piece::End(told), place) => {
                let (table, tally) = place.take().ok_or_else(out_of_order)?;
                if TableTally::of(&table, tally) != told {
                    return Err(PutBackError::Damaged(format!("the rows of {} are not those that it had", table.name)));
                }
                filling.verify(&table, tally).await?;
                tables.push(told);
            }
            (Piece::Complete(count), None) if tables.len() == count => *is_complete = true,
            _ => return Err(out_of_order()),
        }
        Ok(())
    }
}

/// Reads all of it, beside the async threads.
fn read(source: impl Read, sealer: &Sealer, sender: &Sender<Piece>) -> Result<Header, PutBackError> {
    let mut source = BufReader::new(source);
    let header = header(&mut source)?;
    if header.key != sealer.id() {
        return Err(PutBackError::OtherKey { of_backup: header.key, here: sealer.id() });
    }
    let damaged = |why: &dyn std::fmt::Display| PutBackError::Damaged(why.to_string());
    let sealed = STANDARD.decode(&header.sealed).map_err(|why| damaged(&why))?;
    let opened = sealer.open_sealed(PURPOSE, &sealed).map_err(|why| damaged(&why))?;
    let secret = SecretString::from(String::from_utf8_lossy(opened.expose_secret()).into_owned());
    let identity = Identity::parse(&secret).map_err(|why| damaged(&why))?;
    match disclose(source, &identity, |plain| send_all(plain, sender)) {
        Ok(()) => Ok(header),
        Err(Trouble::OtherKey) => Err(damaged(&"its key does not open it")),
        Err(why) => Err(damaged(&why)),
    }
}

fn header(source: &mut impl BufRead) -> Result<Header, PutBackError> {
    let mut line = Vec::new();
    let unknown = |why: &dyn std::fmt::Display| PutBackError::Unknown(why.to_string());
    source.by_ref().take(LONGEST_HEADER).read_until(b'\n', &mut line).map_err(|why| unknown(&why))?;
    let header: Header = serde_json::from_slice(&line).map_err(|why| unknown(&format!("its first line: {why}")))?;
    if header.form == FORM { Ok(header) } else { Err(unknown(&format!("its form is {}", header.form))) }
}

fn send_all(plain: &mut dyn Read, sender: &Sender<Piece>) -> io::Result<()> {
    let mut table: Option<Table> = None;
    let mut rows: Vec<Row> = Vec::new();
    for line in BufReader::new(plain).lines() {
        let line = line?;
        if line.starts_with('[') {
            let table = table.as_ref().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
            let values: Vec<Value> = serde_json::from_str(&line)?;
            rows.push(read_row(values, table)?);
            if rows.len() == ROWS_AT_ONCE {
                send(sender, Piece::Rows(std::mem::take(&mut rows)))?;
            }
            continue;
        }
        if !rows.is_empty() {
            send(sender, Piece::Rows(std::mem::take(&mut rows)))?;
        }
        let piece = match serde_json::from_str(&line)? {
            Line::Migrations(versions) => Piece::Migrations(versions),
            Line::Table(begun) => {
                let begun = Table::from(begun);
                table = Some(begun.clone());
                Piece::Table(begun)
            }
            Line::End(tally) => Piece::End(tally),
            Line::Complete(count) => Piece::Complete(count),
        };
        send(sender, piece)?;
    }
    Ok(())
}

fn send(sender: &Sender<Piece>, piece: Piece) -> io::Result<()> {
    sender.blocking_send(piece).map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "nobody takes it any more"))
}
