//! Meetings as people have them: with the rehearsal, and with a provider that fails.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use reqwest::StatusCode;
use serde_json::json;

use super::notebook::{Notebook, field};
use crate::app::Provision;
use crate::model::faulty::{Provider, Scene, call, end, refuses, says, stream, text};

pub async fn rehearsal() -> Notebook {
    let home = Arc::new(tempfile::tempdir().unwrap());
    Notebook::open_in(home, Provision { rehearsal: Some(Duration::ZERO), ..Provision::default() }).await
}

pub async fn asking(provider: &Provider) -> Notebook {
    let home = Arc::new(tempfile::tempdir().unwrap());
    Notebook::open_in(home, Provision { operators: Some(provider.setup()), ..Provision::default() }).await
}

impl Notebook {
    pub async fn meet(&self, kind: &str, vision: &str) -> String {
        let started = self.post("/meetings", &[("kind", kind), ("vision", vision)]).await;
        assert_eq!(started.status, StatusCode::SEE_OTHER, "{}", started.text);
        started.address()
    }

    pub async fn say(&self, meeting: &str, words: &str) {
        let said = self.post(&format!("{meeting}/messages"), &[("text", words)]).await;
        assert_eq!(said.status, StatusCode::SEE_OTHER, "{}", said.text);
    }

    pub async fn approve(&self, meeting: &str, number: u32) -> super::notebook::Answer {
        let page = self.page(meeting).await;
        let form = page.split(&format!("{meeting}/proposals/{number}/approval")).nth(1);
        let seen = form.map_or_else(String::new, |form| field(form, "seen"));
        self.post(&format!("{meeting}/proposals/{number}/approval"), &[("seen", &seen)]).await
    }

