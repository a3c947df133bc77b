//! Holds the simulator against the published types of Cloudflare's API: what it answers, what it takes
//! and what it says must be in there.
//!
//! The document is not part of this repository: it is looked for in `../shared/specs` beside it, or in
//! the folder that `SPINOFF_SPECS` names. Without it, nothing is checked, and that is said.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use simulators::Simulator as _;
use simulators::cloudflare::{Cloudflare, Settings};
use world::{Clock, Entropy};

const FILE: &str = "cloudflare.json";

/// What these types leave out although it exists: the settings of a zone, and when a thing of Access was
/// made and changed.
const SETTING: &str = "/zones/{zone_id}/settings/{setting_id}";
const FIELDS: [&str; 2] = ["created_at", "updated_at"];

#[test]
fn every_operation_is_in_the_published_types() {
    let Some(spec) = Spec::find() else { return };
    let operations = Cloudflare::operations();
    assert!(operations.len() > 40);
    for operation in operations.iter().filter(|operation| !operation.ends_with(SETTING)) {
        assert!(spec.operation(operation).is_some(), "{operation}");
    }
}

#[tokio::test]
async fn every_field_that_is_taken_is_in_the_published_types() {
    let Some(spec) = Spec::find() else { return };
    let house = House::furnished().await;
    let mut checked = 0;
    for (operation, id) in house.operations() {
        if !["POST ", "PUT ", "PATCH "].iter().any(|method| operation.starts_with(method))
            || operation.ends_with(SETTING)
        {
            continue;
        }
        let is_list = operation.ends_with("/seats");
        let odd = json!({ "no such field": 1 });
        let (_, answer) = house.ask(&operation, &id, Some(if is_list { json!([odd]) } else { odd })).await;
        let Some(schema) = spec.operation(&operation).unwrap().pointer("/requestBody/content/application~1json/schema")
        else {
            continue;
        };
        let schema = if is_list { &schema["items"] } else { schema };
        let known = spec.properties(&[schema]);
        let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
        let (_, taken) = message.split_once("expected").unwrap_or_else(|| panic!("{operation}: {answer}"));
        for field in taken.split('`').skip(1).step_by(2) {
            assert!(known.contains_key(field), "{operation} takes {field}");
            checked += 1;
        }
    }
    assert!(checked > 80, "{checked}");
}

#[tokio::test]
async fn every_field_that_is_answered_is_in_the_published_types() {
    let Some(spec) = Spec::find() else { return };
    let house = House::furnished().await;
    let mut checked = BTreeSet::new();
    for (operation, id) in house.operations() {
        if !operation.starts_with("GET ") || operation.ends_with(SETTING) {
            continue;
        }
        let (status, answer) = house.ask(&operation, &id, None).await;
        assert_eq!(status, 200, "{operation}: {answer}");
        assert!(!answer["result"].is_null() && answer["result"] != json!([]), "{operation} shows something");
        spec.check(&operation, &answer);
        checked.insert(operation);
    }
    for (operation, body) in house.samples() {
        let (status, answer) = house.ask(&operation, "", Some(body)).await;
        assert!((200..300).contains(&status), "{operation}: {answer}");
        spec.check(&operation, &answer);
        checked.insert(operation);
    }
    assert!(checked.len() > 25, "{checked:?}");
    let keys = house.cloudflare.answer(http::Request::get(access::protocol::CERTS).body(Bytes::new()).unwrap()).await;
    spec.check(&format!("GET {}", access::protocol::CERTS), &serde_json::from_slice(keys.body()).unwrap());
}

struct Spec(Value);

impl Spec {
    fn find() -> Option<Self> {
        let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs");
        let folder = std::env::var_os("SPINOFF_SPECS").map_or(beside, PathBuf::from);
        match std::fs::read(folder.join(FILE)) {
            Ok(json) => Some(Self(serde_json::from_slice(&json).unwrap())),
            Err(error) => {
                println!("Cloudflare's types were NOT compared: {}: {error}", folder.join(FILE).display());
                None
            }
        }
    }

