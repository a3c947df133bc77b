use std::sync::{Arc, Mutex};

use access::{Identity, KeySet, Verifier};
use bytes::Bytes;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use simulators::cloudflare::{Settings, Visit};

use crate::browser::{Browser, Ended};
use crate::harness::House;

const ISSUER: &str = "https://aidiy.cloudflareaccess.com";
const ACME: &str = "acme.ai-diy.ai";
const BETA: &str = "beta.ai-diy.ai";
const OWNER: &str = "owner@acme.example";

fn owner() -> Value {
    json!([{ "email": { "email": OWNER } }])
}

fn last_code(house: &House) -> String {
    house.cloudflare.codes().last().map(|code| code.code.clone()).unwrap_or_default()
}

async fn key_set(house: &House) -> KeySet {
    let url = format!("{}/cdn-cgi/access/certs", house.served.url);
    KeySet::parse(&house.http.get(url).send().await.unwrap().bytes().await.unwrap()).unwrap()
}

fn verifier(app: &Value) -> Verifier {
    Verifier::new(ISSUER, vec![app["aud"].as_str().unwrap().to_owned()]).unwrap()
}

#[tokio::test]
async fn a_member_signs_in_by_a_mailed_code_and_is_vouched_for() {
    let house = House::open().await;
    let app = house.protect(owner()).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let outbox = Arc::clone(&told);
    house.cloudflare.on_code(move |code| outbox.lock().unwrap().push((code.email.clone(), code.code.clone())));
    let browser = Browser::of(&house);
    let ended = browser.sign_in(ACME, "Owner@Acme.example", || last_code(&house)).await;
    assert_eq!(ended, Ended::In("/board?x=1".into()));
    assert_eq!(*told.lock().unwrap(), [(OWNER.to_owned(), last_code(&house))]);
    let assertion = browser.assertion(ACME);
    let verified = verifier(&app).verify(&assertion, &key_set(&house).await, house.clock.now()).unwrap();
    assert_eq!(*verified.identity(), Identity::Person(OWNER.parse().unwrap()));
    assert_eq!(verified.expires(), house.clock.now() + SignedDuration::from_hours(12));
    house.pass(12 * 3600);
    assert!(matches!(browser.visit(ACME, "/"), Visit::Login(_)));
}

