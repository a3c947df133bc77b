//! The backlog as a table: found, sorted, changed row by row, and several rows at once.

use reqwest::StatusCode;

use super::notebook::Notebook;

async fn three() -> Notebook {
    let notebook = Notebook::open().await;
    notebook.post("/visions", &[("title", "Pots")]).await;
    for fields in [
        [("title", "Show a price"), ("status", "ready"), ("priority", "must"), ("estimate", "3"), ("vision", "pots")],
        [("title", "Add a photo"), ("status", "idea"), ("priority", "could"), ("estimate", "8"), ("vision", "")],
        [("title", "Take money"), ("status", "idea"), ("priority", "must"), ("estimate", ""), ("vision", "pots")],
    ] {
        notebook.post("/backlog", &fields).await;
    }
    notebook
}

const PRICE: &str = "B-1-show-a-price";
const PHOTO: &str = "B-2-add-a-photo";
const MONEY: &str = "B-3-take-money";

fn rows(page: &str) -> Vec<&str> {
    page.split("<tr id=\"row-B-").skip(1).map(|row| row.split('-').next().unwrap()).collect()
}

fn row<'a>(page: &'a str, name: &str) -> &'a str {
    let row = page.split(&format!("<tr id=\"row-{name}\"")).nth(1).unwrap_or_else(|| panic!("no {name} in {page}"));
    row.split("</tr>").next().unwrap()
}

