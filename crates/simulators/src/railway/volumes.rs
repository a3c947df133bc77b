use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::page::{Wanted, page};
use super::refusal::Refusal;
use super::state::{Project, State};
use super::{Kind, Plan};

/// A deleted volume can be had back for so long.
const RESTORABLE: SignedDuration = SignedDuration::from_hours(48);
/// So long does a backup take.
const BACKUP: SignedDuration = SignedDuration::from_secs(20);

#[derive(Debug)]
pub(super) struct Volume {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) created: Timestamp,
    pub(super) deleted: Option<Timestamp>,
}

/// A volume in one environment.
#[derive(Debug)]
pub(super) struct VolumeInstance {
    pub(super) id: String,
    pub(super) volume: String,
    pub(super) environment: String,
    pub(super) service: Option<String>,
    pub(super) mount_path: String,
    region: Option<String>,
    pub(super) created: Timestamp,
    pub(super) deleted: Option<Timestamp>,
}

/// A backup that was asked for, by its workflow.
#[derive(Debug)]
pub(super) struct Backup {
    pub(super) project: usize,
    pub(super) asked: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VolumeCreate {
    project_id: String,
    /// Left out means all environments, null means none.
    #[serde(default, deserialize_with = "given")]
    environment_id: Option<Option<String>>,
    service_id: Option<String>,
    mount_path: String,
    region: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VolumeUpdate {
    volume_id: String,
    environment_id: Option<String>,
    input: VolumeChange,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VolumeChange {
    mount_path: Option<String>,
    #[serde(default, deserialize_with = "given")]
    service_id: Option<Option<String>>,
}

impl State {
    pub(super) fn volume_create(&mut self, input: VolumeCreate) -> Result<Value, Refusal> {
        let place = self.project_place(&input.project_id)?;
        check_path(&input.mount_path)?;
        if self.is_too_soon(Kind::Volume, self.settings.volume_throttle) {
            return Err(Refusal::internal("Whoa there pal! One volume at a time, please."));
        }
        let project = self.at(place);
        if project.volumes.iter().filter(|volume| volume.deleted.is_none()).count() >= self.most_volumes() {
            return Err(Refusal::plan_limit("This project has as many volumes as its plan allows"));
        }
        let environments: Vec<String> = match &input.environment_id {
            None => project.environments.iter().map(|environment| environment.id.clone()).collect(),
            Some(None) => Vec::new(),
            Some(Some(id)) => vec![project.environment(id)?.id.clone()],
        };
        let base = match &input.service_id {
            Some(service) => project.service(service)?.name.clone(),
            None => project.name.clone(),
        };
        for environment in &environments {
            if let Some(service) = &input.service_id {
                self.refuse_second_volume(project, service, environment)?;
            }
        }
        let name = format!("{base}-volume");
        let (id, now, project_name) = (self.id(place), self.now, self.at(place).name.clone());
        let volume = Volume { id: id.clone(), name, created: now, deleted: None };
        let view = volume_view(self.at(place), &volume);
        self.at_mut(place).volumes.push(volume);
        for environment in environments {
            let made = VolumeInstance {
                id: self.id(place),
                volume: id.clone(),
                environment,
                service: input.service_id.clone(),
                mount_path: input.mount_path.clone(),
                region: input.region.clone(),
                created: now,
                deleted: None,
            };
            self.at_mut(place).volume_instances.push(made);
        }
        self.note_made(Kind::Volume, &project_name);
        Ok(view)
    }

    pub(super) fn volume_delete(&mut self, id: &str) -> Result<Value, Refusal> {
        let (place, now) = (self.place(id, "Volume")?, self.now);
        let project = self.at_mut(place);
        let held = project.volumes.iter_mut().find(|held| held.id == id && held.deleted.is_none());
        held.ok_or_else(|| Refusal::not_found("Volume"))?.deleted = Some(now);
        for instance in project.volume_instances.iter_mut().filter(|held| held.volume == id) {
            instance.deleted = Some(now);
        }
        Ok(true.into())
    }

    pub(super) fn volume_instance_update(&mut self, asked: VolumeUpdate) -> Result<Value, Refusal> {
        let place = self.place(&asked.volume_id, "VolumeInstance")?;
        let is_meant = |held: &VolumeInstance| {
            held.volume == asked.volume_id
                && held.deleted.is_none()
                && asked.environment_id.as_ref().is_none_or(|only| *only == held.environment)
        };
        let project = self.at(place);
        if let Some(path) = &asked.input.mount_path {
            check_path(path)?;
        }
        for held in project.volume_instances.iter().filter(|held| is_meant(held)) {
            if let Some(Some(service)) = &asked.input.service_id
                && held.service.as_ref() != Some(service)
            {
                project.service(service)?;
                self.refuse_second_volume(project, service, &held.environment)?;
            }
        }
        let mut changed = 0;
        for held in self.at_mut(place).volume_instances.iter_mut().filter(|held| is_meant(held)) {
            held.mount_path = asked.input.mount_path.clone().unwrap_or_else(|| held.mount_path.clone());
            held.service = asked.input.service_id.clone().unwrap_or_else(|| held.service.take());
            changed += 1;
        }
        if changed == 0 { Err(Refusal::not_found("VolumeInstance")) } else { Ok(true.into()) }
    }

    pub(super) fn backup_create(&mut self, instance: &str) -> Result<Value, Refusal> {
        let place = self.place(instance, "VolumeInstance")?;
        let is_meant = |held: &VolumeInstance| held.id == instance && held.deleted.is_none();
        if !self.at(place).volume_instances.iter().any(is_meant) {
            return Err(Refusal::not_found("VolumeInstance"));
        }
        let workflow = self.id(place);
        self.backups.insert(workflow.clone(), Backup { project: place, asked: self.now });
        Ok(json!({ "workflowId": workflow }))
    }

    pub(super) fn workflow_status(&self, workflow: &str) -> Value {
        let status = match self.backups.get(workflow) {
            None => "NotFound",
            Some(backup) if self.now.duration_since(backup.asked) < BACKUP => "Running",
            Some(_) => "Complete",
        };
        json!({ "status": status, "error": null })
    }

    pub(super) fn volume_list(&self, project: &Project, wanted: &Wanted) -> Result<Value, Refusal> {
        let is_shown = |held: &Volume| self.is_listed(held.created, held.deleted);
        page(&project.volumes, wanted, |held| &held.id, is_shown, |held| volume_view(project, held))
    }

    pub(super) fn volume_instance_list(
        &self,
        project: &Project,
        environment: &str,
        wanted: &Wanted,
    ) -> Result<Value, Refusal> {
        let is_shown =
            |held: &VolumeInstance| held.environment == environment && self.is_listed(held.created, held.deleted);
        page(&project.volume_instances, wanted, |held| &held.id, is_shown, |held| self.volume_instance_view(held))
    }

    fn is_listed(&self, created: Timestamp, deleted: Option<Timestamp>) -> bool {
        self.now.duration_since(created) >= self.settings.volume_lag
            && deleted.is_none_or(|at| self.now.duration_since(at) < RESTORABLE)
    }

    fn volume_instance_view(&self, held: &VolumeInstance) -> Value {
        json!({
            "id": held.id,
            "volumeId": held.volume,
            "serviceId": held.service,
            "environmentId": held.environment,
            "mountPath": held.mount_path,
            "region": held.region,
            "state": if held.deleted.is_some() { "DELETING" } else { "READY" },
            "sizeMB": if self.settings.plan == Plan::Hobby { 5_000 } else { 50_000 },
            "currentSizeMB": USED_GB * 1000.0,
            "isPendingDeletion": held.deleted.is_some(),
            "createdAt": held.created,
            "deletedAt": held.deleted,
        })
    }

    fn refuse_second_volume(&self, project: &Project, service: &str, environment: &str) -> Result<(), Refusal> {
        match project.volume_of(service, environment, self.now) {
            Some(_) => Err(Refusal::internal("The service has a volume already; it can't have another")),
            None => Ok(()),
        }
    }

    fn most_volumes(&self) -> usize {
        match self.settings.plan {
            Plan::Free => 1,
            Plan::Hobby => 10,
            Plan::Pro | Plan::Unlimited => 20,
        }
    }
}

/// Every volume is said to hold so much.
pub(super) const USED_GB: f64 = 0.2;

impl Project {
    /// The volume that is mounted into a service at a moment.
    pub(super) fn volume_of(&self, service: &str, environment: &str, now: Timestamp) -> Option<&VolumeInstance> {
        self.volume_instances.iter().find(|held| {
            held.service.as_deref() == Some(service)
                && held.environment == environment
                && held.deleted.is_none_or(|at| now < at)
        })
    }
}

fn volume_view(project: &Project, volume: &Volume) -> Value {
    json!({ "id": volume.id, "name": volume.name, "projectId": project.id, "createdAt": volume.created })
}

fn check_path(path: &str) -> Result<(), Refusal> {
    if path.starts_with('/') { Ok(()) } else { Err(Refusal::bad_input("The mount path must begin with /")) }
}

/// Tells null from nothing.
fn given<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}
