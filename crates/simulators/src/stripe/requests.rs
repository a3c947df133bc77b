//! One request from its key to its answer.

use std::sync::PoisonError;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::stripe::account::{Account, Call};
use crate::stripe::idempotency::{Sent, Turn};
use crate::stripe::keys::Permission;
use crate::stripe::parameters::check;
use crate::stripe::refusal::Refusal;
use crate::stripe::routes::{self, Operation};
use crate::stripe::{Stripe, VERSION, expansion, form, pages};
use crate::{Answer, Request, Simulator};

/// A request that waits; it goes on when this is dropped.
#[derive(Debug)]
pub struct Held(oneshot::Sender<()>);

impl Held {
    /// Lets the request go on.
    pub fn release(self) {
        let _ = self.0.send(());
    }

    /// Whether the request is still to be answered, whether it came yet or not.
    pub fn waits(&self) -> bool {
        !self.0.is_closed()
    }
}

#[async_trait]
impl Simulator for Stripe {
    fn operation(&self, request: &Request) -> String {
        let path = request.uri().path();
        let template = match routes::find(request.method(), path) {
            Some((operation, _)) => operation.path,
            None if path.starts_with("/c/pay/") => "/c/pay/{id}",
            None if path.starts_with("/i/") => "/i/{id}",
            None if path.starts_with("/p/session/") => "/p/session/{id}",
            None => path,
        };
        format!("{} {template}", request.method())
    }

    async fn answer(&self, request: Request) -> Answer {
        let id = {
            let mut account = self.account();
            learn_pages(&mut account, &request);
            if let Some(page) = pages::answer(&mut account, &request) {
                return page;
            }
            account.id("req")
        };
        match self.begin(&request) {
            Err(refusal) => refused(&refusal, &id, None),
            Ok(Begun::Again(sent)) => written(&sent, true, key(&request)),
            Ok(Begun::First(operation, path_id)) => {
                let running = Running { stripe: self, key: key(&request) };
                self.wait(&self.operation(&request)).await;
                let answer = self.carry_out(operation, path_id, &request, &id);
                drop(running);
                answer
            }
        }
    }

    fn failure(&self, status: u16) -> Bytes {
        let refusal = if status == 429 { Refusal::too_many() } else { Refusal::broken(status) };
        let id = self.account().id("req");
        refusal.body(&id).to_string().into()
    }
}

enum Begun {
    First(&'static Operation, String),
    Again(Sent),
}

/// A key that is taken while its request runs, and free again if that breaks off.
struct Running<'a> {
    stripe: &'a Stripe,
    key: Option<String>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            self.stripe.account().remembered.forget(key);
        }
    }
}

impl Stripe {
    /// Makes the next request of an operation wait until the returned value is dropped or released.
    pub fn hold_next(&self, operation: &str) -> Held {
        let (sender, receiver) = oneshot::channel();
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.push((operation.to_owned(), receiver));
        Held(sender)
    }

    /// The next request of an operation breaks inside: nothing is done, and its idempotency key
    /// remembers that.
    pub fn break_next(&self, operation: &str, status: u16) {
        self.account().breaking.push((operation.to_owned(), status));
    }

    /// Whether a request with this idempotency key is being carried out.
    pub fn is_running(&self, key: &str) -> bool {
        self.account().remembered.is_running(key)
    }

    async fn wait(&self, operation: &str) {
        let receiver = {
            let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
            let place = held.iter().position(|(waiting, _)| waiting == operation);
            place.map(|place| held.remove(place).1)
        };
        if let Some(receiver) = receiver {
            // Dropping the other end lets it go on as well.
            let _ = receiver.await;
        }
    }

    /// Whether the request may begin.
    fn begin(&self, request: &Request) -> Result<Begun, Refusal> {
        let mut account = self.account();
        let found = routes::find(request.method(), request.uri().path());
        let needs = if request.method() == Method::GET { Permission::Read } else { Permission::Write };
        account.keys.check(request, found.as_ref().map_or("", |(operation, _)| operation.resource), needs)?;
        keep_pace(&mut account)?;
        check_version(&account, request)?;
        let Some((operation, id)) = found else {
            let what = format!("{} {}", request.method(), request.uri().path());
            return Err(Refusal::unknown_operation(&what));
        };
        let now = account.now;
        match key(request) {
            Some(key) => Ok(match account.remembered.begin(&key, request, now)? {
                Turn::First => Begun::First(operation, id),
                Turn::Again(sent) => Begun::Again(sent),
            }),
            None => Ok(Begun::First(operation, id)),
        }
    }

