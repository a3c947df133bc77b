use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use simulators::stripe::{Settings, Stripe, VERSION};
use simulators::{Pace, Served, serve};
use world::{Clock, Entropy};

pub const HOUR: i64 = 3_600;
pub const DAY: i64 = 24 * HOUR;
/// 2026-03-10, so that the months that follow have 31 days first.
pub const START: &str = "2026-03-10T12:00:00Z";

/// An account, its clock and somebody who asks.
pub struct Scene {
    pub stripe: Stripe,
    pub clock: Clock,
    pub served: Served,
    pub client: Client,
    /// What was asked and answered with 200.
    pub replies: Mutex<Vec<(String, String, Value)>>,
}

/// What a business sells: a base fee in advance, and hours after use.
pub struct Offer {
    pub base: String,
    pub hours: String,
    pub meter: String,
}

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub json: Value,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Status, code and parameter of a refusal.
    pub fn refusal(&self) -> (u16, Option<&str>, Option<&str>) {
        let error = &self.json["error"];
        assert!(error["message"].is_string() && error["type"].is_string(), "no refusal: {self:?}");
        (self.status, error["code"].as_str(), error["param"].as_str())
    }
}

impl Scene {
    pub async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub async fn with(settings: Settings) -> Self {
        let clock = Clock::at(START.parse::<Timestamp>().unwrap());
        let stripe = Stripe::new(clock.clone(), Entropy::seeded(7), settings);
        let served = serve(Arc::new(stripe.clone()), clock.clone(), Pace::Virtual).await.unwrap();
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { stripe, clock, served, client, replies: Mutex::default() }
    }

    pub fn now(&self) -> i64 {
        self.clock.now().as_second()
    }

    /// Lets time pass, and does what becomes due.
    pub fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
        self.stripe.tick();
    }

    /// A request with the usual key and version, to be changed before it is sent.
    pub fn request(&self, method: Method, path: &str, form: &[(&str, &str)]) -> RequestBuilder {
        let url = format!("{}{path}", self.served.url);
        let request = self.client.request(method.clone(), url).bearer_auth("sk_test_simulated");
        let request = request.header("Stripe-Version", VERSION);
        if method == Method::GET || method == Method::DELETE { request.query(form) } else { request.form(form) }
    }

    pub async fn send(&self, request: RequestBuilder) -> Reply {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Reply { status, headers, json: serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default() }
    }

    pub async fn try_post(&self, path: &str, form: &[(&str, &str)]) -> Reply {
        self.send(self.request(Method::POST, path, form)).await
    }

    pub async fn try_get(&self, path: &str, query: &[(&str, &str)]) -> Reply {
        self.send(self.request(Method::GET, path, query)).await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        self.done(Method::POST, path, form).await
    }

    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        self.done(Method::GET, path, query).await
    }

    pub async fn delete(&self, path: &str, query: &[(&str, &str)]) -> Value {
        self.done(Method::DELETE, path, query).await
    }

    async fn done(&self, method: Method, path: &str, form: &[(&str, &str)]) -> Value {
        let reply = self.send(self.request(method.clone(), path, form)).await;
        assert_eq!(reply.status, 200, "{method} {path}: {}", reply.json);
        self.replies.lock().unwrap().push((method.to_string(), path.to_owned(), reply.json.clone()));
        reply.json
    }

    /// The ids of a list, in its order.
    pub async fn ids(&self, path: &str, query: &[(&str, &str)]) -> Vec<String> {
        let list = self.get(path, query).await;
        list["data"].as_array().unwrap().iter().map(id).collect()
    }

    pub async fn customer(&self) -> String {
        id(&self.post("/v1/customers", &[("email", "ada@example.com"), ("name", "Ada")]).await)
    }

    pub async fn offer(&self) -> Offer {
        let meter = [
            ("display_name", "Hours"),
            ("event_name", "hours"),
            ("default_aggregation[formula]", "sum"),
            ("customer_mapping[type]", "by_id"),
            ("customer_mapping[event_payload_key]", "stripe_customer_id"),
            ("value_settings[event_payload_key]", "value"),
        ];
        let meter = id(&self.post("/v1/billing/meters", &meter).await);
        let product = id(&self.post("/v1/products", &[("name", "Instance")]).await);
        let monthly = [("product", &*product), ("currency", "usd"), ("recurring[interval]", "month")];
        let mut base = monthly.to_vec();
        base.extend([("unit_amount", "500"), ("lookup_key", "base")]);
        let mut hours = monthly.to_vec();
        hours.extend([("unit_amount", "100"), ("lookup_key", "hour"), ("recurring[usage_type]", "metered")]);
        hours.push(("recurring[meter]", &meter));
        let base = id(&self.post("/v1/prices", &base).await);
        let hours = id(&self.post("/v1/prices", &hours).await);
        Offer { base, hours, meter }
    }

    /// An open checkout of the offer for a customer.
    pub async fn checkout(&self, offer: &Offer, customer: &str, more: &[(&str, &str)]) -> Value {
        let mut form = vec![
            ("mode", "subscription"),
            ("customer", customer),
            ("client_reference_id", "signup_1"),
            ("line_items[0][price]", &*offer.base),
            ("line_items[0][quantity]", "1"),
            ("line_items[1][price]", &*offer.hours),
            ("success_url", "https://shop.example/done?s={CHECKOUT_SESSION_ID}"),
            ("cancel_url", "https://shop.example/again"),
            ("subscription_data[metadata][instance]", "ins_1"),
        ];
        form.extend_from_slice(more);
        self.post("/v1/checkout/sessions", &form).await
    }

    /// A customer with a subscription that was paid for by card.
    pub async fn subscribed(&self, offer: &Offer, more: &[(&str, &str)]) -> (String, String) {
        let customer = self.customer().await;
        let session = self.checkout(offer, &customer, more).await;
        self.stripe.complete(session["id"].as_str().unwrap()).unwrap();
        let session = self.get(&format!("/v1/checkout/sessions/{}", id(&session)), &[]).await;
        (customer, session["subscription"].as_str().unwrap().to_owned())
    }

    /// The card from the checkout pays for invoices without a subscription too.
    pub async fn prefer_card(&self, customer: &str) {
        let path = format!("/v1/customers/{customer}");
        let card = id(&self.get(&format!("{path}/payment_methods"), &[]).await["data"][0]);
        self.post(&path, &[("invoice_settings[default_payment_method]", &card)]).await;
    }

    pub async fn subscription(&self, id: &str) -> Value {
        self.get(&format!("/v1/subscriptions/{id}"), &[]).await
    }

    /// One hour of use, some seconds ago.
    pub async fn use_hour(&self, customer: &str, identifier: &str, ago: i64) -> Reply {
        let at = (self.now() - ago).to_string();
        let form = [
            ("event_name", "hours"),
            ("identifier", identifier),
            ("timestamp", &*at),
            ("payload[stripe_customer_id]", customer),
            ("payload[value]", "1"),
        ];
        self.try_post("/v1/billing/meter_events", &form).await
    }

    /// The kinds of all events so far.
    pub fn kinds(&self) -> Vec<String> {
        self.stripe.events().iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }
}

pub fn id(object: &Value) -> String {
    object["id"].as_str().unwrap().to_owned()
}

/// Waits until something holds; far longer than it ever takes is a failure.
pub async fn until(holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), wait).await.expect("it never came true");
}
