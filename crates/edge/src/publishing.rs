//! What a driver and the control plane change: where hostnames lead, and who may enter. All of it
//! may be done twice.

use access::MemberRule;
use domain::InstanceId;

use crate::hostname::Hostname;
use crate::hostnames::{HostState, Published, Route};
use crate::{Edge, EdgeError, store as rows};

impl Edge {
    /// Publishes a hostname, or changes where it leads. A new one is active at once; one that was
    /// known keeps its state.
    ///
    /// # Errors
    /// [`EdgeError::NotBelow`] for names outside the base domain, [`EdgeError::AppSite`] for those of
    /// apps, [`EdgeError::Loop`] for an origin that is this server, [`EdgeError::HostnameTaken`] and
    /// [`EdgeError::AudienceTaken`] when another instance has the name or the audience, [`EdgeError::Store`].
    pub async fn publish(&self, route: &Route) -> Result<(), EdgeError> {
        let core = &self.core;
        if route.hostname == core.site.hostname || !route.hostname.is_below(&core.settings.base_domain) {
            let base_domain = core.settings.base_domain.clone();
            return Err(EdgeError::NotBelow { hostname: route.hostname.clone(), base_domain });
        }
        if access::app_site::instance_at(route.hostname.as_str()).is_some() {
            return Err(EdgeError::AppSite(route.hostname.clone()));
        }
        if let Some(origin) = route.upstream.name().filter(|name| core.is_ours(name)) {
            return Err(EdgeError::Loop { hostname: route.hostname.clone(), origin: origin.clone() });
        }
        let mut tx = core.db.begin().await?;
        if let Some(other) = rows::other_holder(&mut tx, route).await? {
            return Err(EdgeError::AudienceTaken { hostname: route.hostname.clone(), other });
        }
        if !rows::publish(&mut tx, route).await? {
            return Err(EdgeError::HostnameTaken(route.hostname.clone()));
        }
        tx.commit().await?;
        core.hostnames.forget();
        Ok(())
    }

    /// Opens or closes a published hostname, with a sentence for visitors that replaces the usual
    /// one. `false` when the hostname is not published.
    ///
    /// # Errors
    /// [`EdgeError::Store`].
    pub async fn set_state(
        &self,
        hostname: &Hostname,
        state: HostState,
        note: Option<&str>,
    ) -> Result<bool, EdgeError> {
        let changed = rows::set_state(&self.core.db, hostname, state, note).await?;
        self.core.hostnames.forget();
        Ok(changed)
    }

    /// Removes a hostname with its admissions and waiting codes.
    ///
    /// # Errors
    /// [`EdgeError::Store`].
    pub async fn unpublish(&self, hostname: &Hostname) -> Result<(), EdgeError> {
        let mut tx = self.core.db.begin().await?;
        rows::unpublish(&mut tx, hostname).await?;
        tx.commit().await?;
        self.core.hostnames.forget();
        self.core.upstreams.forget(hostname);
        Ok(())
    }

    /// Opens or closes a hostname if it is published for this instance; whether it is.
    ///
    /// # Errors
    /// [`EdgeError::Store`].
    pub async fn set_state_of(
        &self,
        hostname: &Hostname,
        instance: InstanceId,
        state: HostState,
        note: Option<&str>,
    ) -> Result<bool, EdgeError> {
        let changed = rows::set_state_of(&self.core.db, hostname, instance, state, note).await?;
        self.core.hostnames.forget();
        Ok(changed)
    }

    /// Removes a hostname like [`Edge::unpublish`], unless it is published for another instance;
    /// whether it was published for this one.
    ///
    /// # Errors
    /// [`EdgeError::Store`].
    pub async fn unpublish_of(&self, hostname: &Hostname, instance: InstanceId) -> Result<bool, EdgeError> {
        let mut tx = self.core.db.begin().await?;
        let removed = rows::unpublish_of(&mut tx, hostname, instance).await?;
        tx.commit().await?;
        self.core.hostnames.forget();
        if removed {
            self.core.upstreams.forget(hostname);
        }
        Ok(removed)
    }

    /// A published hostname, `None` when it is not published.
    ///
    /// # Errors
    /// [`EdgeError::Store`], [`EdgeError::Unreadable`].
    pub async fn find(&self, hostname: &Hostname) -> Result<Option<Published>, EdgeError> {
        rows::find(&self.core.db, hostname).await
    }

    /// All published hostnames, by name.
    ///
    /// # Errors
    /// [`EdgeError::Store`], [`EdgeError::Unreadable`].
    pub async fn list(&self) -> Result<Vec<Published>, EdgeError> {
        rows::list(&self.core.db).await
    }

    /// Makes exactly these rules the ones that admit to a hostname, be it the site's or one that
    /// is still to be published.
    ///
    /// # Errors
    /// [`EdgeError::Store`].
    pub async fn set_admissions(&self, hostname: &Hostname, rules: &[MemberRule]) -> Result<(), EdgeError> {
        let mut tx = self.core.db.begin().await?;
        rows::clear_admissions(&mut tx, hostname).await?;
        for rule in rules {
            rows::admit(&mut tx, hostname, rule).await?;
        }
        tx.commit().await?;
        self.core.hostnames.forget();
        Ok(())
    }

    /// Makes exactly these rules the ones that admit to a hostname, if it is published for this
    /// instance; whether it is.
    ///
    /// # Errors
    /// [`EdgeError::Store`].
    pub async fn set_admissions_of(
        &self,
        hostname: &Hostname,
        instance: InstanceId,
        rules: &[MemberRule],
    ) -> Result<bool, EdgeError> {
        let mut tx = self.core.db.begin().await?;
        if !rows::hold(&mut tx, hostname, instance).await? {
            return Ok(false);
        }
        rows::clear_admissions(&mut tx, hostname).await?;
        for rule in rules {
            rows::admit(&mut tx, hostname, rule).await?;
        }
        tx.commit().await?;
        self.core.hostnames.forget();
        Ok(true)
    }

    /// Adds one rule; `false` when it was there already.
    ///
    /// # Errors
    /// [`EdgeError::Store`].
    pub async fn admit(&self, hostname: &Hostname, rule: &MemberRule) -> Result<bool, EdgeError> {
        let mut tx = self.core.db.begin().await?;
        let added = rows::admit(&mut tx, hostname, rule).await?;
        tx.commit().await?;
        self.core.hostnames.forget();
        Ok(added)
    }
}
