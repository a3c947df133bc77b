use reqwest::{Method, StatusCode};
use serde_json::json;
use workflow::{Fault, Moment, Point};

use crate::support::{TestApp, always, once, points};

const KIND: &str = "provision.v1";
const STEPS: [&str; 11] = [
    "begin",
    "create project",
    "configure",
    "register hostname",
    "deploy",
    "publish address",
    "cover with access control",
    "wait until healthy",
    "refuse strangers",
    "start subscription",
    "record",
];
const UNDONE: [&str; 4] =
    ["undo start subscription", "undo publish address", "undo create project", "undo tell customer and operator"];

async fn ordering_an_instance_gives_a_running_one(engine: store::Engine) {
    let app = TestApp::start_with(engine, workflow::Faults::none()).await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    let instance = app.instance("acme").await;
    assert_eq!(instance["state"], "active");
    assert_eq!(instance["project"], "ai-diy-acme");
    assert_eq!(app.host.projects(), ["ai-diy-acme"]);
    assert_eq!(app.hostnames().await, ["acme.localhost"]);
    assert_eq!(app.mails_to("ada@example.com").await.len(), 1);
    assert_eq!(app.count("select count(*) from ledger_subscriptions where ended_at is null").await, 1);
    let (_, members) = app.api(Method::GET, "/instances/acme/members", None).await;
    assert_eq!(members["data"][0]["role"], "owner");
}

#[tokio::test]
async fn ordering_an_instance_gives_a_running_one_on_sqlite() {
    ordering_an_instance_gives_a_running_one(store::Engine::Sqlite).await;
}

#[tokio::test]
async fn ordering_an_instance_gives_a_running_one_on_postgres() {
    ordering_an_instance_gives_a_running_one(store::Engine::Postgres).await;
}

#[tokio::test]
async fn dying_at_any_step_makes_nothing_twice_and_loses_nothing() {
    for point in points(KIND, &STEPS) {
        let app = TestApp::start_with(store::Engine::Sqlite, once(point.clone(), Fault::Death)).await;
        assert_eq!(app.provision("ada@example.com", "acme").await, "done", "{point:?}");
        assert_eq!(app.instance("acme").await["state"], "active", "{point:?}");
        assert_eq!(app.host.times_created("ai-diy-acme"), 1, "{point:?}");
        assert_eq!(app.mails_to("ada@example.com").await.len(), 1, "{point:?}");
        assert_eq!(app.count("select count(*) from ledger_subscriptions").await, 1, "{point:?}");
        let activated = app.count("select count(*) from audit_events where action = 'instance.activated'").await;
        assert!(activated >= 1, "{point:?}");
    }
}

#[tokio::test]
async fn failing_for_good_at_any_step_leaves_nothing_and_tells_both_sides() {
    for point in points(KIND, &STEPS) {
        let app = TestApp::start_with(store::Engine::Sqlite, always(point.clone(), Fault::Permanent)).await;
        assert_eq!(app.provision("ada@example.com", "acme").await, "failed", "{point:?}");
        nothing_is_left(&app, &format!("{point:?}")).await;
    }
}

#[tokio::test]
async fn the_way_back_may_be_interrupted_anywhere_and_run_twice() {
    for death in points(KIND, &UNDONE) {
        let interrupted = std::sync::Mutex::new(Some(death.clone()));
        let faults = workflow::Faults::by(move |here| {
            if here.step == "record" && here.moment == Moment::Before {
                return Some(Fault::Permanent);
            }
            let mut left = interrupted.lock().unwrap();
            (left.as_ref() == Some(here)).then(|| {
                *left = None;
                Fault::Death
            })
        });
        let app = TestApp::start_with(store::Engine::Sqlite, faults).await;
        assert_eq!(app.provision("ada@example.com", "acme").await, "failed", "{death:?}");
        nothing_is_left(&app, &format!("{death:?}")).await;
    }
}

async fn nothing_is_left(app: &TestApp, context: &str) {
    assert_eq!(app.instance("acme").await["state"], "failed", "{context}");
    assert_eq!(app.host.projects(), Vec::<String>::new(), "{context}");
    assert_eq!(app.hostnames().await, Vec::<String>::new(), "{context}");
    assert_eq!(app.count("select count(*) from members").await, 0, "{context}");
    assert_eq!(app.count("select count(*) from ledger_subscriptions where ended_at is null").await, 0, "{context}");
    for reader in ["ada@example.com", "operator@localhost"] {
        app.until(async || !app.mails_to(reader).await.is_empty()).await;
        let failures = app.mails_to(reader).await.iter().filter(|subject| !subject.contains("ready")).count();
        assert_eq!(failures, 1, "{reader} was not told once: {context}");
    }
    let again = json!({"customer_email": "eve@example.com", "subdomain": "acme"});
    let (status, answer) = app.api(Method::POST, "/instances", Some(again)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "the name was not given back: {context}: {answer}");
}

