//! What instances keep, kept a second time: taken, put back, kept as long as promised, and gone with their instance.

use control_plane::{BackupSettings, prove_backups, prune_backups, remove_leftover_backups, take_due_backups};
use domain::Retention;
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Engine;
use workflow::{Fault, Faults, Moment};

use crate::support::{TestApp, Vault, once, points};

const ADA: &str = "ada@example.com";
const PROJECT: &str = "ai-diy-acme";
const MORNING: &str = "2026-11-25T06:00:00Z";

async fn house(engine: Engine, faults: Faults) -> (TestApp, Vault) {
    let vault = Vault::default();
    let app = TestApp::start_backing_up(MORNING, engine, faults, (vault.clone(), BackupSettings::default())).await;
    app.provision(ADA, "acme").await;
    app.host.write(PROJECT, "first words");
    (app, vault)
}

async fn on_sqlite() -> (TestApp, Vault) {
    house(Engine::Sqlite, Faults::none()).await
}

async fn ask(app: &TestApp, subdomain: &str) -> (StatusCode, Value) {
    app.api(Method::POST, "/backups", Some(json!({"instance": subdomain}))).await
}

/// Waits for a workflow; moments pass meanwhile, so that the lease of whoever died runs out.
async fn settled(app: &TestApp, accepted: &(StatusCode, Value)) -> String {
    assert_eq!(accepted.0, StatusCode::ACCEPTED, "{}", accepted.1);
    app.worked_off().await;
    app.settled(accepted.1["workflow_id"].as_str().unwrap()).await
}

async fn delete(app: &TestApp) -> String {
    settled(app, &app.api(Method::DELETE, "/instances/acme", Some(json!({"confirm": "acme"}))).await).await
}

async fn take(app: &TestApp) -> String {
    assert_eq!(settled(app, &ask(app, "acme").await).await, "done");
    list(app).await[0]["id"].as_str().unwrap().to_owned()
}

async fn list(app: &TestApp) -> Vec<Value> {
    let (status, page) = app.api(Method::GET, "/backups?instance=acme", None).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    page["data"].as_array().unwrap().clone()
}

async fn restore(app: &TestApp, backup: &str, confirm: &str) -> (StatusCode, Value) {
    app.api(Method::POST, &format!("/backups/{backup}/restore"), Some(json!({"confirm": confirm}))).await
}

#[tokio::test]
async fn what_was_backed_up_is_put_back_and_what_was_there_meanwhile_is_the_way_back() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let (app, vault) = house(engine, Faults::none()).await;
        let first = take(&app).await;
        let (_, shown) = app.api(Method::GET, &format!("/backups/{first}"), None).await;
        assert_eq!(
            (&shown["state"], &shown["reason"], &shown["files"]),
            (&json!("kept"), &json!("requested"), &json!(1))
        );
        assert_eq!((&shown["version"], &shown["content_bytes"]), (&json!("1"), &json!(11)));
        assert_eq!(shown["sha256"].as_str().unwrap().len(), 64);
        assert!(!vault.shows("words"), "what is kept is encrypted");
        assert_eq!(app.host.is_suspended(PROJECT), Some(false), "it runs again");

        app.host.write(PROJECT, "second words");
        assert_eq!(settled(&app, &restore(&app, &first, "acme").await).await, "done");
        assert_eq!(app.host.data(PROJECT), "first words");
        assert_eq!(app.host.is_suspended(PROJECT), Some(false));
        let all = list(&app).await;
        assert_eq!(
            all.iter().map(|backup| backup["reason"].clone()).collect::<Vec<_>>(),
            ["before_restore", "requested"]
        );
        assert!(all[1]["restored_at"].is_string());

        let undo = all[0]["id"].as_str().unwrap().to_owned();
        assert_eq!(settled(&app, &restore(&app, &undo, "acme").await).await, "done");
        assert_eq!(app.host.data(PROJECT), "second words");
        let told = app.mails_to(ADA).await;
        assert_eq!(told.iter().filter(|subject| subject.ends_with("was restored")).count(), 2, "{told:?}");
    }
}

