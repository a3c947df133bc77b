//! Sprints, projects and the app made, as people meet them.

use std::time::Duration;

use reqwest::StatusCode;

use super::notebook::{Notebook, field};
use crate::model::rehearsal::Rehearsal;

/// Looks at a page until it says something.
async fn until(notebook: &Notebook, path: &str, words: &str) -> String {
    for _ in 0..1800 {
        let page = notebook.page(path).await;
        if page.contains(words) {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{path} never said “{words}”: {}", notebook.page(path).await);
}

async fn with_a_story(notebook: &Notebook) {
    notebook.post("/visions", &[("title", "Shop"), ("body", "Buy things.")]).await;
    let story = [
        ("title", "Put an item on the list"),
        ("vision", "shop"),
        ("status", "ready"),
        ("criteria", "An empty list says so"),
    ];
    notebook.post("/backlog", &story).await;
    notebook.post("/backlog", &[("title", "Unclear"), ("vision", "shop")]).await;
}

#[tokio::test]
async fn a_person_plans_a_sprint_watches_it_and_gets_an_app() {
    let rehearsal = Rehearsal::start(Duration::ZERO).await.unwrap();
    let notebook = Notebook::asking(Some(rehearsal.setup())).await;
    with_a_story(&notebook).await;
    let form = notebook.page("/sprints/new?vision=shop").await;
    assert!(form.contains("nothing can be said about time and cost"), "{form}");
    assert!(form.contains("it has no acceptance criteria yet"), "{form}");
    let nothing = notebook.post("/sprints", &[("vision", "shop")]).await;
    assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
    let planned = notebook
        .post("/sprints", &[("vision", "shop"), ("item", "B-1-put-an-item-on-the-list"), ("attempts", "2")])
        .await;
    assert_eq!(planned.address(), "/sprints/1");
    assert!(notebook.page("/sprints/1").await.contains("Start</button>"));
    assert_eq!(notebook.post("/sprints/1/start", &[]).await.address(), "/sprints/1");
    let page = until(&notebook, "/sprints/1", "finished").await;
    assert!(page.contains("its 4 acceptance tests ran and passed"), "{page}");
    let story = notebook.page("/sprints/1/stories/1").await;
    assert!(story.contains("<code>server.js</code>") && story.contains("Node alone"), "{story}");
    let log = notebook.page("/commands/1").await;
    assert!(log.contains("It ended well after"), "{log}");
    assert_eq!(notebook.post("/sprints/1/start", &[]).await.status, StatusCode::CONFLICT);

    let project = notebook.page("/projects/shop").await;
    assert!(project.contains("B-1: Put an item on the list") && project.contains("The project begins"), "{project}");
    let states: Vec<&str> = project.split("/states/").skip(1).map(|rest| &rest[..40]).collect();
    let preview = notebook.page(&format!("/projects/shop/states/{}", states[1])).await;
    assert!(preview.contains("server.js: 0 lines more"), "{preview}");
    let back = [("based_on", field(&preview, "based_on"))];
    let back = back.each_ref().map(|(name, value)| (*name, value.as_str()));
    let there = notebook.post(&format!("/projects/shop/states/{}/return", states[1]), &back).await;
    assert_eq!(there.address(), "/projects/shop");
    let late = notebook.post(&format!("/projects/shop/states/{}/return", states[1]), &back).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    let archive = notebook.get("/projects/shop/app.tar").await;
    assert!(archive.text.contains("shop/START.md"));
}

#[tokio::test]
async fn without_a_model_a_sprint_waits_and_says_what_to_do() {
    let notebook = Notebook::open().await;
    with_a_story(&notebook).await;
    notebook.post("/sprints", &[("vision", "shop"), ("item", "B-1-put-an-item-on-the-list")]).await;
    notebook.post("/sprints/1/start", &[]).await;
    let page = until(&notebook, "/sprints/1", "It waits for you").await;
    assert!(page.contains("Set it in the settings"), "{page}");
    notebook.post("/sprints/1/stop", &[]).await;
    assert!(notebook.page("/sprints").await.contains("stopped"));
}

#[tokio::test]
async fn what_was_never_made_is_not_found_and_nothing_of_it_starts() {
    let notebook = Notebook::open().await;
    assert!(notebook.page("/app").await.contains("There is no app yet"));
    assert_eq!(notebook.post("/app/start", &[("vision", "none")]).await.status, StatusCode::NOT_FOUND);
    for path in ["/projects/none", "/sprints/7", "/sprints/7/stories/1", "/commands/9", "/projects/..%2f/app.tar"] {
        assert_eq!(notebook.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}
