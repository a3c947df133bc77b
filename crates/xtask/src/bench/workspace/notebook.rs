//! A workspace that runs, and the person who works in it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::http::Connection;
use crate::product::{free_address, wait_for, wait_until_served};

/// What is said when no model is asked.
pub const REHEARSAL: [&str; 2] = ["--model", "rehearsal"];

/// The vision of the recorded project, as its name and its title.
pub const VISION: (&str, &str) = ("shopping-list", "Shopping list");

/// The stories of the recorded project, as their names and their titles.
const STORIES: [(&str, &str); 3] = [
    ("B-1-put-an-item-on-the-list", "Put an item on the list"),
    ("B-2-tick-off-what-is-in-the-basket", "Tick off what is in the basket"),
    ("B-3-keep-the-list-when-the-program-stops", "Keep the list when the program stops"),
];

/// A workspace; gone when this value goes.
pub struct Notebook {
    process: Child,
    pub address: SocketAddr,
}

impl Drop for Notebook {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Notebook {
    pub fn start(binary: &Path, data: &Path, options: &[&str]) -> Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(binary);
        command.env("RUST_LOG", "error").args(["--listen", &address.to_string(), "--data"]).arg(data).args(options);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let process = command.spawn().with_context(|| format!("can't start {}", binary.display()))?;
        let mut notebook = Self { process, address };
        wait_until_served(&mut notebook.process, address, "/health", Instant::now())?;
        Ok(notebook)
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    pub fn connection(&self) -> Result<Connection> {
        Connection::open(self.address, &format!("localhost:{}", self.address.port()))
    }

    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Result<()> {
        self.connection()?.post_form(path, fields)?.expect(303).with_context(|| format!("sending {path}"))?;
        Ok(())
    }

    /// Writes the vision and so many stories, and plans them as the first sprint.
    pub fn plan(&self, stories: usize) -> Result<()> {
        self.post("/visions", &[("title", VISION.1), ("body", "Nobody comes home without the milk.")])?;
        let mut sprint = vec![("vision", VISION.0), ("attempts", "3")];
        for (name, title) in STORIES.iter().take(stories) {
            let item = [("title", *title), ("vision", VISION.0), ("status", "ready"), ("criteria", "It works")];
            self.post("/backlog", &item)?;
            sprint.push(("item", name));
        }
        self.post("/sprints", &sprint)
    }

    /// Whether a page says something.
    pub fn says(&self, path: &str, words: &str) -> Result<bool> {
        let page = self.connection()?.get(path)?.expect(200)?;
        Ok(String::from_utf8_lossy(&page.body).contains(words))
    }

    /// Waits until a page says something.
    pub fn wait_until(&self, path: &str, words: &str) -> Result<()> {
        wait_for(&format!("{path} to say “{words}”"), || Ok(self.says(path, words)?.then_some(())))
    }
}
