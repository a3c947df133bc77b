use bytes::Bytes;
use http::Request;
use jiff::SignedDuration;
use providers::compute::Origin;
use providers::edge::{Edge as _, IdentityProvider, Oidc, OwnAccess as _, Stage};
use providers::inventory::Item;
use secrecy::SecretString;
use serde_json::json;
use simulators::Fault;
use simulators::cloudflare::{Made, Visit};

use crate::harness::{ACME, House, instance, origin, people, refusal};

const NEXT: &str = "acme-works.ai-diy.ai";
const ADA: &str = "ada@acme.example";
const BEN: &str = "ben@beta.example";

fn oidc() -> IdentityProvider {
    IdentityProvider::Oidc(Oidc {
        issuer: "https://login.acme.example".into(),
        auth_url: "https://login.acme.example/authorize".into(),
        token_url: "https://login.acme.example/token".into(),
        certs_url: "https://login.acme.example/keys".into(),
        client_id: "spinoff".into(),
        client_secret: SecretString::from("s3cret"),
    })
}

/// What a hostname answers to whoever brings nothing but perhaps a token.
fn visit(house: &House, host: &str, path: &str, token: Option<&str>) -> Visit {
    let mut request = Request::get(path).header("host", host);
    if let Some(token) = token {
        request = request.header("cookie", format!("CF_Authorization={token}"));
    }
    house.there.visit(&request.body(Bytes::new()).unwrap())
}

/// The id of an identity provider at Cloudflare by its kind.
async fn provider(house: &House, kind: &str) -> String {
    let path =
        format!("{}/client/v4/accounts/{}/access/identity_providers", house.served.url, house.there.account_id());
    let answer = reqwest::Client::new().get(path).bearer_auth(house.there.token()).send().await.unwrap();
    let listed: serde_json::Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let mut all = listed["result"].as_array().unwrap().iter();
    all.find(|one| one["type"] == kind).unwrap()["id"].as_str().unwrap().to_owned()
}

async fn open() -> House {
    let house = House::open().await;
    house.driver.publish(ACME, instance(1), &origin("one.up.railway.app")).await.unwrap();
    house.driver.admit(ACME, instance(1), &people(&[ADA])).await.unwrap();
    house.driver.admit("beta.ai-diy.ai", instance(2), &people(&[BEN])).await.unwrap();
    house
}

async fn stage(house: &House) -> Option<Stage> {
    house.driver.standing(instance(1)).await.unwrap().map(|standing| standing.stage)
}

/// How many applications, policies and identity providers there are, beside those of the setup.
fn beside_the_setup(house: &House) -> [usize; 2] {
    [house.there.apps().len() - 2, house.there.policies().len() - 2]
}

#[tokio::test]
async fn an_application_of_its_own_comes_in_stages_and_at_each_the_guard_takes_what_access_gives() {
    let house = open().await;
    let edge = &house.driver;
    let shared = house.ready.audience.as_str();
    let codes = provider(&house, "onetimepin").await;
    let old = house.there.identified(ACME, &codes, ADA).unwrap();
    assert_eq!(old.audience, shared);

    let made = edge.make(ACME, instance(1), &oidc()).await.unwrap();
    assert_eq!((made.stage, made.identity_provider.as_str()), (Stage::Aside, "https://login.acme.example"));
    let (own, login) = (made.audience.as_str(), provider(&house, "oidc").await);
    assert_eq!(edge.audiences(instance(1)).await.unwrap(), [own, shared]);
    assert_eq!(edge.audiences(instance(2)).await.unwrap(), [shared]);
    assert_eq!(house.there.identified(ACME, &codes, ADA).unwrap().audience, shared);
    assert!(refusal(edge.rely_on_it(instance(1), true).await).contains("shared application is before"));

    edge.put_before(ACME, instance(1)).await.unwrap();
    assert_eq!(edge.audiences(instance(1)).await.unwrap(), [own, shared]);
    // Only by its own identity provider, and only its own members; who was signed in does so anew.
    let new = house.there.identified(ACME, &login, ADA).unwrap();
    assert_eq!(new.audience, own);
    for (by, who) in [(&codes, ADA), (&login, BEN), (&login, "eve@example.com")] {
        assert_eq!(house.there.identified(ACME, by, who), None, "{who}");
    }
    assert!(matches!(visit(&house, ACME, "/", Some(&new.assertion)), Visit::Pass(_)));
    for token in [None, Some(old.assertion.as_str())] {
        assert!(matches!(visit(&house, ACME, "/", token), Visit::Login(_)), "{token:?}");
        assert!(matches!(visit(&house, ACME, "/-/health", token), Visit::Open));
    }
    assert_eq!(house.there.identified("beta.ai-diy.ai", &codes, BEN).unwrap().audience, shared);

    edge.rely_on_it(instance(1), true).await.unwrap();
    assert_eq!(edge.audiences(instance(1)).await.unwrap(), [own]);
    edge.rely_on_it(instance(1), false).await.unwrap();
    assert_eq!(edge.audiences(instance(1)).await.unwrap(), [own, shared]);

    let kinds: Vec<String> = edge.take_away_own(instance(1)).await.unwrap().into_iter().map(|one| one.kind).collect();
    assert_eq!(kinds, ["access application", "access exception", "access policy", "identity provider"]);
    assert_eq!(edge.take_away_own(instance(1)).await.unwrap(), []);
    assert_eq!((beside_the_setup(&house), stage(&house).await), ([0, 0], None));
    assert_eq!(edge.audiences(instance(1)).await.unwrap(), [shared]);
    assert_eq!(house.there.identified(ACME, &codes, ADA).unwrap().audience, shared);
}