    pub(super) fn files(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

pub fn proposes(name: &str, arguments: &serde_json::Value) -> Scene {
    Scene::Sends(stream(&[text("Look:"), call(name, &arguments.to_string()), end("tool_calls")]))
}

fn hangs_after(words: &str) -> Scene {
    Scene::Hangs(stream(&[text(words)]))
}

#[tokio::test]
async fn a_project_is_talked_through_and_nothing_is_written_before_a_person_approves() {
    let notebook = rehearsal().await.signed_in("ada@example.com");
    assert!(notebook.page("/").await.contains("This is a rehearsal."));
    assert!(notebook.get("/nothing").await.text.contains("This is a rehearsal."));
    let meeting = notebook.meet("vision", "").await;
    notebook.say(&meeting, "We forget the milk.").await;
    notebook.page_that_says(&meeting, "What goes wrong today?").await;
    notebook.say(&meeting, "Notes stay on the fridge.").await;
    let page = notebook.page_that_says(&meeting, "Your click decides, not my word.").await;
    assert!(page.contains("Mira proposes a vision") && page.contains("without the milk"), "{page}");
    assert_eq!(notebook.files("visions"), Vec::<String>::new());

    assert_eq!(notebook.approve(&meeting, 1).await.address(), format!("{meeting}#end"));
    let vision = notebook.file("visions/shopping-list.md");
    assert!(vision.starts_with("---\ntitle: Shopping list\nstatus: agreed\nproposal: M-1/1\n---\n"), "{vision}");
    let signed = notebook.files("decisions");
    let record = notebook.file(&format!("decisions/{}", signed[0]));
    for part in ["by: ada@example.com", "scribe: Wil", "meeting: M-1", "about: /visions/shopping-list", "decided: "] {
        assert!(record.contains(part), "{part}: {record}");
    }
    assert!(notebook.page("/decisions").await.contains("Approved the vision “Shopping list”"));

    let second = notebook.meet("refinement", "shopping-list").await;
    notebook.say(&second, "Go ahead.").await;
    notebook.page_that_says(&second, "Three stories").await;
    for number in 1..=3 {
        notebook.approve(&second, number).await;
    }
    let items = notebook.files("backlog");
    assert_eq!(items.len(), 3, "{items:?}");
    let item = notebook.file("backlog/B-2-tick-off-what-is-in-the-basket.md");
    assert!(item.contains("status: ready\npriority: must\nestimate: 2\nvision: shopping-list\n"), "{item}");
    assert!(item.contains("- [ ] What was ticked by mistake can be taken back"), "{item}");
}

#[tokio::test]
async fn what_was_said_is_kept_when_no_model_answers_and_is_answered_later() {
    let notebook = Notebook::open().await;
    let meeting = notebook.meet("vision", "").await;
    notebook.say(&meeting, "We <b>sell</b> pots.").await;
    let page = notebook.page_that_says(&meeting, "No model is set up yet. Set it in the settings.").await;
    assert!(page.contains("We &lt;b&gt;sell&lt;/b&gt; pots.") && page.contains("Ask again"), "{page}");

    let provider = Provider::playing([says("To **whom**?")]).await;
    let form = [("base", provider.address()), ("model", "m"), ("key", "")];
    assert_eq!(notebook.post("/settings/provider", &form).await.address(), "/settings?saved=yes");
    notebook.post(&format!("{meeting}/continuation"), &[]).await;
    let page = notebook.page_that_says(&meeting, "To <strong>whom</strong>?").await;
    assert!(!page.contains("Ask again"), "{page}");
    let asked = provider.asked().remove(0).body;
    let system = asked["messages"][0]["content"].as_str().unwrap();
    for part in ["You are Mira, the project manager", "Step: vision; attempt: 1", "Role: project-manager"] {
        assert!(system.contains(part), "{part}: {system}");
    }
    assert_eq!(asked["messages"][1]["content"], "you: We <b>sell</b> pots.");
}

#[tokio::test]
async fn a_provider_that_refuses_is_quoted_and_the_meeting_waits() {
    let refusal = json!({"error": {"message": "no such model"}}).to_string();
    let provider = Provider::playing([refuses(404, "", &refusal)]).await;
    let notebook = asking(&provider).await;
    let meeting = notebook.meet("vision", "").await;
    notebook.say(&meeting, "Hello?").await;
    let page = notebook.page_that_says(&meeting, "no such model.").await;
    assert!(page.contains("Broken off.") && page.contains(">waiting<"), "{page}");
}

#[tokio::test]
async fn an_answer_can_be_stopped_in_the_middle_and_the_meeting_picked_up() {
    let provider = Provider::playing([hangs_after("Once upon"), says("The end.")]).await;
    let notebook = asking(&provider).await;
    let meeting = notebook.meet("review", "").await;
    notebook.say(&meeting, "Tell me.").await;
    let page = notebook.page_that_says(&meeting, "Once upon").await;
    assert!(page.contains("Jona is answering") && page.contains("aria-busy=\"true\""), "{page}");
    notebook.post(&format!("{meeting}/stop"), &[]).await;
    let page = notebook.page_that_says(&meeting, "It was stopped.").await;
    assert!(page.contains("Once upon") && page.contains(">stopped<"), "{page}");
    notebook.post(&format!("{meeting}/continuation"), &[]).await;
    let page = notebook.page_that_says(&meeting, "The end.").await;
    assert!(page.contains("you stopped the meeting") && page.contains("you went on"), "{page}");
    let messages = provider.asked()[1].body["messages"].to_string();
    assert!(!messages.contains("Once upon"), "what broke off is not told: {messages}");
}

#[tokio::test]
async fn an_answer_that_the_program_died_in_is_broken_off_and_can_be_asked_for_again() {
    let provider = Provider::playing([says("Here.")]).await;
    let notebook = asking(&provider).await;
    let meeting = notebook.meet("vision", "").await;
    let at = "2026-11-30T12:00:00Z";
    let said = json!({"at": at, "what": "said", "by": "you", "text": "Hello?"});
    let asked = json!({"at": at, "what": "asked", "answer": 1, "role": "project-manager"});
    let journal = notebook.file("meetings/M-1/journal.jsonl");
    notebook.write("meetings/M-1/journal.jsonl", &format!("{journal}{said}\n{asked}\n{{\"at\": \"20"));
    let page = notebook.page(&meeting).await;
    assert!(page.contains("The program stopped in the middle of it.") && page.contains("Ask again"), "{page}");
    notebook.post(&format!("{meeting}/continuation"), &[]).await;
    let page = notebook.page_that_says(&meeting, "Here.").await;
    assert!(page.contains("The program stopped in the middle of it."), "{page}");
}

#[tokio::test]
async fn two_members_speak_at_once_and_both_are_heard() {
    let provider = Provider::playing([says("Yes.")]).await;
    let notebook = asking(&provider).await;
    let meeting = notebook.meet("vision", "").await;
    let (ada, bob) = (notebook.clone().signed_in("ada@example.com"), notebook.clone().signed_in("bob@example.com"));
    let words = ["one", "two", "three", "four"];
    let said = words.iter().flat_map(|word| [ada.say(&meeting, word), bob.say(&meeting, word)]);
    futures_util::future::join_all(said).await;
    notebook.page_that_says(&meeting, ">open<").await;
    let journal = notebook.file("meetings/M-1/journal.jsonl");
    assert_eq!(journal.matches("\"what\":\"said\"").count(), 8, "{journal}");
    let (asked, answered) =
        (journal.matches("\"what\":\"asked\"").count(), journal.matches("\"what\":\"answered\"").count());
    assert!(asked == answered && asked >= 1, "{journal}");
    let last = provider.asked().pop().unwrap().body["messages"].to_string();
    for word in words {
        assert!(
            last.contains(&format!("ada@example.com: {word}")) && last.contains(&format!("bob@example.com: {word}"))
        );
    }
}

#[tokio::test]
async fn pages_hear_each_word_and_who_comes_later_hears_what_was_said() {
    let provider = Provider::playing([hangs_after("Once upon")]).await;
    let notebook = asking(&provider).await;
    let meeting = notebook.meet("vision", "").await;
    let listen = async || {
        let answer = notebook.client.get(notebook.url(&format!("{meeting}/events"))).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        answer.bytes_stream()
    };
    let mut early = listen().await;
    notebook.say(&meeting, "Tell me.").await;
    let mut heard = String::new();
    while !heard.contains("Once upon") || !heard.contains("event: changed") {
        heard.push_str(str::from_utf8(&early.next().await.unwrap().unwrap()).unwrap());
    }
    assert!(heard.contains("event: piece\ndata: {\"answer\":1,\"text\":\"Once upon\"}"), "{heard}");
    let mut late = listen().await;
    let mut heard = String::new();
    while !heard.contains("Once upon") {
        heard.push_str(str::from_utf8(&late.next().await.unwrap().unwrap()).unwrap());
    }
    assert!(heard.contains("event: so-far\ndata: {\"answer\":1,\"text\":\"Once upon\"}"), "{heard}");
    assert_eq!(notebook.get("/meetings/M-9/events").await.status, StatusCode::NOT_FOUND);
    notebook.stop().await;
    assert!(late.next().await.is_none_or(|piece| piece.is_ok()), "the stream ends, it does not break");
}

#[tokio::test]
async fn who_is_named_answers_and_others_are_quoted() {
    let provider = Provider::playing([says("Small."), says("Agreed.")]).await;
    let notebook = asking(&provider).await;
    let meeting = notebook.meet("vision", "").await;
    notebook.say(&meeting, "@Theo, is it hard?").await;
    let page = notebook.page_that_says(&meeting, "Small.").await;
    assert!(page.contains("Theo <span class=\"muted\">architect</span>"), "{page}");
    notebook.say(&meeting, "And you?").await;
    notebook.page_that_says(&meeting, "Agreed.").await;
    let messages = &provider.asked()[1].body["messages"];
    assert!(messages[0]["content"].as_str().unwrap().starts_with("You are Mira"), "{messages}");
    assert_eq!(messages[2], json!({"role": "user", "content": "(Theo, architect) Small."}));
}

#[tokio::test]
async fn a_proposal_that_makes_no_sense_goes_back_to_the_model() {
    let wrong = proposes("propose_vision", &json!({"title": ""}));
    let right = proposes("propose_vision", &json!({"title": "Pots", "body": "red"}));
    let provider = Provider::playing([wrong, right, says("There.")]).await;
    let notebook = asking(&provider).await;
    let meeting = notebook.meet("vision", "").await;
    notebook.say(&meeting, "Pots!").await;
    let page = notebook.page_that_says(&meeting, "There.").await;
    assert_eq!(page.matches("class=\"card proposal\"").count(), 1, "{page}");
    let told = provider.asked()[1].body["messages"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&told["role"], &told["tool_call_id"]), (&json!("tool"), &json!("call_1")));
    assert!(told["content"].as_str().unwrap().starts_with("It was not shown:"), "{told}");
}

#[tokio::test]
async fn a_change_is_shown_beside_the_document_and_never_overwrites_what_came_meanwhile() {
    let proposal = proposes("propose_vision", &json!({"title": "Pots", "body": "blue"}));
    let provider = Provider::playing([proposal, says("There.")]).await;
    let notebook = asking(&provider).await;
    notebook.post("/visions", &[("title", "Pots"), ("body", "red")]).await;
    let meeting = notebook.meet("vision", "pots").await;
    notebook.say(&meeting, "Blue!").await;
    let page = notebook.page_that_says(&meeting, "There.").await;
    assert!(page.contains("<del>red</del>") && page.contains("<ins>blue</ins>"), "{page}");

    let seen = field(page.split("/approval").nth(1).unwrap(), "seen");
    notebook.post("/visions/pots", &[("title", "Pots"), ("body", "green"), ("based_on", &seen)]).await;
    let refused = notebook.post(&format!("{meeting}/proposals/1/approval"), &[("seen", &seen)]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(notebook.file("visions/pots.md").ends_with("green\n"));
    assert_eq!(notebook.approve(&meeting, 1).await.status, StatusCode::SEE_OTHER);
    assert!(notebook.file("visions/pots.md").ends_with("blue\n"));
    assert!(notebook.page("/visions/pots/history/2").await.contains("green"));
}

#[tokio::test]
async fn an_approval_that_is_repeated_or_broken_by_a_crash_makes_one_document() {
    let proposal = proposes("propose_vision", &json!({"title": "Pots", "body": "red"}));
    let provider = Provider::playing([proposal, says("There.")]).await;
    let notebook = asking(&provider).await;
    let meeting = notebook.meet("vision", "").await;
    notebook.say(&meeting, "Pots!").await;
    notebook.page_that_says(&meeting, "There.").await;
    let before = notebook.file("meetings/M-1/journal.jsonl");
    let clicks = (0..4).map(|_| notebook.approve(&meeting, 1));
    for click in futures_util::future::join_all(clicks).await {
        assert_eq!(click.status, StatusCode::SEE_OTHER);
    }
    for _ in 0..2 {
        assert_eq!(notebook.files("visions"), ["pots.md"]);
        assert_eq!(notebook.files("decisions").len(), 1);
        // The program died after it had made the documents and before it said so.
        notebook.write("meetings/M-1/journal.jsonl", &before);
        assert_eq!(notebook.approve(&meeting, 1).await.status, StatusCode::SEE_OTHER);
    }
    assert!(notebook.page(&meeting).await.contains("Approved <time"));
}

#[tokio::test]
async fn what_is_declined_stays_declined_and_a_closed_meeting_is_silent() {
    let proposal = proposes("record_decision", &json!({"title": "No pots", "text": "None."}));
    let provider = Provider::playing([proposal, says("There.")]).await;
    let notebook = asking(&provider).await;
    let meeting = notebook.meet("retrospective", "").await;
    notebook.say(&meeting, "Hm.").await;
    notebook.page_that_says(&meeting, "There.").await;
    notebook.post(&format!("{meeting}/proposals/1/refusal"), &[]).await;
    notebook.approve(&meeting, 1).await;
    assert_eq!(notebook.files("decisions"), Vec::<String>::new());
    assert_eq!(notebook.approve(&meeting, 7).await.status, StatusCode::NOT_FOUND);

    notebook.post(&format!("{meeting}/closing"), &[]).await;
    notebook.say(&meeting, "Too late.").await;
    let page = notebook.page(&meeting).await;
    assert!(page.contains(">closed<") && !page.contains("Too late.") && !page.contains("data-composer"), "{page}");
    notebook.post(&format!("{meeting}/reopening"), &[]).await;
    assert!(notebook.page(&meeting).await.contains("data-composer"));
}

#[tokio::test]
async fn talks_and_documents_are_found_again() {
    let provider = Provider::playing([says("Terracotta <i>is</i> red.")]).await;
    let notebook = asking(&provider).await;
    notebook.post("/backlog", &[("title", "Show a price"), ("story", "in red")]).await;
    let meeting = notebook.meet("vision", "").await;
    notebook.say(&meeting, "Which colour?").await;
    notebook.page_that_says(&meeting, ">open<").await;
    let page = notebook.page("/search?q=RED").await;
    assert!(page.contains("<mark>red</mark>") && page.contains("/backlog/B-1-show-a-price"), "{page}");
    assert!(page.contains("M-1: Vision") && page.contains("&lt;i&gt;") || page.contains("&#60;i&#62;"), "{page}");
    assert!(notebook.page("/search?q=blue").await.contains("Nothing holds these words."));
}

#[tokio::test]
async fn addresses_of_no_meeting_are_not_found_and_long_messages_refused() {
    let notebook = Notebook::open().await;
    for address in ["/meetings/M-1", "/meetings/M-0", "/meetings/M-01", "/meetings/x", "/meetings/..%2f..%2fetc"] {
        assert_eq!(notebook.get(address).await.status, StatusCode::NOT_FOUND, "{address}");
    }
    assert_eq!(notebook.post("/meetings", &[("kind", "party")]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        notebook.post("/meetings", &[("kind", "vision"), ("vision", "gone")]).await.status,
        StatusCode::NOT_FOUND
    );
    let meeting = notebook.meet("vision", "").await;
    let long = notebook.post(&format!("{meeting}/messages"), &[("text", &"x".repeat(20_001))]).await;
    assert_eq!(long.status, StatusCode::PAYLOAD_TOO_LARGE);
    notebook.say(&meeting, "   ").await;
    assert!(notebook.page(&meeting).await.contains("Nothing was said yet."));
}

#[tokio::test]
async fn a_meeting_goes_on_after_a_restart_and_on_another_device() {
    let provider = Provider::playing([says("Hello.")]).await;
    let before = asking(&provider).await;
    let meeting = before.meet("vision", "").await;
    before.say(&meeting, "Good morning.").await;
    before.page_that_says(&meeting, ">open<").await;
    before.stop().await;
    let provision = Provision { operators: Some(provider.setup()), ..Provision::default() };
    let after = Notebook::open_in(before.folder(), provision).await;
    let page = after.page(&meeting).await;
    assert!(page.contains("Good morning.") && page.contains("Hello.") && page.contains("tokens"), "{page}");
    after.say(&meeting, "And again.").await;
    after.page_that_says(&meeting, ">open<").await;
    let told = provider.asked()[1].body["messages"].to_string();
    assert!(told.contains("Good morning.") && told.contains("And again."), "{told}");
}
