//! A fleet through many releases, good and bad, while providers fail and main instances die: nobody is skipped, nobody is
//! left between versions, and whoever goes back has what was backed up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[allow(dead_code, unused_imports, reason = "the example uses more of it")]
mod support;

use support::{Fleet, Scale};

async fn holds(seed: u64, scale: Scale) {
    let mut fleet = Fleet::begins(seed, scale).await;
    fleet.lives().await;
    println!("seed {seed}: {} in {:.1} s", fleet.figures.in_words(), fleet.figures.seconds());
    assert!(fleet.problems.is_empty(), "{:#?}", fleet.problems);
}

/// More of them: `cargo xtask bench fleet-seeds`.
#[tokio::test]
async fn whatever_chance_does_nobody_is_skipped_and_nobody_is_left_between_versions() {
    for seed in 0..2 {
        holds(seed, Scale::small(30, 9)).await;
    }
}

#[tokio::test]
async fn several_main_instances_on_one_postgres_leave_nobody_between_versions() {
    holds(1_000, Scale { store: store::Engine::Postgres, ..Scale::small(12, 5) }).await;
}
