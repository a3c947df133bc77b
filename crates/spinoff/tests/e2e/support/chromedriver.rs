//! The program through which tests drive Chromium.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

/// A running chromedriver; gone with this value, and its browser with it.
pub struct Chromedriver {
    child: Child,
    port: u16,
    // A closed pipe would end the program at its next line.
    _said: BufReader<ChildStdout>,
}

impl Chromedriver {
    /// Starts one on a port that the system picks.
    pub fn start() -> Self {
        let program = std::env::var("SPINOFF_TEST_CHROMEDRIVER").unwrap_or_else(|_| "/usr/bin/chromedriver".to_owned());
        let mut child = Command::new(&program)
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
            assert_ne!(said.read_line(&mut line).unwrap(), 0, "{program} ended without saying on which port it is");
            let named =
                line.rsplit_once("on port ").and_then(|(_, rest)| rest.trim().trim_end_matches('.').parse().ok());
            if let (true, Some(port)) = (line.contains("started successfully"), named) {
                break port;
            }
        };
        Self { child, port, _said: said }
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
