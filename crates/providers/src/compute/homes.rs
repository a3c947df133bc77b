//! Several places where instances can live, as one compute provider. The name of a project says in which of them it is, so
//! that nobody else has to know.

mod compute;

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::{HomeName, ProjectName};

use super::Compute;
use crate::ProviderError;

/// A place where instances can live.
#[derive(Clone)]
pub struct Home {
    /// How it is called in the settings and in the names of projects.
    pub name: HomeName,
    /// How it is called before people: `Frankfurt`.
    pub label: String,
    /// Runs instances there.
    pub compute: Arc<dyn Compute>,
}

/// See the module.
pub struct Homes {
    default: Home,
    others: Vec<Home>,
    /// The kinds of things of which each of them shows one for each instance.
    kinds: Vec<&'static str>,
}

impl std::fmt::Debug for Home {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Home").field("name", &self.name).field("label", &self.label).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Homes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.all()).finish()
    }
}

impl Homes {
    /// The home that is always there, where new instances live, and others, each with a name of its own.
    ///
    /// # Errors
    /// Refused when two of them have the same name.
    pub fn new(label: String, compute: Arc<dyn Compute>, others: Vec<Home>) -> Result<Self, ProviderError> {
        let default = Home { name: HomeName::the_default(), label, compute };
        let kinds = default.compute.kinds().iter().copied();
        let kinds = kinds.filter(|kind| others.iter().all(|home| home.compute.kinds().contains(kind))).collect();
        let homes = Self { default, others, kinds };
        let mut names = BTreeSet::new();
        if let Some(twice) = homes.all().find(|home| !names.insert(&home.name)) {
            let what = format!("tell apart two homes that are called {}", twice.name);
            return Err(ProviderError::refused(
                what,
                "a project's name says in which home it is",
                "rename one of them",
            ));
        }
        Ok(homes)
    }

    /// All of them, the default one first.
    pub fn all(&self) -> impl Iterator<Item = &Home> {
        std::iter::once(&self.default).chain(&self.others)
    }

    /// The one that is called so.
    pub fn find(&self, name: &HomeName) -> Option<&Home> {
        self.all().find(|home| home.name == *name)
    }

    /// Runs a project: whoever runs its home.
    fn of(&self, project: &ProjectName) -> Result<&dyn Compute, ProviderError> {
        let name = project.home();
        self.find(&name).map(|home| &*home.compute).ok_or_else(|| {
            let why = format!("it lives in the home {name}, which the settings do not name");
            let next = format!("put [compute.homes.{name}] back as it was, and start the server again");
            ProviderError::refused(format!("reach {project}"), why, next)
        })
    }

    /// One home for each driver: whoever is asked for what concerns a whole account answers for all of its homes.
    fn accounts(&self) -> Vec<&dyn Compute> {
        let mut accounts: Vec<&dyn Compute> = Vec::new();
        for home in self.all() {
            if accounts.iter().all(|known| known.name() != home.compute.name()) {
                accounts.push(&*home.compute);
            }
        }
        accounts
    }
}
