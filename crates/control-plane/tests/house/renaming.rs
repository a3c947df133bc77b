//! An instance moves to another subdomain, or stays where it is.

use reqwest::{Method, StatusCode};
use serde_json::json;
use workflow::{Fault, Faults, Moment};

use crate::support::{TestApp, always, once, points};

const KIND: &str = "rename.v1";
const STEPS: [&str; 9] = [
    "register hostname",
    "publish address",
    "admit members",
    "wait for address",
    "configure",
    "deploy",
    "wait until healthy",
    "refuse strangers",
    "switch",
];
const UNDONE: [&str; 6] = [
    "undo set the name aside",
    "undo configure",
    "undo deploy",
    "undo publish address",
    "undo register hostname",
    "undo give the name back",
];

async fn ask(app: &TestApp, instance: &str, to: &str) -> (StatusCode, serde_json::Value) {
    app.api(Method::POST, &format!("/instances/{instance}/rename"), Some(json!({"subdomain": to}))).await
}

/// Asks, and waits until everything that follows from it is over. How the change of name ended.
async fn rename(app: &TestApp, instance: &str, to: &str) -> String {
    let (status, accepted) = ask(app, instance, to).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
    let ended = app.settled(accepted["workflow_id"].as_str().unwrap()).await;
    at_rest(app).await;
    ended
}

async fn at_rest(app: &TestApp) {
    app.until(async || app.count("select count(*) from workflows where state in ('running', 'undoing')").await == 0)
        .await;
}

async fn lives_at(app: &TestApp, name: &str, context: &str) {
    let instance = app.instance("ai-diy-acme").await;
    assert_eq!((instance["subdomain"].as_str(), instance["state"].as_str()), (Some(name), Some("active")), "{context}");
    assert!(instance.get("next_subdomain").is_none(), "{context}: {instance}");
    assert_eq!(app.hostnames().await, [format!("{name}.localhost")], "{context}");
    assert_eq!(app.host.hostnames_of("ai-diy-acme"), [format!("{name}.localhost")], "{context}");
    assert_eq!(app.host.told("ai-diy-acme"), format!("http://{}", app.shown(name)), "{context}");
}

async fn order(app: &TestApp, subdomain: &str) -> StatusCode {
    let order = json!({"customer_email": "eve@example.com", "subdomain": subdomain});
    app.api(Method::POST, "/instances", Some(order)).await.0
}

async fn an_instance_moves_and_keeps_its_former_name_to_itself(engine: store::Engine) {
    let app = TestApp::start_with(engine, Faults::none()).await;
    app.provision("ada@example.com", "acme").await;
    app.api(Method::POST, "/instances/acme/members", Some(json!({"email": "bob@example.com"}))).await;
    assert_eq!(rename(&app, "acme", "zoo").await, "done");
    lives_at(&app, "zoo", "moved").await;
    let mails = app.mails_to("ada@example.com").await;
    assert_eq!(mails[1..], [format!("Your workspace is now at {}", app.shown("zoo"))]);
    let members = "select count(*) from edge_admissions where hostname = 'zoo.localhost' and rule like '%@example.com'";
    assert_eq!(app.count(members).await, 2);
    for taken in ["acme", "acrne", "zoo", "z0o"] {
        assert_eq!(order(&app, taken).await, StatusCode::CONFLICT, "{taken}");
    }
    assert_eq!(rename(&app, "zoo", "acme").await, "done", "it may go back");
    lives_at(&app, "acme", "back").await;
    assert_eq!(app.delete("acme").await, "done");
    assert_eq!(app.provision("eve@example.com", "acme").await, "done", "what is gone holds no name");
    assert_eq!(app.provision("eve@example.com", "zoo").await, "done");
}

#[tokio::test]
async fn an_instance_moves_and_keeps_its_former_name_to_itself_on_sqlite() {
    an_instance_moves_and_keeps_its_former_name_to_itself(store::Engine::Sqlite).await;
}

#[tokio::test]
async fn an_instance_moves_and_keeps_its_former_name_to_itself_on_postgres() {
    an_instance_moves_and_keeps_its_former_name_to_itself(store::Engine::Postgres).await;
}

