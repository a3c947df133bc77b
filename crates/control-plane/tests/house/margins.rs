//! What is left of each customer's revenue: exact, the same however often it is read, and unknown where it is unknown.

use control_plane::{BillingSettings, FixedCost};
use domain::{InstanceId, Micros, Plan};
use jiff::SignedDuration;
use providers::costs::{Metered, Resource};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Engine;

use crate::support::TestApp;

const OPERATOR: Option<&str> = Some("operator@localhost");
const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

async fn margins(app: &TestApp, month: &str) -> Value {
    let (status, found) = app.api(Method::GET, &format!("/billing/margins?month={month}"), None).await;
    assert_eq!(status, StatusCode::OK, "{found}");
    found
}

fn of<'a>(found: &'a Value, name: &str) -> &'a Value {
    let all = found["customers"].as_array().unwrap();
    all.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name} is not in {found:#}"))
}

fn basis<'a>(found: &'a Value, what: &str) -> &'a Value {
    found["basis"].as_array().unwrap().iter().find(|row| row["what"] == what).unwrap()
}

/// An instance that held half a GB of memory for so many minutes.
async fn held(app: &TestApp, subdomain: &str, minutes: u64) -> Metered {
    let id = app.instance(subdomain).await["id"].as_str().unwrap().to_owned();
    let instance = Some(InstanceId::parse(&id).unwrap());
    let quantity = minutes * 500_000;
    Metered { project: format!("project of {subdomain}"), instance, resource: Resource::Memory, quantity }
}

async fn read(app: &TestApp) {
    app.clock.advance(SignedDuration::from_mins(61));
    control_plane::read_costs(app.app()).await.unwrap();
}

fn fixed(name: &str, micros: i64) -> FixedCost {
    FixedCost { name: name.to_owned(), month: Micros::new(micros) }
}

/// Two customers from the first moment of November on.
async fn two(engine: Engine, change: impl FnOnce(&mut BillingSettings)) -> TestApp {
    let mut billing = BillingSettings::default();
    change(&mut billing);
    let app = TestApp::start_selling("2026-11-01T00:00:00Z", engine, Plan::default(), billing).await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    assert_eq!(app.provision("bob@example.com", "zoo").await, "done");
    app
}

#[tokio::test]
async fn revenue_less_costs_comes_to_the_millionth_and_the_worst_stands_first() {
    for engine in ENGINES {
        let app = two(engine, |billing| billing.costs.prices.fixed = vec![fixed("Domain", 1_000_001)]).await;
        app.host.count(vec![held(&app, "acme", 43_200).await, held(&app, "zoo", 4_320).await]);
        app.go_to("2026-11-20T12:00:00Z");
        app.used("acme", &["2026-11-02T09:10:00Z", "2026-11-02T10:10:00Z", "2026-11-02T11:10:00Z"]).await;
        app.go_to("2026-12-01T08:00:00Z");
        read(&app).await;
        app.close(Some("2026-11")).await;
        let found = margins(&app, "2026-11").await;
        // Half a GB for 30 days at 10 dollars; and for a tenth of that.
        let (acme, zoo) = (of(&found, "ada@example.com"), of(&found, "bob@example.com"));
        assert_eq!((&acme["revenue"], &zoo["revenue"]), (&json!(800), &json!(500)), "{found:#}");
        assert_eq!(
            (&acme["costs"]["compute_micros"], &zoo["costs"]["compute_micros"]),
            (&json!(5_000_000), &json!(500_000))
        );
        assert_eq!((&acme["costs"]["fees_micros"], &zoo["costs"]["fees_micros"]), (&json!(0), &json!(0)));
        let shares = [acme, zoo].map(|row| row["costs"]["shared_micros"].as_i64().unwrap());
        assert_eq!(shares.iter().sum::<i64>(), 1_000_001, "not a millionth is lost: {shares:?}");
        let profits = [acme, zoo].map(|row| row["profit_micros"].as_i64().unwrap());
        assert_eq!(profits.iter().sum::<i64>(), found["total"]["profit_micros"].as_i64().unwrap());
        assert_eq!(found["customers"][0], *acme, "the worst first");
        assert!(acme["margin_permille"].as_i64().unwrap() < 800 && zoo["margin_permille"].as_i64().unwrap() > 780);
        assert_eq!((&found["target_permille"], &found["currency"]), (&json!(800), &json!("usd")));
        assert_eq!(basis(&found, "Compute")["observed_at"].as_str().unwrap(), "2026-12-01T09:01:00Z");

        let page = app.get("/admin/money/margins?month=2026-11&order=name", OPERATOR).await.body;
        assert!(page.contains("over 80 %") && page.contains("$5.00") && page.contains("ada@example.com"), "{page}");
    }
}

