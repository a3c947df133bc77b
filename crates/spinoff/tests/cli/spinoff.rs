//! Runs the executable as an operator's script would.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// It ended with this code, and said so in three parts: what failed, why, what to do next.
    #[track_caller]
    pub fn assert_failed(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.err.contains("error: "), "{self:?}");
        for words in words {
            assert!(self.err.contains(words), "{words:?} is missing in {self:?}");
        }
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// The executable with an empty environment and a data folder that does not exist.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spinoff"));
    command.env_clear().env("HOME", "/nonexistent").args(args).stdin(Stdio::null());
    command
}

pub fn run(args: &[&str]) -> Ran {
    command(args).output().unwrap().into()
}

/// Runs against a server.
pub fn ask(url: &str, args: &[&str]) -> Ran {
    command(args).env("SPINOFF_SERVER", url).output().unwrap().into()
}

pub fn ask_with_input(url: &str, args: &[&str], input: &str) -> Ran {
    let mut child = command(args)
        .env("SPINOFF_SERVER", url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap().into()
}

/// Runs for a data folder.
pub fn at(data: &Path, args: &[&str]) -> Ran {
    command(args).arg("--data").arg(data).output().unwrap().into()
}
