//! An instance moves to another home with everything in it, and goes back as long as nobody confirmed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Engine;
use workflow::{Fault, Faults, Moment, Point};

use crate::support::{Flaw, Host, TestApp, once, points};

const ADA: &str = "ada@example.com";
const OPERATOR: Option<&str> = Some("operator@localhost");
const HERE: &str = "ai-diy-acme";
const THERE: &str = "ai-diy-acme--frankfurt";
/// Those before it is closed, those while it is, and the last.
const STEPS: [&str; 17] = [
    "make a place",
    "configure",
    "back up",
    "put data in",
    "deploy",
    "wait until healthy",
    "rest",
    "back up the rest",
    "put the rest in",
    "compare",
    "run there",
    "wait until it answers",
    "switch",
    "lead there",
    "verify",
    "tell the guard",
    "record",
];

/// Two homes, and an instance that lives in the first.
struct House {
    app: TestApp,
    away: Host,
}

impl House {
    async fn start(engine: Engine, faults: impl FnOnce(&Host, &Host) -> Faults) -> Self {
        let (host, away) = (Host::default(), Host::default());
        let faults = faults(&host, &away);
        let app = TestApp::start_in_two_homes(engine, faults, (host, away.clone())).await;
        app.provision(ADA, "acme").await;
        app.host.write(HERE, "first words");
        Self { app, away }
    }

    async fn without_faults(engine: Engine) -> Self {
        Self::start(engine, |_, _| Faults::none()).await
    }

    /// One that moved, and whose former place is kept.
    async fn moved(engine: Engine) -> Self {
        let house = Self::without_faults(engine).await;
        assert_eq!(house.settled(&house.go_to("frankfurt").await).await, "done");
        house
    }

    async fn go_to(&self, home: &str) -> (StatusCode, Value) {
        let wanted = json!({"home": home, "confirm": "acme"});
        self.app.api(Method::POST, "/instances/acme/moves", Some(wanted)).await
    }

    async fn confirm(&self) -> (StatusCode, Value) {
        self.app.api(Method::POST, "/instances/acme/moves/confirmation", None).await
    }

    async fn go_back(&self) -> (StatusCode, Value) {
        self.app.api(Method::DELETE, "/instances/acme/moves", None).await
    }

    /// Waits for what was accepted; moments pass meanwhile, so that the lease of whoever died runs out.
    async fn settled(&self, accepted: &(StatusCode, Value)) -> String {
        assert_eq!(accepted.0, StatusCode::ACCEPTED, "{}", accepted.1);
        self.app.worked_off().await;
        self.app.settled(accepted.1["workflow_id"].as_str().unwrap()).await
    }

    /// It lives there with these words, and answers; its former place rests.
    async fn lives_there(&self, words: &str, context: &str) {
        let (app, away) = (&self.app, &self.away);
        assert_eq!((away.data(THERE).as_str(), away.is_suspended(THERE)), (words, Some(false)), "{context}");
        assert_eq!(
            (away.times_created(THERE), away.hostnames_of(THERE)),
            (1, vec!["acme.localhost".to_owned()]),
            "{context}"
        );
        assert!(away.is_open_to_the_world(THERE), "{context}");
        let instance = app.instance("acme").await;
        assert_eq!((&instance["project"], &instance["state"]), (&json!(THERE), &json!("active")), "{context}");
        assert_eq!(instance["home"], json!({"name": "frankfurt", "label": "Frankfurt"}), "{context}");
        answers(app, away, THERE, context).await;
        one_of_everything(app, context).await;
    }

    /// It lives where it was with these words, and answers.
    async fn lives_here(&self, words: &str, context: &str) {
        let app = &self.app;
        assert_eq!((app.host.data(HERE).as_str(), app.host.is_suspended(HERE)), (words, Some(false)), "{context}");
        assert_eq!(app.host.hostnames_of(HERE), ["acme.localhost"], "{context}");
        let instance = app.instance("acme").await;
        assert_eq!((&instance["project"], &instance["state"]), (&json!(HERE), &json!("active")), "{context}");
        assert_eq!(instance["home"]["name"], "default", "{context}");
        answers(app, &app.host, HERE, context).await;
        one_of_everything(app, context).await;
    }

