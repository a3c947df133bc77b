//! All open proposals at once, and wireframes that the team proposes.

use reqwest::StatusCode;
use serde_json::json;

use super::meetings::{asking, proposes, rehearsal};
use super::notebook::Notebook;
use crate::model::faulty::{Provider, says};

/// What the confirmation would send.
fn listed(page: &str) -> Vec<(&'static str, String)> {
    let values = page.split("name=\"proposal\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    values.map(|value| ("proposal", value.to_owned())).collect()
}

impl Notebook {
    async fn approve_listed(&self, meeting: &str, listed: &[(&'static str, String)]) -> super::notebook::Answer {
        let fields: Vec<(&str, &str)> = listed.iter().map(|(field, value)| (*field, value.as_str())).collect();
        self.post(&format!("{meeting}/proposals"), &fields).await
    }
}

#[tokio::test]
async fn all_open_proposals_are_approved_after_one_confirmation_each_with_its_own_record() {
    let notebook = rehearsal().await.signed_in("ada@example.com");
    let meeting = notebook.meet("refinement", "").await;
    notebook.say(&meeting, "Go ahead.").await;
    let page = notebook.page_that_says(&meeting, "Approve all 4 open proposals").await;
    assert!(
        page.contains("proposes a wireframe") && page.contains(&format!("{meeting}/proposals/4/picture")),
        "{page}"
    );
    let picture = notebook.get(&format!("{meeting}/proposals/4/picture")).await;
    assert_eq!(picture.headers["content-type"], "image/svg+xml");
    assert!(picture.headers["content-security-policy"].to_str().unwrap().ends_with("sandbox"));
    assert_eq!(notebook.get(&format!("{meeting}/proposals/1/picture")).await.status, StatusCode::NOT_FOUND);

    let confirmation = notebook.page(&format!("{meeting}/proposals")).await;
    for part in ["Approve all 4 proposals?", "Tick off what is in the basket", "The list"] {
        assert!(confirmation.contains(part), "{part}: {confirmation}");
    }
    assert_eq!(notebook.files("backlog"), Vec::<String>::new());
    let listed = listed(&confirmation);
    let approved = notebook.approve_listed(&meeting, &listed).await;
    assert_eq!(approved.address(), format!("{meeting}#end"), "{}", approved.text);
    assert_eq!(notebook.files("backlog").len(), 3);
    assert_eq!(notebook.files("decisions").len(), 4);
    let story = notebook.page("/backlog/B-1-put-an-item-on-the-list").await;
    assert!(story.contains("the-list.wireframe/picture") && story.contains("{ On the list"), "{story}");
    assert!(notebook.page(&meeting).await.contains("href=\"/backlog/B-1-put-an-item-on-the-list\""));

    // Sent twice, it changes nothing more.
    let again = notebook.approve_listed(&meeting, &listed).await;
    assert_eq!(again.address(), format!("{meeting}#end"), "{}", again.text);
    assert_eq!((notebook.files("backlog").len(), notebook.files("decisions").len()), (3, 4));
    assert!(notebook.page(&format!("{meeting}/proposals")).await.contains("Nothing is open"));
    assert_eq!(
        notebook.files("attachments/backlog/B-1-put-an-item-on-the-list"),
        ["journal.jsonl", "the-list.wireframe"]
    );
}

#[tokio::test]
async fn what_became_stale_is_left_open_and_named() {
    let stories = json!({"stories": [
        {"id": "B-1", "title": "Price in euros", "story": "x", "criteria": ["a"], "priority": "must"},
        {"title": "New", "story": "y", "criteria": ["b"], "priority": "must"},
    ]});
    let provider = Provider::playing([proposes("propose_stories", &stories), says("Look.")]).await;
    let notebook = asking(&provider).await;
    notebook.post("/backlog", &[("title", "Price")]).await;
    let meeting = notebook.meet("refinement", "").await;
    notebook.say(&meeting, "Refine it.").await;
    notebook.page_that_says(&meeting, "Approve all 2 open proposals").await;
    let shown = listed(&notebook.page(&format!("{meeting}/proposals")).await);
    notebook.post("/backlog/B-1-price/status", &[("status", "doing")]).await;
    let answer = notebook.approve_listed(&meeting, &shown).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    for part in [
        "Not all could be approved",
        "<strong>Price in euros</strong>: What it changes has become another text",
        "The other one is approved",
    ] {
        assert!(answer.text.contains(part), "{part}: {}", answer.text);
    }
    assert!(notebook.file("backlog/B-1-price.md").contains("title: Price\nstatus: doing"));
    assert!(notebook.path("backlog/B-2-new.md").exists());
    let shown = listed(&notebook.page(&format!("{meeting}/proposals")).await);
    assert_eq!(shown.len(), 1);
    assert_eq!(notebook.approve_listed(&meeting, &shown).await.status, StatusCode::SEE_OTHER);
    assert!(notebook.file("backlog/B-1-price.md").contains("title: Price in euros\nstatus: doing"));
}

#[tokio::test]
async fn a_wireframe_needs_its_story_and_what_a_model_writes_in_it_is_never_markup() {
    let wireframe = json!({"story": "b-price", "title": "A \"<b>\" screen", "text": "# <script>alert(1)</script>\n[ \" onload=x ]"});
    let provider = Provider::playing([proposes("propose_wireframe", &wireframe), says("Look.")]).await;
    let notebook = asking(&provider).await;
    let meeting = notebook.meet("refinement", "").await;
    notebook.say(&meeting, "Draw it.").await;
    let page = notebook.page_that_says(&meeting, "The backlog item that it belongs to is not there.").await;
    assert!(!page.contains("<script>alert"), "{page}");
    let refused = notebook.approve(&meeting, 1).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("“b-price”, is not in the backlog"), "{}", refused.text);
    notebook.post("/backlog", &[("title", "B-Price")]).await;
    assert_eq!(notebook.approve(&meeting, 1).await.status, StatusCode::SEE_OTHER);
    let picture = notebook.page("/backlog/B-1-b-price/attachments/a-b-screen.wireframe/picture").await;
    assert!(picture.contains("&lt;script&gt;") && !picture.contains("<script"), "{picture}");
    assert_eq!(notebook.files("decisions").len(), 1);
}

#[tokio::test]
async fn a_viewer_approves_nothing() {
    let notebook = rehearsal().await.signed_in("ada@example.com");
    let meeting = notebook.meet("refinement", "").await;
    notebook.say(&meeting, "Go ahead.").await;
    notebook.page_that_says(&meeting, "Approve all 4 open proposals").await;
    let bob = notebook.clone().signed_in("bob@example.com");
    bob.page("/").await;
    notebook.post("/settings/members", &[("email", "bob@example.com"), ("standing", "viewer")]).await;
    assert!(!bob.page(&meeting).await.contains("Approve all"));
    let confirmation = bob.page(&format!("{meeting}/proposals")).await;
    assert!(!confirmation.contains("Approve all 4</button>"), "{confirmation}");
    let refused = bob.approve_listed(&meeting, &listed(&confirmation)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(notebook.files("backlog"), Vec::<String>::new());
}
