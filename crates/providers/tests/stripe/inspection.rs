use domain::Cents;
use providers::inventory::{Check, Verdict};
use providers::payments::Payments as _;
use providers::payments::stripe::{KINDS, Stripe, StripeSettings, VERSION};
use reqwest::Method;
use secrecy::SecretString;
use simulators::stripe::Permission;

use crate::harness::{House, KEY, customer, instance, order, refusal, word};

const HOOK: &str = "https://ai-diy.ai/webhooks/stripe";

async fn hook(house: &House, version: &str, kinds: &[&str]) {
    let mut form = vec![("url", HOOK), ("api_version", version)];
    form.extend(kinds.iter().map(|kind| ("enabled_events[]", *kind)));
    house.ask(Method::POST, "/v1/webhook_endpoints", &form).await;
}

fn strict(house: &House, change: impl FnOnce(&mut StripeSettings)) -> Stripe {
    house.driver_with(|settings| {
        settings.webhook_url = Some(HOOK.into());
        settings.currency = Some("USD".into());
        settings.live = Some(false);
        change(settings);
    })
}

/// The checks that found something.
async fn found(driver: &Stripe) -> Vec<Check> {
    driver.check().await.into_iter().filter(|check| check.verdict != Verdict::Ok).collect()
}

#[tokio::test]
async fn all_is_well_when_key_mode_price_and_webhook_are() {
    let house = House::open().await;
    hook(&house, VERSION, &KINDS).await;
    let checks = strict(&house, |_| ()).check().await;
    let names: Vec<_> = checks.iter().map(|check| (check.name.as_str(), check.verdict)).collect();
    let ok = ["Stripe key", "Stripe mode", "base price", "Stripe webhook"].map(|name| (name, Verdict::Ok));
    assert_eq!(names, ok);
}

#[tokio::test]
async fn each_thing_that_is_wrong_is_named_with_what_to_do() {
    let house = House::open().await;
    hook(&house, VERSION, &["*"]).await;
    house.sell("old", "500").await;
    type Change = fn(&mut StripeSettings);
    let wrong: [(Change, &str, &str); 7] = [
        (|settings| settings.live = Some(true), "the key is of a sandbox", "set the key of the other mode"),
        (|settings| settings.currency = Some("eur".into()), "invoices are in eur", "make a price"),
        (|settings| settings.base_price = "old".into(), "charges 500 in usd", "run `spinoff setup stripe`"),
        (|settings| settings.base_price = "bass".into(), "no active price has it", "run `spinoff setup stripe`"),
        (|settings| settings.base_price = "price_none".into(), "does not exist", "compare the ids"),
        (
            |settings| settings.webhook_url = Some("https://b.example".into()),
            "no webhook endpoint",
            "run `spinoff setup stripe`",
        ),
        (|settings| settings.webhook_secrets.clear(), "no webhook secret is set", "run `spinoff setup stripe`"),
    ];
    for (change, why, next) in wrong {
        let found = found(&strict(&house, change)).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].verdict, Verdict::Fail);
        assert!(found[0].found.contains(why) && found[0].advice.contains(next), "{:?}", found[0]);
    }
    house.ask(Method::POST, &format!("/v1/prices/{}", house.price), &[("active", "false")]).await;
    let driver = strict(&house, |settings| settings.base_price = house.price.clone());
    assert!(found(&driver).await[0].found.contains("is inactive"));
}

#[tokio::test]
async fn a_webhook_that_is_told_too_little_or_in_another_version_is_warned_of() {
    for (version, kinds, why) in [
        (VERSION, &["invoice.paid"][..], "is not told of checkout.session.completed"),
        ("2025-09-30.clover", &["*"][..], "is told in 2025-09-30.clover"),
    ] {
        let house = House::open().await;
        hook(&house, version, kinds).await;
        let found = found(&strict(&house, |_| ())).await;
        assert_eq!((found.len(), found[0].verdict), (1, Verdict::Warn));
        assert!(found[0].found.contains(why), "{:?}", found[0]);
    }
}

#[tokio::test]
async fn a_key_that_is_revoked_or_may_too_little_is_told_in_one_sentence() {
    let house = House::open().await;
    let mut permissions = vec![
        ("customer", Permission::Write),
        ("price", Permission::Read),
        ("checkout_session", Permission::Read),
        ("subscription", Permission::Read),
    ];
    let key = house.there.restricted_key(&permissions);
    let driver = house.driver_with(|settings| settings.key = SecretString::from(key));
    let why = refusal(driver.open_checkout(&order(1)).await);
    let next = "give the restricted key the permission “checkout_session: write” in Stripe's dashboard";
    assert!(why.ends_with(next), "{why}");
    permissions[2].1 = Permission::Write;
    let key = house.there.restricted_key(&permissions);
    let driver = house.driver_with(|settings| settings.key = SecretString::from(key));
    driver.open_checkout(&order(1)).await.unwrap();
    house.there.revoke(KEY);
    let why = refusal(house.driver.subscribe(customer(), instance(1)).await);
    let next = "the key is wrong, revoked or expired: make a new one in Stripe's dashboard and set it";
    assert!(why.ends_with(next) && !why.contains(KEY), "{why}");
    let checks = house.driver.check().await;
    assert_eq!((checks.len(), checks[0].verdict, checks[0].advice.as_str()), (1, Verdict::Fail, next));
}

#[tokio::test]
async fn the_inventory_shows_what_runs_and_what_is_open() {
    let house = House::open().await;
    house.paid().await;
    house.driver.open_checkout(&order(2)).await.unwrap();
    let items = house.driver.inventory().await.unwrap();
    let seen: Vec<_> = items.iter().map(|item| (item.kind, item.instance, item.monthly_cost)).collect();
    let fee = Some(Cents::ZERO);
    assert_eq!(seen, [("subscription", Some(instance(1)), fee), ("checkout", Some(instance(2)), None)]);
    assert!(items.iter().all(|item| item.drift.is_none() && item.created_at == Some(house.clock.now())));
    house.driver.cancel(instance(1)).await.unwrap();
    house.driver.close_checkout(instance(2)).await.unwrap();
    assert_eq!(house.driver.inventory().await.unwrap(), []);
    assert_eq!(word(&house.there.customers()[0], "name"), "Ada Lovelace");
}
