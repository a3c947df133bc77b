//! How pages look and handle: on a desk and on a phone, by day and by night, with a keyboard alone.
//! Leaves a picture of each in `target/screenshots/looks`.

use std::path::PathBuf;

use serde_json::{Value, json};
use thirtyfour::Key;

use crate::support::browser::Browser;
use crate::support::server::Server;
use crate::support::visitor::Order;

const SCREENS: [(&str, u32, u32); 2] = [("desk", 1280, 900), ("phone", 390, 844)];
const THEMES: [&str; 2] = ["light", "dark"];
const ADA: &str = "ada@example.com";

/// What is wrong with the page as it stands, in words.
const FAULTS: &str = r#"
    const faults = [];
    const shown = (e) => e.checkVisibility({ visibilityProperty: true });
    const headings = [...document.querySelectorAll('h1')].filter(shown);
    if (headings.length !== 1) faults.push(`${headings.length} headings of the first rank`);
    if (!document.documentElement.lang) faults.push('no language');
    if (!document.title.trim()) faults.push('no title');
    for (const field of document.querySelectorAll('input:not([type=hidden]), select, textarea')) {
        const named = [...field.labels].some((label) => label.textContent.trim()) || field.getAttribute('aria-label');
        if (!named) faults.push(`no label for ${field.outerHTML}`);
    }
    for (const pressable of document.querySelectorAll('a[href], button')) {
        const words = (pressable.innerText ?? pressable.textContent).trim() || pressable.getAttribute('aria-label') || pressable.title;
        if (shown(pressable) && !words) faults.push(`no words on ${pressable.outerHTML}`);
    }
    for (const image of document.querySelectorAll('img:not([alt])')) faults.push(`no words for ${image.outerHTML}`);
    const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
    for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) faults.push(`two elements are #${id}`);
    return faults;"#;

/// Brings everything that moves to its end; what never ends is left alone.
const STILL: &str = "for (const moving of document.getAnimations()) {
        if (moving.effect.getComputedTiming().endTime < Infinity) moving.finish();
    }";

/// What sticks out of a page of this width, apart from what can be scrolled by itself.
const OVERFLOW: &str = r#"
    if (document.documentElement.scrollWidth <= arguments[0]) return [];
    const out = [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > arguments[0]);
    return [`${document.documentElement.scrollWidth} wide`, ...out.slice(0, 5).map((e) => e.outerHTML.slice(0, 120))];"#;

#[tokio::test]
async fn the_front_of_the_house_is_fit_to_be_seen() {
    let server = Server::start().await;
    let site = server.url();
    let browser = Browser::open().await;
    for (path, name) in [
        ("/", "landing"),
        ("/pricing", "pricing"),
        ("/getting-started", "getting-started"),
        ("/docs", "docs"),
        ("/docs/operator/settings", "docs-settings"),
        ("/docs/api/instances", "docs-api"),
        ("/docs/cli/spinoff-instances", "docs-cli"),
        ("/docs/runbooks/instance-down", "docs-runbook"),
        ("/docs/search?q=backup", "docs-search"),
        ("/docs/search?q=zyxwv", "docs-search-in-vain"),
        ("/terms", "terms"),
        ("/status", "status-empty"),
        ("/mailbox", "mailbox-empty"),
        ("/signup", "signup"),
    ] {
        browser.go(&format!("{site}{path}")).await;
        look(&browser, name).await;
    }
    browser.press("Make my workspace").await;
    browser.see("need another look").await;
    look(&browser, "signup-mistakes").await;
    browser.go(&format!("{site}/nowhere")).await;
    look(&browser, "not-found").await;
    browser.go(&format!("http://{}/", server.host("nobody-there"))).await;
    look(&browser, "no-workspace").await;

    browser.sign_up(&server, &Order::of("Ada Lovelace", ADA, "engines")).await;
    look(&browser, "progress-done").await;
    browser.press("Open your workspace").await;
    browser.see("We mail you a code").await;
    look(&browser, "sign-in").await;
    browser.ask_for_code(ADA).await;
    look(&browser, "sign-in-code").await;
    browser.give_code("000000").await;
    browser.find("#code_error").await;
    look(&browser, "sign-in-wrong-code").await;
    server.mail_to(ADA, "is your code").await;
    browser.go(&format!("{site}/mailbox")).await;
    look(&browser, "mailbox").await;
    browser.press("Your").await;
    look(&browser, "mail").await;
    browser.go(&format!("{site}/cdn-cgi/access/logout")).await;
    look(&browser, "signed-out").await;
    nothing_came_from_elsewhere(&browser).await;
}