#[tokio::test]
async fn dying_at_any_step_takes_one_backup_and_leaves_the_application_running() {
    for point in points("back-up.v1", &["back up", "record"]) {
        let (app, vault) = house(Engine::Sqlite, once(point.clone(), Fault::Death)).await;
        take(&app).await;
        assert_eq!(vault.names().len(), 1, "{point:?}");
        assert_eq!(list(&app).await.len(), 1, "{point:?}");
        assert_eq!(app.host.is_suspended(PROJECT), Some(false), "{point:?}");
    }
}

#[tokio::test]
async fn dying_at_any_step_of_a_restore_still_puts_back_once_and_loses_nothing() {
    let steps = [
        "read it through",
        "rest",
        "keep the present state",
        "put back",
        "run again",
        "wait until it answers",
        "record",
    ];
    for point in points("restore.v1", &steps) {
        let (app, _) = house(Engine::Sqlite, once(point.clone(), Fault::Death)).await;
        let first = take(&app).await;
        app.host.write(PROJECT, "second words");
        assert_eq!(settled(&app, &restore(&app, &first, "acme").await).await, "done", "{point:?}");
        assert_eq!(app.host.data(PROJECT), "first words", "{point:?}");
        assert_eq!(app.host.is_suspended(PROJECT), Some(false), "{point:?}");
        let undo = list(&app).await[0]["id"].as_str().unwrap().to_owned();
        assert_eq!(settled(&app, &restore(&app, &undo, "acme").await).await, "done", "{point:?}");
        assert_eq!(app.host.data(PROJECT), "second words", "{point:?}");
    }
}

#[tokio::test]
async fn a_restore_that_fails_for_good_at_any_step_leaves_everything_as_it_was() {
    for step in ["read it through", "rest", "keep the present state", "put back", "run again", "wait until it answers"]
    {
        let point = workflow::Point { kind: "restore.v1".into(), step: step.into(), moment: Moment::After };
        let (app, _) = house(Engine::Sqlite, once(point, Fault::Permanent)).await;
        let first = take(&app).await;
        app.host.write(PROJECT, "second words");
        assert_eq!(settled(&app, &restore(&app, &first, "acme").await).await, "failed", "{step}");
        assert_eq!(app.host.data(PROJECT), "second words", "{step}");
        assert_eq!(app.host.is_suspended(PROJECT), Some(false), "{step}");
        let told = app.mails_to(ADA).await;
        assert!(told.iter().any(|subject| subject.ends_with("could not be restored")), "{step}: {told:?}");
        assert_eq!(app.mails_to("operator@localhost").await.len(), 1, "{step}");
    }
}

#[tokio::test]
async fn nobody_rests_for_what_is_damaged_and_nothing_is_replaced_by_it() {
    let (app, vault) = on_sqlite().await;
    let first = take(&app).await;
    app.host.write(PROJECT, "second words");
    vault.rot();
    assert_eq!(settled(&app, &restore(&app, &first, "acme").await).await, "failed");
    assert_eq!(app.host.data(PROJECT), "second words");
    assert_eq!(list(&app).await.len(), 1, "it was not even begun");
}

