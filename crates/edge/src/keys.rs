//! The key that signs assertions: made on the first start, found again on every later one.

use access::{IssuerError, SigningKey};
use secrecy::{ExposeSecret as _, SecretString};
use store::Db;
use world::{Clock, Sealer};

use crate::{EdgeError, store as rows};

/// Stored names, not to be changed.
const ID: &str = "signing";
const PURPOSE: &str = "edge signing key";

pub(crate) async fn open(db: &Db, sealer: &Sealer, clock: &Clock) -> Result<SigningKey, EdgeError> {
    let sealed = match rows::sealed_key(db, ID).await? {
        Some(sealed) => sealed,
        None => {
            let secret = generate().await?;
            let sealed = sealer.seal(PURPOSE, secret.expose_secret().as_bytes())?;
            rows::keep_first_key(db, ID, sealed, clock.now()).await?
        }
    };
    let opened = sealer.open_sealed(PURPOSE, &sealed)?;
    let text = String::from_utf8(opened.expose_secret().clone()).map_err(|_| IssuerError::StoredKey)?;
    Ok(SigningKey::from_secret(&SecretString::from(text))?)
}

/// Whether this key opens what the edge has sealed; none where it has sealed nothing yet.
///
/// # Errors
/// When the store can't be read.
pub async fn is_opened_by(db: &Db, sealer: &Sealer) -> Result<Option<bool>, EdgeError> {
    let sealed = rows::sealed_key(db, ID).await?;
    Ok(sealed.map(|sealed| sealer.open_sealed(PURPOSE, &sealed).is_ok()))
}

/// Finding primes takes long enough to be in the way of other tasks.
async fn generate() -> Result<SecretString, EdgeError> {
    let made = tokio::task::spawn_blocking(|| SigningKey::generate()?.to_secret()).await;
    Ok(made.map_err(|_| IssuerError::Generate)??)
}
