//! Every page: by day and by night with axe, which finds nothing to complain about; and on a phone, where
//! nothing sticks out.

use serde_json::json;

use crate::axe::Axe;
use crate::browser::Browser;
use crate::program::{Home, Program, REHEARSAL};
use crate::visit::{VISION, item_name};

const THEMES: [&str; 2] = ["light", "dark"];
const PHONE: u32 = 390;

/// Brings everything that moves to its end, such as the change from day to night.
const STILL: &str = "for (const moving of document.getAnimations()) {
        if (moving.effect.getComputedTiming().endTime < Infinity) moving.finish();
    }";

/// What sticks out of a page of this width, apart from what can be scrolled by itself.
const STICKS_OUT: &str = r#"
    if (document.documentElement.scrollWidth <= arguments[0]) return [];
    const out = [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > arguments[0]);
    return [`${document.documentElement.scrollWidth} wide`, ...out.slice(0, 5).map((e) => e.outerHTML.slice(0, 120))];"#;

/// What is wrong with the page that is open.
async fn faults(browser: &Browser, axe: Option<&Axe>) -> Vec<String> {
    let mut faults = Vec::new();
    for theme in THEMES {
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": theme}]});
        browser.devtools("Emulation.setEmulatedMedia", media).await;
        browser.js(STILL, &[]).await;
        if let Some(axe) = axe {
            faults.extend(axe.complaints(browser).await.into_iter().map(|found| format!("{theme}: {found}")));
        }
    }
    let phone = json!({"width": PHONE, "height": 844, "deviceScaleFactor": 1, "mobile": true});
    browser.devtools("Emulation.setDeviceMetricsOverride", phone).await;
    let out = browser.js(STICKS_OUT, &[json!(PHONE)]).await;
    faults.extend(out.as_array().unwrap().iter().map(|out| format!("phone: {out}")));
    browser.devtools("Emulation.clearDeviceMetricsOverride", json!({})).await;
    faults
}

/// Looks at pages, and fails telling everything that is wrong with any of them.
async fn look_at(program: &Program, paths: &[String]) {
    let (browser, axe) = (Browser::open().await, Axe::find());
    let mut found = Vec::new();
    for path in paths {
        browser.go(&format!("{}{path}", program.address)).await;
        found.extend(faults(&browser, axe.as_ref()).await.into_iter().map(|fault| format!("{path}: {fault}")));
        let missing = browser.status().await == 404;
        let complaints = browser.complaints().await.into_iter();
        found.extend(complaints.filter(|_| !missing).map(|said| format!("{path}: console: {said}")));
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn pages_with_nothing_on_them_yet() {
    let home = Home::new();
    let program = home.start(&[]).await;
    let paths = ["/", "/meetings", "/sprints", "/app", "/decisions", "/search", "/settings", "/deleted", "/nowhere"];
    let forms = ["/new/vision", "/new/item"];
    look_at(&program, &paths.iter().chain(&forms).map(ToString::to_string).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn pages_of_documents_and_meetings() {
    let home = Home::new();
    let program = home.start(&REHEARSAL).await;
    program.write_stories(3).await;
    let item = item_name(1);
    program.send(&format!("/backlog/{item}/status"), &[("status", "doing")]).await;
    program.send("/visions", &[("title", "To be deleted")]).await;
    let based_on = field(&program.page("/visions/to-be-deleted/deletion").await, "based_on");
    program.send("/visions/to-be-deleted/deletion", &[("based_on", &based_on)]).await;
    for (kind, meeting, words) in
        [("vision", "/meetings/M-1", "I will write the vision"), ("planning", "/meetings/M-2", "Then start the sprint")]
    {
        program.send("/meetings", &[("kind", kind), ("vision", VISION.0)]).await;
        program.send(&format!("{meeting}/messages"), &[("text", "What do you think?")]).await;
        program.see(meeting, words).await;
    }
    program.send("/meetings/M-1/messages", &[("text", "Write it.")]).await;
    program.see("/meetings/M-1", "Your click decides").await;
    let seen = field(&program.page("/meetings/M-2").await, "seen");
    program.send("/meetings/M-2/proposals/1/approval", &[("seen", &seen)]).await;
    let vision = format!("/visions/{}", VISION.0);
    let mut paths = vec!["/".to_owned(), "/decisions".to_owned(), "/search?q=milk".to_owned(), "/deleted".to_owned()];
    paths.extend(["", "/edit", "/file", "/history", "/history/1", "/deletion"].map(|part| format!("{vision}{part}")));
    paths.extend(["", "/edit", "/file", "/history", "/history/1"].map(|part| format!("/backlog/{item}{part}")));
    paths.push(format!("/backlog/{item}/history/comparison?from=1&to=2"));
    paths.extend(["/meetings", "/meetings/M-1", "/meetings/M-2", "/settings"].map(str::to_owned));
    look_at(&program, &paths).await;
}

#[tokio::test]
async fn pages_of_sprints_and_projects() {
    let home = Home::new();
    let program = home.start(&REHEARSAL).await;
    program.write_stories(3).await;
    program.send("/backlog", &[("title", "Unclear"), ("vision", VISION.0)]).await;
    program.plan(&[1, 2], "3").await;
    program.send("/sprints/1/start", &[]).await;
    program.see("/sprints/1", "finished").await;
    program.plan(&[3], "3").await;
    let project = format!("/projects/{}", VISION.0);
    let page = program.page(&project).await;
    let states: Vec<String> = page.split("/states/").skip(1).map(|rest| rest[..40].to_owned()).collect();
    let mut paths: Vec<String> =
        ["/sprints", "/sprints/1", "/sprints/2", "/sprints/1/stories/2", "/commands/2", "/app"]
            .map(str::to_owned)
            .into();
    paths.push(format!("/sprints/new?vision={}", VISION.0));
    paths.extend(states.iter().map(|state| format!("{project}/states/{state}")));
    paths.push(project);
    look_at(&program, &paths).await;
}

/// The value of a field that a page holds.
fn field(page: &str, name: &str) -> String {
    let value = page.split(&format!("name=\"{name}\" value=\"")).nth(1).and_then(|rest| rest.split('"').next());
    value.unwrap_or_else(|| panic!("no field {name}: {page}")).to_owned()
}
