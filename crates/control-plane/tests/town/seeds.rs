use jiff::SignedDuration;

use crate::support::{Crowd, Times, by_chance};

/// More of them: `cargo xtask bench seeds`.
#[tokio::test]
async fn whatever_chance_does_everything_fits_together_in_the_end() {
    for seed in 0..16 {
        let books = by_chance(seed).await;
        assert!(books.problems.is_empty(), "seed {seed}: {:#?}", books.problems);
    }
}

/// A larger one: `cargo xtask bench crowd`.
#[tokio::test]
async fn a_crowd_with_faults_of_every_kind_is_served_about_as_fast_as_railway_lets_it() {
    let crowd = Crowd::come(40, 50, 5).await;
    println!("{crowd:?} ratio {:.3}", crowd.ratio());
    assert!(crowd.problems.is_empty(), "{crowd:#?}");
    // Nobody is behind when the line is empty but for the longest verification, with its faults.
    assert!(crowd.took - crowd.line < SignedDuration::from_mins(45), "{crowd:#?}");
    assert!(crowd.asked.iter().all(|(_, number)| number / 40 < 25), "{crowd:#?}");
    // The 120 projects that Railway makes in an hour have to do with the 10,000 calls that it takes.
    assert!(crowd.calls[0] / 40 < 10_000 / 120, "{crowd:#?}");
    assert!(crowd.active * 100 >= 40 * 95 && crowd.active + crowd.refused == 40, "{crowd:#?}");
}

/// In this life an order is given up before its customer is told of it.
#[tokio::test]
async fn who_never_heard_of_an_order_is_not_told_of_its_end() {
    let books = by_chance(10_023).await;
    assert!(books.problems.is_empty(), "{:#?}", books.problems);
}

/// More of them: `cargo xtask bench signup`.
#[tokio::test]
async fn a_signup_takes_little_longer_than_railway_itself() {
    let times = Times::of_signups(5, 3).await;
    println!("{times:?}");
    assert!(Times::percentile(&times.instance, 100).as_mins() < 3, "{times:?}");
    assert!(Times::percentile(&times.address, 100).as_mins() < 17, "{times:?}");
}

#[tokio::test]
async fn who_starts_on_an_instance_made_ahead_waits_a_few_requests_long() {
    for start in Times::with_pool(3, 3).await {
        println!("{} requests, {:?} of our own", start.requests, start.own);
        assert!(start.waited.is_zero() && start.requests <= 7, "{start:?}");
    }
}
