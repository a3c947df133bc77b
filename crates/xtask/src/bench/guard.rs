//! The guard on one core, beside what other people use in its place: the same application, the same
//! visitors and the same two cores in one run, in turns.

mod answer;
mod contender;
mod load;
mod processor;
mod report;
mod tokens;
mod traffic;

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::shell::{self, cargo, step};
use contender::{Contender, Memory};
use load::{Outcome, Pace, Supply};
use processor::{Calm, Cores};
use tokens::Tokens;
use traffic::{Traffic, Visitors};

pub use report::Report;

/// Connections that are always busy.
const CROWD: usize = 64;

/// Connections among which a modest number of requests is spread.
const FEW: usize = 8;

/// Requests in a second that leave every contender idle for most of the time.
const MODEST_RATE: u32 = 2000;

const DISTINCT: usize = 2000;

const STARTS: usize = 20;

/// Before anything counts: connections are made, code and caches are warm.
const WARM_UP: Duration = Duration::from_millis(200);

/// How much is measured.
#[derive(Debug, Clone, clap::Args)]
pub struct Effort {
    /// Rounds in which `guard` takes turns with its rivals
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,

    /// How long each turn of `guard` and its rivals lasts
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,

    /// Assertions never seen before that a turn uses up; it ends with the last
    #[arg(long, value_name = "NUMBER", default_value_t = 20_000)]
    fresh: usize,
}

/// Whose assertions arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crowd {
    OnePerson,
    SomePeople,
    Strangers,
}

/// One turn of one contender, in megabytes, seconds and microseconds.
#[derive(Debug, Clone)]
struct Turn {
    modest: Outcome,
    full: Outcome,
    processor_seconds: f64,
    idle_memory: Memory,
    memory: Memory,
}

/// All turns of one contender with one crowd.
struct Turns {
    contender: Contender,
    crowd: Crowd,
    turns: Vec<Turn>,
}

/// One turn of the application in a contender's place.
struct Direct {
    modest: Outcome,
    full: Outcome,
}

/// What was measured.
struct Rounds {
    direct: Vec<Direct>,
    contenders: Vec<Turns>,
}

/// Builds the guard as it is released.
pub fn build() -> Result<PathBuf> {
    step("building the guard", || {
        shell::run(cargo().args(["build", "--quiet", "--release", "-p", "guard", "--bin", "spinoff-guard"]))
    })?;
    Ok(shell::root().join("target/release/spinoff-guard"))
}

/// Measures this guard and its rivals.
pub fn measure(binary: &Path, effort: &Effort) -> Result<Report> {
    let tokens = Tokens::sign(1 + DISTINCT.max(effort.modest_requests() + effort.fresh))?;
    let (contenders, missing) = Contender::all(binary);
    let cores = Cores::take()?;
    let mut bench = Bench { cores, traffic: Traffic::new(listener()?, &tokens.key_set)?, tokens, effort };
    step("making sure that each lets pass what it should, and nothing else", || {
        contenders.iter().try_for_each(|contender| contender.prove(cores, &mut bench.traffic, &bench.tokens))
    })?;
    let starts = step(&format!("starting the guard {STARTS} times"), || bench.starts(binary))?;
    let rounds = bench.rounds(&contenders)?;
    Ok(Report { setting: bench.setting(&contenders), missing, rounds, starts })
}

struct Bench<'a> {
    cores: Cores,
    traffic: Traffic,
    tokens: Tokens,
    effort: &'a Effort,
}

