//! Empty accounts at the three providers, as simulators on loopback, and settings that name them.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::Value;
use simulators::cloudflare::{self, Made};
use simulators::{Pace, Served, railway, serve, stripe};
use tempfile::TempDir;
use world::{Clock, Entropy};

use crate::spinoff::{Ran, command};

pub struct Accounts {
    pub railway: railway::Railway,
    pub cloudflare: cloudflare::Cloudflare,
    pub stripe: stripe::Stripe,
    pub key: String,
    served: [Served; 3],
    folder: TempDir,
}

impl Accounts {
    pub async fn open() -> Self {
        let (clock, entropy) = (Clock::System, || Entropy::seeded(5));
        let railway = railway::Railway::new(clock.clone(), entropy(), railway::Settings::default());
        let cloudflare = cloudflare::Cloudflare::new(clock.clone(), entropy(), cloudflare::Settings::default());
        let settings = stripe::Settings::default();
        let key = settings.secret_key.clone();
        let stripe = stripe::Stripe::new(clock.clone(), entropy(), settings);
        let served = [
            serve(Arc::new(railway.clone()), clock.clone(), Pace::Real).await.unwrap(),
            serve(Arc::new(cloudflare.clone()), clock.clone(), Pace::Real).await.unwrap(),
            serve(Arc::new(stripe.clone()), clock.clone(), Pace::Real).await.unwrap(),
        ];
        let folder = tempfile::tempdir().unwrap();
        let all = Self { railway, cloudflare, stripe, key, served, folder };
        fs::write(all.settings_file(), all.settings()).unwrap();
        all
    }

    fn settings(&self) -> String {
        let [railway, cloudflare, stripe] = self.served.each_ref().map(|served| served.url.as_str());
        let (digest, token) = ("1".repeat(64), self.cloudflare.token());
        let (zone, account) = (self.cloudflare.zone_id(), self.cloudflare.account_id());
        format!(
            r#"
[site]
listen = "127.0.0.1:0"
public_url = "https://ai-diy.ai"
base_domain = "ai-diy.ai"
[compute]
driver = "railway"
[edge]
driver = "cloudflare"
[payments]
driver = "stripe"
[mail]
driver = "smtp"
from = "AI-DIY <hello@ai-diy.ai>"
[smtp]
url = "smtp://127.0.0.1:1"
[railway]
api_url = "{railway}"
token = "{}"
workspace_id = "ws-simulated"
image = "ghcr.io/ai-diy/app@sha256:{digest}"
[cloudflare]
api_url = "{cloudflare}/client/v4"
token = "{token}"
zone_id = "{zone}"
account_id = "{account}"
[stripe]
api_url = "{stripe}"
secret_key = "{}"
"#,
            self.railway.workspace_token(),
            self.key
        )
    }

    fn settings_file(&self) -> PathBuf {
        self.folder.path().join("settings.toml")
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = command(args);
        command.arg("--data").arg(self.data()).arg("--config").arg(self.settings_file());
        command
    }

    /// Runs with settings that the environment overrides.
    pub async fn run_with(&self, args: &[&str], environment: &[(&str, &str)]) -> Ran {
        let mut command = self.command(args);
        command.envs(environment.iter().copied()).stdin(Stdio::null());
        tokio::task::spawn_blocking(move || command.output().unwrap().into()).await.unwrap()
    }

    pub async fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, &[]).await
    }

    /// How often anything was made anywhere.
    pub fn made(&self) -> Vec<u64> {
        let cloudflare = [Made::Applications, Made::Policies, Made::IdentityProviders]
            .map(|kind| u64::try_from(self.cloudflare.creations(kind)).unwrap());
        let stripe = ["product", "price", "webhook_endpoint"].map(|kind| self.stripe.creations(kind));
        [cloudflare, stripe].concat()
    }

    /// Where Stripe sends events.
    pub async fn endpoints(&self) -> Vec<Value> {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = http.get(format!("{}/v1/webhook_endpoints", self.served[2].url)).bearer_auth(&self.key);
        let answer: Value =
            request.header("stripe-version", stripe::VERSION).send().await.unwrap().json().await.unwrap();
        answer["data"].as_array().unwrap().clone()
    }
}
