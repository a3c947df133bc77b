//! Another instance of the same customer begins with what an instance keeps, and from then on each goes its own way.

use control_plane::BackupSettings;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Engine;
use workflow::{Fault, Faults, Moment, Point};

use crate::support::{TestApp, Vault, once, points};

const ADA: &str = "ada@example.com";
const SOURCE: &str = "ai-diy-acme";
const COPY: &str = "ai-diy-trial";
const MORNING: &str = "2026-11-25T06:00:00Z";
const STEPS: [&str; 13] = [
    "begin",
    "create project",
    "configure",
    "back up its source",
    "put data in",
    "deploy",
    "register hostname",
    "publish address",
    "cover with access control",
    "wait until healthy",
    "refuse strangers",
    "start subscription",
    "record",
];

async fn house(engine: Engine, faults: Faults) -> (TestApp, Vault) {
    let vault = Vault::default();
    let app = TestApp::start_backing_up(MORNING, engine, faults, (vault.clone(), BackupSettings::default())).await;
    app.provision(ADA, "acme").await;
    app.host.write(SOURCE, "first words");
    (app, vault)
}

async fn ask(app: &TestApp, body: Value) -> (StatusCode, Value) {
    app.api(Method::POST, "/instances/acme/copies", Some(body)).await
}

/// Waits for what was accepted; moments pass meanwhile, so that the lease of whoever died runs out.
async fn settled(app: &TestApp, accepted: &(StatusCode, Value)) -> String {
    assert_eq!(accepted.0, StatusCode::ACCEPTED, "{}", accepted.1);
    app.worked_off().await;
    app.settled(accepted.1["workflow_id"].as_str().unwrap()).await
}

async fn back_up(app: &TestApp) -> String {
    let accepted = app.api(Method::POST, "/backups", Some(json!({"instance": "acme"}))).await;
    assert_eq!(settled(app, &accepted).await, "done");
    app.api(Method::GET, "/backups?instance=acme", None).await.1["data"][0]["id"].as_str().unwrap().to_owned()
}

/// One whole copy, beside a source that is as it was.
async fn copied(app: &TestApp, words: &str, context: &str) {
    assert_eq!(app.host.data(COPY), words, "{context}");
    assert_eq!((app.host.is_suspended(SOURCE), app.host.is_suspended(COPY)), (Some(false), Some(false)), "{context}");
    assert_eq!((app.host.times_created(COPY), app.host.deployments_of("1").len()), (1, 2), "{context}");
    let (source, copy) = (app.instance("acme").await, app.instance("trial").await);
    assert_eq!((&copy["state"], &copy["copied_from"]), (&json!("active"), &source["id"]), "{context}");
    assert_eq!(copy["customer_id"], source["customer_id"], "{context}");
    let subscriptions = app.count("select count(*) from ledger_subscriptions where ended_at is null").await;
    assert_eq!(subscriptions, 2, "{context}");
}

/// Nothing of a copy, and a source that is as it was.
async fn nothing_left(app: &TestApp, context: &str) {
    assert_eq!(app.host.projects(), [SOURCE], "{context}");
    assert_eq!(app.hostnames().await, ["acme.localhost"], "{context}");
    assert_eq!(
        (app.host.is_suspended(SOURCE), app.instance("acme").await["state"].clone()),
        (Some(false), json!("active"))
    );
    assert_eq!(app.count("select count(*) from ledger_subscriptions where ended_at is null").await, 1, "{context}");
}

async fn a_copy_begins_with_everything_and_goes_its_own_way(engine: Engine) {
    let (app, vault) = house(engine, Faults::none()).await;
    let bob = json!({"email": "bob@example.com"});
    assert_eq!(app.api(Method::POST, "/instances/acme/members", Some(bob)).await.0, StatusCode::CREATED);
    assert_eq!(settled(&app, &ask(&app, json!({"subdomain": "trial"})).await).await, "done");
    copied(&app, "first words", "plain").await;
    let (_, members) = app.api(Method::GET, "/instances/trial/members", None).await;
    let members: Vec<_> = members["data"].as_array().unwrap().iter().map(|member| member["email"].clone()).collect();
    assert_eq!(members, [ADA], "only its owner enters");
    app.host.write(COPY, "other words");
    assert_eq!(app.host.data(SOURCE), "first words");
    let accepted = app.api(Method::POST, "/backups", Some(json!({"instance": "trial"}))).await;
    assert_eq!(settled(&app, &accepted).await, "done");
    assert_eq!(app.count("select count(distinct recipient) from backup_keys").await, 2, "each has a key of its own");
    assert_eq!(vault.names().len(), 2);
    // The end of the source is not the copy's.
    let gone = app.api(Method::DELETE, "/instances/acme", Some(json!({"confirm": "acme"}))).await;
    assert_eq!(settled(&app, &gone).await, "done");
    assert_eq!((app.host.projects(), app.host.data(COPY)), (vec![COPY.to_owned()], "other words".to_owned()));
    assert_eq!(vault.names().len(), 1);
}