impl Bench<'_> {
    fn setting(&self, contenders: &[Contender]) -> String {
        let mut versions: Vec<String> = contenders.iter().map(Contender::version).collect();
        versions.dedup();
        format!(
            "{}.\nEach in its turn alone on core {}, with one thread; application and visitors on core {}. \
             Medians of rounds: {} of {} s.\nRequests of {} bytes, {} of them the assertion, on {CROWD} connections \
             that are always busy.\nThe guard writes its log to a file; the others keep none. All keep connections \
             to the application.",
            versions.join(", "),
            self.cores.tested,
            self.cores.around,
            self.effort.rounds,
            self.effort.seconds,
            self.tokens.request_length(),
            self.tokens.length,
        )
    }

    /// Milliseconds from spawn to readiness.
    fn starts(&self, binary: &Path) -> Result<Vec<f64>> {
        let application = self.traffic.address()?;
        let starts = (0..STARTS).map(|_| contender::guard_start(binary, self.cores, application));
        starts.map(|took| Ok(took?.as_secs_f64() * 1e3)).collect()
    }

    fn rounds(&mut self, contenders: &[Contender]) -> Result<Rounds> {
        let of = |crowd| {
            contenders.iter().map(move |contender| Turns { contender: contender.clone(), crowd, turns: Vec::new() })
        };
        let mut rounds = Rounds { direct: Vec::new(), contenders: Crowd::ALL.into_iter().flat_map(of).collect() };
        for number in 1..=self.effort.rounds {
            step(&format!("round {number} of {}", self.effort.rounds), || {
                // Once for each crowd, so that a busy moment of the machine does not decide.
                for crowd in Crowd::ALL {
                    rounds.direct.push(self.direct()?);
                    for turns in rounds.contenders.iter_mut().filter(|turns| turns.crowd == crowd) {
                        turns.turns.push(self.turn(&turns.contender, crowd)?);
                    }
                }
                Ok(())
            })?;
        }
        Ok(rounds)
    }

    /// The application itself in the contenders' place: in a thread of its own on the core under test.
    fn direct(&mut self) -> Result<Direct> {
        let listener = listener()?;
        let address = listener.local_addr()?;
        let (stop, key_set) = (AtomicBool::new(false), self.tokens.key_set.clone());
        let serve = || Traffic::new(listener, &key_set)?.serve_others(&stop);
        thread::scope(|scope| {
            let serving = self.cores.on_tested(|| Ok(scope.spawn(serve)))?;
            let measured = self.modest(address, &[], Crowd::OnePerson).and_then(|modest| {
                let mut visitors = self.warm(address, CROWD, Crowd::OnePerson)?;
                Ok(Direct { modest, full: self.full(&mut visitors, Crowd::OnePerson)? })
            });
            stop.store(true, Ordering::Relaxed);
            match serving.join() {
                Ok(served) => served.and(measured),
                Err(_) => bail!("the application's thread ended early"),
            }
        })
    }

    /// One turn of a program that was just started, so that it has seen nobody.
    fn turn(&mut self, contender: &Contender, crowd: Crowd) -> Result<Turn> {
        let running = contender.start(self.cores, &mut self.traffic, &self.tokens)?;
        let idle_memory = running.memory()?;
        let modest = self.modest(running.address, &running.pids()?, crowd)?;
        let mut visitors = self.warm(running.address, CROWD, crowd)?;
        let before = running.processor_seconds()?;
        let full = self.full(&mut visitors, crowd)?;
        let processor_seconds = running.processor_seconds()? - before;
        Ok(Turn { modest, full, processor_seconds, idle_memory, memory: running.memory()? })
    }

    /// So few requests that hardly one waits for another.
    fn modest(&mut self, target: SocketAddr, pids: &[u32], crowd: Crowd) -> Result<Outcome> {
        let mut visitors = self.warm(target, FEW, crowd)?;
        let mut supply = crowd.modest_supply(&self.tokens, self.effort);
        let pace = Pace::Every(Duration::from_secs(1) / MODEST_RATE);
        let _calm = Calm::for_us_and(pids, self.cores)?;
        load::run(&mut self.traffic, &mut visitors, &mut supply, pace, self.effort.lasting())
    }

    /// As many requests as are answered.
    fn full(&mut self, visitors: &mut Visitors, crowd: Crowd) -> Result<Outcome> {
        let mut supply = crowd.full_supply(&self.tokens, self.effort);
        load::run(&mut self.traffic, visitors, &mut supply, Pace::AsFastAsAnswered, self.effort.lasting())
    }

    fn warm(&mut self, target: SocketAddr, connections: usize, crowd: Crowd) -> Result<Visitors> {
        let mut visitors = self.traffic.visit(target, connections)?;
        let mut supply = crowd.familiar_supply(&self.tokens);
        load::run(&mut self.traffic, &mut visitors, &mut supply, Pace::AsFastAsAnswered, WARM_UP)?;
        Ok(visitors)
    }
}

fn listener() -> Result<TcpListener> {
    TcpListener::bind("127.0.0.1:0").context("listening as the application")
}

impl Effort {
    fn lasting(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    fn modest_requests(&self) -> usize {
        (self.seconds * MODEST_RATE) as usize
    }
}

impl Crowd {
    const ALL: [Self; 3] = [Self::OnePerson, Self::SomePeople, Self::Strangers];

    /// Those that the program may have seen: the first assertion is no stranger's.
    fn familiar_supply(self, tokens: &Tokens) -> Supply<'_> {
        let distinct = if self == Self::SomePeople { DISTINCT } else { 1 };
        Supply::cycling(tokens.requests.get(..distinct).unwrap_or_default())
    }

    fn modest_supply<'a>(self, tokens: &'a Tokens, effort: &Effort) -> Supply<'a> {
        match self {
            Self::Strangers => Supply::once(tokens.requests.get(1..=effort.modest_requests()).unwrap_or_default()),
            _ => self.familiar_supply(tokens),
        }
    }

    fn full_supply<'a>(self, tokens: &'a Tokens, effort: &Effort) -> Supply<'a> {
        match self {
            Self::Strangers => Supply::once(tokens.requests.get(1 + effort.modest_requests()..).unwrap_or_default()),
            _ => self.familiar_supply(tokens),
        }
    }
}

impl fmt::Display for Crowd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnePerson => f.write_str("one token"),
            Self::SomePeople => write!(f, "{DISTINCT} tokens in turn"),
            Self::Strangers => f.write_str("tokens never seen before"),
        }
    }
}
