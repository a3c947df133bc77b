use serde::Deserialize;
use serde_json::Value;

use super::refusal::Refusal;
use super::state::{Project, State, Variables};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Scope {
    pub(super) project_id: String,
    pub(super) environment_id: String,
    pub(super) service_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CollectionUpsert {
    #[serde(flatten)]
    scope: Scope,
    variables: Value,
    replace: Option<bool>,
    skip_deploys: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Upsert {
    #[serde(flatten)]
    scope: Scope,
    name: String,
    value: String,
    skip_deploys: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct Delete {
    #[serde(flatten)]
    scope: Scope,
    name: String,
}

impl State {
    pub(super) fn variable_collection_upsert(&mut self, asked: CollectionUpsert) -> Result<Value, Refusal> {
        let variables = read_variables(asked.variables)?;
        let replace = asked.replace.unwrap_or(false);
        self.change(&asked.scope, asked.skip_deploys.unwrap_or(false), |held| {
            if replace {
                held.clear();
            }
            held.extend(variables);
        })
    }

    pub(super) fn variable_upsert(&mut self, asked: Upsert) -> Result<Value, Refusal> {
        self.change(&asked.scope, asked.skip_deploys.unwrap_or(false), |held| {
            held.insert(asked.name, asked.value);
        })
    }

    pub(super) fn variable_delete(&mut self, asked: &Delete) -> Result<Value, Refusal> {
        self.change(&asked.scope, false, |held| {
            held.remove(&asked.name);
        })
    }

    pub(super) fn variables(&self, scope: &Scope) -> Result<Value, Refusal> {
        let project = self.at(self.scope_place(scope)?);
        let variables = match &scope.service_id {
            Some(service) => self.effective_variables(project, service, &scope.environment_id),
            None => project.variables.get(&(scope.environment_id.clone(), None)).cloned().unwrap_or_default(),
        };
        Ok(variables.into_iter().map(|(name, value)| (name, Value::from(value))).collect())
    }

    /// What a deployment sees: its own variables and those that Railway adds.
    pub(super) fn effective_variables(&self, project: &Project, service: &str, environment: &str) -> Variables {
        let key = (environment.to_owned(), Some(service.to_owned()));
        let mut variables = project.variables.get(&key).cloned().unwrap_or_default();
        let mut add = |name: &str, value: &str| variables.insert(name.to_owned(), value.to_owned());
        add("RAILWAY_PROJECT_ID", &project.id);
        add("RAILWAY_PROJECT_NAME", &project.name);
        add("RAILWAY_ENVIRONMENT_ID", environment);
        add("RAILWAY_ENVIRONMENT_NAME", project.environment(environment).map_or("", |held| &held.name));
        add("RAILWAY_SERVICE_ID", service);
        add("RAILWAY_SERVICE_NAME", project.service(service).map_or("", |held| &held.name));
        if let Some(mounted) = project.volume_of(service, environment, self.now) {
            let volume = project.volumes.iter().find(|volume| volume.id == mounted.volume);
            add("RAILWAY_VOLUME_MOUNT_PATH", &mounted.mount_path);
            add("RAILWAY_VOLUME_NAME", volume.map_or("", |volume| &volume.name));
        }
        variables
    }

    fn change(
        &mut self,
        scope: &Scope,
        skip_deploys: bool,
        change: impl FnOnce(&mut Variables),
    ) -> Result<Value, Refusal> {
        let place = self.scope_place(scope)?;
        let key = (scope.environment_id.clone(), scope.service_id.clone());
        change(self.at_mut(place).variables.entry(key).or_default());
        if !skip_deploys {
            let is_meant = |service: &str| scope.service_id.as_deref().is_none_or(|only| only == service);
            let affected: Vec<String> = self
                .at(place)
                .instances
                .iter()
                .filter(|held| held.environment == scope.environment_id && is_meant(&held.service))
                .map(|held| held.service.clone())
                .collect();
            for service in affected {
                self.deploy_if_it_can(place, &service, &scope.environment_id);
            }
        }
        Ok(true.into())
    }

    fn scope_place(&self, scope: &Scope) -> Result<usize, Refusal> {
        let place = self.project_place(&scope.project_id)?;
        self.at(place).environment(&scope.environment_id)?;
        if let Some(service) = &scope.service_id {
            self.at(place).service(service)?;
        }
        Ok(place)
    }
}

/// A map of names to texts; anything else is refused without a reason.
pub(super) fn read_variables(given: Value) -> Result<Variables, Refusal> {
    serde_json::from_value(given).map_err(|_| Refusal::problem())
}
