//! The notebook as people and their browsers meet it: the real server on a real socket and a real
//! folder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod approvals;
mod attachments;
mod board;
mod goods;
mod made;
mod meetings;
mod members;
mod notebook;
mod review;
mod settings;
mod table;
mod work;

use std::os::unix::fs::symlink;

use futures_util::StreamExt;
use notebook::{Notebook, field};
use reqwest::StatusCode;

#[tokio::test]
async fn an_empty_notebook_says_what_to_do_first() {
    let notebook = Notebook::open().await;
    let page = notebook.page("/").await;
    assert!(page.contains("Write your first vision") && page.contains("Add the first item"), "{page}");
    assert_eq!(notebook.page("/health").await, "ok");
}

#[tokio::test]
async fn a_vision_is_written_rewritten_and_kept_as_a_markdown_file() {
    let notebook = Notebook::open().await;
    let there = notebook.post("/visions", &[("title", "Sell my pots"), ("body", "Online.\r\n\r\n**Soon**")]).await;
    assert_eq!(there.address(), "/visions/sell-my-pots?saved=1");
    assert_eq!(
        notebook.file("visions/sell-my-pots.md"),
        "---\ntitle: Sell my pots\nstatus: draft\n---\n\nOnline.\n\n**Soon**\n"
    );
    assert!(notebook.page("/visions/sell-my-pots").await.contains("<strong>Soon</strong>"));

    let form = notebook.page("/visions/sell-my-pots/edit").await;
    let changed =
        [("title", "Sell pots"), ("status", "agreed"), ("body", "Now"), ("based_on", &field(&form, "based_on"))];
    let there = notebook.post("/visions/sell-my-pots", &changed).await;
    assert_eq!(there.address(), "/visions/sell-my-pots?saved=2");
    assert_eq!(notebook.file("visions/sell-my-pots.md"), "---\ntitle: Sell pots\nstatus: agreed\n---\n\nNow\n");
    assert!(notebook.page("/").await.contains("Sell pots"));
}

#[tokio::test]
async fn backlog_items_count_up_and_a_number_is_never_used_again() {
    let notebook = Notebook::open().await;
    let first = notebook.post("/backlog", &[("title", "Show a price")]).await;
    assert_eq!(first.address(), "/backlog/B-1-show-a-price?saved=1");
    notebook.delete("/backlog/B-1-show-a-price").await;
    let second = notebook.post("/backlog", &[("title", "Show a price")]).await;
    assert_eq!(second.address(), "/backlog/B-2-show-a-price?saved=1");
    assert_eq!(notebook.get("/backlog/B-2").await.address(), "/backlog/B-2-show-a-price");
    assert_eq!(notebook.get("/backlog/B-1").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_item_moves_over_the_board_and_its_criteria_are_ticked_off() {
    let notebook = Notebook::open().await;
    let item = [
        ("title", "Show a price"),
        ("criteria", "It is right\r\nIt is large"),
        ("estimate", "3"),
        ("priority", "must"),
    ];
    notebook.post("/backlog", &item).await;
    let moved =
        notebook.post("/backlog/B-1-show-a-price/status", &[("status", "doing"), ("back_to_board", "true")]).await;
    assert_eq!(moved.address(), "/#backlog");
    let tick = [("number", "1"), ("text", "It is large"), ("met", "true")];
    notebook.post("/backlog/B-1-show-a-price/criteria", &tick).await;
    let file = notebook.file("backlog/B-1-show-a-price.md");
    assert!(file.contains("status: doing\npriority: must\nestimate: 3\n"), "{file}");
    assert!(file.ends_with("## Acceptance criteria\n\n- [ ] It is right\n- [x] It is large\n"), "{file}");
    let outdated = notebook
        .post("/backlog/B-1-show-a-price/criteria", &[("number", "0"), ("text", "gone"), ("met", "true")])
        .await;
    assert_eq!(outdated.status, StatusCode::CONFLICT);
    assert_eq!(notebook.file("backlog/B-1-show-a-price.md"), file);
}

#[tokio::test]
async fn a_stale_save_is_refused_with_both_texts_and_can_be_saved_on_purpose() {
    let notebook = Notebook::open().await;
    notebook.post("/visions", &[("title", "Pots"), ("body", "first")]).await;
    let based_on = field(&notebook.page("/visions/pots/edit").await, "based_on");
    notebook.post("/visions/pots", &[("title", "Pots"), ("body", "from ada"), ("based_on", &based_on)]).await;

    let refused =
        notebook.post("/visions/pots", &[("title", "Pots"), ("body", "from bob"), ("based_on", &based_on)]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("from ada") && refused.text.contains("from bob"), "{}", refused.text);
    assert!(notebook.file("visions/pots.md").ends_with("from ada\n"));

    let newer = field(&refused.text, "based_on");
    assert_ne!(newer, based_on);
    notebook.post("/visions/pots", &[("title", "Pots"), ("body", "ada and bob"), ("based_on", &newer)]).await;
    assert!(notebook.file("visions/pots.md").ends_with("ada and bob\n"));
    assert!(notebook.page("/visions/pots/history/2").await.contains("from ada"));
}

#[tokio::test]
async fn of_many_saves_at_once_on_the_same_text_exactly_one_succeeds() {
    let notebook = Notebook::open().await;
    notebook.post("/visions", &[("title", "Pots"), ("body", "first")]).await;
    let based_on = field(&notebook.page("/visions/pots/edit").await, "based_on");
    let saves = (0..8).map(|n| {
        let (notebook, based_on) = (&notebook, &based_on);
        async move {
            let body = format!("number {n}");
            notebook.post("/visions/pots", &[("title", "Pots"), ("body", &body), ("based_on", based_on)]).await.status
        }
    });
    let statuses = futures_util::future::join_all(saves).await;
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::SEE_OTHER).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::CONFLICT).count(), 7, "{statuses:?}");
}

