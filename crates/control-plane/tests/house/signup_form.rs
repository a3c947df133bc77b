use reqwest::{Method, StatusCode};

use crate::support::TestApp;

fn form<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [
        ("key", "k1"),
        ("name", "Ada Lovelace"),
        ("email", "ada@example.com"),
        ("company", ""),
        ("subdomain", "acme"),
        ("card_number", "4242 4242 4242 4242"),
        ("card_expiry", "12/39"),
        ("card_cvc", "123"),
        ("card_name", "Ada Lovelace"),
        ("coupon", ""),
        ("agree_terms", "yes"),
        ("agree_privacy", "yes"),
        ("agree_acceptable_use", "yes"),
        ("agree_billing", "yes"),
    ];
    let changed = |name: &str| changes.iter().find(|(field, _)| *field == name).map(|(_, value)| *value);
    usual.into_iter().map(|(name, value)| (name, changed(name).unwrap_or(value))).collect()
}

async fn submit(app: &TestApp, changes: &[(&str, &str)]) -> crate::support::TestPage {
    app.browser(Method::POST, "/signup", None, &form(changes)).await
}

#[tokio::test]
async fn signing_up_leads_to_the_live_view_and_on_to_a_running_instance() {
    let app = TestApp::start().await;
    let page = submit(&app, &[]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    let progress = page.location.unwrap();
    assert_eq!(app.settled(progress.strip_prefix("/signup/").unwrap()).await, "done");
    let page = app.get(&progress, None).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("acme.localhost"));
    assert_eq!(app.count("select count(*) from agreements").await, 4);
    assert_eq!(app.count("select count(*) from payment_methods where last4 = '4242'").await, 1);
}

#[tokio::test]
async fn the_same_form_sent_again_orders_nothing_more() {
    let app = TestApp::start().await;
    let first = submit(&app, &[]).await;
    let again = submit(&app, &[]).await;
    assert_eq!(first.location, again.location);
    let parallel = futures_util::future::join_all(
        (0..8).map(|_| submit(&app, &[("key", "k2"), ("email", "eve@example.com"), ("subdomain", "zoo")])),
    )
    .await;
    let places: std::collections::BTreeSet<_> = parallel.into_iter().map(|page| page.location).collect();
    assert_eq!(places.len(), 1, "{places:?}");
    assert_eq!(app.count("select count(*) from instances").await, 2);
}

