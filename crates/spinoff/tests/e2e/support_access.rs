//! Support enters a real instance with its customer's leave, looks, and is out again.

use reqwest::StatusCode;

use crate::support::server::Server;

const OPERATOR: &str = "operator@localhost";

#[tokio::test]
async fn support_looks_into_one_instance_while_its_customer_allows_it() {
    let server = Server::start().await;
    for (customer, name) in [("ada@example.com", "acme"), ("zoe@example.com", "bakery")] {
        server.provision(customer, name);
        server.until_healthy(name).await;
    }
    let asked = server.cli(&["instances", "support", "ask", "acme", "--reason", "Your app does not start."]);
    assert!(asked.ok().out.contains("was asked"));
    let ada = server.sign_in_to_site("ada@example.com").await;
    let page = "/portal/instances/acme/support";
    assert!(ada.text(&server, page).await.contains("Your app does not start."));
    let let_in = ada.post(&server, &format!("{page}/let-in")).form(&[("hours", "1")]).send().await.unwrap();
    assert_eq!(let_in.status(), StatusCode::SEE_OTHER);

    let helper = server.sign_in("acme", OPERATOR).await;
    assert_eq!(helper.get(&server, "/").send().await.unwrap().status(), StatusCode::OK);
    let write = helper.post(&server, "/visions").form(&[("title", "Mine")]).send().await.unwrap();
    assert_eq!(write.status(), StatusCode::FORBIDDEN, "it may only look");
    assert!(write.text().await.unwrap().contains("You may look, and change nothing"));

    let shown = server.cli(&["instances", "support", "show", "acme", "--json"]).ok().json();
    assert_eq!((&shown["data"][0]["state"], &shown["data"][0]["may_change"]), (&"given".into(), &false.into()));
    // The sign-in to one instance is none to the other, and nobody let support in there.
    let elsewhere = server.at("bakery", "/").header("cookie", helper.cookie()).send().await.unwrap();
    assert_eq!(elsewhere.status(), StatusCode::UNAUTHORIZED);

    let ended = ada.post(&server, &format!("{page}/end")).send().await.unwrap();
    assert_eq!(ended.status(), StatusCode::SEE_OTHER);
    assert_eq!(helper.get(&server, "/").send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert!(ada.text(&server, page).await.contains("ada@example.com ended it"));
}
