//! The data folder, the key in it, and the store.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use control_plane::KeyTrouble;
use nix::unistd::{AccessFlags, access};
use secrecy::{ExposeSecret as _, SecretString};
use store::Db;
use world::Sealer;

use super::Check;
use crate::data_folder::DataFolder;

const STORE: &str = "store";
const STORE_ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// What every SQLite file begins with.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// Whether the data folder can be used, or made.
pub fn folder(data: &DataFolder) -> Check {
    let name = "data folder";
    let path = data.path().display();
    match fs::metadata(data.path()) {
        Ok(found) if !found.is_dir() => {
            Check::fail(name, format!("{path} is not a folder"), "move it away or choose another folder with --data")
        }
        Ok(_) if is_writable(data.path()) => Check::ok(name, path.to_string()),
        Ok(_) => not_writable(data.path()),
        Err(cause) if cause.kind() == ErrorKind::NotFound => {
            // The first folder above that exists is where it would be made.
            match data.path().ancestors().skip(1).find(|above| above.exists()) {
                Some(above) if !is_writable(above) => not_writable(above),
                _ => Check::ok(name, format!("{path} does not exist yet; the first start makes it")),
            }
        }
        Err(cause) => Check::fail(name, format!("{path}: {cause}"), "choose another folder with --data"),
    }
}

/// Whether the key that seals secrets is there, whole and private.
pub fn key(data: &DataFolder) -> Check {
    let name = "key file";
    let path = data.key();
    let shown = path.display();
    match fs::metadata(&path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound && data.store().exists() => Check::fail(
            name,
            format!("{shown} is missing, but there is a store"),
            "restore it from a backup; without it the secrets in the store can't be read",
        ),
        Err(cause) if cause.kind() == ErrorKind::NotFound => {
            Check::ok(name, "does not exist yet; the first start makes it")
        }
        Err(cause) => Check::fail(name, format!("{shown}: {cause}"), "run as the user who runs the server"),
        Ok(found) if found.len() != 32 => {
            Check::fail(name, format!("{shown} has {} bytes instead of 32", found.len()), "restore it from a backup")
        }
        Ok(found) if found.permissions().mode() & 0o077 != 0 => Check::fail(
            name,
            format!("{shown} can be read by others"),
            format!("run `chmod 600 {shown}`, and change secrets if others use this machine"),
        ),
        Ok(_) => Check::ok(name, shown.to_string()),
    }
}

/// Whether the store answers, and belongs to the key.
pub async fn store(data: &DataFolder, url: Option<&SecretString>) -> Check {
    match url.map(SecretString::expose_secret) {
        Some(url) => {
            // The address may hold a password.
            let shown = url.rsplit('@').next().unwrap_or_default();
            answers(data, url, shown, "see that the database runs, and that the address is right").await
        }
        None => file(data, &data.store()).await,
    }
}

async fn file(data: &DataFolder, path: &Path) -> Check {
    let shown = path.display().to_string();
    let damaged = "restore it from a backup";
    match beginning(path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => {
            Check::ok(STORE, "does not exist yet; the first start makes it")
        }
        Err(cause) => Check::fail(STORE, format!("{shown}: {cause}"), "run as the user who runs the server"),
        Ok(bytes) if bytes.is_empty() => Check::ok(STORE, format!("{shown} is empty; the first start fills it")),
        // Opening such a file would be tried again and again.
        Ok(bytes) if bytes != SQLITE => Check::fail(STORE, format!("{shown} is not a SQLite database"), damaged),
        Ok(_) => answers(data, &format!("sqlite:{shown}?mode=rw"), &shown, damaged).await,
    }
}

async fn answers(data: &DataFolder, url: &str, shown: &str, advice: &str) -> Check {
    match tokio::time::timeout(STORE_ANSWERS_WITHIN, Db::open(url)).await {
        Ok(Ok(db)) => {
            let belongs = belongs(data, &db).await;
            db.close().await;
            belongs.map_or_else(|| Check::ok(STORE, shown), |why| Check::fail(STORE, why, "nothing starts until then"))
        }
        Ok(Err(cause)) => Check::fail(STORE, cause.to_string(), advice),
        Err(_) => {
            let found = format!("{shown} did not answer within {}s", STORE_ANSWERS_WITHIN.as_secs());
            Check::fail(STORE, found, advice)
        }
    }
}

/// Why not, where there is a key that is not the store's.
async fn belongs(data: &DataFolder, db: &Db) -> Option<String> {
    let sealer = Sealer::read(&data.key()).ok().flatten()?;
    match control_plane::key_belongs(db, &data.key(), &sealer).await {
        Err(trouble @ KeyTrouble::Another { .. }) => Some(trouble.to_string()),
        // A store that nobody used yet has no place for it.
        _ => None,
    }
}

fn beginning(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(SQLITE.len() as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn is_writable(path: &Path) -> bool {
    access(path, AccessFlags::W_OK | AccessFlags::X_OK).is_ok()
}

fn not_writable(path: &Path) -> Check {
    let found = format!("{} can't be written to", path.display());
    Check::fail("data folder", found, "run as the user who owns it, or choose another folder with --data")
}
