use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use domain::HomeName;
use providers::compute::local::{EgressRule, InstanceLimits};
use serde::Deserialize;

use super::ComputeDriver;
use super::homes::Home;

/// `[compute]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Compute {
    pub driver: ComputeDriver,
    /// How people call the home that these settings describe, where there are others.
    pub label: Option<String>,
    /// The other homes.
    pub homes: BTreeMap<HomeName, Home>,
    pub app: Option<String>,
    pub app_health: String,
    /// A file that says what counts as use of the application.
    pub app_activity_rules: Option<PathBuf>,
    pub app_path: Vec<PathBuf>,
    /// Whether customers may show the app that the application makes to everybody.
    pub app_sharing: bool,
    /// What instances may reach on the network; nothing when it is empty.
    pub egress: Vec<EgressRule>,
    pub memory_mb: u64,
    pub processes: u64,
    pub file_mb: u64,
    pub volume_mb: u64,
    pub cpu_percent: u64,
    /// The first port and the first user id that instances get. Several servers on one machine
    /// need different ones.
    pub first_port: Option<u16>,
    pub first_uid: Option<u32>,
}

impl Default for Compute {
    fn default() -> Self {
        let limits = InstanceLimits::default();
        Self {
            driver: ComputeDriver::Local,
            label: None,
            homes: BTreeMap::new(),
            app: None,
            app_health: "/".to_owned(),
            app_activity_rules: None,
            app_path: Vec::new(),
            app_sharing: false,
            egress: Vec::new(),
            memory_mb: limits.memory_bytes >> 20,
            processes: limits.processes,
            file_mb: limits.file_bytes >> 20,
            volume_mb: limits.volume_bytes >> 20,
            cpu_percent: limits.cpu_thousandths / 10,
            first_port: None,
            first_uid: None,
        }
    }
}

impl Compute {
    /// The rules about use, if there are any and every guard could follow them.
    pub fn activity_rules(&self) -> anyhow::Result<Option<String>> {
        let Some(path) = &self.app_activity_rules else { return Ok(None) };
        let reading = || format!("reading the rules about use ({})", path.display());
        let text = std::fs::read_to_string(path).with_context(reading)?;
        guard::check_activity_rules(&text).with_context(reading)?;
        Ok(Some(text))
    }

    /// What one instance may use up.
    pub fn limits(&self) -> InstanceLimits {
        InstanceLimits {
            memory_bytes: self.memory_mb << 20,
            processes: self.processes,
            cpu_thousandths: self.cpu_percent * 10,
            file_bytes: self.file_mb << 20,
            volume_bytes: self.volume_mb << 20,
        }
    }
}
