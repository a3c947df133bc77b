//! The whole way of a customer, in a browser: from the front page to a workspace that is used,
//! shared, paid for by the hour, and removed.

use serde_json::json;

use crate::support::browser::Browser;
use crate::support::server::Server;
use crate::support::visitor::Order;

const ADA: Order<'static> = Order {
    name: "Ada Lovelace",
    email: "ada@example.com",
    company: "Engines & Sons",
    subdomain: "engines",
    card: "4242 4242 4242 4242",
};
const BEN: &str = "ben@example.com";

#[tokio::test]
async fn a_customer_finds_orders_uses_shares_and_removes_a_workspace() {
    let server = Server::start().await;
    let ada = Browser::open().await;
    reads_what_it_costs(&ada, &server).await;
    orders_a_workspace(&ada, &server).await;
    comes_in_by_the_welcome_mail(&ada, &server).await;
    works_in_it(&ada, &server).await;
    sees_what_is_billed(&ada, &server).await;
    let ben = shares_it(&ada, &server).await;
    shuts_out(&ada, &ben, &server).await;
    removes_it(&ada, &server).await;
    finds_nothing_left(&ada, &server).await;
}

#[tokio::test]
async fn a_form_with_mistakes_comes_back_with_what_was_written_and_why() {
    let server = Server::start().await;
    server.provision("somebody@example.com", "taken-name");
    let browser = Browser::open().await;
    browser.go(&format!("{}/signup", server.url())).await;
    knows_which_names_are_free(&browser).await;

    browser.press("Make my workspace").await;
    browser.see("things need another look").await;
    assert_eq!(browser.status().await, 422);
    for (field, words) in [
        ("name", "Enter your name"),
        ("email", "e-mail"),
        ("card_number", "card number"),
        ("card_name", "name that stands on the card"),
        ("agreements", "accept all four"),
    ] {
        let said = browser.find(&format!("#{field}_error")).await.text().await.unwrap();
        assert!(said.contains(words), "{field}: {said:?}");
    }

    let declined = Order { card: "4000 0000 0000 0002", ..ADA };
    browser.fill_in(&declined).await;
    browser.press("Make my workspace").await;
    browser.see("refused this card; use another one").await;
    for (field, kept) in
        [("name", ADA.name), ("email", ADA.email), ("company", ADA.company), ("subdomain", ADA.subdomain)]
    {
        assert_eq!(browser.value(field).await, kept, "{field}");
    }
    assert!(browser.find("#agree_billing").await.is_selected().await.unwrap());
    for secret in ["card_number", "card_expiry", "card_cvc"] {
        assert_eq!(browser.value(secret).await, "", "{secret} is never sent back");
    }
    assert_eq!(server.cli(&["instances", "list", "--json"]).ok().json()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_order_sent_twice_makes_one_workspace() {
    let server = Server::start().await;
    let browser = Browser::open().await;
    browser.go(&format!("{}/signup", server.url())).await;
    browser.fill_in(&ADA).await;
    // The very same form, as two windows or an impatient browser would send it: at once.
    let twice = "(() => {
        const body = new URLSearchParams(new FormData(document.querySelector('form.signup')));
        const send = () => fetch('/signup', { method: 'POST', body }).then((answer) => answer.url);
        return Promise.all([send(), send()]);
    })()";
    let addresses = browser.js_later(twice).await;
    assert!(addresses[0].as_str().unwrap().contains("/signup/wfl_"), "{addresses}");
    assert_eq!(addresses[0], addresses[1]);
    browser.press("Make my workspace").await;
    browser.see("Your workspace is ready").await;
    assert_eq!(json!(browser.url().await), addresses[0]);
    let instances = server.cli(&["instances", "list", "--json"]).ok().json();
    assert_eq!(instances["data"].as_array().unwrap().len(), 1, "{instances}");
    assert_eq!(server.world().guards(ADA.subdomain), 1);
    let welcomes = server.mails_to(ADA.email).await;
    assert_eq!(welcomes.len(), 1, "{welcomes:?}");
}

async fn knows_which_names_are_free(browser: &Browser) {
    for (name, said, free) in [
        ("taken-name", "is taken", "no"),
        ("admin", "reserved", "no"),
        ("a.b", "letters", "no"),
        ("engines", "is free", "yes"),
    ] {
        browser.fill("subdomain", name).await;
        browser
            .until(&format!("{name} to be called {said:?}"), async || {
                let live = browser.find("#subdomain_live").await;
                live.text().await.unwrap().contains(said)
                    && live.attr("data-available").await.unwrap().as_deref() == Some(free)
            })
            .await;
    }
    browser.fill("subdomain", "").await;
}

