use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use simulators::cloudflare::{Cloudflare, Settings};
use simulators::{Pace, Served, serve};
use world::{Clock, Entropy};

/// A served simulator and a client of it.
pub struct House {
    pub cloudflare: Cloudflare,
    pub served: Served,
    pub clock: Clock,
    pub http: reqwest::Client,
}

impl House {
    pub async fn open() -> Self {
        Self::open_with(Settings::default()).await
    }

    pub async fn open_with(settings: Settings) -> Self {
        let clock = Clock::at(Timestamp::from_second(1_795_554_000).unwrap());
        let cloudflare = Cloudflare::new(clock.clone(), Entropy::seeded(4), settings);
        let served = serve(Arc::new(cloudflare.clone()), clock.clone(), Pace::Virtual).await.unwrap();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { cloudflare, served, clock, http }
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// A path below the zone.
    pub fn zone(&self, rest: &str) -> String {
        format!("/zones/{}{rest}", self.cloudflare.zone_id())
    }

    /// A path below Access in the account.
    pub fn access(&self, rest: &str) -> String {
        format!("/accounts/{}/access/{rest}", self.cloudflare.account_id())
    }

    pub async fn send_as(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> reqwest::Response {
        let mut request = self.http.request(method, format!("{}/client/v4{path}", self.served.url)).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.unwrap()
    }

    pub async fn asked_as(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let answer = self.send_as(token, method, path, body).await;
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    pub async fn asked(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        self.asked_as(self.cloudflare.token(), method, path, body).await
    }

    /// The result of what is expected to be done.
    pub async fn done(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let (status, mut answer) = self.asked(method, path, body).await;
        assert!((200..300).contains(&status), "{path}: {answer}");
        assert_eq!((&answer["success"], &answer["errors"]), (&json!(true), &json!([])));
        answer["result"].take()
    }

    pub async fn get(&self, path: &str) -> Value {
        self.done(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        self.done(Method::POST, path, Some(body)).await
    }

    pub async fn record(&self, kind: &str, name: &str, content: &str) -> Value {
        self.post(&self.zone("/dns_records"), record(kind, name, content)).await
    }

    /// Status and code of what is expected to be refused.
    pub async fn refused(&self, method: Method, path: &str, body: Option<Value>) -> (u16, u64) {
        let (status, answer) = self.asked(method, path, body).await;
        (status, code(&answer))
    }

    pub async fn refused_record(&self, body: Value) -> u64 {
        let (status, code) = self.refused(Method::POST, &self.zone("/dns_records"), Some(body)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        code
    }
}

pub fn record(kind: &str, name: &str, content: &str) -> Value {
    json!({ "type": kind, "name": name, "content": content, "ttl": 1, "proxied": kind == "CNAME" })
}

/// The code of a refusal in Cloudflare's envelope.
pub fn code(answer: &Value) -> u64 {
    assert_eq!((&answer["success"], &answer["result"]), (&json!(false), &Value::Null), "{answer}");
    assert!(answer["errors"][0]["message"].is_string(), "{answer}");
    answer["errors"][0]["code"].as_u64().unwrap()
}

impl House {
    /// The wildcard application with a policy that lets these rules in, and codes by mail.
    pub async fn protect(&self, include: Value) -> Value {
        let provider = json!({ "name": "Email code", "type": "onetimepin", "config": {} });
        let provider = self.post(&self.access("identity_providers"), provider).await;
        let policy = json!({ "name": "members", "decision": "allow", "include": include });
        let policy = self.post(&self.access("policies"), policy).await;
        let app = json!({
            "name": "tenants", "type": "self_hosted", "domain": "*.ai-diy.ai",
            "destinations": [{ "type": "public", "uri": "*.ai-diy.ai" }], "allowed_idps": [provider["id"]],
            "auto_redirect_to_identity": true, "policies": [policy["id"]], "session_duration": "12h",
            "app_launcher_visible": false, "http_only_cookie_attribute": true, "same_site_cookie_attribute": "lax",
        });
        self.post(&self.access("apps"), app).await
    }
}