#[tokio::test]
async fn what_can_not_be_meant_is_refused_in_words() {
    let (app, _) = on_sqlite().await;
    app.provision("eve@example.com", "zoo").await;
    let first = take(&app).await;
    for wrong in ["", "acm", "ACME", "zoo"] {
        let (status, problem) = restore(&app, &first, wrong).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong:?}: {problem}");
    }
    assert_eq!(ask(&app, "nobody").await.0, StatusCode::NOT_FOUND);
    let unknown = "bak_00000000000000000000000000";
    assert_eq!(restore(&app, unknown, "acme").await.0, StatusCode::NOT_FOUND);
    assert_eq!(restore(&app, "nonsense", "acme").await.0, StatusCode::NOT_FOUND);

    let eve = Some("eve@example.com");
    for path in [
        format!("/portal/instances/acme/backups/{first}/restore"),
        format!("/portal/instances/zoo/backups/{first}/restore"),
    ] {
        let form = [("confirmation", "zoo")];
        assert_eq!(app.get(&path, eve).await.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(app.browser(Method::POST, &path, eve, &form).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(app.host.data(PROJECT), "first words");
    assert_eq!(delete(&app).await, "done");
    assert_eq!(ask(&app, "acme").await.0, StatusCode::CONFLICT);
    let (status, problem) = restore(&app, &first, "acme").await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
}

#[tokio::test]
async fn where_no_place_is_set_nothing_is_promised() {
    let app = TestApp::start_without_backups().await;
    app.provision(ADA, "acme").await;
    let (status, problem) = ask(&app, "acme").await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert!(problem["next_step"].as_str().unwrap().contains("[backups] driver"), "{problem}");
    let page = app.get("/portal/instances/acme/backups", Some(ADA)).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("not offered here") && !page.body.contains("Back up now"), "{}", page.body);
    take_due_backups(app.app()).await.unwrap();
    assert_eq!(app.count("select count(*) from workflows where kind = 'back-up.v1'").await, 0);
}

#[tokio::test]
async fn a_place_that_is_away_keeps_nobody_from_working() {
    let (app, vault) = on_sqlite().await;
    vault.be_unavailable(3);
    take(&app).await;
    assert_eq!(vault.names().len(), 1);
    assert_eq!(app.host.is_suspended(PROJECT), Some(false));
}

#[tokio::test]
async fn of_many_asked_for_at_once_one_is_taken_and_ten_a_day_are_enough() {
    let (app, _) = house(Engine::Postgres, Faults::none()).await;
    let answers = futures_util::future::join_all((0..8).map(|_| ask(&app, "acme"))).await;
    assert!(answers.iter().all(|(status, _)| *status == StatusCode::ACCEPTED), "{answers:?}");
    app.worked_off().await;
    for _ in list(&app).await.len()..10 {
        take(&app).await;
    }
    let (status, problem) = ask(&app, "acme").await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    app.clock.advance(SignedDuration::from_hours(25));
    take(&app).await;
}

#[tokio::test]
async fn a_deleted_instance_takes_its_backups_and_their_key_along_and_the_record_says_so() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let (app, vault) = house(engine, Faults::none()).await;
        let (first, second) = (take(&app).await, take(&app).await);
        assert_eq!(delete(&app).await, "done");
        assert_eq!(vault.names(), Vec::<String>::new());
        assert_eq!(app.count("select count(*) from backup_keys").await, 0);
        let instance = app.instance("acme").await;
        let removed = instance["removal"]["removed"].as_array().unwrap();
        let named = |kind: &str| {
            removed
                .iter()
                .filter(|entry| entry["kind"] == kind)
                .map(|entry| entry["name"].to_string())
                .collect::<Vec<_>>()
        };
        let backups = named("backup");
        assert_eq!(backups.len(), 2, "{removed:?}");
        assert!(backups.iter().any(|name| name.contains(&first)) && backups.iter().any(|name| name.contains(&second)));
        assert_eq!(named("key of all backups").len(), 1, "{removed:?}");
        // Whoever copied them has nothing: no key is left that opens them. What came back is removed again.
        vault.bring_copies_back();
        assert_eq!(vault.names().len(), 2);
        remove_leftover_backups(app.app()).await.unwrap();
        assert_eq!(vault.names(), Vec::<String>::new());
        assert_eq!(list(&app).await, Vec::<Value>::new());
        let (status, _) = restore(&app, &first, "acme").await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert!(!vault.shows("words"));
    }
}

#[tokio::test]
async fn dying_while_backups_are_destroyed_still_destroys_them_all() {
    for point in points("delete.v1", &["remove compute"]) {
        let (app, vault) = house(Engine::Sqlite, once(point.clone(), Fault::Death)).await;
        take(&app).await;
        assert_eq!(delete(&app).await, "done", "{point:?}");
        assert_eq!(vault.names(), Vec::<String>::new(), "{point:?}");
        assert_eq!(app.count("select count(*) from backup_keys").await, 0, "{point:?}");
    }
}

