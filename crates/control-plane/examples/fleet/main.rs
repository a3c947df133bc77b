//! A fleet through many releases: `cargo xtask bench fleet-seeds` and `fleet-year` start this.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../tests/fleet/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use more of it")]
mod support;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use support::{Figures, Fleet, Scale};

/// How many instances a fleet of a seed has, and how many releases it lives through.
const OF_A_SEED: (u64, u32) = (50, 30);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize| arguments.get(place).and_then(|word| word.parse::<u32>().ok());
    let well = match (arguments.first().map(String::as_str), number(1), number(2)) {
        (Some("seeds"), Some(first), Some(number)) => seeds(first.into(), number.into()),
        (Some("year"), Some(instances), Some(releases)) => year(instances.into(), releases),
        _ => {
            eprintln!("fleet seeds FIRST NUMBER | year INSTANCES RELEASES");
            std::process::exit(2);
        }
    };
    std::process::exit(i32::from(!well));
}

/// Whether all went well. One thread for each processor.
fn seeds(first: u64, number: u64) -> bool {
    let (next, began) = (AtomicU64::new(first), Instant::now());
    let total = Mutex::new((Figures::begin(), Vec::new()));
    std::thread::scope(|threads| {
        for _ in 0..std::thread::available_parallelism().unwrap().get() {
            threads.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= first + number {
                        return;
                    }
                    let (instances, releases) = OF_A_SEED;
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    let fleet = runtime.block_on(async {
                        let mut fleet = Fleet::begins(seed, Scale::small(instances, releases)).await;
                        fleet.lives().await;
                        fleet
                    });
                    let mut total = total.lock().unwrap();
                    total.0.add(&fleet.figures);
                    if !fleet.problems.is_empty() {
                        println!("{:#?}", fleet.problems);
                        total.1.push(seed);
                    }
                }
            });
        }
    });
    let (figures, wrong) = total.into_inner().unwrap();
    println!("{number} seeds in {:.0} s: {}", began.elapsed().as_secs_f64(), figures.in_words());
    println!("{} seeds wrong {wrong:?}", wrong.len());
    wrong.is_empty()
}

/// Whether all went well with one large fleet.
fn year(instances: u64, releases: u32) -> bool {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut fleet = Fleet::begins(1, Scale::large(instances, releases)).await;
        fleet.figures.aloud = true;
        println!("{instances} instances were made in {:.0} s", fleet.figures.seconds());
        let began = Instant::now();
        fleet.lives().await;
        let updates = fleet.figures.updated + fleet.figures.rolled_back;
        #[expect(clippy::cast_precision_loss, reason = "there are not so many")]
        let each = began.elapsed().as_secs_f64() * 1e3 / updates as f64;
        println!("{}; {each:.1} ms for each update", fleet.figures.in_words());
        fleet.problems.iter().take(20).for_each(|problem| println!("{problem}"));
        fleet.problems.is_empty()
    })
}
