//! A bill that explains itself, in a browser: hours and what shows them, a contest that is heard, papers, and a cap that
//! closes a workspace and opens it again.

use std::process::Command;

use serde_json::{Value, json};
use thirtyfour::Key;

use crate::looks::look;
use crate::support::browser::Browser;
use crate::support::server::Server;

const ADA: &str = "ada@example.com";
const PHONE: u64 = 390;

/// How wide the page is, beyond the screen if anything sticks out of it.
const WIDTH: &str = "return Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)";

#[tokio::test]
async fn an_hour_explains_itself_is_contested_by_keyboard_and_waived() {
    let server = Server::with().billed_by_anniversary().start().await;
    server.provision(ADA, "engines");
    server.grows_old().await;
    for hours_ago in [800, 801, 802, 26] {
        server.was_used("engines", hours_ago).await;
    }
    let hour = server.was_used("engines", 25).await;
    server.cli(&["billing", "close"]).ok();

    let ada = Browser::open().await;
    ada.go(&format!("{}/portal/instances/engines/bills", server.url())).await;
    ada.sign_in_as(&server, ADA).await;
    ada.see("This period so far").await;
    ada.see("Hours used 2").await;
    let address = format!("/portal/instances/engines/bills/hours/{}", hour.get());
    contests_by_keyboard(&ada, &server, &address).await;
    let before = server.cli(&["usage", "hour", "engines", &hour.start().to_string(), "--json"]).ok().json();
    assert_eq!((&before["charge"], &before["contest"]["author"]), (&json!("coming"), &json!(ADA)), "{before}");
    is_heard_in_the_console(&server).await;
    sees_it_waived(&ada, &server, &address).await;

    let after = server.cli(&["usage", "hour", "engines", &hour.start().to_string(), "--json"]).ok().json();
    assert_eq!((&after["charge"], &after["contest"]["state"]), (&json!("waived"), &json!("accepted")), "{after}");
    assert_eq!(server.cli(&["spending", "show", "engines", "--json"]).ok().json()["amount"], 600);
    reads_the_papers(&ada, &server).await;
}

#[tokio::test]
async fn a_cap_is_set_reached_explained_and_raised_on_a_phone() {
    let server = Server::with().billed_by_anniversary().start().await;
    server.provision(ADA, "engines");
    server.grows_old().await;
    server.was_used("engines", 25).await;
    server.was_used("engines", 24).await;

    let ada = Browser::open().await;
    let phone = json!({"width": PHONE, "height": 844, "deviceScaleFactor": 1, "mobile": true});
    ada.devtools("Emulation.setDeviceMetricsOverride", phone).await;
    let bills = format!("{}/portal/instances/engines/bills", server.url());
    ada.go(&bills).await;
    ada.sign_in_as(&server, ADA).await;
    sets_a_cap_after_reading_what_it_means(&ada, &bills).await;

    server.was_used("engines", 2).await;
    keeps_a_budget(&ada, &server).await;
    is_told_why_it_is_closed(&ada, &server, &bills).await;
    raises_it_and_works_on(&ada, &server, &bills).await;
}

async fn contests_by_keyboard(ada: &Browser, server: &Server, address: &str) {
    ada.tab_to_link(address).await;
    ada.keys(Key::Enter + "").await;
    ada.arrive(&format!("{}{address}", server.url())).await;
    ada.see("It will stand on your next invoice, for $1.00 before taxes.").await;
    ada.see("A member was active: ada@example.com").await;
    ada.see("last at").await;
    ada.see("7 times").await;
    look(ada, "hour").await;
    ada.tab_to_field("reason").await;
    ada.keys("Nobody was at work: it was a holiday.").await;
    ada.tab_to("Contest this hour").await;
    ada.keys(Key::Enter + "").await;
    ada.see("Waits for an answer").await;
    ada.see("Nobody was at work: it was a holiday.").await;
    // A page that is left open and sent once more contests nothing twice.
    ada.reload().await;
    ada.see("Waits for an answer").await;
}

