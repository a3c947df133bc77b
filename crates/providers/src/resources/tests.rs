#![allow(clippy::unwrap_used)]
use std::cell::Cell;

use ::store::testing::{TestDb, fresh};

use super::*;

const LAG: SignedDuration = SignedDuration::from_secs(90);

struct House {
    _test: TestDb,
    clock: Clock,
    things: Resources,
    key: Key,
    asked: Cell<u32>,
}

impl House {
    async fn new() -> Self {
        let clock = Clock::at("2026-11-25T10:00:00Z".parse().unwrap());
        let test = fresh(::store::Engine::Sqlite, MIGRATIONS).await;
        let things = Resources::new(test.db.clone(), clock.clone(), "railway");
        let key = Key { kind: "project", name: "ai-diy-acme".into(), instance: InstanceId::new(clock.now(), [1; 10]) };
        Self { _test: test, clock, things, key, asked: Cell::new(0) }
    }

    async fn ensure(&self, there: Option<&str>, answer: Result<&str, ProviderError>) -> Result<Made, ProviderError> {
        let look = async || Ok(there.map(Made::plain));
        let make = async || {
            self.asked.set(self.asked.get() + 1);
            answer.map(Made::plain)
        };
        self.things.ensure(&self.key, LAG, look, make).await
    }
}

fn lost() -> ProviderError {
    ProviderError::Lost { what: "projectCreate".into(), why: "connection reset".into() }
}

#[tokio::test]
async fn what_is_recorded_is_neither_looked_for_nor_made_again() {
    let house = House::new().await;
    assert_eq!(house.ensure(None, Ok("p1")).await.unwrap().id, "p1");
    assert_eq!(house.ensure(Some("p2"), Ok("p3")).await.unwrap().id, "p1");
    assert_eq!(house.asked.get(), 1);
    house.things.forget(&house.key).await.unwrap();
    assert!(house.things.find(&house.key).await.unwrap().is_none());
}

#[tokio::test]
async fn an_answer_that_never_came_is_looked_for_before_it_is_asked_again() {
    let house = House::new().await;
    assert!(matches!(house.ensure(None, Err(lost())).await, Err(ProviderError::Lost { .. })));
    // Not listed yet: it may still appear, so nothing is made.
    assert!(matches!(house.ensure(None, Ok("twice")).await, Err(ProviderError::NotYet { .. })));
    assert_eq!(house.asked.get(), 1);
    assert_eq!(house.ensure(Some("p1"), Ok("twice")).await.unwrap().id, "p1");
    assert_eq!(house.asked.get(), 1);
}

#[tokio::test]
async fn what_has_not_appeared_in_time_was_not_made() {
    let house = House::new().await;
    assert!(house.ensure(None, Err(lost())).await.is_err());
    house.clock.advance(LAG);
    assert_eq!(house.ensure(None, Ok("p1")).await.unwrap().id, "p1");
    assert_eq!(house.asked.get(), 2);
}

#[tokio::test]
async fn what_was_refused_may_be_asked_again_at_once() {
    let house = House::new().await;
    let throttled = ProviderError::not_yet("too quickly", SignedDuration::from_secs(30));
    assert!(house.ensure(None, Err(throttled)).await.is_err());
    assert_eq!(house.ensure(None, Ok("p1")).await.unwrap().id, "p1");
}
