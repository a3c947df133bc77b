use jiff::SignedDuration;
use providers::ProviderError;
use providers::edge::Edge as _;
use simulators::cloudflare::Permission;

use crate::harness::House;

#[tokio::test]
async fn the_log_tells_who_signed_in_as_far_back_as_it_reaches() {
    let house = House::open().await;
    let began = house.clock.now();
    for number in 0..2500 {
        house.clock.advance(SignedDuration::from_millis(if number % 3 == 0 { 1 } else { 0 }));
        house.there.plant_sign_in(&format!("p{number}@acme.example"), number % 2 == 0);
    }
    let seen = house.driver.sign_ins_since(began).await.unwrap().unwrap();
    assert_eq!((seen.len(), seen.iter().filter(|sign_in| sign_in.allowed).count()), (2500, 1250));
    assert_eq!(seen[0].email.as_str(), "p0@acme.example");
    assert_eq!(seen[0].hostname, None, "one application stands for all hostnames");
    let late = house.driver.sign_ins_since(house.clock.now()).await.unwrap().unwrap();
    assert!(late.len() <= 3, "{late:?}");
    house.clock.advance(SignedDuration::from_hours(25));
    assert_eq!(house.driver.sign_ins_since(began).await.unwrap().unwrap(), []);
}

#[tokio::test]
async fn a_token_that_may_not_read_the_log_says_what_it_lacks() {
    let house = House::open().await;
    let all = [Permission::Dns, Permission::AppsAndPolicies];
    let driver = house.driver_with(&house.there.grant(&all));
    match driver.sign_ins_since(house.clock.now()).await {
        Err(ProviderError::Refused { next, .. }) => assert!(next.contains("Access: Audit Logs: Read"), "{next}"),
        other => panic!("{other:?}"),
    }
}
