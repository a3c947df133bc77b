use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use domain::{Cents, CustomerId, Email, InstanceId};
use jiff::SignedDuration;
use providers::payments::stripe::{Stripe, StripeSettings, VERSION};
use providers::payments::{Bill, BillLine, CheckoutState, Order, Payments as _};
use providers::{ProviderError, budget, resources};
use reqwest::{Client, Method};
use secrecy::SecretString;
use serde_json::Value;
use simulators::stripe::{Settings, Stripe as Simulator};
use simulators::{Pace, Served, serve};
use store::testing::{TestDb, fresh};
use world::{Clock, Entropy};

pub const KEY: &str = "sk_test_simulated";
pub const DAY: i64 = 86_400;

/// The driver and the Stripe it talks to.
pub struct House {
    pub driver: Stripe,
    pub there: Simulator,
    pub served: Served,
    pub clock: Clock,
    pub test: TestDb,
    /// The id of the price of the base fee, whose lookup key is `base`.
    pub price: String,
    /// So many drivers were made: each has a chance of its own.
    drivers: Cell<u8>,
}

impl House {
    pub async fn open() -> Self {
        Self::open_with(|_| ()).await
    }

    /// With other settings of the driver.
    pub async fn open_with(change: impl FnOnce(&mut StripeSettings)) -> Self {
        let clock = Clock::at("2026-11-25T10:00:00Z".parse().unwrap());
        let there = Simulator::new(clock.clone(), Entropy::seeded(7), Settings::default());
        let served = serve(Arc::new(there.clone()), clock.clone(), Pace::Virtual).await.unwrap();
        let migrations: Vec<_> = [budget::MIGRATIONS, resources::MIGRATIONS].concat();
        let test = fresh(store::Engine::Sqlite, &migrations).await;
        let mut settings = settings(&served, KEY);
        change(&mut settings);
        let driver = Stripe::new(settings, test.db.clone(), clock.clone(), Entropy::seeded(3)).unwrap();
        let mut house = Self { driver, there, served, clock, test, price: String::new(), drivers: Cell::new(3) };
        house.price = house.sell("base", "0").await;
        house
    }

    /// A monthly price with a lookup key, in cents. Its id.
    pub async fn sell(&self, key: &str, cents: &str) -> String {
        let product = self.ask(Method::POST, "/v1/products", &[("name", "Instance")]).await;
        let form = [
            ("product", word(&product, "id")),
            ("currency", "usd"),
            ("unit_amount", cents),
            ("recurring[interval]", "month"),
            ("lookup_key", key),
        ];
        let price = self.ask(Method::POST, "/v1/prices", &form).await;
        word(&price, "id").to_owned()
    }

    pub fn driver_with(&self, change: impl FnOnce(&mut StripeSettings)) -> Stripe {
        let mut settings = settings(&self.served, KEY);
        change(&mut settings);
        self.drivers.set(self.drivers.get() + 1);
        let entropy = Entropy::seeded(self.drivers.get().into());
        Stripe::new(settings, self.test.db.clone(), self.clock.clone(), entropy).unwrap()
    }

    /// Asks Stripe as somebody else would, such as an operator.
    pub async fn ask(&self, method: Method, path: &str, form: &[(&str, &str)]) -> Value {
        let request = Client::new().request(method.clone(), format!("{}{path}", self.served.url));
        let request = request.bearer_auth(KEY).header("Stripe-Version", VERSION);
        let request = if method == Method::POST { request.form(form) } else { request.query(form) };
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let body = answer.json().await.unwrap();
        assert!(status.is_success(), "{method} {path}: {body}");
        body
    }

    /// The newest session, as the customer is sent to it.
    pub fn session(&self) -> String {
        word(self.there.checkout_sessions().last().unwrap(), "id").to_owned()
    }

    /// A customer who went through the checkout of the first instance.
    pub async fn paid(&self) -> String {
        self.driver.open_checkout(&order(1)).await.unwrap();
        self.there.complete(&self.session()).unwrap();
        assert!(matches!(self.driver.checkout(instance(1)).await, Ok(CheckoutState::Done { .. })));
        self.customer()
    }

    /// The one customer.
    pub fn customer(&self) -> String {
        let all = self.there.customers();
        assert_eq!(all.len(), 1);
        word(&all[0], "id").to_owned()
    }

    /// Invoices at Stripe that stand for one of ours, oldest first.
    pub fn ours(&self) -> Vec<Value> {
        let all = self.there.invoices().into_iter();
        all.filter(|invoice| invoice["metadata"]["spinoff_invoice"].is_string()).collect()
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
        self.there.tick();
    }
}

fn settings(served: &Served, key: &str) -> StripeSettings {
    let secrets = vec![SecretString::from("whsec_test")];
    let mut settings = StripeSettings::new(&served.url, SecretString::from(key), secrets, "base").unwrap();
    settings.pause = Duration::from_millis(1);
    settings.rate.burst = 10_000;
    settings
}

pub fn instance(number: u8) -> InstanceId {
    InstanceId::new("2026-11-25T09:00:00Z".parse().unwrap(), [number; 10])
}

pub fn customer() -> CustomerId {
    CustomerId::new("2026-11-25T09:00:00Z".parse().unwrap(), [9; 10])
}

/// What Ada orders: an instance with this number.
pub fn order(number: u8) -> Order {
    Order {
        customer: customer(),
        name: "Ada Lovelace".into(),
        email: Email::parse("ada@example.com").unwrap(),
        instance: instance(number),
        hostname: "acme.ai-diy.ai".into(),
        done_url: "https://ai-diy.ai/done".into(),
        back_url: "https://ai-diy.ai/back".into(),
        closes_at: None,
    }
}

/// An invoice of Ada's over 8.00.
pub fn bill(number: &str) -> Bill {
    let line = |description: &str, cents| BillLine { description: description.into(), amount: Cents::new(cents) };
    Bill {
        number: number.into(),
        customer: customer(),
        instance: instance(1),
        currency: "USD".into(),
        amount: Cents::new(800),
        lines: vec![line("Base fee", 500), line("Hours", 400), line("Credit and earlier payments", -100)],
    }
}

pub fn word<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_else(|| panic!("no {name} in {object}"))
}

/// The refusal in words.
pub fn refusal<T: std::fmt::Debug>(done: Result<T, ProviderError>) -> String {
    match done {
        Err(error @ ProviderError::Refused { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}
