//! What the built-in edge says of an Access application of an instance's own.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn the_built_in_edge_has_one_way_in_for_everybody_and_says_so() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    let wanted = json!({"identity_provider": {"existing": "Acme Okta"}});
    for (method, body) in [(Method::PUT, Some(wanted)), (Method::DELETE, None)] {
        let (status, said) = app.api(method, "/instances/acme/access", body).await;
        assert_eq!(status, StatusCode::CONFLICT, "{said}");
        assert!(said["next_step"].as_str().unwrap().contains("cloudflare"), "{said}");
    }
    assert!(app.instance("ai-diy-acme").await.get("access").is_none());
    let wanted = json!({"identity_provider": {"existing": "Acme Okta"}});
    let (status, _) = app.api(Method::PUT, "/instances/nobody/access", Some(wanted)).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
