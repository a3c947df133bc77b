//! The client against a provider on a real socket that does whatever real ones do wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;
use tempfile::TempDir;

use super::faulty::{Provider, STREAM, Scene, call, end, event, refuses, says, stream, text};
use super::*;

const KEY: &str = "sk-very-secret";

struct Desk {
    home: TempDir,
    model: Model,
}

impl Desk {
    fn at(setup: Setup) -> Self {
        let home = tempfile::tempdir().unwrap();
        let model = Model::open(home.path(), Clock::at("2026-11-30T12:00:00Z".parse().unwrap())).unwrap();
        model.configure(Some(setup));
        Self { home, model }
    }

    async fn ask(&self) -> (Result<Answer, ModelError>, String) {
        let mut heard = String::new();
        let answer = self.model.ask(question(), |piece| heard.push_str(piece), &CancellationToken::new()).await;
        (answer, heard)
    }

    fn account(&self) -> String {
        std::fs::read_to_string(self.home.path().join("usage.jsonl")).unwrap_or_default()
    }
}

fn question() -> Ask {
    let parameters = json!({"type": "object", "properties": {"command": {"type": "string"}}});
    Ask {
        role: Role::Developer,
        messages: vec![Message::System("Be brief.".to_owned()), Message::User("Hello?".to_owned())],
        tools: vec![Tool { name: "run", description: "Runs a command.", parameters }],
        purpose: Purpose { story: Some("B-1".to_owned()), ..Purpose::default() },
    }
}

fn quick(provider: &Provider) -> Setup {
    let limits = Limits {
        silence: Duration::from_secs(20),
        total: Duration::from_secs(60),
        answer: 64 * 1024,
        pause: Duration::from_millis(1),
        ..Limits::default()
    };
    Setup { key: Some(SecretString::from(KEY)), limits, ..provider.setup() }
}

