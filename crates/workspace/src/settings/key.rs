//! Seals the provider's key with a file of its own.

use std::path::PathBuf;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use world::{Entropy, SealError, Sealer};

const PURPOSE: &str = "model provider key";

/// The key file, read or made when it is first needed.
pub struct Safe {
    file: PathBuf,
    sealer: OnceLock<Sealer>,
}

/// Why the provider's key cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key file cannot be used.
    #[error("The key file cannot be used: {0}")]
    File(SealError),
    /// What was kept was sealed with another key file, or is damaged.
    #[error(
        "The provider’s key that was saved does not open with this key file. Type the provider’s key in again, or restore settings.key from a backup."
    )]
    DoesNotOpen,
}

impl Safe {
    /// A safe with this key file.
    #[must_use]
    pub fn new(file: PathBuf) -> Self {
        Self { file, sealer: OnceLock::new() }
    }

    /// Seals a key.
    ///
    /// # Errors
    /// [`KeyError::File`].
    pub fn seal(&self, key: &str) -> Result<String, KeyError> {
        self.seal_for(PURPOSE, key)
    }

    /// Seals something else, for a purpose that it opens with again.
    ///
    /// # Errors
    /// [`KeyError::File`].
    pub fn seal_for(&self, purpose: &str, secret: &str) -> Result<String, KeyError> {
        let sealed = self.sealer()?.seal(purpose, secret.as_bytes()).map_err(KeyError::File)?;
        Ok(STANDARD.encode(sealed))
    }

    /// Opens what was sealed.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn open(&self, sealed: &str) -> Result<SecretString, KeyError> {
        self.open_for(PURPOSE, sealed)
    }

    /// Opens what was sealed for a purpose.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn open_for(&self, purpose: &str, sealed: &str) -> Result<SecretString, KeyError> {
        let sealed = STANDARD.decode(sealed).map_err(|_| KeyError::DoesNotOpen)?;
        let opened = self.sealer()?.open_sealed(purpose, &sealed).map_err(|_| KeyError::DoesNotOpen)?;
        let key = String::from_utf8(opened.expose_secret().clone()).map_err(|_| KeyError::DoesNotOpen)?;
        Ok(SecretString::from(key))
    }

    fn sealer(&self) -> Result<&Sealer, KeyError> {
        if let Some(sealer) = self.sealer.get() {
            return Ok(sealer);
        }
        let sealer = Sealer::open(&self.file, &Entropy::System).map_err(KeyError::File)?;
        Ok(self.sealer.get_or_init(|| sealer))
    }
}
