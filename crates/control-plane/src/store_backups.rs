//! Everything that the store holds, kept a second time: read at one moment while the server goes on, written in a form that
//! every engine takes back, compressed, and encrypted with a key of its own, which rests in it sealed with the
//! installation's key. That key itself is never in it.
//!
//! - how it is written: `lines.rs`
//! - one is taken: `take.rs`; one is put back into a store that holds nothing: `put_back.rs`
//! - when, and where it is kept: `schedule.rs`

mod lines;
mod put_back;
pub(crate) mod schedule;
pub(crate) mod store;
mod take;

use jiff::Timestamp;
use providers::storage::{ObjectName, Storage};
use serde::{Deserialize, Serialize};
use world::Sealer;

pub use put_back::{PutBack, PutBackError, put_back};
pub use take::{Taken, take};

/// For what the key of a backup is sealed.
const PURPOSE: &str = "store backup key";
/// Below this name they are kept, apart from those of instances.
const FOLDER: &str = "store";
const SUFFIX: &str = ".store.age";

/// What a table held when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableTally {
    /// Its name.
    pub table: String,
    /// How many rows.
    pub rows: u64,
    /// Their digest, in hexadecimal, whatever their order.
    pub digest: String,
}

impl TableTally {
    /// Of a table that was read.
    pub fn of(table: &::store::Table, tally: ::store::Tally) -> Self {
        Self { table: table.name.clone(), rows: tally.rows(), digest: tally.digest() }
    }
}

/// A backup of the store where backups are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptStoreBackup {
    /// As it is called there.
    pub name: String,
    /// When it was begun.
    pub taken_at: Timestamp,
}

/// What is kept of the store that this key belongs to, newest first. Asks no server, so that it can be asked when there is
/// none left.
///
/// # Errors
/// When the place does not answer.
pub async fn kept(storage: &dyn Storage, sealer: &Sealer) -> Result<Vec<KeptStoreBackup>, providers::ProviderError> {
    let ours = format!("{FOLDER}/{}/", sealer.id());
    let mut found: Vec<KeptStoreBackup> =
        storage.list().await?.iter().filter_map(|name| read_name(name, &ours)).collect();
    found.sort_by(|one, other| other.name.cmp(&one.name));
    Ok(found)
}

/// `store/<key>/20261130t200000z.store.age`: in the order of time, and apart from those of other installations.
fn name_of(key: &str, at: Timestamp) -> String {
    format!("{FOLDER}/{key}/{}{SUFFIX}", at.strftime("%Y%m%dt%H%M%Sz"))
}

fn read_name(name: &ObjectName, ours: &str) -> Option<KeptStoreBackup> {
    let at = name.as_str().strip_prefix(ours)?.strip_suffix(SUFFIX)?;
    let at = jiff::civil::DateTime::strptime("%Y%m%dt%H%M%Sz", at).ok()?;
    let taken_at = jiff::tz::TimeZone::UTC.to_timestamp(at).ok()?;
    Some(KeptStoreBackup { name: name.as_str().to_owned(), taken_at })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_says_whose_it_is_and_of_when() {
        let at: Timestamp = "2026-11-30T20:15:09Z".parse().unwrap();
        let name = ObjectName::parse(&name_of("0123456789abcdef", at)).unwrap();
        assert_eq!(name.as_str(), "store/0123456789abcdef/20261130t201509z.store.age");
        assert_eq!(read_name(&name, "store/0123456789abcdef/").unwrap().taken_at, at);
        assert_eq!(read_name(&name, "store/fedcba9876543210/"), None);
    }
}
