//! The app that an application makes listens on port 3000 and is shown at a hostname of its own: to
//! the members of its instance, and to nobody else.

use std::time::Duration;

use reqwest::{Method, StatusCode};

use crate::support::apps::Apps;
use crate::support::server::Server;
use crate::support::until::until;

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn an_app_that_was_made_is_shown_to_members_at_its_own_hostname() {
    let apps = Apps::installed();
    let serve = format!("{} -m http.server --bind 127.0.0.1 --directory", apps.program("python"));
    let making = format!(
        "mkdir -p $DATA/app $DATA/work; echo the workspace > $DATA/work/index.html; {serve} $DATA/app 3000 & \
         exec {serve} $DATA/work $PORT"
    );
    let server = apps.seller().app(&making).start().await;
    for (customer, subdomain) in [(ADA, "acme"), (BOB, "umbrella")] {
        server.provision(customer, subdomain);
        let made = server.project(subdomain).join("data/app/index.html");
        std::fs::write(made, format!("made at {subdomain}")).unwrap();
    }
    let (ada, ada_at_work) = (server.sign_in("acme-app", ADA).await, server.sign_in("acme", ADA).await);
    let shown =
        async || (ada.get(&server, "/").send().await.unwrap().text().await.unwrap() == "made at acme").then_some(());
    until("the app is shown", SOON, shown).await;
    assert_eq!(ada_at_work.text(&server, "/").await, "the workspace\n");
    let bob = server.sign_in("umbrella-app", BOB).await;
    until("the neighbour's app is shown", SOON, async || {
        (bob.get(&server, "/").send().await.unwrap().text().await.unwrap() == "made at umbrella").then_some(())
    })
    .await;

    // A sign-in is good at one hostname, and each instance's app is its members' alone.
    let app = server.host("acme-app");
    let (of_app, at_work, neighbours) = (ada.cookie(), ada_at_work.cookie(), bob.cookie());
    for (who, cookie, host) in [
        ("nobody", "", app.as_str()),
        ("the workspace's session", &at_work, &app),
        ("a neighbour", &neighbours, &app),
        ("the app's session", &of_app, &server.host("acme")),
        ("the app's session, at a neighbour's app", &of_app, &server.host("umbrella-app")),
    ] {
        let answer = server.request(Method::GET, host, "/").header("cookie", cookie).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{who} at {host}");
    }
    let from_the_app = server.request(Method::GET, &server.host("acme"), "/").header("cookie", &at_work);
    let answer = from_the_app.header("origin", format!("http://{app}")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN, "a page of the app does not act in the workspace");
    assert_eq!(server.at("nobody-app", "/").send().await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_app_that_is_shared_is_shown_to_everybody_and_nothing_else_is() {
    let apps = Apps::installed();
    let python = apps.program("python");
    let serve = format!("{python} -m http.server --bind 127.0.0.1 --directory");
    // What the application says to its guard stands in a file of its data.
    let making = format!(
        "mkdir -p $DATA/app $DATA/work; echo the workspace > $DATA/work/index.html; {serve} $DATA/app 3000 & \
         (while :; do if [ -e $DATA/say.py ]; then {python} $DATA/say.py; fi; sleep 1; done) & \
         exec {serve} $DATA/work $PORT"
    );
    let server = apps.seller().compute("app_sharing = true").app(&making).start().await;
    for (customer, subdomain) in [(ADA, "acme"), (BOB, "umbrella")] {
        server.provision(customer, subdomain);
        let made = server.project(subdomain).join("data/app/index.html");
        std::fs::write(made, format!("made at {subdomain}")).unwrap();
    }
    let nobody = async |subdomain: &str, path: &str| {
        let answer = server.request(Method::GET, &server.host(subdomain), path).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    let share = |shared: bool| {
        let say = format!(
            "import os, urllib.request as r\n\
             r.urlopen(r.Request(os.environ['SPINOFF_APP_SHARING_URL'], b'{{\"shared\":{shared}}}'))\n"
        );
        std::fs::write(server.project("acme").join("data/say.py"), say).unwrap();
    };
    let ada = server.sign_in("acme-app", ADA).await;
    let shown = async || (ada.text(&server, "/").await == "made at acme").then_some(());
    until("the app is shown to its members", SOON, shown).await;
    assert_eq!(nobody("acme-app", "/").await.0, StatusCode::UNAUTHORIZED, "closed at first");

    share(true);
    until("everybody sees the app", SOON, async || {
        (nobody("acme-app", "/").await == (StatusCode::OK, "made at acme".to_owned())).then_some(())
    })
    .await;
    let bob = server.sign_in("umbrella-app", BOB).await;
    let answer = server.request(Method::GET, &server.host("acme-app"), "/").header("cookie", bob.cookie());
    assert_eq!(answer.send().await.unwrap().status(), StatusCode::OK, "a neighbour is one of everybody");
    for (subdomain, path) in [("acme", "/"), ("umbrella", "/"), ("umbrella-app", "/"), ("acme-app", "/-/access/whoami")]
    {
        assert_eq!(nobody(subdomain, path).await.0, StatusCode::UNAUTHORIZED, "{subdomain}{path}");
    }
    let tried = server.cli(&["verify", "isolation", "--json", "--quiet"]).json();
    assert_eq!(tried["admitted"], 0, "an app that is open on purpose is no entrance: {tried}");
    assert_eq!(tried["proven"], 2, "{tried}");
    assert!(tried["not_tried"].as_u64().unwrap() > 0, "{tried}");

    share(false);
    until("members only see the app", SOON, async || {
        (nobody("acme-app", "/").await.0 == StatusCode::UNAUTHORIZED).then_some(())
    })
    .await;
    share(true);
    until("everybody sees it again", SOON, async || (nobody("acme-app", "/").await.0 == StatusCode::OK).then_some(()))
        .await;
    server.cli(&["suspend", "acme", "--reason", "For a rehearsal."]).ok();
    until("it is closed with its instance", SOON, async || {
        (nobody("acme-app", "/").await.0 == StatusCode::SERVICE_UNAVAILABLE).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_owner_of_a_bundled_workspace_shares_its_app_where_the_operator_allows_it() {
    for (settings, allowed) in [("app_sharing = true", true), ("app_sharing = false", false)] {
        let server = Server::with().compute(settings).start().await;
        server.provision(ADA, "acme");
        server.until_healthy("acme").await;
        let ada = server.sign_in("acme", ADA).await;
        let nobody = async || server.at("acme-app", "/").send().await.unwrap().status();
        assert_eq!(nobody().await, StatusCode::UNAUTHORIZED);
        let switched = ada.post(&server, "/app/sharing").form(&[("shared", "true")]).send().await.unwrap().status();
        let decisions = ada.text(&server, "/decisions").await;
        if allowed {
            assert!(switched.is_redirection() || switched.is_success(), "{switched}");
            // Nothing was made yet, which is told to everybody now.
            assert_eq!(nobody().await, StatusCode::SERVICE_UNAVAILABLE);
            assert!(decisions.contains("Shared the app with everybody"), "{decisions}");
            assert_eq!(server.at("acme", "/").send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
        } else {
            assert_eq!((switched, nobody().await), (StatusCode::CONFLICT, StatusCode::UNAUTHORIZED));
            assert!(!decisions.contains("Shared the app"), "{decisions}");
        }
    }
}
