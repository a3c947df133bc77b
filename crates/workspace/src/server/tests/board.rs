//! Cards that are moved: with buttons, by dragging, and while somebody else does the same.

use reqwest::StatusCode;

use super::notebook::Notebook;

async fn board(titles: &[(&str, &str)]) -> Notebook {
    let notebook = Notebook::open().await;
    for (title, status) in titles {
        notebook.post("/backlog", &[("title", title), ("status", status)]).await;
    }
    notebook
}

impl Notebook {
    /// Which cards lie in a column, from top to bottom.
    async fn column(&self, status: &str) -> String {
        let page = self.page("/").await;
        let column = page.split(&format!("data-status=\"{status}\"")).nth(1).unwrap();
        let column = column.split("</section>").next().unwrap();
        let cards = column.split("data-card=\"").skip(1).map(|card| card.split('"').next().unwrap());
        cards.collect::<Vec<_>>().join(" ")
    }

    async fn place(&self, card: &str, fields: &[(&str, &str)]) -> String {
        let moved = self.post(&format!("/backlog/{card}/place"), fields).await;
        assert_eq!(moved.status, StatusCode::SEE_OTHER, "{}", moved.text);
        moved.address()
    }
}

#[tokio::test]
async fn a_card_moves_by_steps_and_the_page_says_where_it_is() {
    let notebook = board(&[("a", "idea"), ("b", "idea"), ("c", "idea"), ("d", "ready")]).await;
    assert_eq!(notebook.column("idea").await, "B-1-a B-2-b B-3-c");
    let there = notebook.place("B-3-c", &[("way", "up")]).await;
    assert_eq!(there, "/?moved=B-3-c#card-B-3-c");
    assert_eq!(notebook.column("idea").await, "B-1-a B-3-c B-2-b");
    let page = notebook.page("/?moved=B-3-c").await;
    assert!(page.contains("“c” is number 2 of 3 in “idea” now."), "{page}");

    notebook.place("B-1-a", &[("way", "down")]).await;
    assert_eq!(notebook.column("idea").await, "B-3-c B-1-a B-2-b");
    for way in ["up", "left"] {
        notebook.place("B-3-c", &[("way", way)]).await;
    }
    assert_eq!(notebook.column("idea").await, "B-3-c B-1-a B-2-b", "there is nothing above or left of it");
    notebook.place("B-3-c", &[("way", "right")]).await;
    assert_eq!(notebook.column("ready").await, "B-4-d B-3-c");
    assert!(notebook.file("backlog/B-3-c.md").contains("status: ready"));
    assert_eq!(notebook.file("backlog/B-1-a.md"), "---\ntitle: a\nstatus: idea\npriority: should\n---\n");
    assert!(!notebook.path("history/backlog/B-1-a/00002.md").exists(), "a card that is moved changes no text");
}

#[tokio::test]
async fn a_card_is_dragged_to_a_place_in_any_column_and_stays_there() {
    let notebook = board(&[("a", "idea"), ("b", "idea"), ("c", "done"), ("d", "done")]).await;
    notebook.place("B-1-a", &[("status", "done"), ("before", "B-4-d")]).await;
    assert_eq!(notebook.column("done").await, "B-3-c B-1-a B-4-d");
    notebook.place("B-2-b", &[("status", "done"), ("before", "B-9-gone")]).await;
    assert_eq!(notebook.column("done").await, "B-3-c B-1-a B-4-d B-2-b", "at the end where the other card is gone");
    notebook.place("B-3-c", &[("status", "doing"), ("before", "")]).await;
    assert_eq!((notebook.column("doing").await.as_str(), notebook.column("idea").await.as_str()), ("B-3-c", ""));

    notebook.post("/backlog", &[("title", "new"), ("status", "done"), ("priority", "must")]).await;
    assert_eq!(notebook.column("done").await, "B-5-new B-1-a B-4-d B-2-b", "what matters more lies above");
    notebook.delete("/backlog/B-1-a").await;
    notebook.place("B-2-b", &[("way", "up")]).await;
    notebook.post("/backlog/B-1-a/history/3/restoration", &[("based_on", "")]).await;
    assert_eq!(notebook.column("done").await, "B-5-new B-1-a B-2-b B-4-d", "what comes back lies where it lay");
}

#[tokio::test]
async fn a_hand_edited_order_loses_no_card() {
    let notebook = board(&[("a", "idea"), ("b", "idea"), ("c", "idea")]).await;
    notebook.write("backlog/order.txt", "# mine\r\nB-3-c.md\n../../etc\nnothing\nB-3-c\nB-1-a\n");
    assert_eq!(notebook.column("idea").await, "B-3-c B-1-a B-2-b");
    notebook.place("B-2-b", &[("status", "idea"), ("before", "B-3-c")]).await;
    assert_eq!(notebook.column("idea").await, "B-2-b B-3-c B-1-a");
    let order = notebook.file("backlog/order.txt");
    assert!(order.starts_with("# mine\nB-2-b\nB-3-c\n") && order.contains("nothing\n"), "{order}");

    std::fs::write(notebook.path("backlog/order.txt"), b"\xff\nB-1-a\n").unwrap();
    let refused = notebook.post("/backlog/B-2-b/place", &[("way", "down")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("backlog/order.txt, which is not plain text"), "{}", refused.text);
    assert_eq!(notebook.column("idea").await.split(' ').count(), 3);
}

#[tokio::test]
async fn what_cannot_be_moved_is_refused_and_nothing_changes() {
    let notebook = board(&[("a", "idea")]).await;
    for (card, fields, status) in [
        ("B-9-none", [("way", "up")], StatusCode::NOT_FOUND),
        ("B-1-a", [("way", "around")], StatusCode::UNPROCESSABLE_ENTITY),
        ("B-1-a", [("status", "someday")], StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let refused = notebook.post(&format!("/backlog/{card}/place"), &fields).await;
        assert_eq!(refused.status, status, "{card} {fields:?}: {}", refused.text);
    }
    assert_eq!(notebook.column("idea").await, "B-1-a");
    assert!(!notebook.path("backlog/order.txt").exists());
}

#[tokio::test]
async fn cards_moved_at_once_are_all_there_in_the_end() {
    let notebook = board(&[("a", "idea"), ("b", "idea"), ("c", "idea"), ("d", "idea")]).await;
    let moves = ["B-1-a", "B-2-b", "B-3-c", "B-4-d"].map(|card| notebook.place(card, &[("way", "right")]));
    futures_util::future::join_all(moves).await;
    let mut ready: Vec<String> = notebook.column("ready").await.split(' ').map(str::to_owned).collect();
    ready.sort();
    assert_eq!(ready, ["B-1-a", "B-2-b", "B-3-c", "B-4-d"]);
}
