use std::sync::Arc;

use access::app_site;
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
    /// Whose admissions count: an instance's also where its app is shown, so that whoever may not
    /// enter the one does not enter the other either.
    pub(crate) admitting: Hostname,
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
        Self {
            shown: core.shown(&hostname),
            admitting: hostname.clone(),
            hostname,
            audience: core.site.audience.clone(),
        }
    }

    fn of_instance(core: &Core, published: &Published) -> Self {
        let hostname = published.route.hostname.clone();
        let audience = published.route.audience.clone();
        Self { shown: core.shown(&hostname), admitting: hostname.clone(), hostname, audience }
    }

    /// Whether the instance's app is behind it, and not the instance itself.
    pub(crate) fn is_apps(&self) -> bool {
        self.hostname != self.admitting
    }

    /// Another door to the same instance: its own sign-in, the same people.
    fn of_app_site(core: &Core, hostname: Hostname, published: &Published) -> Self {
        let admitting = published.route.hostname.clone();
        let audience = app_site::audience_of(&published.route.audience);
        Self { shown: core.shown(&hostname), admitting, hostname, audience }
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
    if let Some(published) = core.hostnames.find(&core.db, &hostname, core.clock.now()).await? {
        return Ok(Found::Instance(Door::of_instance(core, &published), published));
    }
    match behind_app_site(core, &hostname).await? {
        Some(published) => Ok(Found::Instance(Door::of_app_site(core, hostname, &published), published)),
        None => Err(NoDoor::Unknown(hostname)),
    }
}

/// The instance whose app is shown at a hostname. It is not published beside the instance but found
/// through it, so that both are opened, closed and removed in one.
async fn behind_app_site(core: &Core, hostname: &Hostname) -> Result<Option<Published>, EdgeError> {
    let name = app_site::instance_at(hostname.as_str()).filter(|_| core.settings.app_sites);
    let Some(name) = name.and_then(|name| Hostname::parse(&name).ok()) else { return Ok(None) };
    let published = core.hostnames.find(&core.db, &name, core.clock.now()).await?;
    Ok(published.filter(|published| published.route.instance.is_some()))
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
