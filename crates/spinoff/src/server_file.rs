//! How commands find the server that runs on the same machine.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use crate::data_folder::DataFolder;
use crate::failure::{Exit, Failure};

/// What a running server leaves in its data folder, for its owner's eyes only.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServerFile {
    /// Where the server answers.
    pub url: String,
    /// The token that commands on this machine use.
    #[serde(serialize_with = "expose")]
    pub token: SecretString,
    /// The server's process.
    pub pid: i32,
    /// Signs the operator in.
    #[serde(serialize_with = "expose")]
    pub admin_link: SecretString,
}

impl ServerFile {
    /// Finds the server that runs for a data folder.
    ///
    /// # Errors
    /// When none runs, or when its file is another user's.
    pub fn find(folder: &DataFolder) -> Result<Self, Failure> {
        let path = folder.server_file();
        let nobody = || {
            let why = format!("no server is running for this data folder ({})", folder.path().display());
            Failure::new(Exit::Failed, "can't find the server", why)
                .next("start one with `spinoff up`, or name another with --data or --server")
        };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Err(nobody()),
            Err(cause) => {
                let why = format!("{}: {cause}", path.display());
                return Err(Failure::new(Exit::Failed, "can't find the server", why)
                    .next("run the command as the user who runs the server, or give --server and --token"));
            }
        };
        let file: Self = serde_json::from_str(&text).map_err(|cause| {
            Failure::new(Exit::Failed, "can't find the server", format!("{}: {cause}", path.display()))
                .next("restart the server, which writes the file anew")
        })?;
        if file.is_alive() { Ok(file) } else { Err(nobody()) }
    }

    /// Writes the file so that nobody else can read it at any moment, and readers see all or nothing.
    ///
    /// # Errors
    /// When the folder can't be written to.
    pub fn write(&self, folder: &DataFolder) -> std::io::Result<()> {
        let path = folder.server_file();
        if let Some(parent) = path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        }
        let draft = path.with_extension("json.new");
        remove_if_there(&draft)?;
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(serde_json::to_string_pretty(self)?.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, &path)
    }

    /// Takes the file away when the server stops.
    ///
    /// # Errors
    /// When the folder can't be written to.
    pub fn remove(folder: &DataFolder) -> std::io::Result<()> {
        remove_if_there(&folder.server_file())
    }

    fn is_alive(&self) -> bool {
        // Groups have pids of 0 and below.
        self.pid > 0 && !matches!(kill(Pid::from_raw(self.pid), None), Err(Errno::ESRCH)) && !self.is_unmourned()
    }

    /// Whether the process has ended but its parent did not ask how yet, so that its pid remains.
    fn is_unmourned(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        // The name, in parentheses, may hold anything; the state follows it.
        stat.rsplit(')').next().is_some_and(|rest| matches!(rest.trim_start().chars().next(), Some('Z' | 'X')))
    }
}

fn remove_if_there(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}

fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Read as _;
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::{Command, Stdio};

    use super::*;

    fn of(pid: i32) -> ServerFile {
        let secret = |text: &str| SecretString::from(text);
        ServerFile { url: "http://localhost:1".into(), token: secret("t"), pid, admin_link: secret("http://l") }
    }

    #[test]
    fn only_its_owner_reads_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::at(dir.path());
        let me = i32::try_from(std::process::id()).unwrap();
        of(me).write(&folder).unwrap();
        of(me).write(&folder).unwrap();
        assert_eq!(fs::metadata(folder.server_file()).unwrap().permissions().mode() & 0o777, 0o600);
        let found = ServerFile::find(&folder).unwrap();
        assert_eq!((found.url.as_str(), found.token.expose_secret()), ("http://localhost:1", "t"));
        ServerFile::remove(&folder).unwrap();
        ServerFile::remove(&folder).unwrap();
        assert!(ServerFile::find(&folder).is_err());
    }

    #[test]
    fn a_file_whose_server_died_names_no_server() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::at(dir.path());
        let mut waited_for = Command::new("true").spawn().unwrap();
        waited_for.wait().unwrap();
        let mut unmourned = Command::new("true").stdout(Stdio::piped()).spawn().unwrap();
        // Its output ends when it does; nobody asks for its exit status before the check.
        unmourned.stdout.take().unwrap().read_to_end(&mut Vec::new()).unwrap();
        let ids = [waited_for.id(), unmourned.id()].map(|id| i32::try_from(id).unwrap());
        while !of(ids[1]).is_unmourned() {
            std::thread::yield_now();
        }
        for dead in [ids[0], ids[1], 0, -1] {
            of(dead).write(&folder).unwrap();
            let failure = ServerFile::find(&folder).unwrap_err().to_string();
            assert!(failure.contains("no server is running for this data folder"), "{failure}");
            assert!(failure.contains("spinoff up"), "{failure}");
        }
        unmourned.wait().unwrap();
    }
}
