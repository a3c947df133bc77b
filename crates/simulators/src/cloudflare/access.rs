//! Cloudflare Access: who may enter which hostname, asked before a request goes any further.

pub(super) mod apps;
mod door;
mod duration;
pub(super) mod groups;
mod hostnames;
pub(super) mod identity_providers;
pub(super) mod keys;
pub(super) mod log;
pub(super) mod organization;
mod page;
pub(super) mod policies;
mod rules;
pub(super) mod seats;
pub(super) mod service_tokens;
mod sessions;
mod sign_in;
mod team;
mod visitor;

use jiff::Timestamp;
use world::Entropy;

pub use apps::App;
pub use door::{Identified, Pass, Visit};
pub use policies::Policy;
pub use rules::Rule;
pub use sign_in::Code;

use super::settings::Settings;
use super::shelf::Shelf;
use groups::Group;
use identity_providers::Provider;
use keys::Ring;
use log::Row;
use organization::Organization;
use seats::Person;
use service_tokens::ServiceToken;
use sessions::Sessions;
use sign_in::SignIns;

/// All of Access in one account.
#[derive(Debug)]
pub(super) struct Access {
    pub(super) organization: Option<Organization>,
    pub(super) identity_providers: Shelf<Provider>,
    pub(super) groups: Shelf<Group>,
    pub(super) policies: Shelf<Policy>,
    pub(super) apps: Shelf<App>,
    pub(super) service_tokens: Shelf<ServiceToken>,
    people: Shelf<Person>,
    keys: Ring,
    log: Vec<Row>,
    sessions: Sessions,
    sign_ins: SignIns,
}

impl Access {
    pub(super) fn new(now: Timestamp, entropy: &Entropy, settings: &Settings) -> Self {
        Self {
            organization: settings.has_organization.then(|| Organization::simulated(settings)),
            identity_providers: Shelf::default(),
            groups: Shelf::default(),
            policies: Shelf::default(),
            apps: Shelf::default(),
            service_tokens: Shelf::default(),
            people: Shelf::default(),
            keys: Ring::new(now),
            log: Vec::new(),
            sessions: Sessions::new(entropy),
            sign_ins: SignIns::default(),
        }
    }
}