#[tokio::test]
async fn an_address_that_no_policy_allows_gets_no_code_though_the_page_says_so() {
    let house = House::open().await;
    house.protect(owner()).await;
    let ended = Browser::of(&house).sign_in(ACME, "stranger@else.example", || "000000".into()).await;
    let Ended::At(200, page) = ended else { panic!("{ended:?}") };
    assert!(page.contains("A code has been emailed to <b>stranger@else.example</b>"), "{page}");
    assert_eq!((house.cloudflare.codes(), house.cloudflare.seats()), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn an_application_without_a_policy_lets_nobody_in() {
    let house = House::open().await;
    house.protect(json!([{ "everyone": {} }])).await;
    let lone = json!({ "name": "admin", "type": "self_hosted", "domain": "ops.ai-diy.ai" });
    house.post(&house.access("apps"), lone).await;
    let browser = Browser::of(&house);
    assert!(matches!(browser.sign_in("ops.ai-diy.ai", OWNER, || "0".into()).await, Ended::At(200, _)));
    assert_eq!(house.cloudflare.codes(), []);
    browser.sign_in(ACME, OWNER, || last_code(&house)).await;
    let login = crate::browser::location(&browser.login("ops.ai-diy.ai", "/"));
    assert_eq!(browser.team("GET", &login, None).await.0, 403, "whoever is known already is turned away");
}

#[tokio::test]
async fn one_sign_in_opens_every_hostname_of_the_wildcard_with_one_audience() {
    let house = House::open().await;
    let app = house.protect(owner()).await;
    let browser = Browser::of(&house);
    browser.sign_in(ACME, OWNER, || last_code(&house)).await;
    assert!(matches!(browser.visit(BETA, "/"), Visit::Login(_)), "cookies are each hostname's own");
    let ended = browser.sign_in(BETA, OWNER, || panic!("no second code")).await;
    assert_eq!(ended, Ended::In("/board?x=1".into()));
    let thief = Browser::of(&house);
    thief.keep("gamma.ai-diy.ai", &browser.assertion(ACME));
    let taken_along = thief.assertion("gamma.ai-diy.ai");
    assert!(verifier(&app).verify(&taken_along, &key_set(&house).await, house.clock.now()).is_ok());
}

#[tokio::test]
async fn a_code_is_good_once_and_for_ten_minutes() {
    let house = House::open().await;
    house.protect(owner()).await;
    let late = || {
        house.pass(600);
        last_code(&house)
    };
    assert!(matches!(Browser::of(&house).sign_in(ACME, OWNER, late).await, Ended::At(200, _)));
    let wrong = || if last_code(&house) == "123456" { "654321".into() } else { "123456".into() };
    assert!(matches!(Browser::of(&house).sign_in(ACME, OWNER, wrong).await, Ended::At(200, _)));
    assert_eq!(house.cloudflare.seats(), [""; 0]);
}

#[tokio::test]
async fn a_rotated_key_stays_good_for_a_week_and_new_tokens_bear_the_new_one() {
    let house = House::open().await;
    let app = house.protect(owner()).await;
    let app_path = house.access(&format!("apps/{}", app["id"].as_str().unwrap()));
    let mut long = json!({ "type": "self_hosted", "domain": "*.ai-diy.ai", "session_duration": "720h" });
    long["policies"] = json!([app["policies"][0]["id"]]);
    long["http_only_cookie_attribute"] = json!(true);
    long["same_site_cookie_attribute"] = json!("lax");
    house.done(Method::PUT, &app_path, Some(long)).await;
    let browser = Browser::of(&house);
    browser.sign_in(ACME, OWNER, || last_code(&house)).await;
    let (old, before) = (browser.assertion(ACME), key_set(&house).await);
    let rotated = house.post(&house.access("keys/rotate"), json!({})).await;
    assert_eq!(
        (&rotated["key_rotation_interval_days"], &rotated["days_until_next_rotation"]),
        (&json!(42), &json!(42))
    );
    let after = key_set(&house).await;
    assert_eq!((before.len(), after.len()), (1, 2));
    assert!(verifier(&app).verify(&old, &after, house.clock.now()).is_ok());
    let other = Browser::of(&house);
    other.sign_in(BETA, OWNER, || last_code(&house)).await;
    let new = other.assertion(BETA);
    assert!(verifier(&app).verify(&new, &before, house.clock.now()).is_err(), "an old set doesn't know the new key");
    house.pass(7 * 86400);
    let alone = key_set(&house).await;
    assert_eq!(alone.len(), 1);
    assert!(verifier(&app).verify(&old, &alone, house.clock.now()).is_err());
    assert!(matches!(browser.visit(ACME, "/"), Visit::Login(_)));
    other.assertion(BETA);
    house.pass(35 * 86400);
    assert_eq!(key_set(&house).await.len(), 2, "six weeks after the last rotation comes the next by itself");
}

#[tokio::test]
async fn a_program_enters_with_a_service_token_and_takes_no_seat() {
    let house = House::open().await;
    let app = house.protect(owner()).await;
    let token = house.post(&house.access("service_tokens"), json!({ "name": "probe", "duration": "24h" })).await;
    let knock = || {
        let request = http::Request::get("/").header("host", ACME);
        let request = request.header("cf-access-client-id", token["client_id"].as_str().unwrap());
        let request = request.header("cf-access-client-secret", token["client_secret"].as_str().unwrap());
        house.cloudflare.visit(&request.body(Bytes::new()).unwrap())
    };
    assert!(matches!(knock(), Visit::Denied(_)), "no policy means it yet");
    let rule = json!([{ "service_token": { "token_id": token["id"] } }]);
    let policy = json!({ "name": "probes", "decision": "non_identity", "include": rule });
    let policy = house.post(&house.access("policies"), policy).await;
    let put = json!({
        "type": "self_hosted", "domain": "*.ai-diy.ai",
        "policies": [{ "id": app["policies"][0]["id"], "precedence": 2 }, { "id": policy["id"], "precedence": 1 }],
    });
    house.done(Method::PUT, &house.access(&format!("apps/{}", app["id"].as_str().unwrap())), Some(put)).await;
    let Visit::Pass(pass) = knock() else { panic!() };
    let verified = verifier(&app).verify(&pass.assertion, &key_set(&house).await, house.clock.now()).unwrap();
    assert_eq!(*verified.identity(), Identity::Service(token["client_id"].as_str().unwrap().to_owned()));
    assert_eq!(house.cloudflare.seats(), [""; 0]);
    assert_eq!(house.get(&house.access("service_tokens?name=probe")).await[0]["client_secret"], Value::Null);
    house.pass(86400);
    assert!(matches!(knock(), Visit::Denied(_)));
}

#[tokio::test]
async fn a_bypass_opens_its_own_path_and_nothing_else() {
    let house = House::open().await;
    house.protect(owner()).await;
    let policy = json!({ "name": "public", "decision": "bypass", "include": [{ "everyone": {} }] });
    let policy = house.post(&house.access("policies"), policy).await;
    let app = json!({ "type": "self_hosted", "domain": "*.ai-diy.ai/healthz", "policies": [policy["id"]] });
    house.post(&house.access("apps"), app).await;
    let browser = Browser::of(&house);
    assert!(matches!(browser.visit(ACME, "/healthz"), Visit::Open));
    assert!(matches!(browser.visit(ACME, "/health"), Visit::Login(_)));
    assert!(matches!(browser.visit("ai-diy.ai", "/"), Visit::Open), "a wildcard doesn't cover the apex");
    let script = http::Request::get("/").header("host", ACME).header("x-requested-with", "XMLHttpRequest");
    let Visit::Login(answer) = house.cloudflare.visit(&script.body(Bytes::new()).unwrap()) else { panic!() };
    assert_eq!(answer.status(), 401);
}

#[tokio::test]
async fn signing_out_anywhere_and_revoking_end_all_sessions() {
    let house = House::open().await;
    let app = house.protect(owner()).await;
    let browser = Browser::of(&house);
    browser.sign_in(ACME, OWNER, || last_code(&house)).await;
    browser.sign_in(BETA, OWNER, || last_code(&house)).await;
    let Visit::Own(identity) = browser.visit(ACME, "/cdn-cgi/access/get-identity") else { panic!() };
    assert_eq!(serde_json::from_slice::<Value>(identity.body()).unwrap()["email"], OWNER);
    browser.visit(BETA, "/cdn-cgi/access/logout");
    assert!(matches!(browser.visit(ACME, "/"), Visit::Login(_)));
    browser.sign_in(ACME, OWNER, || last_code(&house)).await;
    let revoke = house.access(&format!("apps/{}/revoke_tokens", app["id"].as_str().unwrap()));
    house.post(&revoke, json!({})).await;
    assert!(matches!(browser.visit(ACME, "/"), Visit::Login(_)));
    browser.sign_in(ACME, OWNER, || panic!("the team still knows them")).await;
    house.post(&house.access("organizations/revoke_user"), json!({ "email": OWNER })).await;
    assert!(matches!(browser.visit(ACME, "/"), Visit::Login(_)));
}

#[tokio::test]
async fn the_log_of_sign_ins_reaches_back_a_day() {
    let house = House::open().await;
    let app = house.protect(owner()).await;
    Browser::of(&house).sign_in(ACME, OWNER, || last_code(&house)).await;
    let path = house.access("logs/access_requests?email=owner&limit=10");
    let rows = house.get(&path).await;
    assert_eq!((&rows[0]["action"], &rows[0]["allowed"]), (&json!("login"), &json!(true)));
    assert_eq!((&rows[0]["app_uid"], &rows[0]["user_email"]), (&app["id"], &json!(OWNER)));
    let since = house.clock.now() + SignedDuration::from_secs(1);
    let later = house.access(&format!("logs/access_requests?since={since}"));
    assert_eq!(house.get(&later).await, json!([]));
    house.pass(24 * 3600);
    assert_eq!(house.get(&path).await, rows);
    house.pass(1);
    assert_eq!(house.get(&path).await, json!([]));
}

#[tokio::test]
async fn a_team_on_loopback_is_reached_through_the_same_front_as_its_hostnames() {
    let settings =
        Settings { zone: "localhost".into(), team_url: "http://team.localhost:8080".into(), ..Settings::default() };
    let house = House::open_with(settings).await;
    let provider = json!({ "name": "Email code", "type": "onetimepin", "config": {} });
    house.post(&house.access("identity_providers"), provider).await;
    let policy = json!({ "name": "members", "decision": "allow", "include": owner() });
    let policy = house.post(&house.access("policies"), policy).await;
    let app = json!({ "type": "self_hosted", "domain": "*.localhost", "policies": [policy["id"]] });
    house.post(&house.access("apps"), app).await;
    let ask = |method: &str, url: &str, form: String| {
        let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let request = http::Request::builder().method(method).uri(format!("/{path}")).header("host", host);
        match house.cloudflare.visit(&request.body(Bytes::from(form)).unwrap()) {
            Visit::Login(answer) | Visit::Own(answer) => answer,
            other => panic!("{other:?}"),
        }
    };
    let login = crate::browser::location(&ask("GET", "http://acme.localhost:8080/board", String::new()));
    assert!(login.starts_with("http://team.localhost:8080/cdn-cgi/access/login/acme.localhost:8080?meta="), "{login}");
    ask("POST", &login, format!("email={OWNER}"));
    let (_, meta) = login.split_once("meta=").unwrap();
    let form = format!("meta={meta}&code={}", last_code(&house));
    let back = crate::browser::location(&ask("POST", "http://team.localhost:8080/cdn-cgi/access/callback", form));
    assert!(back.starts_with("http://acme.localhost:8080/cdn-cgi/access/authorized?nonce="), "{back}");
    assert_eq!(ask("GET", &back.replace("acme", "beta"), String::new()).status(), 400, "it is for one hostname");
    assert_eq!(ask("GET", &back, String::new()).status(), 400, "and spoilt now");
}
