//! What is taken away from the program: archives, and an app that runs without it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::program::Program;

impl Program {
    /// The files of a download, by path.
    pub async fn download(&self, path: &str) -> BTreeMap<String, String> {
        let answer = self.get(path).await;
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        let bytes = answer.bytes().await.unwrap();
        let mut archive = tar::Archive::new(&bytes[..]);
        let read = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().display().to_string();
            let mut text = Vec::new();
            entry.read_to_end(&mut text).unwrap();
            (path, String::from_utf8_lossy(&text).into_owned())
        };
        archive.entries().unwrap().map(read).collect()
    }
}

/// Puts the files of a download into a folder.
pub fn unpack(files: &BTreeMap<String, String>, folder: &Path) {
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// An app that runs without the program; killed when this is dropped.
pub struct Running(Child);

impl Running {
    /// Runs the lines of its own instructions in a folder, and waits until the last one says these words.
    pub fn start(folder: &Path, instructions: &str, port: u16, words: &str) -> Self {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-ec", instructions]).current_dir(folder).env("PORT", port.to_string()).process_group(0);
        let mut child = shell.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let heard = said.lines().map_while(Result::ok).any(|line| line.contains(words));
        let running = Self(child);
        assert!(heard, "`{instructions}` ended without saying “{words}”");
        running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Package managers start what they are told to in processes of its own.
        let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
        let _ = self.0.wait();
    }
}

/// The command lines of the instructions in a download.
pub fn instructions(start: &str) -> String {
    let lines: Vec<&str> = start.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    lines.join("\n")
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
