use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{bail, ensure};
use domain::HomeName;
use providers::Routing;
use serde::Deserialize;

use super::{ComputeDriver, Config};

/// `[compute.homes.<name>]`: a place where instances can live beside the one that `[compute]` describes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Home {
    pub driver: ComputeDriver,
    /// How people call it; its name, if nothing is said.
    pub label: Option<String>,
    /// At Railway: where instances run.
    pub region: Option<String>,
    /// On this machine: the folder of its instances, which is no other home's.
    pub folder: Option<PathBuf>,
    /// On this machine: the first port and the first user id of its instances, which no other home reaches.
    pub first_port: Option<u16>,
    pub first_uid: Option<u32>,
}

/// What a home on this machine is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalHome {
    pub folder: PathBuf,
    pub first_port: u16,
    pub first_uid: u32,
}

impl Home {
    /// The settings of a home on this machine.
    pub fn on_this_machine(&self, name: &HomeName) -> anyhow::Result<LocalHome> {
        let (Some(folder), Some(first_port), Some(first_uid)) = (&self.folder, self.first_port, self.first_uid) else {
            bail!(
                "[compute.homes.{name}] is on this machine and needs folder, first_port and first_uid: a folder, a range of \
                 ports and a range of user ids of its own, such as \"/srv/spinoff-{name}\", 31000 and 300000"
            )
        };
        Ok(LocalHome { folder: folder.clone(), first_port, first_uid })
    }
}

/// Whether any home has this driver.
pub fn any(config: &Config, driver: ComputeDriver) -> bool {
    let others = config.compute.homes.values().map(|home| home.driver);
    std::iter::once(config.compute.driver).chain(others).any(|found| found == driver)
}

/// Whether all homes can be used, and by the same edge.
pub(super) fn fit(config: &Config) -> anyhow::Result<()> {
    let homes: &BTreeMap<HomeName, Home> = &config.compute.homes;
    ensure!(
        !config.compute.app_sharing || !any(config, ComputeDriver::Railway),
        "[compute] app_sharing is set, but at Railway the app that the application makes has no hostname at which it could be \
         shown; take app_sharing out"
    );
    for (name, home) in homes {
        ensure!(
            !name.is_the_default(),
            "[compute.homes.default] is what [compute] describes; give another home another name"
        );
        ensure!(
            home.driver == config.compute.driver || config.edge.routing == Routing::Wildcard,
            "[compute.homes.{name}] has another driver than [compute]: only where one wildcard record leads all hostnames \
             here can they lead to both; set [edge] routing = \"wildcard\", or the same driver"
        );
        match home.driver {
            ComputeDriver::Local => {
                ensure!(
                    home.region.is_none(),
                    "[compute.homes.{name}] is on this machine, which has no region: take it out"
                );
                home.on_this_machine(name)?;
            }
            ComputeDriver::Railway => {
                let is_local = home.folder.is_some() || home.first_port.is_some() || home.first_uid.is_some();
                ensure!(
                    !is_local,
                    "[compute.homes.{name}] is at Railway, where folder, first_port and first_uid mean nothing: take them out"
                );
                ensure!(
                    home.region.is_some(),
                    "[compute.homes.{name}] is at Railway and needs region: where its instances shall run"
                );
                ensure!(
                    config.edge.routing == Routing::Wildcard,
                    "[compute.homes.{name}] is at Railway, where an instance can move only if one wildcard record leads all \
                     hostnames here; set [edge] routing = \"wildcard\""
                );
            }
        }
    }
    Ok(())
}
