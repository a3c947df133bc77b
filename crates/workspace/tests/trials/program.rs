//! The program as its users start it, and a data folder that outlives it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// What is said when no model is asked.
pub const REHEARSAL: [&str; 2] = ["--model", "rehearsal"];

/// A data folder, for one life of the program after the other.
pub struct Home(TempDir);

/// The program; killed without notice when this is dropped.
pub struct Program {
    child: Child,
    /// Where it listens, such as `http://127.0.0.1:4711`.
    pub address: String,
}

impl Home {
    pub fn new() -> Self {
        // What is in /tmp is out of reach for walled commands.
        Self(tempfile::tempdir_in("/var/tmp").unwrap())
    }

    /// The same folder once more.
    pub fn copy(&self) -> Self {
        let copy = Self::new();
        let copied = Command::new("cp").arg("-a").arg(self.0.path().join(".")).arg(copy.0.path()).status().unwrap();
        assert!(copied.success());
        copy
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Starts the program with these options, and waits until it serves.
    pub async fn start(&self, options: &[&str]) -> Program {
        Program::start(self.0.path(), options).await
    }
}

impl Program {
    async fn start(data: &Path, options: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ai-diy"));
        command.env_clear().env("RUST_LOG", "warn").env("DATA", data).env("PORT", "0").args(options);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let said = child.stdout.take().unwrap();
        let first_line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(said).read_line(&mut line).unwrap();
            line
        });
        let line = first_line.await.unwrap();
        let address = line.split_whitespace().find(|word| word.starts_with("http://"));
        let address = address.unwrap_or_else(|| panic!("it does not serve: {line:?}")).to_owned();
        Self { child, address }
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
