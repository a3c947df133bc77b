use std::time::Duration;

use domain::Micros;
use jiff::{SignedDuration, Timestamp};
use providers::compute::Compute;
use providers::costs::{Metered, Resource};
use simulators::Fault;
use simulators::railway::Settings;

use crate::harness::{House, instance, slow};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What was used of a resource, in millionths, by all projects together.
fn sum(metered: &[Metered], resource: Resource) -> u64 {
    metered.iter().filter(|one| one.resource == resource).map(|one| one.quantity).sum()
}

async fn november(house: &House) -> Vec<Metered> {
    let from: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
    house.driver.used(from, house.clock.now()).await.unwrap()
}

#[tokio::test]
async fn all_projects_are_read_with_one_call_and_each_names_its_instance() {
    let house = House::open(slow()).await;
    house.live().await;
    house.clock.advance(HOUR);
    let before = house.served.faults.calls();
    let metered = november(&house).await;
    assert_eq!(house.served.faults.calls() - before, 1);
    assert!(house.driver.meters() && metered.iter().all(|one| one.instance == Some(instance(1))), "{metered:?}");
    let memory = sum(&metered, Resource::Memory);
    // A quarter of a GB for the ten minutes until it slept, in millionths of a GB and minute.
    assert_eq!(memory, 2_500_000);
    assert!(sum(&metered, Resource::Disk) > 0 && sum(&metered, Resource::Egress) > 0);
}

#[tokio::test]
async fn what_a_deleted_project_used_is_still_its_instances() {
    let house = House::open(slow()).await;
    house.live().await;
    house.clock.advance(HOUR);
    house.delete().await;
    house.clock.advance(HOUR);
    let before = house.served.faults.calls();
    let metered = november(&house).await;
    // It is on record nowhere here, so its mark is looked for, in one more call.
    assert_eq!(house.served.faults.calls() - before, 2);
    assert!(!metered.is_empty() && metered.iter().all(|one| one.instance == Some(instance(1))), "{metered:?}");
    assert!(sum(&metered, Resource::Cpu) > 0);
}

#[tokio::test]
async fn the_hard_limit_and_what_was_spent_come_as_railway_tells_them() {
    let house = House::open(Settings::quick()).await;
    let spend = house.driver.spend().await.unwrap().unwrap();
    assert_eq!((spend.spent, spend.hard_limit), (Micros::ZERO, None));
    house.railway.change(|settings| {
        settings.usage_limit = Some((50, Some(100)));
        settings.other_usage = 81.25;
    });
    let spend = house.driver.spend().await.unwrap().unwrap();
    assert_eq!((spend.spent, spend.hard_limit), (Micros::new(81_250_000), Some(Micros::new(100_000_000))));
    assert!(spend.from <= house.clock.now() && spend.until > house.clock.now());
    // A soft limit only writes a mail, from Railway.
    house.railway.change(|settings| settings.usage_limit = Some((50, None)));
    assert_eq!(house.driver.spend().await.unwrap().unwrap().hard_limit, None);
}

#[tokio::test]
async fn whatever_fault_comes_in_between_the_figures_are_the_same_in_the_end() {
    let house = House::open(slow()).await;
    house.live().await;
    house.clock.advance(HOUR);
    let wanted = november(&house).await;
    let from: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
    let until = house.clock.now();
    let busy = Fault::TooMany { retry_after: Duration::from_secs(30) };
    for fault in [Fault::Status(503), Fault::Status(429), busy, Fault::ResetBefore, Fault::ResetAfter] {
        house.served.faults.next(fault);
        let told = house.until(async || house.driver.used(from, until).await).await;
        assert_eq!(told, wanted);
    }
}