#[tokio::test]
async fn a_coupon_is_had_with_the_order_or_nothing_is_ordered() {
    let app = TestApp::start().await;
    let shows_it = async |path: &str| app.get(path, None).await.body.contains("name=\"coupon\"");
    assert!(!shows_it("/signup").await, "there is none to be had");
    let new = serde_json::json!({"code": "FRIENDS", "name": "Friends", "amount": 500, "most": 1});
    let (status, answer) = app.api(Method::POST, "/coupons", Some(new)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert!(shows_it("/signup").await);
    assert!(app.get("/signup?coupon=friends", None).await.body.contains("value=\"friends\""), "as a link says it");
    for (code, words) in [("FRIENDZ", "There is no coupon FRIENDZ"), ("no code!", "coupon_error")] {
        let page = submit(&app, &[("coupon", code)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains(words), "{}", page.body);
    }
    assert_eq!(app.count("select count(*) from customers").await, 0);

    for _ in 0..2 {
        let page = submit(&app, &[("coupon", " friends ")]).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    }
    assert_eq!(app.count("select count(*) from customer_coupons").await, 1);
    let bob = [("key", "k2"), ("email", "bob@example.com"), ("subdomain", "zoo"), ("coupon", "FRIENDS")];
    let page = submit(&app, &bob).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("All of coupon FRIENDS are taken"), "{}", page.body);
    assert!(page.body.contains("value=\"FRIENDS\""), "it can be seen and taken out");
    assert_eq!(app.count("select count(*) from instances").await, 1);
    assert_eq!(app.count("select count(*) from customers").await, 1);
}

#[tokio::test]
async fn each_wrong_field_is_named_and_nothing_is_made() {
    let app = TestApp::start().await;
    app.provision("eve@example.com", "zoo").await;
    let long = "x".repeat(101);
    for (field, value, says) in [
        ("name", "", "Enter your name"),
        ("name", long.as_str(), "at most 100"),
        ("company", long.as_str(), "at most 100"),
        ("email", "ada", "is not an e-mail address"),
        ("subdomain", "a", "at least 3"),
        ("subdomain", "admin", "reserved"),
        ("subdomain", "zoo", "is taken"),
        ("subdomain", "z0o", "is taken"),
        ("card_number", "4242 4242 4242 4241", "check the digits"),
        ("card_number", "4000 0000 0000 0002", "use another one"),
        ("card_expiry", "01/20", "expired"),
        ("card_cvc", "1", "three or four digits"),
        ("card_name", "", "name that stands on the card"),
    ] {
        let page = submit(&app, &[(field, value)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{field} {value}");
        assert!(page.body.contains(says), "{field} {value}: not said: {says}");
        assert!(!page.body.contains("4242 4242 4242 4242\""), "a card number came back");
    }
    let mut without = form(&[]);
    without.retain(|(name, _)| *name != "agree_terms");
    let page = app.browser(Method::POST, "/signup", None, &without).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(app.count("select count(*) from instances").await, 1);
    assert_eq!(app.count("select count(*) from customers").await, 1);
}

#[tokio::test]
async fn whoever_only_knows_a_customers_address_changes_nothing_of_theirs() {
    let app = TestApp::start().await;
    let page = submit(&app, &[]).await;
    app.settled(page.location.unwrap().strip_prefix("/signup/").unwrap()).await;
    let other = [("key", "k2"), ("subdomain", "zoo"), ("card_number", "5555 5555 5555 4444")];
    let stranger = submit(&app, &other).await;
    assert_eq!(stranger.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(stranger.body.contains("Sign in first"));
    assert_eq!(app.count("select count(*) from payment_methods where last4 = '4242'").await, 1);
    let owner = app.browser(Method::POST, "/signup", Some("ada@example.com"), &form(&other)).await;
    assert_eq!(owner.status, StatusCode::SEE_OTHER, "{}", owner.body);
    assert_eq!(app.count("select count(*) from payment_methods where last4 = '4444'").await, 1);
}

#[tokio::test]
async fn a_form_sent_again_with_other_words_is_another_order() {
    let app = TestApp::start().await;
    submit(&app, &[]).await;
    let changed = submit(&app, &[("email", "eve@example.com"), ("subdomain", "zoo")]).await;
    assert_eq!(changed.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(changed.body.contains("was sent already"));
    assert!(!changed.body.contains("value=\"k1\""), "the used key came back");
}

#[tokio::test]
async fn no_card_number_is_kept_anywhere() {
    let app = TestApp::start().await;
    submit(&app, &[]).await;
    let tables = ["payment_methods", "customers", "instances", "audit_events", "workflows", "messages"];
    for table in tables {
        let sql = store::sqlx::AssertSqlSafe(format!("select * from {table}"));
        let rows = store::sqlx::query(sql).fetch_all(app.db.db.read()).await.unwrap();
        for row in rows {
            use store::sqlx::{Column as _, Row as _};
            for column in row.columns() {
                let text: Option<String> = row.try_get(column.ordinal()).ok().flatten();
                let text = text.unwrap_or_default().replace(' ', "");
                assert!(!text.contains("424242424242"), "{table}.{} holds a card number", column.name());
            }
        }
    }
}

#[tokio::test]
async fn availability_is_told_in_words() {
    let app = TestApp::start().await;
    app.provision("eve@example.com", "zoo").await;
    for (name, available) in
        [("acme", true), ("zoo", false), ("zo-o", false), ("www", false), ("", false), ("%00", false)]
    {
        let page = app.get(&format!("/signup/availability?subdomain={name}"), None).await;
        let answer: serde_json::Value = serde_json::from_str(&page.body).unwrap();
        assert_eq!(answer["available"], available, "{name}: {answer}");
        assert!(!answer["message"].as_str().unwrap().is_empty());
        assert!(!page.body.contains("eve@"), "availability tells whose the name is");
    }
}