fn revision(page: &str, name: &str) -> String {
    row(page, name).split("data-revision=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn rows_are_found_and_sorted_as_the_address_says() {
    let notebook = three().await;
    assert_eq!(notebook.get("/backlog").await.address(), "/#backlog");
    for (query, expected) in [
        ("", vec!["1", "3", "2"]),
        ("&sort=number", vec!["1", "2", "3"]),
        ("&sort=number&dir=desc", vec!["3", "2", "1"]),
        ("&sort=title", vec!["2", "1", "3"]),
        ("&sort=estimate", vec!["3", "1", "2"]),
        ("&sort=status&dir=desc", vec!["1", "3", "2"]),
        ("&sort=vision", vec!["2", "1", "3"]),
        ("&sort=nonsense&dir=up", vec!["1", "3", "2"]),
        ("&vision=pots", vec!["1", "3"]),
        ("&status=idea&priority=must", vec!["3"]),
        ("&q=A%20SHOW", vec!["1"]),
        ("&q=b-2", vec!["2"]),
        ("&q=nowhere", vec![]),
        ("&vision=../x&status=what", vec!["1", "3", "2"]),
    ] {
        let page = notebook.page(&format!("/backlog?view=table{query}")).await;
        assert_eq!(rows(&page), expected, "{query}");
    }
    let page = notebook.page("/backlog?view=table&sort=title&q=a%20%20").await;
    assert!(page.contains("aria-sort=\"ascending\"") && page.contains("q=a&#38;sort=title&#38;dir=desc"), "{page}");
    let page = notebook.page("/backlog?view=table&q=a%26b%22%3Cb%3E").await;
    assert!(page.contains("value=\"a&#38;b&#34;&#60;b&#62;\"") && !page.contains("<b>"), "{page}");
    assert!(page.contains("Nothing in the backlog is like that."), "{page}");
}

#[tokio::test]
async fn a_row_is_saved_on_its_own_and_stays_in_sight() {
    let notebook = three().await.signed_in("ada@example.com");
    let page = notebook.page("/backlog?view=table&status=idea&sort=number").await;
    let before = notebook.file(&format!("backlog/{PHOTO}.md"));
    let change =
        [("status", "doing"), ("priority", "should"), ("estimate", "5"), ("based_on", &revision(&page, MONEY))];
    let saved = notebook.post(&format!("/backlog/{MONEY}/row?view=table&status=idea&sort=number"), &change).await;
    assert_eq!(saved.address(), format!("/backlog?view=table&status=idea&sort=number&row={MONEY}#row-{MONEY}"));
    let file = notebook.file(&format!("backlog/{MONEY}.md"));
    assert!(file.contains("status: doing\npriority: should\nvision: pots\nestimate: 5\n"), "{file}");
    assert_eq!(notebook.file(&format!("backlog/{PHOTO}.md")), before);
    let page = notebook.page(&saved.address()).await;
    assert_eq!(rows(&page), ["2", "3"], "it is shown although it is no idea any more");
    assert!(row(&page, MONEY).contains("Saved. It is “doing”, “should” and 5 points now."), "{page}");
    assert_eq!(rows(&notebook.page("/backlog?view=table&status=idea").await), ["2"]);
    assert!(notebook.page(&format!("/backlog/{MONEY}/history")).await.contains("by ada@example.com"));
}

#[tokio::test]
async fn a_stale_row_is_refused_with_what_it_is_now_and_others_are_untouched() {
    let notebook = three().await;
    let page = notebook.page("/backlog?view=table").await;
    let based_on = revision(&page, PRICE);
    notebook.post(&format!("/backlog/{PRICE}/status"), &[("status", "done")]).await;
    let before = notebook.file(&format!("backlog/{PRICE}.md"));
    let change = [("status", "doing"), ("priority", "could"), ("estimate", ""), ("based_on", &based_on)];
    let refused = notebook.post(&format!("/backlog/{PRICE}/row?view=table"), &change).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    let shown = row(&refused.text, PRICE);
    assert!(
        shown.contains("It is “done”, “must” and 3 points now. You chose “doing”, “could” and not estimated."),
        "{shown}"
    );
    assert!(shown.contains("<option selected>done"), "{shown}");
    assert_eq!(notebook.file(&format!("backlog/{PRICE}.md")), before);
    // The refused row has the revision to choose again on.
    let again = [("status", "doing"), ("priority", "must"), ("based_on", &revision(&refused.text, PRICE))];
    assert_eq!(notebook.post(&format!("/backlog/{PRICE}/row"), &again).await.status, StatusCode::SEE_OTHER);

    let wrong = [("status", "doing"), ("priority", "must"), ("estimate", "many"), ("based_on", &based_on)];
    let refused = notebook.post(&format!("/backlog/{PRICE}/row"), &wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(row(&refused.text, PRICE).contains("Use a whole number from 0 to 999."), "{}", refused.text);
    notebook.delete(&format!("/backlog/{PHOTO}")).await;
    let gone = [("status", "doing"), ("priority", "must"), ("based_on", &revision(&page, PHOTO))];
    let refused = notebook.post(&format!("/backlog/{PHOTO}/row"), &gone).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("“Add a photo” was not saved: it was deleted"), "{}", refused.text);
}

#[tokio::test]
async fn several_rows_are_changed_at_once_and_each_says_what_came_of_it() {
    let notebook = three().await;
    let page = notebook.page("/backlog?view=table").await;
    let chosen: Vec<String> =
        [PRICE, PHOTO, MONEY].iter().map(|name| format!("{} {name}", revision(&page, name))).collect();
    notebook.post(&format!("/backlog/{PHOTO}/status"), &[("status", "doing")]).await;
    let untouched = notebook.file(&format!("backlog/{PHOTO}.md"));
    let fields = [
        ("chosen", chosen[0].as_str()),
        ("chosen", chosen[1].as_str()),
        ("chosen", chosen[2].as_str()),
        ("chosen", "nonsense"),
        ("status", "done"),
        ("priority", ""),
    ];
    let changed = notebook.post("/backlog-changes?view=table&sort=number", &fields).await;
    assert_eq!((changed.status, rows(&changed.text)), (StatusCode::OK, vec!["1", "2", "3"]));
    for part in [
        "B-1 Show a price</a> Saved: “done”, “must” and 3 points.",
        "B-2 Add a photo</a> Not saved: somebody else changed it",
        "B-3 Take money</a> Saved: “done”, “must” and not estimated.",
    ] {
        assert!(changed.text.contains(part), "{part}: {}", changed.text);
    }
    assert_eq!(notebook.file(&format!("backlog/{PHOTO}.md")), untouched);
    assert!(notebook.file(&format!("backlog/{MONEY}.md")).contains("status: done\npriority: must\n"));

    let again = notebook.post("/backlog-changes", &fields).await;
    assert!(!again.text.contains(" Saved: ") && again.text.contains("Not saved"), "{}", again.text);
    let nothing = notebook.post("/backlog-changes", &[("status", "done")]).await;
    assert!(nothing.text.contains("Nothing was changed: choose rows"), "{}", nothing.text);
    assert_eq!(notebook.get("/backlog-changes").await.address(), "/backlog?view=table");
}

#[tokio::test]
async fn a_file_that_cannot_be_understood_is_named_and_not_changed() {
    let notebook = three().await;
    notebook.write("backlog/B-9-odd.md", "---\nstatus: someday\n---\n");
    let page = notebook.page("/backlog?view=table").await;
    assert!(page.contains("One file cannot be understood"), "{page}");
    assert_eq!(rows(&page).len(), 3);
}

#[tokio::test]
async fn who_may_only_look_sees_the_table_and_changes_nothing() {
    let notebook = three().await.signed_in("ada@example.com");
    notebook.page("/").await;
    let bob = notebook.clone().signed_in("bob@example.com");
    bob.page("/").await;
    notebook.post("/settings/members", &[("email", "bob@example.com"), ("standing", "viewer")]).await;
    let page = bob.page("/backlog?view=table").await;
    assert!(page.contains("Show a price") && !page.contains("<select name=\"status\" form"), "{page}");
    let board = bob.page("/").await;
    assert!(!board.contains("/place"), "{board}");
    let change = [("status", "done"), ("priority", "must"), ("based_on", &revision(&page, PRICE))];
    assert_eq!(bob.post(&format!("/backlog/{PRICE}/row"), &change).await.status, StatusCode::FORBIDDEN);
    assert_eq!(bob.post(&format!("/backlog/{PRICE}/place"), &[("way", "up")]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(bob.post("/backlog-changes", &[("status", "done")]).await.status, StatusCode::FORBIDDEN);
}
