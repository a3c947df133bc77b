//! The forms that scripts, guards and other servers depend on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use api::{
    ActivityReport, Budget, Cap, ContestState, CopyInstance, DeleteInstance, DeletionAccepted, Direction,
    EmergencyAccess, EmergencyOutcome, EmergencyReport, Health, HourCharge, HourOfUse, Instance, Invoice, InvoiceState,
    NewBudget, NewCap, NewInstance, NewMember, NewPayment, Page, Problem, ReportSource, SignedInHour, Spending, Step,
    StepState, Usage, UsedHour, Waiver, Workflow, WorkflowState,
};
use domain::{
    Bill, Cents, CustomerId, Email, Evidence, InstanceId, InstanceState, Month, Plan, ProjectName, Signal, Subdomain,
    UsageHour, UsageHours, WorkflowId,
};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The value has this form and comes back from it unchanged.
#[track_caller]
fn assert_form<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T, form: Value) {
    assert_eq!(serde_json::to_value(value).unwrap(), form);
    assert_eq!(&serde_json::from_value::<T>(form).unwrap(), value);
}

fn instance() -> Instance {
    let subdomain = Subdomain::parse("acme").unwrap();
    Instance {
        id: InstanceId::new(at("2026-11-24T10:00:00Z"), [1; 10]),
        project: ProjectName::of(&subdomain),
        subdomain,
        next_subdomain: None,
        copied_from: None,
        url: "http://acme.localhost:8080".to_owned(),
        customer_id: CustomerId::new(at("2026-11-24T09:00:00Z"), [2; 10]),
        customer_email: Email::parse("ada@example.com").unwrap(),
        state: InstanceState::Active,
        health: Some(Health::Busy),
        observed_at: Some(at("2026-11-24T10:05:00Z")),
        observed_by: Some("local".to_owned()),
        release: None,
        created_at: at("2026-11-24T10:00:00Z"),
        workflow_id: None,
        suspended_because: None,
        deletion: None,
        access: None,
        home: None,
        last_move: None,
        removal: None,
    }
}

#[test]
fn a_deletion_waits_or_is_under_way() {
    let waits = DeletionAccepted { workflow_id: None, deleted_at: Some(at("2026-12-03T10:00:00Z")) };
    assert_form(&waits, json!({"deleted_at": "2026-12-03T10:00:00Z"}));
    let asked = DeleteInstance { confirm: "acme".to_owned(), now: false, reason: None, comment: None };
    assert_form(&asked, json!({"confirm": "acme"}));
    assert_form(&DeleteInstance { now: true, ..asked }, json!({"confirm": "acme", "now": true}));
    let copy = CopyInstance { subdomain: Subdomain::parse("trial").unwrap(), backup: None };
    assert_form(&copy, json!({"subdomain": "trial"}));
}

