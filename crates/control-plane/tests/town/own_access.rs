//! An instance gets an Access application of its own and gives it back. Before and after each step it is
//! looked whether its members get in, and nobody else.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;
use domain::InstanceId;
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use simulators::cloudflare::{Cloudflare, Visit};
use simulators::railway::{Railway, Route};
use workflow::{Faults, Moment, WorkflowState};

use crate::support::{Town, Wishes};

const OKTA: &str = "Acme Okta";
const MEMBER: &str = "acme@example.com";
const OTHER: &str = "zoo@example.com";
const STRANGER: &str = "eve@example.com";
const STEPS: [&str; 11] = [
    "make application",
    "configure for both",
    "deploy for both",
    "wait until it takes both",
    "put before hostname",
    "look through its hostname",
    "rely on it alone",
    "configure",
    "deploy",
    "look again",
    "record",
];

fn okta() -> Value {
    json!({"existing": OKTA})
}

fn oidc(issuer: &str) -> Value {
    json!({"oidc": {"issuer": issuer, "client_id": "spinoff", "client_secret": "s3cret"}})
}

/// Who looks, at what.
struct Eyes {
    cloudflare: Cloudflare,
    railway: Railway,
    /// The identity providers that people can use.
    providers: Mutex<Vec<String>>,
}

impl Eyes {
    /// What is wrong with who gets in at a hostname at this moment.
    fn look(&self, host: &str) -> Vec<String> {
        // A name that leads nowhere yet, or no more.
        if self.cloudflare.resolve(host).is_none() {
            return Vec::new();
        }
        let Route::Up(guard) = self.railway.route(host) else { return Vec::new() };
        let taken = guard.variables.get("GUARD_AUDIENCE").cloned().unwrap_or_default();
        let mut wrong = Vec::new();
        let (mut members, mut others) = (0, 0);
        for provider in self.providers.lock().unwrap().iter() {
            if let Some(let_through) = self.cloudflare.identified(host, provider, MEMBER) {
                members += 1;
                if !taken.split(',').any(|audience| audience == let_through.audience) {
                    wrong.push(format!("{host}: Access lets a member through whom the guard refuses"));
                }
            }
            others += usize::from(self.cloudflare.identified(host, provider, OTHER).is_some());
            if self.cloudflare.identified(host, provider, STRANGER).is_some() {
                wrong.push(format!("{host}: Access lets a stranger through"));
            }
        }
        let covering = self
            .cloudflare
            .apps()
            .into_iter()
            .any(|app| app.name().starts_with("spinoff:") && !app.name().ends_with("health") && covers(&app, host));
        if covering && others > 0 {
            wrong.push(format!("{host}: its own application lets another customer's member through"));
        }
        if members != 1 {
            wrong.push(format!("{host}: members get in by {members} identity providers"));
        }
        let health = http_get(host, "/-/health");
        if !matches!(self.cloudflare.visit(&health), Visit::Open) {
            wrong.push(format!("{host}: whoever asks for its health is sent to sign in"));
        }
        if !matches!(self.cloudflare.visit(&http_get(host, "/")), Visit::Login(_)) {
            wrong.push(format!("{host}: nobody is asked who they are"));
        }
        wrong
    }
}

fn covers(app: &simulators::cloudflare::App, host: &str) -> bool {
    app.domains().iter().any(|domain| domain == host)
}

fn http_get(host: &str, path: &str) -> axum::http::Request<Bytes> {
    axum::http::Request::get(path).header("host", host).body(Bytes::new()).unwrap()
}

/// A town in which each step happens twice, the one with the name in `failing` fails for good, and at each of
/// them it is looked who gets in.
struct Watched {
    town: Town,
    failing: Arc<Mutex<&'static str>>,
    wrong: Arc<Mutex<Vec<String>>>,
    looks: Arc<Mutex<usize>>,
    eyes: Arc<OnceLock<Eyes>>,
}