#[tokio::test]
async fn its_policy_names_its_members_and_each_change_of_them() {
    let house = open().await;
    let edge = &house.driver;
    edge.make(ACME, instance(1), &oidc()).await.unwrap();
    edge.put_before(ACME, instance(1)).await.unwrap();
    let login = provider(&house, "oidc").await;
    let is_in = |who: &str| house.there.identified(ACME, &login, who).is_some();
    assert!(is_in(ADA) && !is_in("new@acme.example"));
    edge.admit(ACME, instance(1), &people(&["new@acme.example"])).await.unwrap();
    assert!(!is_in(ADA) && is_in("new@acme.example"));
    // A hostname that is another's tells it nothing.
    edge.admit(ACME, instance(3), &people(&["eve@example.com"])).await.unwrap();
    assert!(!is_in("eve@example.com"));
}

#[tokio::test]
async fn it_goes_with_its_instance_to_another_hostname_and_with_the_last_one_it_goes() {
    let house = open().await;
    let edge = &house.driver;
    let made = edge.make(ACME, instance(1), &oidc()).await.unwrap();
    edge.put_before(ACME, instance(1)).await.unwrap();
    edge.rely_on_it(instance(1), true).await.unwrap();
    let login = provider(&house, "oidc").await;
    let target = Origin::Name { target: "one.up.railway.app".into(), proof: None };
    for _ in 0..2 {
        edge.publish(NEXT, instance(1), &target).await.unwrap();
        edge.admit(NEXT, instance(1), &people(&[ADA])).await.unwrap();
        for host in [ACME, NEXT] {
            assert_eq!(house.there.identified(host, &login, ADA).unwrap().audience, made.audience, "{host}");
            assert!(matches!(visit(&house, host, "/-/health", None), Visit::Open), "{host}");
        }
    }
    edge.remove(ACME, instance(1)).await.unwrap();
    assert_eq!(house.there.identified(NEXT, &login, ADA).unwrap().audience, made.audience);
    assert_eq!(house.there.identified(ACME, &login, ADA), None);
    assert_eq!(edge.audiences(instance(1)).await.unwrap(), [made.audience.as_str()]);
    let items = edge.inventory().await.unwrap();
    assert!(items.iter().all(|item| item.drift.is_none() && item.name.ends_with(NEXT)), "{items:?}");

    let removed = edge.remove(NEXT, instance(1)).await.unwrap();
    assert!(removed.iter().any(|one| one.kind == "access application"), "{removed:?}");
    assert_eq!(beside_the_setup(&house), [0, 0]);
    assert_eq!(house.driver.known_provider("Email code").await.unwrap().name(), "Email code");
    assert!(refusal(house.driver.known_provider(&login).await).contains("knows none"));
}

#[tokio::test]
async fn each_call_may_break_off_and_still_there_is_one_of_each_and_none_is_left() {
    for fault in [Fault::ResetBefore, Fault::ResetAfter, Fault::Status(503)] {
        for number in 1..=16 {
            let house = open().await;
            let edge = &house.driver;
            let made =
                || [Made::Applications, Made::Policies, Made::IdentityProviders].map(|of| house.there.creations(of));
            house.served.faults.at_call(house.served.faults.calls() + number, fault);
            house.until(async || edge.make(ACME, instance(1), &oidc()).await).await;
            house.until(async || edge.put_before(ACME, instance(1)).await).await;
            assert_eq!((made(), stage(&house).await), ([4, 3, 2], Some(Stage::Before)), "{fault:?} {number}");
            let items = edge.inventory().await.unwrap();
            assert!(items.iter().all(|item| item.drift.is_none()), "{items:?}");
        }
        for number in 1..=8 {
            let house = open().await;
            let edge = &house.driver;
            edge.make(ACME, instance(1), &oidc()).await.unwrap();
            edge.put_before(ACME, instance(1)).await.unwrap();
            house.served.faults.at_call(house.served.faults.calls() + number, fault);
            house.until(async || edge.take_away_own(instance(1)).await).await;
            assert_eq!(beside_the_setup(&house), [0, 0], "{fault:?} {number}");
            assert!(refusal(edge.known_provider("none").await).contains("(Email code)"), "{fault:?} {number}");
        }
    }
}