#[tokio::test]
async fn what_customers_see_is_fit_to_be_seen() {
    let server = Server::start().await;
    server.provision(ADA, "engines");
    let portal = format!("{}/portal", server.url());
    let browser = Browser::open().await;
    browser.go(&format!("http://{}/", server.host("engines"))).await;
    browser.sign_in_as(&server, ADA).await;
    looks_at_the_notebook(&browser, &server).await;
    server.cli(&["members", "add", "engines", "a.person.with.a.rather.long.address@department.example.com"]).ok();
    browser.go(&portal).await;
    browser.sign_in_as(&server, ADA).await;
    browser
        .until("the first hour and the first look", async || {
            browser.reload().await;
            let text = browser.text().await;
            // Two hours when the test runs across a full one.
            text.contains("Answering") && (text.contains("$6.00") || text.contains("$7.00"))
        })
        .await;
    look(&browser, "portal").await;
    browser.press("Details").await;
    browser.find(".hours summary").await.click().await.unwrap();
    look(&browser, "portal-workspace").await;
    browser.press("Remove").await;
    browser.see("Remove this member?").await;
    look(&browser, "portal-remove-member").await;
    browser.go(&format!("{portal}/instances/engines/delete")).await;
    look(&browser, "portal-delete").await;
    browser.fill("confirmation", "engines").await;
    browser.press("Delete for good").await;
    server.mail_to(ADA, "was removed").await;
    browser.go(&format!("{portal}/instances/engines/deletion")).await;
    look(&browser, "portal-removed").await;
    browser.go(&portal).await;
    look(&browser, "portal-empty").await;
    nothing_came_from_elsewhere(&browser).await;
}

#[tokio::test]
async fn the_console_is_fit_to_be_seen() {
    let server = Server::start().await;
    let browser = Browser::open().await;
    browser.go(&server.admin_link()).await;
    for (path, name) in [("", "empty"), ("/instances", "instances-empty"), ("/workflows", "workflows-empty")] {
        browser.go(&format!("{}/admin{path}", server.url())).await;
        look(&browser, &format!("console-{name}")).await;
    }
    server.provision(ADA, "engines");
    server.provision("zoe@example.com", "the-bakery-around-the-corner");
    server.cli(&["delete", "engines", "--confirm", "engines", "--quiet"]).ok();
    browser
        .until("the first look at an instance", async || {
            browser.go(&format!("{}/admin/instances", server.url())).await;
            browser.text().await.contains("Answering")
        })
        .await;
    look(&browser, "console-instances").await;
    browser.press(&server.host("the-bakery-around-the-corner")).await;
    look(&browser, "console-instance").await;
    browser.press("Provision").await;
    look(&browser, "console-workflow").await;
    for (path, name) in [("", "home"), ("/customers", "customers"), ("/workflows", "workflows"), ("/audit", "audit")] {
        browser.go(&format!("{}/admin{path}", server.url())).await;
        look(&browser, &format!("console-{name}")).await;
    }
    browser.press("Customers").await;
    browser.press("zoe").await;
    look(&browser, "console-customer").await;
    browser.go(&format!("{}/status", server.url())).await;
    look(&browser, "status").await;
    nothing_came_from_elsewhere(&browser).await;
}

#[tokio::test]
async fn work_under_way_is_fit_to_be_seen() {
    let server = Server::with().app("sleep 1000").start().await;
    let browser = Browser::open().await;
    browser.go(&format!("{}/signup", server.url())).await;
    browser.fill_in(&Order::of("Ada Lovelace", ADA, "engines")).await;
    browser.press("Make my workspace").await;
    browser.find("[data-step='wait until healthy'][data-state=running]").await;
    look(&browser, "progress-running").await;
    browser.go(&server.admin_link()).await;
    browser.press("Workflows").await;
    look(&browser, "console-workflows-running").await;
    browser.press("Provision").await;
    look(&browser, "console-workflow-running").await;
    browser.press("Abandon").await;
    look(&browser, "console-abandon").await;
}

