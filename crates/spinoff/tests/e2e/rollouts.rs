//! A release reaches everyone: begun from the console, watched there, and seen by a customer.

use crate::support::browser::Browser;
use crate::support::server::Server;

const ADA: &str = "ada@example.com";
const FIRST: &str = "exec python3 -m http.server $PORT --directory $DATA";

#[tokio::test]
async fn a_release_goes_from_the_console_to_every_instance_and_its_customer_sees_it() {
    let server = Server::with().app(FIRST).start().await;
    server.provision(ADA, "engines");
    server.provision("eve@example.com", "zoo");
    let operator = Browser::open().await;
    operator.go(&server.admin_link()).await;
    operator.press("Updates").await;
    operator.see("No rollout yet").await;

    operator.press("Releases").await;
    operator.press("Add a release…").await;
    operator.fill("version", "2.0.0").await;
    operator.fill("runs", &format!("sleep 0; {FIRST}")).await;
    operator.fill("notes", "Meetings open twice as fast.").await;
    operator.press("Add it").await;
    operator.see("added just now by").await;
    for (to, now) in [("main", "Main"), ("customers", "Customers")] {
        operator.press(&format!("Promote to {to}…")).await;
        operator.see("Nothing shows that it works").await;
        operator.fill("reason", "We looked at it closely.").await;
        operator.press("Promote it without a proof").await;
        operator.see(&format!("{now} added")).await;
    }

    operator.press("Roll out…").await;
    operator.press("Show the plan").await;
    operator.see("Plan for 2.0.0").await;
    for name in ["engines", "zoo"] {
        operator.see(&server.host(name)).await;
    }
    assert!(server.api("/rollouts").await["data"].as_array().unwrap().is_empty(), "a plan begins nothing");
    operator.press("Begin: 2 instances").await;
    operator.see("Rollout of 2.0.0").await;
    operator
        .until("the end of the rollout", async || {
            operator.reload().await;
            operator.text().await.contains("2 of 2 are settled") && operator.text().await.contains("Done")
        })
        .await;
    operator.see("Verified: 2 that were updated run 2.0.0").await;
    let shown = server.cli(&["rollouts", "show", "--json"]).ok().json();
    assert_eq!((&shown["state"], &shown["counts"]["updated"]), (&"done".into(), &2.into()), "{shown}");
    let again = server.cli(&["deploy", "--all"]).ok();
    assert!(again.out.contains("2.0.0 runs already"), "{again:?}");

    let ada = Browser::open().await;
    ada.go(&format!("{}/portal/instances/engines", server.url())).await;
    ada.sign_in_as(&server, ADA).await;
    ada.see("Your workspace runs version 2.0.0").await;
    ada.see("The last ones").await;
    ada.fill("from", "3").await;
    ada.press("Save").await;
    ada.see("Saturday, Sunday, 03:00 to 07:00 UTC").await;
    let agreed = server.cli(&["instances", "updates", "engines", "--json"]).ok().json();
    assert_eq!(agreed["window"]["from_hour"], 3, "{agreed}");
}

#[tokio::test]
async fn a_release_that_fails_halts_and_the_console_takes_it_back() {
    let server = Server::with().app(FIRST).start().await;
    let names = ["engines", "looms", "zoo"];
    for name in names {
        server.provision(&format!("{name}@example.com"), name);
        std::fs::write(server.project(name).join("data/work"), name).unwrap();
    }
    // What nobody thought of when it was tried.
    std::fs::write(server.project("zoo").join("data/old"), "").unwrap();
    server.cli(&["releases", "add", "2.0.0", "--command", &format!("test ! -e $DATA/old && {FIRST}")]).ok();
    for _ in 0..2 {
        server.cli(&["releases", "promote", "2.0.0", "--without-proof", "a test answers for it"]).ok();
    }

    let operator = Browser::open().await;
    operator.go(&server.admin_link()).await;
    operator.go(&format!("{}/admin/rollouts/new?version=2.0.0", server.url())).await;
    operator.press("Show the plan").await;
    operator.press("Begin: 3 instances").await;
    let comes_to = async |words: &str| {
        operator
            .until(words, async || {
                operator.reload().await;
                operator.text().await.contains(words)
            })
            .await;
    };
    comes_to("Nothing more is begun until you decide").await;
    operator.see("Halted").await;
    operator.see("Who failed, and why").await;
    operator.see(&server.host("zoo")).await;
    operator.see("did not come up").await;
    assert_eq!(server.at("zoo", "/-/health").send().await.unwrap().status(), 200, "it is back by itself");
    let alerts = server.cli(&["alerts", "list"]).ok();
    assert!(alerts.out.contains("2.0.0"), "{alerts:?}");

    operator.press("Accept the failures and go on").await;
    comes_to("Done").await;
    operator.press("Take it back…").await;
    operator.see("Take 2.0.0 back?").await;
    operator.press("Take it back").await;
    comes_to("Taken back").await;
    for name in names {
        let health: serde_json::Value = server.at(name, "/-/health").send().await.unwrap().json().await.unwrap();
        assert_ne!(health["release"], "2.0.0", "{name}: {health}");
        assert_eq!(std::fs::read_to_string(server.project(name).join("data/work")).unwrap(), name);
    }
    server.mail_to("zoo@example.com", "was not updated").await;
    let told = server.mail_to("engines@example.com", "was taken back").await;
    assert!(told.text.contains("Everything in it is as you left it"), "{}", told.text);
    let shown = server.cli(&["rollouts", "show", "--json"]).ok().json();
    assert_eq!(shown["state"], "rolled_back", "{shown}");
}
