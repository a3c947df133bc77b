//! The model that is offered to instances: what may be asked, what it costs, and that nobody gets more than they have.

use control_plane::{ModelGateway, ModelSettings, OfferedModel};
use domain::Micros;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use providers::model::ModelProvider;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use simulators::model::{self, Scene};
use store::Engine;
use workflow::Faults;

use crate::support::TestApp;

const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];
const NOW: &str = "2026-11-25T10:00:00Z";
const KEY: &str = "sk-the-operators-own";

/// One dollar for a million tokens either way, so that a token is a millionth.
fn settings(allowance: i64) -> ModelSettings {
    let model =
        |name: &str| OfferedModel { name: name.into(), input: Micros::new(1_000_000), output: Micros::new(1_000_000) };
    ModelSettings {
        models: vec![model("small"), model("large")],
        allowance: Micros::new(allowance),
        total: None,
        at_once: 4,
        longest_answer: 1_000,
    }
}

fn gateway(provider: &model::ModelProvider, settings: ModelSettings) -> ModelGateway {
    ModelGateway::new(settings, ModelProvider::new(&provider.url, Some(KEY.into())).unwrap())
}

async fn house(engine: Engine, provider: &model::ModelProvider, settings: ModelSettings) -> TestApp {
    let app = TestApp::start_offering(NOW, engine, gateway(provider, settings)).await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    app
}

fn question() -> Value {
    json!({"model": "small", "stream": true, "messages": [{"role": "user", "content": "Hello?"}], "max_tokens": 100})
}

/// As its guard asks for an instance.
async fn ask(app: &TestApp, subdomain: &str, question: Value) -> reqwest::Response {
    let token = app.host.token_of(&format!("ai-diy-{subdomain}"));
    app.as_guard(&token, Method::POST, "/model/chat/completions", Some(question)).await
}

async fn refusal(answer: reqwest::Response) -> (u16, String, String) {
    let status = answer.status().as_u16();
    let error = answer.json::<Value>().await.unwrap()["error"].clone();
    (status, error["code"].as_str().unwrap().to_owned(), error["message"].as_str().unwrap().to_owned())
}

async fn usage(app: &TestApp) -> Value {
    let (status, usage) = app.api(Method::GET, "/model/usage", None).await;
    assert_eq!(status, StatusCode::OK, "{usage}");
    usage
}

async fn used(app: &TestApp) -> i64 {
    let usage = usage(app).await;
    let each = usage["instances"].as_array().unwrap().iter().map(|row| row["cost_micros"].as_i64().unwrap());
    assert_eq!(each.sum::<i64>(), usage["used_micros"].as_i64().unwrap(), "the sum and the ledger agree");
    usage["used_micros"].as_i64().unwrap()
}

async fn what_an_answer_took_is_taken_from_the_allowance_and_told_to_everybody_it_concerns(engine: Engine) {
    let provider =
        model::ModelProvider::playing([Scene::Says(vec!["Hi", " Ada"], Some((1_200_000, 30_000)))]).await.unwrap();
    let app = house(engine, &provider, settings(5_000_000)).await;
    let answer = ask(&app, "acme", question()).await;
    assert_eq!(
        (answer.status(), answer.headers()["content-type"].as_bytes()),
        (StatusCode::OK, &b"text/event-stream"[..])
    );
    let text = answer.text().await.unwrap();
    assert!(text.contains("Hi") && text.contains("prompt_tokens") && text.ends_with("data: [DONE]\n\n"), "{text}");

    let asked = provider.asked().pop().unwrap();
    assert!(asked.head.contains(&format!("authorization: Bearer {KEY}")), "{}", asked.head);
    assert_eq!(
        (&asked.body["stream_options"], &asked.body["max_tokens"]),
        (&json!({"include_usage": true}), &json!(100))
    );
    let found = usage(&app).await;
    let row = &found["instances"][0];
    assert_eq!((&row["project"], &row["model"], &row["calls"]), (&json!("ai-diy-acme"), &json!("small"), &json!(1)));
    assert_eq!((&row["input_tokens"], &row["output_tokens"]), (&json!(1_200_000), &json!(30_000)));
    assert_eq!((&row["cost_micros"], &row["uncounted_calls"]), (&json!(1_230_000), &json!(0)), "{found}");

    let portal = app.get("/portal/instances/acme", Some("ada@example.com")).await.body;
    assert!(portal.contains("Included AI") && portal.contains("$1.23 of $5.00"), "{portal}");
    let id = app.instance("acme").await["id"].as_str().unwrap().to_owned();
    let console = app.get(&format!("/admin/instances/{id}"), Some("operator@localhost")).await.body;
    assert!(console.contains("Included AI this month") && console.contains("$1.23 of $5.00"));
    let (_, margins) = app.api(Method::GET, "/billing/margins?month=2026-11", None).await;
    assert_eq!(margins["customers"][0]["costs"]["model_micros"], 1_230_000, "{margins:#}");
    assert_eq!(margins["nobody"]["model_micros"], 0);
}

