//! It is tried whether instances are walled off from each other, and what is no refusal is noticed.

use control_plane::prove_isolation_if_due;
use domain::InstanceId;
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use workflow::{Fault, Faults, Moment, Point};

use crate::support::{Manners, TestApp, once};

const OPERATOR: &str = "operator@localhost";
/// What strangers try at hostname and guard, and what each neighbour tries there.
const OF_STRANGERS: u64 = 2 * 7;
const OF_A_NEIGHBOUR: u64 = 2 * 2;

async fn three(app: &TestApp) {
    for (email, name) in [("ada@example.com", "acme"), ("zoe@example.com", "bakery"), ("kim@example.com", "castle")] {
        assert_eq!(app.provision(email, name).await, "done");
    }
    app.host.doorman().believe(app.app().gate.clone(), app.clock.clone());
}

async fn round(app: &TestApp, wish: Value) -> Value {
    let (status, accepted) = app.api(Method::POST, "/isolation/rounds", Some(wish)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
    let id = accepted["workflow_id"].as_str().unwrap();
    assert_eq!(app.settled(id).await, "done");
    let (status, round) = app.api(Method::GET, &format!("/isolation/rounds/{id}"), None).await;
    assert_eq!(status, StatusCode::OK, "{round}");
    round
}

async fn behave(app: &TestApp, name: &str, manners: Manners) {
    let id = app.instance(name).await["id"].as_str().unwrap().to_owned();
    app.host.doorman().behave(InstanceId::parse(&id).unwrap(), manners);
}

fn number(round: &Value, name: &str) -> u64 {
    round[name].as_u64().unwrap()
}

/// How the round says that an instance stands.
fn place<'r>(round: &'r Value, name: &str) -> &'r Value {
    let places = round["places"].as_array().unwrap();
    places.iter().find(|place| place["hostname"].as_str().unwrap().starts_with(name)).unwrap()
}

async fn alerts(app: &TestApp) -> usize {
    app.mails_to(OPERATOR).await.iter().filter(|subject| subject.contains("got into")).count()
}

async fn sound_walls_are_proven_and_everybody_is_told(engine: store::Engine) {
    let app = TestApp::start_with(engine, Faults::none()).await;
    three(&app).await;
    let members = app.count("select count(*) from members").await;
    let round = round(&app, json!({})).await;
    assert_eq!(number(&round, "refused"), 3 * (OF_STRANGERS + 2 * OF_A_NEIGHBOUR), "{round}");
    assert_eq!((number(&round, "admitted"), number(&round, "not_tried")), (0, 0), "{round}");
    assert_eq!((number(&round, "proven"), number(&round, "rounds_for_all")), (3, 1));
    assert_eq!(number(&round, "attempts"), number(&round, "refused"));

    let (_, known) = app.api(Method::GET, "/isolation", None).await;
    assert_eq!(known["proofs"].as_array().unwrap().len(), 3);
    assert_eq!(known["proofs"][0]["neighbours"], 2);
    let page = app.get("/portal/instances/acme", Some("ada@example.com")).await;
    assert!(page.body.contains("22 refused attempts"), "{}", page.body);
    let console = app.get("/admin/isolation", Some(OPERATOR)).await;
    assert!(console.body.contains("All proven"));
    let id = round["id"].as_str().unwrap();
    let console = app.get(&format!("/admin/isolation/{id}"), Some(OPERATOR)).await;
    assert!(console.status == StatusCode::OK && console.body.contains("66 refused, 0 got in, 0 not tried"));

    assert_eq!(alerts(&app).await, 0);
    assert_eq!(app.count("select count(*) from members").await, members, "test identities are no members");
    assert!(!page.body.contains("isolation.invalid"), "nobody is shown one");
    let (_, usage) = app.api(Method::GET, "/instances/acme/usage", None).await;
    assert_eq!(usage["hours"].as_array().map(Vec::len), Some(0), "{usage}");
}

#[tokio::test]
async fn sound_walls_are_proven_and_everybody_is_told_on_sqlite() {
    sound_walls_are_proven_and_everybody_is_told(store::Engine::Sqlite).await;
}

#[tokio::test]
async fn sound_walls_are_proven_and_everybody_is_told_on_postgres() {
    sound_walls_are_proven_and_everybody_is_told(store::Engine::Postgres).await;
}

#[tokio::test]
async fn a_guard_that_lets_neighbours_in_pages_the_operator() {
    let app = TestApp::start().await;
    three(&app).await;
    behave(&app, "bakery", Manners::TakesAnySignIn).await;
    let first = round(&app, json!({})).await;
    assert_eq!(number(&first, "admitted"), 2, "{first}");
    assert_eq!(place(&first, "bakery")["standing"], "breached");
    assert_eq!(place(&first, "acme")["standing"], "proven");
    let told = first["entrances"][0].as_str().unwrap();
    assert!(told.contains("got into bakery.localhost") && told.contains("straight at its guard"), "{told}");
    assert_eq!(alerts(&app).await, 1, "once in a round, however many get in");
    let (_, audit) = app.api(Method::GET, "/audit-events?limit=200", None).await;
    let entries = audit["data"].as_array().unwrap().iter();
    assert_eq!(entries.filter(|entry| entry["action"] == "isolation.breached").count(), 2);
    let page = app.get("/portal/instances/bakery", Some("zoe@example.com")).await;
    assert!(page.body.contains("Something that had to be refused was not"), "the customer is told");
    let waits = async || app.get("/admin", Some(OPERATOR)).await.body.contains("A stranger got into bakery.localhost");
    assert!(waits().await, "it waits for somebody");

    round(&app, json!({"instance": "bakery"})).await;
    assert_eq!(alerts(&app).await, 2, "it is still so, and said again");
    behave(&app, "bakery", Manners::Sound).await;
    let mended = round(&app, json!({"instance": "bakery"})).await;
    assert_eq!((number(&mended, "admitted"), &place(&mended, "bakery")["standing"]), (0, &json!("proven")));
    assert_eq!(mended["places"].as_array().unwrap().len(), 1, "only what was asked for is tried");
    assert!(!waits().await, "seen to");
}