#[tokio::test]
async fn no_two_instances_share_a_key() {
    let (app, _) = on_sqlite().await;
    app.provision("eve@example.com", "zoo").await;
    take(&app).await;
    assert_eq!(settled(&app, &ask(&app, "zoo").await).await, "done");
    assert_eq!(app.count("select count(distinct recipient) from backup_keys").await, 2);
}

/// Hours pass; every two minutes it is seen whether something is due.
async fn hours_pass(app: &TestApp, hours: i64) {
    for _ in 0..hours {
        app.clock.advance(SignedDuration::from_mins(60));
        take_due_backups(app.app()).await.unwrap();
        app.worked_off().await;
        prune_backups(app.app()).await.unwrap();
    }
}

#[tokio::test]
async fn planned_ones_are_taken_by_themselves_kept_as_promised_and_removed() {
    let vault = Vault::default();
    let retention = Retention { days: 2, weekly_days: 4, monthly_days: 6 };
    let settings = BackupSettings { retention, ..BackupSettings::default() };
    let app = TestApp::start_backing_up(MORNING, Engine::Sqlite, Faults::none(), (vault.clone(), settings)).await;
    app.provision(ADA, "acme").await;
    hours_pass(&app, 24 * 14).await;
    let kept = list(&app).await;
    // The days around the last Monday, and those of the last two days.
    assert!((2..=6).contains(&kept.len()), "{} are kept: {kept:#?}", kept.len());
    assert_eq!(vault.names().len(), kept.len(), "what is over is removed");
    assert!(kept.iter().all(|backup| backup["reason"] == "scheduled"), "{kept:#?}");
    let taken = app.count("select count(*) from backups").await;
    assert!((14..=20).contains(&taken), "{taken} were taken in fourteen days");
    // What is not backed up any more keeps its newest one for ever.
    app.api(Method::POST, "/instances/acme/suspend", Some(json!({"reason": "Because."}))).await;
    hours_pass(&app, 24 * 10).await;
    assert_eq!(list(&app).await.len(), 1);
}

#[tokio::test]
async fn what_is_being_used_is_left_alone_until_it_is_overdue() {
    let (app, _) = on_sqlite().await;
    let id = app.instance("acme").await["id"].as_str().unwrap().to_owned();
    let used = async |app: &TestApp| {
        let now = app.clock.now();
        store::sqlx::query(
            "insert into usage_evidence (instance_id, month, hour, source, signal, first_at, last_at, count)
             values ($1, '2026-11', $2, 'guard', 'request', $2, $2, 1)",
        )
        .bind(&id)
        .bind(now.as_millisecond())
        .execute(app.db.db.write())
        .await
        .unwrap();
    };
    for hour in 1..36 {
        app.clock.advance(SignedDuration::from_hours(1));
        used(&app).await;
        take_due_backups(app.app()).await.unwrap();
        assert_eq!(app.count("select count(*) from workflows where kind = 'back-up.v1'").await, 0, "{hour}");
    }
    app.clock.advance(SignedDuration::from_hours(1));
    used(&app).await;
    take_due_backups(app.app()).await.unwrap();
    assert_eq!(app.count("select count(*) from workflows where kind = 'back-up.v1'").await, 1);
}

#[tokio::test]
async fn what_is_closed_meanwhile_stays_closed() {
    let (app, _) = on_sqlite().await;
    let (status, accepted) =
        app.api(Method::POST, "/instances/acme/suspend", Some(json!({"reason": "Because."}))).await;
    assert_eq!(settled(&app, &(status, accepted)).await, "done");
    let first = take(&app).await;
    assert_eq!(app.host.is_suspended(PROJECT), Some(true));
    assert_eq!(settled(&app, &restore(&app, &first, "acme").await).await, "done");
    assert_eq!(app.host.is_suspended(PROJECT), Some(true));
}

