use providers::compute::Compute;
use simulators::Fault;
use simulators::railway::{Fate, Settings, Span};

use crate::harness::{House, acme, guard, instance, slow};

/// With all lags, but without the many looks that long delays take.
fn brisk() -> Settings {
    Settings { deploy: Span::seconds(8, 12), verification: Span::seconds(15, 25), ..slow() }
}

/// How many calls a life takes when nothing goes wrong.
async fn calls() -> u64 {
    let house = House::open(brisk()).await;
    house.live().await;
    house.delete().await;
    house.served.faults.calls()
}

/// A life in which one call goes wrong leaves as much as one in which none does.
async fn one_goes_wrong(fault: Fault) {
    let calls = calls().await;
    assert!(calls > 20, "{calls}");
    for number in 1..=calls {
        let house = House::open(brisk()).await;
        house.served.faults.at_call(number, fault);
        house.live().await;
        assert_eq!(house.made(), [1; 5], "call {number}");
        house.delete().await;
        let projects = house.railway.projects();
        assert!(projects.iter().all(|project| project.fate == Fate::Deleted), "call {number}");
        assert!(projects.iter().all(|project| project.volumes.is_empty()), "call {number}");
        assert!(projects.iter().all(|project| project.custom_domains.is_empty()), "call {number}");
        assert_eq!(house.recorded().await, 0, "call {number}");
        assert!(house.served.faults.calls() >= number, "call {number} was never made");
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_effect_makes_nothing_twice() {
    one_goes_wrong(Fault::ResetAfter).await;
}

#[tokio::test]
async fn a_call_that_is_lost_before_the_effect_is_made_up_for() {
    one_goes_wrong(Fault::ResetBefore).await;
}

#[tokio::test]
async fn a_server_error_at_any_call_is_made_up_for() {
    one_goes_wrong(Fault::Status(503)).await;
}

#[tokio::test]
async fn a_project_whose_answer_was_lost_is_found_and_deleted() {
    let house = House::open(slow()).await;
    house.served.faults.once("projectCreate", Fault::ResetAfter);
    house.driver.create_project(&acme(), instance(1)).await.unwrap_err();
    assert_eq!(house.delete().await.len(), 1);
    assert_eq!(house.railway.projects()[0].fate, Fate::Deleted);
}

#[tokio::test]
async fn a_volume_whose_answer_was_lost_goes_with_its_project() {
    let house = House::open(slow()).await;
    house.until(async || house.driver.create_project(&acme(), instance(1)).await).await;
    house.served.faults.once("volumeCreate", Fault::ResetAfter);
    house.driver.configure(&acme(), &guard()).await.unwrap_err();
    house.delete().await;
    assert!(house.railway.projects()[0].volumes.is_empty());
}
