use std::path::PathBuf;

use anyhow::ensure;
use control_plane::{ModelGateway, ModelSettings, OfferedModel};
use domain::Micros;
use providers::compute::ModelOffer;
use providers::model::ModelProvider;
use secrecy::SecretString;
use serde::Deserialize;

use super::fitness::is_private;
use super::secret;

/// `[model]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Model {
    /// Where the provider is, such as `https://api.example.com/v1`; without it no model is offered.
    pub provider_url: Option<String>,
    pub key: Option<SecretString>,
    pub key_file: Option<PathBuf>,
    /// What may be asked for, with prices; the first is what instances are told of.
    pub models: Vec<OfferedModel>,
    /// What each instance may cost in a month, in US dollars.
    pub allowance: Option<Micros>,
    /// What all of them together may.
    pub total: Option<Micros>,
    pub at_once: u32,
    pub longest_answer: u64,
    /// Plays a recorded project in each instance instead, for trying.
    pub rehearsal: bool,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            provider_url: None,
            key: None,
            key_file: None,
            models: Vec::new(),
            allowance: None,
            total: None,
            at_once: 4,
            longest_answer: 16_000,
            rehearsal: false,
        }
    }
}

impl Model {
    /// Whether it can be meant.
    pub(super) fn fits(&self) -> anyhow::Result<()> {
        let Some(url) = &self.provider_url else {
            let is_half = self.allowance.is_some() || !self.models.is_empty() || self.total.is_some();
            ensure!(
                !is_half,
                "[model] has no provider_url, so that nothing is offered; set it to the provider's address, such as \
                 https://api.example.com/v1"
            );
            return Ok(());
        };
        ensure!(
            !self.rehearsal,
            "[model] has both provider_url and rehearsal, which asks no provider; leave one of them out"
        );
        ensure!(
            is_private(url),
            "[model] provider_url is {url}, where everybody on the way could read the key and what customers ask; it \
             has to begin with https://, except on loopback"
        );
        ensure!(
            self.allowance.is_some(),
            "[model] allowance is missing: set it to what each instance may cost you in a month, in US dollars, such as \
             \"5\""
        );
        self.settings().check().map_err(|error| anyhow::anyhow!("[model] {error}"))
    }

    /// What instances are told.
    pub fn offer(&self) -> Option<ModelOffer> {
        match (&self.provider_url, self.models.first()) {
            (Some(_), Some(model)) => Some(ModelOffer::Gateway { model: model.name.clone() }),
            _ => self.rehearsal.then_some(ModelOffer::Rehearsal),
        }
    }

    /// The way from instances to the provider.
    pub fn gateway(&self) -> anyhow::Result<Option<ModelGateway>> {
        let Some(url) = &self.provider_url else { return Ok(None) };
        let key = secret(self.key.as_ref(), self.key_file.as_ref())?;
        Ok(Some(ModelGateway::new(self.settings(), ModelProvider::new(url, key)?)))
    }

    fn settings(&self) -> ModelSettings {
        ModelSettings {
            models: self.models.clone(),
            allowance: self.allowance.unwrap_or_default(),
            total: self.total,
            at_once: self.at_once,
            longest_answer: self.longest_answer,
        }
    }
}