#[tokio::test]
async fn what_matters_on_a_page_is_reached_by_keyboard_and_seen_when_reached() {
    let server = Server::start().await;
    let browser = Browser::open().await;
    for (path, words) in [
        ("/", "Get a workspace"),
        ("/pricing", "Get a workspace"),
        ("/signup", "Make my workspace"),
        ("/cdn-cgi/access/login", "Mail me a code"),
    ] {
        browser.go(&format!("{}{path}", server.url())).await;
        browser.tab_to(words).await;
    }
    browser.go(&format!("{}/", server.url())).await;
    browser.keys(Key::Tab + "").await;
    assert_eq!(browser.focus().await["words"], "Skip to the content", "the first stop");
    browser.keys(Key::Enter + "").await;
    browser.tab_to("Get a workspace").await;
    browser.keys(Key::Enter + "").await;
    browser.arrive(&format!("{}/signup", server.url())).await;
}

async fn looks_at_the_notebook(browser: &Browser, server: &Server) {
    look(browser, "notebook-empty").await;
    browser.press("Write your first vision").await;
    look(browser, "notebook-new-vision").await;
    browser.fill("title", "Orders without the phone").await;
    browser.fill("body", "People order cakes by phone, and I forget to call back.\n\n- Orders come in by themselves\n- A list every morning").await;
    browser.press("Save").await;
    browser.see("A list every morning").await;
    for title in ["A form for orders", "A list for the morning", "A mail when the cake is ready"] {
        browser.go(&format!("http://{}/new/item?vision=orders-without-the-phone", server.host("engines"))).await;
        browser.fill("title", title).await;
        browser.fill("criteria", "A date in the past is refused\nIt works on a phone").await;
        browser.press("Save").await;
        browser.see("It works on a phone").await;
    }
    look(browser, "notebook-item").await;
    browser.press("Doing").await;
    browser.find("#status-doing[aria-pressed=true]").await;
    browser.go(&format!("http://{}/", server.host("engines"))).await;
    look(browser, "notebook").await;
    browser.press("Orders without the phone").await;
    look(browser, "notebook-vision").await;
}

/// Looks at the page on every screen by every light, takes pictures, and finds nothing wrong.
pub async fn look(browser: &Browser, name: &str) {
    let mut faults = texts(&browser.js(FAULTS, &[]).await);
    for (screen, width, height) in SCREENS {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": screen == "phone"});
        browser.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        for theme in THEMES {
            let media = json!({"features": [{"name": "prefers-color-scheme", "value": theme}]});
            browser.devtools("Emulation.setEmulatedMedia", media).await;
            browser.js(STILL, &[]).await;
            browser.picture(&pictures().join(format!("{name}-{screen}-{theme}.png"))).await;
        }
        let out = texts(&browser.js(OVERFLOW, &[json!(width)]).await);
        faults.extend(out.into_iter().map(|out| format!("{screen}: sticks out: {out}")));
    }
    browser.devtools("Emulation.clearDeviceMetricsOverride", json!({})).await;
    let answered = browser.status().await;
    let complaints = browser.complaints().await.into_iter();
    // A browser also complains about the status of a page that says what is wrong.
    faults.extend(complaints.filter(|said| answered == 200 || !said.contains("Failed to load resource")));
    assert!(faults.is_empty(), "{name}: {faults:#?}");
}

async fn nothing_came_from_elsewhere(browser: &Browser) {
    for asked in browser.requested().await {
        let url = url_of(&asked);
        assert!(url.is_none_or(|host| host == "localhost" || host.ends_with(".localhost")), "{asked} was asked for");
    }
}

/// The host of an address on the network.
fn url_of(address: &str) -> Option<String> {
    let rest = address.strip_prefix("http://").or_else(|| address.strip_prefix("https://"))?;
    Some(rest.split(['/', ':', '?']).next().unwrap_or_default().to_owned())
}

fn texts(found: &Value) -> Vec<String> {
    found.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn pictures() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("screenshots/looks");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
