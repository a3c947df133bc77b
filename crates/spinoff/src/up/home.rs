//! The installation's record and key, for commands that are no server.

use std::sync::Arc;

use anyhow::Context as _;
use providers::setup::{Findings, are_findings_in};
use secrecy::ExposeSecret as _;
use store::Db;
use world::{Clock, Entropy, Sealer};

use super::assemble::open_store;
use super::config::{Config, secret};
use super::drivers::Parts;
use super::folder_lock;
use crate::data_folder::DataFolder;

/// A record that only lasts while somebody looks at it.
const NOWHERE: &str = "sqlite:file:spinoff-look?mode=memory&cache=shared";

/// What drivers are made with, and what their setups found out.
pub struct Home {
    /// For drivers.
    pub parts: Parts,
    /// Of earlier setups.
    pub findings: Findings,
    /// For what follows from the installation's key, where there is one already.
    pub sealer: Option<Arc<Sealer>>,
}

impl Home {
    /// Opens the record, and makes it with its folder and its key where there is none. A server may run.
    pub async fn open(folder: &DataFolder, config: &Config) -> anyhow::Result<Self> {
        folder_lock::make(folder)?;
        let db = open_store(folder, config).await?;
        db.migrate(&control_plane::migrations()).await?;
        let sealer = control_plane::open_key(&db, &folder.key(), &Entropy::System, Clock::System.now()).await?;
        Ok(Self::of(db, Some(sealer)))
    }

    /// Opens the record as it is and changes nothing. Where there is none yet, or one from before there
    /// were setups, an empty one in memory stands in for it.
    pub async fn look(folder: &DataFolder, config: &Config) -> anyhow::Result<Self> {
        let sealer = Sealer::read(&folder.key())?;
        let db = if sealer.is_some() { existing(folder, config).await? } else { None };
        match db {
            Some(db) if are_findings_in(&db).await => Ok(Self::of(db, sealer)),
            _ => {
                let db = Db::open(NOWHERE).await?;
                db.migrate(&control_plane::migrations()).await.context("making a record in memory")?;
                Ok(Self::of(db, sealer))
            }
        }
    }

    fn of(db: Db, sealer: Option<Sealer>) -> Self {
        // Fails only when a provider is installed already, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (clock, sealer) = (Clock::System, sealer.map(Arc::new));
        // Nothing was ever sealed where there is no key.
        let opener = sealer.clone().unwrap_or_else(|| Arc::new(Sealer::new(Entropy::System.bytes())));
        let findings = Findings::new(db.clone(), opener, clock.clone());
        let parts = Parts { db, clock, entropy: Entropy::System, sealer: sealer.clone() };
        Self { parts, findings, sealer }
    }
}

async fn existing(folder: &DataFolder, config: &Config) -> anyhow::Result<Option<Db>> {
    if let Some(url) = secret(config.store.url.as_ref(), config.store.url_file.as_ref())? {
        return Ok(Some(Db::open(url.expose_secret()).await?));
    }
    let path = folder.store();
    if !path.exists() {
        return Ok(None);
    }
    Ok(Some(Db::open(&format!("sqlite:{}?mode=rw", path.display())).await?))
}
