//! How a backup is sealed and opened: compressed, encrypted with `age` for one recipient, and summed, on its way.
//!
//! Whoever takes a backup needs the recipient alone, which is no secret. To open one takes the identity. Neither is
//! ever shared between instances.

use std::io::{self, BufReader, Read, Write};
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{Context, SHA256};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::oneshot;

use crate::ProviderError;
use crate::compute::Archive;
use crate::storage::{ObjectName, Storage};

/// For whom backups are encrypted; no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient(age::x25519::Recipient);

impl Recipient {
    /// Reads `age1…`.
    ///
    /// # Errors
    /// Refused when it is none.
    pub fn parse(text: &str) -> Result<Self, ProviderError> {
        age::x25519::Recipient::from_str(text).map(Self).map_err(|why| {
            ProviderError::refused(
                "read the key for whom backups are encrypted",
                why,
                "restore the store from a backup",
            )
        })
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
    pub fn generate() -> Self {
        Self(age::x25519::Identity::generate())
    }

    /// Reads `AGE-SECRET-KEY-1…`.
    ///
    /// # Errors
    /// Refused when it is none.
    pub fn parse(secret: &SecretString) -> Result<Self, ProviderError> {
        age::x25519::Identity::from_str(secret.expose_secret()).map(Self).map_err(|why| {
            ProviderError::refused("read the key that opens backups", why, "restore the store from a backup")
        })
    }

    /// As it is kept, sealed.
    pub fn to_secret(&self) -> SecretString {
        self.0.to_string()
    }

    /// For whom others encrypt what this opens.
    pub fn recipient(&self) -> Recipient {
        Recipient(self.0.to_public())
    }
}

/// Where a backup goes.
#[derive(Clone)]
pub struct Target {
    /// Keeps it.
    pub storage: Arc<dyn Storage>,
    /// As it is called there.
    pub name: ObjectName,
    /// For whom it is encrypted.
    pub recipient: Recipient,
}

/// Where a backup comes from.
#[derive(Clone)]
pub struct Source {
    /// Keeps it.
    pub storage: Arc<dyn Storage>,
    /// As it is called there.
    pub name: ObjectName,
    /// What opens it.
    pub identity: Identity,
    /// The SHA-256 of what is kept, as it was when it was put there.
    pub sha256: String,
}

/// What went into a backup. Names stay inside of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Contents {
    /// Files in it.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What could not be taken along; the backup itself names it, and why.
    pub left_out: u64,
}

/// A backup that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What is in it.
    pub contents: Contents,
    /// Bytes that it takes where it is kept.
    pub bytes: u64,
    /// The SHA-256 of these.
    pub sha256: String,
}

impl Target {
    /// Keeps what `pack` writes, sealed: all of it or nothing. `pack` runs beside the async threads.
    ///
    /// # Errors
    /// Unavailable when it could not be packed or kept.
    pub async fn keep(
        &self,
        pack: impl FnOnce(&mut dyn Write) -> io::Result<Contents> + Send + 'static,
    ) -> Result<Kept, ProviderError> {
        let recipient = self.recipient.clone();
        let (tell, told) = oneshot::channel();
        let archive = Archive::written_by(move |sink| {
            // Nobody waits for it any more if this fails.
            let _ = tell.send(sealed(&recipient, sink, pack)?);
            Ok(())
        });
        self.storage.put(&self.name, archive).await?;
        told.await.map_err(|_| ProviderError::unavailable(format!("pack {}", self.name), "it was broken off"))
    }
}

fn sealed(
    recipient: &Recipient,
    sink: &mut dyn Write,
    pack: impl FnOnce(&mut dyn Write) -> io::Result<Contents>,
) -> io::Result<Kept> {
    let mut summed = Summed { sink, digest: Context::new(&SHA256), bytes: 0 };
    let encryptor = age::Encryptor::with_recipients(std::iter::once(&recipient.0 as _)).map_err(io::Error::other)?;
    let mut gzip = GzEncoder::new(encryptor.wrap_output(&mut summed)?, Compression::fast());
    let contents = pack(&mut gzip)?;
    gzip.finish()?.finish()?;
    summed.flush()?;
    Ok(Kept { contents, bytes: summed.bytes, sha256: hex::encode(summed.digest.finish()) })
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

impl Source {
    /// Opens it and lets `unpack` read what was packed, beside the async threads. What `unpack` made of it may only be used
    /// once this has succeeded: that it is whole and unchanged shows at its end.
    ///
    /// # Errors
    /// Not found when it is not there; refused when it was changed, cut off, or is for another key; unavailable when
    /// the way to it failed, or `unpack` did.
    pub async fn read<T: Send + 'static>(
        &self,
        unpack: impl FnOnce(&mut dyn Read) -> io::Result<T> + Send + 'static,
    ) -> Result<T, ProviderError> {
        let archive = self.storage.get(&self.name).await?;
        let what = format!("open {}", self.name);
        let (identity, sum) = (self.identity.clone(), self.sha256.clone());
        let work = move || opened(archive, &identity, &sum, unpack).map_err(|trouble| trouble.of(what));
        match tokio::task::spawn_blocking(work).await {
            Ok(outcome) => outcome,
            Err(cause) => Err(ProviderError::unavailable(format!("open {}", self.name), cause)),
        }
    }
}

/// Why a backup could not be opened.
enum Trouble {
    /// The bytes did not come.
    Fetching(String),
    /// They are not those that were kept.
    Damaged(String),
    /// They are for somebody else.
    OtherKey,
    /// What was in it could not be put down.
    Unpacking(io::Error),
}

impl Trouble {
    fn of(self, what: String) -> ProviderError {
        match self {
            Self::Fetching(why) => ProviderError::unavailable(what, why),
            Self::Damaged(why) => ProviderError::refused(what, why, "use another backup"),
            Self::OtherKey => {
                let why = "it was encrypted for another key than this instance has now";
                ProviderError::refused(what, why, "use a backup of the same instance")
            }
            Self::Unpacking(why) => ProviderError::unavailable(what, why),
        }
    }
}

fn opened<T>(
    archive: Archive,
    identity: &Identity,
    sum: &str,
    unpack: impl FnOnce(&mut dyn Read) -> io::Result<T>,
) -> Result<T, Trouble> {
    let fault = Arc::new(Mutex::new(None));
    let mut arriving =
        Arriving { inner: archive.into_reader(), digest: Context::new(&SHA256), fault: Arc::clone(&fault) };
    let outcome = read_all(BufReader::new(&mut arriving), identity, unpack);
    // What is behind the end is read too: the sum is of all of it.
    let rest = io::copy(&mut arriving, &mut io::sink());
    if let Some(why) = fault.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(Trouble::Fetching(why));
    }
    rest.map_err(|why| Trouble::Fetching(why.to_string()))?;
    if hex::encode(arriving.digest.finish()) != sum {
        // Another key is told apart: whoever mixed backups up should read that.
        return Err(match outcome {
            Err(Trouble::OtherKey) => Trouble::OtherKey,
            _ => Trouble::Damaged("its checksum is not the one that it had when it was taken".to_owned()),
        });
    }
    outcome
}

fn read_all<T>(
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
    fault: Arc<Mutex<Option<String>>>,
}

impl<R: Read> Read for Arriving<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Ok(length) => {
                self.digest.update(&buffer[..length]);
                Ok(length)
            }
            Err(why) => {
                let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
                fault.get_or_insert_with(|| why.to_string());
                Err(why)
            }
        }
    }
}

#[cfg(test)]
mod tests;
