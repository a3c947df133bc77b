use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::packages;
use crate::shell;
use crate::temporary::TemporaryFolder;

/// A PostgreSQL server with a cluster of its own, gone when this value goes.
///
/// It forgets what it wrote when the machine fails, which makes tests several times faster.
pub struct Server {
    process: Child,
    port: u16,
    // Dropped after the server was stopped.
    _folder: TemporaryFolder,
}

impl Server {
    /// Makes an empty cluster on a free port of 127.0.0.1 and waits until it answers.
    pub fn start() -> Result<Self> {
        let programs = find_programs()?;
        let folder = TemporaryFolder::new("pg")?;
        let user = User::find(folder.path())?;
        let data = folder.path().join("data");
        let mut initdb = user.command(&programs.join("initdb"));
        initdb.arg("-D").arg(&data).args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        shell::output(initdb.current_dir(folder.path()))?;

        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = fs::File::create(folder.path().join("log")).context("making the server's log")?;
        let mut postgres = user.command(&programs.join("postgres"));
        postgres.arg("-D").arg(&data).arg("-k").arg(folder.path()).args(["-h", "127.0.0.1", "-p", &port.to_string()]);
        for setting in [
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "max_connections=300",
            "shared_buffers=64MB",
        ] {
            postgres.args(["-c", setting]);
        }
        let process = postgres
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("can't start postgres")?;
        let mut server = Self { process, port, _folder: folder };
        server.wait_until_ready(&programs)?;
        Ok(server)
    }

    /// Where the server is; every database name may be added to it.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}", self.port)
    }

    fn wait_until_ready(&mut self, programs: &Path) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let mut ask = Command::new(programs.join("pg_isready"));
            ask.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
            if ask.status().context("can't run pg_isready")?.success() {
                return Ok(());
            }
            if self.process.try_wait()?.is_some() || Instant::now() > deadline {
                let log = fs::read_to_string(self._folder.path().join("log")).unwrap_or_default();
                bail!("PostgreSQL does not answer; its log says:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Told to stop at once: nothing of it is kept.
        shell::signal("QUIT", self.process.id());
        let _ = self.process.wait();
    }
}

/// The folder with the server's programs, which Debian keeps out of `$PATH`.
fn find_programs() -> Result<PathBuf> {
    if let Some(folder) = installed() {
        return Ok(folder);
    }
    packages::install(&["postgresql"], "PostgreSQL")?;
    installed().context("PostgreSQL was installed, but /usr/lib/postgresql/*/bin has no `initdb`")
}

fn installed() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, programs)| ["initdb", "postgres", "pg_isready"].iter().all(|name| programs.join(name).is_file()))
        .collect();
    versions.sort();
    let newest = versions.pop().map(|(_, programs)| programs);
    newest.or_else(|| shell::find(&["initdb"], &[])?.canonicalize().ok()?.parent().map(Path::to_path_buf))
}

/// Who runs the server: PostgreSQL refuses to run as root.
struct User(Option<&'static str>);

impl User {
    /// Takes ourselves, or when we are root an account without rights, which is given the folder.
    fn find(folder: &Path) -> Result<Self> {
        if !shell::is_root()? {
            return Ok(Self(None));
        }
        let known = |name: &str| shell::output(Command::new("id").args(["-u", name])).is_ok();
        let name = ["postgres", "nobody"].into_iter().find(|name| known(name));
        let name = name.context("PostgreSQL can't run as root, and there is neither an account postgres nor nobody")?;
        shell::run(Command::new("chown").arg(name).arg(folder))?;
        Ok(Self(Some(name)))
    }

    /// The program as this user, stopped by the kernel if we die before we can stop it.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("setpriv");
        if let Some(name) = self.0 {
            let group = shell::output(Command::new("id").args(["-g", name])).unwrap_or_default();
            command.args(["--reuid", name, "--regid", &group, "--clear-groups"]);
        }
        command.args(["--pdeathsig", "QUIT"]).arg(program);
        command
    }
}
