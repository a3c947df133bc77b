use super::{CROWD, Crowd, Direct, FEW, MODEST_RATE, Rounds, STARTS, Turn, Turns};
use crate::bench::table::{self, Measure, aligned, median, number};

/// What others do without a check, and with one: what the guard is compared with.
const PLAIN: &str = "HAProxy";
const CHECKED: &str = "HAProxy jwt_verify";
const GUARD: &str = "spinoff-guard";

/// All that was measured of the guard and its rivals.
pub struct Report {
    pub(super) setting: String,
    /// Baselines that could not be had, and why.
    pub(super) missing: Vec<String>,
    pub(super) rounds: Rounds,
    /// Milliseconds until the guard was ready.
    pub(super) starts: Vec<f64>,
}

/// One column of a table.
struct Figure {
    name: &'static str,
    unit: &'static str,
    of: fn(&Turn) -> f64,
}

const FULL: [Figure; 7] = [
    Figure { name: "requests/s", unit: "requests/s", of: rate },
    Figure { name: "CPU µs/request", unit: "µs", of: processor_time },
    Figure { name: "p50 µs", unit: "µs", of: |turn| turn.full.p50 },
    Figure { name: "p99 µs", unit: "µs", of: |turn| turn.full.p99 },
    Figure { name: "core busy %", unit: "%", of: busy },
    Figure { name: "RSS MB", unit: "MB", of: |turn| turn.memory.resident },
    Figure { name: "PSS MB", unit: "MB", of: |turn| turn.memory.proportional },
];

/// Figures of which the ratio to the baselines says more than they do.
const COMPARED: usize = 2;

impl Report {
    /// For people.
    pub fn plain(&self) -> String {
        let mut parts = vec![self.setting.clone()];
        parts.extend(self.missing.iter().cloned());
        parts.push(format!(
            "With the application itself in their place: {} requests/s.",
            number(self.direct(|direct| direct.full.rate()))
        ));
        if self.is_disturbed() {
            let said = "The machine had something else to do: requests/s and times say little here, CPU time does.";
            parts.push(said.to_owned());
        }
        parts.extend(Crowd::ALL.map(|crowd| aligned(&self.full_rows(crowd))));
        parts.push(format!(
            "{MODEST_RATE} requests/s, evenly spaced, over {FEW} connections, on cores kept awake, before all other work \
             (if run by root):\ntime until answered, and how much more than with the application in the contender's \
             place\n{}",
            aligned(&self.modest_rows())
        ));
        parts.push(table::plain(&self.aims()));
        parts.join("\n\n")
    }

    /// For programs: every figure of every contender, then the aims.
    pub fn measures(&self) -> Vec<Measure> {
        let mut measures = Vec::new();
        for turns in &self.rounds.contenders {
            for figure in &FULL {
                let name = format!("{}: {}, {}", turns.crowd, turns.contender.name(), figure.name);
                let measure = Measure::new(name, turns.median(figure.of), figure.unit);
                measures.push(match self.find(PLAIN, turns.crowd) {
                    Some(plain) => measure.against(PLAIN, plain.median(figure.of)),
                    None => measure,
                });
            }
        }
        measures.extend(self.aims());
        measures
    }

    fn full_rows(&self, crowd: Crowd) -> Vec<Vec<String>> {
        let mut title = vec![crowd.to_string()];
        for (index, figure) in FULL.iter().enumerate() {
            title.push(figure.name.to_owned());
            if index < COMPARED {
                title.extend(["÷ plain".to_owned(), "÷ jwt_verify".to_owned()]);
            }
        }
        let mut rows = vec![title];
        for turns in self.rounds.contenders.iter().filter(|turns| turns.crowd == crowd) {
            let mut row = vec![turns.contender.name().to_owned()];
            for (index, figure) in FULL.iter().enumerate() {
                let value = turns.median(figure.of);
                row.push(number(value));
                let ratio = |other: &str| {
                    self.find(other, crowd).map_or("-".to_owned(), |other| number(value / other.median(figure.of)))
                };
                if index < COMPARED {
                    row.extend([ratio(PLAIN), ratio(CHECKED)]);
                }
            }
            rows.push(row);
        }
        rows
    }

    fn modest_rows(&self) -> Vec<Vec<String>> {
        let titles = ["", "", "p50 µs", "p99 µs", "more p50", "more p99"];
        let mut rows = vec![titles.map(str::to_owned).to_vec()];
        let (p50, p99) = (self.direct(|direct| direct.modest.p50), self.direct(|direct| direct.modest.p99));
        rows.push(vec!["application alone".to_owned(), String::new(), number(p50), number(p99)]);
        for turns in &self.rounds.contenders {
            rows.push(vec![
                turns.crowd.to_string(),
                turns.contender.name().to_owned(),
                number(turns.median(|turn| turn.modest.p50)),
                number(turns.median(|turn| turn.modest.p99)),
                number(turns.median(|turn| turn.modest.p50) - p50),
                number(self.overhead(turns)),
            ]);
        }
        rows
    }

