use reqwest::StatusCode;
use serde_json::{Value, json};
use simulators::railway::Settings;

use crate::harness::House;

async fn judged(query: &str, variables: Value) -> (StatusCode, Value) {
    let house = House::open(Settings::quick()).await;
    let body = json!({ "query": query, "variables": variables });
    let answer = house.send(&body, &[("authorization", house.bearer())]).await.unwrap();
    let status = answer.status();
    let body: Value = answer.json().await.unwrap();
    (status, body["errors"][0]["extensions"]["code"].clone())
}

#[tokio::test]
async fn what_the_schema_does_not_know_is_refused() {
    let refused = (StatusCode::BAD_REQUEST, json!("GRAPHQL_VALIDATION_FAILED"));
    for query in [
        "{ projects { edges { node { nickname } } } }",
        "{ project(id: \"a\", name: \"b\") { id } }",
        "{ project { id } }",
        "{ projects }",
        "{ projects(orderBy: NEWEST) { pageInfo { hasNextPage } } }",
        "mutation { projectCreate(input: { title: \"a\" }) { id } }",
        "mutation { deploymentRollback(id: \"a\") { id } }",
        "query($id: Int!) { project(id: $id) { id } }",
        "mutation { projectCreate(",
    ] {
        assert_eq!(judged(query, json!({})).await, refused, "{query}");
    }
}

#[tokio::test]
async fn variables_must_fit_their_types() {
    let query = "mutation($input: ProjectCreateInput!) { projectCreate(input: $input) { id } }";
    let refused = (StatusCode::BAD_REQUEST, json!("BAD_USER_INPUT"));
    for variables in [json!({}), json!({ "input": { "title": "a" } }), json!({ "input": { "name": 1 } }), json!([1])] {
        assert_eq!(judged(query, variables.clone()).await, refused, "{variables}");
    }
    let fitting = judged(query, json!({ "input": { "name": "a" } })).await;
    assert_eq!(fitting, (StatusCode::OK, Value::Null));
}

#[tokio::test]
async fn only_what_was_selected_is_given_and_aliases_hold() {
    let house = House::open(Settings::quick()).await;
    let query = "mutation { made: projectCreate(input: { name: \"a\" }) { called: name __typename } }";
    let answer = house.send(&json!({ "query": query }), &[("authorization", house.bearer())]).await.unwrap();
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body, json!({ "data": { "made": { "called": "a", "__typename": "Project" } } }));
}

#[tokio::test]
async fn faults_and_journal_know_an_operation_by_its_root_field() {
    let house = House::open(Settings::quick()).await;
    house.project("a").await;
    house.done("WhoAmI", json!({})).await;
    assert_eq!((house.served.journal.count("projectCreate"), house.served.journal.count("apiToken")), (1, 1));
}

#[tokio::test]
async fn the_schema_can_be_read_from_it() {
    let house = House::open(Settings::quick()).await;
    let query = "{ __type(name: \"ProjectCreateInput\") { inputFields { name } } }";
    let answer = house.send(&json!({ "query": query }), &[("authorization", house.bearer())]).await.unwrap();
    let body: Value = answer.json().await.unwrap();
    assert!(body["data"]["__type"]["inputFields"].as_array().unwrap().contains(&json!({ "name": "workspaceId" })));
}