#[tokio::test]
async fn a_customer_takes_and_restores_in_the_portal_and_an_operator_in_the_console() {
    let (app, _) = on_sqlite().await;
    let ada = Some(ADA);
    let page = app.get("/portal/instances/acme/backups", ada).await;
    assert!(page.body.contains("Back up now") && page.body.contains("There is none yet"), "{}", page.body);
    let asked = app.browser(Method::POST, "/portal/instances/acme/backups", ada, &[]).await;
    assert_eq!(asked.location.as_deref(), Some("/portal/instances/acme/backups"));
    app.worked_off().await;
    let first = list(&app).await[0]["id"].as_str().unwrap().to_owned();
    let page = app.get("/portal/instances/acme/backups", ada).await;
    let question = format!("/portal/instances/acme/backups/{first}/restore");
    assert!(page.body.contains(&question) && page.body.contains("1 file, 11 bytes"), "{}", page.body);
    assert!(!page.body.contains("memory/"), "where it is kept is not the customer's to know");
    assert!(app.get(&question, ada).await.body.contains("Restore this backup?"));
    let refused = app.browser(Method::POST, &question, ada, &[("confirmation", "other")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("Type acme to confirm"), "{}", refused.body);
    app.host.write(PROJECT, "second words");
    let asked = app.browser(Method::POST, &question, ada, &[("confirmation", "acme")]).await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
    app.worked_off().await;
    assert_eq!(app.host.data(PROJECT), "first words");

    let operator = Some("operator@localhost");
    let console = format!("/admin/instances/{}/backups", app.instance("acme").await["id"].as_str().unwrap());
    let page = app.get(&console, operator).await;
    assert!(page.body.contains("before a restore"), "{}", page.body);
    let asked = app.browser(Method::POST, &console, operator, &[]).await;
    app.settled(asked.location.unwrap().rsplit('/').next().unwrap()).await;
    assert_eq!(list(&app).await.len(), 3);
}

/// It is night, and the reconciler looks as often as it does.
async fn night_passes(app: &TestApp) {
    for _ in 0..12 {
        app.clock.advance(SignedDuration::from_mins(30));
        prove_backups(app.app()).await.unwrap();
        app.worked_off().await;
    }
}

async fn proofs(app: &TestApp) -> Vec<Value> {
    let (status, page) = app.api(Method::GET, "/backups/proofs", None).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    page["data"].as_array().unwrap().clone()
}

async fn nothing_is_left(app: &TestApp, context: &str) {
    assert_eq!(app.host.projects(), [PROJECT], "{context}");
    let (_, look) = app.api(Method::POST, "/providers/sweep", None).await;
    app.settled(look["workflow_id"].as_str().unwrap()).await;
    let (_, findings) = app.api(Method::GET, "/providers/findings?state=open", None).await;
    assert_eq!(findings["data"], json!([]), "{context}");
}

#[tokio::test]
async fn each_night_a_backup_is_restored_somewhere_else_answers_there_and_leaves_nothing() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let (app, _) = house(engine, Faults::none()).await;
        let first = take(&app).await;
        // By day nothing is proven by itself.
        prove_backups(app.app()).await.unwrap();
        assert_eq!(proofs(&app).await, Vec::<Value>::new());
        app.clock.advance(SignedDuration::from_hours(18));
        night_passes(&app).await;
        let found = proofs(&app).await;
        assert_eq!(found.len(), 1, "once a night: {found:#?}");
        assert_eq!((&found[0]["backup_id"], &found[0]["proven"]), (&json!(first), &json!(true)));
        let (_, shown) = app.api(Method::GET, &format!("/backups/{first}"), None).await;
        assert!(shown["proven_at"].is_string(), "{shown}");
        let page = app.get("/portal/instances/acme/backups", Some(ADA)).await;
        assert!(page.body.contains("Last proven") && page.body.contains("the newest one is restored"), "{}", page.body);
        assert_eq!(app.host.data(PROJECT), "first words");
        nothing_is_left(&app, "plain").await;
    }
}

#[tokio::test]
async fn dying_at_any_step_of_a_proof_leaves_nothing_behind() {
    let steps = [
        "make a place",
        "close it off",
        "put the backup there",
        "start it",
        "wait until it answers",
        "remove the place",
        "record",
    ];
    for point in points("prove-backup.v1", &steps) {
        let (app, _) = house(Engine::Sqlite, once(point.clone(), Fault::Death)).await;
        let first = take(&app).await;
        let asked = app.api(Method::POST, &format!("/backups/{first}/verify"), None).await;
        assert_eq!(settled(&app, &asked).await, "done", "{point:?}");
        assert_eq!(proofs(&app).await.len(), 1, "{point:?}");
        nothing_is_left(&app, &format!("{point:?}")).await;
    }
}