#[tokio::test]
async fn what_an_answer_took_is_taken_from_the_allowance_on_sqlite() {
    what_an_answer_took_is_taken_from_the_allowance_and_told_to_everybody_it_concerns(Engine::Sqlite).await;
}

#[tokio::test]
async fn what_an_answer_took_is_taken_from_the_allowance_on_postgres() {
    what_an_answer_took_is_taken_from_the_allowance_and_told_to_everybody_it_concerns(Engine::Postgres).await;
}

#[tokio::test]
async fn an_allowance_ends_in_words_and_begins_anew_with_the_month() {
    let provider = model::ModelProvider::playing([Scene::Says(vec!["Hi"], Some((10, 4_900)))]).await.unwrap();
    let app = house(Engine::Sqlite, &provider, settings(5_000)).await;
    ask(&app, "acme", question()).await.text().await.unwrap();
    let (status, code, words) = refusal(ask(&app, "acme", question()).await).await;
    assert_eq!((status, code.as_str()), (402, "allowance_used_up"));
    assert!(words.contains("renewed on 1 December") && words.contains("a key of your own under Settings"), "{words}");
    assert_eq!((provider.asked().len(), used(&app).await), (1, 4_910), "nothing was asked, and nothing put aside");
    app.go_to("2026-12-01T00:00:00Z");
    assert_eq!(ask(&app, "acme", question()).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_answer_is_shortened_to_what_is_left() {
    let provider = model::ModelProvider::playing([]).await.unwrap();
    let app = house(Engine::Sqlite, &provider, settings(400)).await;
    let long = json!({"model": "small", "messages": [{"role": "user", "content": "Hello?"}]});
    let answer = ask(&app, "acme", long).await;
    assert_eq!(answer.json::<Value>().await.unwrap()["choices"][0]["message"]["content"], "Hello");
    let longest = provider.asked()[0].body["max_tokens"].as_u64().unwrap();
    assert!((64..400).contains(&longest), "{longest}");
    assert_eq!(used(&app).await, 15, "an answer in one piece is counted as well");
}

async fn many_questions_at_once_never_cost_more_than_there_is(engine: Engine) {
    let scenes = (0..8).map(|_| Scene::Waits(vec!["Hi"], Some((10, 5))));
    let provider = model::ModelProvider::playing(scenes).await.unwrap();
    // Each puts aside its bytes and 100 tokens: there is room for some of them, and not for all.
    let settings = ModelSettings { at_once: 8, ..settings(700) };
    let app = house(engine, &provider, settings).await;
    let answers = join_all((0..8).map(|_| ask(&app, "acme", question()))).await;
    let begun = answers.iter().filter(|answer| answer.status() == StatusCode::OK).count();
    let refused = answers.iter().filter(|answer| answer.status() == StatusCode::PAYMENT_REQUIRED).count();
    assert!((1..8).contains(&begun) && begun + refused == 8, "{begun} begun, {refused} refused");
    let aside = used(&app).await;
    assert!(aside <= 700, "{aside} is put aside");
    (0..8).for_each(|_| provider.go_on());
    join_all(answers.into_iter().map(reqwest::Response::text)).await;
    assert_eq!(used(&app).await, 15 * i64::try_from(begun).unwrap());
}

#[tokio::test]
async fn many_questions_at_once_never_cost_more_than_there_is_on_sqlite() {
    many_questions_at_once_never_cost_more_than_there_is(Engine::Sqlite).await;
}

#[tokio::test]
async fn many_questions_at_once_never_cost_more_than_there_is_on_postgres() {
    many_questions_at_once_never_cost_more_than_there_is(Engine::Postgres).await;
}

#[tokio::test]
async fn the_total_is_a_brake_for_all_instances() {
    let provider = model::ModelProvider::playing([Scene::Says(vec!["Hi"], Some((0, 950)))]).await.unwrap();
    let app =
        house(Engine::Sqlite, &provider, ModelSettings { total: Some(Micros::new(1_000)), ..settings(5_000) }).await;
    app.provision("bob@example.com", "zoo").await;
    ask(&app, "acme", question()).await.text().await.unwrap();
    let (status, code, _) = refusal(ask(&app, "zoo", question()).await).await;
    assert_eq!((status, code.as_str()), (402, "total_used_up"));
}

#[tokio::test]
async fn an_answer_arrives_word_by_word() {
    let provider = model::ModelProvider::playing([Scene::Waits(vec!["First", "Second"], Some((1, 1)))]).await.unwrap();
    let app = house(Engine::Sqlite, &provider, settings(5_000)).await;
    let mut pieces = Box::pin(ask(&app, "acme", question()).await.bytes_stream());
    let mut heard = String::new();
    while !heard.contains("First") {
        heard.push_str(&String::from_utf8_lossy(&pieces.next().await.unwrap().unwrap()));
    }
    assert!(!heard.contains("Second"), "the provider has not said it yet");
    provider.go_on();
    while let Some(piece) = pieces.next().await {
        heard.push_str(&String::from_utf8_lossy(&piece.unwrap()));
    }
    assert!(heard.contains("Second") && heard.contains("[DONE]"), "{heard}");
}

#[tokio::test]
async fn only_so_many_questions_of_one_instance_are_under_way() {
    let waits = || Scene::Waits(vec!["Hi"], Some((1, 1)));
    let provider = model::ModelProvider::playing([waits(), waits()]).await.unwrap();
    let app = house(Engine::Sqlite, &provider, ModelSettings { at_once: 1, ..settings(5_000) }).await;
    app.provision("bob@example.com", "zoo").await;
    let first = ask(&app, "acme", question()).await;
    let second = ask(&app, "acme", question()).await;
    assert_eq!(second.headers()["retry-after"], "2");
    assert_eq!(refusal(second).await.1, "too_many_at_once");
    let neighbours = ask(&app, "zoo", question()).await;
    assert_eq!(neighbours.status(), StatusCode::OK, "a neighbour is not held up");
    (0..2).for_each(|_| provider.go_on());
    first.text().await.unwrap();
    app.until(async || ask(&app, "acme", question()).await.status() == StatusCode::OK).await;
}

#[tokio::test]
async fn what_a_provider_does_not_say_counts_with_the_most() {
    let scenes = [Scene::Says(vec!["Hi"], None), Scene::BreaksOff(vec!["Hi"]), Scene::HangsUp];
    for scene in scenes {
        let provider = model::ModelProvider::playing([scene.clone()]).await.unwrap();
        let app = house(Engine::Sqlite, &provider, settings(5_000)).await;
        let answer = ask(&app, "acme", question()).await;
        match scene {
            Scene::HangsUp => assert_eq!(refusal(answer).await.0, 504),
            Scene::BreaksOff(_) => assert!(answer.text().await.is_err(), "what is cut is seen to be cut"),
            _ => assert!(answer.text().await.unwrap().contains("[DONE]")),
        }
        assert!((100..300).contains(&used(&app).await), "{scene:?}");
        assert_eq!(usage(&app).await["instances"][0]["uncounted_calls"], 1, "{scene:?}");
    }
}

#[tokio::test]
async fn an_answer_whose_reader_left_is_still_counted() {
    let provider = model::ModelProvider::playing([Scene::Waits(vec!["Hi", "there"], Some((20, 30)))]).await.unwrap();
    let app = house(Engine::Sqlite, &provider, settings(5_000)).await;
    drop(ask(&app, "acme", question()).await);
    provider.go_on();
    app.until(async || used(&app).await == 50).await;
}

async fn a_question_that_the_server_died_in_counts_with_the_most(engine: Engine) {
    let provider = model::ModelProvider::playing([Scene::Waits(vec!["Hi"], Some((1, 1)))]).await.unwrap();
    let offered = gateway(&provider, settings(5_000));
    let app = TestApp::start_offering_on_a_machine(NOW, engine, offered).await;
    app.provision("ada@example.com", "acme").await;
    let answer = ask(&app, "acme", question()).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let aside = used(&app).await;
    let app = app.killed(Faults::none()).await;
    assert!(aside > 100);
    assert_eq!(used(&app).await, aside, "what was put aside stays so");
    assert_eq!(usage(&app).await["instances"][0]["uncounted_calls"], 1);
    ask(&app, "acme", question()).await.text().await.unwrap();
    assert_eq!(used(&app).await, aside + 15);
}

#[tokio::test]
async fn a_question_that_the_server_died_in_counts_with_the_most_on_sqlite() {
    a_question_that_the_server_died_in_counts_with_the_most(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_question_that_the_server_died_in_counts_with_the_most_on_postgres() {
    a_question_that_the_server_died_in_counts_with_the_most(Engine::Postgres).await;
}

#[tokio::test]
async fn a_provider_that_fails_is_told_of_without_the_key_and_costs_nothing() {
    let says = format!(r#"{{"error": {{"message": "Wrong key {KEY}"}}}}"#);
    for (scene, status, code, retry_after) in [
        (Scene::Refuses(401, None, says.clone()), 502, "provider_failed", None),
        (Scene::Refuses(500, None, says.clone()), 502, "provider_failed", None),
        (Scene::Refuses(302, None, String::new()), 502, "provider_failed", None),
        (Scene::Refuses(429, Some(17), says.clone()), 429, "provider_busy", Some("17")),
        (Scene::Refuses(400, None, says.clone()), 400, "refused_by_provider", None),
    ] {
        let provider = model::ModelProvider::playing([scene.clone()]).await.unwrap();
        let app = house(Engine::Sqlite, &provider, settings(5_000)).await;
        let answer = ask(&app, "acme", question()).await;
        let come_back = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(come_back.as_deref(), retry_after, "{scene:?}");
        let (was, why, words) = refusal(answer).await;
        assert_eq!((was, why.as_str()), (status, code), "{scene:?}");
        assert!(!words.contains(KEY), "{words}");
        assert_eq!(used(&app).await, 0, "{scene:?}");
    }
}

#[tokio::test]
async fn a_provider_that_is_away_costs_nothing() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = ModelProvider::new(&format!("http://{nobody}/v1"), Some(KEY.into())).unwrap();
    let app = TestApp::start_offering(NOW, Engine::Sqlite, ModelGateway::new(settings(5_000), away)).await;
    app.provision("ada@example.com", "acme").await;
    assert_eq!(refusal(ask(&app, "acme", question()).await).await.1, "provider_failed");
    assert_eq!(used(&app).await, 0);
}

#[tokio::test]
async fn only_an_instance_in_use_is_answered_and_only_with_its_own_token() {
    let provider = model::ModelProvider::playing([]).await.unwrap();
    let app = house(Engine::Sqlite, &provider, settings(5_000)).await;
    app.provision("bob@example.com", "zoo").await;
    let token = app.host.token_of("ai-diy-acme");
    let zoo = app.instance("zoo").await["id"].as_str().unwrap().to_owned();
    let stolen = format!("{zoo}.{}", token.split_once('.').unwrap().1);
    let path = "/model/chat/completions";
    for wrong in ["", "nobody", &stolen, &token[..token.len() - 1]] {
        let answer = app.as_guard(wrong, Method::POST, path, Some(question())).await;
        assert_eq!(refusal(answer).await.0, 401, "{wrong}");
    }
    let operator = control_plane::operator_token(&app.app().sealer);
    let operator = secrecy::ExposeSecret::expose_secret(&operator);
    assert_eq!(app.as_guard(operator, Method::POST, path, Some(question())).await.status(), StatusCode::FORBIDDEN);
    let listed = app.as_guard(&token, Method::GET, "/model/models", None).await.json::<Value>().await.unwrap();
    assert_eq!((&listed["data"][0]["id"], &listed["data"][1]["id"]), (&json!("small"), &json!("large")));

    let (status, accepted) = app.api(Method::POST, "/instances/acme/suspend", Some(json!({"reason": "A test."}))).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
    app.settled(accepted["workflow_id"].as_str().unwrap()).await;
    let answer = app.as_guard(&token, Method::POST, path, Some(question())).await;
    assert_eq!(refusal(answer).await.1, "suspended");
    assert_eq!(app.delete("acme").await, "done");
    let answer = app.as_guard(&token, Method::POST, path, Some(question())).await;
    assert_eq!(refusal(answer).await.1, "not_in_use");
    assert_eq!((provider.asked().len(), used(&app).await), (0, 0));
    assert_eq!(ask(&app, "zoo", question()).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn what_is_not_offered_or_can_not_be_counted_is_not_passed_on() {
    let provider = model::ModelProvider::playing([]).await.unwrap();
    let app = house(Engine::Sqlite, &provider, settings(5_000)).await;
    let with = |field: &str, value: Value| {
        let mut changed = question();
        changed[field] = value;
        changed
    };
    for (asked, status, code) in [
        (with("model", json!("huge")), 404, "model_not_found"),
        (with("n", json!(3)), 400, "invalid_field"),
        (with("service_tier", json!("priority")), 400, "unknown_field"),
        (with("messages", json!("x".repeat(2 << 20))), 413, "question_too_large"),
    ] {
        let (was, why, _) = refusal(ask(&app, "acme", asked).await).await;
        assert_eq!((was, why.as_str()), (status, code));
    }
    assert!(provider.asked().is_empty());
    let without = TestApp::start().await;
    without.provision("ada@example.com", "acme").await;
    assert_eq!(refusal(ask(&without, "acme", question()).await).await.1, "not_offered");
    let (_, margins) = without.api(Method::GET, "/billing/margins", None).await;
    assert_eq!(margins["nobody"]["model_micros"], 0);
    assert!(!without.get("/portal/instances/acme", Some("ada@example.com")).await.body.contains("Included AI"));
    for engine in ENGINES {
        let app = TestApp::start_with(engine, Faults::none()).await;
        assert_eq!((used(&app).await, usage(&app).await["is_offered"].clone()), (0, json!(false)));
    }
}
