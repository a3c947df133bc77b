use jiff::SignedDuration;
use providers::compute::{Compute, Origin};
use providers::{ProviderError, Routing};
use serde_json::{Value, json};
use simulators::Fault;
use simulators::railway::{Fate, Kind, Route, Settings, Span};

use crate::harness::{HOSTNAME, House, IMAGE, acme, instance, release, slow};

const OTHER: &str = "zebra.example.com";

async fn house() -> House {
    House::open_as(Settings { deploy: Span::seconds(8, 12), ..slow() }, Routing::Wildcard).await
}

/// From nothing to an instance that the router finds; the name by which it does.
async fn live(house: &House) -> String {
    house.make().await;
    let name = registered(house, HOSTNAME).await;
    house.until(async || house.driver.deploy(&acme(), &release(IMAGE)).await).await;
    house.until(async || house.driver.hostname_ready(&acme(), HOSTNAME).await).await;
    // Until lists show everything.
    house.clock.advance(SignedDuration::from_mins(10));
    name
}

async fn registered(house: &House, hostname: &str) -> String {
    match house.until(async || house.driver.register_hostname(&acme(), hostname).await).await {
        Origin::Name { target, proof: None } => target,
        other => panic!("{other:?}"),
    }
}

fn names_made(house: &House) -> usize {
    house.railway.creations(Kind::ServiceDomain, acme().as_str())
}

