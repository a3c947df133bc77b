//! The operator hears of a provider's limit before it is reached: once for each part and period, and of silence too.

use domain::Micros;
use jiff::SignedDuration;
use providers::costs::Spend;
use reqwest::Method;
use serde_json::{Value, json};
use store::Engine;
use workflow::Faults;

use crate::support::TestApp;

const OPERATOR: &str = "operator@localhost";
const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

fn spent(dollars: i64, limit: Option<i64>) -> Spend {
    let micros = |dollars: i64| Micros::new(dollars * 1_000_000);
    Spend {
        spent: micros(dollars),
        hard_limit: limit.map(micros),
        from: "2026-11-01T00:00:00Z".parse().unwrap(),
        until: "2026-12-01T00:00:00Z".parse().unwrap(),
    }
}

async fn open(engine: Engine) -> TestApp {
    TestApp::start_at("2026-11-28T00:00:00Z", engine, Faults::none()).await
}

async fn look(app: &TestApp, spend: Spend) {
    app.host.charge(spend);
    app.clock.advance(SignedDuration::from_mins(31));
    control_plane::read_costs(app.app()).await.unwrap();
}

/// What the operator was written of limits, oldest first.
async fn told(app: &TestApp) -> Vec<String> {
    let all = app.mails_to(OPERATOR).await;
    all.into_iter().filter(|subject| subject.contains("pending at") || subject.contains("eats at")).collect()
}

async fn limit(app: &TestApp) -> Value {
    let (_, found) = app.api(Method::GET, "/billing/margins", None).await;
    found["limits"][0].clone()
}

async fn each_part_is_told_once_and_a_raised_limit_arms_it_again(engine: Engine) {
    let app = open(engine).await;
    look(&app, spent(40, Some(100))).await;
    assert_eq!(told(&app).await, [""; 0]);
    for dollars in [52, 60, 60] {
        look(&app, spent(dollars, Some(100))).await;
    }
    let half = "Spending at memory: 50 % of the limit are used";
    assert!(told(&app).await.len() == 1 && told(&app).await[0].contains(half), "{:?}", told(&app).await);
    // Two parts at once: the larger one says it.
    look(&app, spent(97, Some(100))).await;
    assert_eq!(told(&app).await.len(), 2);
    assert!(told(&app).await[1].contains("95 %"));
    assert_eq!(limit(&app).await["notices"], json!(["reached_50", "forecast", "reached_80", "reached_95"]));
    let home = app.get("/admin", Some(OPERATOR)).await.body;
    assert!(home.contains("95 % of the limit are used") && !home.contains("50 % of the limit"), "{home}");
    assert!(home.contains("stops every workload"), "what happens there: {home}");

    look(&app, spent(97, Some(200))).await;
    assert_eq!(limit(&app).await["notices"], json!(["reached_50"]), "within the hair that keeps it told");
    assert!(!app.get("/admin", Some(OPERATOR)).await.body.contains("95 %"));
    look(&app, spent(161, Some(200))).await;
    assert_eq!(told(&app).await.len(), 3, "reached anew");
    look(&app, spent(200, Some(200))).await;
    assert!(told(&app).await[3].contains("the limit is reached"), "{:?}", told(&app).await);

    // Another period: nothing holds any more, and each part is told anew.
    let next = |dollars| Spend {
        from: "2026-12-01T00:00:00Z".parse().unwrap(),
        until: "2026-12-31T00:00:00Z".parse().unwrap(),
        ..spent(dollars, Some(200))
    };
    app.go_to("2026-12-01T06:00:00Z");
    look(&app, next(1)).await;
    assert_eq!((limit(&app).await["notices"].clone(), told(&app).await.len()), (json!([]), 4));
    app.go_to("2026-12-30T06:00:00Z");
    look(&app, next(101)).await;
    assert!(told(&app).await.len() == 5 && told(&app).await[4].contains("50 %"), "{:?}", told(&app).await);
}

#[tokio::test]
async fn each_part_is_told_once_and_a_raised_limit_arms_it_again_on_both() {
    for engine in ENGINES {
        each_part_is_told_once_and_a_raised_limit_arms_it_again(engine).await;
    }
}

#[tokio::test]
async fn a_forecast_is_told_with_its_day_before_any_part_is_reached() {
    let app = TestApp::start_at("2026-11-10T00:00:00Z", Engine::Sqlite, Faults::none()).await;
    look(&app, spent(40, Some(100))).await;
    assert!(told(&app).await[0].contains("will be reached before the period ends"), "{:?}", told(&app).await);
    let page = app.get("/admin/money/margins", Some(OPERATOR)).await.body;
    assert!(page.contains("40 % used") && page.contains("$40.00 of $100.00"), "{page}");
    assert_eq!(limit(&app).await["reached_at"].as_str().unwrap()[..10], *"2026-11-23");
    for _ in 0..3 {
        look(&app, spent(40, Some(100))).await;
    }
    assert_eq!(told(&app).await.len(), 1);
}

#[tokio::test]
async fn a_limit_that_the_provider_does_not_tell_comes_from_the_settings_and_without_one_nothing_is_told() {
    let app = open(Engine::Sqlite).await;
    look(&app, spent(90, None)).await;
    assert_eq!(told(&app).await, [""; 0]);
    assert!(limit(&app).await.get("limit").is_none());
    assert!(app.get("/admin/money/margins", Some(OPERATOR)).await.body.contains("No limit known"));
    let mut billing = control_plane::BillingSettings::default();
    billing.costs.spend_limit = Some(Micros::new(100_000_000));
    let app = app.restarted_with(domain::Plan::default(), billing).await;
    look(&app, spent(90, None)).await;
    assert!(told(&app).await[0].contains("80 %"), "{:?}", told(&app).await);
}

