use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::traffic::{PATIENCE, Traffic, Visitors, until};
use crate::bench::table::percentile;

/// How fast requests are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// On every connection as soon as its last answer has come.
    AsFastAsAnswered,
    /// One after each such interval, on whichever connection is free.
    Every(Duration),
}

/// Requests in the order in which they are sent.
#[derive(Debug, Clone)]
pub struct Supply<'a> {
    requests: &'a [Vec<u8>],
    next: usize,
    cycled: bool,
}

/// What a load came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub requests: usize,
    /// From the first request to the last answer.
    pub took: Duration,
    /// Microseconds until half of all requests were answered.
    pub p50: f64,
    pub p99: f64,
}

impl Outcome {
    /// Requests answered in a second.
    pub fn rate(&self) -> f64 {
        self.requests as f64 / self.took.as_secs_f64()
    }
}

impl<'a> Supply<'a> {
    /// Each request again and again.
    pub fn cycling(requests: &'a [Vec<u8>]) -> Self {
        Self { requests, next: 0, cycled: true }
    }

    /// Each request once: the load ends with the last one.
    pub fn once(requests: &'a [Vec<u8>]) -> Self {
        Self { requests, next: 0, cycled: false }
    }

    fn take(&mut self) -> Option<&'a [u8]> {
        if self.cycled && self.next >= self.requests.len() {
            self.next = 0;
        }
        let request = self.requests.get(self.next)?;
        self.next += 1;
        Some(request)
    }
}

/// Sends requests for so long, or until there are no more. Each must be answered with 200.
pub fn run(
    traffic: &mut Traffic,
    visitors: &mut Visitors,
    supply: &mut Supply<'_>,
    pace: Pace,
    lasting: Duration,
) -> Result<Outcome> {
    let begin = Instant::now();
    let end = begin + lasting;
    let mut next_due = begin;
    // When those came due that no connection was free for.
    let mut waiting: VecDeque<Instant> = VecDeque::new();
    let mut sent: Vec<Instant> = vec![begin; visitors.count()];
    let mut times: Vec<f64> = Vec::with_capacity(1 << 18);
    let mut answered = Vec::new();
    let (mut over, mut last) = (false, begin);
    while !(over && visitors.all_free()) {
        if let Pace::Every(interval) = pace {
            let now = Instant::now();
            while !over && next_due <= now {
                waiting.push_back(now);
                next_due += interval;
            }
        }
        while !over && visitors.has_free() {
            let due = match pace {
                Pace::AsFastAsAnswered => Instant::now(),
                Pace::Every(_) => match waiting.pop_front() {
                    Some(due) => due,
                    None => break,
                },
            };
            let request = if due < end { supply.take() } else { None };
            let Some(request) = request else {
                over = true;
                break;
            };
            let visitor = visitors.send(request)?;
            *sent.get_mut(visitor).context("no such visitor")? = due;
        }
        if over && visitors.all_free() {
            break;
        }
        let due = if over || pace == Pace::AsFastAsAnswered { PATIENCE } else { until(next_due) };
        traffic.turn(visitors, due, &mut answered)?;
        for answer in answered.drain(..) {
            if answer.status != 200 {
                bail!("a request was answered {} instead of 200", answer.status);
            }
            let asked = sent.get(answer.visitor).copied().unwrap_or(begin);
            times.push(answer.at.duration_since(asked).as_secs_f64() * 1e6);
            last = answer.at;
        }
    }
    if times.is_empty() {
        bail!("nothing was sent");
    }
    let took = last.duration_since(begin);
    Ok(Outcome { requests: times.len(), took, p50: percentile(&times, 0.5), p99: percentile(&times, 0.99) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::TcpListener;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn requests(count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|number| format!("GET /{number} HTTP/1.1\r\nHost: x\r\n\r\n").into_bytes()).collect()
    }

    fn application() -> Traffic {
        Traffic::new(TcpListener::bind("127.0.0.1:0").unwrap(), r#"{"keys":[]}"#).unwrap()
    }

    #[test]
    fn a_supply_ends_or_begins_again() {
        let requests = requests(2);
        let taken = |mut supply: Supply<'_>| (0..3).map(|_| supply.take().map(<[u8]>::to_vec)).collect::<Vec<_>>();
        let [first, second] = [0, 1].map(|at: usize| requests.get(at).cloned());
        assert_eq!(taken(Supply::once(&requests)), [first.clone(), second.clone(), None]);
        assert_eq!(taken(Supply::cycling(&requests)), [first.clone(), second, first]);
        assert_eq!(taken(Supply::cycling(&[])), [None, None, None]);
    }

    #[test]
    fn every_request_of_a_supply_is_answered_and_counted() {
        let mut application = application();
        let address = application.address().unwrap();
        for pace in [Pace::AsFastAsAnswered, Pace::Every(Duration::from_micros(100))] {
            let mut visitors = application.visit(address, 5).unwrap();
            let requests = requests(123);
            let outcome = run(&mut application, &mut visitors, &mut Supply::once(&requests), pace, LONG).unwrap();
            assert_eq!(outcome.requests, 123);
            assert!(outcome.p50 > 0.0 && outcome.p50 <= outcome.p99);
        }
    }

    #[test]
    fn a_refusal_ends_the_load() {
        use std::io::{Read as _, Write as _};
        let refusing = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = refusing.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = refusing.accept().unwrap();
            let read = stream.read(&mut [0; 1024]).unwrap();
            assert!(read > 0);
            stream.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").unwrap();
        });
        let mut application = application();
        let mut visitors = application.visit(address, 1).unwrap();
        let requests = requests(1);
        let supply = &mut Supply::cycling(&requests);
        let error = run(&mut application, &mut visitors, supply, Pace::AsFastAsAnswered, LONG).unwrap_err();
        assert!(error.to_string().contains("401"), "{error}");
    }
}