#[tokio::test]
async fn a_credit_and_a_write_off_are_taken_off_the_revenue_of_the_month_in_which_they_are_given() {
    let app = two(Engine::Sqlite, |_| ()).await;
    app.host.count(Vec::new());
    app.go_to("2026-12-01T08:00:00Z");
    app.close(Some("2026-11")).await;
    assert_eq!(of(&margins(&app, "2026-11").await, "ada@example.com")["revenue"], 500);
    app.go_to("2026-12-05T08:00:00Z");
    let customer = of(&margins(&app, "2026-11").await, "ada@example.com")["customer_id"].as_str().unwrap().to_owned();
    let credit = json!({"amount": 120, "reference": "TICKET 1", "reason": "We had an outage."});
    let (status, answer) = app.api(Method::POST, &format!("/customers/{customer}/credits"), Some(credit)).await;
    assert!(status.is_success(), "{answer}");
    assert_eq!(of(&margins(&app, "2026-11").await, "ada@example.com")["revenue"], 500);
    app.go_to("2027-01-01T08:00:00Z");
    app.close(Some("2026-12")).await;
    assert_eq!(of(&margins(&app, "2026-12").await, "ada@example.com")["revenue"], 380);
    assert_eq!(of(&margins(&app, "2026-12").await, "bob@example.com")["revenue"], 500);
}

#[tokio::test]
async fn reading_twice_late_or_less_than_before_changes_nothing() {
    for engine in ENGINES {
        let app = two(engine, |_| ()).await;
        let half = vec![held(&app, "acme", 20_000).await];
        app.host.count(vec![held(&app, "acme", 40_000).await]);
        app.go_to("2026-11-28T00:00:00Z");
        read(&app).await;
        let wanted = of(&margins(&app, "2026-11").await, "ada@example.com")["costs"].clone();
        for used in [half, Vec::new(), vec![held(&app, "acme", 40_000).await]] {
            app.host.count(used);
            read(&app).await;
            assert_eq!(of(&margins(&app, "2026-11").await, "ada@example.com")["costs"], wanted);
        }
        let core = app.app().core();
        app.clock.advance(SignedDuration::from_mins(61));
        let before = app.host.times_asked_for_costs();
        let (one, other) = tokio::join!(control_plane::read_costs(&core), control_plane::read_costs(&core));
        assert!(one.is_ok() && other.is_ok());
        // The month that runs; the one before was read long after its end.
        assert_eq!(app.host.times_asked_for_costs() - before, 1, "one of two replicas reads");
    }
}

#[tokio::test]
async fn what_was_never_seen_is_unknown_and_never_nothing() {
    let app = two(Engine::Sqlite, |_| ()).await;
    app.host.count(vec![held(&app, "acme", 100).await]);
    app.host.be_unavailable(1);
    app.go_to("2026-11-20T12:00:00Z");
    read(&app).await;
    let found = margins(&app, "2026-11").await;
    let acme = of(&found, "ada@example.com");
    assert!(acme["costs"].get("compute_micros").is_none() && acme.get("cost_micros").is_none(), "{found:#}");
    assert!(acme.get("revenue").is_none() && found["total"].get("profit_micros").is_none());
    assert!(basis(&found, "Compute")["how"].as_str().unwrap().contains("503, try later"), "{found:#}");
    assert_eq!(basis(&found, "Revenue")["is_known"], false);
    assert_eq!(basis(&found, "Seats")["how"], "None: the edge builtin has no seats.");
    let page = app.get("/admin/money/margins?month=2026-11", OPERATOR).await.body;
    assert!(page.contains("unknown") && page.contains("Not all known"), "{page}");

    read(&app).await;
    let found = margins(&app, "2026-11").await;
    assert!(of(&found, "ada@example.com")["costs"]["compute_micros"].is_i64());
    assert!(of(&found, "bob@example.com")["costs"].get("compute_micros").is_none(), "nobody named it yet");
}