#[tokio::test]
async fn a_copy_begins_with_everything_and_goes_its_own_way_on_sqlite() {
    a_copy_begins_with_everything_and_goes_its_own_way(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_copy_begins_with_everything_and_goes_its_own_way_on_postgres() {
    a_copy_begins_with_everything_and_goes_its_own_way(Engine::Postgres).await;
}

#[tokio::test]
async fn a_copy_can_begin_with_a_backup_that_was_kept_and_runs_what_its_source_runs() {
    let (app, vault) = house(Engine::Sqlite, Faults::none()).await;
    let kept = back_up(&app).await;
    app.host.write(SOURCE, "second words");
    let new = json!({"version": "2", "command": "true"});
    let (status, made) = app.api(Method::POST, "/releases", Some(new)).await;
    assert!(status.is_success(), "{made}");
    // What the source runs is not what new customers get.
    app.change("insert into instance_releases (instance_id, release_id, since) select i.id, r.id, 0 from instances i, releases r where r.version = '2' and i.subdomain = 'acme' on conflict (instance_id) do update set release_id = excluded.release_id").await;
    assert_eq!(settled(&app, &ask(&app, json!({"subdomain": "trial", "backup": kept})).await).await, "done");
    assert_eq!((app.host.data(COPY), app.host.data(SOURCE)), ("first words".to_owned(), "second words".to_owned()));
    assert_eq!((app.host.runs(COPY), vault.names().len()), ("2".to_owned(), 1));
}

#[tokio::test]
async fn dying_at_any_step_makes_one_copy() {
    for point in points("provision.v1", &STEPS) {
        // The source is made by the same workflow, and does not die of it.
        let armed = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let (seen, here) = (std::sync::Arc::clone(&armed), point.clone());
        let faults = Faults::by(move |at| {
            (*at == here && seen.swap(false, std::sync::atomic::Ordering::SeqCst)).then_some(Fault::Death)
        });
        let (app, vault) = house(Engine::Sqlite, faults).await;
        armed.store(true, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(settled(&app, &ask(&app, json!({"subdomain": "trial"})).await).await, "done", "{point:?}");
        assert_eq!(app.host.data(COPY), "first words", "{point:?}");
        assert_eq!((app.host.times_created(COPY), vault.names().len()), (1, 1), "{point:?}");
        assert_eq!(app.host.is_suspended(SOURCE), Some(false), "{point:?}");
    }
}

#[tokio::test]
async fn what_fails_for_good_at_any_step_leaves_nothing_and_the_source_as_it_was() {
    for step in ["configure", "back up its source", "put data in", "deploy", "wait until healthy", "start subscription"]
    {
        let armed = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let seen = std::sync::Arc::clone(&armed);
        let faults = Faults::by(move |at| {
            let here = at.kind == "provision.v1" && at.step == step && at.moment == Moment::After;
            (here && seen.load(std::sync::atomic::Ordering::SeqCst)).then_some(Fault::Permanent)
        });
        let (app, _) = house(Engine::Sqlite, faults).await;
        armed.store(true, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(settled(&app, &ask(&app, json!({"subdomain": "trial"})).await).await, "failed", "{step}");
        nothing_left(&app, step).await;
        let told = app.mails_to(ADA).await;
        assert!(told.iter().any(|subject| subject.contains("could not be made")), "{step}: {told:?}");
        armed.store(false, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(settled(&app, &ask(&app, json!({"subdomain": "trial"})).await).await, "done", "{step}: again");
    }
}

#[tokio::test]
async fn a_backup_that_is_damaged_makes_no_copy() {
    let (app, vault) = house(Engine::Sqlite, Faults::none()).await;
    let kept = back_up(&app).await;
    vault.rot();
    assert_eq!(settled(&app, &ask(&app, json!({"subdomain": "trial", "backup": kept})).await).await, "failed");
    nothing_left(&app, "rot").await;
}

#[tokio::test]
async fn a_source_that_can_not_be_backed_up_makes_no_copy() {
    let point = Point { kind: "back-up.v1".into(), step: "back up".into(), moment: Moment::Before };
    let (app, _) = house(Engine::Sqlite, once(point, Fault::Permanent)).await;
    assert_eq!(settled(&app, &ask(&app, json!({"subdomain": "trial"})).await).await, "failed");
    nothing_left(&app, "no backup").await;
}

#[tokio::test]
async fn what_works_on_the_source_ends_first() {
    let (app, vault) = house(Engine::Sqlite, Faults::none()).await;
    vault.be_unavailable(5);
    let accepted = app.api(Method::POST, "/backups", Some(json!({"instance": "acme"}))).await;
    assert_eq!(accepted.0, StatusCode::ACCEPTED);
    assert_eq!(settled(&app, &ask(&app, json!({"subdomain": "trial"})).await).await, "done");
    copied(&app, "first words", "after another backup").await;
    assert_eq!(vault.names().len(), 2);
}

#[tokio::test]
async fn of_many_orders_at_once_one_copy_is_made_and_a_key_gives_the_same() {
    let (app, _) = house(Engine::Postgres, Faults::none()).await;
    let orders = (0..6).map(|number| ask(&app, json!({"subdomain": format!("trial-{number}")})));
    let answers = futures_util::future::join_all(orders).await;
    let accepted = answers.iter().filter(|(status, _)| *status == StatusCode::ACCEPTED).count();
    assert_eq!(accepted, 1, "{answers:?}");
    for (status, answer) in &answers {
        assert!(matches!(*status, StatusCode::ACCEPTED | StatusCode::CONFLICT), "{status} {answer}");
    }
    app.worked_off().await;
    let page = app.get("/portal/instances/acme/copies", Some(ADA)).await.body;
    for text in ["$5.00 a month", "$1.00 for each hour", "Only you can enter it", "everything as it is now"] {
        assert!(page.contains(text), "the page lacks {text}: {page}");
    }
    let form = [("key", "k1"), ("subdomain", "again"), ("backup", "")];
    let mut led_to = Vec::new();
    for _ in 0..2 {
        let ordered = app.browser(Method::POST, "/portal/instances/acme/copies", Some(ADA), &form).await;
        assert_eq!(ordered.status, StatusCode::SEE_OTHER, "{}", ordered.body);
        led_to.push(ordered.location.unwrap());
    }
    assert_eq!(led_to[0], led_to[1]);
    app.worked_off().await;
    let watched = app.get(&led_to[0], Some(ADA)).await.body;
    assert!(watched.contains("Putting everything into the copy"), "{watched}");
    assert_eq!(app.instance("again").await["state"], "active");
}

#[tokio::test]
async fn what_can_not_be_copied_is_refused_in_words() {
    let (app, _) = house(Engine::Sqlite, Faults::none()).await;
    app.provision("eve@example.com", "zoo").await;
    let refused = async |body: Value, expected: StatusCode, words: &str| {
        let (status, problem) = ask(&app, body).await;
        assert_eq!(status, expected, "{problem}");
        assert!(problem.to_string().contains(words), "{words}: {problem}");
    };
    refused(json!({"subdomain": "zoo"}), StatusCode::CONFLICT, "is taken").await;
    let nobodys = json!({"subdomain": "trial", "backup": "bak_00000000000000000000000000"});
    refused(nobodys, StatusCode::NOT_FOUND, "has no backup").await;
    assert_eq!(app.api(Method::POST, "/instances/nobody/copies", Some(json!({"subdomain": "trial"}))).await.0, 404);
    let eve = Some("eve@example.com");
    assert_eq!(app.get("/portal/instances/acme/copies", eve).await.status, StatusCode::NOT_FOUND);
    let form = [("subdomain", "trial")];
    let strangers = app.browser(Method::POST, "/portal/instances/acme/copies", eve, &form).await;
    assert_eq!(strangers.status, StatusCode::NOT_FOUND);
    let wrong = app.browser(Method::POST, "/portal/instances/acme/copies", Some(ADA), &[("subdomain", "a b")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);

    app.change("insert into dunnings (customer_id, state, stage, next_at, since) select customer_id, '{\"stage\":\"grace\",\"clock\":{\"running\":{\"due\":\"2027-12-02T00:00:00Z\"}}}', 'grace', null, 0 from instances where subdomain = 'acme'").await;
    refused(json!({"subdomain": "trial"}), StatusCode::CONFLICT, "while an invoice is not paid").await;
    app.change("delete from dunnings").await;
    let why = json!({"reason": "You asked us to."});
    assert_eq!(app.api(Method::POST, "/instances/acme/suspend", Some(why)).await.0, StatusCode::ACCEPTED);
    refused(json!({"subdomain": "trial"}), StatusCode::CONFLICT, "acme is suspended").await;
    app.worked_off().await;
    assert_eq!(app.count("select count(*) from instances").await, 2);
}

#[tokio::test]
async fn where_there_are_no_backups_there_are_no_copies() {
    let app = TestApp::start_without_backups().await;
    app.provision(ADA, "acme").await;
    let (status, problem) = ask(&app, json!({"subdomain": "trial"})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    let page = app.get("/portal/instances/acme/copies", Some(ADA)).await.body;
    assert!(page.contains("not offered here") && !page.contains("Order the copy"), "{page}");
}

#[tokio::test]
async fn the_operator_copies_for_a_customer_in_the_console() {
    let (app, _) = house(Engine::Sqlite, Faults::none()).await;
    let path = format!("/admin/instances/{}", app.instance("acme").await["id"].as_str().unwrap());
    let operator = Some("operator@localhost");
    let wrong = app.browser(Method::POST, &format!("{path}/copies"), operator, &[("subdomain", "-")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let done = app.browser(Method::POST, &format!("{path}/copies"), operator, &[("subdomain", "trial")]).await;
    assert!(done.location.as_deref().is_some_and(|to| to.starts_with("/admin/workflows/")), "{}", done.body);
    app.worked_off().await;
    copied(&app, "first words", "console").await;
    let copy = app.instance("trial").await["id"].as_str().unwrap().to_owned();
    assert!(app.get(&format!("/admin/instances/{copy}"), operator).await.body.contains("Copied from"));
}
