//! Releases and rollouts as programs and operators see them: what is refused, and what is the same when it is asked twice.
//! How instances are updated is told in `rollouts.rs`.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::TestApp;

const OWNER: Option<&str> = Some("operator@localhost");

/// Adds a release, at the stage development.
async fn add(app: &TestApp, version: &str) -> Value {
    let (status, release) =
        app.api(Method::POST, "/releases", Some(json!({"version": version, "command": "true"}))).await;
    assert_eq!(status, StatusCode::CREATED, "{release}");
    release
}

/// Takes a release to the customers, without proofs.
async fn promote_to_customers(app: &TestApp, version: &str) {
    for from in ["development", "main"] {
        let how = json!({"from": from, "without_proof_because": "a test"});
        let (status, release) = app.api(Method::POST, &format!("/releases/{version}/promote"), Some(how)).await;
        assert_eq!(status, StatusCode::OK, "{release}");
    }
}

/// A rollout whose customers are told a day before, so that nothing is begun while the test looks.
fn tomorrow(version: &str) -> Value {
    json!({"version": version, "strategy": {"notice_hours": 24, "tolerated": "2%"}})
}

async fn appoint(app: &TestApp, email: &str, role: &str) {
    let insert = "insert into operators (email, role, added_at, from_settings) values ($1, $2, 0, 0)";
    store::sqlx::query(insert).bind(email).bind(role).execute(app.db.db.write()).await.unwrap();
    app.app().admit_to_site(&domain::Email::parse(email).unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_release_is_added_once_and_never_changes() {
    let app = TestApp::start().await;
    let added = add(&app, "2.0.0").await;
    assert_eq!(
        (&added["stage"], &added["instances"], &added["health_path"]),
        (&json!("development"), &json!(0), &json!("/"))
    );
    let again = json!({"version": "2.0.0", "command": "true"});
    let (status, same) = app.api(Method::POST, "/releases", Some(again)).await;
    assert_eq!((status, &same["id"]), (StatusCode::OK, &added["id"]));
    let other = json!({"version": "2.0.0", "command": "false"});
    let (status, problem) = app.api(Method::POST, "/releases", Some(other)).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    let (_, page) = app.api(Method::GET, "/releases", None).await;
    let versions: Vec<&str> =
        page["data"].as_array().unwrap().iter().map(|it| it["version"].as_str().unwrap()).collect();
    assert_eq!(versions, ["2.0.0", "1"], "what the settings name is a release too");
    assert_eq!(page["data"][1]["current_for"], json!(["development", "main", "customers"]));
}

#[tokio::test]
async fn what_can_be_no_release_is_refused_with_what_is_wrong() {
    let app = TestApp::start().await;
    for (body, said) in [
        (json!({"version": "2"}), "either an image or a command"),
        (json!({"version": "2", "command": "true", "image": "x@sha256:0"}), "either an image or a command"),
        (json!({"version": "2", "image": "x@sha256:0"}), "no containers"),
        (json!({"version": "2", "command": " "}), "Nothing says what to run"),
        (json!({"version": "2", "command": "true", "health_path": "health"}), "no path"),
        (json!({"version": "2", "command": "true", "read_only": ["opt"]}), "no folder"),
        (json!({"version": "../2", "command": "true"}), "not a version"),
        (json!({"version": "2", "command": "true", "notse": "x"}), "unknown field"),
    ] {
        let (status, problem) = app.api(Method::POST, "/releases", Some(body.clone())).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {problem}");
        assert!(problem["title"].as_str().unwrap().contains(said), "{body}: {problem}");
    }
    let (status, problem) = app.api(Method::GET, "/releases/9.9", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{problem}");
    assert_eq!(problem["title"], "There is no release 9.9");
}

#[tokio::test]
async fn a_promotion_asked_for_twice_is_one_and_without_a_proof_it_takes_a_reason() {
    let app = TestApp::start().await;
    add(&app, "2").await;
    let promote = async |how: Value| app.api(Method::POST, "/releases/2/promote", Some(how)).await;
    let (status, problem) = promote(json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert!(problem["title"].as_str().unwrap().contains("has not been proven in development"), "{problem}");
    for _ in 0..2 {
        let (status, release) =
            promote(json!({"from": "development", "without_proof_because": "It mends a hole."})).await;
        assert_eq!((status, &release["stage"]), (StatusCode::OK, &json!("main")), "{release}");
        assert_eq!(release["promotions"][0]["without_proof_because"], "It mends a hole.");
    }
    let (status, problem) = promote(json!({"from": "customers"})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
}

#[tokio::test]
async fn the_word_of_another_installation_proves_and_is_taken_once() {
    let app = TestApp::start().await;
    add(&app, "2").await;
    let word = |at: &str| json!({"stage": "development", "environment": "staging", "proven_at": at, "detail": "12, none failed"});
    for _ in 0..2 {
        let (status, release) = app.api(Method::POST, "/releases/2/proofs", Some(word("2026-11-01T10:00:00Z"))).await;
        assert_eq!(status, StatusCode::OK, "{release}");
        assert_eq!(release["proofs"].as_array().unwrap().len(), 1, "{release}");
    }
    let (status, problem) = app.api(Method::POST, "/releases/2/proofs", Some(word("2999-11-01T10:00:00Z"))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    let (status, release) = app.api(Method::POST, "/releases/2/promote", Some(json!({}))).await;
    assert_eq!((status, &release["stage"]), (StatusCode::OK, &json!("main")), "{release}");
}

#[tokio::test]
async fn a_withdrawn_release_goes_nowhere_any_more() {
    let app = TestApp::start().await;
    add(&app, "2").await;
    let withdraw = async |why: &str| app.api(Method::POST, "/releases/2/withdraw", Some(json!({"because": why}))).await;
    assert_eq!(withdraw(" ").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    for _ in 0..2 {
        let (status, release) = withdraw("It loses drafts.").await;
        assert_eq!((status, &release["withdrawn"]["because"]), (StatusCode::OK, &json!("It loses drafts.")));
    }
    let why = json!({"without_proof_because": "because"});
    assert_eq!(app.api(Method::POST, "/releases/2/promote", Some(why)).await.0, StatusCode::CONFLICT);
    for dry_run in [true, false] {
        let wanted = json!({"version": "2", "dry_run": dry_run});
        let (status, problem) = app.api(Method::POST, "/rollouts", Some(wanted)).await;
        assert_eq!(status, StatusCode::CONFLICT, "{problem}");
        assert!(problem["title"].as_str().unwrap().contains("It loses drafts."), "{problem}");
    }
}

#[tokio::test]
async fn a_dry_run_says_who_in_what_order_and_who_not_and_begins_nothing() {
    let app = TestApp::start_on_a_still_clock(store::Engine::Sqlite).await;
    for name in ["acme", "zoo", "fair"] {
        assert_eq!(app.provision(&format!("{name}@example.com"), name).await, "done");
    }
    add(&app, "2").await;
    promote_to_customers(&app, "2").await;
    let pin = json!({"pin": {"until": "2027-01-01T00:00:00Z", "because": "Their fair."}});
    let (status, agreed) = app.api(Method::PUT, "/instances/fair/updates", Some(pin)).await;
    assert_eq!(status, StatusCode::OK, "{agreed}");
    let wanted =
        json!({"version": "2", "dry_run": true, "strategy": {"waves": [50], "at_once": 2, "tolerated": "50%"}});
    let (status, plan) = app.api(Method::POST, "/rollouts", Some(wanted)).await;
    assert_eq!(status, StatusCode::OK, "{plan}");
    let units = plan["units"].as_array().unwrap();
    assert_eq!(units[0]["runs"], "1");
    assert_eq!(units[0]["wave"], 1);
    assert_eq!((units.len(), &plan["waves"], &plan["tolerated"]), (2, &json!([1, 1]), &json!(1)), "{plan}");
    assert_eq!(plan["left_out"][0]["subdomain"], "fair");
    assert_eq!(plan["left_out"][0]["why"], "it is pinned until 1 January 2027: Their fair.");
    let (_, none) = app.api(Method::GET, "/rollouts", None).await;
    assert_eq!(none["data"], json!([]));
}

#[tokio::test]
async fn what_can_be_no_rollout_is_refused_with_what_is_wrong() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    add(&app, "2").await;
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    for (body, status, said) in [
        (json!({"version": "3"}), StatusCode::NOT_FOUND, "no release 3"),
        (json!({"version": "2", "only": ["nobody"]}), StatusCode::NOT_FOUND, "no instance nobody"),
        (json!({"version": "2", "only": []}), unprocessable, "Nobody is named"),
        (json!({"version": "2", "strategy": {"waves": [60, 50]}}), unprocessable, "110 per cent"),
        (json!({"version": "2", "strategy": {"waves": [0]}}), unprocessable, "reaches nobody"),
        (json!({"version": "2", "strategy": {"tolerated": "many"}}), unprocessable, "how many may fail"),
        (json!({"version": "2", "strategy": {"tolerated": "200%"}}), unprocessable, "more than all"),
        (json!({"version": "2", "strategy": {"at_once": 0}}), unprocessable, "at_once"),
        (json!({"version": "2", "strategy": {"soak": 5}}), unprocessable, "unknown field"),
    ] {
        let (answered, problem) = app.api(Method::POST, "/rollouts", Some(body.clone())).await;
        assert_eq!(answered, status, "{body}: {problem}");
        assert!(problem["title"].as_str().unwrap().contains(said), "{body}: {problem}");
    }
    for path in ["/rollouts/rol_00000000000000000000000000", "/rollouts/nothing", "/rollouts/nothing/units"] {
        assert_eq!(app.api(Method::GET, path, None).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(app.api(Method::GET, "/rollouts?state=happy", None).await.0, unprocessable);
}

#[tokio::test]
async fn a_rollout_is_looked_at_page_by_page_held_left_out_of_and_ended() {
    let app = TestApp::start().await;
    for name in ["acme", "zoo", "fair"] {
        app.provision(&format!("{name}@example.com"), name).await;
    }
    add(&app, "2").await;
    promote_to_customers(&app, "2").await;
    let (status, begun) = app.api(Method::POST, "/rollouts", Some(tomorrow("2"))).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{begun}");
    assert_eq!(
        (&begun["state"], &begun["planned"], &begun["counts"]["waiting"]),
        (&json!("running"), &json!(3), &json!(3))
    );
    let id = begun["id"].as_str().unwrap();
    let (status, problem) = app.api(Method::POST, "/rollouts", Some(tomorrow("2"))).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    let (_, open) = app.api(Method::GET, "/rollouts?state=open", None).await;
    assert_eq!(open["data"][0]["id"], id);

    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let (status, page) = app.api(Method::GET, &format!("/rollouts/{id}/units?limit=1{cursor}"), None).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        names
            .extend(page["data"].as_array().unwrap().iter().map(|unit| unit["subdomain"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    names.sort();
    assert_eq!(names, ["acme", "fair", "zoo"]);
    let units = async |query: &str| app.api(Method::GET, &format!("/rollouts/{id}/units{query}"), None).await;
    assert_eq!(units("?state=updated").await.1["data"], json!([]));
    assert_eq!(units("?state=lost").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(units("?cursor=lost").await.0, StatusCode::UNPROCESSABLE_ENTITY);

    let ask = async |verb: &str| app.api(Method::POST, &format!("/rollouts/{id}/{verb}"), None).await;
    for (verb, state) in
        [("pause", "paused"), ("pause", "paused"), ("resume", "running"), ("units/acme/skip", "running")]
    {
        let (status, rollout) = ask(verb).await;
        assert_eq!((status, &rollout["state"]), (StatusCode::OK, &json!(state)), "{verb}: {rollout}");
    }
    assert_eq!(units("?state=skipped").await.1["data"][0]["subdomain"], "acme");
    assert_eq!(ask("units/nobody/skip").await.0, StatusCode::NOT_FOUND);
    let (status, ended) = ask("cancel").await;
    assert_eq!((status, &ended["state"]), (StatusCode::OK, &json!("cancelled")), "{ended}");
    assert_eq!(ask("resume").await.0, StatusCode::CONFLICT);
    let log: Vec<&str> = ended["log"].as_array().unwrap().iter().map(|it| it["what"].as_str().unwrap()).collect();
    assert!(log[0].starts_with("Began: 3 instances") && log.contains(&"acme left out"), "{log:?}");
}

#[tokio::test]
async fn an_owner_adds_promotes_and_begins_from_the_console() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    let page = app.get("/admin/rollouts", OWNER).await;
    assert!(page.body.contains("No rollout yet"), "the list says that it is empty");
    let entered = [("version", "2"), ("runs", "true"), ("health_path", "/"), ("notes", "Faster.\r\nCalmer.")];
    let added = app.browser(Method::POST, "/admin/releases", OWNER, &entered).await;
    assert_eq!((added.status, added.location.as_deref()), (StatusCode::SEE_OTHER, Some("/admin/releases/2")));
    let wrong = [("version", "2"), ("runs", "false"), ("health_path", "/")];
    let refused = app.browser(Method::POST, "/admin/releases", OWNER, &wrong).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.body.contains("another release 2 already") && refused.body.contains("value=\"false\""));

    for (from, to) in [("development", "main"), ("main", "customers")] {
        let asked = app.get("/admin/releases/2/promote", OWNER).await;
        assert!(asked.body.contains(&format!("Promote 2 to {to}?")), "{}", asked.body);
        let bare = app.browser(Method::POST, "/admin/releases/2/promote", OWNER, &[("from", from)]).await;
        assert_eq!(bare.status, StatusCode::CONFLICT, "without a proof and without a reason");
        for _ in 0..2 {
            let form = [("from", from), ("reason", "We looked at it.")];
            let done = app.browser(Method::POST, "/admin/releases/2/promote", OWNER, &form).await;
            assert_eq!(done.status, StatusCode::SEE_OTHER, "pressed twice");
        }
    }

    let plan = "/admin/rollouts/plan?version=2&pace=waves&waves=50&at_once=2&notice_hours=24";
    let shown = app.get(plan, OWNER).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
    assert!(shown.body.contains(&app.shown("acme")) && shown.body.contains("Begin: one instance"), "{}", shown.body);
    let digest = shown.body.split("name=\"digest\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let form = [("version", "2"), ("pace", "waves"), ("waves", "50"), ("at_once", "2"), ("notice_hours", "24")];
    let as_shown = |digest| [form.as_slice(), &[("digest", digest)]].concat();
    let other = app.browser(Method::POST, "/admin/rollouts", OWNER, &as_shown("00")).await;
    assert_eq!(other.status, StatusCode::CONFLICT, "another plan than was shown is begun by nobody");
    let begun = app.browser(Method::POST, "/admin/rollouts", OWNER, &as_shown(&digest)).await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.body);
    let url = begun.location.unwrap();
    let twice = app.browser(Method::POST, "/admin/rollouts", OWNER, &as_shown(&digest)).await;
    assert_eq!(twice.location.as_deref(), Some(url.as_str()), "a form that is sent twice leads to the same");
    let page = app.get(&url, OWNER).await;
    assert!(page.body.contains("0 of 1 are settled") && page.body.contains("http-equiv=\"refresh\""), "{}", page.body);
    let refused = app.get("/admin/rollouts/plan?version=2&soak_minutes=soon", OWNER).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("value=\"soon\""), "what was entered stands there");
}

#[tokio::test]
async fn support_holds_a_rollout_and_an_owner_decides() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    appoint(&app, "r@example.com", "read_only").await;
    appoint(&app, "s@example.com", "support").await;
    add(&app, "2").await;
    promote_to_customers(&app, "2").await;
    let (_, begun) = app.api(Method::POST, "/rollouts", Some(tomorrow("2"))).await;
    let url = format!("/admin/rollouts/{}", begun["id"].as_str().unwrap());
    let (reader, support) = (Some("r@example.com"), Some("s@example.com"));
    let page = app.get(&url, reader).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.body.contains("/pause\"") && !page.body.contains("Leave out"), "a reader is offered nothing");
    for verb in ["pause", "resume", "cancel", "roll-back", "units/acme/skip"] {
        let answer = app.browser(Method::POST, &format!("{url}/{verb}"), reader, &[]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "a reader: {verb}");
    }
    for verb in ["pause", "resume"] {
        let answer = app.browser(Method::POST, &format!("{url}/{verb}"), support, &[]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "support: {verb}");
    }
    let page = app.get(&url, support).await;
    assert!(
        page.body.contains("Pause") && !page.body.contains("Take it back"),
        "support is not offered what is an owner's"
    );
    // A halt, as the rollout itself records it.
    store::sqlx::query("update rollouts set state = 'halted', why = 'One failed'")
        .execute(app.db.db.write())
        .await
        .unwrap();
    let answer = app.browser(Method::POST, &format!("{url}/resume"), support, &[]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "going on after a halt accepts failures");
    let home = app.get("/admin", reader).await;
    assert!(home.body.contains("The rollout of 2 halted"), "a halt waits for a person");
    let asked = app.get(&format!("{url}/cancel"), OWNER).await;
    assert!(asked.body.contains("Cancel the rollout of 2?"));
    let answer = app.browser(Method::POST, &format!("{url}/cancel"), OWNER, &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(app.get(&url, OWNER).await.body.contains("Cancelled"));
}