#[tokio::test]
async fn what_was_made_without_an_answer_is_removed_by_its_name() {
    for number in 1..=10 {
        let house = open().await;
        let edge = &house.driver;
        house.there.change(|settings| settings.list_lag = SignedDuration::from_secs(20));
        house.clock.advance(SignedDuration::from_mins(1));
        house.served.faults.at_call(house.served.faults.calls() + number, Fault::ResetAfter);
        let broke_off = edge.make(ACME, instance(1), &oidc()).await;
        house.until(async || edge.take_away_own(instance(1)).await).await;
        assert_eq!(beside_the_setup(&house), [0, 0], "{number}: {broke_off:?}");
    }
}

#[tokio::test]
async fn what_was_changed_or_deleted_in_the_dashboard_is_found_and_put_right_or_explained() {
    let house = open().await;
    let edge = &house.driver;
    edge.make(ACME, instance(1), &oidc()).await.unwrap();
    edge.put_before(ACME, instance(1)).await.unwrap();
    edge.rely_on_it(instance(1), true).await.unwrap();
    let of = |items: Vec<Item>, kind: &str| items.into_iter().find(|item| item.kind == kind).unwrap();
    let app = of(edge.inventory().await.unwrap(), "access application");
    assert_eq!((app.name.as_str(), app.instance, app.drift), (ACME, Some(instance(1)), None));

    let http = reqwest::Client::new();
    let apps = format!("{}/client/v4/accounts/{}/access/apps", house.served.url, house.there.account_id());
    let path = format!("{apps}/{}", app.id);
    let body = json!({ "name": format!("spinoff:{}", instance(1)), "type": "self_hosted", "domain": ACME });
    let call = http.put(&path).bearer_auth(house.there.token()).json(&body);
    assert!(call.send().await.unwrap().status().is_success());
    let drift = of(edge.inventory().await.unwrap(), "access application").drift.unwrap();
    assert!(drift.contains("does not cover exactly"), "{drift}");
    edge.publish(ACME, instance(1), &origin("one.up.railway.app")).await.unwrap();
    assert_eq!(of(edge.inventory().await.unwrap(), "access application").drift, None);

    let call = http.delete(&path).bearer_auth(house.there.token());
    assert!(call.send().await.unwrap().status().is_success());
    house.clock.advance(SignedDuration::from_mins(1));
    let drift = of(edge.inventory().await.unwrap(), "access application").drift.unwrap();
    assert!(drift.contains("lets nobody in"), "{drift}");
    let words = refusal(edge.publish(ACME, instance(1), &origin("one.up.railway.app")).await);
    assert!(words.contains("access shared"), "{words}");
    edge.rely_on_it(instance(1), false).await.unwrap();
    edge.take_away_own(instance(1)).await.unwrap();
    assert_eq!(beside_the_setup(&house), [0, 0]);
}

#[tokio::test]
async fn what_does_not_fit_or_is_not_known_is_refused_in_words() {
    let house = open().await;
    let edge = &house.driver;
    let words = refusal(edge.known_provider("Acme Okta").await);
    assert!(words.contains("Acme Okta") && words.contains("Email code"), "{words}");
    edge.has_room(&oidc()).await.unwrap();
    // Two more would fit by one alone.
    fill(&house, 497).await;
    let words = refusal(edge.has_room(&oidc()).await);
    assert!(words.contains("499 of 500 Access applications"), "{words}");
    let full = house.there.apps().len();
    house.there.change(|settings| settings.application_limit = full);
    assert!(edge.make(ACME, instance(1), &oidc()).await.is_err());
    house.until(async || edge.take_away_own(instance(1)).await).await;
    assert_eq!(beside_the_setup(&house), [497, 0]);
}

/// So many applications of somebody else.
async fn fill(house: &House, number: usize) {
    let http = reqwest::Client::new();
    let apps = format!("{}/client/v4/accounts/{}/access/apps", house.served.url, house.there.account_id());
    for number in 0..number {
        let body = json!({ "name": "theirs", "type": "self_hosted", "domain": format!("x{number}.ai-diy.ai") });
        let call = http.post(&apps).bearer_auth(house.there.token()).json(&body);
        assert!(call.send().await.unwrap().status().is_success());
    }
}

#[tokio::test]
async fn a_provider_that_was_made_for_one_instance_is_offered_to_no_other() {
    let house = open().await;
    let edge = &house.driver;
    edge.make(ACME, instance(1), &oidc()).await.unwrap();
    let words = refusal(edge.known_provider(&format!("spinoff:{}", instance(1))).await);
    assert!(words.contains("knows none") && words.matches("spinoff:").count() == 1, "{words}");
    let own = edge.known_provider("Email code").await.unwrap();
    assert_eq!(own.name(), "Email code");
}