impl Watched {
    async fn open(store: store::Engine) -> Self {
        let (failing, wrong): (Arc<Mutex<&'static str>>, Arc<Mutex<Vec<String>>>) = Default::default();
        let (looks, eyes): (Arc<Mutex<usize>>, Arc<OnceLock<Eyes>>) = Default::default();
        let steps = {
            let (failing, wrong, looks, eyes) = (failing.clone(), wrong.clone(), looks.clone(), eyes.clone());
            let seen = Mutex::new(HashSet::new());
            Faults::by(move |point| {
                let eyes = eyes.get()?;
                for host in ["acme.ai-diy.ai", "new-acme.ai-diy.ai"] {
                    *looks.lock().unwrap() += 1;
                    let place = format!("{} {} {:?}", point.kind, point.step, point.moment);
                    wrong.lock().unwrap().extend(eyes.look(host).into_iter().map(|what| format!("{place}: {what}")));
                }
                if point.moment == Moment::Before {
                    return None;
                }
                let failing = *failing.lock().unwrap();
                if point.kind == "own-access.v1" && point.step == failing {
                    return Some(workflow::Fault::Permanent);
                }
                seen.lock().unwrap().insert((failing, point.clone())).then_some(workflow::Fault::Death)
            })
        };
        let town = Town::open(Wishes { steps, store, ..Wishes::brisk() }).await;
        let login = town.companies.identity_provider(OKTA).await;
        let watched = Self { town, failing, wrong, looks, eyes };
        for name in ["acme", "zoo"] {
            watched.town.order(name).await;
        }
        watched.town.settle().await;
        let providers = Mutex::new(vec![login, watched.provider("onetimepin").await]);
        let (cloudflare, railway) = (&watched.town.companies.cloudflare, &watched.town.companies.railway);
        let eyes = Eyes { cloudflare: cloudflare.clone(), railway: railway.clone(), providers };
        assert!(watched.eyes.set(eyes).is_ok());
        watched
    }

    /// The id of the latest identity provider of a kind.
    async fn provider(&self, kind: &str) -> String {
        let there = &self.town.companies.cloudflare;
        let url = &self.town.companies.at("cloudflare").url;
        let path = format!("{url}/client/v4/accounts/{}/access/identity_providers", there.account_id());
        let answer = self.town.http.get(path).bearer_auth(there.token()).send().await.unwrap();
        let listed: Value = answer.json().await.unwrap();
        let mut all = listed["result"].as_array().unwrap().iter().rev();
        all.find(|one| one["type"] == kind).unwrap()["id"].as_str().unwrap().to_owned()
    }

    async fn ends(&self, workflow: &str, wanted: WorkflowState, context: &str) {
        self.town.settle().await;
        let record = self.town.workflow(workflow).await;
        assert_eq!(record.state, wanted, "{context}: {record:#?}");
        let wrong = std::mem::take(&mut *self.wrong.lock().unwrap());
        assert!(wrong.is_empty(), "{context}: {wrong:#?}");
        assert!(std::mem::take(&mut *self.looks.lock().unwrap()) > 10, "{context}: nobody looked");
        let books = self.town.books().await;
        assert!(books.problems.is_empty(), "{context}: {:#?}", books.problems);
    }

    /// What the API says stands before an instance.
    async fn access(&self, name: &str) -> Value {
        let shown = self.town.ask(Method::GET, &format!("/instances/{name}"), json!({})).await.unwrap();
        shown["access"].clone()
    }

    /// How many applications, policies and rows of the store there are beside those that everybody shares.
    async fn left(&self) -> [usize; 3] {
        let there = &self.town.companies.cloudflare;
        let sql = "select count(*) from provider_resources where kind like 'access %' or kind = 'identity provider'";
        let rows = usize::try_from(self.town.count(sql).await).unwrap();
        [there.apps().len() - 2, there.policies().len() - 2, rows]
    }
}

async fn refusal(town: &Town, method: Method, name: &str, provider: Value) -> (StatusCode, String) {
    let token = control_plane::operator_token(&town.app.sealer);
    let request = town.http.request(method, format!("{}/instances/{name}/access", town.url));
    let body = json!({"identity_provider": provider});
    let answer = request.json(&body).bearer_auth(token.expose_secret()).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

#[tokio::test]
async fn members_get_in_and_nobody_else_at_each_moment_of_an_instance_with_its_own_application() {
    for store in [store::Engine::Sqlite, store::Engine::Postgres] {
        let watched = Watched::open(store).await;
        let town = &watched.town;
        assert_eq!(watched.access("acme").await, json!({"application": "shared", "changing": false}));

        let workflow = town.try_own_access("acme", &okta()).await.unwrap();
        watched.ends(&workflow, WorkflowState::Done, "own").await;
        let own = json!({"application": "own", "identity_provider": OKTA, "changing": false});
        assert_eq!(watched.access("acme").await, own);
        assert_eq!(watched.left().await, [2, 1, 3]);
        assert_eq!(town.made("acme")[..4], [1; 4]);

        let workflow = town.try_rename("acme", "new-acme").await.unwrap();
        watched.ends(&workflow, WorkflowState::Done, "rename").await;
        assert_eq!((watched.access("new-acme").await, watched.left().await), (own, [2, 1, 3]));
        assert_eq!(town.look_later().await, [] as [Value; 0]);

        let workflow = town.try_shared_access("new-acme").await.unwrap();
        watched.ends(&workflow, WorkflowState::Done, "shared").await;
        assert_eq!(watched.access("new-acme").await["application"], "shared");
        assert_eq!(watched.left().await, [0, 0, 0]);

        // With a provider that is made for it: people can use it from the moment at which it is there.
        *watched.failing.lock().unwrap() = "a second time";
        let workflow = town.try_own_access("new-acme", &oidc("http://127.0.0.1:9")).await.unwrap();
        town.live_until(town.clock.now() + SignedDuration::from_secs(5)).await;
        let made = watched.provider("oidc").await;
        watched.eyes.get().unwrap().providers.lock().unwrap()[0] = made;
        watched.wrong.lock().unwrap().clear();
        watched.ends(&workflow, WorkflowState::Done, "own provider").await;
        assert_eq!(watched.left().await, [2, 1, 4]);
        let stored =
            town.text("select input from workflows where kind = 'own-access.v1' order by id desc limit 1").await;
        assert!(stored.contains("spinoff") && !stored.contains("s3cret"), "{stored}");

        let workflow = town.delete("new-acme").await;
        town.settle().await;
        assert_eq!(town.outcome(&workflow).await.0, WorkflowState::Done);
        assert_eq!(watched.left().await, [0, 0, 0]);
        let removed = town.ask(Method::GET, "/instances/new-acme", json!({})).await.unwrap()["removal"].to_string();
        for kind in ["access application", "access exception", "access policy", "identity provider"] {
            assert!(removed.contains(kind), "{removed}");
        }
        let books = town.books().await;
        assert!(books.problems.is_empty() && books.live == 1, "{:#?}", books.problems);
    }
}

#[tokio::test]
async fn what_fails_at_any_step_is_undone_and_members_get_in_all_the_while() {
    let watched = Watched::open(store::Engine::Sqlite).await;
    for step in STEPS {
        *watched.failing.lock().unwrap() = step;
        let workflow = watched.town.try_own_access("acme", &okta()).await.unwrap();
        watched.ends(&workflow, WorkflowState::Failed, step).await;
        assert_eq!(watched.access("acme").await, json!({"application": "shared", "changing": false}), "{step}");
        assert_eq!(watched.left().await, [0, 0, 0], "{step}");
        let said = watched
            .town
            .text(
                "select detail from audit_events where action = 'instance.own_access_failed' order by id desc limit 1",
            )
            .await;
        assert!(said.starts_with(step), "{step}: {said}");
    }
}

#[tokio::test]
async fn an_instance_that_is_deleted_or_suspended_while_it_changes_leaves_nothing_behind() {
    for seconds in [1, 4, 8, 12, 16, 24, 32] {
        let watched = Watched::open(store::Engine::Sqlite).await;
        let town = &watched.town;
        town.try_own_access("acme", &okta()).await.unwrap();
        town.live_until(town.clock.now() + SignedDuration::from_secs(seconds)).await;
        if seconds % 8 == 0 {
            town.try_suspend("acme").await.unwrap();
            town.settle().await;
            town.try_resume("acme").await.unwrap();
            town.settle().await;
            if town.try_shared_access("acme").await.is_none() {
                assert_eq!(watched.left().await, [0, 0, 0], "{seconds}");
            }
            town.live_until(town.clock.now() + SignedDuration::from_secs(seconds / 2)).await;
        }
        let workflow = town.delete("acme").await;
        town.settle().await;
        assert_eq!(town.outcome(&workflow).await.0, WorkflowState::Done, "{seconds}");
        assert_eq!(watched.left().await, [0, 0, 0], "{seconds}");
        let books = town.books().await;
        assert!(books.problems.is_empty() && books.live == 1, "{seconds}: {:#?}", books.problems);
    }
}

#[tokio::test]
async fn what_can_not_be_done_now_or_at_all_is_refused_in_words() {
    let watched = Watched::open(store::Engine::Sqlite).await;
    let town = &watched.town;
    for (provider, status, words) in [
        (json!({"existing": "Nobody's"}), 422, "Acme Okta"),
        (oidc("http://login.acme.example"), 422, "no https address"),
        (
            json!({"oidc": {"issuer": "http://127.0.0.1:9", "client_id": " ", "client_secret": "x"}}),
            422,
            "id and secret",
        ),
    ] {
        let (seen, said) = refusal(town, Method::PUT, "acme", provider).await;
        assert!(seen == status && said.contains(words) && !said.contains("s3cret"), "{seen} {said}");
    }
    let (seen, said) = refusal(town, Method::DELETE, "acme", okta()).await;
    assert!(seen == 409 && said.contains("nothing to take back"), "{seen} {said}");

    let okta_again = okta();
    let (one, two) = tokio::join!(town.try_own_access("acme", &okta_again), town.try_own_access("acme", &okta_again));
    assert!(one.is_some() && one == two, "{one:?} {two:?}");
    let (seen, said) = refusal(town, Method::PUT, "acme", oidc("http://127.0.0.1:9")).await;
    assert!(seen == 409 && said.contains("Acme Okta"), "{seen} {said}");
    for refused in [town.try_rename("acme", "new-acme").await, town.try_shared_access("acme").await] {
        assert_eq!(refused, None);
    }
    watched.ends(&one.unwrap(), WorkflowState::Done, "twice asked for").await;
    let (seen, said) = refusal(town, Method::PUT, "acme", okta()).await;
    assert!(seen == 409 && said.contains("already"), "{seen} {said}");

    town.try_suspend("acme").await.unwrap();
    town.settle().await;
    for method in [Method::PUT, Method::DELETE] {
        let (seen, said) = refusal(town, method, "acme", okta()).await;
        assert!(seen == 409 && said.contains("suspended"), "{seen} {said}");
    }
    let again = town.try_rename("zoo", "new-zoo").await.unwrap();
    let (seen, said) = refusal(town, Method::PUT, "zoo", okta()).await;
    assert!(seen == 409 && said.contains("changing its name"), "{seen} {said}");
    town.settle().await;
    assert_eq!(town.outcome(&again).await.0, WorkflowState::Done);
}

#[tokio::test]
async fn an_application_that_vanished_is_found_and_its_instance_helped_by_the_shared_one() {
    let watched = Watched::open(store::Engine::Sqlite).await;
    let town = &watched.town;
    let workflow = town.try_own_access("acme", &okta()).await.unwrap();
    watched.ends(&workflow, WorkflowState::Done, "own").await;
    let id: InstanceId = town.text("select id from instances where subdomain = 'acme'").await.parse().unwrap();
    town.companies.cloudflare.vanish_app(&format!("spinoff:{id}"));
    let found = town.look_later().await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((&found[0]["class"], &found[0]["kind"]), (&json!("drifted"), &json!("access application")));
    assert!(found[0].to_string().contains("lets nobody in"), "{found:#?}");
    let workflow = town.try_shared_access("acme").await.unwrap();
    town.settle().await;
    assert_eq!(town.outcome(&workflow).await.0, WorkflowState::Done);
    watched.wrong.lock().unwrap().clear();
    assert_eq!((town.look_later().await, watched.left().await), (vec![], [0, 0, 0]));
    assert_eq!(watched.eyes.get().unwrap().look("acme.ai-diy.ai"), [] as [String; 0]);
}
