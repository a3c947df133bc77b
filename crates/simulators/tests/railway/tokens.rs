use jiff::SignedDuration;
use serde_json::{Value, json};
use simulators::railway::{Settings, TokenKind};

use crate::harness::{House, OPERATIONS};

async fn verdict(house: &House, headers: &[(&str, String)], operation: &str, variables: Value) -> String {
    let body = json!({ "query": OPERATIONS, "operationName": operation, "variables": variables });
    let answer: Value = house.send(&body, headers).await.unwrap().json().await.unwrap();
    answer["errors"][0]["message"].as_str().unwrap_or("fine").to_owned()
}

fn bearer(token: &str) -> [(&'static str, String); 1] {
    [("authorization", format!("Bearer {token}"))]
}

#[tokio::test]
async fn no_token_a_wrong_one_an_expired_one_and_a_revoked_one_open_nothing() {
    let house = House::open(Settings::quick()).await;
    let none = json!({});
    assert_eq!(verdict(&house, &[], "WhoAmI", none.clone()).await, "Not Authorized");
    assert_eq!(verdict(&house, &bearer("wrong"), "WhoAmI", none.clone()).await, "Not Authorized");
    let until = house.clock.now() + SignedDuration::from_secs(60);
    let short = bearer(&house.railway.grant_until(TokenKind::Workspace, until));
    assert_eq!(verdict(&house, &short, "WhoAmI", none.clone()).await, "fine");
    house.pass(60);
    assert_eq!(verdict(&house, &short, "WhoAmI", none.clone()).await, "Not Authorized");
    let own = house.railway.workspace_token().to_owned();
    house.railway.revoke(&own);
    assert_eq!(verdict(&house, &bearer(&own), "WhoAmI", none).await, "Not Authorized");
}

#[tokio::test]
async fn only_an_account_token_is_a_person() {
    let house = House::open(Settings::quick()).await;
    let account = bearer(&house.railway.grant(TokenKind::Account));
    assert_eq!(verdict(&house, &account, "Me", json!({})).await, "fine");
    let workspace = bearer(house.railway.workspace_token());
    assert_eq!(verdict(&house, &workspace, "Me", json!({})).await, "Not Authorized");
    assert_eq!(verdict(&house, &workspace, "ProjectTokenScope", json!({})).await, "Not Authorized");
}

#[tokio::test]
async fn a_project_token_opens_its_project_only() {
    let house = House::open(Settings::quick()).await;
    let (home, other) = (house.home("one").await, house.home("two").await);
    let kind = TokenKind::Project { project: home.project.clone(), environment: home.environment.clone() };
    let token = house.railway.grant(kind);
    let header = [("project-access-token", token.clone())];
    assert_eq!(verdict(&house, &header, "Deploy", home.keys()).await, "fine");
    assert_eq!(verdict(&house, &header, "ProjectTokenScope", json!({})).await, "fine");
    let upsert = home.input(json!({ "variables": { "A": "1" } }));
    assert_eq!(verdict(&house, &header, "VariablesUpsert", upsert).await, "fine");
    let list = json!({ "ws": "ws-simulated" });
    let make = json!({ "input": { "name": "three" } });
    for (operation, variables) in [
        ("Deploy", other.keys()),
        ("ProjectTree", json!({ "id": other.project })),
        ("FindProjects", list.clone()),
        ("ProjectCreate", make),
        ("WhoAmI", json!({})),
        ("WorkspaceUsage", list),
        ("ProjectDelete", json!({ "id": home.project })),
    ] {
        assert_eq!(verdict(&house, &header, operation, variables).await, "Not Authorized", "{operation}");
    }
    assert_eq!(verdict(&house, &bearer(&token), "Deploy", home.keys()).await, "Not Authorized", "the wrong header");
}