    /// The same for one that moves for the second time.
    async fn lives_there_again(&self, context: &str) {
        assert_eq!(
            (self.away.data(THERE).as_str(), self.away.is_suspended(THERE)),
            ("first words", Some(false)),
            "{context}"
        );
    }

    async fn state(&self) -> Value {
        self.app.instance("acme").await["last_move"]["state"].clone()
    }
}

/// Whoever comes by its hostname reaches that project.
async fn answers(app: &TestApp, host: &Host, project: &str, context: &str) {
    let asked = host.times_asked(project);
    let before = asked.load(Ordering::SeqCst);
    let url = format!("{}/-/health", app.app().settings.public_url);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(url).header("host", app.shown("acme")).send().await.unwrap();
    assert_eq!((answer.status(), asked.load(Ordering::SeqCst)), (StatusCode::OK, before + 1), "{context}");
}

async fn one_of_everything(app: &TestApp, context: &str) {
    assert_eq!(app.hostnames().await, ["acme.localhost"], "{context}");
    let subscriptions = app.count("select count(*) from ledger_subscriptions where ended_at is null").await;
    assert_eq!((subscriptions, app.count("select count(*) from instances").await), (1, 1), "{context}");
}

/// Each fault happens once, at its point.
fn each_once(faults: Vec<(Point, Fault)>) -> Faults {
    let left = Mutex::new(faults);
    Faults::by(move |here| {
        let mut left = left.lock().unwrap();
        let at = left.iter().position(|(point, _)| point == here)?;
        Some(left.remove(at).1)
    })
}

/// Something is done the first time that a move gets to a step, before its effect.
fn before(step: &'static str, work: impl Fn() + Send + Sync + 'static) -> Faults {
    let left = AtomicBool::new(true);
    Faults::by(move |here| {
        let is_here = here.kind.starts_with("move") && here.step == step && here.moment == Moment::Before;
        if is_here && left.swap(false, Ordering::SeqCst) {
            work();
        }
        None
    })
}

