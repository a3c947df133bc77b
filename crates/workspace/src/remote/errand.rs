//! One push, by the git program. It runs outside of the wall, since it needs the network, and so it
//! sees nothing of the project but its objects: its own git folder is made for this one errand.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process_group};
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use super::address::Address;
use super::words;
use crate::project::{CommitId, environment, hardened};

/// Where git is searched after the operator's own folders.
const SEARCHED: &str = "/usr/local/bin:/usr/bin:/bin";

/// Bytes of what git says that are kept of each kind.
const KEPT: usize = 64 * 1024;

/// How long a push may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// In all.
    pub total: Duration,
    /// Without a byte.
    pub silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { total: Duration::from_secs(15 * 60), silence: Duration::from_secs(60) }
    }
}

/// How this machine reaches others.
#[derive(Debug, Clone, Default)]
pub struct Ways {
    /// Folders with programs, searched before the system's.
    pub programs: Vec<PathBuf>,
    /// A proxy on the way out.
    pub proxy: Option<String>,
}

/// What is pushed, where to and as whom.
pub struct Errand {
    /// Where to.
    pub address: Address,
    /// As whom.
    pub user: String,
    /// Their token.
    pub token: SecretString,
    /// Where the project's objects are.
    pub objects: PathBuf,
    /// What is done; it becomes the main branch there.
    pub commit: CommitId,
    /// Names of states.
    pub tags: Vec<(String, CommitId)>,
}

impl Errand {
    /// Pushes; `heard` is given how far it is. Why it did not go, in words without the token.
    pub(super) async fn run(
        &self,
        ways: &Ways,
        patience: Patience,
        room: &Path,
        heard: impl FnMut(String),
        stop: &CancellationToken,
    ) -> Result<(), String> {
        let started = make_git_folder(room).and_then(|()| self.command(ways, patience, room).spawn());
        let mut child = match started {
            Ok(child) => child,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(words::NO_GIT.to_owned()),
            Err(error) => return Err(format!("Git could not be started ({error}). Try again.")),
        };
        let mut group = Group(child.id());
        let ended = tokio::select! {
            ended = listen(&mut child, heard) => ended.map_err(|error| format!("Git could not be heard ({error}). Try again.")),
            () = tokio::time::sleep(patience.total) => Err(words::too_long(patience.total)),
            () = stop.cancelled() => Err(words::STOPPED.to_owned()),
        };
        if ended.is_ok() {
            // Nothing is left of it, and its number may be somebody else's by now.
            group.0 = None;
        }
        let (output, errors) = match ended {
            Ok((true, ..)) => return Ok(()),
            Ok((false, output, errors)) => (output, errors),
            Err(why) => return Err(why),
        };
        Err(words::why(&self.address, &self.hidden(&output), &self.hidden(&errors)))
    }

    fn command(&self, ways: &Ways, patience: Patience, room: &Path) -> Command {
        let programs = ways.programs.iter().map(|folder| folder.display().to_string());
        let path = programs.chain([SEARCHED.to_owned()]).collect::<Vec<_>>().join(":");
        let scheme = self.address.scheme();
        let mut command = Command::new("git");
        command.env_clear().env("PATH", path).env("HOME", room).env("LANG", "C").env("LC_ALL", "C");
        command.envs(environment(Timestamp::UNIX_EPOCH));
        command.env("GIT_DIR", room).env("GIT_OBJECT_DIRECTORY", &self.objects);
        if let Some(proxy) = &ways.proxy {
            command.env("https_proxy", proxy).env("no_proxy", "localhost,127.0.0.1,::1");
        }
        // Everybody on the machine can read command lines; only this program's user its environment,
        // and nobody from behind the wall.
        command.env("GIT_CONFIG_COUNT", "1");
        command.env("GIT_CONFIG_KEY_0", format!("http.{}.extraHeader", self.address));
        command.env("GIT_CONFIG_VALUE_0", format!("Authorization: Basic {}", self.credential()));
        command.args(hardened());
        for setting in [
            "core.bare=true".to_owned(),
            "core.askPass=".to_owned(),
            "credential.helper=".to_owned(),
            format!("protocol.{scheme}.allow=always"),
            "http.followRedirects=false".to_owned(),
            "http.sslVerify=true".to_owned(),
            "http.lowSpeedLimit=1".to_owned(),
            format!("http.lowSpeedTime={}", patience.silence.as_secs().max(1)),
            "push.gpgSign=false".to_owned(),
            "push.recurseSubmodules=no".to_owned(),
            "pack.threads=1".to_owned(),
        ] {
            command.args(["-c", &setting]);
        }
        command.args(["push", "--porcelain", "--progress", "--no-verify", "--", self.address.as_str()]);
        command.arg(format!("{}:refs/heads/main", self.commit.as_str()));
        command.args(self.tags.iter().map(|(tag, commit)| format!("{}:refs/tags/{tag}", commit.as_str())));
        command.current_dir(room).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(true);
        command
    }

    fn credential(&self) -> String {
        STANDARD.encode(format!("{}:{}", self.user, self.token.expose_secret()))
    }

    /// What git or the server said, without the token in any of its forms.
    fn hidden(&self, said: &str) -> String {
        said.replace(self.token.expose_secret(), "(the token)").replace(&self.credential(), "(the token)")
    }
}

/// A git folder with nothing in it; that of the project has settings that its commands could write.
fn make_git_folder(room: &Path) -> io::Result<()> {
    for folder in ["objects", "refs"] {
        std::fs::create_dir_all(room.join(folder))?;
    }
    std::fs::write(room.join("HEAD"), "ref: refs/heads/main\n")?;
    std::fs::write(room.join("config"), "[core]\n\trepositoryformatversion = 0\n")
}

/// The processes of a push; dropped, and whatever is left of them is killed.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        let id = self.0.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(group) = id {
            // Where nothing is left, there is nothing to kill.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

async fn listen(child: &mut Child, mut heard: impl FnMut(String)) -> io::Result<(bool, String, String)> {
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let (output, errors, status) =
        tokio::join!(keep(output, |_| ()), keep(errors, |piece| heard(words::progress(piece))), child.wait());
    Ok((status?.success(), output?, errors?))
}

async fn keep(from: Option<impl AsyncRead + Unpin>, mut heard: impl FnMut(&str)) -> io::Result<String> {
    let Some(mut from) = from else { return Ok(String::new()) };
    let (mut kept, mut buffer) = (Vec::new(), vec![0; 8 * 1024]);
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return Ok(String::from_utf8_lossy(&kept).into_owned());
        }
        let piece = buffer.get(..read).unwrap_or_default();
        heard(&String::from_utf8_lossy(piece));
        kept.extend_from_slice(piece);
        // The end says why.
        let too_much = kept.len().saturating_sub(KEPT);
        kept.drain(..too_much);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn nothing_on_the_command_line_is_secret() {
        let errand = Errand {
            address: Address::parse("https://git.example.com/app.git").unwrap(),
            user: "ada".to_owned(),
            token: SecretString::from("tok-very-secret"),
            objects: PathBuf::from("/objects"),
            commit: CommitId::parse(&"a".repeat(40)).unwrap(),
            tags: Vec::new(),
        };
        let command = errand.command(&Ways::default(), Patience::default(), Path::new("/room"));
        let told = format!("{:?}", command.as_std().get_args().collect::<Vec<_>>());
        assert!(told.contains("refs/heads/main"), "{told}");
        assert!(!told.contains("secret") && !told.contains(&errand.credential()), "{told}");
        assert!(!errand.hidden(&format!("x {} tok-very-secret", errand.credential())).contains("secret"));
    }
}
