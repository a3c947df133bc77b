use jiff::SignedDuration;
use serde_json::{Value, json};
use simulators::railway::{Behaviour, Route, Settings, Span};

use crate::harness::{Home, House, text};

fn slow() -> Settings {
    Settings { deploy: Span::seconds(100, 100), ..Settings::quick() }
}

async fn image(house: &House, home: &Home, image: &str) {
    let mut asked = home.keys();
    asked["input"] = json!({ "source": { "image": image } });
    house.done("InstanceUpdate", asked).await;
}

async fn host(house: &House, home: &Home) -> String {
    let input = json!({ "input": home.keys() });
    text(&house.done("ServiceDomainCreate", input).await["serviceDomainCreate"]["domain"])
}

#[tokio::test]
async fn a_deployment_walks_through_its_states_and_takes_the_place_of_the_last() {
    let house = House::open(slow()).await;
    let home = house.home("one").await;
    house.pass(100);
    image(&house, &home, "registry.example/app:2").await;
    let first = text(&house.done("Instance", home.keys()).await["serviceInstance"]["latestDeployment"]["id"]);
    let second = house.deploy(&home).await;
    let mut walk = Vec::new();
    for seconds in [0, 10, 40, 49] {
        house.pass(seconds);
        walk.push((house.status(&second).await, house.status(&first).await));
    }
    let running = "SUCCESS".to_owned();
    for (step, wanted) in walk.iter().zip(["INITIALIZING", "BUILDING", "DEPLOYING", "DEPLOYING"]) {
        assert_eq!(*step, (wanted.to_owned(), running.clone()));
    }
    house.pass(1);
    assert_eq!((house.status(&second).await, house.status(&first).await), ("SUCCESS".into(), "REMOVED".into()));
    let instance = &house.done("Instance", home.keys()).await["serviceInstance"];
    assert_eq!(instance["activeDeployments"], json!([{ "id": second, "status": "SUCCESS" }]));
}

#[tokio::test]
async fn deployments_fail_hang_crash_and_sleep_as_told() {
    let house = House::open(slow()).await;
    let home = house.home("one").await;
    let host = host(&house, &home).await;
    house.pass(100);
    assert!(matches!(house.railway.route(&host), Route::Up(_)));

    house.railway.behave("one", Behaviour::Fails);
    let failing = house.deploy(&home).await;
    house.pass(100);
    assert_eq!(house.status(&failing).await, "FAILED");
    assert!(matches!(house.railway.route(&host), Route::Up(_)), "the one before still runs");
    let logs = house.done("DeploymentLogs", json!({ "id": failing })).await;
    let rows = logs["deploymentLogs"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["severity"] == "error"), "{rows:?}");

    house.railway.behave("one", Behaviour::NeverSettles);
    let hanging = house.deploy(&home).await;
    house.pass(10_000);
    assert_eq!(house.status(&hanging).await, "DEPLOYING");
    let (message, _) = house.refused("Redeploy", json!({ "id": hanging })).await;
    assert!(message.starts_with("Cannot redeploy yet"));

    house.railway.behave("one", Behaviour::CrashesAfter(SignedDuration::from_secs(60)));
    let crashing = house.deploy(&home).await;
    house.pass(100);
    assert_eq!(house.status(&crashing).await, "SUCCESS");
    house.pass(60);
    assert_eq!(house.status(&crashing).await, "CRASHED");
    assert_eq!(house.railway.route(&host), Route::BadGateway);

    house.railway.behave("one", Behaviour::Sleeps);
    let sleeping = house.deploy(&home).await;
    house.pass(101);
    assert_eq!(house.status(&sleeping).await, "SLEEPING");
    assert!(matches!(house.railway.route(&host), Route::Up(_)), "a request wakes it");
}

#[tokio::test]
async fn an_instance_that_may_sleep_does_so_when_nobody_asks() {
    let house = House::open(Settings { idle: Some(SignedDuration::from_mins(10)), ..Settings::quick() }).await;
    let home = house.home("one").await;
    let mut asked = home.keys();
    asked["input"] = json!({ "sleepApplication": true });
    house.done("InstanceUpdate", asked).await;
    let host = host(&house, &home).await;
    let deployment = house.deploy(&home).await;
    house.pass(599);
    assert_eq!(house.status(&deployment).await, "SUCCESS");
    house.pass(1);
    assert_eq!(house.status(&deployment).await, "SLEEPING");
    house.railway.route(&host);
    assert_eq!(house.status(&deployment).await, "SUCCESS");
    let rows = house.done("HttpLogs", json!({ "id": deployment })).await;
    assert_eq!(rows["httpLogs"][0]["host"], host);
}

#[tokio::test]
async fn a_rollback_takes_image_and_variables_back_while_the_image_is_kept() {
    let house = House::open(Settings::quick()).await;
    let home = house.home("one").await;
    let host = host(&house, &home).await;
    let first = house.deploy(&home).await;
    assert!(house.refused("Rollback", json!({ "id": first })).await.0.contains("can't be rolled back"));
    image(&house, &home, "registry.example/app:2").await;
    house.done("VariablesUpsert", home.input(json!({ "variables": { "NEW": "1" } }))).await;
    let runs = || match house.railway.route(&host) {
        Route::Up(target) => (target.image, target.variables.contains_key("NEW")),
        other => panic!("{other:?}"),
    };
    assert_eq!(runs(), ("registry.example/app:2".into(), true));
    let shown = async |id: &str| house.done("Deployment", json!({ "id": id })).await["deployment"].clone();
    assert_eq!(shown(&first).await["canRollback"], true);
    house.done("Rollback", json!({ "id": first })).await;
    assert_eq!(runs(), ("registry.example/app:1".into(), false));
    house.pass(120 * 3600);
    assert_eq!(shown(&first).await["canRollback"], false);
    house.refused("Rollback", json!({ "id": first })).await;
}

