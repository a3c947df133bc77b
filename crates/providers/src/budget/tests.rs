#![allow(clippy::unwrap_used)]
use ::store::testing::{TestDb, fresh};

use super::*;

async fn budget(engine: ::store::Engine) -> (TestDb, Clock, Budget) {
    let clock = Clock::at("2026-11-25T10:00:00Z".parse().unwrap());
    let test = fresh(engine, MIGRATIONS).await;
    let budget = Budget::new(test.db.clone(), clock.clone(), "railway");
    (test, clock, budget)
}

async fn a_bucket_gives_a_burst_and_then_its_rate(engine: ::store::Engine) {
    let (_test, clock, budget) = budget(engine).await;
    let rate = Rate { number: 60, per: SignedDuration::from_mins(1), burst: 3 };
    for _ in 0..3 {
        assert_eq!(budget.take("calls", rate).await.unwrap(), Turn::Now);
    }
    let until = clock.now() + SignedDuration::from_secs(1);
    assert_eq!(budget.take("calls", rate).await.unwrap(), Turn::Wait { before: 0, until });
    clock.advance(SignedDuration::from_secs(1));
    assert_eq!(budget.take("calls", rate).await.unwrap(), Turn::Now);
    assert!(matches!(budget.take("calls", rate).await.unwrap(), Turn::Wait { .. }));
    clock.advance(SignedDuration::from_hours(1));
    let until = clock.now() + SignedDuration::from_secs(40);
    budget.block("calls", until).await.unwrap();
    assert_eq!(budget.take("calls", rate).await.unwrap(), Turn::Wait { before: 0, until });
    assert_eq!(budget.take("others", rate).await.unwrap(), Turn::Now);
}

async fn a_line_serves_one_at_a_time_and_tells_the_others_their_place(engine: ::store::Engine) {
    let (_test, clock, budget) = budget(engine).await;
    let every = SignedDuration::from_secs(30);
    let start = clock.now();
    assert_eq!(budget.turn("projects", "a", every).await.unwrap(), Turn::Now);
    // Its turn is not over before it leaves: a failure keeps the place.
    let wait = |before, seconds| Turn::Wait { before, until: start + SignedDuration::from_secs(seconds) };
    assert_eq!(budget.turn("projects", "b", every).await.unwrap(), wait(1, 60));
    budget.leave("projects", "a").await.unwrap();
    assert_eq!(budget.turn("projects", "b", every).await.unwrap(), wait(0, 30));
    assert_eq!(budget.turn("projects", "c", every).await.unwrap(), wait(1, 60));
    assert_eq!(budget.length("projects").await.unwrap(), 2);
    // Whoever comes when it is free gets it: nobody who stays away holds up the rest.
    clock.advance(SignedDuration::from_secs(30));
    assert_eq!(budget.turn("projects", "c", every).await.unwrap(), Turn::Now);
    assert_eq!(budget.turn("projects", "b", every).await.unwrap(), wait(0, 60));
}

async fn each_who_comes_in_vain_is_told_a_moment_of_their_own(engine: ::store::Engine) {
    let (_test, clock, budget) = budget(engine).await;
    let rate = Rate { number: 60, per: SignedDuration::from_mins(1), burst: 1 };
    let start = clock.now();
    assert_eq!(budget.take("calls", rate).await.unwrap(), Turn::Now);
    for second in 1..4 {
        let until = start + SignedDuration::from_secs(second);
        assert_eq!(budget.take("calls", rate).await.unwrap(), Turn::Wait { before: 0, until });
    }
    for _ in 1..4 {
        clock.advance(SignedDuration::from_secs(1));
        assert_eq!(budget.take("calls", rate).await.unwrap(), Turn::Now);
    }
}

async fn a_turn_that_was_not_used_is_the_next_ones(engine: ::store::Engine) {
    let (_test, clock, budget) = budget(engine).await;
    let every = SignedDuration::from_secs(30);
    assert_eq!(budget.turn("projects", "a", every).await.unwrap(), Turn::Now);
    assert!(matches!(budget.turn("projects", "b", every).await.unwrap(), Turn::Wait { .. }));
    // Not theirs to give.
    budget.give_back("projects", "b").await.unwrap();
    assert!(matches!(budget.turn("projects", "b", every).await.unwrap(), Turn::Wait { .. }));
    budget.give_back("projects", "a").await.unwrap();
    assert_eq!(budget.turn("projects", "b", every).await.unwrap(), Turn::Now);
    // Nor is one that is long over.
    budget.give_back("projects", "a").await.unwrap();
    clock.advance(SignedDuration::from_secs(29));
    assert!(matches!(budget.turn("projects", "a", every).await.unwrap(), Turn::Wait { before: 0, .. }));
}

macro_rules! on_both {
    ($($name:ident),*) => { $(
        mod $name {
            #[tokio::test]
            async fn sqlite() {
                super::$name(::store::Engine::Sqlite).await;
            }
            #[tokio::test]
            async fn postgres() {
                super::$name(::store::Engine::Postgres).await;
            }
        }
    )* };
}
on_both!(
    a_bucket_gives_a_burst_and_then_its_rate,
    a_line_serves_one_at_a_time_and_tells_the_others_their_place,
    each_who_comes_in_vain_is_told_a_moment_of_their_own,
    a_turn_that_was_not_used_is_the_next_ones
);
