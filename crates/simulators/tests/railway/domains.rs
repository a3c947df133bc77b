use serde_json::{Value, json};
use simulators::railway::{Kind, Route, Settings, Span};

use crate::harness::{Home, House, text};

const NAME: &str = "acme.example.com";

async fn register(house: &House, home: &Home, name: &str) -> Value {
    let input = home.input(json!({ "domain": name, "targetPort": 8000 }));
    house.done("CustomDomainCreate", input).await["customDomainCreate"].clone()
}

async fn state(house: &House, home: &Home, domain: &Value) -> Value {
    let asked = json!({ "id": domain["id"], "projectId": home.project });
    house.done("CustomDomainGet", asked).await["customDomain"].clone()
}

/// Writes the records as a careful client would, whichever way they were shown.
fn write_records(house: &House, domain: &Value) {
    let name = text(&domain["domain"]);
    let host = text(&domain["status"]["verificationDnsHost"]);
    let host = if host.ends_with(".example.com") { host } else { format!("{host}.example.com") };
    let token = text(&domain["status"]["verificationToken"]);
    let proof = format!("railway-verify={}", token.trim_start_matches("railway-verify="));
    house.dns.txt.lock().unwrap().insert(host, proof);
    let records = domain["status"]["dnsRecords"].as_array().unwrap();
    let route = records.iter().find(|record| record["purpose"] == "DNS_RECORD_PURPOSE_TRAFFIC_ROUTE").unwrap();
    house.dns.cname.lock().unwrap().insert(name, text(&route["requiredValue"]));
}

#[tokio::test]
async fn a_domain_is_served_once_its_records_were_there_long_enough() {
    let house = House::open(Settings { verification: Span::seconds(300, 300), ..Settings::quick() }).await;
    let home = house.home("one").await;
    let domain = register(&house, &home, NAME).await;
    assert_eq!(domain["syncStatus"], "CREATING");
    assert_eq!(domain["status"]["certificateStatus"], "CERTIFICATE_STATUS_TYPE_VALIDATING_OWNERSHIP");
    house.pass(10_000);
    assert_eq!(state(&house, &home, &domain).await["status"]["verified"], false);
    write_records(&house, &domain);
    let proof = house.dns.txt.lock().unwrap().clone();
    house.dns.txt.lock().unwrap().clear();
    house.railway.look();
    house.pass(300);
    assert_eq!(state(&house, &home, &domain).await["status"]["verified"], false, "the CNAME alone proves nothing");
    *house.dns.txt.lock().unwrap() = proof;
    house.railway.look();
    house.pass(299);
    assert_eq!(state(&house, &home, &domain).await["status"]["verified"], false);
    assert_eq!(house.railway.route(NAME), Route::NotFound);
    house.pass(1);
    let ready = state(&house, &home, &domain).await;
    assert_eq!((&ready["status"]["verified"], &ready["syncStatus"]), (&json!(true), &json!("ACTIVE")));
    let Route::Up(target) = house.railway.route("ACME.example.com") else { panic!("it is served") };
    assert_eq!((target.project.as_str(), target.port), ("one", Some(8000)));
    assert_eq!(target.variables["PORT"], "8000");
    assert_ne!(ready["status"]["certificateStatus"], "CERTIFICATE_STATUS_TYPE_VALID", "behind a proxy it never is");
}

#[tokio::test]
async fn a_wrong_target_or_token_proves_nothing() {
    let house = House::open(Settings::quick()).await;
    let home = house.home("one").await;
    let domain = register(&house, &home, NAME).await;
    write_records(&house, &domain);
    house.dns.cname.lock().unwrap().insert(NAME.into(), "other.up.railway.app".into());
    assert_eq!(state(&house, &home, &domain).await["status"]["verified"], false);
    write_records(&house, &domain);
    house.dns.txt.lock().unwrap().values_mut().for_each(|text| *text = text.replace("railway-verify=", ""));
    assert_eq!(state(&house, &home, &domain).await["status"]["verified"], false);
    write_records(&house, &domain);
    assert_eq!(state(&house, &home, &domain).await["status"]["verified"], true);
}

#[tokio::test]
async fn host_and_token_are_shown_in_different_ways() {
    let house = House::open(Settings::quick()).await;
    let home = house.home("one").await;
    let (mut with_zone, mut with_prefix, mut with_txt) = (0, 0, 0);
    for number in 0..16 {
        let domain = register(&house, &home, &format!("n{number}.example.com")).await;
        with_zone += usize::from(text(&domain["status"]["verificationDnsHost"]).ends_with("example.com"));
        with_prefix += usize::from(text(&domain["status"]["verificationToken"]).starts_with("railway-verify="));
        with_txt += usize::from(domain["status"]["dnsRecords"].as_array().unwrap().len() == 2);
    }
    for count in [with_zone, with_prefix, with_txt] {
        assert!((1..16).contains(&count), "{with_zone} {with_prefix} {with_txt}");
    }
}

#[tokio::test]
async fn a_name_is_taken_until_it_is_given_up_or_its_project_is_gone() {
    let house = House::open(Settings::quick()).await;
    let (one, two) = (house.home("one").await, house.home("two").await);
    let domain = register(&house, &one, NAME).await;
    let again = two.input(json!({ "domain": NAME }));
    assert!(house.refused("CustomDomainCreate", again.clone()).await.0.contains("not available"));
    house.refused("CustomDomainCreate", two.input(json!({ "domain": "*.example.com" }))).await;
    house.done("CustomDomainDelete", json!({ "id": domain["id"] })).await;
    house.done("CustomDomainCreate", again).await;
    house.done("ProjectDelete", json!({ "id": two.project })).await;
    register(&house, &one, NAME).await;
    assert_eq!(house.railway.creations(Kind::CustomDomain, NAME), 3);
}

#[tokio::test]
async fn what_is_no_domain_or_names_no_project_is_refused() {
    let house = House::open(Settings::quick()).await;
    let home = house.home("one").await;
    for name in ["acme", "a_b.example.com", "-a.example.com", "a..com", ""] {
        let (message, _) = house.refused("CustomDomainCreate", home.input(json!({ "domain": name }))).await;
        assert!(message.contains("is not a valid domain"), "{name}: {message}");
    }
    let lost = json!({ "id": "nobody", "projectId": home.project });
    assert!(house.refused("CustomDomainGet", lost).await.0.contains("CustomDomain not found"));
    assert_eq!(house.railway.route("nobody.example.com"), Route::NotFound);
}

#[tokio::test]
async fn domains_are_listed_and_one_more_per_service_is_too_many() {
    let house = House::open(Settings::quick()).await;
    let home = house.home("one").await;
    for number in 0..20 {
        register(&house, &home, &format!("n{number}.example.com")).await;
    }
    let (_, code) = house.refused("CustomDomainCreate", home.input(json!({ "domain": "n20.example.com" }))).await;
    assert_eq!(code, "PLAN_LIMIT");
    house.done("ServiceDomainCreate", json!({ "input": home.keys() })).await;
    house.refused("ServiceDomainCreate", json!({ "input": home.keys() })).await;
    let listed = house.done("Domains", home.all_keys()).await["domains"].clone();
    let count = |kind: &str| listed[kind].as_array().unwrap().len();
    assert_eq!((count("customDomains"), count("serviceDomains")), (20, 1));
}
