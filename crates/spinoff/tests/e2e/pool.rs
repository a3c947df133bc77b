//! What is made ahead of customers, on one machine.

use crate::support::browser::Browser;
use crate::support::server::Server;
use crate::support::until::until;
use crate::support::visitor::Order;

#[tokio::test]
async fn a_customer_starts_on_a_workspace_made_ahead_and_ends_at_the_chosen_name() {
    let mut server = Server::with().pool(1).start().await;
    let warm = ready(&server).await;
    // What is nobody's is still there after a crash, and lets nobody in.
    server.kill9();
    server.restart().await;
    assert_eq!(ready(&server).await, warm);
    server.until_healthy(&warm).await;

    let (browser, order) = (Browser::open().await, Order::of("Ada Lovelace", "ada@example.com", "engines"));
    browser.sign_up(&server, &order).await;
    assert_eq!(server.workflow_over("claim.v1").await["state"], "done");
    assert_eq!(server.workflow_over("rename.v1").await["state"], "done");
    browser.go(&format!("http://{}/", server.host("engines"))).await;
    browser.sign_in_as(&server, order.email).await;
    browser.see("Your notebook").await;
    let instance = server.instance("engines");
    assert_eq!((instance["state"].as_str(), instance["subdomain"].as_str()), (Some("active"), Some("engines")));
    // The next customer starts on another one.
    assert_ne!(ready(&server).await, warm);
}

/// The name of the only one that is ready, once it is.
async fn ready(server: &Server) -> String {
    until("an instance is ready", std::time::Duration::from_secs(60), async || {
        let pool = server.cli(&["pool", "--json"]).ok().json();
        let name = pool["instances"][0]["subdomain"].as_str()?;
        (pool["ready"] == 1).then(|| name.to_owned())
    })
    .await
}
