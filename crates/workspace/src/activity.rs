//! Tells the guard in front that a sprint is being worked on, which no request shows.
//!
//! The guard's address comes from the environment and is on this machine; whatever else stands there is
//! not told. A report that fails is made again a little later and changes nothing here.

use std::time::Duration;

use reqwest::Url;
use serde_json::json;
use tokio::sync::watch;

use crate::sprint::Sprints;

/// How often use is told, as long as it lasts: hours are what counts.
const EVERY: Duration = Duration::from_secs(5 * 60);
/// How often it is looked whether there is any.
const LOOK: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(5);

/// Where use is told.
#[derive(Debug, Clone)]
pub struct Reports(Url);

impl Reports {
    /// An address on this machine's loopback; `None` for anything else.
    #[must_use]
    pub fn to(address: &str) -> Option<Self> {
        on_this_machine(address).map(Self)
    }

    /// Tells of sprints until `closing`.
    pub async fn tell(self, sprints: Sprints, mut closing: watch::Receiver<bool>) {
        let Ok(http) = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build() else { return };
        let mut told: Option<tokio::time::Instant> = None;
        loop {
            let is_due = told.is_none_or(|told| told.elapsed() >= EVERY);
            if is_due && sprints.worked_on().is_some() {
                match self.report(&http).await {
                    Ok(()) => told = Some(tokio::time::Instant::now()),
                    Err(error) => tracing::warn!(%error, "The guard was not told that a sprint is worked on: {error}"),
                }
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = closing.wait_for(|closing| *closing) => return,
            }
        }
    }

    async fn report(&self, http: &reqwest::Client) -> reqwest::Result<()> {
        http.post(self.0.clone()).json(&json!({"signal": "sprint"})).send().await?.error_for_status()?;
        Ok(())
    }
}

/// An address of the guard's on this machine's loopback; `None` for anything else.
#[must_use]
pub fn on_this_machine(address: &str) -> Option<Url> {
    let url = Url::parse(address).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']).parse::<std::net::IpAddr>().ok()?;
    (url.scheme() == "http" && host.is_loopback()).then_some(url)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_this_machine_is_told() {
        for address in ["http://127.0.0.1:3129/-/activity", "http://[::1]:3129/-/activity"] {
            assert!(Reports::to(address).is_some(), "{address}");
        }
        for address in
            ["", "http://10.0.0.1/", "http://localhost.evil.example/", "https://127.0.0.1/", "127.0.0.1:3129"]
        {
            assert!(Reports::to(address).is_none(), "{address}");
        }
    }

    #[tokio::test]
    async fn a_report_is_what_the_guard_takes() {
        use axum::{Json, Router, http::StatusCode, routing::post};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/-/activity", listener.local_addr().unwrap());
        let take = async |Json(report): Json<serde_json::Value>| match report == json!({"signal": "sprint"}) {
            true => StatusCode::NO_CONTENT,
            false => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let router = Router::new().route("/-/activity", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Reports::to(&address).unwrap().report(&reqwest::Client::new()).await.unwrap();
    }
}
