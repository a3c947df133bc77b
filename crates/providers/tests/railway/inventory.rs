use jiff::SignedDuration;
use providers::compute::Compute;
use providers::inventory::Verdict;
use serde_json::json;
use simulators::railway::{Settings, TokenKind};

use crate::harness::{HOSTNAME, House, acme, instance, slow};

#[tokio::test]
async fn what_bears_our_mark_is_listed_with_a_second_door_as_drift() {
    let house = House::open(slow()).await;
    house.live().await;
    house.clock.advance(SignedDuration::from_hours(20 * 24));
    let items = house.driver.inventory().await.unwrap();
    let named = |kind: &str| items.iter().find(|item| item.kind == kind).unwrap();
    assert_eq!((named("domain").name.as_str(), named("domain").instance), (HOSTNAME, Some(instance(1))));
    assert_eq!((named("project").name.as_str(), named("project").instance), (acme().as_str(), Some(instance(1))));
    assert!(named("project").monthly_cost.unwrap().get() > 0);
    assert_eq!(named("project").drift, None);

    let project = house.railway.projects().remove(0);
    let query = "mutation($input: ServiceDomainCreateInput!) { serviceDomainCreate(input: $input) { id } }";
    let input = json!({ "serviceId": project.services[0].id, "environmentId": project.services[0].environment });
    let body = json!({ "query": query, "variables": { "input": input } });
    let request = reqwest::Client::new().post(format!("{}/graphql/v2", house.served.url)).json(&body);
    request.bearer_auth(house.railway.workspace_token()).send().await.unwrap().error_for_status().unwrap();
    let items = house.driver.inventory().await.unwrap();
    let drift = items.iter().find_map(|item| item.drift.clone()).unwrap();
    assert!(drift.starts_with("a second door: ") && drift.ends_with(".up.railway.app"), "{drift}");
    house.delete().await;
    assert!(house.railway.projects()[0].service_domains.is_empty());
}

#[tokio::test]
async fn the_check_tells_kinds_of_tokens_apart_and_how_many_calls_are_left() {
    let house = House::open(Settings::default()).await;
    let checks = house.driver.check().await;
    assert_eq!(checks.iter().map(|check| check.verdict).collect::<Vec<_>>(), [Verdict::Ok; 2]);
    assert!(checks[1].found.contains("calls are left until"), "{checks:?}");
    let ceilings = house.driver.ceilings().await.unwrap();
    assert_eq!((ceilings[0].limit, ceilings[0].used > 0), (10_000, true));

    let account = house.railway.grant(TokenKind::Account);
    assert_eq!(house.driver_with(&account).check().await[0].verdict, Verdict::Warn);
    let checks = house.driver_with("nonsense").check().await;
    assert_eq!((checks.len(), checks[0].verdict), (1, Verdict::Fail));
    assert!(!checks[0].advice.is_empty());
}
