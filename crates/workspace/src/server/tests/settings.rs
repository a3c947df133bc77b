//! Settings as an owner meets them.

use reqwest::StatusCode;
use serde_json::json;

use super::notebook::Notebook;
use crate::model::faulty::{Provider, Scene, refuses, says};

const KEY: &str = "sk-very-secret";

async fn with_provider(provider: &Provider) -> Notebook {
    let notebook = Notebook::open().await;
    let form = [("base", provider.address()), ("model", "test-model"), ("key", KEY)];
    let saved = notebook.post("/settings/provider", &form).await;
    assert_eq!(saved.address(), "/settings?saved=yes", "{}", saved.text);
    notebook
}

#[tokio::test]
async fn a_key_is_used_and_never_shown_or_taken_away() {
    let provider = Provider::playing([says("Hello.")]).await;
    let notebook = with_provider(&provider).await;
    let page = notebook.page("/settings").await;
    assert!(page.contains("A key is saved") && !page.contains("secret"), "{page}");
    let tried = notebook.post("/settings/trial", &[]).await;
    assert!(tried.text.contains("It works. The model answered “Hello.”"), "{}", tried.text);
    assert!(provider.asked()[0].head.contains(&format!("Bearer {KEY}")));
    let tar = notebook.client.get(notebook.url("/export.tar")).send().await.unwrap().bytes().await.unwrap();
    let text = String::from_utf8_lossy(&tar);
    assert!(text.contains("test-model") && text.contains("usage.jsonl"), "settings and account are in the download");
    assert!(!text.contains("secret") && !text.contains("sealed_key"), "{text}");
    assert!(!notebook.file("settings.json").contains("secret"));
}

#[tokio::test]
async fn a_trial_says_what_happened_without_the_key() {
    let echo = json!({"error": {"message": format!("Wrong key {KEY}")}}).to_string();
    let provider = Provider::playing([refuses(401, "", &echo)]).await;
    let notebook = with_provider(&provider).await;
    let tried = notebook.post("/settings/trial", &[]).await;
    assert_eq!(tried.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(tried.text.contains("refuses the key (401): Wrong key (the key).") && !tried.text.contains("secret"));
}

#[tokio::test]
async fn a_key_stays_with_its_provider_and_can_be_forgotten() {
    let (first, second) = (Provider::playing([says("A")]).await, Provider::playing([says("B")]).await);
    let notebook = with_provider(&first).await;
    notebook.post("/settings/provider", &[("base", first.address()), ("model", "other"), ("key", "")]).await;
    notebook.post("/settings/trial", &[]).await;
    assert!(first.asked()[0].head.contains("Bearer"), "an empty field keeps the key");
    notebook.post("/settings/provider", &[("base", second.address()), ("model", "m"), ("key", "")]).await;
    notebook.post("/settings/trial", &[]).await;
    assert!(!second.asked()[0].head.contains("Bearer"), "a key never goes to another provider");
    let notebook = with_provider(&first).await;
    let form = [("base", first.address()), ("model", "m"), ("key", ""), ("forget_key", "true")];
    notebook.post("/settings/provider", &form).await;
    assert!(notebook.page("/settings").await.contains("No key is saved."));
}

#[tokio::test]
async fn what_cannot_be_set_comes_back_with_what_was_typed() {
    let notebook = Notebook::open().await;
    let cases = [
        (
            "/settings/provider",
            vec![("base", "nowhere"), ("model", "m"), ("key", KEY)],
            "must look like",
            "value=\"nowhere\"",
        ),
        ("/settings/models", vec![("prices", "m = cheap")], "is no price", "m = cheap</textarea>"),
        (
            "/settings/budgets",
            vec![("day", "much"), ("sprint", ""), ("month", ""), ("currency", "EUR")],
            "Use a number",
            "value=\"much\"",
        ),
        ("/settings/appearance", vec![("language", " "), ("theme", "dark")], "name of a language", "That did not work"),
    ];
    for (address, form, trouble, typed) in cases {
        let refused = notebook.post(address, &form).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{address}");
        assert!(refused.text.contains(trouble) && refused.text.contains(typed), "{address}: {}", refused.text);
        assert!(!refused.text.contains("secret"), "{address}");
    }
    assert!(!notebook.path("settings.json").exists(), "nothing was saved");
}

#[tokio::test]
async fn a_budget_stops_calls_and_the_meter_shows_it() {
    let provider = Provider::playing([says("Hello.")]).await;
    let notebook = with_provider(&provider).await;
    notebook.post("/settings/models", &[("prices", "test-model = 1000000 / 1000000"), ("tester", "special")]).await;
    notebook.post("/settings/budgets", &[("day", "5"), ("sprint", ""), ("month", ""), ("currency", "EUR")]).await;
    let tried = notebook.post("/settings/trial", &[]).await;
    assert!(tried.text.contains("The budget of this day is used up"), "{}", tried.text);
    assert_eq!(provider.asked().len(), 0);
    let page = notebook.page("/settings").await;
    assert!(page.contains("0.00 EUR of 5.00") && page.contains("value=\"special\""), "{page}");
}

#[tokio::test]
async fn looks_and_language_hold_on_every_page() {
    let provider = Provider::playing([Scene::HangsUp]).await;
    let notebook = with_provider(&provider).await;
    notebook.post("/settings/appearance", &[("language", "Deutsch"), ("theme", "dark")]).await;
    for address in ["/", "/settings", "/nothing"] {
        assert!(notebook.get(address).await.text.contains("<html lang=\"en\" data-theme=\"dark\">"), "{address}");
    }
    assert!(notebook.file("settings.json").contains("Deutsch"));
}
