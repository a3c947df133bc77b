use std::cell::RefCell;

use providers::ProviderError;
use providers::payments::Payments as _;
use providers::payments::stripe::{BASE_PRICE, KINDS, Ready, Stripe, VERSION, Wanted};
use providers::setup::State;
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use simulators::Fault;

use crate::harness::{House, word};

const HOOK: &str = "https://ai-diy.ai/webhooks/stripe";

/// What an installation keeps between two setups.
#[derive(Default)]
struct Kept(RefCell<Option<(String, SecretString)>>);

impl Kept {
    fn wanted(&self) -> Wanted {
        let endpoint = self.0.borrow().as_ref().map(|(id, _)| id.clone());
        Wanted { product: "AI-DIY".into(), endpoint, keeps_endpoint: false }
    }

    fn id(&self) -> String {
        self.wanted().endpoint.unwrap()
    }

    async fn apply(&self, driver: &Stripe) -> Result<Ready, ProviderError> {
        let keep = async |ready: &Ready| {
            if let Some(endpoint) = &ready.endpoint {
                self.0.replace(Some(endpoint.clone()));
            }
            Ok(())
        };
        driver.apply(&self.wanted(), keep).await
    }

    async fn states(&self, driver: &Stripe) -> Vec<State> {
        driver.plan(&self.wanted()).await.unwrap().into_iter().map(|step| step.state).collect()
    }
}

fn driver(house: &House) -> Stripe {
    house.driver_with(|settings| {
        settings.base_price = String::new();
        settings.webhook_url = Some(HOOK.into());
        settings.currency = Some("usd".into());
    })
}

async fn endpoints(house: &House) -> Vec<String> {
    let all = house.ask(Method::GET, "/v1/webhook_endpoints", &[]).await;
    all["data"].as_array().unwrap().iter().map(|endpoint| word(endpoint, "id").to_owned()).collect()
}

#[tokio::test]
async fn what_is_missing_is_made_once_whatever_answer_is_lost() {
    for fault in [Fault::ResetBefore, Fault::ResetAfter] {
        for number in 1..=8 {
            let (house, kept) = (House::open().await, Kept::default());
            let driver = driver(&house);
            assert_eq!(kept.states(&driver).await, [State::Missing; 3]);
            house.served.faults.at_call(house.served.faults.calls() + number, fault);
            while let Err(error) = kept.apply(&driver).await {
                assert!(error.is_temporary(), "{error}");
            }
            assert_eq!(kept.states(&driver).await, [State::Present; 3]);
            // One product and one price are of the house.
            let made = ["product", "price", "webhook_endpoint"].map(|kind| house.there.creations(kind));
            assert_eq!(made, [2, 2, 1], "{fault:?} {number}");
            let secret = kept.0.borrow().as_ref().unwrap().1.clone();
            let ready = house.driver_with(|settings| {
                settings.base_price = BASE_PRICE.into();
                settings.webhook_secrets = vec![secret];
                settings.webhook_url = Some(HOOK.into());
            });
            let checks = ready.check().await;
            assert!(checks.iter().all(|check| check.advice.is_empty()), "{checks:?}");
        }
    }
}

#[tokio::test]
async fn a_price_that_charges_gives_its_key_to_one_of_nothing_and_stays_for_those_who_have_it() {
    let (house, kept) = (House::open().await, Kept::default());
    house.ask(Method::POST, "/v1/products", &[("id", "spinoff_instance"), ("name", "Instance")]).await;
    let old = [
        ("product", "spinoff_instance"),
        ("currency", "usd"),
        ("unit_amount", "500"),
        ("recurring[interval]", "month"),
        ("lookup_key", BASE_PRICE),
    ];
    house.ask(Method::POST, "/v1/prices", &old).await;
    let driver = driver(&house);
    assert_eq!(kept.states(&driver).await, [State::Present, State::Differs, State::Missing]);
    kept.apply(&driver).await.unwrap();
    assert_eq!(kept.states(&driver).await, [State::Present; 3]);
    let prices = house.ask(Method::GET, "/v1/prices", &[("product", "spinoff_instance")]).await;
    let amounts: Vec<_> = prices["data"].as_array().unwrap().iter().map(|price| &price["unit_amount"]).collect();
    assert_eq!(amounts, [0, 500]);
}

#[tokio::test]
async fn an_endpoint_is_put_right_or_made_anew_where_it_can_not_be() {
    let (house, kept) = (House::open().await, Kept::default());
    let driver = driver(&house);
    kept.apply(&driver).await.unwrap();
    let first = kept.id();
    let path = format!("/v1/webhook_endpoints/{first}");
    house.ask(Method::POST, &path, &[("enabled_events[]", "invoice.paid"), ("disabled", "true")]).await;
    assert_eq!(kept.states(&driver).await[2], State::Differs);
    kept.apply(&driver).await.unwrap();
    assert_eq!((kept.id(), kept.states(&driver).await[2]), (first.clone(), State::Present));

    // Deleted by hand within the hour, so that Stripe would give its first answer again.
    house.ask(Method::DELETE, &path, &[]).await;
    kept.apply(&driver).await.unwrap();
    assert_ne!(kept.id(), first);
    assert_eq!(endpoints(&house).await, [kept.id()]);

    let old = [("url", HOOK), ("api_version", "2025-09-30.clover"), ("enabled_events[]", "*")];
    let old = house.ask(Method::POST, "/v1/webhook_endpoints", &old).await;
    kept.0.replace(Some((word(&old, "id").to_owned(), SecretString::from(word(&old, "secret")))));
    let plan = driver.plan(&kept.wanted()).await.unwrap();
    assert!(plan[2].what.contains("speaks another version"), "{plan:?}");
    kept.apply(&driver).await.unwrap();
    assert_eq!(endpoints(&house).await, [kept.id()]);
}

#[tokio::test]
async fn the_old_endpoint_goes_only_when_the_new_secret_is_kept() {
    let (house, kept) = (House::open().await, Kept::default());
    let driver = driver(&house);
    let mut form = vec![("url", HOOK), ("api_version", VERSION)];
    form.extend(KINDS.iter().map(|kind| ("enabled_events[]", *kind)));
    house.ask(Method::POST, "/v1/webhook_endpoints", &form).await;
    let full = async |_: &Ready| Err(ProviderError::unavailable("keeping it", "the disk is full"));
    driver.apply(&kept.wanted(), full).await.unwrap_err();
    assert_eq!(endpoints(&house).await.len(), 2);
    kept.apply(&driver).await.unwrap();
    assert_eq!(endpoints(&house).await, [kept.id()]);
    assert!(kept.0.borrow().as_ref().unwrap().1.expose_secret().starts_with("whsec_"));
    assert_eq!(house.there.creations("webhook_endpoint"), 2, "the answer with the secret was given again");

    let own = Wanted { keeps_endpoint: true, ..kept.wanted() };
    assert!(driver.plan(&own).await.unwrap().iter().all(|step| step.state == State::Present));
}
