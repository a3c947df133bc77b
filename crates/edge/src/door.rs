use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, Uri};

use crate::EdgeError;
use crate::answer;
use crate::core::Core;
use crate::hostname::{Hostname, UnclearHost};
use crate::hostnames::Published;

/// A hostname that people sign in to: the site, or a published one.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    pub(crate) hostname: Hostname,
    /// As it stands in the browser's address bar.
    pub(crate) shown: String,
    pub(crate) audience: String,
}

/// What a request's hostname stands for.
pub(crate) enum Found {
    Site(Door),
    Instance(Door, Published),
}

/// Why a request leads nowhere.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoDoor {
    #[error(transparent)]
    Unclear(#[from] UnclearHost),
    #[error("{0} does not belong to this server")]
    NotOurs(Hostname),
    #[error("{0} is not published")]
    Unknown(Hostname),
    #[error(transparent)]
    Edge(#[from] EdgeError),
}

impl Door {
    pub(crate) fn of_site(core: &Core) -> Self {
        let hostname = core.site.hostname.clone();
        Self { shown: core.shown(&hostname), hostname, audience: core.site.audience.clone() }
    }

    fn of_instance(core: &Core, published: &Published) -> Self {
        let hostname = published.route.hostname.clone();
        Self { shown: core.shown(&hostname), hostname, audience: published.route.audience.clone() }
    }
}

/// Finds what a request's hostname stands for.
pub(crate) async fn find(core: &Core, uri: &Uri, headers: &HeaderMap) -> Result<Found, NoDoor> {
    let hostname = Hostname::of(uri, headers)?;
    if hostname == core.site.hostname {
        return Ok(Found::Site(Door::of_site(core)));
    }
    if !hostname.is_below(&core.settings.base_domain) {
        return Err(NoDoor::NotOurs(hostname));
    }
    match core.hostnames.find(&core.db, &hostname, core.clock.now()).await? {
        Some(published) => Ok(Found::Instance(Door::of_instance(core, &published), published)),
        None => Err(NoDoor::Unknown(hostname)),
    }
}

impl FromRequestParts<Arc<Core>> for Door {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, core: &Arc<Core>) -> Result<Self, Response> {
        match find(core, &parts.uri, &parts.headers).await {
            Ok(Found::Site(door) | Found::Instance(door, _)) => Ok(door),
            Err(none) => Err(answer::no_door(core, &none, answer::Reader::of(&parts.method, &parts.headers))),
        }
    }
}
