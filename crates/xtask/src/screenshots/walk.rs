use anyhow::{Result, bail};
use serde_json::json;

use super::Pictures;
use crate::product::{Product, wait_for};

const CUSTOMER: &str = "ada@example.com";
const SUBDOMAIN: &str = "bakery";

/// From the landing page to a workspace in use, then to the bill, then to the operator's console.
pub fn walk(product: &Product, pictures: &mut Pictures) -> Result<()> {
    let site = format!("http://{}", product.host(""));
    let workspace = format!("http://{}", product.host(SUBDOMAIN));
    for (owner, subdomain) in [("grace@example.org", "harbour"), ("mary@example.net", "orchard")] {
        product.provision(owner, subdomain)?;
    }
    pictures.take_at("landing", &site)?;
    pictures.take_at("pricing", &format!("{site}/pricing"))?;
    sign_up(pictures, &site)?;
    pictures.take_at("mailbox", &format!("{site}/mailbox"))?;
    sign_in(product, pictures, &workspace, SUBDOMAIN)?;
    use_workspace(pictures, &workspace)?;
    see_portal(product, pictures, &site)?;
    see_console(product, pictures, &site)
}

fn sign_up(pictures: &mut Pictures, site: &str) -> Result<()> {
    pictures.browser.go(&format!("{site}/signup"))?;
    pictures.browser.fill(&[
        ("name", "Ada Lovelace"),
        ("email", CUSTOMER),
        ("company", "Lovelace & Daughters"),
        ("subdomain", SUBDOMAIN),
        ("card_number", "4242 4242 4242 4242"),
        ("card_expiry", "08/39"),
        ("card_cvc", "123"),
        ("card_name", "Ada Lovelace"),
        ("agree_terms", "yes"),
        ("agree_privacy", "yes"),
        ("agree_acceptable_use", "yes"),
        ("agree_billing", "yes"),
    ])?;
    pictures.browser.wait_for("#subdomain_live:not(:empty)")?;
    pictures.take("signup")?;
    pictures.browser.send()?;
    pictures.browser.wait_for("[data-progress]")?;
    pictures.browser.wait_for("[data-progress][data-state=done]")?;
    // Asked for again, it comes without anything that still moves.
    let page = pictures.browser.run("return location.href", &[])?;
    pictures.take_at("progress", page.as_str().unwrap_or_default())
}

/// Through the door at an address, with the code from the mail.
fn sign_in(product: &Product, pictures: &mut Pictures, url: &str, name: &str) -> Result<()> {
    pictures.browser.go(url)?;
    pictures.take(&format!("{name}-sign-in"))?;
    let code = product.mailed_code(CUSTOMER, || {
        pictures.browser.fill(&[("email", CUSTOMER)])?;
        pictures.browser.send()?;
        pictures.browser.wait_for("#code")
    })?;
    pictures.take(&format!("{name}-code"))?;
    pictures.browser.fill(&[("email", CUSTOMER), ("code", &code)])?;
    pictures.browser.send()?;
    pictures.browser.wait_for("body:not(:has(#code))")
}

fn use_workspace(pictures: &mut Pictures, workspace: &str) -> Result<()> {
    let vision = "People in our street find bread without standing in a queue.\n\n\
                  - They **order the evening before**, on the phone.\n\
                  - They pick it up between six and eight, at the side door.\n\
                  - We bake what was ordered, and throw nothing away.\n";
    create(pictures, "/api/visions", &json!({ "title": "Bread without queues", "status": "agreed", "body": vision }))?;
    create(
        pictures,
        "/api/visions",
        &json!({ "title": "A cake for every birthday", "body": "Still being thought about." }),
    )?;
    let items = [
        ("Order bread for tomorrow", "doing", "must", 3),
        ("See what is left today", "ready", "should", 2),
        ("Pick a time at the side door", "ready", "must", 2),
        ("Pay when picking up", "done", "must", 1),
        ("Remember my usual order", "idea", "could", 2),
    ];
    for (title, status, priority, estimate) in items {
        let item = json!({
            "title": title, "status": status, "priority": priority, "estimate": estimate,
            "vision": "bread-without-queues",
            "story": "As a neighbour I want this in the evening, so that my morning is calm.",
            "criteria": ["[x] It works on a phone", "It takes less than a minute"],
        });
        create(pictures, "/api/backlog", &item)?;
    }
    pictures.take_at("workspace", workspace)?;
    pictures.take_at("workspace-vision", &format!("{workspace}/visions/bread-without-queues"))?;
    pictures.take_at("workspace-item", &format!("{workspace}/backlog/1"))?;
    pictures.take_at("workspace-new-item", &format!("{workspace}/new/item"))
}

/// Lets the page that is shown send something to its own application, as the person who is signed in.
fn create(pictures: &mut Pictures, path: &str, what: &serde_json::Value) -> Result<()> {
    let script = "
        const headers = { 'Content-Type': 'application/json' };
        return fetch(arguments[0], { method: 'POST', headers, body: JSON.stringify(arguments[1]) })
            .then((answer) => answer.status)";
    let status = pictures.browser.run(script, &[json!(path), what.clone()])?;
    if status != 201 {
        bail!("{path} answered {status} to {what}");
    }
    Ok(())
}

fn see_portal(product: &Product, pictures: &mut Pictures, site: &str) -> Result<()> {
    let portal = format!("{site}/portal");
    sign_in(product, pictures, &portal, "portal")?;
    pictures.take_at("portal-home", &portal)?;
    let instance = format!("{portal}/instances/{SUBDOMAIN}");
    // The first hour shows up when the guard has told of it.
    wait_for("the first hour on the bill", || {
        pictures.browser.go(&instance)?;
        let count = pictures.browser.run("return document.querySelectorAll('.hours details').length", &[])?;
        Ok((count != 0).then_some(()))
    })?;
    pictures.browser.run("document.querySelector('.hours details').open = true", &[])?;
    pictures.take("portal")?;
    pictures.take_at("portal-delete", &format!("{instance}/delete"))
}

fn see_console(product: &Product, pictures: &mut Pictures, site: &str) -> Result<()> {
    pictures.browser.go(&product.admin_link)?;
    pictures.take_at("console-overview", &format!("{site}/admin"))?;
    pictures.take_at("console", &format!("{site}/admin/instances"))?;
    for page in ["customers", "workflows", "audit"] {
        pictures.take_at(&format!("console-{page}"), &format!("{site}/admin/{page}"))?;
    }
    for page in ["instances", "workflows"] {
        pictures.browser.go(&format!("{site}/admin/{page}"))?;
        let script = "return document.querySelector(arguments[0])?.href ?? null";
        let first = pictures.browser.run(script, &[json!(format!("main a[href^='/admin/{page}/']"))])?;
        if let Some(url) = first.as_str() {
            pictures.take_at(&format!("console-one-of-{page}"), url)?;
        }
    }
    Ok(())
}
