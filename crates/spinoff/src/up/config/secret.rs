use std::path::PathBuf;

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

/// A secret that stands in the settings, or in a file of its own. One that is empty is none: that is
/// how a script unsets a variable.
pub fn secret(value: Option<&SecretString>, file: Option<&PathBuf>) -> anyhow::Result<Option<SecretString>> {
    let found = match (value, file) {
        (Some(value), _) => Some(value.clone()),
        (None, Some(path)) => Some(read(path)?.trim().to_owned().into()),
        (None, None) => None,
    };
    Ok(found.filter(|found| !found.expose_secret().is_empty()))
}

/// One secret, or several of which the first is the newest: the others hold while it is rolled.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Secrets {
    One(SecretString),
    Several(Vec<SecretString>),
}

impl Secrets {
    /// As they stand in the settings, or one a line in a file of their own.
    pub fn read(value: Option<&Self>, file: Option<&PathBuf>) -> anyhow::Result<Vec<SecretString>> {
        let mut all = match (value, file) {
            (Some(Self::One(value)), _) => vec![value.clone()],
            (Some(Self::Several(values)), _) => values.clone(),
            (None, Some(path)) => read(path)?.lines().map(|line| line.trim().to_owned().into()).collect(),
            (None, None) => Vec::new(),
        };
        all.retain(|secret| !secret.expose_secret().is_empty());
        Ok(all)
    }
}

fn read(path: &PathBuf) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}
