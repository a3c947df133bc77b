//! The guard's word on who sees the app: it alone opens the app's hostname to everybody, and knows
//! whether it is open.

use std::time::Duration;

use axum::http::StatusCode;
use reqwest::{RequestBuilder, Url};
use serde::{Deserialize, Serialize};

use crate::activity::on_this_machine;

const PATIENCE: Duration = Duration::from_secs(5);

/// Where the guard takes it.
#[derive(Debug, Clone)]
pub struct Door {
    address: Url,
    http: reqwest::Client,
}

/// Why nobody knows whether the app is open.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// It did not answer.
    #[error("the guard in front did not answer")]
    Away(#[from] reqwest::Error),
    /// It did not do it.
    #[error("the guard in front answered {0}")]
    Refused(StatusCode),
}

#[derive(Serialize, Deserialize)]
struct State {
    shared: bool,
}

impl Door {
    /// A guard at an address on this machine's loopback; `None` for anything else.
    #[must_use]
    pub fn at(address: &str) -> Option<Self> {
        let address = on_this_machine(address)?;
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().ok()?;
        Some(Self { address, http })
    }

    /// Whether everybody sees the app.
    ///
    /// # Errors
    /// [`DoorError`]
    pub async fn is_open(&self) -> Result<bool, DoorError> {
        let answer = sent(self.http.get(self.address.clone())).await?;
        Ok(answer.json::<State>().await?.shared)
    }

    /// Lets everybody see it, or members only.
    ///
    /// # Errors
    /// [`DoorError`]
    pub async fn set_open(&self, shared: bool) -> Result<(), DoorError> {
        sent(self.http.post(self.address.clone()).json(&State { shared })).await?;
        Ok(())
    }
}

async fn sent(request: RequestBuilder) -> Result<reqwest::Response, DoorError> {
    let answer = request.send().await?;
    if answer.status().is_success() { Ok(answer) } else { Err(DoorError::Refused(answer.status())) }
}
