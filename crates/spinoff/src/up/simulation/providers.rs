//! The three simulated companies, served on this machine's loopback.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::providers::Routing;
use anyhow::Context as _;
use simulators::cloudflare::Cloudflare;
use simulators::railway::{Behaviour, Railway};
use simulators::stripe::{self, Stripe};
use simulators::{Faults, Served, Simulator, serve};
use tokio_util::sync::DropGuard;
use world::{Clock, Entropy};

use super::RehearsedEdge;
use super::names::Names;
use super::pace::Pace;
use crate::up::config::{ComputeDriver, Config, EdgeDriver, PaymentsDriver};

/// How often Stripe looks for events to deliver.
const DELIVERIES: Duration = Duration::from_millis(500);
/// The image of every container. What it holds is what `--app` says.
const IMAGE: &str = "registry.example/app@sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// All of them. They hold what they hold in memory, and forget it with this process.
pub struct Providers {
    pub railway: Railway,
    pub cloudflare: Cloudflare,
    pub stripe: Stripe,
    pub railway_api: Served,
    pub cloudflare_api: Served,
    pub stripe_api: Served,
    _deliveries: DropGuard,
}

/// Where the two edges are reached.
#[derive(Debug, Clone, Copy)]
pub struct Edges {
    /// The public address, where all hostnames lead.
    pub cloudflare: SocketAddr,
    /// Past Cloudflare.
    pub railway: SocketAddr,
}

impl Providers {
    /// Empty accounts at all of them.
    ///
    /// # Errors
    /// When a port can't be had.
    pub async fn open(pace: Pace, names: &Names, product: &str) -> anyhow::Result<Self> {
        let (clock, entropy) = (Clock::System, Entropy::System);
        let railway = Railway::new(clock.clone(), entropy.clone(), pace.railway());
        railway.behave_usually(Behaviour::AsReported);
        let settings = pace.cloudflare(&names.base_domain, names.team_url());
        let cloudflare = Cloudflare::new(clock.clone(), entropy.clone(), settings);
        railway.set_dns(Arc::new(cloudflare.clone()));
        let settings = stripe::Settings { account_name: product.to_owned(), ..stripe::Settings::default() };
        let stripe = Stripe::new(clock, entropy, settings);
        stripe.set_pages(&names.checkout_url());
        Ok(Self {
            railway_api: served(railway.clone()).await?,
            cloudflare_api: served(cloudflare.clone()).await?,
            stripe_api: served(stripe.clone()).await?,
            _deliveries: stripe.deliver_always(DELIVERIES),
            railway,
            cloudflare,
            stripe,
        })
    }

    /// Makes the settings name these accounts, as an operator does for real ones.
    pub fn name_in(&self, config: &mut Config, names: &Names, edges: Edges, edge: RehearsedEdge) {
        config.site.public_url = Some(names.site_url());
        config.compute.driver = ComputeDriver::Railway;
        config.railway.api_url.clone_from(&self.railway_api.url);
        config.railway.token = Some(self.railway.workspace_token().into());
        config.railway.workspace_id = simulators::railway::Settings::default().workspace_id;
        IMAGE.clone_into(&mut config.railway.image);
        config.railway.edge_address = Some(edges.railway);
        match edge {
            RehearsedEdge::Cloudflare => config.edge.driver = EdgeDriver::Cloudflare,
            // Nobody makes records then.
            RehearsedEdge::Builtin => config.edge.routing = Routing::Wildcard,
        }
        config.cloudflare.api_url = format!("{}/client/v4", self.cloudflare_api.url);
        config.cloudflare.token = Some(self.cloudflare.token().into());
        config.cloudflare.zone_id = self.cloudflare.zone_id();
        config.cloudflare.account_id = self.cloudflare.account_id();
        // What the account calls its team has no scheme, and here it is not https.
        config.cloudflare.team_domain = Some(names.team_url());
        config.cloudflare.edge_address = Some(edges.cloudflare);
        config.payments.driver = PaymentsDriver::Stripe;
        config.stripe.api_url.clone_from(&self.stripe_api.url);
        config.stripe.secret_key = Some(stripe::Settings::default().secret_key.into());
    }

    /// From now on so many of a thousand calls go wrong, the same ones for the same seed.
    pub fn fail_by_chance(&self, thousandths: u16, seed: u64) {
        for (number, faults) in (0..).zip(self.faults()) {
            faults.by_chance(thousandths, Entropy::seeded(seed.wrapping_add(number)));
        }
    }

    /// Takes the key away that the settings name.
    pub fn revoke_stripe_key(&self) {
        self.stripe.revoke(&stripe::Settings::default().secret_key);
    }

    fn faults(&self) -> [&Faults; 3] {
        [&self.railway_api.faults, &self.cloudflare_api.faults, &self.stripe_api.faults]
    }
}

async fn served(simulator: impl Simulator) -> anyhow::Result<Served> {
    serve(Arc::new(simulator), Clock::System, simulators::Pace::Real).await.context("serving a simulated provider")
}
