use std::path::PathBuf;

use api::Client;
use secrecy::SecretString;
use world::Clock;

use crate::data_folder::DataFolder;
use crate::failure::{Doing as _, Failure};
use crate::output::Output;
use crate::server_file::ServerFile;

/// What every command gets: where data lies, how to reach the server, where words go.
#[derive(Debug, Clone)]
pub struct Context {
    /// The installation on this machine.
    pub data: DataFolder,
    /// The settings file, where one was named.
    pub config: Option<PathBuf>,
    /// Where words go.
    pub output: Output,
    /// The time.
    pub clock: Clock,
    /// The server's address, where one was given.
    pub server: Option<String>,
    /// The token, where one was given.
    pub token: Option<SecretString>,
}

impl Context {
    /// Speaks to the server that was named, or else to the one that runs on this machine.
    ///
    /// # Errors
    /// When no server was named and none runs here.
    pub fn client(&self) -> Result<Client, Failure> {
        let (url, token) = match &self.server {
            // The token in the data folder belongs to the server there and to no other.
            Some(url) => (url.clone(), self.token.clone()),
            None => {
                let found = ServerFile::find(&self.data)?;
                (found.url, self.token.clone().or(Some(found.token)))
            }
        };
        Client::new(&url, token).doing(|| "can't reach the server".to_owned())
    }
}