#[tokio::test]
async fn long_silence_is_told_once_and_ends_with_the_next_answer() {
    for engine in ENGINES {
        let app = open(engine).await;
        look(&app, spent(10, Some(100))).await;
        app.host.be_unavailable(100);
        for _ in 0..20 {
            look(&app, spent(10, Some(100))).await;
        }
        let mails = told(&app).await;
        assert!(mails.len() == 1 && mails[0].contains("unknown since 2026-11-28 00:31 UTC"), "{mails:?}");
        let shown = limit(&app).await;
        assert_eq!((&shown["observed_at"], &shown["notices"]), (&json!("2026-11-28T00:31:00Z"), &json!(["silent"])));
        assert!(shown["trouble"].as_str().unwrap().contains("503") && shown["used"] == 10_000_000, "{shown}");
        assert!(app.get("/admin", Some(OPERATOR)).await.body.contains("is unknown since"));
        app.host.be_unavailable(0);
        look(&app, spent(11, Some(100))).await;
        let shown = limit(&app).await;
        assert!(shown["notices"] == json!([]) && shown.get("trouble").is_none(), "{shown}");
        // Another silence is told anew.
        app.host.be_unavailable(100);
        for _ in 0..20 {
            look(&app, spent(11, Some(100))).await;
        }
        assert_eq!(told(&app).await.len(), 2);
    }
}

#[tokio::test]
async fn one_that_was_never_heard_of_is_told_too() {
    let app = open(Engine::Sqlite).await;
    app.host.be_unavailable(100);
    for _ in 0..20 {
        look(&app, spent(1, Some(100))).await;
    }
    assert!(told(&app).await.len() == 1 && told(&app).await[0].contains("unknown since"), "{:?}", told(&app).await);
    assert!(limit(&app).await.get("used").is_none());
}

#[tokio::test]
async fn of_two_replicas_that_look_at_once_one_writes() {
    for engine in ENGINES {
        let app = open(engine).await;
        for dollars in [51, 81, 96, 100] {
            app.host.charge(spent(dollars, Some(100)));
            app.clock.advance(SignedDuration::from_mins(31));
            let core = app.app().core();
            let looks = (0..4).map(|_| {
                let core = core.clone();
                tokio::spawn(async move { control_plane::read_costs(&core).await.unwrap() })
            });
            for look in looks.collect::<Vec<_>>() {
                look.await.unwrap();
            }
        }
        assert_eq!(told(&app).await.len(), 4);
    }
}

#[tokio::test]
async fn a_limit_that_no_provider_has_any_more_is_forgotten_with_what_was_told_of_it() {
    let app = open(Engine::Sqlite).await;
    look(&app, spent(96, Some(100))).await;
    assert!(app.get("/admin", Some(OPERATOR)).await.body.contains("95 %"));
    app.host.stop_charging();
    app.clock.advance(SignedDuration::from_mins(31));
    control_plane::read_costs(app.app()).await.unwrap();
    assert!(limit(&app).await.is_null());
    assert!(!app.get("/admin", Some(OPERATOR)).await.body.contains("95 %"));
}

/// The edge was seen to have so many seats taken.
async fn seats(app: &TestApp, used: i64) -> Value {
    app.clock.advance(SignedDuration::from_mins(31));
    store_seats(app, used).await;
    control_plane::read_costs(app.app()).await.unwrap();
    limit(app).await
}

async fn store_seats(app: &TestApp, used: i64) {
    let mut tx = app.db.db.begin().await.unwrap();
    store::sqlx::query(
        "insert into provider_ceilings (role, name, provider, used, most, per_instance, advice, observed_at)
         values ('edge', 'Access seats', 'builtin', $1, 50, 1, 'buy some', $2)
         on conflict (role, name) do update set used = $1, observed_at = $2",
    )
    .bind(used)
    .bind(app.clock.now().as_millisecond())
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn seats_are_told_before_they_run_out_and_beyond_the_free_ones_all_are_paid_for() {
    let app = TestApp::start_at("2026-11-16T00:00:00Z", Engine::Sqlite, Faults::none()).await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    assert_eq!(seats(&app, 26).await["notices"], json!(["reached_50"]));
    let shared = async || {
        let (_, found) = app.api(Method::GET, "/billing/margins?month=2026-11", None).await;
        found["customers"][0]["costs"]["shared_micros"].as_i64().unwrap()
    };
    assert_eq!(shared().await, 0);
    for _ in 0..2 {
        let shown = seats(&app, 50).await;
        assert!(shown["notices"].as_array().unwrap().contains(&json!("reached_100")), "{shown}");
    }
    assert_eq!(shared().await, 0, "fifty are free");
    seats(&app, 51).await;
    // More than half of the month is over; all are paid for, and for the most that were taken.
    let cost = shared().await;
    assert!(cost > 51 * 7_000_000 / 2 && cost < 51 * 7_000_000, "{cost}");
    seats(&app, 10).await;
    assert!(shared().await >= cost, "Cloudflare charged for them");
    let mails = told(&app).await;
    assert!(mails.len() == 2 && mails[1].contains("the limit is reached"), "{mails:?}");
}