#[tokio::test]
async fn a_stopped_deployment_answers_nothing_until_it_is_restarted() {
    let house = House::open(Settings::quick()).await;
    let home = house.home("one").await;
    let host = host(&house, &home).await;
    let id = house.deploy(&home).await;
    house.done("Stop", json!({ "id": id })).await;
    house.done("Stop", json!({ "id": id })).await;
    assert_eq!(house.railway.route(&host), Route::NotFound);
    assert_eq!(house.done("Deployment", json!({ "id": id })).await["deployment"]["deploymentStopped"], true);
    house.done("Restart", json!({ "id": id })).await;
    assert!(matches!(house.railway.route(&host), Route::Up(_)));
    house.railway.crash("one");
    assert_eq!(house.railway.route(&host), Route::BadGateway);
    house.done("Remove", json!({ "id": id })).await;
    assert_eq!((house.railway.route(&host), house.status(&id).await), (Route::NotFound, "REMOVED".into()));
    assert!(house.refused("Restart", json!({ "id": id })).await.0.contains("can be restarted"));
}

#[tokio::test]
async fn with_a_volume_a_redeployment_has_a_downtime() {
    let house = House::open(slow()).await;
    let home = house.home("one").await;
    house.done("VolumeCreate", home.input(json!({ "mountPath": "/data" }))).await;
    let host = host(&house, &home).await;
    house.deploy(&home).await;
    house.pass(100);
    let Route::Up(target) = house.railway.route(&host) else { panic!("it runs") };
    assert!(target.volume.is_some());
    assert_eq!(target.variables["RAILWAY_VOLUME_MOUNT_PATH"], "/data");
    house.deploy(&home).await;
    house.pass(60);
    assert_eq!(house.railway.route(&host), Route::BadGateway);
    house.pass(40);
    assert!(matches!(house.railway.route(&host), Route::Up(_)));
}

#[tokio::test]
async fn the_list_is_newest_first_and_can_be_narrowed() {
    let house = House::open(Settings::quick()).await;
    let home = house.home("one").await;
    house.deploy(&home).await;
    let last = house.deploy(&home).await;
    let found = async |status: Value| {
        let mut input = home.all_keys();
        input["status"] = status;
        let listed = house.done("DeploymentList", json!({ "input": input })).await;
        listed["deployments"]["edges"]
            .as_array()
            .unwrap()
            .iter()
            .map(|edge| text(&edge["node"]["id"]))
            .collect::<Vec<_>>()
    };
    let all = found(json!(null)).await;
    assert_eq!((all.len(), &all[0]), (3, &last));
    assert_eq!(found(json!({ "in": ["SUCCESS"] })).await, std::slice::from_ref(&last));
    assert_eq!(found(json!({ "notIn": ["SUCCESS"] })).await.len(), 2);
}

#[tokio::test]
async fn usage_is_the_time_it_ran_and_ends_with_the_project() {
    let house = House::open(Settings::quick()).await;
    let home = house.home("one").await;
    house.done("VolumeCreate", home.input(json!({ "mountPath": "/data" }))).await;
    let usage = async || {
        let rows = house.done("WorkspaceUsage", json!({ "ws": "ws-simulated" })).await["usage"].clone();
        let of = |name: &str| {
            let row = rows.as_array().unwrap().iter().find(|row| row["measurement"] == name).unwrap().clone();
            assert_eq!(row["tags"]["projectId"], home.project.as_str());
            row["value"].as_f64().unwrap()
        };
        (of("MEMORY_USAGE_GB"), of("DISK_USAGE_GB"))
    };
    house.pass(3600);
    assert_eq!(usage().await, (15.0, 12.0));
    let id = text(&house.done("Instance", home.keys()).await["serviceInstance"]["latestDeployment"]["id"]);
    house.done("Stop", json!({ "id": id })).await;
    house.pass(3600);
    assert_eq!(usage().await, (15.0, 24.0));
    house.done("Restart", json!({ "id": id })).await;
    house.pass(3600);
    assert_eq!(usage().await, (30.0, 36.0));
    let bill = house.done("BillingPeriod", json!({ "ws": "ws-simulated" })).await["workspace"].clone();
    assert_eq!(bill["projectCount"], 1);
    assert!(bill["customer"]["currentUsage"].as_f64().unwrap() > 0.0);
    assert!(
        house.done("Estimated", json!({ "ws": "ws-simulated" })).await["estimatedUsage"][0]["estimatedValue"].is_f64()
    );
    house.done("ProjectDelete", json!({ "id": home.project })).await;
    house.pass(3600);
    assert_eq!(usage().await, (30.0, 36.0));
}

#[tokio::test]
async fn the_limit_of_spending_is_told_as_it_is_set_and_says_when_it_is_passed() {
    let house = House::open(Settings::quick()).await;
    let query = "query Limit($ws: String!) { workspace(workspaceId: $ws) { customer { currentUsage usageLimit { softLimit hardLimit isOverLimit } } } }";
    let limit = async || {
        let body = json!({ "query": query, "variables": { "ws": "ws-simulated" } });
        let answer = house.send(&body, &[("authorization", house.bearer())]).await.unwrap();
        answer.json::<Value>().await.unwrap()["data"]["workspace"]["customer"]["usageLimit"].clone()
    };
    assert_eq!(limit().await, json!(null));
    house.railway.change(|settings| settings.usage_limit = Some((5, Some(10))));
    assert_eq!(limit().await, json!({ "softLimit": 5, "hardLimit": 10, "isOverLimit": false }));
    house.railway.change(|settings| settings.other_usage = 10.0);
    assert_eq!(limit().await["isOverLimit"], true);
}