async fn reads_what_it_costs(ada: &Browser, server: &Server) {
    ada.go(&server.url()).await;
    let total = async || ada.find(".calculator output").await.text().await.unwrap();
    let number = ada.find("#hours_number").await;
    number.clear().await.unwrap();
    number.send_keys("30").await.unwrap();
    ada.until("30 hours to cost $35.00", async || total().await == "$35.00").await;
    assert_eq!(ada.find("#hours").await.prop("value").await.unwrap().as_deref(), Some("30"));
    ada.find("#hours").await.send_keys(thirtyfour::Key::Right + "").await.unwrap();
    ada.until("an hour more to cost a dollar more", async || total().await == "$36.00").await;
    ada.press("Get a workspace").await;
    ada.arrive(&format!("{}/signup", server.url())).await;
}

async fn orders_a_workspace(ada: &Browser, server: &Server) {
    ada.see("nothing is charged").await;
    ada.fill_in(&ADA).await;
    ada.see(&format!("{} is free", server.host("engines"))).await;
    ada.press("Make my workspace").await;
    ada.arrive(&format!("{}/signup/wfl_", server.url())).await;
    // In the middle or after it: the page is the same whenever it is loaded.
    ada.reload().await;
    ada.see("Your workspace is ready").await;
    let steps = "return [...document.querySelectorAll('.steps li')].map((li) =>
        [li.dataset.step, li.dataset.state, li.querySelector('[data-took]').textContent])";
    let live = ada.js(steps, &[]).await;
    assert_eq!(live.as_array().unwrap().len(), 11, "{live}");
    for step in live.as_array().unwrap() {
        assert_eq!(step[1], "done", "{step}");
        assert!(step[2].as_str().unwrap().ends_with(" s"), "{step} has a duration");
    }
    assert!(ada.text().await.contains("11 of 11 steps"));
    ada.reload().await;
    ada.see("Your workspace is ready").await;
    assert_eq!(ada.js(steps, &[]).await, live, "after a reload it reads the same");
}

async fn comes_in_by_the_welcome_mail(ada: &Browser, server: &Server) {
    let home = format!("http://engines.localhost:{}/", server.port());
    ada.press("Read it in the mailbox").await;
    ada.see("workspace is ready").await;
    ada.press("Your").await;
    ada.see("to ada@example.com").await;
    let before = ada.tabs().await;
    ada.enter_frame("iframe").await;
    ada.press("Open your workspace").await;
    ada.leave_frame().await;
    ada.follow_to_new_tab(&before).await;
    ada.arrive(&format!("{home}cdn-cgi/access/login")).await;
    ada.ask_for_code(ADA.email).await;

    let door = ada.tab().await;
    let before = ada.tabs().await;
    ada.press("open the mailbox").await;
    ada.follow_to_new_tab(&before).await;
    let words = format!("is your code for engines.localhost:{}", server.port());
    ada.until("the code to arrive", async || {
        ada.reload().await;
        ada.text().await.contains(&words)
    })
    .await;
    let subject = ada.find(".mails li a").await.text().await.unwrap();
    let (code, rest) = subject.split_at(6);
    assert_eq!(rest.trim(), words);
    ada.switch_to(&door).await;

    ada.give_code(if code == "000000" { "111111" } else { "000000" }).await;
    ada.see("That is not the code we sent. 4 tries are left.").await;
    ada.give_code(code).await;
    ada.see("Your notebook").await;
    assert_eq!(ada.url().await, home);
}

async fn works_in_it(ada: &Browser, server: &Server) {
    ada.see(ADA.email).await;
    ada.press("Write your first vision").await;
    ada.fill("title", "Orders without the phone").await;
    ada.fill("body", "Customers order cakes **by themselves**.").await;
    ada.press("Save").await;
    ada.see("Customers order cakes by themselves.").await;
    ada.press("Add an item").await;
    ada.fill("title", "A form for orders").await;
    ada.fill("criteria", "A date in the past is refused").await;
    ada.press("Save").await;
    ada.see("A date in the past is refused").await;
    ada.go(&format!("http://engines.localhost:{}/", server.port())).await;
    ada.see("1 vision and 1 backlog item").await;
    ada.see("Orders without the phone").await;
    ada.see("A form for orders").await;
    ada.see("by ada@example.com").await;
}

async fn sees_what_is_billed(ada: &Browser, server: &Server) {
    ada.go(&format!("{}/portal", server.url())).await;
    ada.sign_in_as(server, ADA.email).await;
    ada.see("My workspaces").await;
    ada.press("Details").await;
    ada.arrive(&format!("{}/portal/instances/engines", server.url())).await;
    ada.until("the first hour with its evidence", async || {
        ada.reload().await;
        let hour = ada.js("return document.querySelector('.hours details')?.innerText || ''", &[]).await;
        hour.as_str().is_some_and(|hour| !hour.is_empty())
    })
    .await;
    ada.find(".hours summary").await.click().await.unwrap();
    ada.see("a member was active").await;
    // A test that runs across a full hour has used two.
    let text = ada.text().await;
    assert!(text.contains("$6.00") || text.contains("$7.00"), "{text}");
    ada.see("Total for").await;
}

