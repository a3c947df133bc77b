//! Files of stories and visions: kept, shown as pictures at most, and never run.

use reqwest::StatusCode;

use super::notebook::{Answer, Notebook};

const SVG: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" onload="document.documentElement.setAttribute('ran','yes')"><script>document.documentElement.setAttribute('ran','yes')</script></svg>"#;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

async fn story() -> Notebook {
    let notebook = Notebook::open().await;
    notebook.post("/backlog", &[("title", "Price")]).await;
    notebook
}

const ITEM: &str = "/backlog/B-1-price";

impl Notebook {
    async fn attach(&self, document: &str, name: &str, content: &[u8], about: &str) -> Answer {
        let head = format!(
            "--xyz\r\nContent-Disposition: form-data; name=\"about\"\r\n\r\n{about}\r\n--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: application/x-whatever\r\n\r\n"
        );
        let body = [head.as_bytes(), content, b"\r\n--xyz--\r\n"].concat();
        let request = self.client.post(self.url(&format!("{document}/attachments")));
        self.send(request.header("content-type", "multipart/form-data; boundary=xyz").body(body)).await
    }
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_file_is_attached_downloaded_removed_and_put_back() {
    let notebook = story().await.signed_in("ada@example.com");
    let added = notebook.attach(ITEM, "../../Käse & more.HTML", b"<script>alert(1)</script>", "").await;
    assert_eq!(added.address(), "/backlog/B-1-price?attachment=added#attachments");
    let page = notebook.page(ITEM).await;
    assert!(page.contains("käse-more.html") && page.contains("by ada@example.com"), "{page}");
    assert_eq!(notebook.file("attachments/backlog/B-1-price/käse-more.html"), "<script>alert(1)</script>");

    let href = format!("{ITEM}/attachments/k%C3%A4se-more.html");
    let file = notebook.get(&href).await;
    assert_eq!(file.text, "<script>alert(1)</script>");
    assert_eq!(header(&file, "content-disposition"), "attachment; filename*=UTF-8''k%C3%A4se-more.html");
    assert_eq!(header(&file, "content-type"), "application/octet-stream");
    assert_eq!(header(&file, "x-content-type-options"), "nosniff");
    assert_eq!(header(&file, "content-security-policy"), "default-src 'none'; style-src 'unsafe-inline'; sandbox");
    assert_eq!(notebook.get(&format!("{href}/picture")).await.status, StatusCode::NOT_FOUND);

    notebook.post(&format!("{href}/removal"), &[]).await;
    assert_eq!(notebook.get(&href).await.status, StatusCode::NOT_FOUND);
    let page = notebook.page(ITEM).await;
    assert!(page.contains("Removed (1)") && page.contains(&format!("{href}/restoration")), "{page}");
    assert_eq!(notebook.post(&format!("{href}/removal"), &[]).await.status, StatusCode::NOT_FOUND);
    let back = notebook.post(&format!("{href}/restoration"), &[]).await;
    assert_eq!(back.address(), "/backlog/B-1-price?attachment=restored#attachments");
    assert_eq!(notebook.get(&href).await.text, "<script>alert(1)</script>");
}

#[tokio::test]
async fn a_picture_is_known_by_its_content_and_shown_where_nothing_may_run() {
    let notebook = story().await;
    notebook.attach(ITEM, "shot.txt", PNG, "The list, \"empty\" <b>").await;
    notebook.attach(ITEM, "drawing.png", SVG.as_bytes(), "").await;
    notebook.attach(ITEM, "fake.png", b"<html><script>1</script>", "").await;
    let page = notebook.page(ITEM).await;
    assert!(page.contains("alt=\"The list, &#34;empty&#34; &#60;b&#62;\""), "{page}");
    assert!(page.contains("alt=\"drawing.png\"") && !page.contains("fake.png/picture"), "{page}");
    for (name, kind) in [("shot.txt", "image/png"), ("drawing.png", "image/svg+xml")] {
        let picture = notebook.get(&format!("{ITEM}/attachments/{name}/picture")).await;
        assert_eq!((picture.status, header(&picture, "content-type")), (StatusCode::OK, kind));
        assert_eq!(
            header(&picture, "content-security-policy"),
            "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        );
        assert_eq!(header(&picture, "x-content-type-options"), "nosniff");
        assert_eq!(header(&picture, "x-frame-options"), "DENY");
    }
    assert_eq!(notebook.get(&format!("{ITEM}/attachments/fake.png/picture")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_wireframe_in_words_is_drawn_and_one_that_cannot_be_is_a_file() {
    let notebook = story().await;
    notebook.attach(ITEM, "list.wireframe", b"# List\n<script>alert(1)</script>\n[ Add ]", "The list").await;
    notebook.attach(ITEM, "half.wireframe", b"{ a", "").await;
    let page = notebook.page(ITEM).await;
    assert!(page.contains("aria-describedby=\"words-list.wireframe\""), "{page}");
    assert!(page.contains("# List\n&#60;script&#62;"), "{page}");
    assert!(page.contains("half.wireframe") && !page.contains("half.wireframe/picture"), "{page}");
    let picture = notebook.get(&format!("{ITEM}/attachments/list.wireframe/picture")).await;
    assert_eq!(header(&picture, "content-type"), "image/svg+xml");
    assert!(picture.text.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !picture.text.contains("<script"));
}

#[tokio::test]
async fn too_large_files_empty_forms_and_other_places_are_refused_in_words() {
    let notebook = story().await;
    let large = vec![b'a'; 10 * 1024 * 1024 + 1];
    let refused = notebook.attach(ITEM, "a.txt", &large, "").await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(refused.text.contains("An attachment may have 10 MB."), "{}", refused.text);
    let accepted = notebook.attach(ITEM, "a.txt", &large[1..], "").await;
    assert_eq!(accepted.status, StatusCode::SEE_OTHER, "{}", accepted.text);
    let none = notebook.attach(ITEM, "", b"", "").await;
    assert_eq!((none.status, none.text.contains("No file was chosen")), (StatusCode::UNPROCESSABLE_ENTITY, true));
    for document in ["/backlog/B-7-none", "/decisions/any", "/visions/%2e%2e"] {
        assert_eq!(notebook.attach(document, "a", b"a", "").await.status, StatusCode::NOT_FOUND, "{document}");
    }
    let urlencoded = notebook.post(&format!("{ITEM}/attachments"), &[("file", "a")]).await;
    assert_eq!(urlencoded.status, StatusCode::BAD_REQUEST);
    for file in ["journal.jsonl", "removed", "..", "%2e%2e%2fjournal.jsonl"] {
        let answer = notebook.get(&format!("{ITEM}/attachments/{file}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{file}");
    }
    assert!(!notebook.path("attachments/backlog/B-7-none").exists());
}

#[tokio::test]
async fn attachments_outlive_their_story_and_a_viewer_changes_none() {
    let notebook = story().await.signed_in("ada@example.com");
    notebook.attach(ITEM, "a.txt", b"a", "").await;
    let bob = notebook.clone().signed_in("bob@example.com");
    bob.page("/").await;
    notebook.post("/settings/members", &[("email", "bob@example.com"), ("standing", "viewer")]).await;
    assert_eq!(bob.attach(ITEM, "b.txt", b"b", "").await.status, StatusCode::FORBIDDEN);
    let removal = format!("{ITEM}/attachments/a.txt/removal");
    assert_eq!(bob.post(&removal, &[]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(bob.get(&format!("{ITEM}/attachments/a.txt")).await.text, "a");
    let page = bob.page(ITEM).await;
    assert!(page.contains("a.txt") && !page.contains("multipart/form-data") && !page.contains("/removal"), "{page}");

    notebook.delete(ITEM).await;
    notebook.post(&format!("{ITEM}/history/2/restoration"), &[("based_on", "")]).await;
    assert!(notebook.page(ITEM).await.contains("a.txt"));
    notebook.post("/visions", &[("title", "Pots")]).await;
    assert_eq!(
        notebook.attach("/visions/pots", "a.txt", b"a", "").await.address(),
        "/visions/pots?attachment=added#attachments"
    );
    assert!(notebook.page("/visions/pots").await.contains("/visions/pots/attachments/a.txt"));
}

/// Asks a real browser, where there is one.
#[tokio::test(flavor = "multi_thread")]
async fn a_script_in_a_picture_does_not_run_when_it_is_opened_in_a_browser() {
    let notebook = story().await;
    notebook.attach(ITEM, "drawing.svg", SVG.as_bytes(), "").await;
    let opened = |address: String| async move {
        let profile = tempfile::tempdir().unwrap();
        let browser = tokio::process::Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "--virtual-time-budget=3000"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(&address)
            .output()
            .await;
        let Ok(browser) = browser else {
            eprintln!("there is no chromium here, so no picture was opened in a browser");
            return None;
        };
        Some(String::from_utf8_lossy(&browser.stdout).into_owned())
    };
    let page = opened(notebook.url(&format!("{ITEM}/attachments/drawing.svg/picture"))).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("drawing.svg");
    std::fs::write(&file, SVG).unwrap();
    let (Some(page), Some(unguarded)) = (page, opened(format!("file://{}", file.display())).await) else { return };
    assert!(unguarded.contains("ran=\"yes\""), "the browser runs it where nothing forbids that: {unguarded}");
    assert!(page.contains("<svg") && !page.contains("ran=\"yes\""), "{page}");
}