#[tokio::test]
async fn an_application_that_only_fails_hides_no_entrance() {
    let app = TestApp::start().await;
    three(&app).await;
    behave(&app, "acme", Manners::TakesAnybodyToABrokenApplication).await;
    let failing = round(&app, json!({"instance": "acme"})).await;
    assert!(number(&failing, "admitted") > 0, "{failing}");
    behave(&app, "acme", Manners::TakesAnybody).await;
    let open = round(&app, json!({"instance": "acme"})).await;
    // Seven tricks of strangers, two of each neighbour: at the guard. The edge still stands.
    assert_eq!((number(&open, "admitted"), number(&open, "refused")), (7 + 4, 7 + 4), "{open}");
}

#[tokio::test]
async fn who_does_not_answer_is_not_tried_and_not_proven() {
    let app = TestApp::start().await;
    three(&app).await;
    behave(&app, "acme", Manners::IsAway).await;
    app.host.vanish("ai-diy-castle");
    let round = round(&app, json!({})).await;
    assert_eq!((number(&round, "admitted"), number(&round, "proven")), (0, 0), "{round}");
    for name in ["acme", "castle"] {
        let place = place(&round, name);
        assert_eq!((&place["standing"], number(place, "refused")), (&json!("not-proven"), 0), "{place}");
        assert!(!place["why"].as_str().unwrap().is_empty());
    }
    let alone = place(&round, "bakery");
    assert_eq!(alone["standing"], "not-proven", "no neighbour was seen to be good at home: {alone}");
    let each = OF_STRANGERS + 2 * OF_A_NEIGHBOUR;
    assert_eq!(number(&round, "attempts") + number(&round, "not_tried"), 3 * each, "{round}");
    assert_eq!(alerts(&app).await, 0);
}

#[tokio::test]
async fn a_refusal_that_anybody_could_have_spoken_proves_nothing() {
    let app = TestApp::start().await;
    three(&app).await;
    behave(&app, "acme", Manners::SignsNothing).await;
    let round = round(&app, json!({"instance": "acme"})).await;
    let place = place(&round, "acme");
    assert_eq!((&place["standing"], number(&round, "admitted")), (&json!("not-proven"), 0), "{round}");
    assert_eq!(round["not_tried_because"][0]["reason"], "not-signed");
}

#[tokio::test]
async fn a_guard_that_does_not_know_its_identity_is_told_of_it() {
    let app = TestApp::start().await;
    three(&app).await;
    behave(&app, "acme", Manners::KnowsNobody).await;
    let before = app.host.lists_of("ai-diy-acme");
    let round = round(&app, json!({"instance": "acme"})).await;
    assert_eq!(round["not_tried_because"][0]["reason"], "not-told-yet", "{round}");
    app.until(async || app.host.lists_of("ai-diy-acme") > before).await;
}

#[tokio::test]
async fn a_round_that_was_interrupted_goes_on_and_counts_nothing_twice() {
    for (step, moment) in
        [("try the doors", Moment::Before), ("try the doors", Moment::After), ("add it up", Moment::After)]
    {
        let point = Point { kind: "prove-isolation.v1".to_owned(), step: step.to_owned(), moment };
        let app = TestApp::start_with(store::Engine::Sqlite, once(point, Fault::Death)).await;
        three(&app).await;
        let round = round(&app, json!({})).await;
        let each = OF_STRANGERS + 2 * OF_A_NEIGHBOUR;
        assert_eq!((number(&round, "attempts"), number(&round, "proven")), (3 * each, 3), "{step}");
    }
}

#[tokio::test]
async fn one_round_at_a_time_and_a_new_one_every_hour() {
    let app = TestApp::start_on_a_still_clock(store::Engine::Sqlite).await;
    three(&app).await;
    let rounds = async || app.count("select count(*) from isolation_rounds").await;
    for _ in 0..3 {
        prove_isolation_if_due(&app.app().core()).await.unwrap();
    }
    assert_eq!(rounds().await, 1);
    let (status, accepted) = app.api(Method::POST, "/isolation/rounds", Some(json!({}))).await;
    assert_eq!((status, rounds().await), (StatusCode::ACCEPTED, 1), "asked for while it is under way");
    app.settled(accepted["workflow_id"].as_str().unwrap()).await;
    prove_isolation_if_due(&app.app().core()).await.unwrap();
    assert_eq!(rounds().await, 1);
    app.clock.advance(SignedDuration::from_mins(61));
    prove_isolation_if_due(&app.app().core()).await.unwrap();
    assert_eq!(rounds().await, 2);
    let (status, problem) = app.api(Method::POST, "/isolation/rounds", Some(json!({"instance": "nobody"}))).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{problem}");
}

#[tokio::test]
async fn nobody_gets_the_address_of_a_test_identity() {
    let app = TestApp::start().await;
    three(&app).await;
    let id = app.instance("bakery").await["id"].as_str().unwrap().to_owned();
    let address = format!("{id}@isolation.invalid");
    let (status, problem) = app.api(Method::POST, "/instances/acme/members", Some(json!({"email": address}))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    let order = json!({"customer_email": address, "subdomain": "posing"});
    let (status, problem) = app.api(Method::POST, "/instances", Some(order)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
}
