//! The application asks the model that the main instance offers, through the guard, which adds the proof.

use futures_util::StreamExt as _;
use serde_json::json;

use crate::support::house::client;
use crate::support::{Guard, Town, refused_start, soon};

const PATH: &str = "/-/model/v1/chat/completions";

async fn ask(address: &str, model: &str) -> reqwest::Response {
    let question = json!({"model": model, "messages": []});
    soon("an answer", client().post(format!("http://{address}{PATH}")).json(&question).send()).await.unwrap()
}

#[tokio::test]
async fn an_application_asks_without_a_secret_and_hears_the_answer_as_it_arrives() {
    let town = Town::new().await;
    let guard = Guard::start(&town.settings_with("GUARD_MODEL", "true"), &[]).await;
    let answer = ask(&guard.address, "small").await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut pieces = Box::pin(answer.bytes_stream());
    assert_eq!(soon("the first half", pieces.next()).await.unwrap().unwrap(), "data: one\n\n");
    town.main.answer_on();
    assert_eq!(soon("the second half", pieces.next()).await.unwrap().unwrap(), "data: two\n\n");
    assert!(soon("the end", pieces.next()).await.is_none());
    assert_eq!(town.main.questions(), [json!({"model": "small", "messages": []})]);

    let refused = ask(&guard.address, "refused").await;
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (402, &"7".parse().unwrap()));
    assert!(refused.headers().get("x-of-main").is_none(), "only what an answer needs is passed on");
    assert!(refused.text().await.unwrap().contains("allowance_used_up"));
    town.main.set_down(true);
    assert_eq!(ask(&guard.address, "small").await.status(), 503);
}

#[tokio::test]
async fn nobody_asks_from_outside_and_nobody_where_no_model_is_offered() {
    let town = Town::new().await;
    let guard = Guard::start(&town.settings_with("GUARD_MODEL", "true"), &[]).await;
    let url = format!("http://{}{PATH}", guard.address);
    for (name, value) in [("x-forwarded-for", "203.0.113.9"), ("origin", "null"), ("host", "acme.test")] {
        let asked = client().post(&url).header(name, value).body("{}");
        assert_eq!(soon("a refusal", asked.send()).await.unwrap().status(), 401, "{name}");
    }
    let wrong = soon("a refusal", client().get(&url).send()).await.unwrap();
    assert_eq!((wrong.status().as_u16(), &wrong.headers()["allow"]), (405, &"POST".parse().unwrap()));
    let long = soon("a refusal", client().post(&url).body(vec![b' '; (2 << 20) + 1]).send()).await;
    // The guard may close before all of it was sent.
    assert!(long.is_err() || long.is_ok_and(|answer| answer.status() == 413));
    assert!(town.main.questions().is_empty());

    let without = town.guard().await;
    assert_eq!(ask(&without.address, "small").await.status(), 401, "it is the application's path, as any other");
    let mut alone = town.settings_with("GUARD_MODEL", "true");
    alone.retain(|(name, _)| !["GUARD_MAIN_URL", "GUARD_INSTANCE_TOKEN"].contains(name));
    let (code, said) = refused_start(&alone).await;
    assert!(code == Some(2) && said.contains("--model without --main-url"), "{said}");
}

#[tokio::test]
async fn where_reports_have_an_address_of_their_own_questions_are_asked_there() {
    let town = Town::new().await;
    let told = town.folder.path().join("told");
    let script = format!("echo $SPINOFF_ACTIVITY_URL > {0}.new && mv {0}.new {0}; sleep 60", told.display());
    let mut settings = town.settings_with("GUARD_MODEL", "true");
    settings.push(("GUARD_ACTIVITY_LISTEN", "127.0.0.1:0".into()));
    settings.push(("PATH", "/usr/bin:/bin".into()));
    let guard = Guard::start(&settings, &["--", "/bin/sh", "-c", &script]).await;
    crate::support::until("the application has started", || told.exists()).await;
    let url = std::fs::read_to_string(&told).unwrap();
    let own = url.trim().strip_prefix("http://").unwrap().strip_suffix("/-/activity").unwrap().to_owned();
    assert_eq!(ask(&own, "refused").await.status(), 402);
    assert_eq!(ask(&guard.address, "refused").await.status(), 401, "one door is enough");
}
