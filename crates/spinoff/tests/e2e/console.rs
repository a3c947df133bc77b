//! The operator's side, in a browser: what there is, how it is, what happened, and what to do about
//! work that does not end.

use crate::support::browser::Browser;
use crate::support::server::Server;

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn the_printed_link_opens_a_console_that_shows_everything_as_it_was_seen() {
    let server = Server::start().await;
    server.provision(ADA, "engines");
    server.cli(&["members", "add", "engines", "ben@example.com"]).ok();
    let operator = Browser::open().await;
    let output = server.output();
    let printed = output.split_whitespace().find(|word| word.contains("/admin/enter?")).expect("a link is printed");
    operator.go(printed.trim_end_matches(';')).await;
    operator.arrive(&format!("{}/admin", server.url())).await;
    assert!(!operator.url().await.contains("token"), "the ticket does not stay in the address");
    operator.see("Overview").await;
    operator.see("1 Active instances").await;

    operator.press("Customers").await;
    operator.see(ADA).await;
    operator.press("Instances").await;
    operator.see(&server.host("engines")).await;
    sees_the_instance_live(&operator, &server).await;
    sees_every_step(&operator).await;
    operator.press("Audit log").await;
    for (what, who) in
        [("instance.requested", "api"), ("instance.activated", "provisioning"), ("member.invited", "api")]
    {
        let rows =
            operator.js("return [...document.querySelectorAll('tbody tr')].map((row) => row.innerText)", &[]).await;
        let found = rows.as_array().unwrap().iter().filter_map(|row| row.as_str());
        assert!(found.clone().any(|row| row.contains(what) && row.contains(who)), "{what} by {who}: {rows}");
    }
}

#[tokio::test]
async fn work_that_hangs_is_seen_tried_again_and_given_up() {
    let server = Server::with().app("sleep 1000").start().await;
    server.begin_provision(ADA, "engines");
    let operator = Browser::open().await;
    operator.go(&server.admin_link()).await;
    operator.press("Workflows").await;
    operator.see("Under way").await;
    operator.press("Provision").await;
    operator.see("wait until healthy").await;
    let step =
        "const row = [...document.querySelectorAll('tbody tr')].find((row) => row.innerText.includes(arguments[0]));
        return row ? row.innerText : ''";
    let waiting = async || operator.js(step, &["wait until healthy".into()]).await.as_str().unwrap().to_owned();
    operator
        .until("the step to fail once", async || {
            operator.reload().await;
            waiting().await.contains("does not answer yet")
        })
        .await;

    operator.press("Retry").await;
    operator.see("It goes on at the step that failed.").await;
    operator.press("Retry now").await;
    operator.see("Under way").await;
    operator.press("Abandon").await;
    operator.see("everything that was made so far is undone").await;
    operator.press("Back").await;
    operator.see("Under way").await;
    operator.press("Abandon").await;
    operator.press("Abandon and undo").await;
    operator
        .until("the end of the undoing", async || {
            operator.reload().await;
            operator.text().await.contains("Failed begun")
        })
        .await;
    operator.see("abandoned by").await;
    for undone in ["undo publish address", "undo create project"] {
        let row = operator.js(step, &[undone.into()]).await;
        assert!(row.as_str().unwrap().contains("Done"), "{undone}: {row}");
    }
    operator.press("Overview").await;
    operator.see("1 Failed").await;
    server.mail_to(ADA, "could not be made").await;
    assert_eq!(server.world().folders(), Vec::<String>::new());
    server.world().is_still().await;
}

#[tokio::test]
async fn the_console_is_for_operators_and_nobody_is_told_otherwise() {
    let server = Server::start().await;
    server.provision(ADA, "engines");
    let ada = Browser::open().await;
    ada.go(&format!("{}/admin/audit", server.url())).await;
    ada.arrive(&format!("{}/cdn-cgi/access/login", server.url())).await;
    ada.sign_in_as(&server, ADA).await;
    ada.see("There is nothing here").await;
    let instance = server.cli(&["instances", "show", "engines", "--json"]).ok().json();
    let (instance, workflow) = (instance["id"].as_str().unwrap(), instance["workflow_id"].as_str().unwrap());
    for path in [
        "/admin".to_owned(),
        "/admin/customers".to_owned(),
        "/admin/instances".to_owned(),
        format!("/admin/instances/{instance}"),
        "/admin/workflows".to_owned(),
        format!("/admin/workflows/{workflow}"),
        format!("/admin/workflows/{workflow}/abandon"),
        "/admin/audit".to_owned(),
    ] {
        ada.go(&format!("{}{path}", server.url())).await;
        assert_eq!(ada.status().await, 404, "{path}");
    }
    ada.go(&format!("{}/admin/enter?token=guessed", server.url())).await;
    assert_eq!(ada.status().await, 403);
    ada.go(&format!("{}/portal", server.url())).await;
    ada.see("My workspaces").await;
    assert!(!ada.text().await.contains("Console"));
}

async fn sees_the_instance_live(operator: &Browser, server: &Server) {
    operator
        .until("the first look at the instance", async || {
            operator.reload().await;
            operator.text().await.contains("Answering seen ")
        })
        .await;
    // Ages grow on a page that stays open; nothing is shown as newer than it is.
    operator.see("1 s ago").await;
    operator.press(&server.host("engines")).await;
    operator.see("ben@example.com").await;
    operator.see("by local driver").await;
    let victims = server.world().processes(Some("engines"));
    let victim = nix::unistd::Pid::from_raw(victims.first().unwrap().cast_signed());
    nix::sys::signal::kill(victim, nix::sys::signal::Signal::SIGKILL).unwrap();
    operator
        .until("the restart to be seen", async || {
            operator.reload().await;
            operator.text().await.contains("Restarts 1")
        })
        .await;
}

async fn sees_every_step(operator: &Browser) {
    operator.press("Provision").await;
    operator.see("begun").await;
    let states = "return [...document.querySelectorAll('tbody tr')].map((row) => row.cells[1].innerText.trim())";
    let states = operator.js(states, &[]).await;
    assert_eq!(states.as_array().unwrap().len(), 11, "{states}");
    assert!(states.as_array().unwrap().iter().all(|state| state == "Done"), "{states}");
}
