use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use serde_json::{Value, json};
use simulators::railway::{Dns, Railway, Settings};
use simulators::{Pace, Served, serve};
use world::{Clock, Entropy};

/// Every operation that the tests use, as a client would keep them.
pub const OPERATIONS: &str = include_str!("operations.graphql");

/// A served simulator and a client of it.
pub struct House {
    pub railway: Railway,
    pub served: Served,
    pub clock: Clock,
    pub dns: Arc<Records>,
    http: reqwest::Client,
}

/// A project with one service in one environment.
pub struct Home {
    pub project: String,
    pub environment: String,
    pub service: String,
}

/// DNS records that a test writes by hand.
#[derive(Default)]
pub struct Records {
    pub txt: Mutex<BTreeMap<String, String>>,
    pub cname: Mutex<BTreeMap<String, String>>,
}

impl Dns for Records {
    fn txt(&self, name: &str) -> Vec<String> {
        self.txt.lock().unwrap().get(name).into_iter().cloned().collect()
    }

    fn cname(&self, name: &str) -> Option<String> {
        self.cname.lock().unwrap().get(name).cloned()
    }
}

impl House {
    pub async fn open(settings: Settings) -> Self {
        let clock = Clock::at(Timestamp::from_second(1_795_554_000).unwrap());
        let railway = Railway::new(clock.clone(), Entropy::seeded(7), settings);
        let dns = Arc::new(Records::default());
        railway.set_dns(dns.clone());
        let served = serve(Arc::new(railway.clone()), clock.clone(), Pace::Virtual).await.unwrap();
        Self { railway, served, clock, dns, http: reqwest::Client::new() }
    }

    /// The data of an operation that is expected to be done.
    pub async fn done(&self, operation: &str, variables: Value) -> Value {
        let (status, body) = self.asked(operation, variables).await;
        assert_eq!((status, &body["errors"]), (StatusCode::OK, &Value::Null), "{operation}");
        body["data"].clone()
    }

    /// The message and code of an operation that is expected to be refused with status 200.
    pub async fn refused(&self, operation: &str, variables: Value) -> (String, String) {
        let (status, body) = self.asked(operation, variables).await;
        assert_eq!((status, &body["data"]), (StatusCode::OK, &Value::Null), "{operation}: {body}");
        let error = &body["errors"][0];
        (error["message"].as_str().unwrap().into(), error["extensions"]["code"].as_str().unwrap().into())
    }

    pub async fn asked(&self, operation: &str, variables: Value) -> (StatusCode, Value) {
        let body = json!({ "query": OPERATIONS, "operationName": operation, "variables": variables });
        let answer = self.send(&body, &[("authorization", self.bearer())]).await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    pub async fn send(&self, body: &Value, headers: &[(&str, String)]) -> reqwest::Result<reqwest::Response> {
        let mut request = self.http.post(format!("{}/graphql/v2", self.served.url)).json(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        request.send().await
    }

    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.railway.workspace_token())
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    pub async fn project(&self, name: &str) -> Value {
        let input = json!({ "name": name, "description": "spinoff:instance=ins_1", "workspaceId": "ws-simulated" });
        self.done("ProjectCreate", json!({ "input": input })).await["projectCreate"].clone()
    }

    pub async fn home(&self, name: &str) -> Home {
        let made = self.project(name).await;
        let (project, environment) = (text(&made["id"]), text(&made["primaryEnvironmentId"]));
        let input = json!({
            "projectId": project, "environmentId": environment, "name": "app",
            "source": { "image": "registry.example/app:1" }, "variables": { "PORT": "8000" },
        });
        let service = text(&self.done("ServiceCreate", json!({ "input": input })).await["serviceCreate"]["id"]);
        Home { project, environment, service }
    }

    /// How many projects the list shows.
    pub async fn listed(&self) -> usize {
        let found = self.done("FindProjects", json!({ "ws": "ws-simulated" })).await;
        found["projects"]["edges"].as_array().unwrap().len()
    }

    pub async fn status(&self, deployment: &str) -> String {
        text(&self.done("Deployment", json!({ "id": deployment })).await["deployment"]["status"])
    }

    pub async fn deploy(&self, home: &Home) -> String {
        text(&self.done("Deploy", home.keys()).await["serviceInstanceDeployV2"])
    }
}

impl Home {
    /// Service and environment, as many operations want them.
    pub fn keys(&self) -> Value {
        json!({ "serviceId": self.service, "environmentId": self.environment })
    }

    /// The same with the project, as inputs and some queries want them.
    pub fn all_keys(&self) -> Value {
        json!({ "projectId": self.project, "serviceId": self.service, "environmentId": self.environment })
    }

    /// An input with these keys and more.
    pub fn input(&self, more: Value) -> Value {
        let mut input = self.all_keys();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "input": input })
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
