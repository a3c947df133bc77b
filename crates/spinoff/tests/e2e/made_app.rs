//! The app that an application makes listens on port 3000 and is shown at a hostname of its own: to
//! the members of its instance, and to nobody else.

use std::time::Duration;

use reqwest::{Method, StatusCode};

use crate::support::apps::Apps;
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
