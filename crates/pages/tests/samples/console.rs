use super::{Fill, Sample, before, now, sample};
use domain::{CustomerId, InstanceId, InstanceState, MemberRole, WorkflowId};
use pages::console::{
    Attention, AuditRow, BounceView, ConfirmWorkflowAction, ConsoleAudit, ConsoleCustomer, ConsoleCustomers,
    ConsoleHome, ConsoleInstance, ConsoleInstances, ConsoleSearch, ConsoleWorkflow, ConsoleWorkflows, Count,
    CustomerRow, Fact, FoundRow, HistoryRow, InstanceMemberRow, InstanceRow, WorkflowAction, WorkflowRow,
    WorkflowState, WorkflowStepRow,
};
use pages::{Area, Health, Observed, StepState};

pub fn all(fill: Fill) -> Vec<Sample> {
    let shell = |title: &str| fill.shell(title, Area::Console);
    let customers = vec![customer(fill, 1), customer(fill, 2)];
    let workflows = WorkflowState::ALL.into_iter().map(|state| workflow(fill, state)).collect::<Vec<_>>();
    let next = fill.option("/admin/audit?after=aud_1".to_owned());
    let about = vec![
        fact(fill, "Payment", "card ending in 4242 (built-in ledger)"),
        fact(fill, "Agreed to", "terms, privacy, acceptable use, billing; version 2026-11-24"),
    ];
    let confirm = |action| ConfirmWorkflowAction {
        shell: shell("Confirm"),
        action,
        workflow: workflow(fill, WorkflowState::Failed),
    };
    vec![
        sample("console", home(fill).render()),
        sample("console-search", search(fill, None).render()),
        sample("console-search-refused", search(fill, fill.maybe("Search for 2 to 200 characters.")).render()),
        sample(
            "console-customers",
            ConsoleCustomers { shell: shell("Customers"), customers: fill.list(customers), next: next.clone() }
                .render(),
        ),
        sample(
            "console-customer",
            ConsoleCustomer {
                shell: shell("Customer"),
                customer: customer(fill, 1),
                facts: fill.list(about),
                bounce: fill.option(BounceView {
                    since: before(3),
                    last_at: before(1),
                    answer: fill.text("550 5.1.1 there is no such mailbox"),
                }),
                history: fill.list(vec![HistoryRow {
                    at: before(80_000),
                    what: fill.text("Given back of 2026-11-0018: $5.00, we had an outage"),
                    by: fill.text("operator@example.com"),
                }]),
                instances: fill.list(instances(fill)),
            }
            .render(),
        ),
        sample(
            "console-instances",
            ConsoleInstances { shell: shell("Instances"), instances: fill.list(instances(fill)), next: next.clone() }
                .render(),
        ),
        sample("console-instance", instance(fill).render()),
        sample(
            "console-workflows",
            ConsoleWorkflows {
                shell: shell("Workflows"),
                filter: fill.option(WorkflowState::Failed),
                workflows: fill.list(workflows),
                next: next.clone(),
            }
            .render(),
        ),
        sample("console-workflow", workflow_page(fill).render()),
        sample("console-retry", confirm(WorkflowAction::Retry).render()),
        sample("console-abandon", confirm(WorkflowAction::Abandon).render()),
        sample("console-providers", super::providers::page(fill).render()),
        sample("console-isolation", super::isolation::page(fill).render()),
        sample("console-isolation-round", super::isolation::round(fill).render()),
        sample("console-repair", super::providers::confirm(fill).render()),
        sample(
            "console-audit",
            ConsoleAudit { shell: shell("Audit log"), entries: fill.list(audit(fill)), next }.render(),
        ),
    ]
}

fn search(fill: Fill, error: Option<String>) -> ConsoleSearch {
    let found = FoundRow {
        kind: "instance".to_owned(),
        name: fill.text("corner-bakery"),
        about: fill.text("active, ada@corner-bakery.example"),
        url: "/admin/instances/ins_1".to_owned(),
    };
    let found = if error.is_some() { Vec::new() } else { fill.list(vec![found]) };
    ConsoleSearch { shell: fill.shell("Search", Area::Console), typed: fill.text("bakery"), found, error }
}

fn home(fill: Fill) -> ConsoleHome {
    let attention = |what: &str, why: &str, seconds| Attention {
        what: fill.text(what),
        why: fill.text(why),
        at: before(seconds),
        url: "/admin/workflows/wfl_1".to_owned(),
    };
    let count = |label: &str, value, url: &str| Count { label: fill.text(label), value, url: url.to_owned() };
    ConsoleHome {
        shell: fill.shell("Overview", Area::Console),
        attention: fill.list(vec![
            attention(
                "provision of old-oven.localhost:8080 failed",
                "deploy: no room left on the machine (28 GB of 28 GB used)",
                412,
            ),
            attention(
                "cake-school.localhost:8080 does not answer",
                "The health check was refused 5 times in a row.",
                8,
            ),
        ]),
        counts: fill.list(vec![
            count("customers", 12, "/admin/customers"),
            count("instances in use", 14, "/admin/instances"),
            count("workflows under way", 1, "/admin/workflows?state=running"),
            count("workflows failed", 1, "/admin/workflows?state=failed"),
        ]),
    }
}

fn customer(fill: Fill, chance: u8) -> CustomerRow {
    CustomerRow {
        id: CustomerId::new(now(), [chance; 10]),
        name: fill.text("Ada Baker"),
        email: fill.email(),
        company: fill.maybe("Corner Bakery"),
        instances: 2,
        created_at: before(400_000),
    }
}

