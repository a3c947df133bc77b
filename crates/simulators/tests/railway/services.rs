use serde_json::json;
use simulators::railway::{Kind, Settings};

use crate::harness::{House, text};

#[tokio::test]
async fn a_new_services_instance_appears_later() {
    let house = House::open(Settings::default()).await;
    let home = house.home("one").await;
    assert!(house.refused("Instance", home.keys()).await.0.contains("ServiceInstance not found"));
    assert!(house.refused("Deploy", home.keys()).await.0.contains("ServiceInstance not found"));
    house.pass(3);
    let instance = &house.done("Instance", home.keys()).await["serviceInstance"];
    assert_eq!(instance["source"]["image"], "registry.example/app:1");
    assert_eq!(instance["latestDeployment"]["status"], "INITIALIZING");
}

#[tokio::test]
async fn settings_stay_but_for_the_number_of_replicas() {
    let house = House::open(Settings::quick()).await;
    let home = house.home("one").await;
    let with = |input| {
        let mut keys = home.keys();
        keys["input"] = input;
        keys
    };
    let first = json!({ "healthcheckPath": "/healthz", "numReplicas": 3, "sleepApplication": true });
    house.done("InstanceUpdate", with(first)).await;
    assert_eq!(house.done("Instance", home.keys()).await["serviceInstance"]["numReplicas"], 3);
    house.done("InstanceUpdate", with(json!({ "source": { "image": "registry.example/app:2" } }))).await;
    let instance = &house.done("Instance", home.keys()).await["serviceInstance"];
    assert_eq!(instance["numReplicas"], 1);
    assert_eq!((&instance["healthcheckPath"], &instance["sleepApplication"]), (&json!("/healthz"), &json!(true)));
    assert_eq!(instance["source"]["image"], "registry.example/app:2");
    assert_eq!(house.railway.creations(Kind::Deployment, "one"), 1, "a change of settings deploys nothing");
    house.done("VolumeCreate", home.input(json!({ "mountPath": "/data" }))).await;
    let (message, _) = house.refused("InstanceUpdate", with(json!({ "numReplicas": 2 }))).await;
    assert!(message.contains("replicas"), "{message}");
}

#[tokio::test]
async fn limits_are_lifted_where_they_are_left_out() {
    let house = House::open(Settings::quick()).await;
    let home = house.home("one").await;
    let limits = |more| {
        let mut input = home.keys();
        input.as_object_mut().unwrap().extend::<serde_json::Map<_, _>>(more);
        json!({ "input": input })
    };
    let both = json!({ "vCPUs": 1, "memoryGB": 0.5 });
    house.done("InstanceLimits", limits(both.as_object().unwrap().clone())).await;
    assert_eq!(house.railway.projects()[0].services[0].limits, (Some(1.0), Some(0.5)));
    let one = json!({ "vCPUs": 2.0 });
    house.done("InstanceLimits", limits(one.as_object().unwrap().clone())).await;
    assert_eq!(house.railway.projects()[0].services[0].limits, (Some(2.0), None));
}

#[tokio::test]
async fn variables_deploy_unless_told_not_to() {
    let house = House::open(Settings::quick()).await;
    let home = house.home("one").await;
    let deployments = || house.railway.creations(Kind::Deployment, "one");
    let before = deployments();
    house.done("VariablesUpsert", home.input(json!({ "variables": { "A": "1" }, "skipDeploys": true }))).await;
    assert_eq!(deployments(), before);
    house.done("VariablesUpsert", home.input(json!({ "variables": { "B": "2" } }))).await;
    assert_eq!(deployments(), before + 1);
    let variables = &house.done("Variables", home.all_keys()).await["variables"];
    assert_eq!((&variables["A"], &variables["B"], &variables["PORT"]), (&json!("1"), &json!("2"), &json!("8000")));
    assert_eq!(variables["RAILWAY_PROJECT_NAME"], "one");
    let only = json!({ "variables": { "C": "3" }, "replace": true, "skipDeploys": true });
    house.done("VariablesUpsert", home.input(only)).await;
    assert_eq!(house.railway.projects()[0].services[0].variables, ["C"]);
    let (message, _) = house.refused("VariablesUpsert", home.input(json!({ "variables": { "D": 4 } }))).await;
    assert_eq!(message, "Problem processing request");
}

#[tokio::test]
async fn a_service_has_one_volume_and_the_lists_lag() {
    let house = House::open(Settings::default()).await;
    let home = house.home("one").await;
    house.pass(3);
    let volume = home.input(json!({ "mountPath": "/data" }));
    let id = text(&house.done("VolumeCreate", volume.clone()).await["volumeCreate"]["id"]);
    assert!(house.refused("VolumeCreate", volume.clone()).await.0.starts_with("Whoa there pal!"));
    house.pass(1);
    assert!(house.refused("VolumeCreate", volume).await.0.contains("has a volume already"));
    let shown = async || {
        let tree = house.done("ProjectTree", json!({ "id": home.project })).await;
        tree["project"]["volumes"]["edges"].as_array().unwrap().len()
    };
    assert_eq!(shown().await, 0);
    house.pass(28);
    assert_eq!(shown().await, 1);
    house.done("VolumeDelete", json!({ "id": id })).await;
    let tree = house.done("ProjectTree", json!({ "id": home.project })).await;
    let instance = &tree["project"]["environments"]["edges"][0]["node"]["volumeInstances"]["edges"][0]["node"];
    assert_eq!(instance["isPendingDeletion"], true);
    house.pass(48 * 3600);
    assert_eq!(shown().await, 0);
    assert!(house.railway.projects()[0].volumes.is_empty());
}

#[tokio::test]
async fn a_backup_takes_its_time_and_a_deleted_service_is_gone() {
    let house = House::open(Settings::quick()).await;
    let home = house.home("one").await;
    house.done("VolumeCreate", home.input(json!({ "mountPath": "/data" }))).await;
    let tree = house.done("ProjectTree", json!({ "id": home.project })).await;
    let instance = &tree["project"]["environments"]["edges"][0]["node"]["volumeInstances"]["edges"][0]["node"];
    let made = house.done("BackupCreate", json!({ "id": instance["id"], "name": "before" })).await;
    let workflow = json!({ "id": made["volumeInstanceBackupCreate"]["workflowId"] });
    assert_eq!(house.done("Workflow", workflow.clone()).await["workflowStatus"]["status"], "Running");
    house.pass(60);
    assert_eq!(house.done("Workflow", workflow).await["workflowStatus"]["status"], "Complete");
    house.done("ServiceDelete", json!({ "id": home.service })).await;
    assert!(house.refused("Instance", home.keys()).await.0.contains("not found"));
    assert_eq!(house.railway.projects()[0].services, []);
}
