//! The layer for applications written in Rust, with the issuer's keys fetched from a real endpoint.

use crate::support;
use std::convert::Infallible;
use std::path::PathBuf;

use crate::support::main_instance::Certs;
use crate::support::{AUDIENCE, Forge, ISSUER, MainInstance};
use access::Verifier;
use domain::Email;
use guard::{Denied, GuardLayer, KeySource, Visitor};
use http::request::Parts;
use http::{Request, Response};
use tower::{Layer as _, Service, ServiceExt as _, service_fn};
use world::Clock;

const CERTS: &str = "/cdn-cgi/access/certs";

fn source(main: &MainInstance, cache: PathBuf) -> KeySource {
    KeySource::new(&format!("http://{}{CERTS}", main.address), None, cache).unwrap()
}

/// An application behind the layer that answers with its visitor's name, or with the rule that refused.
fn application(keys: KeySource) -> impl Service<Request<()>, Response = Response<String>, Error = Infallible> + Clone {
    let verifier = Verifier::new(ISSUER, vec![AUDIENCE.into()]).unwrap();
    let admits = |email: Email| async move { Ok::<_, Infallible>(email.as_str() == "ada@example.com") };
    let refuse = |denied: &Denied, _: &Parts| Response::new(denied.rule().to_owned());
    let layer = GuardLayer::fetching_keys(verifier, keys, Clock::System, admits, refuse);
    layer.layer(service_fn(|request: Request<()>| async move {
        let visitor = request.extensions().get::<Visitor>().unwrap();
        Ok(Response::new(visitor.name().unwrap_or_default().to_owned()))
    }))
}

async fn answer(
    service: &(impl Service<Request<()>, Response = Response<String>, Error = Infallible> + Clone),
    token: &str,
) -> String {
    let request = Request::builder().header("cf-access-jwt-assertion", token).body(()).unwrap();
    support::soon("an answer", service.clone().oneshot(request)).await.unwrap().into_body()
}

#[tokio::test]
async fn keys_are_fetched_when_somebody_comes_and_again_when_they_change() {
    let (old, new) = (Forge::new(), Forge::new());
    let main = MainInstance::start(old.key_set()).await;
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("certs.json");
    let service = application(source(&main, cache.clone()));
    assert_eq!(main.total(), 0, "nobody has come");

    assert_eq!(answer(&service, &old.token("ada@example.com")).await, "ada@example.com");
    assert_eq!(answer(&service, &old.token("eve@example.com")).await, "not-a-member");
    assert_eq!(answer(&service, &old.service_token("deploy.access")).await, "service-not-listed");
    assert_eq!(main.count(CERTS), 1);
    main.set_certs(new.key_set());
    assert_eq!(answer(&service, &new.token("ada@example.com")).await, "ada@example.com");
    assert_eq!(answer(&service, &old.token("ada@example.com")).await, "token-unknown-key", "the old key is withdrawn");
    assert_eq!(main.count(CERTS), 2);

    main.certs_are(Certs::Failing);
    let restarted = application(source(&main, cache));
    assert_eq!(answer(&restarted, &new.token("ada@example.com")).await, "ada@example.com", "by the kept keys");
}

#[tokio::test]
async fn without_any_keys_nobody_enters() {
    let forge = Forge::new();
    let main = MainInstance::start(forge.key_set()).await;
    main.certs_are(Certs::Failing);
    let folder = tempfile::tempdir().unwrap();
    let service = application(source(&main, folder.path().join("certs.json")));
    assert_eq!(answer(&service, &forge.token("ada@example.com")).await, "no-keys-yet");
}

#[test]
fn keys_come_by_https_or_from_this_machine_and_authorities_from_files_that_have_some() {
    let of = |url: &str, ca_file: Option<&str>| KeySource::new(url, ca_file.map(PathBuf::from), "certs.json".into());
    of("https://team.cloudflareaccess.com/cdn-cgi/access/certs", None).unwrap();
    for (url, ca_file, says) in [
        ("http://team.cloudflareaccess.com/cdn-cgi/access/certs", None, "not encrypted"),
        ("nonsense", None, "must"),
        ("https://team.cloudflareaccess.com", Some("/dev/null"), "no certificate"),
        ("https://team.cloudflareaccess.com", Some("/does/not/exist"), "/does/not/exist"),
    ] {
        let error = of(url, ca_file).expect_err(url).to_string();
        assert!(error.contains(says), "{error}");
    }
}
