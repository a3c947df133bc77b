use super::{Fill, Sample, before, sample};
use domain::{AlertState, Impact, IncidentState, Severity};
use pages::console::{AlertRow, ConsoleAlerts, ConsoleIncident, ConsoleIncidents, IncidentForm};
use pages::mail::{ConfirmSubscription, IncidentUpdate};
use pages::{Area, ComponentRow, Condition, IncidentView, Status, StatusCounts, StatusFeed, Subscription, UpdateView};

pub fn status(fill: Fill, counts: Option<StatusCounts>) -> Status {
    let row = |name: &str, condition, note: Option<String>, seen: i64| ComponentRow {
        name: fill.text(name),
        condition,
        note,
        observed_at: fill.option(before(seen)),
    };
    Status {
        shell: fill.shell("Status", Area::Site),
        components: vec![
            row("Site and portal", Condition::Fine, None, 0),
            row("Workspaces", Condition::Degraded, None, 5),
            row("Payments", Condition::Unknown, None, 4000),
            row("Companies that we build on", Condition::Broken, fill.maybe("railway: Partial outage"), 200),
        ],
        open: fill.list(vec![incident(fill, IncidentState::Identified)]),
        past: fill.list(vec![incident(fill, IncidentState::Resolved)]),
        counts,
        uptime: super::health::uptime(fill),
        entered: fill.text("ada@corner-bakery"),
        error: fill.maybe("That is not an e-mail address. Check it for slips."),
    }
}

pub fn subscription(fill: Fill) -> Subscription {
    Subscription {
        shell: fill.shell("Status", Area::Site),
        title: fill.text("Do you want to hear of incidents?"),
        text: fill.text("You get a mail with each update of an incident, until you ask for no more."),
        action: fill.option((fill.text("Tell me"), "/status/confirm/1.2".to_owned())),
    }
}

pub fn incident(fill: Fill, state: IncidentState) -> IncidentView {
    let update = |state, text: &str, seconds| UpdateView { state, text: fill.text(text), at: before(seconds) };
    IncidentView {
        id: format!("inc_{}", state.as_str()),
        title: fill.text("Some workspaces do not answer"),
        impact: Impact::Major,
        components: fill.list(vec![fill.text("Workspaces"), fill.text("New workspaces")]),
        state,
        opened_at: before(7200),
        resolved_at: state.is_over().then(|| before(60)),
        updates: fill.list(vec![
            update(state, "Our hosting provider has an outage in one region.", 3600),
            update(IncidentState::Investigating, "We are looking into it.", 7200),
        ]),
    }
}

pub fn feed(fill: Fill) -> StatusFeed {
    StatusFeed {
        product: fill.text("AI-DIY"),
        url: "http://localhost:8080/status".to_owned(),
        feed_url: "http://localhost:8080/status/feed.atom".to_owned(),
        updated_at: before(60),
        incidents: fill.list(vec![incident(fill, IncidentState::Resolved)]),
    }
}

pub fn console(fill: Fill) -> Vec<Sample> {
    let alert = |id: &str, severity, state| AlertRow {
        id: id.to_owned(),
        severity,
        what: fill.text("corner-bakery.example.com does not answer"),
        why: fill.text("It is not reachable: its hostname answers 502 Bad Gateway."),
        url: "/admin/instances/ins_1".to_owned(),
        runbook: "instance-down".to_owned(),
        state,
        first_seen_at: before(900),
        last_seen_at: before(30),
        seen: 3,
        handled_by: fill.maybe("grace@example.com"),
        note: fill.maybe("The provider works on it."),
    };
    let alerts = vec![
        alert("alt_1", Severity::Critical, AlertState::Open),
        alert("alt_2", Severity::Warning, AlertState::Acknowledged),
        alert("alt_3", Severity::Notice, AlertState::Silenced { until: before(-3600) }),
    ];
    let alerts = ConsoleAlerts {
        shell: fill.shell("Alerts", Area::Console),
        alerts: fill.list(alerts),
        resolved: false,
        may_act: true,
        next: fill.option("/admin/alerts?cursor=alt_1".to_owned()),
    };
    let incidents = ConsoleIncidents {
        shell: fill.shell("Incidents", Area::Console),
        incidents: fill.list(vec![incident(fill, IncidentState::Monitoring), incident(fill, IncidentState::Resolved)]),
        may_act: true,
        error: fill.maybe("A title has from 1 to 120 characters. Say in a few plain words what customers notice."),
        entered: IncidentForm { title: fill.text("Some workspaces"), text: fill.text("We are looking into it.") },
        next: fill.option("/admin/incidents?cursor=inc_1".to_owned()),
    };
    let one = ConsoleIncident {
        shell: fill.shell("Incident", Area::Console),
        incident: incident(fill, IncidentState::Identified),
        may_act: true,
        error: fill.maybe("An update has from 1 to 2000 characters."),
        entered: fill.text("They are working on it."),
    };
    vec![
        sample("console-alerts", alerts.render()),
        sample("console-incidents", incidents.render()),
        sample("console-incident", one.render()),
    ]
}

/// Name, subject, text and HTML of each.
pub fn mails(fill: Fill) -> Vec<(&'static str, String, String, String)> {
    let confirm = ConfirmSubscription {
        product: fill.text("AI-DIY"),
        url: "http://localhost:8080/status/confirm/1.2".to_owned(),
    };
    let update = IncidentUpdate {
        product: fill.text("AI-DIY"),
        title: fill.text("Some workspaces do not answer"),
        state: IncidentState::Identified,
        text: fill.text("Our hosting provider has an outage in one region."),
        url: "http://localhost:8080/status#inc_1".to_owned(),
        leave_url: "http://localhost:8080/status/unsubscribe/1.2".to_owned(),
    };
    vec![
        ("mail-status-confirm", confirm.subject(), confirm.text(), confirm.html()),
        ("mail-status-update", update.subject(), update.text(), update.html()),
    ]
}
