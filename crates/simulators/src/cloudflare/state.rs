use std::collections::HashMap;

use jiff::Timestamp;
use world::Entropy;

use super::access::Access;
use super::dns::Records;
use super::ids;
use super::settings::Settings;
use super::tokens::Tokens;
use super::zone::Zone;

/// All that is held, as of `now`.
#[derive(Debug)]
pub(super) struct State {
    pub(super) now: Timestamp,
    pub(super) entropy: Entropy,
    pub(super) settings: Settings,
    pub(super) account_id: String,
    pub(super) zone_id: String,
    pub(super) zone: Zone,
    pub(super) tokens: Tokens,
    pub(super) records: Records,
    pub(super) access: Access,
}

impl State {
    pub(super) fn new(now: Timestamp, entropy: Entropy, settings: Settings) -> Self {
        let access = Access::new(now, &entropy, &settings);
        Self {
            now,
            account_id: ids::short(&entropy),
            zone_id: ids::short(&entropy),
            zone: Zone { made: now, settings: HashMap::new() },
            tokens: Tokens::default(),
            records: Records::new(&settings.zone),
            access,
            settings,
            entropy,
        }
    }

    /// The moment that lists show.
    pub(super) fn listed_at(&self) -> Timestamp {
        self.now - self.settings.list_lag
    }
}