#[tokio::test]
async fn items_made_at_once_get_different_numbers() {
    let notebook = Notebook::open().await;
    let made = (0..8).map(|_| notebook.post("/backlog", &[("title", "Same")]));
    let mut addresses: Vec<_> = futures_util::future::join_all(made).await.iter().map(|made| made.address()).collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), 8, "{addresses:?}");
}

#[tokio::test]
async fn old_versions_are_listed_compared_and_brought_back() {
    let notebook = Notebook::open().await.signed_in("ada@example.com");
    notebook.post("/visions", &[("title", "Pots"), ("body", "red")]).await;
    let based_on = field(&notebook.page("/visions/pots/edit").await, "based_on");
    notebook.post("/visions/pots", &[("title", "Pots"), ("body", "blue"), ("based_on", &based_on)]).await;

    let history = notebook.page("/visions/pots/history").await;
    assert!(
        history.contains("Created") && history.contains("Edited") && history.contains("by ada@example.com"),
        "{history}"
    );
    let comparison = notebook.page("/visions/pots/history/comparison?from=1&to=2").await;
    assert!(comparison.contains("<del>red</del>") && comparison.contains("<ins>blue</ins>"), "{comparison}");

    let version = notebook.page("/visions/pots/history/1").await;
    let restored =
        notebook.post("/visions/pots/history/1/restoration", &[("based_on", &field(&version, "based_on"))]).await;
    assert_eq!(restored.address(), "/visions/pots?saved=3");
    assert!(notebook.file("visions/pots.md").ends_with("red\n"));
    assert!(notebook.page("/visions/pots/history").await.contains("Version 1 brought back"));
    let stale = notebook.post("/visions/pots/history/2/restoration", &[("based_on", "something older")]).await;
    assert_eq!(stale.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn what_is_deleted_can_be_brought_back() {
    let notebook = Notebook::open().await;
    notebook.post("/visions", &[("title", "Pots"), ("body", "red")]).await;
    assert!(notebook.page("/visions/pots/deletion").await.contains("Delete “Pots”?"));
    let before = notebook.file("visions/pots.md");
    notebook.delete("/visions/pots").await;
    assert_eq!(notebook.get("/visions/pots").await.status, StatusCode::NOT_FOUND);
    assert!(notebook.page("/deleted").await.contains("/visions/pots/history/2"));

    let same_title = notebook.post("/visions", &[("title", "Pots")]).await;
    assert_eq!(same_title.address(), "/visions/pots-2?saved=1", "a new one must not get the old one's history");
    notebook.post("/visions/pots/history/2/restoration", &[("based_on", "")]).await;
    assert_eq!(notebook.file("visions/pots.md"), before);
}

#[tokio::test]
async fn deleting_a_text_that_has_changed_is_refused() {
    let notebook = Notebook::open().await;
    notebook.post("/visions", &[("title", "Pots")]).await;
    let based_on = field(&notebook.page("/visions/pots/deletion").await, "based_on");
    notebook.write("visions/pots.md", "changed");
    let refused = notebook.post("/visions/pots/deletion", &[("based_on", &based_on)]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(notebook.file("visions/pots.md"), "changed");
}

#[tokio::test]
async fn saving_what_was_deleted_meanwhile_gives_the_text_back() {
    let notebook = Notebook::open().await;
    notebook.post("/visions", &[("title", "Pots")]).await;
    let based_on = field(&notebook.page("/visions/pots/edit").await, "based_on");
    notebook.delete("/visions/pots").await;
    let refused =
        notebook.post("/visions/pots", &[("title", "Pots"), ("body", "my words"), ("based_on", &based_on)]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("my words") && refused.text.contains("deleted in the meantime"), "{}", refused.text);
}

#[tokio::test]
async fn files_of_other_programs_are_picked_up_and_their_text_is_kept() {
    let notebook = Notebook::open().await;
    notebook.write("backlog/groceries.md", "---\n# by hand\nowner: bob\nstatus: ready\n---\nMilk");
    assert!(notebook.page("/").await.contains("Groceries"));
    let form = notebook.page("/backlog/groceries/edit").await;
    let changed = [("title", "Groceries"), ("story", "Milk and bread"), ("based_on", &field(&form, "based_on"))];
    notebook.post("/backlog/groceries", &changed).await;
    let file = notebook.file("backlog/groceries.md");
    assert!(file.starts_with("---\n# by hand\nowner: bob\n"), "{file}");
    assert!(notebook.page("/backlog/groceries/history").await.contains("Changed outside the notebook"));
    assert!(notebook.file("history/backlog/groceries/00001.md").ends_with("status: ready\n---\nMilk"));
}

#[tokio::test]
async fn a_file_that_cannot_be_understood_is_shown_and_can_be_mended() {
    let notebook = Notebook::open().await;
    notebook.write("visions/broken.md", "---\ntitle: [oops\n---\nText");
    notebook.write("backlog/B-4-odd.md", "---\nstatus: someday\n---\n");
    std::fs::write(notebook.path("visions/latin.md"), b"---\ntitle: caf\xe9\n---\n").unwrap();
    let home = notebook.page("/").await;
    for part in
        ["3 files need a hand", "visions/broken.md", "Use idea, ready, doing or done", "not plain text in UTF-8"]
    {
        assert!(home.contains(part), "{part} in {home}");
    }
    assert_eq!(notebook.get("/visions/broken").await.address(), "/visions/broken/file");
    assert_eq!(notebook.get("/visions/broken/edit").await.address(), "/visions/broken/file");
    let form = notebook.page("/visions/broken/file").await;
    assert!(form.contains("title: [oops"), "{form}");
    let mended = [("text", "---\ntitle: Mended\n---\nText"), ("based_on", &field(&form, "based_on"))];
    assert_eq!(notebook.post("/visions/broken/file", &mended).await.address(), "/visions/broken?saved=2");
    assert!(notebook.page("/visions/broken").await.contains("Mended"));
    assert!(notebook.file("history/visions/broken/00001.md").ends_with("[oops\n---\nText"));
}

#[tokio::test]
async fn bytes_that_are_no_text_survive_a_move_and_a_mending() {
    let notebook = Notebook::open().await;
    std::fs::write(notebook.path("backlog/B-1-latin.md"), b"---\nstatus: idea\n---\ncaf\xe9\n").unwrap();
    let refused = notebook.post("/backlog/B-1-latin/status", &[("status", "done")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(std::fs::read(notebook.path("backlog/B-1-latin.md")).unwrap().ends_with(b"caf\xe9\n"));
    let based_on = field(&notebook.page("/backlog/B-1-latin/file").await, "based_on");
    notebook.post("/backlog/B-1-latin/file", &[("text", "café"), ("based_on", &based_on)]).await;
    assert!(std::fs::read(notebook.path("history/backlog/B-1-latin/00001.md")).unwrap().ends_with(b"caf\xe9\n"));
}

#[tokio::test]
async fn a_file_with_a_name_that_has_no_address_is_shown_too() {
    let notebook = Notebook::open().await;
    notebook.write("visions/back\\slash.md", "text");
    let home = notebook.page("/").await;
    assert!(home.contains("back\\slash.md") && home.contains("cannot be opened under this name"), "{home}");
}

#[tokio::test]
async fn when_the_folder_cannot_be_written_the_form_comes_back_with_the_text() {
    let notebook = Notebook::open().await;
    notebook.write("history", "in the way");
    let refused = notebook.post("/visions", &[("title", "Pots"), ("body", "my words")]).await;
    assert_eq!(refused.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        refused.text.contains("my words") && refused.text.contains("“history” in the data folder is not a folder"),
        "{}",
        refused.text
    );
    assert!(!notebook.path("visions/pots.md").exists());
}

#[tokio::test]
async fn a_link_in_the_folder_is_named_and_never_followed() {
    let notebook = Notebook::open().await;
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.md"), "SECRET").unwrap();
    symlink(outside.path().join("secret.md"), notebook.path("visions/link.md")).unwrap();
    std::fs::create_dir_all(notebook.path("history/visions")).unwrap();
    symlink(outside.path(), notebook.path("history/visions/pots")).unwrap();

    let home = notebook.page("/").await;
    assert!(home.contains("links are not followed") && !home.contains("SECRET"), "{home}");
    let shown = notebook.get("/visions/link/file").await;
    assert_eq!(shown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!shown.text.contains("SECRET"));
    assert_ne!(notebook.post("/visions", &[("title", "Pots")]).await.address(), "/visions/pots?saved=1");
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1, "nothing was written through the link");
    assert!(!notebook.page("/export.tar").await.contains("SECRET"));
}

#[tokio::test]
async fn hostile_titles_stay_in_the_folder() {
    let notebook = Notebook::open().await;
    let long = "ü".repeat(200);
    for title in [
        "../../etc/passwd",
        "/etc/passwd",
        "..",
        "<script>alert(1)</script>",
        "a\u{202e}b",
        "CON",
        &long,
        "日本語",
        "%2e%2e%2f",
    ] {
        let made = notebook.post("/backlog", &[("title", title)]).await;
        assert_eq!(made.status, StatusCode::SEE_OTHER, "{title}");
        assert!(made.address().starts_with("/backlog/B-"), "{}", made.address());
        assert!(notebook.get(&made.address()).await.status.is_success(), "{title}");
    }
    for title in ["", "   ", "a\0b", "two\nlines", &"x".repeat(201)] {
        let refused = notebook.post("/visions", &[("title", title), ("body", "keep me")]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{title:?}");
        assert!(refused.text.contains("keep me"));
    }
    let mut top: Vec<_> =
        std::fs::read_dir(notebook.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    top.sort();
    assert_eq!(top, ["backlog", "bench", "decisions", "history", "sprints", "transit", "visions"]);
    assert!(!notebook.page("/").await.contains("<script>alert"));
}

#[tokio::test]
async fn addresses_that_lead_nowhere_are_not_found() {
    let notebook = Notebook::open().await;
    for address in [
        "/visions/..%2f..%2fetc%2fpasswd",
        "/visions/%00",
        "/etc/x/history",
        "/visions/none",
        "/visions/none/history",
        "/backlog/B-99",
        "/visions/none/history/1",
        "/visions/none/history/x",
        "/nothing",
        "/visions/.hidden/file",
    ] {
        assert_eq!(notebook.get(address).await.status, StatusCode::NOT_FOUND, "{address}");
    }
}

#[tokio::test]
async fn too_much_text_is_refused_and_given_back() {
    let notebook = Notebook::open().await;
    let much = "a".repeat(300 * 1024);
    let refused = notebook.post("/visions", &[("title", "Pots"), ("body", &much)]).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(refused.text.contains("256 KiB is the most") && refused.text.contains(&much));
    let far_too_much = "a".repeat(3 * 1024 * 1024);
    let refused = notebook.post("/visions", &[("title", "Pots"), ("body", &far_too_much)]).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(notebook.page("/").await.contains("Write your first vision"));
}

#[tokio::test]
async fn forms_of_other_sites_change_nothing() {
    let notebook = Notebook::open().await;
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
    {
        let refused = notebook.send(notebook.form("/visions", &[("title", "Evil")]).header(name, value)).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{name}: {value}");
        assert!(refused.text.contains("another site"));
    }
    assert!(notebook.page("/").await.contains("Write your first vision"));
    let own =
        notebook.send(notebook.form("/visions", &[("title", "Own")]).header("sec-fetch-site", "same-origin")).await;
    assert_eq!(own.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_name_that_leads_here_from_elsewhere_is_not_answered() {
    let notebook = Notebook::open().await;
    let refused = notebook.send(notebook.client.get(notebook.url("/")).header("host", "evil.example")).await;
    assert_eq!(refused.status, StatusCode::MISDIRECTED_REQUEST);
    let probe = notebook.send(notebook.client.get(notebook.url("/health")).header("host", "10.0.0.1")).await;
    assert_eq!(probe.status, StatusCode::OK);
}

#[tokio::test]
async fn every_answer_forbids_what_no_page_needs() {
    let notebook = Notebook::open().await;
    for address in ["/", "/nothing", "/health"] {
        let headers = notebook.get(address).await.headers;
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{address}");
        assert_eq!(headers["cache-control"], "no-store", "{address}");
    }
    let page = notebook.page("/").await;
    for inline in ["<style", " style=", " onclick=", "<script>"] {
        assert!(!page.contains(inline), "{inline}");
    }
    let style = page.split("href=\"/assets/").nth(2).and_then(|rest| rest.split('"').next()).unwrap();
    let style = notebook.get(&format!("/assets/{style}")).await;
    assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
    assert!(style.headers["cache-control"].to_str().unwrap().contains("immutable"));
}

#[tokio::test]
async fn open_pages_hear_of_changes_and_streams_end_when_the_program_stops() {
    let notebook = Notebook::open().await;
    let answer = notebook.client.get(notebook.url("/events")).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut stream = answer.bytes_stream();
    let ada = notebook.clone().signed_in("ada@example.com");
    ada.post("/visions", &[("title", "Pots")]).await;
    let mut heard = String::new();
    while !heard.contains("event: changed") || !heard.ends_with("\n\n") {
        heard.push_str(str::from_utf8(&stream.next().await.unwrap().unwrap()).unwrap());
    }
    assert!(
        heard.contains("\"document\":\"/visions/pots\"") && heard.contains("\"by\":\"ada@example.com\""),
        "{heard}"
    );
    notebook.stop().await;
    assert!(stream.next().await.is_none_or(|piece| piece.is_ok()), "the stream ends, it does not break");
}

#[tokio::test]
async fn programs_read_and_write_json() {
    let notebook = Notebook::open().await;
    let made = notebook.post_json("/api/visions", r#"{"title": "Pots", "body": "red"}"#).await;
    assert_eq!((made.status, made.address().as_str()), (StatusCode::CREATED, "/visions/pots"));
    let item = r#"{"title": "Price", "vision": "pots", "estimate": 2, "criteria": ["right", "large"]}"#;
    let made = notebook.post_json("/api/backlog", item).await;
    assert!(made.text.contains("\"id\":\"B-1\""), "{}", made.text);
    let items: serde_json::Value = serde_json::from_str(&notebook.page("/api/backlog").await).unwrap();
    assert_eq!(items[0]["criteria"][1]["text"], "large");
    assert_eq!((&items[0]["estimate"], &items[0]["changed_by"]), (&2.into(), &"you".into()));
    for (body, status) in [
        ("{", 400),
        (r#"{"title": ""}"#, 422),
        (r#"{"title": "x", "estimate": -1}"#, 422),
        (r#"{"title": "x", "status": "wip"}"#, 422),
    ] {
        let refused = notebook.post_json("/api/backlog", body).await;
        assert_eq!(refused.status.as_u16(), status, "{body}: {}", refused.text);
        assert!(refused.text.contains("\"detail\""));
    }
}

#[tokio::test]
async fn everything_can_be_taken_away_in_one_file() {
    let notebook = Notebook::open().await;
    notebook.post("/visions", &[("title", "Pots"), ("body", "red")]).await;
    let answer = notebook.client.get(notebook.url("/export.tar")).send().await.unwrap();
    let bytes = answer.bytes().await.unwrap();
    let mut archive = tar::Archive::new(bytes.as_ref());
    let paths: Vec<_> =
        archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
    let expected =
        ["README.txt", "visions/pots.md", "history/visions/pots/00001.md", "settings.json", "MANIFEST.sha256"];
    assert_eq!(paths, expected);
}

#[tokio::test]
async fn a_name_from_the_guard_that_cannot_be_one_is_refused() {
    let notebook = Notebook::open().await;
    let answer = notebook.send(notebook.client.get(notebook.url("/")).header("x-spinoff-user", "")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let page = notebook.clone().signed_in("ada+<b>@example.com").page("/").await;
    assert!(page.contains("ada+&#60;b&#62;@example.com"), "{page}");
}
