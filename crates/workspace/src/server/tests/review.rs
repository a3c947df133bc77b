//! The review of a sprint as people have it: comments, and changes from the wish to the tested repair.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use reqwest::StatusCode;
use serde_json::json;

use super::notebook::{Answer, Notebook, field};
use crate::app::Provision;
use crate::model::faulty::{Provider, Scene, call, end, says, stream, text};
use crate::model::rehearsal::Rehearsal;

const REVIEW: &str = "/sprints/1/review";
const COMMENTS: &str = "/sprints/1/review/comments";
const REQUESTS: &str = "/sprints/1/review/requests";
const ITEM: &str = "backlog/B-1-put-an-item-on-the-list.md";

impl Notebook {
    /// A vision, a story, and a planned sprint with it.
    async fn with_a_sprint(self) -> Self {
        self.post("/visions", &[("title", "Shop"), ("body", "Buy things.")]).await;
        let story = [
            ("title", "Put an item on the list"),
            ("vision", "shop"),
            ("status", "ready"),
            ("criteria", "An empty list says so"),
        ];
        self.post("/backlog", &story).await;
        self.plan("/sprints/1").await;
        self
    }

    async fn plan(&self, address: &str) {
        let planned = self.post("/sprints", &[("vision", "shop"), ("item", "B-1-put-an-item-on-the-list")]).await;
        assert_eq!(planned.address(), address, "{}", planned.text);
    }

    async fn finish(&self, sprint: &str) -> String {
        assert_eq!(self.post(&format!("{sprint}/start"), &[]).await.address(), sprint);
        self.page_that_says(sprint, ">finished<").await
    }

    /// What a person sends who looks at the page as it is now.
    async fn remark(&self, address: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.page(REVIEW).await;
        let (seen, asked) = (field(&page, "seen"), field(&page, "asked"));
        self.post(address, &[fields, &[("seen", &seen), ("asked", &asked)]].concat()).await
    }

    async fn decide(&self, deed: &str) -> Answer {
        let page = self.page(REVIEW).await;
        let seen = field(page.split("/approval").nth(1).unwrap(), "seen");
        self.post(&format!("/meetings/M-1/proposals/1/{deed}?review=1"), &[("seen", &seen)]).await
    }
}

async fn asking(provider: &Provider) -> Notebook {
    Notebook::asking(Some(provider.setup())).await.with_a_sprint().await
}

fn proposes(stories: &serde_json::Value) -> Scene {
    let arguments = json!({ "stories": stories }).to_string();
    Scene::Sends(stream(&[text("Look:"), call("propose_stories", &arguments), end("tool_calls")]))
}

fn repair() -> Scene {
    proposes(&json!([{
        "id": "B-1", "title": "Put an item on the list", "story": "", "priority": "should",
        "criteria": ["An empty list says so", "A full list says so"],
    }]))
}