async fn it_moves_with_everything_and_stays_when_its_owner_confirms(engine: Engine) {
    let house = House::without_faults(engine).await;
    let (app, away) = (&house.app, &house.away);
    let id = app.instance("acme").await["id"].clone();
    assert_eq!(house.settled(&house.go_to("frankfurt").await).await, "done");
    house.lives_there("first words", "moved").await;
    assert_eq!((house.state().await, app.instance("acme").await["id"].clone()), (json!("kept"), id));
    assert_eq!((app.host.projects(), app.host.is_suspended(HERE)), (vec![HERE.to_owned()], Some(true)), "it is kept");
    assert!(app.host.hostnames_of(HERE).is_empty());
    let told = app.mails_to(ADA).await;
    assert!(told.iter().any(|subject| subject.contains("is about to move")), "{told:?}");
    assert!(told.iter().any(|subject| subject.contains("has moved")), "{told:?}");

    let page = app.get("/portal/instances/acme", Some(ADA)).await.body;
    assert!(page.contains("lives in <b>Frankfurt</b>") && page.contains("Confirm the move"), "{page}");
    let done = app.browser(Method::POST, "/portal/instances/acme/moves/confirmation", Some(ADA), &[]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    app.worked_off().await;
    assert_eq!((app.host.projects(), away.projects()), (Vec::<String>::new(), vec![THERE.to_owned()]));
    house.lives_there("first words", "confirmed").await;
    assert_eq!(house.state().await, "settled");
    for action in ["requested", "moved", "confirmed", "settled"] {
        let sql = "select count(*) from audit_events where action like 'instance.move%' and action like '%' || $1";
        let found: i64 = store::sqlx::query_scalar(sql).bind(action).fetch_one(app.db.db.read()).await.unwrap();
        assert_eq!(found, 1, "{action}");
    }
    // And back home again, as to any other.
    assert_eq!(house.settled(&house.go_to("default").await).await, "done");
    house.lives_here("first words", "home again").await;
    assert_eq!(away.is_suspended(THERE), Some(true));
}

#[tokio::test]
async fn it_moves_with_everything_and_stays_when_its_owner_confirms_on_sqlite() {
    it_moves_with_everything_and_stays_when_its_owner_confirms(Engine::Sqlite).await;
}

#[tokio::test]
async fn it_moves_with_everything_and_stays_when_its_owner_confirms_on_postgres() {
    it_moves_with_everything_and_stays_when_its_owner_confirms(Engine::Postgres).await;
}

#[tokio::test]
async fn while_nobody_confirms_its_owner_is_reminded_each_week_and_the_operator_once() {
    let house = House::moved(Engine::Sqlite).await;
    let app = &house.app;
    let reminders = async || {
        control_plane::remind_of_moves(app.app()).await.unwrap();
        let owner =
            app.count("select count(*) from messages where subject like 'Is all well with acme.localhost%'").await;
        (owner, app.count("select count(*) from messages where subject like '%nobody has confirmed it%'").await)
    };
    assert_eq!(reminders().await, (0, 0), "not before a week is over");
    app.clock.advance(SignedDuration::from_hours(24 * 7));
    assert_eq!(reminders().await, (1, 1));
    assert_eq!(reminders().await, (1, 1), "nobody is told twice");
    app.clock.advance(SignedDuration::from_hours(24 * 7));
    assert_eq!(reminders().await, (2, 1));
    assert_eq!(house.settled(&house.confirm().await).await, "done");
    app.clock.advance(SignedDuration::from_hours(24 * 7));
    assert_eq!(reminders().await, (2, 1), "it is decided");
}

#[tokio::test]
async fn what_is_written_until_it_is_closed_moves_along() {
    let write = |host: &Host, _: &Host| {
        let host = host.clone();
        before("rest", move || host.write(HERE, "last words"))
    };
    let house = House::start(Engine::Sqlite, write).await;
    assert_eq!(house.settled(&house.go_to("frankfurt").await).await, "done");
    house.lives_there("last words", "written meanwhile").await;
}

#[tokio::test]
async fn the_trial_reaches_nothing_outside() {
    let reached = Arc::new(AtomicBool::new(true));
    let look = |_: &Host, away: &Host| {
        let (away, reached) = (away.clone(), Arc::clone(&reached));
        before("wait until healthy", move || reached.store(away.is_open_to_the_world(THERE), Ordering::SeqCst))
    };
    let house = House::start(Engine::Sqlite, look).await;
    assert_eq!(house.settled(&house.go_to("frankfurt").await).await, "done");
    assert!(!reached.load(Ordering::SeqCst), "two of one application must not both write to the world");
    house.lives_there("first words", "after the trial").await;
}

#[tokio::test]
async fn it_goes_back_with_everything_that_was_written_since() {
    let house = House::moved(Engine::Sqlite).await;
    house.away.write(THERE, "words from there");
    let (first, again) = (house.go_back().await, house.go_back().await);
    assert_eq!(first.1, again.1, "asked twice, it goes back once");
    assert_eq!(house.settled(&first).await, "done");
    house.lives_here("words from there", "back").await;
    assert_eq!((house.away.projects(), house.state().await), (Vec::<String>::new(), json!("returned")));
    let told = house.app.mails_to(ADA).await;
    assert!(told.iter().any(|subject| subject.contains("is back where it was")), "{told:?}");
    assert_eq!(house.settled(&house.go_to("frankfurt").await).await, "done", "and it can move once more");
}

#[tokio::test]
async fn dying_at_any_step_moves_it_once() {
    for point in points("move.v1", &STEPS) {
        let house = House::start(Engine::Sqlite, |_, _| once(point.clone(), Fault::Death)).await;
        assert_eq!(house.settled(&house.go_to("frankfurt").await).await, "done", "{point:?}");
        house.lives_there("first words", &format!("{point:?}")).await;
        assert_eq!((house.app.host.is_suspended(HERE), house.state().await), (Some(true), json!("kept")), "{point:?}");
    }
}

#[tokio::test]
async fn what_fails_for_good_at_any_step_leaves_it_where_it_was() {
    for step in STEPS {
        let point = Point { kind: "move.v1".into(), step: step.into(), moment: Moment::After };
        let house = House::start(Engine::Sqlite, |_, _| once(point, Fault::Permanent)).await;
        assert_eq!(house.settled(&house.go_to("frankfurt").await).await, "failed", "{step}");
        house.lives_here("first words", step).await;
        assert_eq!((house.away.projects(), house.state().await), (Vec::<String>::new(), json!("returned")), "{step}");
        let told = house.app.mails_to(ADA).await;
        assert!(told.iter().any(|subject| subject.contains("stays where it is")), "{step}: {told:?}");
        assert_eq!(house.settled(&house.go_to("frankfurt").await).await, "done", "{step}: again");
        house.lives_there_again(step).await;
    }
}

#[tokio::test]
async fn dying_on_the_way_back_after_a_failure_leaves_it_where_it_was() {
    let undone =
        ["undo keep what was written since", "undo switch", "undo lead there", "undo run again", "undo make a place"];
    for point in points("move.v1", &undone) {
        let failing = Point { kind: "move.v1".into(), step: "verify".into(), moment: Moment::After };
        let faults = |_: &Host, _: &Host| each_once(vec![(failing, Fault::Permanent), (point.clone(), Fault::Death)]);
        let house = House::start(Engine::Sqlite, faults).await;
        assert_eq!(house.settled(&house.go_to("frankfurt").await).await, "failed", "{point:?}");
        house.lives_here("first words", &format!("{point:?}")).await;
        assert_eq!(house.away.projects(), Vec::<String>::new(), "{point:?}");
    }
}

#[tokio::test]
async fn going_back_survives_death_at_any_step_and_a_failure_leaves_it_where_it_moved() {
    let steps = [&STEPS[6..16], ["remove the place", "record"].as_slice()].concat();
    for point in points("move-back.v1", &steps) {
        let house = House::start(Engine::Sqlite, |_, _| once(point.clone(), Fault::Death)).await;
        assert_eq!(house.settled(&house.go_to("frankfurt").await).await, "done");
        house.away.write(THERE, "words from there");
        assert_eq!(house.settled(&house.go_back().await).await, "done", "{point:?}");
        house.lives_here("words from there", &format!("{point:?}")).await;
        assert_eq!(house.away.projects(), Vec::<String>::new(), "{point:?}");
    }
    for step in &STEPS[6..16] {
        let point = Point { kind: "move-back.v1".into(), step: (*step).into(), moment: Moment::After };
        let house = House::start(Engine::Sqlite, |_, _| once(point, Fault::Permanent)).await;
        assert_eq!(house.settled(&house.go_to("frankfurt").await).await, "done");
        house.away.write(THERE, "words from there");
        assert_eq!(house.settled(&house.go_back().await).await, "failed", "{step}");
        house.lives_there("words from there", step).await;
        assert_eq!((house.state().await, house.app.host.is_suspended(HERE)), (json!("kept"), Some(true)), "{step}");
        let page = house.app.get("/portal/instances/acme", Some(ADA)).await.body;
        assert!(page.contains("could not be taken back"), "{step}: {page}");
        assert_eq!(house.settled(&house.go_back().await).await, "done", "{step}: again");
        house.lives_here("words from there", step).await;
    }
}

#[tokio::test]
async fn one_that_does_not_come_up_there_can_be_given_up_and_stays_where_it_was() {
    let house = House::without_faults(Engine::Sqlite).await;
    house.away.flaw("1", Flaw::NeverComesUp);
    let (status, accepted) = house.go_to("frankfurt").await;
    assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
    let id = accepted["workflow_id"].as_str().unwrap();
    house.app.until(async || house.away.projects() == [THERE] && !house.app.host.deployments_of("1").is_empty()).await;
    let page = house.app.get("/portal/instances/acme", Some(ADA)).await.body;
    assert!(page.contains("It is moving from Oregon to Frankfurt"), "{page}");
    let given_up = house.app.api(Method::POST, &format!("/workflows/{id}/abandon"), None).await;
    assert!(given_up.0.is_success(), "{}", given_up.1);
    house.app.worked_off().await;
    assert_eq!(house.app.settled(id).await, "failed");
    house.lives_here("first words", "given up").await;
    assert_eq!(house.away.projects(), Vec::<String>::new());
}

#[tokio::test]
async fn of_many_orders_at_once_one_move_is_made() {
    let house = House::without_faults(Engine::Postgres).await;
    let answers = futures_util::future::join_all((0..6).map(|_| house.go_to("frankfurt"))).await;
    let ids: std::collections::BTreeSet<String> = answers
        .iter()
        .filter(|(status, _)| *status == StatusCode::ACCEPTED)
        .map(|(_, accepted)| accepted["workflow_id"].to_string())
        .collect();
    assert_eq!(ids.len(), 1, "{answers:?}");
    for (status, answer) in &answers {
        assert!(matches!(*status, StatusCode::ACCEPTED | StatusCode::CONFLICT), "{status} {answer}");
    }
    house.app.worked_off().await;
    house.lives_there("first words", "ordered often").await;
}

async fn refused(answer: (StatusCode, Value), expected: StatusCode, words: &str) {
    assert_eq!(answer.0, expected, "{}", answer.1);
    assert!(answer.1.to_string().contains(words), "{words}: {}", answer.1);
}

#[tokio::test]
async fn what_can_not_move_is_refused_in_words() {
    let house = House::without_faults(Engine::Sqlite).await;
    let app = &house.app;
    refused(house.go_to("mars").await, StatusCode::UNPROCESSABLE_ENTITY, "frankfurt").await;
    refused(house.go_to("default").await, StatusCode::CONFLICT, "lives in Oregon already").await;
    refused(house.confirm().await, StatusCode::CONFLICT, "has not moved").await;
    refused(house.go_back().await, StatusCode::CONFLICT, "has not moved").await;
    let wrong = json!({"home": "frankfurt", "confirm": "zoo"});
    let wrong = app.api(Method::POST, "/instances/acme/moves", Some(wrong)).await;
    refused(wrong, StatusCode::UNPROCESSABLE_ENTITY, "confirmation does not match").await;
    let nobody = json!({"home": "frankfurt", "confirm": "nobody"});
    assert_eq!(app.api(Method::POST, "/instances/nobody/moves", Some(nobody)).await.0, StatusCode::NOT_FOUND);

    app.given.vault.as_ref().unwrap().be_unavailable(u32::MAX);
    let backup = app.api(Method::POST, "/backups", Some(json!({"instance": "acme"}))).await;
    assert_eq!(backup.0, StatusCode::ACCEPTED);
    refused(house.go_to("frankfurt").await, StatusCode::CONFLICT, "back up").await;
    app.given.vault.as_ref().unwrap().be_unavailable(0);
    app.worked_off().await;

    let why = json!({"reason": "You asked us to."});
    assert_eq!(app.api(Method::POST, "/instances/acme/suspend", Some(why)).await.0, StatusCode::ACCEPTED);
    refused(house.go_to("frankfurt").await, StatusCode::CONFLICT, "acme is suspended").await;
    app.worked_off().await;
    assert_eq!(app.count("select count(*) from moves").await, 0);
    assert_eq!(house.away.projects(), Vec::<String>::new());
}

#[tokio::test]
async fn while_it_moves_nothing_else_is_done_with_it_and_a_suspension_waits() {
    let house = House::without_faults(Engine::Sqlite).await;
    let app = &house.app;
    app.given.vault.as_ref().unwrap().be_unavailable(u32::MAX);
    let moving = house.go_to("frankfurt").await;
    assert_eq!(moving.0, StatusCode::ACCEPTED);
    let backup = app.api(Method::POST, "/backups", Some(json!({"instance": "acme"}))).await;
    refused(backup, StatusCode::CONFLICT, "being moved to another home").await;
    let rename = app.api(Method::POST, "/instances/acme/rename", Some(json!({"subdomain": "acme-works"}))).await;
    refused(rename, StatusCode::CONFLICT, "moving to another home").await;
    let why = json!({"reason": "You asked us to."});
    let suspended = app.api(Method::POST, "/instances/acme/suspend", Some(why)).await;
    app.given.vault.as_ref().unwrap().be_unavailable(0);
    assert_eq!(house.settled(&suspended).await, "done");
    assert_eq!(house.settled(&moving).await, "failed", "nobody moves what is closed");
    assert_eq!((app.host.is_suspended(HERE), house.away.projects()), (Some(true), Vec::<String>::new()));
    assert_eq!(app.instance("acme").await["state"], "suspended");
    assert_eq!(house.settled(&app.api(Method::POST, "/instances/acme/resume", None).await).await, "done");
    house.lives_here("first words", "resumed").await;
}

#[tokio::test]
async fn a_deletion_takes_both_places_along() {
    let house = House::moved(Engine::Sqlite).await;
    assert_eq!(house.app.delete("acme").await, "done");
    assert_eq!((house.app.host.projects(), house.away.projects()), (Vec::<String>::new(), Vec::<String>::new()));
    assert_eq!(house.app.count("select count(*) from moves where state <> 'settled'").await, 0);
    let gone = house.app.count("select count(*) from removals where kind = 'project'").await;
    assert_eq!(gone, 2, "the record names both");

    let house = House::without_faults(Engine::Sqlite).await;
    house.app.given.vault.as_ref().unwrap().be_unavailable(u32::MAX);
    let moving = house.go_to("frankfurt").await;
    let gone = house.app.api(Method::DELETE, "/instances/acme", Some(json!({"confirm": "acme"}))).await;
    house.app.given.vault.as_ref().unwrap().be_unavailable(0);
    assert_eq!((house.settled(&gone).await, house.settled(&moving).await), ("done".to_owned(), "failed".to_owned()));
    assert_eq!((house.app.host.projects(), house.away.projects()), (Vec::<String>::new(), Vec::<String>::new()));
}

#[tokio::test]
async fn while_its_former_place_is_kept_it_lives_on_and_can_not_move_elsewhere() {
    let house = House::moved(Engine::Sqlite).await;
    let app = &house.app;
    refused(house.go_to("default").await, StatusCode::CONFLICT, "still kept").await;
    let backup = app.api(Method::POST, "/backups", Some(json!({"instance": "acme"}))).await;
    assert_eq!(house.settled(&backup).await, "done");
    house.lives_there("first words", "backed up").await;
    // Two projects of one instance are nobody's mistake now.
    for sql in [
        "update instances set created_at = created_at - 7200000, changed_at = changed_at - 7200000",
        "update workflows set finished_at = finished_at - 7200000 where finished_at is not null",
    ] {
        store::sqlx::query(sql).execute(app.db.db.write()).await.unwrap();
    }
    let look = app.api(Method::POST, "/providers/sweep", None).await;
    assert_eq!(house.settled(&look).await, "done");
    assert_eq!(app.api(Method::GET, "/providers/findings?state=open", None).await.1["data"], json!([]));
    assert_eq!(house.settled(&house.confirm().await).await, "done");
    refused(house.go_back().await, StatusCode::CONFLICT, "has not moved").await;
}

#[tokio::test]
async fn only_its_owner_and_the_operator_decide_about_a_move() {
    let house = House::moved(Engine::Sqlite).await;
    let app = &house.app;
    let path = format!("/admin/instances/{}", app.instance("acme").await["id"].as_str().unwrap());
    let page = app.get(&path, OPERATOR).await.body;
    assert!(page.contains("It lives in <b>Frankfurt</b>") && page.contains("Take it back to Oregon"), "{page}");
    let back = app.browser(Method::POST, &format!("{path}/moves/back"), OPERATOR, &[]).await;
    assert!(back.location.as_deref().is_some_and(|to| to.starts_with("/admin/workflows/")), "{}", back.body);
    app.worked_off().await;
    house.lives_here("first words", "taken back in the console").await;
    for (home, confirmation, expected) in [
        ("frankfurt", "zoo", StatusCode::UNPROCESSABLE_ENTITY),
        ("No Home", "acme", StatusCode::UNPROCESSABLE_ENTITY),
        ("frankfurt", "acme", StatusCode::SEE_OTHER),
    ] {
        let form = [("home", home), ("confirmation", confirmation)];
        let answer = app.browser(Method::POST, &format!("{path}/moves"), OPERATOR, &form).await;
        assert_eq!(answer.status, expected, "{home} {confirmation}: {}", answer.body);
    }
    app.worked_off().await;
    house.lives_there_again("moved in the console").await;
    app.provision("eve@example.com", "zoo").await;
    for path in ["moves/confirmation", "moves/back"] {
        let url = format!("/portal/instances/acme/{path}");
        assert_eq!(app.browser(Method::POST, &url, Some("eve@example.com"), &[]).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn where_there_is_one_home_nothing_is_said_of_homes() {
    let app = TestApp::start().await;
    app.provision(ADA, "acme").await;
    let wanted = json!({"home": "frankfurt", "confirm": "acme"});
    let answer = app.api(Method::POST, "/instances/acme/moves", Some(wanted)).await;
    refused(answer, StatusCode::CONFLICT, "There is one home here").await;
    let instance = app.instance("acme").await;
    assert!(instance.get("home").is_none() && instance.get("last_move").is_none(), "{instance}");
    assert!(!app.get("/portal/instances/acme", Some(ADA)).await.body.contains("lives in"));
}