#[test]
fn an_invoice_is_told_in_cents_and_days() {
    let invoice = Invoice {
        number: "2026-000123".to_owned(),
        customer_id: CustomerId::new(at("2026-11-24T09:00:00Z"), [2; 10]),
        instance_id: InstanceId::new(at("2026-11-24T10:00:00Z"), [1; 10]),
        period_start: at("2026-11-01T00:00:00Z"),
        period_end: at("2026-12-01T00:00:00Z"),
        issued_on: jiff::civil::date(2026, 12, 1),
        due_on: jiff::civil::date(2026, 12, 15),
        currency: "usd".to_owned(),
        total: Cents::new(700),
        amount_due: Cents::new(650),
        outstanding: Cents::new(0),
        state: InvoiceState::WrittenOff,
        lines: Vec::new(),
        credits: Vec::new(),
        charge_failures: Vec::new(),
        document: None,
    };
    assert_form(
        &invoice,
        json!({
            "number": "2026-000123",
            "customer_id": invoice.customer_id.to_string(),
            "instance_id": invoice.instance_id.to_string(),
            "period_start": "2026-11-01T00:00:00Z",
            "period_end": "2026-12-01T00:00:00Z",
            "issued_on": "2026-12-01",
            "due_on": "2026-12-15",
            "currency": "usd",
            "total": 700,
            "amount_due": 650,
            "outstanding": 0,
            "state": "written_off",
        }),
    );
    for state in InvoiceState::ALL {
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
}

#[test]
fn money_is_booked_in_whole_cents_under_a_reference() {
    let payment = |json: Value| serde_json::from_value::<NewPayment>(json);
    let whole = payment(json!({"amount": 700, "reference": "BANK 17"})).unwrap();
    assert_eq!((whole.amount, whole.received_on), (Cents::new(700), None));
    for wrong in [
        json!({"amount": 7.5, "reference": "BANK 17"}),
        json!({"amount": "7", "reference": "BANK 17"}),
        json!({"amount": 700}),
        json!({"amount": 700, "reference": "BANK 17", "recieved_on": "2026-12-01"}),
    ] {
        assert!(payment(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn a_cap_is_one_limit_and_what_it_means() {
    let new = |json: Value| serde_json::from_value::<NewCap>(json);
    let hours = NewCap { hours: Some(40), ..NewCap::default() };
    assert_eq!(new(json!({"hours": 40})).unwrap(), hours);
    assert_form(&hours, json!({"hours": 40, "dry_run": false}));
    assert_eq!(new(json!({"amount": 2500, "dry_run": true})).unwrap().amount, Some(Cents::new(2500)));
    for wrong in [json!({"hours": -1}), json!({"hours": 4.5}), json!({"amount": "25"}), json!({"cap": 40})] {
        assert!(new(wrong.clone()).is_err(), "{wrong}");
    }
    let meaning = "You are charged for at most 40 hours in each period.".to_owned();
    assert_form(
        &Cap { hours: Some(40), amount: None, hours_allowed: 40, meaning, reached: false },
        json!({"hours": 40, "hours_allowed": 40, "reached": false,
            "meaning": "You are charged for at most 40 hours in each period."}),
    );
}

#[test]
fn what_a_period_costs_is_told_with_what_limits_it() {
    let spending = Spending {
        instance_id: instance().id,
        currency: "usd".to_owned(),
        period_start: at("2026-11-01T00:00:00Z"),
        period_end: at("2026-12-01T00:00:00Z"),
        hours: 12,
        amount: Cents::new(1700),
        expected_hours: 30,
        expected_amount: Cents::new(3500),
        most_hours: 40,
        most_amount: Cents::new(4500),
        trial_until: None,
        cap: None,
        budget: Some(Budget { amount: Cents::new(2500), thresholds: vec![80, 100] }),
    };
    assert_form(
        &spending,
        json!({
            "instance_id": spending.instance_id.to_string(),
            "currency": "usd",
            "period_start": "2026-11-01T00:00:00Z",
            "period_end": "2026-12-01T00:00:00Z",
            "hours": 12,
            "amount": 1700,
            "expected_hours": 30,
            "expected_amount": 3500,
            "most_hours": 40,
            "most_amount": 4500,
            "budget": {"amount": 2500, "thresholds": [80, 100]},
        }),
    );
    let all = serde_json::from_value::<NewBudget>(json!({"amount": 2500})).unwrap();
    assert_eq!(all.thresholds, None);
    assert!(serde_json::from_value::<NewBudget>(json!({"amount": 2500, "thresholds": ["80"]})).is_err());
}

#[test]
fn an_hour_is_told_with_its_evidence_and_its_price() {
    let seen = Evidence::seen(Signal::Member, at("2026-11-24T10:05:00Z"));
    let hour = HourOfUse {
        instance_id: instance().id,
        hour_start: at("2026-11-24T10:00:00Z"),
        charge: HourCharge::Credited,
        price: Some(Cents::new(100)),
        currency: "usd".to_owned(),
        invoice: Some("2026-000001".to_owned()),
        evidence: vec![seen.clone()],
        waiver: Some(Waiver {
            reason: "An outage.".to_owned(),
            author: "api".to_owned(),
            at: at("2026-12-02T10:00:00Z"),
        }),
        contest: None,
    };
    assert_form(
        &hour,
        json!({
            "instance_id": hour.instance_id.to_string(),
            "hour_start": "2026-11-24T10:00:00Z",
            "charge": "credited",
            "price": 100,
            "currency": "usd",
            "invoice": "2026-000001",
            "evidence": [{"hour": seen.hour.get(), "signal": "member", "first": "2026-11-24T10:05:00Z",
                "last": "2026-11-24T10:05:00Z", "count": 1}],
            "waiver": {"reason": "An outage.", "author": "api", "at": "2026-12-02T10:00:00Z"},
        }),
    );
    for charge in HourCharge::ALL {
        assert_eq!(serde_json::to_value(charge).unwrap(), charge.as_str());
    }
    for state in ContestState::ALL {
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
}

#[test]
fn an_instance_says_when_it_was_seen_and_by_whom() {
    let instance = instance();
    assert_form(
        &instance,
        json!({
            "id": instance.id.to_string(),
            "project": "ai-diy-acme",
            "subdomain": "acme",
            "url": "http://acme.localhost:8080",
            "customer_id": instance.customer_id.to_string(),
            "customer_email": "ada@example.com",
            "state": "active",
            "health": "busy",
            "observed_at": "2026-11-24T10:05:00Z",
            "observed_by": "local",
            "release": null,
            "created_at": "2026-11-24T10:00:00Z",
            "workflow_id": null,
        }),
    );
}

#[test]
fn an_emergency_report_names_sources_as_far_as_they_were_told_apart() {
    let (first, last) = (at("2026-11-25T10:00:00Z"), at("2026-11-25T10:59:00Z"));
    let access = |source: Option<&str>, outcome, count| EmergencyAccess {
        source: source.map(|source| source.parse().unwrap()),
        user: "root".to_owned(),
        outcome,
        first,
        last,
        count,
    };
    let form = |source: Option<&str>, outcome: &str, count: u32| {
        json!({
            "source": source, "user": "root", "outcome": outcome,
            "first": "2026-11-25T10:00:00Z", "last": "2026-11-25T10:59:00Z", "count": count,
        })
    };
    assert_form(
        &EmergencyReport {
            entries: vec![
                access(Some("10.0.0.9"), EmergencyOutcome::Accepted, 1),
                access(Some("2001:db8::1"), EmergencyOutcome::Refused, 2),
                access(None, EmergencyOutcome::Throttled, 3),
            ],
        },
        json!({"entries": [
            form(Some("10.0.0.9"), "accepted", 1),
            form(Some("2001:db8::1"), "refused", 2),
            form(None, "throttled", 3),
        ]}),
    );
}

#[test]
fn an_activity_report_carries_its_month_beside_the_hours() {
    let seen = Evidence::seen(Signal::Member, at("2026-11-01T02:30:00Z"));
    let mut hours = UsageHours::none(Month::parse("2026-11").unwrap());
    hours.insert(UsageHour::of(seen.first)).unwrap();
    let number = seen.hour.get();
    assert_form(
        &ActivityReport { hours, source: ReportSource::Guard, evidence: vec![seen] },
        json!({
            "month": "2026-11",
            "hours": "BA",
            "source": "guard",
            "evidence": [{
                "hour": number,
                "signal": "member",
                "first": "2026-11-01T02:30:00Z",
                "last": "2026-11-01T02:30:00Z",
                "count": 1,
            }],
        }),
    );
}

#[test]
fn a_report_of_hours_that_the_month_does_not_have_is_refused() {
    let report = |month: &str, hours: &str, source: &str| json!({"month": month, "hours": hours, "source": source, "evidence": []});
    assert!(serde_json::from_value::<ActivityReport>(report("2026-11", "BA", "guard")).is_ok());
    for wrong in [
        report("2026-13", "BA", "guard"),
        report("2026-11", "not base64!", "guard"),
        report("2026-11", &"_".repeat(124), "guard"),
        report("2026-11", "BA", "stranger"),
    ] {
        assert!(serde_json::from_value::<ActivityReport>(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn requests_with_fields_nobody_knows_are_refused() {
    let new = json!({"customer_email": "ada@example.com", "subdomain": "acme"});
    assert!(serde_json::from_value::<NewInstance>(new).is_ok());
    let typo = json!({"customer_email": "ada@example.com", "subdomain": "acme", "subdomian": "zoo"});
    assert!(serde_json::from_value::<NewInstance>(typo).is_err());
    assert!(serde_json::from_value::<NewMember>(json!({"email": "a@b.c", "role": "owner"})).is_err());
    assert!(serde_json::from_value::<DeleteInstance>(json!({"confirm": "acme", "force": true})).is_err());
    assert!(serde_json::from_value::<NewInstance>(json!({"customer_email": "nobody", "subdomain": "acme"})).is_err());
}

#[test]
fn a_workflow_tells_of_each_step() {
    let workflow = Workflow {
        id: WorkflowId::new(at("2026-11-24T10:00:00Z"), [3; 10]),
        kind: "provision".to_owned(),
        subject: "ai-diy-acme".to_owned(),
        state: WorkflowState::Undoing,
        attempt: 2,
        error: Some("no room".to_owned()),
        created_at: at("2026-11-24T10:00:00Z"),
        finished_at: None,
        due_at: Some(at("2026-11-24T10:01:00Z")),
        steps: vec![Step {
            name: "create project".to_owned(),
            direction: Direction::Undo,
            state: StepState::Done,
            attempts: 1,
            error: None,
            started_at: at("2026-11-24T10:00:00Z"),
            finished_at: Some(at("2026-11-24T10:00:00.250Z")),
            duration_ms: Some(250),
            requests: vec!["Railway projectCreate: 200, request 5b1f".to_owned()],
        }],
    };
    assert_form(
        &workflow,
        json!({
            "id": workflow.id.to_string(),
            "kind": "provision",
            "subject": "ai-diy-acme",
            "state": "undoing",
            "attempt": 2,
            "error": "no room",
            "created_at": "2026-11-24T10:00:00Z",
            "finished_at": null,
            "due_at": "2026-11-24T10:01:00Z",
            "steps": [{
                "name": "create project",
                "direction": "undo",
                "state": "done",
                "attempts": 1,
                "error": null,
                "started_at": "2026-11-24T10:00:00Z",
                "finished_at": "2026-11-24T10:00:00.25Z",
                "duration_ms": 250,
                "requests": ["Railway projectCreate: 200, request 5b1f"],
            }],
        }),
    );
}

#[test]
fn the_words_for_a_workflow_are_the_ones_on_the_wire() {
    for state in WorkflowState::ALL {
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
    for health in [Health::Ok, Health::Busy, Health::Starting, Health::Down, Health::Asleep, Health::Unknown] {
        assert_eq!(serde_json::to_value(health).unwrap(), health.as_str());
    }
    assert_eq!(serde_json::to_value(ReportSource::Guard).unwrap(), ReportSource::Guard.as_str());
}

#[test]
fn money_travels_as_whole_cents() {
    let month = Month::parse("2026-11").unwrap();
    let seen = Evidence::seen(Signal::ApiCall, at("2026-11-24T10:59:59Z"));
    let usage = Usage {
        instance_id: instance().id,
        month,
        hours: vec![UsedHour { hour_start: seen.hour.start(), evidence: vec![seen.clone()] }],
        waived: vec![at("2026-11-24T11:00:00Z")],
        bill: Bill::of(&Plan::default(), month, 1).unwrap(),
        currency: "usd".to_owned(),
        sign_ins: vec![SignedInHour { hour_start: seen.hour.start(), first: seen.first, last: seen.last, count: 1 }],
    };
    assert_form(
        &usage,
        json!({
            "instance_id": usage.instance_id.to_string(),
            "month": "2026-11",
            "hours": [{
                "hour_start": "2026-11-24T10:00:00Z",
                "evidence": [{
                    "hour": seen.hour.get(),
                    "signal": "api_call",
                    "first": "2026-11-24T10:59:59Z",
                    "last": "2026-11-24T10:59:59Z",
                    "count": 1,
                }],
            }],
            "waived": ["2026-11-24T11:00:00Z"],
            "bill": {
                "month": "2026-11",
                "lines": [
                    {"what": "Base fee", "quantity": 1, "unit": 500, "amount": 500},
                    {"what": "Usage hours", "quantity": 1, "unit": 100, "amount": 100},
                ],
                "total": 600,
            },
            "currency": "usd",
            "sign_ins": [{
                "hour_start": "2026-11-24T10:00:00Z",
                "first": "2026-11-24T10:59:59Z",
                "last": "2026-11-24T10:59:59Z",
                "count": 1,
            }],
        }),
    );
}

#[test]
fn a_problem_is_read_even_where_it_says_little() {
    let problem =
        Problem::new(409, "The subdomain is taken", "acme belongs to somebody").with_next_step("Choose another");
    assert_form(
        &problem,
        json!({
            "type": "about:blank",
            "title": "The subdomain is taken",
            "status": 409,
            "detail": "acme belongs to somebody",
            "next_step": "Choose another",
        }),
    );
    assert_eq!(problem.to_string(), "The subdomain is taken: acme belongs to somebody");
    let bare: Problem = serde_json::from_value(json!({"status": 500})).unwrap();
    assert_eq!(bare.to_string(), "the server answered 500");
}

#[test]
fn the_last_page_names_no_next_one() {
    assert_form(&Page::whole(vec![1, 2]), json!({"data": [1, 2], "next_cursor": null}));
}

#[test]
fn the_document_names_every_field_that_is_sent() {
    let sent = serde_json::to_value(instance()).unwrap();
    let described = properties::<Instance>();
    for field in sent.as_object().unwrap().keys() {
        assert!(described.contains(field), "{field} is sent but not described");
    }
    assert_eq!(properties::<Usage>(), ["bill", "currency", "hours", "instance_id", "month", "sign_ins", "waived"]);
    // The month and the hours of a report come from a type of the domain, which has no schema.
    let report = serde_json::to_string(&ActivityReport::schema()).unwrap();
    assert!(report.contains("MonthOfHours") && report.contains("EvidenceEntry"), "{report}");
}

fn properties<T: ToSchema>() -> Vec<String> {
    match T::schema() {
        utoipa::openapi::RefOr::T(Schema::Object(object)) => object.properties.keys().cloned().collect(),
        _ => panic!("not an object"),
    }
}