#[tokio::test]
async fn a_change_is_asked_for_approved_and_true_after_the_next_sprint() {
    let rehearsal = Rehearsal::start(Duration::ZERO).await.unwrap();
    let notebook = Notebook::asking(Some(rehearsal.setup())).await.with_a_sprint().await;
    let sprint = notebook.finish("/sprints/1").await;
    assert!(sprint.contains("href=\"/sprints/1/review\""), "{sprint}");
    assert!(notebook.page("/sprints").await.contains("href=\"/sprints/1/review\""));
    let page = notebook.page(REVIEW).await;
    for part in ["its 4 acceptance tests ran and passed", "An empty list says so", "No app runs.", "id=\"start-app\""] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(notebook.file(ITEM).contains("status: done"));

    let said = notebook.remark(COMMENTS, &[("text", "We had milk twice."), ("about", "1")]).await;
    assert_eq!(said.address(), "/sprints/1/review#comment-1");
    assert_eq!(notebook.remark(REQUESTS, &[("comment", "1")]).await.address(), "/sprints/1/review#changes");
    let page = notebook.page_that_says(REVIEW, "It is a repair.").await;
    for part in ["A change was asked for.", "Mira", "<ins>status: ready</ins>", "in capitals or not</ins>"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(notebook.file(ITEM).contains("status: done"), "nothing changes before the click");
    assert_eq!(notebook.decide("approval").await.address(), "/sprints/1/review#changes");
    let item = notebook.file(ITEM);
    assert!(item.contains("status: ready") && item.contains("- [ ] What is on the list already is refused"), "{item}");
    let page = notebook.page(REVIEW).await;
    assert!(page.contains("ready again") && page.contains("Approved <time"), "{page}");
    assert!(notebook.page("/backlog/B-1-put-an-item-on-the-list/history").await.contains("Edited"));

    assert!(notebook.page("/sprints/new?vision=shop").await.contains("B-1 Put an item on the list"));
    notebook.plan("/sprints/2").await;
    let page = notebook.finish("/sprints/2").await;
    assert!(page.contains("its 2 acceptance tests ran and passed"), "{page}");
    let item = notebook.file(ITEM);
    assert!(item.contains("status: done") && !item.contains("- [ ]"), "{item}");
    let story = notebook.page("/sprints/2/stories/1").await;
    assert!(story.contains("put-an-item-once.test.js") && !story.contains("<code>acceptance/visit.js"), "{story}");
}

#[tokio::test]
async fn what_nobody_recorded_becomes_a_story_of_its_own() {
    let rehearsal = Rehearsal::start(Duration::ZERO).await.unwrap();
    let notebook = Notebook::asking(Some(rehearsal.setup())).await.with_a_sprint().await;
    notebook.remark(REQUESTS, &[("text", "How many are missing?")]).await;
    let page = notebook.page_that_says(REVIEW, "so it becomes one of its own").await;
    assert!(!page.contains("It changes <a"), "{page}");
    notebook.page_that_says(REVIEW, "a sprint cannot make it true here").await;
    notebook.decide("approval").await;
    let item = notebook.file("backlog/B-2-see-how-much-is-missing.md");
    assert!(item.contains("status: ready") && item.contains("vision: shop"), "{item}");
}

#[tokio::test]
async fn comments_are_kept_answered_and_settled_and_none_is_lost_in_a_restart() {
    let before = Notebook::open().await.with_a_sprint().await;
    let (ada, bob) = (before.clone().signed_in("ada@example.com"), before.clone().signed_in("bob@example.com"));
    ada.remark(COMMENTS, &[("text", "It is <b>slow</b>.\r\n\r\nVery."), ("about", "1")]).await;
    let answered = bob.remark(&format!("{COMMENTS}/1/answers"), &[("text", "Where?")]).await;
    assert_eq!(answered.address(), "/sprints/1/review#comment-1");
    bob.post(&format!("{COMMENTS}/1/settlement"), &[("settled", "true")]).await;
    bob.post(&format!("{COMMENTS}/1/settlement"), &[("settled", "true")]).await;
    before.stop().await;
    let journal = before.file("sprints/S-1/review.jsonl");
    assert_eq!(journal.lines().count(), 3, "{journal}");
    before.write("sprints/S-1/review.jsonl", &[journal.as_str(), r#"{"at": "2026"#].concat());

    let after = Notebook::open_in(before.folder(), Provision::default()).await;
    let page = after.page(REVIEW).await;
    for part in ["&lt;b&gt;slow&lt;/b&gt;", "ada@example.com", "Where?", "Settled by bob@example.com", "B-1"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    after.post(&format!("{COMMENTS}/1/settlement"), &[("settled", "false")]).await;
    after.remark(COMMENTS, &[("text", "Better.")]).await;
    let page = after.page(REVIEW).await;
    assert!(!page.contains("Settled by") && page.contains("id=\"comment-2\""), "{page}");
    assert!(after.file("sprints/S-1/review.jsonl").starts_with(&journal), "nothing is taken away");
}

#[tokio::test]
async fn what_is_sent_twice_from_one_page_is_kept_once() {
    let provider = Provider::playing([says("Well.")]).await;
    let notebook = asking(&provider).await;
    for address in [COMMENTS, REQUESTS] {
        let form = [("text", "Larger, please."), ("about", "1"), ("seen", "0"), ("asked", "0")];
        let sent = (0..4).map(|_| notebook.post(address, &form));
        let addresses: Vec<_> = futures_util::future::join_all(sent).await.iter().map(Answer::address).collect();
        assert!(addresses.windows(2).all(|two| two[0] == two[1]), "{addresses:?}");
    }
    let page = notebook.page_that_says(REVIEW, "Well.").await;
    assert_eq!(page.matches("id=\"comment-").count(), 1, "{page}");
    let journal = notebook.file("meetings/M-1/journal.jsonl");
    assert_eq!(journal.matches("\"what\":\"said\"").count(), 1, "{journal}");
    // From a page that shows the first one, the same words are another comment.
    notebook.remark(COMMENTS, &[("text", "Larger, please."), ("about", "1")]).await;
    assert!(notebook.page(REVIEW).await.contains("id=\"comment-2\""));
}

#[tokio::test]
async fn two_members_say_and_ask_at_once_in_one_meeting() {
    let provider = Provider::playing([says("Yes.")]).await;
    let notebook = asking(&provider).await;
    let (ada, bob) = (notebook.clone().signed_in("ada@example.com"), notebook.clone().signed_in("bob@example.com"));
    let form = |text| [("text", text), ("seen", "0"), ("asked", "0")];
    let words = ["one", "two", "three"].map(form);
    let said = words.iter().flat_map(|form| [ada.post(COMMENTS, form), bob.post(COMMENTS, form)]);
    futures_util::future::join_all(said).await;
    let asked = words.iter().flat_map(|form| [ada.post(REQUESTS, form), bob.post(REQUESTS, form)]);
    futures_util::future::join_all(asked).await;
    // Of one comment, a change is asked for once.
    futures_util::future::join_all([&ada, &bob].map(|who| who.post(REQUESTS, &[("comment", "1")]))).await;
    notebook.page_that_says("/meetings", ">open<").await;
    let page = notebook.page(REVIEW).await;
    assert_eq!(page.matches("id=\"comment-").count(), 6, "{page}");
    assert_eq!(page.matches("change asked for").count(), 7, "{page}");
    assert_eq!(notebook.get("/meetings/M-2").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_in_words() {
    let notebook = Notebook::open().await.with_a_sprint().await;
    let long = "x".repeat(20_001);
    let long = long.as_str();
    for (address, fields, status, words) in [
        (COMMENTS, vec![("text", " \r\n")], StatusCode::UNPROCESSABLE_ENTITY, "Nothing was written"),
        (REQUESTS, vec![("text", "")], StatusCode::UNPROCESSABLE_ENTITY, "Nothing was written"),
        (COMMENTS, vec![("text", long)], StatusCode::PAYLOAD_TOO_LARGE, "20,000 characters"),
        (REQUESTS, vec![("text", long)], StatusCode::PAYLOAD_TOO_LARGE, "20,000 characters"),
        (COMMENTS, vec![("text", "a"), ("about", "7")], StatusCode::UNPROCESSABLE_ENTITY, "no story B-7"),
        (REQUESTS, vec![("text", "a"), ("about", "7")], StatusCode::UNPROCESSABLE_ENTITY, "no story B-7"),
        (REQUESTS, vec![("text", "a"), ("about", "../x")], StatusCode::NOT_FOUND, "nothing here"),
        (REQUESTS, vec![("comment", "3")], StatusCode::NOT_FOUND, "no comment of that number"),
        ("/sprints/1/review/comments/3/answers", vec![("text", "a")], StatusCode::NOT_FOUND, "no comment"),
        ("/sprints/1/review/comments/3/settlement", vec![("settled", "true")], StatusCode::NOT_FOUND, "no comment"),
        ("/sprints/9/review/comments", vec![("text", "a")], StatusCode::NOT_FOUND, "nothing here"),
        ("/sprints/9/review/requests", vec![("text", "a")], StatusCode::NOT_FOUND, "nothing here"),
    ] {
        let refused = notebook.post(address, &fields).await;
        assert_eq!(refused.status, status, "{address}: {}", refused.text);
        assert!(refused.text.contains(words), "{address}: {}", refused.text);
    }
    assert!(!notebook.path("sprints/S-1/review.jsonl").exists() && !notebook.path("sprints/S-9").exists());
    assert!(!notebook.path("meetings/M-1").exists());
    assert_eq!(notebook.get("/sprints/9/review").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn viewers_read_the_review_and_change_nothing() {
    let notebook = Notebook::open().await;
    let (ada, eve) = (notebook.clone().signed_in("ada@example.com"), notebook.clone().signed_in("eve@example.com"));
    let ada = ada.with_a_sprint().await;
    eve.page("/").await;
    ada.post("/settings/members", &[("email", "eve@example.com"), ("standing", "viewer")]).await;
    ada.remark(COMMENTS, &[("text", "Fine.")]).await;
    let page = eve.page(REVIEW).await;
    assert!(page.contains("Fine.") && !page.contains("<form"), "{page}");
    for address in [COMMENTS, REQUESTS, "/sprints/1/review/comments/1/answers"] {
        assert_eq!(eve.post(address, &[("text", "a")]).await.status, StatusCode::FORBIDDEN, "{address}");
    }
    let settled = eve.post("/sprints/1/review/comments/1/settlement", &[("settled", "true")]).await;
    assert_eq!(settled.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn without_a_model_a_request_is_kept_asked_again_or_written_by_hand() {
    let notebook = Notebook::open().await.with_a_sprint().await;
    let words = "A full list says so\nIn large letters.";
    notebook.remark(REQUESTS, &[("text", words), ("about", "1")]).await;
    let page = notebook.page_that_says(REVIEW, "it has no answer yet").await;
    for part in ["A full list says so", "No model is set up yet", "Ask again", "change the story it is about"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let form = notebook.page("/new/item?meeting=M-1&request=1").await;
    assert_eq!(field(&form, "title"), "A full list says so");
    assert!(form.contains("In large letters.</textarea>"), "{form}");
    assert!(form.contains("value=\"shop\" selected") && form.contains("value=\"ready\" selected"), "{form}");
    let form = notebook.page("/backlog/B-1-put-an-item-on-the-list/edit?meeting=M-1&request=1").await;
    assert!(form.contains("An empty list says so\nA full list says so</textarea>"), "{form}");
    for address in
        ["/new/item?meeting=M-1&request=2", "/new/item?meeting=M-9&request=1", "/new/item?meeting=x&request=1"]
    {
        assert_eq!(notebook.get(address).await.status, StatusCode::NOT_FOUND, "{address}");
    }

    let provider = Provider::playing([repair(), says("There.")]).await;
    notebook.post("/settings/provider", &[("base", provider.address()), ("model", "m"), ("key", "")]).await;
    let again = notebook.post("/meetings/M-1/continuation?review=1", &[]).await;
    assert_eq!(again.address(), "/sprints/1/review#changes");
    let page = notebook.page_that_says(REVIEW, "There.").await;
    assert!(!page.contains("Ask again") && page.contains("<ins>- [ ] A full list says so</ins>"), "{page}");
    let told = provider.asked().remove(0).body;
    let system = told["messages"][0]["content"].as_str().unwrap();
    for part in [
        "You are Mira, the project manager",
        "Step: change; story: B-1; attempt: 1; title: Put an item on the list",
        "The stories of S-1, which is reviewed:",
        "- An empty list says so",
        "A change is asked for.",
    ] {
        assert!(system.contains(part), "{part}: {system}");
    }
    assert!(told["messages"][1]["content"].as_str().unwrap().starts_with("you, asking for a change of B-1: A full"));
}

#[tokio::test]
async fn a_stale_repair_overwrites_nothing_and_a_declined_one_changes_nothing() {
    let provider = Provider::playing([repair(), says("There.")]).await;
    let notebook = asking(&provider).await;
    notebook.remark(REQUESTS, &[("text", "Say when it is full."), ("about", "1")]).await;
    let page = notebook.page_that_says(REVIEW, "There.").await;
    let seen = field(page.split("/approval").nth(1).unwrap(), "seen");
    let meeting = notebook.page("/meetings/M-1").await;
    assert!(meeting.contains("/approval\"") && !meeting.contains("approval?review"), "its buttons lead back to it");
    notebook.post("/backlog/B-1-put-an-item-on-the-list/status", &[("status", "idea")]).await;
    let item = notebook.file(ITEM);
    let refused = notebook.post("/meetings/M-1/proposals/1/approval?review=1", &[("seen", &seen)]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(notebook.decide("refusal").await.address(), "/sprints/1/review#changes");
    assert_eq!(notebook.file(ITEM), item);
    assert!(notebook.page(REVIEW).await.contains("Declined <time"));
}

#[tokio::test]
async fn a_request_goes_on_where_a_crash_left_it() {
    let provider = Provider::playing([says("Here.")]).await;
    let notebook = asking(&provider).await;
    // The program died after it had opened the meeting and before the request was said in it.
    let opened = json!({
        "at": "2026-11-30T12:00:00Z", "what": "opened", "by": "you", "kind": "review", "vision": "shop", "sprint": 1,
    });
    std::fs::create_dir_all(notebook.path("meetings/M-1")).unwrap();
    notebook.write("meetings/M-1/journal.jsonl", &format!("{opened}\n"));
    notebook.remark(REQUESTS, &[("text", "Larger, please.")]).await;
    let page = notebook.page_that_says(REVIEW, "Here.").await;
    assert_eq!(page.matches("change asked for").count(), 1, "{page}");
    assert_eq!(notebook.get("/meetings/M-2").await.status, StatusCode::NOT_FOUND);
    assert!(notebook.page("/meetings/M-1").await.contains("href=\"/sprints/1/review\""));
    // A closed meeting stays as it is; the next request opens another.
    notebook.post("/meetings/M-1/closing", &[]).await;
    notebook.remark(REQUESTS, &[("text", "And redder.")]).await;
    let page = notebook.page(REVIEW).await;
    assert!(page.contains("Larger, please.") && page.contains("And redder.") && page.contains("M-2"), "{page}");
}

#[tokio::test]
async fn open_pages_hear_of_comments_and_of_answers() {
    let home = Arc::new(tempfile::tempdir().unwrap());
    let provider = Provider::playing([says("Here.")]).await;
    let provision = Provision { operators: Some(provider.setup()), ..Provision::default() };
    let notebook = Notebook::open_in(home, provision).await.with_a_sprint().await;
    let mut stream = notebook.client.get(notebook.url("/events")).send().await.unwrap().bytes_stream();
    let mut hear =
        async || while !String::from_utf8_lossy(&stream.next().await.unwrap().unwrap()).contains("changed") {};
    notebook.remark(COMMENTS, &[("text", "Fine.")]).await;
    hear().await;
    notebook.remark(REQUESTS, &[("text", "Larger, please.")]).await;
    while !notebook.page(REVIEW).await.contains("Here.") {
        hear().await;
    }
    assert!(notebook.page(REVIEW).await.contains("data-live"));
}
