//! The program through which tests drive Chromium.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

const TRIES: usize = 5;

/// A running chromedriver; gone with this value, and its browser with it.
pub struct Chromedriver {
    child: Child,
    port: u16,
    // A closed pipe would end the program at its next line.
    _said: BufReader<ChildStdout>,
}

impl Chromedriver {
    /// Starts one on a port that the system picks. It wants the same one twice, for IPv4 and IPv6, and ends where the
    /// second is taken; another try gets another port.
    pub fn start() -> Self {
        let program = std::env::var("SPINOFF_TEST_CHROMEDRIVER").unwrap_or_else(|_| "/usr/bin/chromedriver".to_owned());
        let started = (0..TRIES).find_map(|_| Self::try_start(&program));
        started.unwrap_or_else(|| panic!("{program} ended {TRIES} times without saying on which port it is"))
    }

    fn try_start(program: &str) -> Option<Self> {
        let mut child = Command::new(program)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{program} does not start ({error}); set SPINOFF_TEST_CHROMEDRIVER"));
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let port = loop {
            line.clear();
            if said.read_line(&mut line).unwrap() == 0 {
                child.wait().unwrap();
                return None;
            }
            let named =
                line.rsplit_once("on port ").and_then(|(_, rest)| rest.trim().trim_end_matches('.').parse().ok());
            if let (true, Some(port)) = (line.contains("started successfully"), named) {
                break port;
            }
        };
        Some(Self { child, port, _said: said })
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        self.stop();
    }
}
