//! What an instance's people really did, and what of it was told, how often and by whom.

use std::collections::BTreeSet;

use domain::UsageHour;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::money::Habit;
use crate::support::TestApp;

/// Numbers by chance, the same in every run.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    pub fn one_in(&mut self, chance: u64) -> bool {
        self.below(chance) == 0
    }

    fn minutes(&mut self, end: u64) -> SignedDuration {
        SignedDuration::from_mins(i64::try_from(self.below(end)).unwrap())
    }
}

/// What one collector tells in one request.
#[derive(Debug, Clone)]
pub struct Report {
    name: String,
    source: &'static str,
    moments: Vec<Timestamp>,
}

pub async fn report(app: &TestApp, report: &Report) {
    app.reported(&report.name, report.source, &report.moments).await;
}

#[derive(Debug)]
pub struct Life {
    pub name: String,
    pub email: String,
    pub id: String,
    pub habit: Habit,
    /// The instance's state, as last seen.
    pub state: String,
    /// Its customer asked for its end.
    pub left: bool,
    pub used: BTreeSet<UsageHour>,
    pub waived: BTreeSet<UsageHour>,
    untold: Vec<Timestamp>,
}

impl Life {
    /// Some customers have two.
    pub fn new(number: usize) -> Self {
        let customer = number * 4 / 5;
        Self {
            name: format!("w{number}x"),
            email: format!("c{customer}@example.com"),
            id: String::new(),
            habit: Habit::of(customer),
            state: "active".to_owned(),
            left: false,
            used: BTreeSet::new(),
            waived: BTreeSet::new(),
            untold: Vec::new(),
        }
    }

    pub fn is_open(&self) -> bool {
        self.state == "active"
    }

    /// A month of use, and what is told of it. Reports of the first round are under way all at once; those of the second
    /// come after them.
    pub fn works(&mut self, now: Timestamp, dice: &mut Dice, rounds: &mut [Vec<Report>; 2]) {
        for _ in 0..dice.below(12) {
            let moment = now - SignedDuration::from_hours(1) - dice.minutes(27 * 24 * 60);
            self.used.insert(UsageHour::of(moment));
            self.untold.push(moment);
        }
        // Some get lost, or wait for weeks: they are told with the next month.
        let (told, late): (Vec<_>, Vec<_>) = self.untold.iter().partition(|_| !dice.one_in(4));
        self.untold = late;
        let tell = |source, moments| Report { name: self.name.clone(), source, moments };
        let [at_once, again] = rounds;
        if dice.one_in(3) {
            // Two collectors saw overlapping parts of it; the application says some of it too.
            let (before, after) = (told.len() / 3, told.len() * 2 / 3);
            at_once.push(tell("guard", told[..after].to_vec()));
            at_once.push(tell("application", told[before..after].to_vec()));
            at_once.push(tell("guard", told[before..].to_vec()));
        } else {
            at_once.push(tell("guard", told.clone()));
        }
        if dice.one_in(3) {
            // The answer got lost, so all of it comes again, backwards.
            again.push(tell("guard", told.iter().rev().copied().collect()));
        }
        if dice.one_in(6) {
            let (ahead, behind) = (dice.minutes(40 * 24 * 60), dice.minutes(200 * 24 * 60));
            let began: Timestamp = "2026-12-27T00:00:00Z".parse().unwrap();
            let wrong = vec![now + SignedDuration::from_hours(1) + ahead, began - behind];
            again.push(tell("guard", wrong));
        }
    }

    pub async fn tells_the_rest(&mut self, app: &TestApp) {
        let moments = std::mem::take(&mut self.untold);
        if !moments.is_empty() {
            report(app, &Report { name: self.name.clone(), source: "guard", moments }).await;
        }
    }

    pub async fn may_waive(&mut self, app: &TestApp, dice: &mut Dice) {
        let (wants, which) = (dice.one_in(5), usize::try_from(dice.below(8)).unwrap());
        let Some(hour) = self.used.iter().nth(which).copied().filter(|_| wants) else { return };
        let body = json!({"hours": [hour.start()], "reason": "by chance"});
        for _ in 0..2 {
            let path = format!("/instances/{}/usage/waive", self.id);
            let (status, answer) = app.api(Method::POST, &path, Some(body.clone())).await;
            assert_eq!(status, StatusCode::OK, "{answer}");
        }
        self.waived.insert(hour);
    }

    /// The hours that are to be paid for in the end.
    pub fn billable(&self) -> BTreeSet<UsageHour> {
        let untold: BTreeSet<UsageHour> = self.untold.iter().map(|moment| UsageHour::of(*moment)).collect();
        let told = self.used.iter().filter(|hour| !untold.contains(hour));
        told.filter(|hour| !self.waived.contains(hour)).copied().collect()
    }
}
