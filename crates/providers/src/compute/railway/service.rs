use aws_lc_rs::digest::{SHA256, digest};
use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::answers::{Page, VolumeInstance, WithId};
use super::{Home, LAG, Railway, no_project, operations};
use crate::compute::{GuardSettings, ModelOffer};
use crate::resources::Made;
use crate::{ProviderError, Routing};

/// Where the volume is.
pub(super) const DATA: &str = "/data";
/// Where the guard listens, and where domains lead.
pub(super) const PORT: u16 = 8080;
/// The record of the settings that the next deployment gets: a digest of them.
pub(super) const SETTINGS: &str = "settings";
/// What somebody did in the dashboard.
pub(super) const SERVICE_GONE: &str = "its service was deleted there";
/// Volumes that come one after the other too soon are refused.
const BETWEEN_VOLUMES: SignedDuration = SignedDuration::from_secs(2);

impl Railway {
    /// Mounts the volume and sets variables and limits. Nothing is deployed by it.
    pub(super) async fn set_up(&self, home: &Home, settings: &GuardSettings) -> Result<(), ProviderError> {
        self.make_volume(home).await?;
        let variables = variables(settings, self.settings.routing, self.settings.model.as_ref());
        let key = home.key(SETTINGS, DATA);
        let told = Made::plain(hex::encode(digest(&SHA256, variables.to_string().as_bytes())));
        let change = self.resources.find(&key).await?.and_then(|held| held.made).as_ref() != Some(&told);
        if change {
            self.outdate(home).await?;
        }
        self.set_variables(home, &variables, true).await?;
        if let Some(limits) = self.settings.limits {
            // Always both: what is left out is lifted.
            let input = json!({
                "serviceId": home.service, "environmentId": home.environment,
                "vCPUs": limits.vcpus, "memoryGB": limits.memory_gb,
            });
            self.change(home, &operations::SET_LIMITS, json!({ "input": input })).await?;
        }
        if change { self.resources.keep(&key, &told).await } else { Ok(()) }
    }

    /// Sets variables in one go, without a deployment for each.
    pub(super) async fn set_variables(
        &self,
        home: &Home,
        variables: &Value,
        replace: bool,
    ) -> Result<(), ProviderError> {
        let input = json!({
            "projectId": home.project, "environmentId": home.environment, "serviceId": home.service,
            "replace": replace, "skipDeploys": true, "variables": variables,
        });
        self.change(home, &operations::SET_VARIABLES, json!({ "input": input })).await
    }

    /// Asks for a change of the service, and explains when it is not there.
    pub(super) async fn change(
        &self,
        home: &Home,
        operation: &operations::Operation,
        variables: Value,
    ) -> Result<(), ProviderError> {
        match self.graph.ask::<bool>(operation, variables).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.explain(home, error).await),
        }
    }

    /// What it means that something of the project is missing: an instance appears a while after its
    /// service.
    pub(super) async fn explain(&self, home: &Home, error: ProviderError) -> ProviderError {
        if !matches!(error, ProviderError::NotFound { .. }) {
            return error;
        }
        match self.project(&home.project).await {
            Err(error) => error,
            Ok(None) if self.clock.now() < home.since + LAG => being_prepared(),
            Ok(None) => no_project(&home.name),
            Ok(Some(project)) => {
                let mut services = project.services.into_iter().flat_map(Page::into_items);
                if services.any(|service| service.id == home.service) {
                    return being_prepared();
                }
                let what = format!("use the Railway project {}", home.name);
                let next = "delete the instance, or have it made anew and restore its data";
                ProviderError::refused(what, SERVICE_GONE, next)
            }
        }
    }

    async fn make_volume(&self, home: &Home) -> Result<(), ProviderError> {
        let look = async || {
            let volumes = self.volumes(home).await?;
            let found = volumes.into_iter().find(|volume| {
                volume.mount_path == DATA && volume.service_id.as_deref() == Some(home.service.as_str())
            });
            Ok(found.map(|volume| Made::plain(volume.volume_id)))
        };
        let make = async || {
            self.graph.slowly(operations::CREATE_VOLUME.field, BETWEEN_VOLUMES).await?;
            let mut input = json!({
                "projectId": home.project, "environmentId": home.environment, "serviceId": home.service,
                "mountPath": DATA,
            });
            if let Some(region) = &self.settings.region {
                input["region"] = region.as_str().into();
            }
            let made: WithId = self.graph.ask(&operations::CREATE_VOLUME, json!({ "input": input })).await?;
            Ok(Made::plain(made.id))
        };
        let made = self.resources.ensure(&home.key("volume", DATA), LAG, look, make).await;
        match made {
            Ok(_) => Ok(()),
            Err(error) => Err(self.explain(home, error).await),
        }
    }

    async fn volumes(&self, home: &Home) -> Result<Vec<VolumeInstance>, ProviderError> {
        let project = self.project(&home.project).await?.ok_or_else(|| no_project(&home.name))?;
        let environments = project.environments.into_iter().flat_map(Page::into_items);
        let volumes = environments.filter_map(|held| held.volume_instances).flat_map(Page::into_items);
        Ok(volumes.filter(|volume| !volume.is_pending_deletion).collect())
    }
}

/// Something is made already and can't be seen yet.
pub(super) fn being_prepared() -> ProviderError {
    ProviderError::not_yet("your place is being prepared", SignedDuration::from_secs(3))
}

/// What the guard is told. `GUARD_LISTEN` stays away, so that it listens on `$PORT`.
fn variables(settings: &GuardSettings, routing: Routing, model: Option<&ModelOffer>) -> Value {
    let host = settings.public_url.split_once("://").map_or(settings.public_url.as_str(), |(_, host)| host);
    let mut variables = json!({
        "PORT": PORT.to_string(),
        "GUARD_INSTANCE": settings.instance.to_string(),
        "GUARD_ISSUER": settings.issuer,
        "GUARD_AUDIENCE": settings.audiences.join(","),
        "GUARD_MAIN_URL": settings.main_url,
        "GUARD_MAIN_KEY": settings.main_key,
        "GUARD_INSTANCE_TOKEN": settings.instance_token.expose_secret(),
        "GUARD_STATE": format!("{DATA}/.guard"),
        "DATA": DATA,
        "HOSTNAME_PUBLIC": host.trim_end_matches('/'),
        // The volume belongs to root, whatever user the image names.
        "RAILWAY_RUN_UID": "0",
    });
    if let Some(model) = model {
        for (name, value) in model.variables(&format!("http://127.0.0.1:{PORT}")) {
            variables[name] = value.into();
        }
        if model.passes_on() {
            variables[ModelOffer::GUARD] = "true".into();
        }
    }
    if routing == Routing::Wildcard {
        variables["GUARD_BEHIND_ROUTER"] = "true".into();
    }
    variables
}
