use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn an_invited_member_may_enter_and_a_removed_one_may_not() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    let (status, member) =
        app.api(Method::POST, "/instances/acme/members", Some(json!({"email": "Bob@Example.com"}))).await;
    assert_eq!((status, &member["email"]), (StatusCode::CREATED, &json!("bob@example.com")));
    assert_eq!(app.mails_to("bob@example.com").await.len(), 1);
    let pushed = app.host.lists_of("ai-diy-acme");
    assert!(pushed >= 1, "the guard was not told");

    app.api(Method::POST, "/instances/acme/members", Some(json!({"email": "bob@example.com"}))).await;
    assert_eq!(app.mails_to("bob@example.com").await.len(), 1, "inviting a member again wrote to them again");

    let (status, _) = app.api(Method::DELETE, "/instances/acme/members/bob%40example.com", None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert!(app.host.lists_of("ai-diy-acme") > pushed, "the guard was not told of the removal");
    let (status, _) = app.api(Method::DELETE, "/instances/acme/members/bob%40example.com", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_owner_stays() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    let (status, problem) = app.api(Method::DELETE, "/instances/acme/members/ada%40example.com", None).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
}

#[tokio::test]
async fn addresses_with_unusual_characters_can_be_removed_in_the_portal() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    let owner = Some("ada@example.com");
    for strange in ["a/b@example.com", "a+b%c@example.com", "a?b#c@example.com"] {
        let invited = app.browser(Method::POST, "/portal/instances/acme/members", owner, &[("email", strange)]).await;
        assert_eq!(invited.status, StatusCode::SEE_OTHER, "{strange}");
        let page = app.get("/portal/instances/acme", owner).await;
        let link = page.body.split('"').find(|part| part.ends_with("/remove")).unwrap().to_owned();
        assert_eq!(app.get(&link, owner).await.status, StatusCode::OK, "{link}");
        let removed = app.browser(Method::POST, &link, owner, &[]).await;
        assert_eq!(removed.status, StatusCode::SEE_OTHER, "{link}");
    }
    assert_eq!(app.count("select count(*) from members").await, 1);
}

#[tokio::test]
async fn what_is_no_address_is_refused_beside_the_field() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    let page = app
        .browser(
            Method::POST,
            "/portal/instances/acme/members",
            Some("ada@example.com"),
            &[("email", "bob@example.com\r\nBcc: all@example.com")],
        )
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("is not an e-mail address"));
}