async fn shares_it(ada: &Browser, server: &Server) -> Browser {
    ada.fill("email", "not an address").await;
    ada.js("document.querySelector('#invite').form.noValidate = true", &[]).await;
    ada.press("Invite").await;
    ada.find("#invite_error").await;
    assert_eq!(ada.value("email").await, "not an address");
    ada.fill("email", BEN).await;
    ada.press("Invite").await;
    ada.see(BEN).await;

    let invitation = server.mail_to(BEN, "You are invited to engines.localhost").await;
    let ben = Browser::open().await;
    ben.go(invitation.links()[0]).await;
    ben.sign_in_as(server, BEN).await;
    ben.see("Orders without the phone").await;
    sees_changes_of_others_at_once(&ben, ada, server).await;
    ben.press("A form for orders").await;
    ben.press("Doing").await;
    ben.see("Saved as version 2.").await;
    ben.see("by ben@example.com").await;
    ben
}

async fn sees_changes_of_others_at_once(ben: &Browser, ada: &Browser, server: &Server) {
    let portal = ada.url().await;
    ada.go(&format!("http://engines.localhost:{}/new/vision", server.port())).await;
    ada.fill("title", "Cakes to the door").await;
    ada.press("Save").await;
    ada.see("Draft").await;
    // Nothing was pressed or loaded here: an event brought it.
    ben.see("ada@example.com changed a vision.").await;
    ben.see("Cakes to the door").await;
    ada.go(&portal).await;
}

async fn shuts_out(ada: &Browser, ben: &Browser, server: &Server) {
    let inside = format!("http://engines.localhost:{}/", server.port());
    ben.go(&inside).await;
    ben.see("Your notebook").await;
    ada.press("Remove ben@example.com").await;
    ada.see("can then no longer enter").await;
    ada.press("Remove member").await;
    ada.arrive(&format!("{}/portal/instances/engines", server.url())).await;
    // The hours of which they were part still name them.
    let members = ada.find("section[aria-labelledby=members]").await.text().await.unwrap();
    assert!(!members.is_empty() && !members.contains(BEN), "{members}");

    ben.press("A form for orders").await;
    ben.see("You can't enter here").await;
    assert_eq!(ben.status().await, 403);
    let mails = server.mails_to(BEN).await.len();
    ben.press("Sign in with another address").await;
    ben.ask_for_code(BEN).await;
    ben.give_code("123456").await;
    ben.find("#code_error").await;
    assert_eq!(server.mails_to(BEN).await.len(), mails, "no code is mailed to somebody who was removed");
}

async fn removes_it(ada: &Browser, server: &Server) {
    ada.press("Delete workspace").await;
    ada.see("To confirm, type engines").await;
    ada.fill("confirmation", "engine").await;
    ada.press("Delete for good").await;
    ada.find("#confirmation_error").await;
    assert_eq!(server.cli(&["instances", "show", "engines", "--json"]).ok().json()["state"], "active");
    ada.fill("confirmation", "engines").await;
    ada.press("Delete for good").await;
    ada.arrive(&format!("{}/portal/instances/engines/deletion", server.url())).await;
    // Either it is still under way and followed live, or it is over already.
    ada.until("the end of the removal", async || {
        let text = ada.text().await;
        text.contains("The workspace is gone") || text.contains("What was removed")
    })
    .await;
    ada.go(&format!("{}/portal/instances/engines/deletion", server.url())).await;
    ada.see("What was removed").await;
    ada.see("Asked for by ada@example.com").await;
    let rows = ada.js("return [...document.querySelectorAll('tbody tr')].map((row) => row.innerText)", &[]).await;
    let record = rows.to_string();
    for removed in ["data folder", "engines.localhost", "subscription", "member list"] {
        assert!(record.contains(removed), "{removed} is missing in {record}");
    }
    assert!(!record.contains('/'), "the record tells where on the operator's machine it was: {record}");
}

async fn finds_nothing_left(ada: &Browser, server: &Server) {
    let mail = server.mail_to(ADA.email, "was removed").await;
    ada.go(mail.links()[0]).await;
    ada.see("What was removed").await;
    ada.press("My workspaces").await;
    ada.see("You have no workspace yet").await;
    ada.go(&format!("http://engines.localhost:{}/", server.port())).await;
    ada.see("There is no workspace at this address").await;
    assert_eq!(ada.status().await, 404);
    let instance = server.cli(&["instances", "list", "--json"]).ok().json();
    assert_eq!(instance["data"].as_array().map_or(0, Vec::len), 0, "{instance}");
    assert_eq!(server.world().folders(), Vec::<String>::new());
    server.world().is_still().await;
    let said = server.site("/signup/availability?subdomain=engines").send().await.unwrap().text().await.unwrap();
    assert!(said.contains("\"available\":true"), "{said}");
}