    /// What the guard is to reach, beside what it does.
    fn aims(&self) -> Vec<Measure> {
        let mut aims = Vec::new();
        for (crowd, other, aim) in
            [(Crowd::Strangers, CHECKED, 1.5), (Crowd::OnePerson, PLAIN, 0.85), (Crowd::SomePeople, PLAIN, 0.85)]
        {
            // The first depends on the load keeping the core busy, the second does not.
            let by_processor: fn(&Turn) -> f64 = |turn| 1e6 / processor_time(turn);
            for (how, of) in [("", rate as fn(&Turn) -> f64), (" a core could do, by CPU time", by_processor)] {
                let Some(guard) = self.find(GUARD, crowd) else { continue };
                let measure = Measure::new(format!("{crowd}{how}"), guard.median(of), "requests/s");
                let measure = measure.at_least_times_baseline(aim);
                aims.push(match self.find(other, crowd) {
                    Some(found) => measure.against(other, found.median(of)),
                    None => measure,
                });
            }
        }
        for guard in self.rounds.contenders.iter().filter(|turns| turns.contender.name() == GUARD) {
            let what = format!("{}, p99 more than without", guard.crowd);
            aims.push(Measure::new(what, self.overhead(guard), "µs").below(200.0));
        }
        if let Some(guard) = self.find(GUARD, Crowd::OnePerson) {
            let idle = guard.median(|turn| turn.idle_memory.resident);
            aims.push(Measure::new("resident after the first request", idle, "MB").below(12.0));
        }
        for guard in self.rounds.contenders.iter().filter(|turns| turns.contender.name() == GUARD) {
            let what = format!("resident with {CROWD} busy connections, {}", guard.crowd);
            aims.push(Measure::new(what, guard.median(|turn| turn.memory.resident), "MB").below(12.0));
        }
        let ready = format!("start to ready, median of {STARTS}");
        aims.push(Measure::new(ready, median(&self.starts), "ms").below(20.0));
        aims
    }

    fn find(&self, name: &str, crowd: Crowd) -> Option<&Turns> {
        self.rounds.contenders.iter().find(|turns| turns.contender.name() == name && turns.crowd == crowd)
    }

    /// Microseconds of p99 that a contender adds.
    fn overhead(&self, turns: &Turns) -> f64 {
        turns.median(|turn| turn.modest.p99) - self.direct(|direct| direct.modest.p99)
    }

    fn direct(&self, of: impl Fn(&Direct) -> f64) -> f64 {
        median(&self.rounds.direct.iter().map(of).collect::<Vec<_>>())
    }

    /// Whether something else took part of the core under test.
    fn is_disturbed(&self) -> bool {
        self.rounds.contenders.iter().any(|turns| turns.median(busy) < 90.0)
    }
}

impl Turns {
    fn median(&self, of: impl Fn(&Turn) -> f64) -> f64 {
        median(&self.turns.iter().map(of).collect::<Vec<_>>())
    }
}

fn rate(turn: &Turn) -> f64 {
    turn.full.rate()
}

/// Percent of the core under test.
fn busy(turn: &Turn) -> f64 {
    turn.processor_seconds / turn.full.took.as_secs_f64() * 100.0
}

fn processor_time(turn: &Turn) -> f64 {
    turn.processor_seconds / turn.full.requests as f64 * 1e6
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::bench::guard::contender::{Contender, Memory};
    use crate::bench::guard::load::Outcome;

    fn turn(requests: usize, p99: f64) -> Turn {
        let outcome = |requests| Outcome { requests, took: Duration::from_secs(1), p50: p99 / 2.0, p99 };
        let memory = Memory { resident: 11.0, proportional: 9.0 };
        Turn { modest: outcome(100), full: outcome(requests), processor_seconds: 1.0, idle_memory: memory, memory }
    }

    fn report(contenders: &[(Contender, usize)]) -> Report {
        let of = |crowd| {
            contenders.iter().map(move |(contender, requests)| {
                let turns = [0.9, 1.0, 1.1].map(|noise| turn((*requests as f64 * noise) as usize, 150.0)).to_vec();
                Turns { contender: contender.clone(), crowd, turns }
            })
        };
        let alone = turn(90_000, 50.0);
        Report {
            setting: "setting".to_owned(),
            missing: Vec::new(),
            rounds: Rounds {
                direct: vec![Direct { modest: alone.modest, full: alone.full }],
                contenders: Crowd::ALL.into_iter().flat_map(of).collect(),
            },
            starts: vec![5.0],
        }
    }

    #[test]
    fn figures_are_medians_beside_their_ratios() {
        let (haproxy, guard) = (Contender::Haproxy(PathBuf::new()), Contender::Guard(PathBuf::new()));
        let said = report(&[(haproxy, 40_000), (guard, 30_000)]).plain();
        let row = said.lines().find(|line| line.starts_with("spinoff-guard")).unwrap();
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(cells[..7], ["spinoff-guard", "30000", "0.75", "-", "33.3", "1.33", "-"]);
        let added = said.lines().find(|line| line.contains("one token, p99 more")).unwrap();
        assert!(added.contains("100 µs") && added.contains("yes"), "{added}");
        let repeated = said.lines().find(|line| line.starts_with("one token a core could do")).unwrap();
        assert!(repeated.contains("no"), "{repeated}");
    }

    #[test]
    fn without_a_baseline_the_guard_is_reported_alone() {
        let report = report(&[(Contender::Guard(PathBuf::new()), 30_000)]);
        let said = report.plain();
        let aim = said.lines().find(|line| line.starts_with("tokens never seen before a core")).unwrap();
        assert!(!aim.contains("yes") && !aim.contains("no "), "{aim}");
        assert!(report.measures().len() > FULL.len());
    }
}