#[tokio::test]
async fn dying_at_any_step_moves_it_once() {
    let mut all = points(KIND, &STEPS);
    all.extend(points("retire-address.v1", &["remove address", "release hostname"]));
    for point in all {
        let app = TestApp::start_with(store::Engine::Sqlite, once(point.clone(), Fault::Death)).await;
        app.provision("ada@example.com", "acme").await;
        assert_eq!(rename(&app, "acme", "zoo").await, "done", "{point:?}");
        lives_at(&app, "zoo", &format!("{point:?}")).await;
        assert_eq!(app.mails_to("ada@example.com").await.len(), 2, "{point:?}");
        assert_eq!(app.host.times_created("ai-diy-acme"), 1, "{point:?}");
    }
}

#[tokio::test]
async fn failing_for_good_at_any_step_leaves_it_where_it_was_and_tells_both_sides() {
    for point in points(KIND, &STEPS) {
        let app = TestApp::start_with(store::Engine::Sqlite, always(point.clone(), Fault::Permanent)).await;
        app.provision("ada@example.com", "acme").await;
        assert_eq!(rename(&app, "acme", "zoo").await, "failed", "{point:?}");
        if point.step == "switch" && point.moment == Moment::After {
            lives_at(&app, "zoo", "it had moved").await;
        } else {
            stayed(&app, &format!("{point:?}")).await;
        }
    }
}

async fn stayed(app: &TestApp, context: &str) {
    lives_at(app, "acme", context).await;
    for reader in ["ada@example.com", "operator@localhost"] {
        let told = app.mails_to(reader).await;
        let about = |subject: &&String| subject.contains("stays at") || subject.contains("could not move");
        assert_eq!(told.iter().filter(about).count(), 1, "{context}: {told:?}");
    }
    assert_eq!(app.count("select count(*) from reserved_names").await, 1, "{context}");
    assert_eq!(order(app, "zoo").await, StatusCode::ACCEPTED, "the name was not given back: {context}");
}

#[tokio::test]
async fn the_way_back_may_be_interrupted_anywhere_and_run_twice() {
    for death in points(KIND, &UNDONE) {
        let interrupted = std::sync::Mutex::new(Some(death.clone()));
        let faults = Faults::by(move |here| {
            if here.kind == KIND && here.step == "switch" && here.moment == Moment::Before {
                return Some(Fault::Permanent);
            }
            let mut left = interrupted.lock().unwrap();
            (left.as_ref() == Some(here)).then(|| {
                *left = None;
                Fault::Death
            })
        });
        let app = TestApp::start_with(store::Engine::Sqlite, faults).await;
        app.provision("ada@example.com", "acme").await;
        assert_eq!(rename(&app, "acme", "zoo").await, "failed", "{death:?}");
        stayed(&app, &format!("{death:?}")).await;
    }
}

/// Holds a change of name before its last step until the flag is taken away.
fn held(at: &'static str) -> (Faults, std::sync::Arc<std::sync::atomic::AtomicBool>) {
    let held = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let flag = std::sync::Arc::clone(&held);
    let faults = Faults::by(move |here| {
        let holds = here.kind == KIND && here.step == at && here.moment == Moment::Before;
        (holds && flag.load(std::sync::atomic::Ordering::SeqCst)).then_some(Fault::Temporary)
    });
    (faults, held)
}

