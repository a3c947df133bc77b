use std::path::PathBuf;

use control_plane::BackupSettings;
use domain::Retention;
use secrecy::SecretString;
use serde::Deserialize;

use super::drivers::StorageDriver;

/// `[backups]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backups {
    pub driver: StorageDriver,
    /// Where the driver `folder` keeps them; below the data folder unless something else is given.
    pub folder: Option<PathBuf>,
    /// Where the driver `s3` finds its store, and who we are there.
    pub endpoint: String,
    pub bucket: String,
    pub prefix: String,
    pub region: String,
    pub access_key_id: String,
    pub secret_access_key: Option<SecretString>,
    pub secret_access_key_file: Option<PathBuf>,
    /// Hours from one backup of an instance to its next; 0 takes none by itself.
    pub every_hours: u32,
    pub retention: Retention,
    /// How many are restored for a test each night; 0 for none.
    pub proofs_a_night: u32,
    /// Hours from one backup of the store to the next; 0 takes none by itself.
    pub store_every_hours: u32,
    /// So many of them are kept.
    pub store_kept: u32,
}

impl Default for Backups {
    fn default() -> Self {
        let BackupSettings { every_hours, retention, proofs_a_night, store_every_hours, store_kept } =
            BackupSettings::default();
        Self {
            driver: StorageDriver::default(),
            folder: None,
            endpoint: String::new(),
            bucket: String::new(),
            prefix: String::new(),
            region: "us-east-1".to_owned(),
            access_key_id: String::new(),
            secret_access_key: None,
            secret_access_key_file: None,
            every_hours,
            retention,
            proofs_a_night,
            store_every_hours,
            store_kept,
        }
    }
}

impl Backups {
    /// What is decided beside where they are kept.
    pub fn settings(&self) -> BackupSettings {
        BackupSettings {
            every_hours: self.every_hours,
            retention: self.retention,
            proofs_a_night: self.proofs_a_night,
            store_every_hours: self.store_every_hours,
            store_kept: self.store_kept,
        }
    }
}