async fn is_heard_in_the_console(server: &Server) {
    let open = server.cli(&["contests", "list", "--state", "open"]).ok();
    assert!(open.out.contains("it was a holiday"), "{open:?}");
    let operator = Browser::open().await;
    operator.go(&server.admin_link()).await;
    operator.press("Money").await;
    operator.see("Nobody was at work: it was a holiday.").await;
    operator.see("a member was active").await;
    look(&operator, "console-money").await;
    operator.fill("answer", "You are right, and we are sorry.").await;
    operator.press("Accept: waive the hour").await;
    operator.see("waits for your answer").await;
    assert!(!operator.text().await.contains("it was a holiday"), "it is answered");
}

async fn sees_it_waived(ada: &Browser, server: &Server, address: &str) {
    let mail = server.mail_to(ADA, "Not charged: ").await;
    assert!(mail.text.contains("You are right, and we are sorry."), "{}", mail.text);
    ada.reload().await;
    ada.see("You were right").await;
    ada.see("It is not charged, and never will be.").await;
    ada.see("You are right, and we are sorry.").await;
    ada.press("Bills of").await;
    ada.see("waived, costs nothing").await;
    let class = "return document.querySelector(`.days a[href='${arguments[0]}']`).innerText";
    let shown = ada.js(class, &[json!(address)]).await;
    assert!(shown.as_str().unwrap().contains("waived"), "{shown}");
    ada.see("Hours used 1").await;
    look(ada, "bills").await;
}

async fn reads_the_papers(ada: &Browser, server: &Server) {
    let listed = server.cli(&["invoices", "list", "--json"]).ok().json();
    let [invoice] = listed["data"].as_array().unwrap().as_slice() else { panic!("{listed}") };
    let number = invoice["number"].as_str().unwrap();
    assert_eq!(invoice["total"], 800, "base fee and three hours: {listed}");
    ada.press(number).await;
    ada.see(&format!("Invoice {number}")).await;
    ada.see("Base fee").await;
    ada.see("$8.00").await;
    ada.see("Its hours in").await;
    look(ada, "invoice").await;
    let billed = ada.js("return document.querySelector('.days a').getAttribute('href')", &[]).await;
    ada.tab_to_link(billed.as_str().unwrap()).await;
    ada.keys(Key::Enter + "").await;
    ada.see(&format!("It stands on invoice {number}, for $1.00")).await;
    ada.see("Contest this hour").await;
    ada.press(number).await;
    ada.see("Its hours in").await;

    let pdf = fetched(ada, "PDF").await;
    assert_eq!(pdf["type"], "application/pdf", "{pdf}");
    let name = format!("attachment; filename=\"invoice-{number}.pdf\"");
    assert_eq!((&pdf["name"], &pdf["begins"]), (&json!(name), &json!("%PDF-")), "{pdf}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("invoice.pdf");
    server.cli(&["invoices", "save", number, file.to_str().unwrap()]).ok();
    assert_eq!(json!(std::fs::metadata(&file).unwrap().len()), pdf["size"], "the same paper for both");
    reads_what_is_printed(&file, &[number, "Base fee", "$8.00"]);

    let csv = fetched(ada, "CSV").await;
    assert_eq!(csv["type"], "text/csv; charset=utf-8", "{csv}");
    let rows = csv["text"].as_str().unwrap().lines().filter(|row| row.starts_with(&format!("{number},hour,"))).count();
    assert_eq!(rows, 3, "{csv}");
}

/// What the link that reads so leads to, as the page itself gets it.
async fn fetched(ada: &Browser, words: &str) -> Value {
    let script = format!(
        "(async () => {{
            const link = [...document.querySelectorAll('a[href]')].find((a) => a.innerText.trim() === '{words}');
            const answer = await fetch(link.href);
            const bytes = new Uint8Array(await answer.arrayBuffer());
            const text = new TextDecoder().decode(bytes);
            return {{ type: answer.headers.get('content-type'), name: answer.headers.get('content-disposition'),
                begins: text.slice(0, 5), text: '{words}' === 'CSV' ? text : '', size: bytes.length }};
        }})()"
    );
    ada.js_later(&script).await
}

