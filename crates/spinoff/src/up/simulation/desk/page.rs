//! The desk as a page, which works without scripts.

use std::fmt::{Display, Write as _};

use jiff::Timestamp;

use super::overview::{Api, AtCloudflare, AtRailway, AtStripe, Object, Overview};
use crate::up::simulation::answers::escaped;

/// The buttons that every provider has.
const FAULTS: [(&str, &str); 5] = [
    ("503", "Next call: error 503"),
    ("429", "Next call: too many (429)"),
    ("reset-before", "Next call: break before its effect"),
    ("reset-after", "Next call: break after its effect"),
    ("clear", "No faults any more"),
];

/// The whole page.
pub fn render(overview: &Overview, product: &str, now: Timestamp) -> String {
    let css = pages::assets().first().map_or("", |asset| asset.path.as_str());
    let product = escaped(product);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <link rel=\"stylesheet\" href=\"{css}\"><title>Simulation · {product}</title></head>\
         <body class=\"console\"><main><div class=\"page-head\"><h1>Simulation</h1>\
         <p class=\"lead\">What the simulated providers hold at {now}. Nothing here is real, and all of it is gone \
         with the next start. <a href=\"/-/simulation\">Look again</a> · <a href=\"/\">Site</a> · \
         <a href=\"/mailbox\">Mailbox</a></p></div>{}{}{}</main></body></html>\n",
        railway(&overview.railway),
        cloudflare(&overview.cloudflare),
        stripe(&overview.stripe),
    )
}

fn railway(held: &AtRailway) -> String {
    let rows = held.projects.iter().map(|project| {
        let hostnames = project.hostnames.iter().map(|hostname| {
            let state = if hostname.is_verified { "verified" } else { "waits for verification" };
            format!("{} ({state})", hostname.name)
        });
        let fate = if project.is_scheduled_for_deletion { "to be deleted" } else { "kept" };
        vec![
            project.name.clone(),
            project.description.clone(),
            project.deployment.unwrap_or("nothing deployed").to_owned(),
            project.volumes.to_string(),
            hostnames.collect::<Vec<_>>().join(", "),
            fate.to_owned(),
        ]
    });
    let titles = ["Project", "Mark", "Deployment", "Volumes", "Hostnames", "Fate"];
    let body = table("Projects", &titles, rows.collect());
    section("railway", "Railway", &body, &[], &held.api)
}

fn cloudflare(held: &AtCloudflare) -> String {
    let rows = held.records.iter().map(|record| {
        let way = if record.proxied { "through Access" } else { "plain" };
        let comment = record.comment.clone().unwrap_or_default();
        vec![format!("{} {}", record.kind, record.name), record.content.clone(), way.to_owned(), comment]
    });
    let mut body = table("DNS records", &["Record", "Content", "Way", "Mark"], rows.collect());
    for (title, list) in [
        ("Protected by Access", &held.applications),
        ("Let through by its policies", &held.let_in),
        ("Seats taken", &held.seats),
    ] {
        let _ = write!(body, "<p><b>{title}:</b> {}</p>", listed(list));
    }
    section("cloudflare", "Cloudflare", &body, &[], &held.api)
}

fn stripe(held: &AtStripe) -> String {
    let rows = |objects: &[Object]| {
        objects.iter().map(|held| vec![held.id.clone(), held.about.clone(), held.status.clone()]).collect::<Vec<_>>()
    };
    let mut body = table("Subscriptions", &["Subscription", "Instance", "Status"], rows(&held.subscriptions));
    body += &table("Open payment pages", &["Page", "Instance", "Status"], rows(&held.open_checkouts));
    body += &table("Invoices", &["Invoice", "Total", "Status"], rows(&held.invoices));
    let customers: Vec<String> = held.customers.iter().map(|customer| customer.about.clone()).collect();
    let _ = write!(body, "<p><b>Customers:</b> {}</p>", listed(&customers));
    let _ = write!(body, "<p><b>Events that wait for delivery:</b> {}</p>", held.webhooks_waiting);
    let more = [
        ("lose", "Lose all events from now on"),
        ("deliver", "Deliver events again"),
        ("decline", "Decline the cards of all customers"),
        ("accept", "Accept them again"),
        ("dispute", "Let a bank dispute the last payment"),
        ("bank-for-customer", "Disputes: the bank keeps the money"),
        ("bank-for-us", "Disputes: the payment stands"),
    ];
    section("stripe", "Stripe", &body, &more, &held.api)
}

fn section(id: &str, name: &str, body: &str, more: &[(&str, &str)], api: &Api) -> String {
    let own = [("revoke", "Revoke our token"), ("restore", "Give our token back")];
    let buttons = FAULTS.iter().chain(&own).chain(more).fold(String::new(), |mut all, (button, words)| {
        let _ = write!(
            all,
            "<form method=\"post\" action=\"/-/simulation/{id}/{button}\">\
             <button class=\"button quiet small\">{words}</button></form>"
        );
        all
    });
    let calls = api.latest_calls.iter().map(|call| vec![call.at.clone(), call.operation.clone(), call.outcome.clone()]);
    let calls = table("Last calls, newest first", &["At", "Operation", "Answer"], calls.collect());
    format!(
        "<section class=\"card\" aria-labelledby=\"{id}\"><h2 id=\"{id}\">{name}</h2>{body}\
         <div class=\"actions\">{buttons}</div><details><summary>{}</summary>{calls}</details></section>",
        escaped(&format!("Calls of {}", api.url)),
    )
}

fn table(title: &str, head: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return format!("<p><b>{title}:</b> none</p>");
    }
    let titles: String = head.iter().map(|title| format!("<th scope=\"col\">{title}</th>")).collect();
    let row = |cells: Vec<String>| {
        let cells = head.iter().zip(cells);
        let cells = cells.map(|(title, cell)| format!("<td data-label=\"{title}\">{}</td>", escaped(&cell)));
        format!("<tr>{}</tr>", cells.collect::<String>())
    };
    let rows: String = rows.into_iter().map(row).collect();
    format!("<p><b>{title}</b></p><table class=\"rows\"><thead><tr>{titles}</tr></thead><tbody>{rows}</tbody></table>")
}

fn listed<T: Display>(list: &[T]) -> String {
    if list.is_empty() {
        return "nobody".to_owned();
    }
    escaped(&list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
}
