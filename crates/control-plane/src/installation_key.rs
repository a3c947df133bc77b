//! The key that everything of an installation is sealed with, and that belongs to its store: the first server makes both.
//! Every later one brings the key along. Without it, or with another one, a server does not start: it could open nothing, and
//! would begin to seal with what nobody else has.

pub(crate) mod store;

use std::path::{Path, PathBuf};

use ::store::Db;
use jiff::Timestamp;
use world::{Entropy, SealError, Sealer};

/// Why a store can't be used with the key that is there.
#[derive(Debug, thiserror::Error)]
pub enum KeyTrouble {
    /// The store was sealed by somebody, and there is no key.
    #[error(
        "there is no key at {0}, but the store was sealed with one: put the secret.key there that belongs to this store. The \
         data folder of the server that used it first has it, and so has whoever kept a copy; a new key would open nothing. \
         If you meant to begin anew, name an empty store"
    )]
    Missing(PathBuf),
    /// It was sealed with another one.
    #[error(
        "the key at {path} ({id}) is not the one that the store was sealed with ({of_store}): put the secret.key there that \
         belongs to this store, the same for all servers that use it, or name the store that belongs to this key"
    )]
    Another {
        /// Where the key is.
        path: PathBuf,
        /// What it is called.
        id: String,
        /// What the store's is called.
        of_store: String,
    },
    /// The file can't be used.
    #[error(transparent)]
    File(#[from] SealError),
    /// The store can't be used.
    #[error("finding out which key belongs to the store: {0}")]
    Store(#[from] ::store::sqlx::Error),
    /// What is sealed can't be looked at.
    #[error("finding out whether the key opens what the store has sealed: {0}")]
    Edge(#[from] edge::EdgeError),
}

/// The key at this place, which belongs to the store. Where neither was ever used, it is made.
///
/// # Errors
/// [`KeyTrouble`], with what to do.
pub async fn open(db: &Db, path: &Path, entropy: &Entropy, now: Timestamp) -> Result<Sealer, KeyTrouble> {
    if let Some(sealer) = Sealer::read(path)? {
        belongs(db, path, &sealer).await?;
        claim(db, path, &sealer, now).await?;
        return Ok(sealer);
    }
    if store::noted(db).await?.is_some() || store::is_anything_sealed(db).await? {
        return Err(KeyTrouble::Missing(path.to_owned()));
    }
    let sealer = Sealer::open(path, entropy)?;
    let claimed = claim(db, path, &sealer, now).await;
    if let Err(KeyTrouble::Another { .. }) = &claimed {
        // Another server began at the same moment and was first. Nothing was sealed with this one.
        let _ = std::fs::remove_file(path);
        return Err(KeyTrouble::Missing(path.to_owned()));
    }
    claimed.map(|()| sealer)
}

/// Whether this key, from this place, belongs to the store.
///
/// # Errors
/// [`KeyTrouble`] when it does not.
pub async fn belongs(db: &Db, path: &Path, sealer: &Sealer) -> Result<(), KeyTrouble> {
    let another = |of_store| KeyTrouble::Another { path: path.to_owned(), id: sealer.id(), of_store };
    match store::noted(db).await? {
        Some(of_store) if of_store == sealer.id() => Ok(()),
        Some(of_store) => Err(another(of_store)),
        // A store from before keys were noted.
        None => match edge::is_opened_by(db, sealer).await? {
            Some(false) => Err(another("not noted".to_owned())),
            _ => Ok(()),
        },
    }
}

/// Notes it as the store's, unless there is one.
async fn claim(db: &Db, path: &Path, sealer: &Sealer, now: Timestamp) -> Result<(), KeyTrouble> {
    let of_store = store::note_first(db, &sealer.id(), now).await?;
    if of_store == sealer.id() {
        return Ok(());
    }
    Err(KeyTrouble::Another { path: path.to_owned(), id: sealer.id(), of_store })
}
