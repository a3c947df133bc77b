use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, RandomizedNonceKey};
use aws_lc_rs::hmac;
use secrecy::{ExposeSecret as _, SecretBox};

use crate::Entropy;

const VERSION: u8 = 1;
const NONCE: usize = 12;

/// Seals secrets for storage and derives those that need no storage.
///
/// Everything comes from one 256-bit key in a file that only its owner may read. The purpose is
/// bound to each sealed value, so that a row copied elsewhere does not open there.
#[derive(Debug)]
pub struct Sealer {
    key: SecretBox<[u8; 32]>,
}

/// Why the key can't be had or a secret not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The file can't be read or written.
    #[error(
        "can't use the key file {path}: {cause}; run as the user who owns it, or restore it from the backup that \
         belongs to this data"
    )]
    KeyFile {
        /// Where it is.
        path: PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// The file holds something else than a key.
    #[error("{0} does not hold a 32-byte key; restore it from a backup, since without it stored secrets can't be read")]
    KeyLength(PathBuf),
    /// Another key or another purpose sealed it, or it was changed.
    #[error(
        "a stored secret ({0}) does not open with this installation's key; restore secret.key from the backup that \
         belongs to this data"
    )]
    DoesNotOpen(String),
    /// The cipher refused to work.
    #[error("sealing a secret failed")]
    Cipher,
}

impl Sealer {
    /// Uses a given key.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key: SecretBox::new(Box::new(key)) }
    }

    /// Reads the key file, or makes it when there is none yet.
    ///
    /// # Errors
    /// When the file can't be read or made, or holds no key.
    pub fn open(path: &Path, entropy: &Entropy) -> Result<Self, SealError> {
        let fail = |cause| SealError::KeyFile { path: path.to_owned(), cause };
        match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Ok(mut file) => {
                let key = entropy.bytes::<32>();
                file.write_all(&key).and_then(|()| file.sync_all()).map_err(fail)?;
                Ok(Self::new(key))
            }
            Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => {
                Self::read(path)?.ok_or_else(|| fail(std::io::ErrorKind::NotFound.into()))
            }
            Err(cause) => Err(fail(cause)),
        }
    }

    /// Reads the key file, where there is one.
    ///
    /// # Errors
    /// When the file can't be read, or holds no key.
    pub fn read(path: &Path) -> Result<Option<Self>, SealError> {
        match fs::read(path) {
            Ok(bytes) => {
                let key = <[u8; 32]>::try_from(bytes).map_err(|_| SealError::KeyLength(path.to_owned()))?;
                Ok(Some(Self::new(key)))
            }
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(SealError::KeyFile { path: path.to_owned(), cause }),
        }
    }

    /// What the key is called where it is told apart from others: 16 hexadecimal digits, from which nobody learns the key.
    pub fn id(&self) -> String {
        self.derive("key id", "v1").iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Encrypts a secret for one purpose, such as `edge signing key`.
    ///
    /// # Errors
    /// [`SealError::Cipher`] when the cipher refuses to work.
    pub fn seal(&self, purpose: &str, secret: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut text = secret.to_vec();
        let nonce = self
            .cipher()?
            .seal_in_place_append_tag(Aad::from(purpose.as_bytes()), &mut text)
            .map_err(|_| SealError::Cipher)?;
        let mut sealed = vec![VERSION];
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&text);
        Ok(sealed)
    }

    /// Decrypts what was sealed for the same purpose.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`] when it was sealed by another key, for another purpose, or changed.
    pub fn open_sealed(&self, purpose: &str, sealed: &[u8]) -> Result<SecretBox<Vec<u8>>, SealError> {
        let fail = || SealError::DoesNotOpen(purpose.to_owned());
        let rest = sealed.strip_prefix(&[VERSION]).ok_or_else(fail)?;
        let (nonce, text) = rest.split_at_checked(NONCE).ok_or_else(fail)?;
        let nonce = <[u8; NONCE]>::try_from(nonce).map_err(|_| fail())?;
        let mut text = text.to_vec();
        let opened = self
            .cipher()?
            .open_in_place((&nonce).into(), Aad::from(purpose.as_bytes()), &mut text)
            .map_err(|_| fail())?;
        Ok(SecretBox::new(Box::new(opened.to_vec())))
    }

    /// A secret that follows from the key, a purpose and a subject: the same one each time, so
    /// that it need not be stored.
    pub fn derive(&self, purpose: &str, subject: &str) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.key.expose_secret());
        let mut context = hmac::Context::with_key(&key);
        context.update(&(purpose.len() as u64).to_be_bytes());
        context.update(purpose.as_bytes());
        context.update(subject.as_bytes());
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }

    fn cipher(&self) -> Result<RandomizedNonceKey, SealError> {
        RandomizedNonceKey::new(&AES_256_GCM_SIV, self.key.expose_secret()).map_err(|_| SealError::Cipher)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_secret_opens_only_for_its_purpose_and_unchanged() {
        let sealer = Sealer::new([1; 32]);
        let sealed = sealer.seal("edge signing key", b"secret").unwrap();
        assert_eq!(sealer.open_sealed("edge signing key", &sealed).unwrap().expose_secret(), b"secret");
        assert!(sealer.open_sealed("members key", &sealed).is_err());
        assert!(Sealer::new([2; 32]).open_sealed("edge signing key", &sealed).is_err());
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(sealer.open_sealed("edge signing key", &changed).is_err(), "byte {index}");
        }
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
    }

    #[test]
    fn derived_secrets_differ_by_purpose_and_subject() {
        let sealer = Sealer::new([1; 32]);
        assert_eq!(sealer.derive("token", "a"), sealer.derive("token", "a"));
        assert_ne!(sealer.derive("token", "a"), sealer.derive("token", "b"));
        assert_ne!(sealer.derive("tokena", ""), sealer.derive("token", "a"));
        assert_ne!(sealer.id(), Sealer::new([2; 32]).id());
        assert_eq!(sealer.id().len(), 16);
    }

    #[test]
    fn the_key_file_is_made_once_and_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        let first = Sealer::open(&path, &Entropy::seeded(1)).unwrap();
        let again = Sealer::open(&path, &Entropy::seeded(2)).unwrap();
        assert_eq!(Sealer::read(&path).unwrap().unwrap().id(), first.id());
        assert!(Sealer::read(&folder.path().join("other.key")).unwrap().is_none());
        assert_eq!(first.derive("x", "y"), again.derive("x", "y"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, b"short").unwrap();
        assert!(matches!(Sealer::open(&path, &Entropy::System), Err(SealError::KeyLength(_))));
    }
}
