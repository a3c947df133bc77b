use providers::ProviderError;
use providers::compute::{Compute, GuardSettings, Health, Release};
use simulators::Fault;
use simulators::railway::{Behaviour, Kind, Route};

use crate::harness::{HOSTNAME, House, IMAGE, acme, guard, release, slow};

const NEXT: &str = "registry.example/app@sha256:2222";

#[tokio::test]
async fn a_deployment_that_fails_gives_its_log_and_can_be_tried_again() {
    let house = House::open(slow()).await;
    house.make().await;
    house.railway.behave(acme().as_str(), Behaviour::Fails);
    let error = house.attempt(async || house.driver.deploy(&acme(), &release(IMAGE)).await).await.unwrap_err();
    assert!(matches!(error, ProviderError::Refused { .. }), "{error}");
    assert!(error.to_string().contains("Health check failed: no answer with status 200 in time"), "{error}");
    assert_eq!(house.driver.observe(&acme()).await.unwrap().unwrap().health, Health::Down);

    house.railway.behave(acme().as_str(), Behaviour::Succeeds);
    house.until(async || house.driver.deploy(&acme(), &release(IMAGE)).await).await;
    assert_eq!(house.railway.creations(Kind::Deployment, acme().as_str()), 2);
}

#[tokio::test]
async fn one_that_never_settles_is_not_yet_done() {
    let house = House::open(slow()).await;
    house.make().await;
    house.railway.behave(acme().as_str(), Behaviour::NeverSettles);
    house.clock.advance(jiff::SignedDuration::from_secs(10));
    for _ in 0..20 {
        let error = house.driver.deploy(&acme(), &release(IMAGE)).await.unwrap_err();
        assert!(matches!(error, ProviderError::NotYet { .. }), "{error}");
        house.clock.advance(jiff::SignedDuration::from_mins(1));
    }
    assert_eq!(house.railway.creations(Kind::Deployment, acme().as_str()), 1);
    assert_eq!(house.driver.observe(&acme()).await.unwrap().unwrap().health, Health::Starting);
}

#[tokio::test]
async fn a_new_release_takes_the_place_of_the_old_and_can_be_rolled_back() {
    let house = House::open(slow()).await;
    house.live().await;
    house.until(async || house.driver.deploy(&acme(), &release(NEXT)).await).await;
    let image = || match house.railway.route(HOSTNAME) {
        Route::Up(target) => target.image,
        other => panic!("{other:?}"),
    };
    assert_eq!(image(), NEXT);
    house.driver.roll_back(&acme()).await.unwrap();
    house.clock.advance(jiff::SignedDuration::from_mins(5));
    assert_eq!(image(), IMAGE);
    // The release before is what runs: nothing to deploy.
    house.until(async || house.driver.deploy(&acme(), &release(IMAGE)).await).await;
    assert_eq!(house.railway.creations(Kind::Deployment, acme().as_str()), 3);
}

#[tokio::test]
async fn rules_about_use_reach_the_guard_and_leave_it_with_the_release_that_had_them() {
    let house = House::open(slow()).await;
    house.live().await;
    let told = || match house.railway.route(HOSTNAME) {
        Route::Up(target) => target.variables["GUARD_ACTIVITY_RULES_TEXT"].clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(told(), "");
    let with_rules = Release { activity_rules: Some("[[rule]]\nuse = false\n".into()), ..release(NEXT) };
    house.until(async || house.driver.deploy(&acme(), &with_rules).await).await;
    assert_eq!(told(), "[[rule]]\nuse = false\n");
    house.until(async || house.driver.deploy(&acme(), &release(IMAGE)).await).await;
    assert_eq!(told(), "");
}

#[tokio::test]
async fn changed_settings_take_effect_with_the_next_deploy_of_the_same_image_and_unchanged_ones_need_none() {
    let house = House::open(slow()).await;
    house.live().await;
    let moved = GuardSettings { public_url: "https://zoo.example.com".into(), ..guard() };
    let deploy_as = async |settings: &GuardSettings| {
        house.until(async || house.driver.configure(&acme(), settings).await).await;
        house.until(async || house.driver.deploy(&acme(), &release(IMAGE)).await).await;
    };
    deploy_as(&guard()).await;
    assert_eq!(house.railway.creations(Kind::Deployment, acme().as_str()), 1);
    deploy_as(&moved).await;
    deploy_as(&moved).await;
    assert_eq!(house.railway.creations(Kind::Deployment, acme().as_str()), 2);
    let told = || match house.railway.route(HOSTNAME) {
        Route::Up(target) => target.variables["HOSTNAME_PUBLIC"].clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(told(), "zoo.example.com");
    deploy_as(&guard()).await;
    assert_eq!(told(), HOSTNAME);
}

#[tokio::test]
async fn each_call_of_a_change_of_settings_may_fail_before_or_after_its_effect() {
    for number in 1..=10 {
        for fault in [Fault::ResetBefore, Fault::ResetAfter] {
            let house = House::open(slow()).await;
            house.live().await;
            let done = house.served.faults.calls();
            house.served.faults.at_call(done + number, fault);
            let moved = GuardSettings { public_url: "https://zoo.example.com".into(), ..guard() };
            house.until(async || house.driver.configure(&acme(), &moved).await).await;
            house.until(async || house.driver.deploy(&acme(), &release(IMAGE)).await).await;
            let Route::Up(target) = house.railway.route(HOSTNAME) else { panic!("{fault:?} at {number}") };
            assert_eq!(target.variables["HOSTNAME_PUBLIC"], "zoo.example.com", "{fault:?} at {number}");
            let made = house.railway.creations(Kind::Deployment, acme().as_str());
            assert_eq!(made, 2, "{fault:?} at {number}");
        }
    }
}

#[tokio::test]
async fn one_that_crashes_later_is_seen_to_be_down() {
    let house = House::open(slow()).await;
    house.live().await;
    house.railway.crash(acme().as_str());
    let seen = house.driver.observe(&acme()).await.unwrap().unwrap();
    assert_eq!((seen.health, seen.detail.as_deref()), (Health::Down, Some("it ended by itself")));
}

#[tokio::test]
async fn a_release_without_an_image_is_refused_before_anything_is_asked() {
    let house = House::open(slow()).await;
    house.make().await;
    let calls = house.served.faults.calls();
    let bare = providers::compute::Release { image: None, ..release(IMAGE) };
    let error = house.driver.deploy(&acme(), &bare).await.unwrap_err();
    assert!(error.to_string().contains("names no image"), "{error}");
    assert_eq!(house.served.faults.calls(), calls);
}
