//! The check of the books finds what another hand changed.

use store::Engine;
use workflow::Faults;

use crate::support::TestApp;

async fn closed() -> TestApp {
    let app = TestApp::start_at("2026-11-01T00:00:00Z", Engine::Sqlite, Faults::none()).await;
    app.provision("ada@example.com", "acme").await;
    app.go_to("2026-11-03T00:00:00Z");
    app.used("acme", &["2026-11-02T00:00:00Z", "2026-11-02T01:00:00Z"]).await;
    app.go_to("2027-01-02T00:00:00Z");
    app.close(None).await;
    assert_eq!(app.problems().await, [""; 0]);
    app
}

#[tokio::test]
async fn every_tampered_row_is_found_and_named() {
    let app = closed().await;
    app.change("create table kept as select * from invoices").await;
    app.change("create table kept_entries as select * from ledger_transactions").await;
    for (tampering, words) in [
        ("update invoices set total = total + 1 where seq = 1", "the row of invoice 2027-000001"),
        ("update invoices set amount_due = 0 where seq = 2", "the row of invoice 2027-000002"),
        ("update invoices set outstanding = 0 where seq = 2", "something else is left of it"),
        ("update invoices set period_start = period_start + 1 where seq = 1", "the row of invoice 2027-000001"),
        (
            "update invoices set document = cast(replace(cast(document as text), '700', '600') as blob) where seq = 1",
            "invoice 2027-000001 computes to something else",
        ),
        (
            "update invoices set inputs = replace(inputs, '\"hour\":100', '\"hour\":10') where seq = 1",
            "invoice 2027-000001 computes to something else",
        ),
        ("update invoices set inputs = '{}' where seq = 1", "the inputs of invoice 2027-000001 can't be read"),
        ("delete from invoices where seq = 1", "invoice 1 of 2 is missing"),
        ("delete from ledger_transactions where seq = 1", "is out of its place"),
        ("update ledger_transactions set document = replace(document, '700', '600')", "is not in the book"),
        ("update ledger_transactions set document = replace(document, ':-700', ':-600')", "does not balance"),
        ("update invoice_numbers set last = 3", "invoice 3 of 3 is missing"),
    ] {
        assert!(app.change(tampering).await > 0, "{tampering}");
        let problems = app.problems().await;
        assert!(problems.iter().any(|problem| problem.contains(words)), "{tampering}: {problems:?}");
        app.change("delete from invoices").await;
        app.change("insert into invoices select * from kept").await;
        app.change("delete from ledger_transactions").await;
        app.change("insert into ledger_transactions select * from kept_entries").await;
        app.change("update invoice_numbers set last = 2").await;
        assert_eq!(app.problems().await, [""; 0], "after {tampering}");
    }
}

#[tokio::test]
async fn a_billed_hour_without_evidence_is_found() {
    let app = closed().await;
    app.change("update usage_months set source = 'compute'").await;
    let problems = app.problems().await;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("2026-11-02T00:00:00Z, of which there is no evidence"), "{problems:?}");
}

#[tokio::test]
async fn the_operator_is_told_of_what_the_nightly_check_finds() {
    let app = closed().await;
    app.change("update invoices set total = total + 1 where seq = 1").await;
    app.close(None).await;
    assert_eq!(app.mails_to("operator@localhost").await, ["The books need you"]);
}