#[tokio::test]
async fn an_answer_is_heard_piece_by_piece_and_accounted_for() {
    let usage = event(&json!({"choices": [], "usage": {"prompt_tokens": 20, "completion_tokens": 4}}));
    let pieces = [": hello\n\n".to_owned(), text("Hel"), text("lo"), usage, end("stop")];
    let provider = Provider::playing([Scene::Sends(stream(&pieces))]).await;
    let price = Price { input: Cost::parse("1").unwrap(), output: Cost::parse("10").unwrap() };
    let prices = [("special".to_owned(), price)].into();
    let models = [(Role::Developer, "special".to_owned())].into();
    let desk = Desk::at(Setup { prices, models, ..quick(&provider) });

    let (answer, heard) = desk.ask().await;
    let answer = answer.unwrap();
    assert_eq!((answer.text.as_str(), heard.as_str(), answer.finish), ("Hello", "Hello", Finish::Said));
    assert_eq!((answer.usage.counted, answer.cost), (Counted::Told, Cost::millionths(60)));
    let asked = provider.asked().remove(0);
    assert!(asked.head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{}", asked.head);
    assert!(asked.head.contains(&format!("authorization: Bearer {KEY}\r\n")), "{}", asked.head);
    assert_eq!((&asked.body["model"], &asked.body["stream"]), (&json!("special"), &json!(true)));
    assert_eq!(asked.body["messages"][1], json!({"role": "user", "content": "Hello?"}));
    assert_eq!(asked.body["tools"][0]["function"]["name"], "run");
    assert_eq!(desk.model.ledger().story("B-1").cost, Cost::millionths(60));
    let again = Model::open(desk.home.path(), Clock::default()).unwrap();
    assert_eq!(again.ledger().story("B-1"), desk.model.ledger().story("B-1"));
}

#[tokio::test]
async fn calls_and_their_outcomes_go_back_and_forth() {
    let provider =
        Provider::playing([Scene::Sends(stream(&[call("run", "{\"command\":\"ls\"}"), end("tool_calls")]))]).await;
    let desk = Desk::at(quick(&provider));
    let answer = desk.ask().await.0.unwrap();
    assert_eq!((answer.finish, answer.calls.len(), answer.calls[0].name.as_str()), (Finish::Calls, 1, "run"));
    assert_eq!(answer.usage.counted, Counted::Estimated, "the provider did not count");

    let mut next = question();
    next.messages.push(Message::Assistant { text: answer.text, calls: answer.calls });
    next.messages.push(Message::Tool { call_id: "call_1".to_owned(), text: "a.txt".to_owned() });
    desk.model.ask(next, |_| (), &CancellationToken::new()).await.unwrap();
    let messages = provider.asked()[1].body["messages"].clone();
    assert_eq!(messages[2]["tool_calls"][0]["function"]["arguments"], "{\"command\":\"ls\"}");
    assert_eq!(messages[3], json!({"role": "tool", "tool_call_id": "call_1", "content": "a.txt"}));
}

#[tokio::test]
async fn passing_faults_before_the_first_word_are_tried_again() {
    let limited = refuses(429, "retry-after: 0\r\n", r#"{"error": {"message": "slow down"}}"#);
    for first in [limited, refuses(500, "", "oops"), refuses(503, "", ""), Scene::HangsUp] {
        let provider = Provider::playing([first.clone(), first.clone(), says("Here.")]).await;
        let desk = Desk::at(quick(&provider));
        assert_eq!(desk.ask().await.0.unwrap().text, "Here.", "{first:?}");
        assert_eq!(provider.asked().len(), 3, "{first:?}");
        assert_eq!(desk.model.ledger().story("B-1").calls, 1, "one call, whatever it took");
    }
}

#[tokio::test]
async fn faults_that_stay_are_told_with_what_the_provider_says() {
    let message = |words: &str| json!({"error": {"message": words, "code": "x"}}).to_string();
    let poor = json!({"error": {"message": "no credit", "code": "insufficient_quota"}}).to_string();
    let allowance = json!({"error": {"message": "Used up until 1 December.", "code": "allowance_used_up"}}).to_string();
    let cases = [
        (refuses(401, "", &message("bad key")), "refuses the key (401): bad key.", 1),
        (refuses(403, "", &message("not here")), "refuses the key (403)", 1),
        (refuses(404, "", &message("no such model")), "does not accept the question (404): no such model.", 1),
        (refuses(307, "location: http://elsewhere.example/\r\n", ""), "points to another address", 1),
        (refuses(429, "", &poor), "reached a limit: no credit.", 1),
        (refuses(402, "", &allowance), "Used up until 1 December.", 1),
        (refuses(402, "", &message("pay")), "reached a limit: pay.", 1),
        (refuses(429, "retry-after: 3600\r\n", &message("tomorrow")), "reached a limit: tomorrow.", 1),
        (refuses(429, "", &message("busy")), "reached a limit: busy.", 4),
        (refuses(502, "", "<html>bad gateway"), "fault of its own (502): <html>bad gateway.", 4),
        (Scene::HangsUp, "cannot be reached", 4),
    ];
    for (scene, words, tries) in cases {
        let provider = Provider::playing([scene]).await;
        let desk = Desk::at(quick(&provider));
        let (answer, heard) = desk.ask().await;
        let error = answer.unwrap_err().to_string();
        assert!(error.contains(words) && heard.is_empty(), "{words}: {error}");
        assert_eq!(provider.asked().len(), tries, "{words}");
        let used = desk.model.ledger().story("B-1");
        assert_eq!((used.calls, used.input + used.output), (1, 0), "{words}: a refusal costs nothing");
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable_and_named() {
    let desk = Desk::at({
        let gone = Provider::playing([Scene::HangsUp]).await;
        quick(&gone)
    });
    let error = desk.ask().await.0.unwrap_err();
    assert!(matches!(&error, ModelError::Unreachable { host, .. } if host.starts_with("127.0.0.1:")), "{error}");
}

#[tokio::test]
async fn answers_that_break_off_are_errors_and_are_not_asked_for_twice() {
    let chunked = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let piece = text("half");
    let broken_chunk = format!("{chunked}{:x}\r\n{piece}\r\n5\r\nda", piece.len());
    let wrong_kind = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<html>Sign in";
    let cases = [
        (stream(&[text("half")]), "half", "ended before"),
        (broken_chunk, "half", "broke in the middle"),
        (stream(&[text("half"), event(&json!({"error": {"message": "overloaded"}}))]), "half", "overloaded"),
        (stream(&[text("half"), "data: {oops\n\n".to_owned()]), "half", "not the JSON"),
        (stream(&[call("run", "{\"command\": \"l"), end("tool_calls")]), "", "“run” is not a JSON object"),
        (stream(&[call("rm", "{}"), end("tool_calls")]), "", "“rm”, which was not offered"),
        (stream(&[end("stop")]), "", "empty"),
        (wrong_kind.to_owned(), "", "“text/html” instead of a stream"),
    ];
    for (bytes, spoken, words) in cases {
        let provider = Provider::playing([Scene::Sends(bytes)]).await;
        let desk = Desk::at(quick(&provider));
        let (answer, heard) = desk.ask().await;
        let error = answer.unwrap_err();
        assert!(matches!(&error, ModelError::Broken(why) if why.contains(words)), "{words}: {error}");
        assert_eq!((heard.as_str(), provider.asked().len()), (spoken, 1), "{words}");
        assert_eq!(desk.model.ledger().story("B-1").estimated, 1, "{words}: what was heard is estimated");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_end_is_cut() {
    let provider = Provider::playing([Scene::Repeats(STREAM.to_owned(), text(&"x".repeat(1_000)))]).await;
    let (answer, heard) = Desk::at(quick(&provider)).ask().await;
    assert_eq!(answer.unwrap_err(), ModelError::TooLong(64));
    let mut short = quick(&provider);
    short.limits.tokens = 1_024;
    assert_eq!(Desk::at(short).ask().await.0.unwrap_err(), ModelError::TooLong(8), "what was asked for is kept to");
    assert!(heard.len() <= 65 * 1024, "{}", heard.len());
    let line = Provider::playing([Scene::Repeats(format!("{STREAM}data: "), "x".repeat(1_000))]).await;
    let error = Desk::at(quick(&line)).ask().await.0.unwrap_err();
    assert!(error.to_string().contains("larger than any real one"), "{error}");
}

#[tokio::test]
async fn silence_and_dripping_end_in_time() {
    let head = Provider::playing([Scene::Hangs(String::new())]).await;
    let middle = Provider::playing([Scene::Hangs(stream(&[text("half")]))]).await;
    let drip = Provider::playing([Scene::Repeats(STREAM.to_owned(), ": still here\n\n".to_owned())]).await;
    let (soon, late) = (Duration::from_millis(300), Duration::from_secs(60));
    for (provider, silence, total, words) in [
        (&head, soon, late, "nothing was heard"),
        (&middle, soon, late, "nothing was heard"),
        (&drip, late, soon, "did not end within"),
    ] {
        let mut setup = quick(provider);
        (setup.limits.silence, setup.limits.total) = (silence, total);
        let error = Desk::at(setup).ask().await.0.unwrap_err();
        assert!(matches!(&error, ModelError::TooSlow(why) if why.contains(words)), "{words}: {error}");
    }
}

#[tokio::test]
async fn a_person_can_stop_it_in_the_middle_and_what_was_heard_is_accounted_for() {
    let provider = Provider::playing([Scene::Hangs(stream(&[text("Once upon")]))]).await;
    let desk = Desk::at(quick(&provider));
    let stop = CancellationToken::new();
    let answer = desk.model.ask(question(), |_| stop.cancel(), &stop).await;
    assert_eq!(answer.unwrap_err(), ModelError::Stopped);
    let used = desk.model.ledger().story("B-1");
    assert!(used.input > 0 && used.output == 3 && used.estimated == 1, "{used:?}");
    assert!(desk.account().contains("It was stopped."), "{}", desk.account());
}

#[tokio::test]
async fn fields_that_a_provider_does_not_know_are_said_in_its_way() {
    let refusal = |words: &str| refuses(400, "", &json!({"error": {"message": words}}).to_string());
    let length = refusal("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.");
    let provider = Provider::playing([length, refusal("Unknown field stream_options"), says("Here.")]).await;
    let desk = Desk::at(quick(&provider));
    desk.ask().await.0.unwrap();
    desk.ask().await.0.unwrap();
    let asked = provider.asked();
    assert_eq!(asked.len(), 4, "the second question is put right at once");
    assert!(asked[3].body["max_completion_tokens"].is_u64() && asked[3].body.get("stream_options").is_none());
}

#[tokio::test]
async fn a_budget_shortens_answers_and_stops_before_the_call() {
    let price = Price { input: Cost::millionths(1_000_000), output: Cost::millionths(1_000_000) };
    let usage = event(&json!({"choices": [], "usage": {"prompt_tokens": 400, "completion_tokens": 500}}));
    let provider = Provider::playing([Scene::Sends(stream(&[text("Dear."), usage, end("stop")]))]).await;
    let setup = Setup {
        prices: [("test-model".to_owned(), price)].into(),
        budgets: Budgets { day: Some(Cost::millionths(1_000)), ..Budgets::default() },
        ..quick(&provider)
    };
    let desk = Desk::at(setup.clone());
    desk.ask().await.0.unwrap();
    assert!(provider.asked()[0].body["max_tokens"].as_u64().unwrap() < 1_000);
    let error = desk.ask().await.0.unwrap_err();
    assert!(matches!(error, ModelError::BudgetUsedUp { span: "day", .. }), "{error}");
    assert_eq!(provider.asked().len(), 1);

    let unpriced = Desk::at(Setup { prices: [].into(), ..setup });
    let error = unpriced.ask().await.0.unwrap_err().to_string();
    assert!(error.contains("no price for the model “test-model”"), "{error}");
}

#[tokio::test]
async fn without_a_setup_it_says_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let model = Model::open(home.path(), Clock::default()).unwrap();
    let error = model.ask(question(), |_| (), &CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.to_string(), "No model is set up yet. Set it in the settings.");
}

#[tokio::test]
async fn the_key_is_in_no_error_no_account_and_no_debug_output() {
    let echo = json!({"error": {"message": format!("You sent Bearer {KEY}")}}).to_string();
    let in_stream = event(&json!({"error": {"message": format!("{KEY} is bad")}}));
    for scene in [refuses(401, "", &echo), refuses(500, "", &echo), Scene::Sends(stream(&[in_stream]))] {
        let provider = Provider::playing([scene]).await;
        let desk = Desk::at(quick(&provider));
        let error = desk.ask().await.0.unwrap_err();
        let all = format!("{error} {error:?} {:?} {}", desk.model.setup(), desk.account());
        assert!(!all.contains("secret"), "{all}");
        assert!(error.to_string().contains("(the key)"), "{error}");
    }
}