#[tokio::test]
async fn a_proof_that_fails_tells_the_operator_proves_nothing_and_leaves_nothing_behind() {
    for step in ["make a place", "put the backup there", "wait until it answers"] {
        let point = workflow::Point { kind: "prove-backup.v1".into(), step: step.into(), moment: Moment::After };
        let (app, _) = house(Engine::Sqlite, once(point, Fault::Permanent)).await;
        let first = take(&app).await;
        let asked = app.api(Method::POST, &format!("/backups/{first}/verify"), None).await;
        assert_eq!(settled(&app, &asked).await, "failed", "{step}");
        let found = proofs(&app).await;
        assert_eq!((found.len(), &found[0]["proven"]), (1, &json!(false)), "{found:#?}");
        assert!(list(&app).await[0].get("proven_at").is_none());
        let told = app.mails_to("operator@localhost").await;
        assert!(told.iter().any(|subject| subject.contains("could not be restored for a test")), "{told:?}");
        nothing_is_left(&app, step).await;
    }
}

#[tokio::test]
async fn a_damaged_backup_is_found_by_its_proof() {
    let (app, vault) = on_sqlite().await;
    let first = take(&app).await;
    vault.rot();
    let asked = app.api(Method::POST, &format!("/backups/{first}/verify"), None).await;
    assert_eq!(settled(&app, &asked).await, "failed");
    assert!(proofs(&app).await[0]["why_not"].as_str().unwrap().contains("checksum"));
    nothing_is_left(&app, "damaged").await;
}

#[tokio::test]
async fn of_many_instances_each_has_its_turn_and_none_twice_a_night() {
    let vault = Vault::default();
    let settings = BackupSettings { proofs_a_night: 2, ..BackupSettings::default() };
    let app = TestApp::start_backing_up(MORNING, Engine::Sqlite, Faults::none(), (vault, settings)).await;
    for subdomain in ["acme", "bakery", "cinema", "dentist", "elevator"] {
        app.provision(ADA, subdomain).await;
        assert_eq!(settled(&app, &ask(&app, subdomain).await).await, "done");
    }
    app.clock.advance(SignedDuration::from_hours(18));
    for night in 1..=3 {
        night_passes(&app).await;
        assert_eq!(proofs(&app).await.len(), night * 2, "night {night}");
        app.clock.advance(SignedDuration::from_hours(18));
    }
    let mut proven: Vec<String> = proofs(&app).await.iter().map(|proof| proof["instance_id"].to_string()).collect();
    proven.sort();
    proven.dedup();
    assert_eq!(proven.len(), 5, "each had its turn");
    let page = app.get("/portal/instances/acme/backups", Some(ADA)).await;
    assert!(page.body.contains("about every 3 nights"), "{}", page.body);
}

#[tokio::test]
async fn what_was_proven_last_stays_however_old_it_is() {
    let vault = Vault::default();
    let retention = Retention { days: 1, weekly_days: 1, monthly_days: 1 };
    let settings = BackupSettings { every_hours: 0, retention, proofs_a_night: 0, ..BackupSettings::default() };
    let app = TestApp::start_backing_up(MORNING, Engine::Sqlite, Faults::none(), (vault.clone(), settings)).await;
    app.provision(ADA, "acme").await;
    let (proven, other, newest) = (take(&app).await, take(&app).await, take(&app).await);
    let asked = app.api(Method::POST, &format!("/backups/{proven}/verify"), None).await;
    assert_eq!(settled(&app, &asked).await, "done");
    app.clock.advance(SignedDuration::from_hours(48));
    prune_backups(app.app()).await.unwrap();
    let left: Vec<Value> = list(&app).await.iter().map(|backup| backup["id"].clone()).collect();
    assert_eq!(left, [json!(newest), json!(proven)]);
    assert!(!vault.names().iter().any(|name| name.contains(&other)));
}