    fn operation(&self, operation: &str) -> Option<&Value> {
        let (method, path) = operation.split_once(' ').unwrap();
        self.0["paths"].get(path)?.get(method.to_ascii_lowercase())
    }

    fn check(&self, operation: &str, answer: &Value) {
        let schema = self.operation(operation).unwrap();
        let schema = schema.pointer("/responses/200/content/application~1json/schema").unwrap();
        self.compare(operation, &[schema], answer);
    }

    fn compare(&self, place: &str, schemas: &[&Value], answer: &Value) {
        match answer {
            Value::Array(items) => {
                let schemas = self.plain(schemas);
                let schemas: Vec<&Value> = schemas.into_iter().filter_map(|schema| schema.get("items")).collect();
                items.iter().for_each(|item| self.compare(place, &schemas, item));
            }
            Value::Object(fields) => {
                let known = self.properties(schemas);
                // An object without properties is one of any form.
                for (name, value) in fields.iter().filter(|_| !known.is_empty()) {
                    let inside = known.get(name.as_str());
                    assert!(inside.is_some() || FIELDS.contains(&name.as_str()), "{place} says {name}");
                    self.compare(&format!("{place} {name}"), inside.unwrap_or(&Vec::new()), value);
                }
            }
            _ => {}
        }
    }

    fn properties<'s>(&'s self, schemas: &[&'s Value]) -> BTreeMap<&'s str, Vec<&'s Value>> {
        let mut properties = BTreeMap::<&str, Vec<&Value>>::new();
        for schema in self.plain(schemas) {
            for (name, inside) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
                properties.entry(name).or_default().push(inside);
            }
        }
        properties
    }

    /// Schemas without references and alternatives.
    fn plain<'s>(&'s self, schemas: &[&'s Value]) -> Vec<&'s Value> {
        let mut plain = Vec::new();
        for schema in schemas {
            if let Some(name) = schema["$ref"].as_str() {
                let name = name.rsplit('/').next().unwrap();
                plain.extend(self.plain(&[&self.0["components"]["schemas"][name]]));
                continue;
            }
            plain.push(*schema);
            for parts in ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|key| schema[key].as_array()) {
                plain.extend(self.plain(&parts.iter().collect::<Vec<_>>()));
            }
        }
        plain
    }
}

/// An account in which there is one of everything.
struct House {
    cloudflare: Cloudflare,
    ids: BTreeMap<&'static str, String>,
}

impl House {
    async fn furnished() -> Self {
        let clock = Clock::at(Timestamp::from_second(1_795_554_000).unwrap());
        let cloudflare = Cloudflare::new(clock, Entropy::seeded(4), Settings::default());
        let mut house = Self { cloudflare, ids: BTreeMap::new() };
        for (name, operation, body) in [
            ("{dnsRecordID}", "/zones/{zone_id}/dns_records", record("here")),
            ("{identityProviderID}", "/accounts/{account_id}/access/identity_providers", provider()),
            ("{groupID}", "/accounts/{account_id}/access/groups", group()),
            ("{policyID}", "/accounts/{account_id}/access/policies", policy()),
            ("{serviceTokenID}", "/accounts/{account_id}/access/service_tokens", json!({ "name": "probe" })),
        ] {
            house.make(name, operation, body).await;
        }
        let app = house.app("*.ai-diy.ai");
        house.make("{appID}", "/accounts/{account_id}/access/apps", app).await;
        house.sign_in().await;
        let (_, users) = house.ask("GET /accounts/{account_id}/access/users", "", None).await;
        house.ids.insert("{userID}", users["result"][0]["id"].as_str().unwrap().to_owned());
        house
    }

    /// Every operation, with the id of the thing that it is about.
    fn operations(&self) -> Vec<(String, String)> {
        let id =
            |operation: &str| self.ids.iter().find(|(name, _)| operation.contains(**name)).map(|(_, id)| id.clone());
        Cloudflare::operations().into_iter().map(|it| (it.clone(), id(&it).unwrap_or_default())).collect()
    }

