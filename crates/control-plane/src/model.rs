//! Models that the operator offers to all instances: one provider and one key, with an allowance for each instance.
//!
//! - a question comes from an instance's guard, which proves itself with the instance's token; the application holds no
//!   credential at all, so none can be lost there: `guard/src/model.rs`, then `api/model.rs`
//! - what may be asked, and how it is bounded: `question.rs`
//! - what it may cost is put aside before it is asked, and what it did cost is written down when it ended: `meter.rs`,
//!   kept by adding rows alone: `store.rs`
//! - it goes to the provider, and the answer comes back as it arrives: `relay.rs`; how many tokens it took:
//!   `counter.rs`
//! - what is told of it: `report.rs`; refusals in the protocol's own form: `refused.rs`
//!
//! What holds: an instance never costs more than its allowance, however many questions are asked at once, and all of
//! them never more than the total. What is not known to have cost less counts with the most it can have cost. The
//! provider's key is in no answer, no error and no line of the log. Questions and answers are kept nowhere.

mod counter;
mod meter;
mod question;
mod refused;
pub(crate) mod relay;
pub(crate) mod report;
mod settings;
pub(crate) mod store;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::InstanceId;
use providers::model::ModelProvider;

pub(crate) use refused::Refused;
pub use settings::{ModelSettings, ModelSettingsError, OfferedModel};

/// The way from instances to a provider.
#[derive(Debug, Clone)]
pub struct ModelGateway(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: ModelSettings,
    provider: ModelProvider,
    /// How many questions of each instance are under way here. This bounds what they take up of this server; the
    /// allowance is kept by the store, for all servers.
    under_way: Mutex<HashMap<InstanceId, u32>>,
}

/// Room for one question; given back when dropped.
struct Room {
    gateway: ModelGateway,
    instance: InstanceId,
}

impl ModelGateway {
    /// A gateway to a provider.
    pub fn new(settings: ModelSettings, provider: ModelProvider) -> Self {
        Self(Arc::new(Inner { settings, provider, under_way: Mutex::default() }))
    }

    pub(crate) fn settings(&self) -> &ModelSettings {
        &self.0.settings
    }

    /// Room for one more question of an instance, if it has not as many under way as it may.
    fn enter(&self, instance: InstanceId) -> Option<Room> {
        let mut under_way = self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let number = under_way.entry(instance).or_default();
        (*number < self.0.settings.at_once).then(|| {
            *number += 1;
            Room { gateway: self.clone(), instance }
        })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut under_way = self.gateway.0.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = under_way.get_mut(&self.instance) {
            *number = number.saturating_sub(1);
            if *number == 0 {
                under_way.remove(&self.instance);
            }
        }
    }
}
