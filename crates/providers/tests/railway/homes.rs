//! Several homes in one workspace: an instance that moves has a project in two of them, and neither is taken for the other.

use std::sync::Arc;

use domain::{HomeName, InstanceId};
use jiff::SignedDuration;
use providers::compute::railway::Railway;
use providers::compute::{Compute, Home, Homes, Origin};
use providers::{ProviderError, Routing};
use simulators::railway::Fate;

use crate::harness::{HOSTNAME, House, IMAGE, acme, guard, instance, release, slow};

fn frankfurt() -> HomeName {
    HomeName::parse("frankfurt").unwrap()
}

/// Two homes, with the same instance in both.
async fn two_homes() -> (House, Homes) {
    let house = House::open_as(slow(), Routing::Wildcard).await;
    let there = house.driver_in(&frankfurt(), Routing::Wildcard);
    let home = Home { name: frankfurt(), label: "Frankfurt".into(), compute: Arc::new(there) };
    let here: Arc<Railway> = Arc::new(house.driver_by(Routing::Wildcard));
    let homes = Homes::new("Oregon".into(), here, vec![home]).unwrap();
    for project in [acme(), acme().in_home(&frankfurt())] {
        house.until(async || homes.create_project(&project, instance(1)).await).await;
        house.until(async || homes.configure(&project, &guard()).await).await;
    }
    (house, homes)
}

/// The projects that are not deleted, nor about to be.
fn living(house: &House) -> Vec<String> {
    let kept = house.railway.projects().into_iter().filter(|project| project.fate == Fate::Kept);
    kept.map(|project| project.name).collect()
}

#[tokio::test]
async fn an_instance_that_moves_has_a_project_in_each_home_and_neither_is_taken_for_the_other() {
    let (house, homes) = two_homes().await;
    let (here, there) = (acme(), acme().in_home(&frankfurt()));
    let mut names: Vec<String> = house.railway.projects().into_iter().map(|project| project.name).collect();
    names.sort();
    assert_eq!(names, [here.to_string(), there.to_string()]);
    let mut targets = Vec::new();
    for project in [&here, &there] {
        match house.until(async || homes.register_hostname(project, HOSTNAME).await).await {
            Origin::Name { target, proof: None } => targets.push(target),
            other => panic!("{other:?}"),
        }
        house.until(async || homes.deploy(project, &release(IMAGE)).await).await;
    }
    assert_ne!(targets[0], targets[1], "each has a way of its own");
    // Until lists show everything.
    house.clock.advance(SignedDuration::from_mins(10));
    let seen = house.until(async || homes.observe_all(&[here.clone(), there.clone()]).await).await;
    assert_eq!(seen.len(), 2, "{seen:?}");
    let items = homes.inventory().await.unwrap();
    let projects: Vec<(&str, Option<InstanceId>)> =
        items.iter().filter(|item| item.kind == "project").map(|item| (item.name.as_str(), item.instance)).collect();
    assert_eq!(
        projects,
        [(here.as_str(), Some(instance(1))), (there.as_str(), Some(instance(1)))],
        "each is listed once"
    );

    house.until(async || homes.delete_project(&here, instance(1)).await).await;
    let left: Vec<String> = living(&house);
    assert_eq!(left, [there.to_string()], "the mark of an instance alone says not which is meant");
    house.until(async || homes.configure(&there, &guard()).await).await;
    house.until(async || homes.delete_project(&there, instance(1)).await).await;
    assert!(living(&house).is_empty());
}

#[tokio::test]
async fn an_answer_that_never_came_ends_in_the_right_home() {
    let (house, homes) = two_homes().await;
    house.clock.advance(SignedDuration::from_mins(10));
    // Another installation's memory: nothing is recorded, and everything is found by its mark.
    for file in homes.files() {
        let things = providers::resources::Resources::new(house.test.db.clone(), house.clock.clone(), file);
        things.forget_all(instance(1)).await.unwrap();
    }
    for project in [acme(), acme().in_home(&frankfurt())] {
        house.until(async || homes.create_project(&project, instance(1)).await).await;
    }
    assert_eq!(house.railway.projects().len(), 2, "none was made twice");
    assert!(homes.observe(&acme()).await.unwrap().is_some());
}

#[tokio::test]
async fn account_wide_questions_are_asked_once_and_an_unknown_home_is_named() {
    let (_house, homes) = two_homes().await;
    assert_eq!(homes.ceilings().await.unwrap().len(), 1, "homes share the limits of their workspace");
    assert_eq!(homes.files(), ["railway", "railway/frankfurt"]);
    let lost = acme().in_home(&HomeName::parse("mars").unwrap());
    let error = homes.observe(&lost).await.unwrap_err();
    assert!(matches!(error, ProviderError::Refused { .. }) && error.to_string().contains("mars"), "{error}");
}

#[tokio::test]
async fn where_each_hostname_has_records_of_its_own_nothing_moves() {
    let house = House::open_as(slow(), Routing::Records).await;
    assert!(house.driver.moves().is_err());
    assert!(house.driver_by(Routing::Wildcard).moves().is_ok());
}
