//! What the business is run by: exact in a made-up half year, the same on both databases, and unknown where it is unknown.

use control_plane::BillingSettings;
use domain::{Email, Micros, Plan};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Engine;

use crate::support::TestApp;

const OPERATOR: Option<&str> = Some("operator@localhost");
const READER: Option<&str> = Some("r@example.com");
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

async fn analytics(app: &TestApp, month: &str) -> Value {
    let (status, found) = app.api(Method::GET, &format!("/analytics?month={month}"), None).await;
    assert_eq!(status, StatusCode::OK, "{found}");
    found
}

fn figure<'a>(found: &'a Value, name: &str) -> &'a Value {
    let all = found["figures"].as_array().unwrap();
    all.iter().find(|figure| figure["name"] == name).unwrap_or_else(|| panic!("{name} is not in {found:#}"))
}

fn value(found: &Value, name: &str) -> Value {
    figure(found, name)["value"].clone()
}

async fn spend(app: &TestApp, month: &str, amount: i64) -> Value {
    let new = json!({"month": month, "amount": amount, "purpose": "search ads"});
    let (status, entry) = app.api(Method::POST, "/spend", Some(new)).await;
    assert_eq!(status, StatusCode::OK, "{entry}");
    entry
}

/// Somebody's browser opens a page, coming from elsewhere unless that is said otherwise.
async fn visit(app: &TestApp, path: &str, site: &str) {
    let headers = [
        ("user-agent", FIREFOX),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
        ("sec-fetch-site", site),
    ];
    assert_eq!(app.opened(path, &headers).await, StatusCode::OK);
}

/// The day after a month on which its invoices are there.
async fn closed(app: &TestApp, month: &str, moment: &str) {
    app.go_to(moment);
    app.close(Some(month)).await;
}

/// `acme` uses three hours in July, two in August, and none from then on; `zoo` leaves in August and comes back in November;
/// `cleo` and `dora` join in August and October.
async fn half_a_year(app: &TestApp) {
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    assert_eq!(app.provision("bob@example.com", "zoo").await, "done");
    for (path, site) in [("/", "none"), ("/pricing", "cross-site"), ("/docs", "none"), ("/signup", "same-origin")] {
        visit(app, path, site).await;
    }
    app.opened("/", &[("user-agent", "curl/8.5.0")]).await;
    app.until(async || app.count("select cast(coalesce(sum(views), 0) as bigint) from visits").await == 4).await;
    spend(app, "2026-07", 9_999).await;
    let mistake = app.api(Method::GET, "/spend?month=2026-07", None).await.1["data"][0]["id"].clone();
    let (status, taken_back) =
        app.api(Method::POST, &format!("/spend/{}/take-back", mistake.as_str().unwrap()), None).await;
    assert!(status.is_success() && taken_back["taken_back_by"] == "api", "{taken_back}");
    spend(app, "2026-07", 6_000).await;
    app.go_to("2026-07-20T12:00:00Z");
    app.used("acme", &["2026-07-02T09:10:00Z", "2026-07-02T10:10:00Z", "2026-07-02T11:10:00Z"]).await;
    app.go_to("2026-08-01T00:00:00Z");
    assert_eq!(app.provision("cleo@example.com", "cleo").await, "done");
    closed(app, "2026-07", "2026-08-02T12:00:00Z").await;
    app.go_to("2026-08-15T12:00:00Z");
    app.used("acme", &["2026-08-03T09:10:00Z", "2026-08-03T10:10:00Z"]).await;
    spend(app, "2026-08", 5_000).await;
    let cancel = json!({"confirm": "zoo", "reason": "too_expensive", "comment": "A cat costs less."});
    let (status, answer) = app.api(Method::POST, "/instances/zoo/cancellation", Some(cancel)).await;
    assert!(status.is_success(), "{answer}");
    app.go_to("2026-09-01T00:00:00Z");
    control_plane::cancel_if_due(app.app()).await.unwrap();
    app.worked_off().await;
    closed(app, "2026-08", "2026-09-02T12:00:00Z").await;
    app.go_to("2026-09-20T12:00:00Z");
    let hours: Vec<String> = (0..10).map(|hour| format!("2026-09-10T{:02}:10:00Z", 8 + hour)).collect();
    app.used("cleo", &hours.iter().map(String::as_str).collect::<Vec<_>>()).await;
    app.go_to("2026-10-01T00:00:00Z");
    assert_eq!(app.provision("dora@example.com", "dora").await, "done");
    closed(app, "2026-09", "2026-10-02T12:00:00Z").await;
    app.go_to("2026-11-01T00:00:00Z");
    assert_eq!(app.provision("bob@example.com", "zoo2").await, "done");
    closed(app, "2026-10", "2026-11-02T12:00:00Z").await;
    let customer = app.instance("acme").await["customer_id"].as_str().unwrap().to_owned();
    let credit = json!({"amount": 120, "reference": "OUTAGE", "reason": "We had an outage."});
    let (status, answer) = app.api(Method::POST, &format!("/customers/{customer}/credits"), Some(credit)).await;
    assert!(status.is_success(), "{answer}");
    closed(app, "2026-11", "2026-12-02T12:00:00Z").await;
    closed(app, "2026-12", "2027-01-02T12:00:00Z").await;
}

