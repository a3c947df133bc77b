//! Real guards behind the real edge are tried from outside and from next door.

use crate::support::server::Server;
use crate::support::until::until;
use crate::wildcard::made;

use std::time::Duration;

#[tokio::test]
async fn the_walls_between_real_instances_hold_and_trying_them_is_no_use_of_them() {
    let server = Server::start().await;
    for (customer, name) in [("ada@example.com", "acme"), ("zoe@example.com", "bakery"), ("kim@example.com", "castle")]
    {
        server.provision(customer, name);
        server.until_healthy(name).await;
    }
    let tried = server.cli(&["verify", "isolation", "--json", "--quiet"]).ok().json();
    let number = |name: &str| tried[name].as_u64().unwrap();
    assert_eq!((number("admitted"), number("proven")), (0, 3), "{tried}");
    // At hostname and guard seven tricks of strangers and two of each neighbour; at the app's two and two.
    let each = 2 * (7 + 2 * 2) + 2 * (2 + 2 * 2);
    assert_eq!((number("refused"), number("not_tried")), (3 * each, 0), "{tried}");
    for name in ["acme", "bakery", "castle"] {
        let usage = server.api(&format!("/instances/{name}/usage")).await;
        assert_eq!(usage["hours"].as_array().map(Vec::len), Some(0), "{usage}");
        let members = server.api(&format!("/instances/{name}/members")).await;
        assert_eq!(members["data"].as_array().map(Vec::len), Some(1), "{members}");
    }

    let one = server.cli(&["verify", "isolation", "--instance", "acme"]).ok();
    assert!(one.out.contains("1 of 1") && one.out.contains("acme.localhost"), "{one:?}");
    server.cli(&["verify", "isolation", "--instance", "nobody"]).failed(3, &["can't try the walls"]);

    // Closed instances are not tried, and that is no proof.
    for name in ["acme", "bakery", "castle"] {
        server.cli(&["suspend", name, "--reason", "For a rehearsal."]).ok();
    }
    until("nothing is open any more", Duration::from_secs(10), async || {
        let ran = server.cli(&["verify", "isolation"]);
        (ran.code == 1).then(|| ran.failed(1, &["nothing was proven"]))
    })
    .await;
}

#[tokio::test]
async fn where_cloudflare_signs_only_forgeries_are_tried_and_that_is_said() {
    let server = Server::with().simulate().by_wildcard().start().await;
    made(&server, "ada@example.com", "engines").await;
    made(&server, "zoe@example.com", "bakery").await;
    let ran = server.cli(&["verify", "isolation", "--json", "--quiet"]);
    let tried = ran.json();
    let number = |name: &str| tried[name].as_u64().unwrap();
    assert_eq!((number("admitted"), number("proven"), ran.code), (0, 2, 0), "{tried}");
    // One at the hostname, at Cloudflare's own door; five straight at the guard.
    assert_eq!((number("refused"), number("refused_by_edge"), number("not_tried")), (12, 2, 0), "{tried}");
    assert!(tried["limits"][0].as_str().unwrap().contains("was not tried"), "{tried}");
}

#[tokio::test]
async fn instances_elsewhere_are_tried_past_the_router_too() {
    let server = Server::with().simulate_builtin_edge().by_wildcard().start().await;
    made(&server, "ada@example.com", "engines").await;
    made(&server, "zoe@example.com", "bakery").await;
    let tried = server.cli(&["verify", "isolation", "--json", "--quiet"]).json();
    let number = |name: &str| tried[name].as_u64().unwrap();
    assert_eq!((number("admitted"), number("proven")), (0, 2), "{tried}");
    assert_eq!((number("refused"), number("not_tried")), (2 * 2 * (7 + 2), 0), "{tried}");
}