#[tokio::test]
async fn where_nothing_is_counted_the_price_of_an_instance_stands_in_for_the_time_it_was_there() {
    let app = two(Engine::Sqlite, |billing| billing.costs.prices.instance_month = Some(Micros::new(1_500_000))).await;
    app.go_to("2026-11-16T00:00:00Z");
    read(&app).await;
    let found = margins(&app, "2026-11").await;
    let so_far = of(&found, "ada@example.com")["costs"]["compute_micros"].as_i64().unwrap();
    assert!((740_000..760_000).contains(&so_far), "half a month: {so_far}");
    assert!(basis(&found, "Compute")["how"].as_str().unwrap().contains("the price that you set"));
    app.go_to("2026-12-02T08:00:00Z");
    let whole = of(&margins(&app, "2026-11").await, "ada@example.com")["costs"]["compute_micros"].clone();
    assert!(whole.as_i64().unwrap() >= 1_499_000, "{whole}");

    // Another price from December on leaves November alone.
    control_plane::read_costs(app.app()).await.unwrap();
    let mut billing = BillingSettings::default();
    billing.costs.prices.instance_month = Some(Micros::new(9_000_000));
    let app = app.restarted_with(Plan::default(), billing).await;
    read(&app).await;
    assert_eq!(of(&margins(&app, "2026-11").await, "ada@example.com")["costs"]["compute_micros"], whole);
    assert!(
        of(&margins(&app, "2026-12").await, "ada@example.com")["costs"]["compute_micros"].as_i64().unwrap() > 300_000
    );
}

#[tokio::test]
async fn projects_of_nobody_and_instances_that_are_kept_after_their_service_cost_somebody() {
    let app = two(Engine::Sqlite, |_| ()).await;
    let kept = held(&app, "acme", 8_640).await;
    let own = Metered { project: "the site".to_owned(), instance: None, ..kept.clone() };
    assert_eq!(app.delete("acme").await, "done");
    app.host.count(vec![kept, own]);
    app.go_to("2027-01-15T00:00:00Z");
    read(&app).await;
    let found = margins(&app, "2027-01").await;
    let acme = of(&found, "ada@example.com");
    assert_eq!((&acme["instances"], &acme["costs"]["compute_micros"]), (&json!(0), &json!(1_000_000)), "{found:#}");
    assert_eq!(found["nobody"]["compute_micros"], 1_000_000);
}

#[tokio::test]
async fn a_currency_without_a_price_leaves_costs_in_dollars_unknown() {
    let plan = Plan { currency: "eur".to_owned(), ..Plan::default() };
    let start = "2026-11-01T00:00:00Z";
    let app = TestApp::start_selling(start, Engine::Sqlite, plan.clone(), BillingSettings::default()).await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    app.host.count(vec![held(&app, "acme", 43_200).await]);
    app.go_to("2026-11-20T00:00:00Z");
    read(&app).await;
    let found = margins(&app, "2026-11").await;
    assert!(of(&found, "ada@example.com")["costs"].get("compute_micros").is_none());
    assert!(basis(&found, "Compute")["how"].as_str().unwrap().contains("dollar is not set"), "{found:#}");
    let mut billing = BillingSettings::default();
    billing.costs.prices.dollar = Some(Micros::new(920_000));
    let app = app.restarted_with(plan, billing).await;
    read(&app).await;
    assert_eq!(of(&margins(&app, "2026-11").await, "ada@example.com")["costs"]["compute_micros"], 4_600_000);
}

#[tokio::test]
async fn a_month_that_is_none_or_still_to_come_is_refused_and_an_empty_one_says_so() {
    let app = two(Engine::Sqlite, |_| ()).await;
    for (month, why) in [("2026-12", "still to come"), ("november", "not a month")] {
        let (status, problem) = app.api(Method::GET, &format!("/billing/margins?month={month}"), None).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(problem["title"].as_str().unwrap().contains(why), "{problem}");
        let page = app.get(&format!("/admin/money/margins?month={month}"), OPERATOR).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let (_, found) = app.api(Method::GET, "/billing/margins", None).await;
    assert_eq!((&found["month"], &found["customers"]), (&json!("2026-10"), &json!([])), "the last that is over");
    assert!(app.get("/admin/money/margins", OPERATOR).await.body.contains("Nobody was served"));
}