#[tokio::test]
async fn a_provider_that_is_away_for_a_while_is_waited_for() {
    let app = TestApp::start().await;
    app.host.be_unavailable(7);
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    assert_eq!(app.host.times_created("ai-diy-acme"), 1);
}

#[tokio::test]
async fn an_abandoned_provisioning_is_undone() {
    let stuck = Point { kind: KIND.into(), step: "deploy".into(), moment: Moment::Before };
    let app = TestApp::start_with(store::Engine::Sqlite, always(stuck, Fault::Temporary)).await;
    let order = json!({"customer_email": "ada@example.com", "subdomain": "acme"});
    let (_, accepted) = app.api(Method::POST, "/instances", Some(order)).await;
    let id = accepted["workflow_id"].as_str().unwrap();
    let (status, _) = app.api(Method::POST, &format!("/workflows/{id}/abandon"), None).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(app.settled(id).await, "failed");
    nothing_is_left(&app, "abandoned").await;
    let (status, _) = app.api(Method::POST, &format!("/workflows/{id}/retry"), None).await;
    assert_eq!(status, StatusCode::CONFLICT, "what is over can't be retried");
}

#[tokio::test]
async fn a_key_names_one_order() {
    let app = TestApp::start().await;
    let order = |email: &str, name: &str| json!({"customer_email": email, "subdomain": name});
    let first = app.order("k", order("ada@example.com", "acme")).await;
    let again = app.order("k", order("ada@example.com", "acme")).await;
    assert_eq!(first.1["id"], again.1["id"]);
    for other in [order("ada@example.com", "zoo"), order("eve@example.com", "acme")] {
        assert_eq!(app.order("k", other).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    }
}

#[tokio::test]
async fn what_customers_read_of_a_failure_names_no_internals() {
    let point = Point { kind: KIND.into(), step: "deploy".into(), moment: Moment::Before };
    let app = TestApp::start_with(store::Engine::Sqlite, always(point, Fault::Permanent)).await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "failed");
    let workflow = app.instance("acme").await["workflow_id"].as_str().unwrap().to_owned();
    let page = app.get(&format!("/signup/{workflow}"), None).await;
    let mails = app.get("/mailbox/messages.json", None).await.body;
    let mails: Vec<serde_json::Value> = serde_json::from_str(&mails).unwrap();
    let text_to = |email: &str| mails.iter().find(|mail| mail["to"] == email).unwrap()["text"].to_string();
    assert!(!page.body.contains("rehearsed") && page.body.contains("starting the application"), "{}", page.body);
    assert!(!text_to("ada@example.com").contains("rehearsed"));
    assert!(text_to("operator@localhost").contains("rehearsed"), "the operator is not told the reason");
}

#[tokio::test]
async fn names_that_look_alike_can_not_be_had_by_two() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "corner").await;
    for taken in ["corner", "comer", "c0rner", "cor-ner"] {
        let order = json!({"customer_email": "eve@example.com", "subdomain": taken});
        let (status, problem) = app.api(Method::POST, "/instances", Some(order)).await;
        assert_eq!(status, StatusCode::CONFLICT, "{taken}");
        assert!(problem["next_step"].is_string(), "{problem}");
    }
}

async fn twenty_orders_for_one_name_make_one_instance(engine: store::Engine) {
    let app = TestApp::start_with(engine, workflow::Faults::none()).await;
    let order = |number: usize| {
        let body = json!({"customer_email": format!("c{number}@example.com"), "subdomain": "acme"});
        app.api(Method::POST, "/instances", Some(body))
    };
    let answers = futures_util::future::join_all((0..20).map(order)).await;
    let accepted = answers.iter().filter(|(status, _)| *status == StatusCode::ACCEPTED).count();
    let refused = answers.iter().filter(|(status, _)| *status == StatusCode::CONFLICT).count();
    assert_eq!((accepted, refused), (1, 19));
    assert_eq!(app.count("select count(*) from customers").await, 1, "a refused order left a customer behind");
}

#[tokio::test]
async fn twenty_orders_for_one_name_make_one_instance_on_sqlite() {
    twenty_orders_for_one_name_make_one_instance(store::Engine::Sqlite).await;
}

#[tokio::test]
async fn twenty_orders_for_one_name_make_one_instance_on_postgres() {
    twenty_orders_for_one_name_make_one_instance(store::Engine::Postgres).await;
}
