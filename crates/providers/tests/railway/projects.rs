use std::time::Duration;

use domain::ProjectName;
use jiff::SignedDuration;
use providers::ProviderError;
use providers::compute::Compute;
use serde_json::json;
use simulators::Fault;
use simulators::railway::{Fate, Settings};

use crate::harness::{House, acme, instance, slow};

async fn by_hand(house: &House, description: Option<&str>) {
    let query = "mutation($input: ProjectCreateInput!) { projectCreate(input: $input) { id } }";
    let input = json!({ "name": acme().as_str(), "description": description, "workspaceId": "ws-simulated" });
    let body = json!({ "query": query, "variables": { "input": input } });
    let request = reqwest::Client::new().post(format!("{}/graphql/v2", house.served.url)).json(&body);
    request.bearer_auth(house.railway.workspace_token()).send().await.unwrap().error_for_status().unwrap();
    house.clock.advance(SignedDuration::from_secs(60));
}

#[tokio::test]
async fn a_project_of_that_name_that_is_not_ours_is_left_alone() {
    for description in [None, Some("spinoff:nonsense"), Some(&*format!("spinoff:{}", instance(2)))] {
        let house = House::open(slow()).await;
        by_hand(&house, description).await;
        let error = house.driver.create_project(&acme(), instance(1)).await.unwrap_err();
        assert!(matches!(error, ProviderError::Refused { .. }), "{error}");
        assert!(error.to_string().contains("delete or rename that project"), "{error}");
        assert!(house.delete().await.is_empty());
        assert_eq!(house.railway.projects()[0].fate, Fate::Kept);
    }
}

#[tokio::test]
async fn ours_is_found_by_its_mark_when_the_record_was_lost() {
    let house = House::open(slow()).await;
    by_hand(&house, Some(&format!("spinoff:{}", instance(1)))).await;
    house.make().await;
    assert_eq!(house.made()[0], 1);
}

#[tokio::test]
async fn a_name_is_free_again_once_its_project_is_deleted_though_the_list_still_shows_it() {
    let house = House::open(slow()).await;
    house.make().await;
    house.delete().await;
    house.until(async || house.driver.create_project(&acme(), instance(2)).await).await;
    assert_eq!(house.made()[0], 2);
    // Deleting the first again leaves the second alone.
    assert!(house.delete().await.is_empty());
    assert_eq!(house.railway.projects()[1].fate, Fate::Kept);
}

#[tokio::test]
async fn who_waits_for_a_project_is_told_the_place_and_the_time() {
    let house = House::open(slow()).await;
    let name = |number: u8| ProjectName::parse(&format!("ai-diy-acme{number}")).unwrap();
    house.driver.create_project(&name(1), instance(1)).await.unwrap();
    let calls = house.served.faults.calls();
    let mut told = Vec::new();
    for number in 2..=4 {
        let error = house.driver.create_project(&name(number), instance(number)).await.unwrap_err();
        assert!(matches!(error, ProviderError::InLine { .. }), "{error}");
        told.push(error.to_string());
    }
    assert_eq!(told[0], "you are next; your turn comes at about 10:00 UTC");
    assert_eq!(told[1], "1 other is before you; your turn comes at about 10:01 UTC");
    assert_eq!(told[2], "2 others are before you; your turn comes at about 10:01 UTC");
    assert_eq!(house.served.faults.calls(), calls, "waiting costs Railway nothing");
    house.clock.advance(SignedDuration::from_secs(30));
    house.driver.create_project(&name(2), instance(2)).await.unwrap();
}

#[tokio::test]
async fn railways_own_throttles_end_in_line_and_not_in_failure() {
    // Railway is slower than it says.
    let house = House::open(Settings { project_throttle: SignedDuration::from_secs(50), ..slow() }).await;
    by_hand(&house, Some("something else")).await;
    let other = ProjectName::parse("ai-diy-other").unwrap();
    house.driver.create_project(&other, instance(3)).await.unwrap();
    house.clock.advance(SignedDuration::from_secs(30));
    let next = ProjectName::parse("ai-diy-next").unwrap();
    let error = house.driver.create_project(&next, instance(4)).await.unwrap_err();
    assert!(matches!(error, ProviderError::InLine { .. }), "{error}");
    house.until(async || house.driver.create_project(&next, instance(4)).await).await;

    let pause = Duration::from_secs(20);
    house.served.faults.once("serviceInstance", Fault::TooMany { retry_after: pause });
    let error = house.driver.observe(&next).await.unwrap_err();
    assert!(
        matches!(error, ProviderError::InLine { until, .. } if until == house.clock.now() + SignedDuration::from_secs(20))
    );
}

#[tokio::test]
async fn a_revoked_token_is_one_sentence_for_the_operator() {
    let house = House::open(slow()).await;
    house.live().await;
    house.railway.revoke(house.railway.workspace_token());
    let error = house.driver.observe(&acme()).await.unwrap_err();
    assert!(matches!(error, ProviderError::Refused { .. }), "{error}");
    assert!(error.to_string().contains("Railway does not accept the token; make a new workspace token"), "{error}");
}
