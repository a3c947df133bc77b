//! What is agreed about the updates of one instance, with programs, operators and its customer.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::TestApp;

const ADA: Option<&str> = Some("ada@example.com");
const OWNER: Option<&str> = Some("operator@localhost");

async fn start() -> TestApp {
    let app = TestApp::start_on_a_still_clock(store::Engine::Sqlite).await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    app
}

async fn updates(app: &TestApp) -> Value {
    let (status, updates) = app.api(Method::GET, "/instances/acme/updates", None).await;
    assert_eq!(status, StatusCode::OK, "{updates}");
    updates
}

/// Brings a release to the customers, and announces a rollout of it for tomorrow.
async fn announce(app: &TestApp) -> String {
    app.api(Method::POST, "/releases", Some(json!({"version": "2", "command": "true", "notes": "Faster."}))).await;
    for _ in 0..2 {
        app.api(Method::POST, "/releases/2/promote", Some(json!({"without_proof_because": "a test"}))).await;
    }
    let wanted = json!({"version": "2", "strategy": {"notice_hours": 24}});
    let (status, begun) = app.api(Method::POST, "/rollouts", Some(wanted)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{begun}");
    begun["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_instance_tells_what_it_runs_and_changes_only_what_is_said() {
    let app = start().await;
    let fresh = updates(&app).await;
    assert_eq!((&fresh["stage"], &fresh["release"]["version"]), (&json!("customers"), &json!("1")));
    assert_eq!(fresh["window"], Value::Null);
    let change = async |body: Value| app.api(Method::PUT, "/instances/acme/updates", Some(body)).await;
    let window = json!({"days": ["sat", "sun"], "from_hour": 2, "hours": 4});
    for _ in 0..2 {
        let (status, agreed) = change(json!({"stage": "main", "window": window})).await;
        assert_eq!((status, &agreed["stage"], &agreed["window"]), (StatusCode::OK, &json!("main"), &window));
    }
    let (_, pinned) = change(json!({"pin": {"until": "2026-12-24T00:00:00Z", "because": "Their fair."}})).await;
    assert_eq!((&pinned["pin"]["because"], &pinned["window"]), (&json!("Their fair."), &window));
    let (_, back) = change(json!({"pin": null, "window": null, "stage": "customers"})).await;
    assert_eq!((&back["pin"], &back["window"]), (&Value::Null, &Value::Null));
    assert_eq!(app.api(Method::GET, "/instances/nobody/updates", None).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_cannot_be_agreed_is_refused_and_nothing_of_it_is_kept() {
    let app = start().await;
    for body in [
        json!({"stage": "production"}),
        json!({"stage": "main", "window": {"days": [], "from_hour": 2, "hours": 4}}),
        json!({"stage": "main", "window": {"days": ["sat"], "from_hour": 2, "hours": 1}}),
        json!({"stage": "main", "deferred_until": "2026-12-24T00:00:00Z"}),
        json!({"stage": "main", "deferred_until": "2026-11-24T00:00:00Z"}),
        json!({"stage": "main", "pin": {"until": "2027-12-24T00:00:00Z", "because": "Too long."}}),
        json!({"stage": "main", "pin": {"until": "2026-12-24T00:00:00Z", "because": " "}}),
        json!({"stage": "main", "windows": null}),
    ] {
        let (status, problem) = app.api(Method::PUT, "/instances/acme/updates", Some(body.clone())).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {problem}");
        assert_eq!(updates(&app).await["stage"], "customers", "{body} was half agreed");
    }
    app.delete("acme").await;
    let (status, problem) = app.api(Method::PUT, "/instances/acme/updates", Some(json!({"stage": "main"}))).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
}

#[tokio::test]
async fn a_customer_sees_what_comes_puts_it_off_and_chooses_hours() {
    let app = start().await;
    let page = app.get("/portal/instances/acme", ADA).await;
    assert!(page.body.contains("runs version <b>1</b>") && page.body.contains("At any time"), "{}", page.body);
    announce(&app).await;
    let page = app.get("/portal/instances/acme", ADA).await;
    for words in ["2 comes next", "Not before", "26 Nov 2026", "Faster."] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    let post = async |path: &str, form: &[(&str, &str)]| {
        app.browser(Method::POST, &format!("/portal/instances/acme/updates/{path}"), ADA, form).await
    };
    let off = post("defer", &[("days", "3")]).await;
    assert_eq!((off.status, off.location.as_deref()), (StatusCode::SEE_OTHER, Some("/portal/instances/acme#updates")));
    assert_eq!(updates(&app).await["waiting"]["opens_at"], "2026-11-28T10:00:00Z");
    assert!(app.get("/portal/instances/acme", ADA).await.body.contains("You put updates off until"));
    let long = post("defer", &[("days", "8")]).await;
    assert_eq!(long.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(long.body.contains("put off by 7 days at most"), "{}", long.body);
    assert_eq!(post("defer", &[("days", "0")]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(updates(&app).await["waiting"]["opens_at"], "2026-11-26T10:00:00Z", "when it was announced for");

    let hours = [("day", "sat"), ("day", "sun"), ("from", "22"), ("hours", "4")];
    for _ in 0..2 {
        assert_eq!(post("window", &hours).await.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(updates(&app).await["waiting"]["opens_at"], "2026-11-28T22:00:00Z");
    let page = app.get("/portal/instances/acme", ADA).await;
    assert!(page.body.contains("Saturday, Sunday, 22:00 to 02:00 UTC"), "{}", page.body);
    for wrong in [
        [("day", "mon"), ("from", "22"), ("hours", "1")].as_slice(),
        &[("from", "22"), ("hours", "4")],
        &[("day", "mon"), ("from", "noon"), ("hours", "4")],
    ] {
        let refused = post("window", wrong).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong:?}");
        assert!(refused.body.contains("role=\"alert\""), "{wrong:?}");
    }
    assert_eq!(
        post("window", &[("at_any_time", "yes"), ("from", ""), ("hours", "")]).await.status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(updates(&app).await["window"], Value::Null);
}

#[tokio::test]
async fn nobody_decides_about_a_neighbours_updates() {
    let app = start().await;
    app.provision("eve@example.com", "zoo").await;
    for (path, form) in [("window", [("at_any_time", "yes")]), ("defer", [("days", "1")])] {
        let url = format!("/portal/instances/zoo/updates/{path}");
        let answer = app.browser(Method::POST, &url, ADA, &form).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let (_, theirs) = app.api(Method::GET, "/instances/zoo/updates", None).await;
    assert_eq!(theirs["deferred_until"], Value::Null);
}

#[tokio::test]
async fn an_operator_pins_an_instance_out_of_an_open_rollout() {
    let app = start().await;
    let rollout = announce(&app).await;
    let id = app.instance("acme").await["id"].as_str().unwrap().to_owned();
    let post = async |verb: &str, form: &[(&str, &str)]| {
        app.browser(Method::POST, &format!("/admin/instances/{id}/{verb}"), OWNER, form).await
    };
    assert_eq!(post("pin", &[("days", "200"), ("reason", "Long.")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(post("pin", &[("days", "10")]).await.status, StatusCode::UNPROCESSABLE_ENTITY, "without a reason");
    assert_eq!(post("pin", &[("days", "10"), ("reason", "Their fair.")]).await.status, StatusCode::SEE_OTHER);
    let (_, shown) = app.api(Method::GET, &format!("/rollouts/{rollout}/units"), None).await;
    assert_eq!(
        (&shown["data"][0]["state"], &shown["data"][0]["why"]),
        (&json!("excused"), &json!("it is pinned: Their fair."))
    );
    let page = app.get(&format!("/admin/instances/{id}"), OWNER).await;
    assert!(page.body.contains("Their fair.") && page.body.contains("Unpin it"), "{}", page.body);
    assert!(app.get("/portal/instances/acme", ADA).await.body.contains("We keep it at this version until"));
    assert_eq!(post("unpin", &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(updates(&app).await["pin"], Value::Null);
    assert_eq!(post("stage", &[("stage", "development")]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(post("stage", &[("stage", "production")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(updates(&app).await["stage"], "development");
}