#[tokio::test]
async fn what_can_not_be_is_refused_in_words() {
    let (faults, held) = held("switch");
    let app = TestApp::start_with(store::Engine::Sqlite, faults).await;
    assert_eq!(ask(&app, "acme", "zoo").await.0, StatusCode::NOT_FOUND);
    app.provision("ada@example.com", "acme").await;
    app.provision("eve@example.com", "corner").await;
    for (to, status) in [
        ("acme", StatusCode::CONFLICT),
        ("corner", StatusCode::CONFLICT),
        ("comer", StatusCode::CONFLICT),
        ("admin", StatusCode::UNPROCESSABLE_ENTITY),
        ("a", StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let (found, problem) = ask(&app, "acme", to).await;
        assert_eq!(found, status, "{to}: {problem}");
        assert!(problem["next_step"].is_string(), "{problem}");
    }
    let (_, first) = ask(&app, "acme", "zoo").await;
    assert_eq!(app.instance("acme").await["next_subdomain"], "zoo");
    assert_eq!(ask(&app, "acme", "zoo").await.1["workflow_id"], first["workflow_id"], "asking again is the same");
    let (status, problem) = ask(&app, "acme", "circus").await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    for taken in ["zoo", "z0o"] {
        assert_eq!(order(&app, taken).await, StatusCode::CONFLICT, "{taken} is somebody's to be");
        assert_eq!(ask(&app, "corner", taken).await.0, StatusCode::CONFLICT);
    }
    held.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(app.settled(first["workflow_id"].as_str().unwrap()).await, "done");
    at_rest(&app).await;
    // A name that looks like its own is nobody else's, and may be had.
    assert_eq!(rename(&app, "zoo", "z-oo").await, "done");
    assert_eq!(app.host.hostnames_of("ai-diy-acme"), ["z-oo.localhost"]);
    app.api(Method::POST, "/instances/z-oo/suspend", Some(json!({"reason": "The last invoice is unpaid."}))).await;
    assert_eq!(ask(&app, "z-oo", "circus").await.0, StatusCode::CONFLICT);
}

#[tokio::test]
async fn an_instance_has_so_many_names_and_no_more() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    let mut at = "acme".to_owned();
    for number in 1..=5 {
        let next = format!("name{number}x");
        assert_eq!(rename(&app, &at, &next).await, "done");
        at = next;
    }
    let (status, problem) = ask(&app, &at, "name6x").await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert!(problem["next_step"].as_str().unwrap().contains("acme, name1x"), "{problem}");
    assert_eq!(rename(&app, &at, "acme").await, "done");
}

