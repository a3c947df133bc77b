//! Many customers at three simulated companies, on a clock of their own: `cargo xtask bench seeds`, `crowd`,
//! `signup` and `rollout` start this.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../tests/town/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use more of it")]
mod support;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use simulators::railway;
use support::{Crowd, RolloutTime, Times};

/// What a request to a provider, or to an instance through one, is taken to last.
const REQUEST: Duration = Duration::from_millis(250);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize| arguments.get(place).and_then(|word| word.parse::<u32>().ok());
    let well = match (arguments.first().map(String::as_str), number(1), number(2)) {
        (Some("seeds"), Some(first), Some(number)) => seeds(first.into(), number.into()),
        (Some("crowd"), Some(number), Some(thousandths)) => crowd(number, u16::try_from(thousandths).unwrap()),
        (Some("signup"), Some(number), _) => signup(number),
        (Some("rollout"), Some(number), _) => rollout(number),
        _ => {
            eprintln!("rehearsal seeds FIRST NUMBER | crowd NUMBER FAULTS-OF-1000 | signup NUMBER | rollout NUMBER");
            std::process::exit(2);
        }
    };
    std::process::exit(i32::from(!well));
}

/// Whether all went well. One thread for each processor.
fn seeds(first: u64, number: u64) -> bool {
    let (next, began) = (AtomicU64::new(first), Instant::now());
    // Live, failed, and the seeds at which something did not fit together.
    let total = Mutex::new((0, 0, Vec::new()));
    std::thread::scope(|threads| {
        for _ in 0..std::thread::available_parallelism().unwrap().get() {
            threads.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= first + number {
                        return;
                    }
                    let books = runtime().block_on(support::by_chance(seed));
                    if !books.problems.is_empty() {
                        println!("seed {seed}: {:#?}", books.problems);
                    }
                    let mut total = total.lock().unwrap();
                    total.0 += books.live;
                    total.1 += books.failed;
                    if !books.problems.is_empty() {
                        total.2.push(seed);
                    }
                }
            });
        }
    });
    let (live, failed, wrong) = total.into_inner().unwrap();
    let took = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "no one waits for so many")]
    let rate = number as f64 / took;
    println!(
        "{number} seeds in {took:.0} s ({rate:.1}/s): {live} instances in use, {failed} never made, {} seeds wrong {wrong:?}",
        wrong.len()
    );
    wrong.is_empty()
}

fn crowd(number: u32, thousandths: u16) -> bool {
    let began = Instant::now();
    let crowd = runtime().block_on(Crowd::come(number, thousandths, 5));
    let Crowd { active, refused, calls, asked, line, took, dictated, problems } = &crowd;
    println!(
        "{number} signups within a minute, {thousandths} of 1000 calls failing, by Railway's limits of the plan Pro"
    );
    println!("in use {active}, cleanly refused {refused}, left for a person or left behind {}", problems.len());
    println!("the last project was asked for after {line:#}");
    println!("took {took:#}; the limits alone dictate {dictated:#}; ratio {:.3}", crowd.ratio());
    println!("calls at Railway, Cloudflare, Stripe: {calls:?}; simulated in {:.0} s", began.elapsed().as_secs_f64());
    let asked: Vec<String> = asked.iter().take(8).map(|(what, number)| format!("{what} {number}")).collect();
    println!("Railway was asked most for {}", asked.join(", "));
    problems.iter().for_each(|problem| println!("{problem}"));
    problems.is_empty()
}

/// Whether a rollout took at most a tenth longer than it had to, few and many at a time.
fn rollout(number: u32) -> bool {
    [10, 40].into_iter().all(|at_once| {
        let began = Instant::now();
        let time = runtime().block_on(RolloutTime::of(number, at_once, &[1, 10, 20, 30]));
        let RolloutTime { updated, took, deploys, calls, asked, throttled } = &time;
        println!("{updated} of {number} updated, {at_once} at a time, in waves of 1, 10, 20, 30 and 39 %");
        println!("took {took:#}; the deployments alone dictate {deploys:#}, the rate limit {calls:#} for 4 calls each");
        println!("ratio {:.3}; {asked:.1} calls each, {throttled} refused as too many", time.ratio());
        println!("simulated in {:.0} s", began.elapsed().as_secs_f64());
        time.ratio() <= 1.1 && *throttled == 0
    })
}

fn signup(number: u32) -> bool {
    let times = runtime().block_on(Times::of_signups(number, 3));
    let railway = railway::Settings::default();
    for (what, times, span, lag) in [
        ("the instance runs", &times.instance, railway.deploy, railway.instance_lag),
        ("it answers at its address", &times.address, railway.verification, railway.domain_sync),
    ] {
        for hundredths in [50, 99] {
            let took = Times::percentile(times, usize::try_from(hundredths).unwrap());
            let dictated = Times::dictated(span, hundredths) + lag;
            println!("signup until {what}: p{hundredths} {took:#}; Railway's own delays dictate {dictated:#}");
        }
    }
    // The clock of a town does not see how long answers take.
    let starts = runtime().block_on(Times::with_pool(number, 3)).into_iter();
    let took = starts.map(|it| {
        it.waited + SignedDuration::try_from(it.own + REQUEST * u32::try_from(it.requests).unwrap()).unwrap()
    });
    let mut pooled: Vec<_> = took.collect();
    pooled.sort_unstable();
    for hundredths in [50, 99] {
        let took = Times::percentile(&pooled, hundredths);
        println!(
            "from the card to an instance made ahead: p{hundredths} {took:#}, each request counted as {REQUEST:?}"
        );
    }
    true
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
