//! A year of many customers by chance, in which whatever can go wrong does: reports that are lost, late, repeated, mixed
//! up or told by a wrong clock; several who close at once, and die of it; customers who pay late, in parts, twice or
//! never. `SPINOFF_YEAR_CUSTOMERS` says how many instances there are: `cargo xtask bench year` lives it with a thousand.

pub mod life;
mod money;
mod proof;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::Month;
use futures_util::stream::{self, StreamExt as _};
use jiff::SignedDuration;
use store::Engine;
use workflow::{Fault, Faults};

use crate::support::TestApp;
use life::{Dice, Life, Report, report};

/// So many requests are under way at once.
const AT_ONCE: usize = 16;

/// Longer than a lease.
const A_WHILE: SignedDuration = SignedDuration::from_secs(1);

struct Year {
    app: TestApp,
    dice: Dice,
    lives: Vec<Life>,
    /// What each customer paid, by e-mail address.
    paid: BTreeMap<String, i64>,
    faults: Faults,
    deaths: Arc<AtomicU32>,
    /// So many deaths were noticed.
    mourned: u32,
    kills_in_the_middle: u32,
}

impl Year {
    async fn begins(engine: Engine, instances: usize) -> Self {
        let deaths = Arc::new(AtomicU32::new(0));
        let faults = deadly(Arc::clone(&deaths));
        let app = TestApp::start_on_a_machine("2026-12-28T00:00:00Z", engine, faults.clone()).await;
        let lives: Vec<Life> = (0..instances).map(Life::new).collect();
        let provisioned = stream::iter(&lives).for_each_concurrent(AT_ONCE, async |life| {
            assert_eq!(app.provision(&life.email, &life.name).await, "done");
        });
        provisioned.await;
        let mut year = Self {
            app,
            dice: Dice(0x00c0_ffee),
            lives,
            paid: BTreeMap::new(),
            faults,
            deaths,
            mourned: 0,
            kills_in_the_middle: 0,
        };
        for life in &mut year.lives {
            life.id = year.app.instance(&life.name).await["id"].as_str().unwrap().to_owned();
        }
        year
    }

    /// From the close of the month before to the last use of this one.
    async fn month(&mut self, month: Month) {
        for day in ["05", "12", "16", "20", "23"] {
            self.day(&format!("{month}-{day}T08:00:00Z")).await;
        }
        self.app.go_to(&format!("{month}-28T00:00:00Z"));
        self.everybody_works().await;
        self.some_waive().await;
        if month.to_string().as_str() > "2027-02" {
            self.some_leave().await;
        }
        self.day(&format!("{month}-28T08:00:00Z")).await;
    }

    /// People pay, and who does not is looked at by several replicas at once.
    async fn day(&mut self, moment: &str) {
        self.app.go_to(moment);
        self.some_pay().await;
        let looks = (0..3).map(|_| control_plane::dun_if_due(self.app.app()));
        futures_util::future::join_all(looks).await.into_iter().for_each(|looked| looked.unwrap());
        self.all_is_done().await;
        self.who_is_closed_says_everything().await;
        self.nobody_who_pays_is_closed().await;
    }

    async fn everybody_works(&mut self) {
        let now = self.app.clock.now();
        let mut rounds: [Vec<Report>; 2] = Default::default();
        for life in self.lives.iter_mut().filter(|life| life.is_open()) {
            life.works(now, &mut self.dice, &mut rounds);
        }
        for round in &rounds {
            stream::iter(round).for_each_concurrent(AT_ONCE, |it| report(&self.app, it)).await;
        }
    }

    async fn some_waive(&mut self) {
        for life in self.lives.iter_mut().filter(|life| life.is_open()) {
            life.may_waive(&self.app, &mut self.dice).await;
        }
    }

    async fn some_leave(&mut self) {
        for life in self.lives.iter_mut().filter(|life| life.is_open()) {
            if self.dice.one_in(40) {
                life.tells_the_rest(&self.app).await;
                assert_eq!(self.app.delete(&life.name).await, "done");
                life.state = "deleted".to_owned();
                life.left = true;
            }
        }
    }

    /// A guard keeps nothing for itself when its instance is closed: nobody may come to open it again.
    async fn who_is_closed_says_everything(&mut self) {
        let states = self.states().await;
        for life in &mut self.lives {
            life.state.clone_from(&states[&life.id]);
            if life.state == "suspended" {
                life.tells_the_rest(&self.app).await;
            }
        }
    }

