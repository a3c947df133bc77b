use reqwest::StatusCode;
use serde_json::json;
use simulators::Fault;
use simulators::railway::{Fate, Kind, Settings};

use crate::harness::{House, text};

#[tokio::test]
async fn a_project_is_made_with_its_environment_and_read_as_one_tree() {
    let house = House::open(Settings::quick()).await;
    let home = house.home("one").await;
    house.done("VolumeCreate", home.input(json!({ "mountPath": "/data" }))).await;
    let tree = &house.done("ProjectTree", json!({ "id": home.project })).await["project"];
    let environment = &tree["environments"]["edges"][0]["node"];
    assert_eq!((&tree["name"], &tree["deletedAt"]), (&json!("one"), &json!(null)));
    assert_eq!(environment["name"], "production");
    let instance = &environment["serviceInstances"]["edges"][0]["node"];
    assert_eq!((&instance["serviceName"], &instance["latestDeployment"]["status"]), (&json!("app"), &json!("SUCCESS")));
    let volume = &environment["volumeInstances"]["edges"][0]["node"];
    assert_eq!((&volume["mountPath"], &volume["state"]), (&json!("/data"), &json!("READY")));
    assert_eq!(tree["services"]["edges"][0]["node"]["name"], "app");
    assert_eq!(tree["volumes"]["edges"][0]["node"]["name"], "app-volume");
}

#[tokio::test]
async fn names_are_not_unique_and_a_second_project_must_wait() {
    let house = House::open(Settings::default()).await;
    house.project("twin").await;
    let again = json!({ "input": { "name": "twin" } });
    let (message, code) = house.refused("ProjectCreate", again.clone()).await;
    assert!(message.contains("too quickly") && message.contains("every 30s"), "{message}");
    assert_eq!(code, "INTERNAL_SERVER_ERROR");
    house.pass(30);
    house.done("ProjectCreate", again).await;
    assert_eq!(house.railway.creations(Kind::Project, "twin"), 2);
}

#[tokio::test]
async fn a_new_project_is_missing_from_the_list_for_a_while_and_a_deleted_one_stays() {
    let house = House::open(Settings::default()).await;
    let id = text(&house.project("late").await["id"]);
    assert_eq!(house.listed().await, 0);
    assert_eq!(house.done("ProjectTree", json!({ "id": id })).await["project"]["name"], "late");
    house.pass(28);
    assert_eq!(house.listed().await, 1);
    house.done("ProjectDelete", json!({ "id": id })).await;
    assert_eq!(house.listed().await, 1);
    assert!(house.refused("ProjectTree", json!({ "id": id })).await.0.contains("Project not found"));
    house.pass(28);
    assert_eq!(house.listed().await, 0);
}

#[tokio::test]
async fn reading_by_id_lags_too_if_it_is_told_to() {
    let house = House::open(Settings::quick()).await;
    house.railway.change(|settings| settings.read_lag = jiff::SignedDuration::from_secs(5));
    let id = text(&house.project("late").await["id"]);
    assert!(house.refused("ProjectTree", json!({ "id": id })).await.0.contains("Project not found"));
    house.pass(5);
    house.done("ProjectTree", json!({ "id": id })).await;
}

#[tokio::test]
async fn an_answer_that_is_lost_leaves_the_project_made() {
    let house = House::open(Settings::quick()).await;
    house.served.faults.once("projectCreate", Fault::ResetAfter);
    let body = json!({ "query": "mutation { projectCreate(input: { name: \"lost\" }) { id } }" });
    assert!(house.send(&body, &[("authorization", house.bearer())]).await.is_err());
    assert_eq!(house.railway.creations(Kind::Project, "lost"), 1);
    assert_eq!(house.listed().await, 1);
    house.served.faults.once("projectCreate", Fault::Status(503));
    let answer = house.send(&body, &[("authorization", house.bearer())]).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(house.railway.creations(Kind::Project, "lost"), 1);
}

#[tokio::test]
async fn a_scheduled_deletion_can_be_taken_back_and_happens_after_48_hours() {
    let house = House::open(Settings::quick()).await;
    let id = json!({ "id": house.project("old").await["id"] });
    house.done("ProjectScheduleDelete", id.clone()).await;
    let listed = house.done("FindProjects", json!({ "ws": "ws-simulated" })).await;
    assert!(listed["projects"]["edges"][0]["node"]["deletedAt"].is_string());
    assert_eq!(house.railway.projects()[0].fate, Fate::Scheduled);
    house.done("ProjectScheduleDeleteCancel", id.clone()).await;
    house.pass(50 * 3600);
    assert_eq!(house.railway.projects()[0].fate, Fate::Kept);
    house.done("ProjectScheduleDelete", id.clone()).await;
    house.pass(48 * 3600 - 1);
    assert_eq!(house.listed().await, 1);
    house.pass(1);
    assert_eq!(house.listed().await, 0);
    assert_eq!(house.railway.projects()[0].fate, Fate::Deleted);
    assert!(house.refused("ProjectScheduleDelete", id).await.0.contains("Project not found"));
}

#[tokio::test]
async fn the_list_is_read_in_pages_newest_first() {
    let house = House::open(Settings::quick()).await;
    for number in 0..5 {
        house.project(&format!("p{number}")).await;
    }
    let query = "query($after: String) { projects(first: 2, after: $after) {
        pageInfo { hasNextPage endCursor } edges { node { name } } } }";
    let (mut names, mut after) = (Vec::new(), json!(null));
    loop {
        let body = json!({ "query": query, "variables": { "after": after } });
        let answer = house.send(&body, &[("authorization", house.bearer())]).await.unwrap();
        let page = answer.json::<serde_json::Value>().await.unwrap()["data"]["projects"].clone();
        names.extend(page["edges"].as_array().unwrap().iter().map(|edge| text(&edge["node"]["name"])));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(names, ["p4", "p3", "p2", "p1", "p0"]);
}

#[tokio::test]
async fn a_project_that_vanishes_behind_our_back_is_gone() {
    let house = House::open(Settings::quick()).await;
    house.project("clicked").await;
    house.railway.vanish("clicked");
    assert_eq!(house.listed().await, 0);
}

#[tokio::test]
async fn a_bad_name_and_a_foreign_workspace_are_refused() {
    let house = House::open(Settings::quick()).await;
    let (message, _) = house.refused("ProjectCreate", json!({ "input": { "name": "a/b" } })).await;
    assert!(message.contains("Invalid project name"));
    let elsewhere = json!({ "input": { "name": "a", "workspaceId": "other" } });
    assert_eq!(house.refused("ProjectCreate", elsewhere).await.0, "Not Authorized");
}
