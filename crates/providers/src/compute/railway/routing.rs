use super::Railway;
use super::generated::GENERATED;
use crate::{ProviderError, Routing};

const CHANGE_OVER: &str = "set it back; to sell by the other way from now on, run a second installation with a data \
    folder and a base domain of its own, and let this one go on until its last customer has left or moved there";

impl Railway {
    /// Whether instances were made by the routing that is set: others could not be reached any more. Asks
    /// nobody but the store.
    ///
    /// # Errors
    /// Refused when some were made by the other one, with what to do about it.
    pub async fn keeps_to_its_routing(&self) -> Result<(), ProviderError> {
        let (kind, other) = match self.settings.routing {
            Routing::Records => (GENERATED, Routing::Wildcard),
            Routing::Wildcard => ("domain", Routing::Records),
        };
        let made = self.resources.of_kind(kind).await?;
        if made.is_empty() {
            return Ok(());
        }
        let what = format!("route by [edge] routing = {:?}", self.settings.routing.as_str());
        let why = format!("{} of this installation lead to instances by {:?}", counted(made.len()), other.as_str());
        Err(ProviderError::refused(what, why, CHANGE_OVER))
    }
}

fn counted(number: usize) -> String {
    if number == 1 { "1 name".to_owned() } else { format!("{number} names") }
}
