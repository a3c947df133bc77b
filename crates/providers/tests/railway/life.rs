use providers::compute::{Compute, Health};
use simulators::railway::{Behaviour, Fate, Route};

use crate::harness::{HOSTNAME, House, IMAGE, SECRET, acme, guard, instance, release, slow};

#[tokio::test]
async fn an_instance_is_made_observed_and_deleted_with_nothing_left() {
    let house = House::open(slow()).await;
    house.live().await;
    let seen = house.driver.observe(&acme()).await.unwrap().unwrap();
    assert!(matches!(seen.health, Health::Ok | Health::Asleep), "{seen:?}");
    assert_eq!(seen.version.as_deref(), Some("2026.11.1"));
    let all = house.driver.observe_all(&[acme()]).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].1.version, seen.version);

    let project = house.railway.projects().remove(0);
    assert!(project.service_domains.is_empty(), "no second door");
    let service = &project.services[0];
    assert_eq!(service.limits, (Some(1.0), Some(0.5)));
    assert_eq!(service.volume.as_ref().unwrap().1, "/data");
    assert_eq!(service.config["healthcheckPath"], "/-/health");
    assert_eq!(service.config["sleepApplication"], true);
    let Route::Up(target) = house.railway.route(HOSTNAME) else { panic!("it is not served") };
    assert_eq!((target.image.as_str(), target.port), (IMAGE, Some(8080)));
    let variable = |name: &str| target.variables.get(name).map(String::as_str);
    assert_eq!(variable("GUARD_INSTANCE_TOKEN"), Some(SECRET));
    assert_eq!(variable("HOSTNAME_PUBLIC"), Some(HOSTNAME));
    assert_eq!(variable("GUARD_APP_HEALTH"), Some("/healthz"));
    assert_eq!((variable("PORT"), variable("GUARD_LISTEN")), (Some("8080"), None));

    let door = house.driver.door(&acme(), HOSTNAME).await.unwrap().unwrap();
    assert_eq!((door.url.as_str(), door.host.as_str()), (house.served.url.as_str(), HOSTNAME));
    let log = house.driver.logs(&acme(), 50).await.unwrap();
    assert!(log.contains("Health check succeeded"), "{log}");

    let kinds: Vec<String> = house.delete().await.into_iter().map(|removed| removed.kind).collect();
    assert_eq!(kinds, ["hostname", "volume", "project"]);
    assert_eq!(house.railway.projects()[0].fate, Fate::Deleted);
    assert_eq!(house.recorded().await, 0);
    assert!(house.driver.observe(&acme()).await.unwrap().is_none());
    assert!(house.driver.door(&acme(), HOSTNAME).await.unwrap().is_none());
    let told = house.told.lock().unwrap().join("\n");
    assert!(told.contains("projectCreate") && !told.contains(SECRET), "{told}");
}

#[tokio::test]
async fn everything_may_be_asked_twice() {
    let house = House::open(slow()).await;
    let driver = &house.driver;
    let origin = house.live().await;
    house.make().await;
    assert_eq!(driver.register_hostname(&acme(), HOSTNAME).await.unwrap(), origin);
    driver.deploy(&acme(), &release(IMAGE)).await.unwrap();
    driver.hostname_ready(&acme(), HOSTNAME).await.unwrap();
    driver.suspend(&acme()).await.unwrap();
    driver.resume(&acme()).await.unwrap();
    assert_eq!(house.made(), [1; 5]);

    assert_eq!(driver.release_hostname(&acme(), HOSTNAME).await.unwrap().len(), 1);
    assert!(driver.release_hostname(&acme(), HOSTNAME).await.unwrap().is_empty());
    assert!(!house.delete().await.is_empty());
    assert!(house.delete().await.is_empty());
}

#[tokio::test]
async fn what_does_not_exist_is_said_so() {
    let house = House::open(slow()).await;
    let error = house.driver.configure(&acme(), &guard()).await.unwrap_err();
    assert_eq!(error.to_string(), "the Railway project ai-diy-acme does not exist");
    assert!(house.driver.observe(&acme()).await.unwrap().is_none());
    assert!(house.driver.delete_project(&acme(), instance(1)).await.unwrap().is_empty());

    // Somebody deletes it in the dashboard.
    house.live().await;
    house.railway.vanish(acme().as_str());
    assert!(house.driver.observe(&acme()).await.unwrap().is_none());
    assert!(house.delete().await.is_empty());
    assert_eq!(house.recorded().await, 0);
}

#[tokio::test]
async fn a_sleeping_instance_is_not_woken_by_looking() {
    let house = House::open(slow()).await;
    house.railway.behave(acme().as_str(), Behaviour::Sleeps);
    house.live().await;
    for _ in 0..2 {
        let seen = house.driver.observe(&acme()).await.unwrap().unwrap();
        assert_eq!(seen.health, Health::Asleep);
        assert!(house.driver.door(&acme(), HOSTNAME).await.unwrap().unwrap().asleep);
    }
}