async fn selling(engine: Engine) -> TestApp {
    let mut billing = BillingSettings::default();
    billing.costs.prices.instance_month = Some(Micros::new(1_000_000));
    TestApp::start_selling("2026-07-01T00:00:00Z", engine, Plan::default(), billing).await
}

#[tokio::test]
async fn a_made_up_half_year_comes_to_these_numbers() {
    the_half_year(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_made_up_half_year_comes_to_these_numbers_on_postgres() {
    the_half_year(Engine::Postgres).await;
}

async fn the_half_year(engine: Engine) {
    let app = selling(engine).await;
    half_a_year(&app).await;
    let found = analytics(&app, "2026-12").await;
    let months = found["months"].as_array().unwrap();
    let of = |name: &str| months.iter().map(|month| month[name].as_i64().unwrap()).collect::<Vec<_>>();
    assert_eq!(of("recurring"), [1_300, 1_700, 2_000, 1_500, 2_000, 2_000], "{found:#}");
    assert_eq!(of("new"), [1_300, 500, 0, 500, 0, 0]);
    assert_eq!(of("returned"), [0, 0, 0, 0, 500, 0]);
    assert_eq!(of("grown"), [0, 0, 1_000, 0, 0, 0]);
    assert_eq!(of("shrunk"), [0, 100, 200, 1_000, 0, 0]);
    assert_eq!(of("lost"), [0, 0, 500, 0, 0, 0]);
    assert_eq!(of("revenue"), [1_300, 1_700, 2_000, 1_500, 1_880, 2_000]);
    assert_eq!(of("customers"), [2, 3, 2, 3, 4, 4]);
    assert_eq!(of("signups"), [2, 1, 0, 1, 0, 0]);
    assert_eq!((of("visits")[0], &months[0]["spend"], months[2].get("spend")), (3, &json!(6_000), None));
    the_numbers_of_single_months(&app).await;

    let cohorts = found["cohorts"].as_array().unwrap();
    let paying = |index: usize| -> Vec<i64> {
        cohorts[index]["later"].as_array().unwrap().iter().map(|kept| kept["paying"].as_i64().unwrap()).collect()
    };
    assert_eq!((paying(0), paying(1), paying(2)), (vec![2, 2, 1, 1, 2, 2], vec![1; 5], vec![1; 3]));
    let all: i64 = cohorts.iter().map(|cohort| cohort["customers"].as_i64().unwrap()).sum();
    assert_eq!(all, app.count("select count(*) from customers").await, "cohorts together are all customers");
    assert_eq!(of("revenue").iter().sum::<i64>(), sold_as_the_books_say(&app).await);

    let (_, csv) = app.api(Method::GET, "/analytics/csv?month=2026-12", None).await;
    let lines: Vec<&str> = csv.as_str().unwrap().lines().collect();
    assert_eq!(lines.len(), 7, "{csv}");
    assert_eq!(lines[2], "2026-08,true,usd,17.00,5.00,0.00,0.00,1.00,0.00,17.00,3,1,0,0,1,0,50.00");
    let page = app.get("/admin/analytics?month=2026-09", OPERATOR).await.body;
    for text in ["$20.00", "33.4 %", "Missed", "under 5 %", "<svg class=\"chart\"", "Recurring revenue by month"] {
        assert!(page.contains(text), "the page lacks {text}: {page}");
    }
    assert!(app.get("/admin/analytics/json?month=2026-09", OPERATOR).await.body.contains("\"recurring\":2000"));
}

async fn the_numbers_of_single_months(app: &TestApp) {
    let july = analytics(app, "2026-07").await;
    assert_eq!((value(&july, "recurring_revenue"), value(&july, "revenue_per_customer")), (json!(1_300), json!(650)));
    // 60 dollars, without what was taken back, for two customers.
    assert_eq!(
        (value(&july, "acquisition_cost"), &figure(&july, "acquisition_cost")["is_met"]),
        (json!(3_000), &json!(true))
    );
    assert_eq!(figure(&july, "customer_churn")["unknown_because"], "Nobody paid for the month before.");
    let steps: Vec<i64> =
        july["funnel"].as_array().unwrap().iter().map(|step| step["count"].as_i64().unwrap()).collect();
    assert_eq!(steps, [3, 1, 2, 2, 1, 0], "visits, forms, signed up, ready, used, paid");
    // Two instances for a month, a dollar each, of 13 dollars.
    assert_eq!((value(&july, "margin"), &figure(&july, "margin")["is_met"]), (json!(846), &json!(true)));

    let august = analytics(app, "2026-08").await;
    assert_eq!((value(&august, "growth"), &figure(&august, "growth")["is_met"]), (json!(307), &json!(true)));
    // Not less than 50 dollars.
    assert_eq!(
        (value(&august, "acquisition_cost"), &figure(&august, "acquisition_cost")["is_met"]),
        (json!(5_000), &json!(false))
    );
    assert_eq!(august["reasons"], json!([{"reason": "too_expensive", "label": "It costs too much", "count": 1}]));
    assert_eq!(august["comments"][0]["comment"], "A cat costs less.");

    let september = analytics(app, "2026-09").await;
    assert_eq!((value(&september, "customer_churn"), value(&september, "revenue_churn")), (json!(334), json!(295)));
    assert_eq!(figure(&september, "customer_churn")["is_met"], false);
    // 18 dollars are left of two customers, and one of five left in three months: 9 dollars for five months.
    assert_eq!(value(&september, "lifetime_value"), 4_500);
    assert_eq!(figure(&september, "acquisition_cost")["shown"], "unknown");
    assert_eq!(value(&analytics(app, "2026-10").await, "growth"), -250);
    let december = analytics(app, "2026-12").await;
    let why = figure(&december, "lifetime_value")["unknown_because"].as_str().unwrap();
    assert!(why.contains("Nobody left within three months"), "{why}");
    assert_eq!((value(&december, "security_incidents"), value(&december, "work_by_hand")), (json!(0), json!(0)));
    let quick = figure(&july, "provisioning_time");
    assert!(quick["is_met"] == true && quick["value"].as_i64().unwrap() < 60, "{quick}");
}

/// What all books say that was sold, less what was given back and given up.
async fn sold_as_the_books_say(app: &TestApp) -> i64 {
    let rows = app.rows("select id, document from ledger_transactions").await;
    let postings = rows.iter().flat_map(|(_, document)| {
        serde_json::from_str::<Value>(document).unwrap()["postings"].as_array().unwrap().clone()
    });
    let ours = ["revenue", "refunds", "bad_debt"];
    let of_sales = postings.filter(|posting| ours.contains(&posting["account"].as_str().unwrap()));
    -of_sales.map(|posting| posting["amount"].as_i64().unwrap()).sum::<i64>()
}

#[tokio::test]
async fn what_is_not_there_yet_is_unknown_and_a_month_to_come_is_refused() {
    let app = selling(Engine::Sqlite).await;
    let empty = analytics(&app, "2026-07").await;
    assert_eq!((&empty["is_complete"], &empty["cohorts"]), (&json!(false), &json!([])));
    for name in ["recurring_revenue", "growth", "customer_churn", "lifetime_value", "acquisition_cost"] {
        assert_eq!(figure(&empty, name)["unknown_because"], "Invoices of the month are still to come.", "{name}");
    }
    for name in ["margin", "provisioning_time", "update_success", "uptime"] {
        assert_eq!(figure(&empty, name)["shown"], "unknown", "{name}");
    }
    assert!(app.get("/admin/analytics?month=2026-07", OPERATOR).await.body.contains("Nobody has signed up yet"));
    for (month, why) in [("2026-08", "still to come"), ("july", "not a month")] {
        let (status, problem) = app.api(Method::GET, &format!("/analytics?month={month}"), None).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(problem["title"].as_str().unwrap().contains(why), "{problem}");
    }
    // An instance is ready, and its time is known, before anybody was charged.
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    let begun = analytics(&app, "2026-07").await;
    assert_eq!(
        (figure(&begun, "provisioning_time")["is_met"].clone(), begun["cohorts"][0]["customers"].clone()),
        (json!(true), json!(1))
    );
}

#[tokio::test]
async fn spend_is_entered_once_by_who_may_and_never_below_nothing() {
    let app = selling(Engine::Sqlite).await;
    let insert =
        "insert into operators (email, role, added_at, from_settings) values ('r@example.com', 'read_only', 0, 0)";
    app.change(insert).await;
    app.app().admit_to_site(&Email::parse("r@example.com").unwrap()).await.unwrap();
    let here = "/admin/analytics/spend";
    let form = [("key", "one"), ("month", "2026-07"), ("amount", "12.50"), ("purpose", "A stand at a fair")];
    assert_eq!(app.browser(Method::POST, here, READER, &form).await.status, StatusCode::FORBIDDEN);
    assert!(!app.get(here, READER).await.body.contains("Enter it"));
    for _ in 0..2 {
        assert_eq!(app.browser(Method::POST, here, OPERATOR, &form).await.status, StatusCode::SEE_OTHER);
    }
    let (_, listed) = app.api(Method::GET, "/spend", None).await;
    assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(
        (&listed["data"][0]["amount"], &listed["data"][0]["entered_by"]),
        (&json!(1_250), &json!("operator@localhost"))
    );
    for (month, amount, purpose, why) in [
        ("2026-07", "-5", "ads", "is not an amount"),
        ("2026-08", "5", "ads", "still to come"),
        ("2026-07", "5", "  ", "not said what"),
        ("July", "5", "ads", "not a month"),
    ] {
        let form = [("key", "two"), ("month", month), ("amount", amount), ("purpose", purpose)];
        let page = app.browser(Method::POST, here, OPERATOR, &form).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{why}");
        assert!(page.body.contains(why) && page.body.contains("role=\"alert\""), "{why}: {}", page.body);
    }
    let below = json!({"month": "2026-07", "amount": -1, "purpose": "ads"});
    let (status, problem) = app.api(Method::POST, "/spend", Some(below)).await;
    assert_eq!(
        (status, problem["title"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("Nobody spends less than nothing"))
    );
    let id = listed["data"][0]["id"].as_str().unwrap();
    let back = format!("{here}/{id}/take-back");
    assert_eq!(app.browser(Method::POST, &back, READER, &[]).await.status, StatusCode::FORBIDDEN);
    for _ in 0..2 {
        assert_eq!(app.browser(Method::POST, &back, OPERATOR, &[]).await.status, StatusCode::SEE_OTHER);
    }
    let (status, _) = app.api(Method::POST, "/spend/spd_00000000000000000000000000/take-back", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(app.count("select count(*) from audit_events where action like 'spend.%'").await, 2);
    assert!(app.get(here, READER).await.body.contains("Taken back"));
    assert_eq!(app.count("select count(*) from spend where amount < 0").await, 0);
}

#[tokio::test]
async fn every_mail_is_shown_to_operators_with_nothing_that_runs_in_it() {
    let app = TestApp::start().await;
    let list = app.get("/admin/mail/previews", OPERATOR).await.body;
    for name in ["welcome", "invoice", "win-back", "incident-update"] {
        assert!(list.contains(&format!("/admin/mail/previews/{name}\"")), "{name}: {list}");
    }
    let page = app.get("/admin/mail/previews/win-back", OPERATOR).await.body;
    assert!(page.contains("<iframe") && page.contains("To get no mail of this kind"), "{page}");
    let body = app.get("/admin/mail/previews/win-back/body", OPERATOR).await;
    assert!(body.body.contains("corner-bakery.localhost") && !body.body.contains("<script"), "{}", body.body);
    assert_eq!(app.get("/admin/mail/previews/love-letter", OPERATOR).await.status, StatusCode::NOT_FOUND);
}
