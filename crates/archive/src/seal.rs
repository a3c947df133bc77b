//! How a backup is sealed and opened: compressed, encrypted with `age` for one recipient, and summed, on its way.
//!
//! Whoever takes a backup needs the recipient alone, which is no secret. To open one takes the identity. Neither is
//! ever shared between instances.

use std::io::{self, BufReader, Read, Write};
use std::str::FromStr as _;

use aws_lc_rs::digest::{Context, SHA256};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::pack::Contents;

/// Why a text is no key.
#[derive(Debug, thiserror::Error)]
#[error("this is no key of backups: {0}; restore the store from a backup")]
pub struct KeyError(&'static str);

/// For whom backups are encrypted; no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient(age::x25519::Recipient);

impl Recipient {
    /// Reads `age1…`.
    ///
    /// # Errors
    /// [`KeyError`] when it is none.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        age::x25519::Recipient::from_str(text).map(Self).map_err(KeyError)
    }
}

impl std::fmt::Display for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What opens the backups of one instance.
#[derive(Clone)]
pub struct Identity(age::x25519::Identity);

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity(of {})", self.recipient())
    }
}

impl Identity {
    /// A new one, by the operating system's chance.
    #[must_use]
    pub fn generate() -> Self {
        Self(age::x25519::Identity::generate())
    }

    /// Reads `AGE-SECRET-KEY-1…`.
    ///
    /// # Errors
    /// [`KeyError`] when it is none.
    pub fn parse(secret: &SecretString) -> Result<Self, KeyError> {
        age::x25519::Identity::from_str(secret.expose_secret()).map(Self).map_err(KeyError)
    }

    /// As it is kept, sealed.
    #[must_use]
    pub fn to_secret(&self) -> SecretString {
        self.0.to_string()
    }

    /// For whom others encrypt what this opens.
    #[must_use]
    pub fn recipient(&self) -> Recipient {
        Recipient(self.0.to_public())
    }
}

/// A backup as it was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What is in it.
    pub contents: Contents,
    /// Bytes that it takes where it is kept.
    pub bytes: u64,
    /// The SHA-256 of these.
    pub sha256: String,
}

/// Seals what `pack` writes.
///
/// # Errors
/// When `pack` fails, or the sink takes nothing more.
pub fn seal(
    recipient: &Recipient,
    sink: &mut dyn Write,
    pack: impl FnOnce(&mut dyn Write) -> io::Result<Contents>,
) -> io::Result<Kept> {
    let mut summed = Summed { sink, digest: Context::new(&SHA256), bytes: 0 };
    let contents = enclose(recipient, &mut summed, pack)?;
    Ok(Kept { contents, bytes: summed.bytes, sha256: hex::encode(summed.digest.finish()) })
}

/// Compresses and encrypts what `write` writes, for one recipient. Whoever opens it sees whether it is whole.
///
/// # Errors
/// When `write` fails, or the sink takes nothing more.
pub fn enclose<T>(
    recipient: &Recipient,
    sink: &mut dyn Write,
    write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> io::Result<T> {
    let encryptor = age::Encryptor::with_recipients(std::iter::once(&recipient.0 as _)).map_err(io::Error::other)?;
    let mut gzip = GzEncoder::new(encryptor.wrap_output(&mut *sink)?, Compression::fast());
    let written = write(&mut gzip)?;
    gzip.finish()?.finish()?;
    sink.flush()?;
    Ok(written)
}

struct Summed<'a> {
    sink: &'a mut dyn Write,
    digest: Context,
    bytes: u64,
}

impl Write for Summed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.sink.write(bytes)?;
        self.digest.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

/// Why a backup could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The bytes did not come.
    #[error("{0}")]
    Fetching(String),
    /// They are not those that were kept.
    #[error("{0}")]
    Damaged(String),
    /// They are for somebody else.
    #[error("it was encrypted for another key than this instance has now")]
    OtherKey,
    /// What was in it could not be put down.
    #[error("{0}")]
    Unpacking(#[source] io::Error),
}

/// Opens what was sealed with this SHA-256, and lets `unpack` read what was packed. What `unpack` made of it may only be
/// used once this has succeeded: that it is whole and unchanged shows at its end.
///
/// # Errors
/// [`Trouble`].
pub fn open<T>(
    sealed: impl Read,
    identity: &Identity,
    sha256: &str,
    unpack: impl FnOnce(&mut dyn Read) -> io::Result<T>,
) -> Result<T, Trouble> {
    let mut arriving = Arriving { inner: sealed, digest: Context::new(&SHA256), fault: None };
    let outcome = disclose(BufReader::new(&mut arriving), identity, unpack);
    // The disk's own refusal says nothing about what was sent, and no more of that is needed.
    if matches!(&outcome, Err(Trouble::Unpacking(why)) if arriving.fault.is_none() && why.raw_os_error().is_some()) {
        return outcome;
    }
    // What is behind the end is read too: the sum is of all of it.
    let rest = io::copy(&mut arriving, &mut io::sink());
    if let Some(why) = arriving.fault.take() {
        return Err(Trouble::Fetching(why));
    }
    rest.map_err(|why| Trouble::Fetching(why.to_string()))?;
    if hex::encode(arriving.digest.finish()) != sha256 {
        // Another key is told apart: whoever mixed backups up should read that.
        return Err(match outcome {
            Err(Trouble::OtherKey) => Trouble::OtherKey,
            _ => Trouble::Damaged("its checksum is not the one that it had when it was taken".to_owned()),
        });
    }
    outcome
}

/// Opens what was enclosed, and lets `unpack` read it. What `unpack` made of it may only be used once this has succeeded:
/// that it is whole and unchanged shows at its end.
///
/// # Errors
/// [`Trouble`].
pub fn disclose<T>(
    arriving: impl Read,
    identity: &Identity,
    unpack: impl FnOnce(&mut dyn Read) -> io::Result<T>,
) -> Result<T, Trouble> {
    let decryptor = age::Decryptor::new(arriving).map_err(undecryptable)?;
    let plain = decryptor.decrypt(std::iter::once(&identity.0 as _)).map_err(undecryptable)?;
    let mut gzip = GzDecoder::new(plain);
    let unpacked = unpack(&mut gzip).map_err(|why| match why.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput => {
            Trouble::Damaged(why.to_string())
        }
        _ => Trouble::Unpacking(why),
    })?;
    // To the very end, where it shows whether it was cut off.
    io::copy(&mut gzip, &mut io::sink()).map_err(|why| Trouble::Damaged(why.to_string()))?;
    Ok(unpacked)
}

fn undecryptable(why: age::DecryptError) -> Trouble {
    match why {
        age::DecryptError::NoMatchingKeys => Trouble::OtherKey,
        other => Trouble::Damaged(other.to_string()),
    }
}

/// The bytes as they come, summed; notes why they stopped coming.
struct Arriving<R> {
    inner: R,
    digest: Context,
    fault: Option<String>,
}

impl<R: Read> Read for Arriving<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Ok(length) => {
                self.digest.update(&buffer[..length]);
                Ok(length)
            }
            Err(why) => {
                self.fault.get_or_insert_with(|| why.to_string());
                Err(why)
            }
        }
    }
}