    fn carry_out(&self, operation: &'static Operation, path_id: String, request: &Request, id: &str) -> Answer {
        let key = key(request);
        let mut account = self.account();
        let name = format!("{} {}", operation.method, operation.path);
        let broken = account.breaking.iter().position(|(waiting, _)| *waiting == name);
        let result = match broken {
            Some(place) => Err(Refusal::broken(account.breaking.remove(place).1)),
            None => {
                account.request = Some((id.to_owned(), key.clone()));
                let result = run(&mut account, operation, path_id, request);
                account.request = None;
                result
            }
        };
        let (sent, retry, remembered) = match result {
            Ok(body) => (Sent { status: 200, body: body.to_string().into(), request: id.to_owned() }, None, true),
            Err(refusal) => {
                let body = refusal.body(id).to_string().into();
                let sent = Sent { status: refusal.status, body, request: id.to_owned() };
                (sent, refusal.retry, refusal.remembered)
            }
        };
        if let Some(key) = key.as_ref().filter(|_| remembered) {
            account.remembered.keep(key, sent.clone());
        }
        let mut answer = written(&sent, false, key);
        advise(&mut answer, retry);
        answer
    }
}

fn run(account: &mut Account, operation: &Operation, id: String, request: &Request) -> Result<Value, Refusal> {
    let query = request.uri().query().unwrap_or_default();
    let mut sent = form::read(query.as_bytes())?;
    // A body is read for all that changes something; DELETE may have its parameters in either place.
    if request.method() != Method::GET {
        sent.extend(form::read(request.body())?);
    }
    let params = check(&operation.parameters, &sent)?;
    let call = Call { path: request.uri().path().to_owned(), id, params };
    let mut answer = (operation.run)(account, &call)?;
    expansion::expand(account, &mut answer, &call.params["expand"])?;
    Ok(answer)
}

fn keep_pace(account: &mut Account) -> Result<(), Refusal> {
    let now = account.now;
    let (second, asked) = account.pace;
    let asked = if second == now { asked + 1 } else { 1 };
    account.pace = (now, asked);
    match account.settings.requests_per_second {
        Some(most) if asked > most => Err(Refusal::too_many()),
        _ => Ok(()),
    }
}

fn check_version(account: &Account, request: &Request) -> Result<(), Refusal> {
    let version = request.headers().get("stripe-version").and_then(|version| version.to_str().ok());
    if !account.settings.strict_version || version == Some(VERSION) {
        return Ok(());
    }
    let sent = version.unwrap_or("none");
    Err(Refusal::invalid(format!("This simulator is of Stripe-Version {VERSION}, and the request of {sent}")))
}

/// Where the pages are: where the requests go, unless somebody said otherwise.
fn learn_pages(account: &mut Account, request: &Request) {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or(request.uri().authority().map(http::uri::Authority::as_str));
    if let (Some(host), true) = (host, account.pages.is_empty()) {
        account.pages = format!("http://{host}");
    }
}

fn key(request: &Request) -> Option<String> {
    let key = request.headers().get("idempotency-key").filter(|_| request.method() == Method::POST)?;
    Some(String::from_utf8_lossy(key.as_bytes()).into_owned())
}

fn refused(refusal: &Refusal, id: &str, key: Option<String>) -> Answer {
    let body = refusal.body(id).to_string().into();
    let mut answer = written(&Sent { status: refusal.status, body, request: id.to_owned() }, false, key);
    advise(&mut answer, refusal.retry);
    answer
}

fn advise(answer: &mut Answer, retry: Option<bool>) {
    if let Some(retry) = retry {
        let advice = if retry { "true" } else { "false" };
        answer.headers_mut().insert("stripe-should-retry", HeaderValue::from_static(advice));
    }
}

fn written(sent: &Sent, again: bool, key: Option<String>) -> Answer {
    let mut answer = http::Response::new(sent.body.clone());
    *answer.status_mut() = StatusCode::from_u16(sent.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    put("request-id", &sent.request);
    put("stripe-version", VERSION);
    if let Some(key) = key {
        put("idempotency-key", &key);
    }
    if again {
        put("idempotent-replayed", "true");
        put("original-request", &sent.request);
    }
    answer
}