async fn ask(house: &House, query: &str, variables: Value) -> Value {
    let body = json!({ "query": query, "variables": variables });
    let request = reqwest::Client::new().post(format!("{}/graphql/v2", house.served.url)).json(&body);
    request.bearer_auth(house.railway.workspace_token()).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn one_name_of_railways_choice_serves_whatever_an_instance_is_called() {
    let house = house().await;
    let name = live(&house).await;
    assert!(name.ends_with(".up.railway.app"), "{name}");
    assert_eq!(registered(&house, OTHER).await, name);
    house.driver.hostname_ready(&acme(), OTHER).await.unwrap();
    let Route::Up(target) = house.railway.route(&name) else { panic!("it leads nowhere") };
    assert_eq!(target.port, Some(8080));
    assert!(house.railway.projects()[0].custom_domains.is_empty());

    let door = house.driver.door(&acme(), HOSTNAME).await.unwrap().unwrap();
    assert_eq!(door.host, name);
    // A former name is nothing that Railway knows; the instance goes on.
    assert_eq!(house.driver.release_hostname(&acme(), HOSTNAME).await.unwrap(), []);
    house.driver.hostname_ready(&acme(), OTHER).await.unwrap();
    assert_eq!(names_made(&house), 1);

    let removed = house.delete().await;
    assert!(removed.iter().any(|removed| removed.kind == "generated domain" && removed.name == name), "{removed:?}");
    assert_eq!(house.railway.route(&name), Route::NotFound);
    assert_eq!(house.recorded().await, 0);
}

#[tokio::test]
async fn only_a_guard_behind_the_router_is_told_of_it() {
    for (routing, told) in [(Routing::Wildcard, true), (Routing::Records, false)] {
        let house = House::open_as(slow(), routing).await;
        house.make().await;
        let variables = &house.railway.projects()[0].services[0].variables;
        assert_eq!(variables.iter().any(|name| name == "GUARD_BEHIND_ROUTER"), told, "{variables:?}");
    }
}

#[tokio::test]
async fn whatever_call_goes_wrong_one_name_is_made_and_none_is_left() {
    let calls = {
        let house = house().await;
        live(&house).await;
        house.served.faults.calls()
    };
    for fault in [Fault::ResetAfter, Fault::ResetBefore, Fault::Status(503)] {
        for number in 1..=calls {
            let house = house().await;
            house.served.faults.at_call(number, fault);
            live(&house).await;
            assert_eq!(names_made(&house), 1, "{fault:?} at call {number}");
            house.delete().await;
            let projects = house.railway.projects();
            assert!(projects.iter().all(|project| project.fate == Fate::Deleted), "{fault:?} at call {number}");
            assert!(projects.iter().all(|project| project.service_domains.is_empty()), "{fault:?} at call {number}");
            assert_eq!(house.recorded().await, 0, "{fault:?} at call {number}");
        }
    }
}

#[tokio::test]
async fn the_name_is_listed_and_one_registered_beside_it_is_a_second_door() {
    let house = house().await;
    let name = live(&house).await;
    assert_eq!(house.driver.kinds(), ["project", "generated domain"]);
    let items = house.driver.inventory().await.unwrap();
    assert!(items.iter().all(|item| item.drift.is_none() && item.instance == Some(instance(1))), "{items:?}");
    let mut seen: Vec<_> = items.iter().map(|item| (item.kind, item.name.as_str())).collect();
    seen.sort_unstable();
    assert_eq!(seen, [("generated domain", &*name), ("project", acme().as_str())]);

    let project = house.railway.projects().remove(0);
    let query = "mutation($input: CustomDomainCreateInput!) { customDomainCreate(input: $input) { id } }";
    let (service, environment) = (&project.services[0].id, &project.services[0].environment);
    let input =
        json!({ "domain": HOSTNAME, "projectId": project.id, "serviceId": service, "environmentId": environment });
    ask(&house, query, json!({ "input": input })).await;
    let drift = house.driver.inventory().await.unwrap().into_iter().find_map(|item| item.drift);
    assert_eq!(drift, Some(format!("a second door: {HOSTNAME}")));
}

#[tokio::test]
async fn a_name_that_was_deleted_by_hand_is_made_again() {
    let house = house().await;
    let name = live(&house).await;
    let id = house.driver.inventory().await.unwrap().into_iter().find(|item| item.name == name).unwrap().id;
    ask(&house, "mutation($id: String!) { serviceDomainDelete(id: $id) }", json!({ "id": id })).await;
    let error = house.driver.hostname_ready(&acme(), HOSTNAME).await.unwrap_err();
    assert!(matches!(error, ProviderError::NotFound { .. }), "{error}");
    house.driver.forget_gone(&acme(), instance(1)).await.unwrap();
    let again = registered(&house, HOSTNAME).await;
    assert!(again != name && matches!(house.railway.route(&again), Route::Up(_)), "{again}");
    house.driver.hostname_ready(&acme(), HOSTNAME).await.unwrap();
}

#[tokio::test]
async fn a_name_that_was_chosen_anew_by_hand_is_shown_as_drifted_and_adopted() {
    let house = house().await;
    let name = live(&house).await;
    let id = house.driver.inventory().await.unwrap().into_iter().find(|item| item.name == name).unwrap().id;
    ask(&house, "mutation($id: String!) { serviceDomainDelete(id: $id) }", json!({ "id": id })).await;
    let project = house.railway.projects().remove(0);
    let query = "mutation($input: ServiceDomainCreateInput!) { serviceDomainCreate(input: $input) { id } }";
    let input = json!({ "serviceId": project.services[0].id, "environmentId": project.services[0].environment });
    ask(&house, query, json!({ "input": input })).await;
    let items = house.driver.inventory().await.unwrap();
    let drift = items.iter().find(|item| item.kind == "generated domain").unwrap().drift.clone();
    assert_eq!(drift.as_deref(), Some("the router knows another one"));
    house.driver.forget_gone(&acme(), instance(1)).await.unwrap();
    assert_ne!(registered(&house, HOSTNAME).await, name);
    assert!(house.driver.inventory().await.unwrap().iter().all(|item| item.drift.is_none()));
    assert_eq!(names_made(&house), 2);
}

#[tokio::test]
async fn an_installation_keeps_to_the_routing_by_which_its_instances_were_made() {
    for (made_by, other) in [(Routing::Records, Routing::Wildcard), (Routing::Wildcard, Routing::Records)] {
        let house = House::open_as(slow(), made_by).await;
        for routing in [made_by, other] {
            house.driver_by(routing).keeps_to_its_routing().await.unwrap();
        }
        house.make().await;
        house.until(async || house.driver.register_hostname(&acme(), HOSTNAME).await).await;
        house.driver_by(made_by).keeps_to_its_routing().await.unwrap();
        let refused = house.driver_by(other).keeps_to_its_routing().await.unwrap_err();
        let words = refused.to_string();
        assert!(matches!(refused, ProviderError::Refused { .. }), "{words}");
        assert!(words.contains(&format!("{:?}", made_by.as_str())) && words.contains("second installation"), "{words}");
        house.delete().await;
        house.driver_by(other).keeps_to_its_routing().await.unwrap();
    }
}
