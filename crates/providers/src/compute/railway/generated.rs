//! The name below `up.railway.app` by which the router finds an instance, where one wildcard record leads
//! all hostnames to the router. It is no second door: whoever knocks there needs the same assertion of the
//! same members, since the guard is the only one who lets anybody in.

use jiff::SignedDuration;
use serde_json::json;

use super::answers::NamedDomain;
use super::service::PORT;
use super::{Home, LAG, Railway, operations};
use crate::ProviderError;
use crate::compute::Origin;
use crate::resources::{Key, Made, Resource};

/// The kind of what is recorded, and listed.
pub(super) const GENERATED: &str = "generated domain";
/// Each service has one, whatever its instance's hostnames are.
pub(super) const ONLY: &str = "app";
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(5);

impl Railway {
    /// Has Railway choose a name for the service, or finds the one that it chose.
    pub(super) async fn generate_name(&self, home: &Home) -> Result<Origin, ProviderError> {
        let look = async || Ok(self.generated(home).await?.map(|held| made(&held)));
        let make = async || {
            let input = json!({ "serviceId": home.service, "environmentId": home.environment, "targetPort": PORT });
            let held: NamedDomain = self.graph.ask(&operations::CREATE_GENERATED, json!({ "input": input })).await?;
            Ok(made(&held))
        };
        let made = match self.resources.ensure(&key(home), LAG, look, make).await {
            Ok(made) => made,
            Err(error) => return Err(self.explain(home, error).await),
        };
        let target = made.detail.ok_or_else(|| nameless(home))?;
        Ok(Origin::Name { target, proof: None })
    }

    /// Whether Railway answers by that name. There is nothing that it would have to be shown.
    pub(super) async fn see_generated(&self, home: &Home) -> Result<(), ProviderError> {
        let Some(known) = self.resources.find(&key(home)).await?.and_then(|held| held.made) else {
            return Err(nameless(home));
        };
        match self.generated(home).await?.filter(|held| held.id == known.id) {
            None => {
                self.resources.forget(&key(home)).await?;
                Err(nameless(home))
            }
            Some(held) if held.sync_status.as_deref().is_none_or(|status| status == "ACTIVE") => Ok(()),
            Some(_) => Err(ProviderError::not_yet("your address is being connected", LOOK_AGAIN)),
        }
    }

    /// The name as it is recorded.
    ///
    /// # Errors
    /// When the store can't be used.
    pub(super) async fn recorded_name(&self, home: &Home) -> Result<Option<String>, ProviderError> {
        Ok(self.resources.find(&key(home)).await?.and_then(|held| held.made?.detail))
    }

    /// Forgets the name of an instance if it is not among those that are there.
    pub(super) async fn forget_gone_name(
        &self,
        known: &[Resource],
        there: &[NamedDomain],
    ) -> Result<(), ProviderError> {
        let is_there = |made: &Made| there.iter().any(|held| held.id == made.id);
        let is_gone = |held: &&Resource| held.made.as_ref().is_some_and(|made| !is_there(made));
        for held in known.iter().filter(|held| held.kind == GENERATED).filter(is_gone) {
            self.resources.forget(&Key { kind: GENERATED, name: held.name.clone(), instance: held.instance }).await?;
        }
        Ok(())
    }

    async fn generated(&self, home: &Home) -> Result<Option<NamedDomain>, ProviderError> {
        Ok(self.domains(home).await?.service_domains.into_iter().next())
    }
}

fn key(home: &Home) -> Key {
    home.key(GENERATED, ONLY)
}

fn made(held: &NamedDomain) -> Made {
    Made { id: held.id.clone(), detail: Some(held.domain.to_ascii_lowercase()) }
}

fn nameless(home: &Home) -> ProviderError {
    ProviderError::not_found(format!("the generated domain of {} at Railway", home.name))
}