fn instances(fill: Fill) -> Vec<InstanceRow> {
    [
        ("corner-bakery", InstanceState::Active, Some(Health::Healthy)),
        ("cake-school", InstanceState::Active, Some(Health::Unhealthy)),
        ("flour", InstanceState::Provisioning, None),
        ("old-oven", InstanceState::Suspended, Some(Health::Stopped)),
    ]
    .into_iter()
    .map(|(name, state, health)| row(fill, name, state, health))
    .collect()
}

fn row(fill: Fill, name: &str, state: InstanceState, health: Option<Health>) -> InstanceRow {
    InstanceRow {
        id: InstanceId::new(now(), [1; 10]),
        project: fill.text(&format!("ai-diy-{name}")),
        hostname: fill.text(&format!("{name}.localhost:8080")),
        customer: fill.text("Ada Baker"),
        customer_url: "/admin/customers/cus_1".to_owned(),
        state,
        observed: health.map(|health| Observed { health, at: before(3), by: fill.text("the local driver") }),
        restarts: health.map(|_| 0),
        memory_bytes: (health == Some(Health::Healthy)).then_some(31_400_000),
    }
}

fn instance(fill: Fill) -> ConsoleInstance {
    let member = |member: &str, role| InstanceMemberRow { member: fill.text(member), role, added_at: before(90_000) };
    ConsoleInstance {
        shell: fill.shell("Instance", Area::Console),
        instance: row(fill, "corner-bakery", InstanceState::Active, Some(Health::Healthy)),
        health: super::health::view(fill),
        url: "http://corner-bakery.localhost:8080".to_owned(),
        facts: fill.list(vec![
            fact(fill, "Release", "workspace 0.1.0"),
            fact(fill, "Data folder", "instances/ai-diy-corner-bakery"),
        ]),
        members: fill.list(vec![
            member("ada@corner-bakery.example", MemberRole::Owner),
            member("bob@corner-bakery.example", MemberRole::Member),
        ]),
        updates: super::updates::card(fill),
        lives_in: Some(super::moves::lives_in(fill, domain::MoveState::Returned)),
        workflows: fill.list(vec![workflow(fill, WorkflowState::Done)]),
        subdomain: fill.text("corner-bakery"),
        is_cancelled: false,
        is_to_be_deleted: false,
        support: fill.list(vec![super::support::row(fill)]),
        support_state: None,
        log_tail: fill.list(vec![
            fill.text("2026-11-24T22:53:01Z guard  listening on inherited socket"),
            fill.text("2026-11-24T22:53:01Z app    workspace 0.1.0 on 127.0.0.1:8000"),
            fill.text("2026-11-24T22:54:02Z guard  admitted ada@corner-bakery.example"),
        ]),
    }
}

fn fact(fill: Fill, label: &str, value: &str) -> Fact {
    Fact { label: fill.text(label), value: fill.text(value) }
}

fn workflow(fill: Fill, state: WorkflowState) -> WorkflowRow {
    let over = matches!(state, WorkflowState::Done | WorkflowState::Failed | WorkflowState::Abandoned);
    let failed = matches!(state, WorkflowState::Failed | WorkflowState::Stuck);
    WorkflowRow {
        id: WorkflowId::new(now(), [3; 10]),
        name: fill.text("provision"),
        subject: fill.text("corner-bakery.localhost:8080"),
        state,
        step: if over { None } else { fill.maybe("deploy") },
        started_at: before(95),
        ended_at: over.then(|| before(94)),
        error: if failed { fill.maybe("deploy: no room left on the machine") } else { None },
    }
}

fn workflow_page(fill: Fill) -> ConsoleWorkflow {
    let step = |name: &str, state, output: Option<&str>, error: Option<&str>| WorkflowStepRow {
        name: fill.text(name),
        state,
        attempts: if error.is_some() { 5 } else { 1 },
        started_at: fill.option(before(95)),
        duration_ms: fill.option(412),
        output: output.and_then(|text| fill.maybe(text)),
        error: error.and_then(|text| fill.maybe(text)),
        requests: fill.list(vec![fill.text("railway projectCreate: 200 (request 01k9x0a4q7)")]),
    };
    ConsoleWorkflow {
        shell: fill.shell("Workflow", Area::Console),
        workflow: workflow(fill, WorkflowState::Failed),
        steps: fill.list(vec![
            step("create project", StepState::Done, Some("{\"project\":\"ai-diy-corner-bakery\"}"), None),
            step("configure", StepState::Done, None, None),
            step(
                "deploy",
                StepState::Failed,
                None,
                Some("no room left on the machine (28 GB of 28 GB used); free some and retry"),
            ),
        ]),
        may_retry: true,
        may_abandon: true,
    }
}

fn audit(fill: Fill) -> Vec<AuditRow> {
    let row = |who: &str, what: &str, subject: &str, details: &str, seconds| AuditRow {
        at: before(seconds),
        who: fill.text(who),
        what: fill.text(what),
        subject: fill.text(subject),
        subject_url: fill.option("/admin/instances/ins_1".to_owned()),
        details: fill.text(details),
    };
    vec![
        row(
            "ada@corner-bakery.example",
            "member.invited",
            "corner-bakery.localhost:8080",
            "bob@corner-bakery.example as member",
            40,
        ),
        row("system", "instance.active", "corner-bakery.localhost:8080", "after 9 steps in 0.8 s", 94),
        row("ada@corner-bakery.example", "customer.signed_up", "Ada Baker", "agreements of 2026-11-24", 96),
    ]
}