    fn samples(&self) -> Vec<(String, Value)> {
        let access = |rest: &str| format!("POST /accounts/{{account_id}}/access/{rest}");
        let oidc = json!({ "name": "Staff", "type": "oidc", "config": { "client_id": "c", "client_secret": "s" } });
        vec![
            ("POST /zones/{zone_id}/dns_records".into(), record("there")),
            ("POST /zones/{zone_id}/dns_records/batch".into(), json!({ "posts": [record("elsewhere")] })),
            (access("identity_providers"), oidc),
            (access("groups"), group()),
            (access("policies"), policy()),
            (access("apps"), self.app("acme.ai-diy.ai")),
            (access("service_tokens"), json!({ "name": "other", "duration": "24h" })),
            (access("keys/rotate"), json!({})),
            (access("organizations/revoke_user"), json!({ "email": "owner@acme.example" })),
            ("PUT /accounts/{account_id}/access/keys".into(), json!({ "key_rotation_interval_days": 30 })),
            ("PUT /accounts/{account_id}/access/organizations".into(), json!({ "session_duration": "12h" })),
        ]
    }

    fn app(&self, domain: &str) -> Value {
        json!({
            "name": "tenants", "type": "self_hosted", "domain": domain, "policies": [self.ids["{policyID}"]],
            "destinations": [{ "type": "public", "uri": domain }], "allowed_idps": [self.ids["{identityProviderID}"]],
            "auto_redirect_to_identity": true, "session_duration": "12h", "app_launcher_visible": false,
            "http_only_cookie_attribute": true, "same_site_cookie_attribute": "lax",
        })
    }

    async fn make(&mut self, name: &'static str, path: &str, body: Value) {
        let (status, answer) = self.ask(&format!("POST {path}"), "", Some(body)).await;
        assert!((200..300).contains(&status), "{answer}");
        self.ids.insert(name, answer["result"]["id"].as_str().unwrap().to_owned());
    }

    async fn ask(&self, operation: &str, id: &str, body: Option<Value>) -> (u16, Value) {
        let (method, template) = operation.split_once(' ').unwrap();
        let path = template.replace("{zone_id}", &self.cloudflare.zone_id());
        let path = path.replace("{account_id}", &self.cloudflare.account_id());
        let path: Vec<&str> = path.split('/').map(|part| if part.starts_with('{') { id } else { part }).collect();
        let request = http::Request::builder().method(method).uri(format!("/client/v4{}", path.join("/")));
        let request = request.header("authorization", format!("Bearer {}", self.cloudflare.token()));
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let answer = self.cloudflare.answer(request.body(Bytes::from(body)).unwrap()).await;
        (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap())
    }

    /// Somebody enters, so that there are a user and a row in the log.
    async fn sign_in(&self) {
        let start = http::Request::get("/").header("host", "acme.ai-diy.ai").body(Bytes::new()).unwrap();
        let simulators::cloudflare::Visit::Login(answer) = self.cloudflare.visit(&start) else { panic!() };
        let to: http::Uri = answer.headers()["location"].to_str().unwrap().parse().unwrap();
        let path = to.path_and_query().unwrap().as_str();
        let meta = path.rsplit_once("meta=").unwrap().1;
        for (path, form) in [(path, "email=owner@acme.example".to_owned()), ("/cdn-cgi/access/callback", String::new())]
        {
            let code = self.cloudflare.codes().last().map(|code| code.code.clone()).unwrap_or_default();
            let form = if form.is_empty() { format!("meta={meta}&code={code}") } else { form };
            self.cloudflare.answer(http::Request::post(path).body(Bytes::from(form)).unwrap()).await;
        }
        assert_eq!(self.cloudflare.seats(), ["owner@acme.example"]);
    }
}

fn record(name: &str) -> Value {
    json!({ "type": "CNAME", "name": name, "content": "a.up.railway.app", "ttl": 1, "proxied": true, "comment": "ours" })
}

fn provider() -> Value {
    json!({ "name": "Email code", "type": "onetimepin", "config": {} })
}

fn group() -> Value {
    json!({ "name": "owners", "include": [{ "email": { "email": "owner@acme.example" } }] })
}

fn policy() -> Value {
    json!({ "name": "members", "decision": "allow", "include": [{ "everyone": {} }], "session_duration": "12h" })
}
