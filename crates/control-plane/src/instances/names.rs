//! The names that instances have, had, and are to have. Each belongs to one instance for as long as it
//! lives, together with all that look like it: an old link never leads to somebody else's instance, and
//! the name of its project, which follows its first name, never stands in another customer's way.

pub(crate) mod store;

use domain::{InstanceId, Subdomain};

use super::Instance;
use crate::app::Core;
use crate::signup::SignupError;
use crate::text::capital;

/// The name, or why it can't be had, in words for whoever typed it. What is `own` already can be.
pub(crate) async fn check(
    core: &Core,
    raw: &str,
    own: Option<InstanceId>,
) -> Result<Result<Subdomain, String>, ::store::sqlx::Error> {
    let name = match Subdomain::parse(raw) {
        Ok(name) => name,
        Err(error) => return Ok(Err(capital(&error.to_string()))),
    };
    if store::is_taken(&core.db, &name, own).await? {
        return Ok(Err(capital(&SignupError::Taken(name).to_string())));
    }
    Ok(Ok(name))
}

/// Every hostname that may lead to an instance: the present one first.
pub(crate) async fn hostnames(core: &Core, instance: &Instance) -> Result<Vec<String>, ::store::sqlx::Error> {
    let former = store::former(core.db.read(), instance.id).await?;
    let present = [Some(instance.subdomain.clone()), instance.next_subdomain.clone()].into_iter().flatten();
    Ok(present.chain(former).map(|name| core.hostname(&name)).collect())
}