    /// Several replicas close at once, and in some months the machine is turned off in the middle.
    async fn close(mut self, moment: &str, is_killed: bool) -> Self {
        self.app.go_to(moment);
        let before = self.invoices().await;
        let core = self.app.app().core();
        let replicas = (0..3).map(|_| control_plane::close_if_due(&core));
        let (begun, _) = tokio::join!(futures_util::future::join_all(replicas), self.app.ask_to_close(None));
        begun.into_iter().for_each(|begun| begun.unwrap());
        drop(core);
        if is_killed {
            let enough = before + i64::try_from(self.lives.len() / 3).unwrap();
            while self.invoices().await < enough && self.works().await {
                self.leases_of_the_dead_run_out();
                let mut changes = self.app.app().engine.changes();
                let _ = tokio::time::timeout(Duration::from_millis(2), changes.changed()).await;
            }
            self.kills_in_the_middle += u32::from(self.works().await);
            self.app = self.app.killed(self.faults.clone()).await;
            self.app.clock.advance(A_WHILE);
        }
        self.all_is_done().await;
        self
    }

    /// Waits until nothing is under way. Time passes as fast as really, and at once when somebody died.
    async fn all_is_done(&mut self) {
        let began = Instant::now();
        while self.works().await {
            assert!(began.elapsed() < Duration::from_mins(10), "it does not come to an end");
            self.leases_of_the_dead_run_out();
            let a_moment = Duration::from_millis(10);
            if tokio::time::timeout(a_moment, self.app.app().engine.changes().changed()).await.is_err() {
                self.app.clock.advance(SignedDuration::try_from(a_moment).unwrap());
            }
        }
    }

    fn leases_of_the_dead_run_out(&mut self) {
        let deaths = self.deaths.load(Ordering::SeqCst);
        if deaths > self.mourned {
            self.mourned = deaths;
            self.app.clock.advance(A_WHILE);
            self.app.app().engine.wake();
        }
    }

    async fn works(&self) -> bool {
        self.app.count("select count(*) from workflows where state in ('running', 'undoing')").await > 0
    }

    async fn invoices(&self) -> i64 {
        self.app.count("select count(*) from invoices").await
    }

    /// How each instance is, by its id.
    async fn states(&self) -> BTreeMap<String, String> {
        let rows: Vec<(String, String)> = self.app.rows("select id, state from instances").await;
        rows.into_iter().collect()
    }
}

/// Now and then whoever closes a month, or a door, dies before or after a step.
fn deadly(deaths: Arc<AtomicU32>) -> Faults {
    let dice = Mutex::new(Dice(0x5eed));
    Faults::by(move |here| {
        let chance = match here.kind.as_str() {
            "close.v1" => 6,
            "suspend.v1" | "resume.v1" => 16,
            _ => return None,
        };
        let dies = dice.lock().unwrap().one_in(chance);
        dies.then(|| {
            deaths.fetch_add(1, Ordering::SeqCst);
            Fault::Death
        })
    })
}

async fn a_year_with_faults_bills_every_used_hour_once_and_the_books_balance(engine: Engine, instances: usize) {
    let began = Instant::now();
    let mut year = Year::begins(engine, instances).await;
    let mut month = Month::parse("2027-01").unwrap();
    for number in 1..=12 {
        year.month(month).await;
        month = month.next();
        year = year.close(&format!("{month}-01T06:30:00Z"), number % 4 == 2).await;
        if number % 4 == 0 {
            assert_eq!(year.app.problems().await, [""; 0], "after month {number}");
        }
        println!("month {number}: {} invoices after {:.0} s", year.invoices().await, began.elapsed().as_secs_f64());
    }
    // What was late in December comes with January.
    for life in year.lives.iter_mut().filter(|life| life.is_open()) {
        life.tells_the_rest(&year.app).await;
    }
    year = year.close("2028-02-01T06:30:00Z", false).await;
    year.everything_adds_up().await;
    println!("{}", year.in_words().await);
}

fn instances(usual: usize) -> usize {
    #[expect(clippy::disallowed_methods, reason = "the command that lives a large year says so")]
    let wanted = std::env::var("SPINOFF_YEAR_CUSTOMERS");
    wanted.map_or(usual, |number| number.parse().expect("SPINOFF_YEAR_CUSTOMERS is a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_year_with_faults_bills_every_used_hour_once_and_the_books_balance_on_sqlite() {
    a_year_with_faults_bills_every_used_hour_once_and_the_books_balance(Engine::Sqlite, instances(20)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_year_with_faults_bills_every_used_hour_once_and_the_books_balance_on_postgres() {
    a_year_with_faults_bills_every_used_hour_once_and_the_books_balance(Engine::Postgres, instances(10)).await;
}