/// Machines without the program that reads them check no more than that it is a PDF.
fn reads_what_is_printed(file: &std::path::Path, words: &[&str]) {
    let Ok(read) = Command::new("pdftotext").arg("-layout").arg(file).arg("-").output() else { return };
    let text = String::from_utf8_lossy(&read.stdout).into_owned();
    assert!(read.status.success() && words.iter().all(|words| text.contains(words)), "{words:?} in {text}");
}

async fn sets_a_cap_after_reading_what_it_means(ada: &Browser, bills: &str) {
    ada.see("There is none: your workspace is open for as many hours as you use.").await;
    fits_the_phone(ada).await;
    ada.press("Set one").await;
    ada.find("#cap_hours_chosen").await.click().await.unwrap();
    ada.fill("hours", "many").await;
    ada.press("See what it means").await;
    ada.see("is not a number of hours").await;
    assert_eq!(ada.value("hours").await, "many");
    ada.fill("hours", "3").await;
    ada.press("See what it means").await;
    ada.see("You are charged for at most 3 hours in each period.").await;
    for consequence in ["closes at the end of the hour that is running", "Your data is kept.", "interrupted"] {
        ada.see(consequence).await;
    }
    fits_the_phone(ada).await;
    ada.press("Back").await;
    ada.see("There is none: your workspace is open").await;
    ada.press("Set one").await;
    ada.find("#cap_hours_chosen").await.click().await.unwrap();
    ada.fill("hours", "3").await;
    ada.press("See what it means").await;
    ada.press("Set it").await;
    ada.arrive(bills).await;
    ada.see("You are charged for at most 3 hours in each period.").await;
    assert!(!ada.text().await.contains("Reached"), "two of three hours are used");
}

/// Saving it also looks at once at what is spent, which the server by itself does every minute.
async fn keeps_a_budget(ada: &Browser, server: &Server) {
    // The cap has a field for an amount too.
    let amount = ada.find("#budget_amount").await;
    amount.clear().await.unwrap();
    amount.send_keys("8.00").await.unwrap();
    ada.press("Save budget").await;
    let mail = server.mail_to(ADA, "100 % of your budget").await;
    assert!(mail.text.contains("$8.00"), "{}", mail.text);
}

async fn is_told_why_it_is_closed(ada: &Browser, server: &Server, bills: &str) {
    let inside = format!("http://{}/", server.host("engines"));
    ada.until("the workspace to be closed", async || {
        ada.go(&inside).await;
        ada.text().await.contains("This workspace is suspended")
    })
    .await;
    assert_eq!(ada.status().await, 503);
    fits_the_phone(ada).await;
    ada.go(&format!("{}/portal/instances/engines", server.url())).await;
    ada.see("The spending cap that you set is reached.").await;
    fits_the_phone(ada).await;
    server.mail_to(ADA, "The spending cap of").await;
    ada.go(bills).await;
    ada.see("Reached You are charged for at most 3 hours in each period.").await;
    let shown = server.cli(&["spending", "show", "engines", "--json"]).ok().json();
    assert_eq!(shown["cap"]["reached"], true, "{shown}");
}

async fn raises_it_and_works_on(ada: &Browser, server: &Server, bills: &str) {
    ada.press("Change or remove it").await;
    ada.fill("hours", "50").await;
    ada.press("See what it means").await;
    ada.press("Set it").await;
    ada.arrive(bills).await;
    ada.see("You are charged for at most 50 hours in each period.").await;
    let inside = format!("http://{}/", server.host("engines"));
    ada.until("the workspace to be open", async || {
        ada.go(&inside).await;
        ada.text().await.contains("We mail you a code")
    })
    .await;
    server.until_healthy("engines").await;
    ada.sign_in_as(server, ADA).await;
    ada.see("Your notebook").await;
}

async fn fits_the_phone(ada: &Browser) {
    let width = ada.js(WIDTH, &[]).await;
    assert!(width.as_u64().is_some_and(|width| width <= PHONE), "{width} wide at {}", ada.url().await);
}