#[tokio::test]
async fn a_suspension_meanwhile_is_given_way_to() {
    for at in ["configure", "switch"] {
        let (faults, held) = held(at);
        let app = TestApp::start_with(store::Engine::Sqlite, faults).await;
        app.provision("ada@example.com", "acme").await;
        let (_, moving) = ask(&app, "acme", "zoo").await;
        let why = json!({"reason": "The last invoice is unpaid."});
        app.api(Method::POST, "/instances/acme/suspend", Some(why)).await;
        held.store(false, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(app.settled(moving["workflow_id"].as_str().unwrap()).await, "failed");
        at_rest(&app).await;
        assert_eq!(app.host.is_suspended("ai-diy-acme"), Some(true));
        assert_eq!(app.hostnames().await, ["acme.localhost"]);
        let (status, _) = app.api(Method::POST, "/instances/acme/resume", None).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        at_rest(&app).await;
        lives_at(&app, "acme", at).await;
        assert_ne!(app.visit("acme").await.status, StatusCode::SERVICE_UNAVAILABLE);
    }
}

#[tokio::test]
async fn a_deletion_meanwhile_removes_both_addresses_and_frees_both_names() {
    for at in STEPS {
        let (faults, held) = held(at);
        let app = TestApp::start_with(store::Engine::Sqlite, faults).await;
        app.provision("ada@example.com", "acme").await;
        let (_, moving) = ask(&app, "acme", "zoo").await;
        let (_, deletion) = app.api(Method::DELETE, "/instances/acme", Some(json!({"confirm": "acme"}))).await;
        held.store(false, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(app.settled(moving["workflow_id"].as_str().unwrap()).await, "failed", "{at}");
        assert_eq!(app.settled(deletion["workflow_id"].as_str().unwrap()).await, "done", "{at}");
        assert_eq!(app.hostnames().await, Vec::<String>::new(), "{at}");
        assert_eq!(app.host.projects(), Vec::<String>::new(), "{at}");
        assert_eq!(app.count("select count(*) from reserved_names").await, 0, "{at}");
        let told = app.mails_to("ada@example.com").await;
        assert_eq!(told.len(), 2, "welcome and goodbye: {told:?}");
    }
}

#[tokio::test]
async fn a_deletion_removes_what_a_change_of_name_that_was_given_up_left() {
    let faults = Faults::by(|here| {
        let breaks = here.kind == KIND && (here.step == "switch" || here.step == "undo publish address");
        (breaks && here.moment == Moment::Before).then_some(Fault::Permanent)
    });
    let app = TestApp::start_with(store::Engine::Sqlite, faults).await;
    app.provision("ada@example.com", "acme").await;
    assert_eq!(rename(&app, "acme", "zoo").await, "stuck");
    let id = app.instance("acme").await["workflow_id"].as_str().unwrap().to_owned();
    app.api(Method::POST, &format!("/workflows/{id}/abandon"), None).await;
    assert_eq!(app.hostnames().await.len(), 2);
    assert_eq!(order(&app, "zoo").await, StatusCode::CONFLICT, "as long as it leads there it is nobody else's");
    assert_eq!(app.delete("acme").await, "done");
    assert_eq!(app.hostnames().await, Vec::<String>::new());
    assert_eq!(order(&app, "zoo").await, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn whoever_comes_while_it_moves_is_admitted_at_both_addresses() {
    let (faults, held) = held("switch");
    let app = TestApp::start_with(store::Engine::Sqlite, faults).await;
    app.provision("ada@example.com", "acme").await;
    let (_, moving) = ask(&app, "acme", "zoo").await;
    app.until(async || app.hostnames().await.len() == 2).await;
    app.api(Method::POST, "/instances/acme/members", Some(json!({"email": "bob@example.com"}))).await;
    app.until(async || app.count("select count(*) from edge_admissions where rule = 'bob@example.com'").await == 2)
        .await;
    held.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(app.settled(moving["workflow_id"].as_str().unwrap()).await, "done");
    at_rest(&app).await;
    assert_eq!(app.count("select count(*) from edge_admissions where rule = 'bob@example.com'").await, 1);
}

async fn two_who_want_one_name_and_a_newcomer(engine: store::Engine) {
    let app = TestApp::start_with(engine, Faults::none()).await;
    app.provision("ada@example.com", "acme").await;
    app.provision("bob@example.com", "corner").await;
    let asks = (0..12).map(async |number: u32| match number % 3 {
        0 => ask(&app, "acme", "zoo").await.0,
        1 => ask(&app, "corner", "z0o").await.0,
        _ => order(&app, "zo-o").await,
    });
    let answers = futures_util::future::join_all(asks).await;
    assert!(answers.iter().all(|status| [StatusCode::ACCEPTED, StatusCode::CONFLICT].contains(status)), "{answers:?}");
    at_rest(&app).await;
    let holders = "select count(*) from instances where skeleton = 'zoo' and state = 'active'";
    assert_eq!(app.count(holders).await, 1);
    assert_eq!(app.count("select count(*) from workflows where state <> 'done'").await, 0);
}

#[tokio::test]
async fn one_of_two_who_want_one_name_and_a_newcomer_gets_it_on_sqlite() {
    two_who_want_one_name_and_a_newcomer(store::Engine::Sqlite).await;
}

#[tokio::test]
async fn one_of_two_who_want_one_name_and_a_newcomer_gets_it_on_postgres() {
    two_who_want_one_name_and_a_newcomer(store::Engine::Postgres).await;
}

#[tokio::test]
async fn the_owner_moves_a_workspace_in_the_portal_and_old_links_to_its_page_lead_on() {
    let app = TestApp::start().await;
    app.provision("ada@example.com", "acme").await;
    let ada = Some("ada@example.com");
    let free = app.get("/portal/instances/acme/rename/availability?subdomain=zoo", ada).await;
    assert!(free.body.contains("\"available\":true"), "{}", free.body);
    let own = app.get("/portal/instances/acme/rename/availability?subdomain=acme", ada).await;
    assert!(own.body.contains("\"available\":false"), "{}", own.body);
    let post = async |name: &str| {
        app.browser(Method::POST, "/portal/instances/acme/rename", ada, &[("subdomain", name)]).await
    };
    let refused = post("admin").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("That name is reserved"), "{}", refused.body);
    let moved = post("zoo").await;
    assert_eq!(moved.status, StatusCode::SEE_OTHER, "{}", moved.body);
    at_rest(&app).await;
    let old = app.get("/portal/instances/acme", ada).await;
    assert_eq!(old.location.as_deref(), Some("/portal/instances/zoo"));
    assert_eq!(app.get("/portal/instances/zoo", ada).await.status, StatusCode::OK);
}
