//! A workflow ends either wholly done or wholly undone, whatever goes wrong at whichever step.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::SignedDuration;
use store::testing::{TestDb, fresh};
use workflow::{
    Backoff, Engine, Fault, Faults, MIGRATIONS, Moment, NewWorkflow, OnFailure, Point, Run, Settings, StepError,
    StepState, Stop, Workflow, WorkflowState,
};
use world::{Clock, Entropy};

const STEPS: [&str; 3] = ["make project", "deploy", "publish"];

/// The outside world: what exists there, how often each thing was made, and another replica that
/// gets its turn in the middle of the first step.
#[derive(Default)]
struct World {
    exists: BTreeMap<&'static str, ()>,
    made: BTreeMap<&'static str, u32>,
    intruder: Option<(Engine, Clock)>,
}

type Shared = Arc<Mutex<World>>;

/// Makes three things one after the other; each looks before it creates.
struct Build(Shared);

#[async_trait]
impl Workflow for Build {
    fn kind(&self) -> &'static str {
        "build.v1"
    }
    fn time_limit(&self) -> SignedDuration {
        SignedDuration::from_mins(10)
    }
    fn on_failure(&self) -> OnFailure {
        OnFailure::Undo
    }
    async fn run(&self, run: &Run) -> Result<(), Stop> {
        for name in STEPS {
            let made: String = run
                .step(name, || async move {
                    let intruder = self.0.lock().unwrap().intruder.take();
                    if let Some((engine, clock)) = intruder {
                        clock.advance(SignedDuration::from_mins(2));
                        engine.run_due().await.unwrap();
                    }
                    Ok(make(&self.0, name))
                })
                .await?;
            assert_eq!(made, name);
        }
        Ok(())
    }
    async fn undo(&self, run: &Run) -> Result<(), Stop> {
        for name in STEPS.into_iter().rev() {
            run.undo(name, || async move {
                self.0.lock().unwrap().exists.remove(name);
                Ok(())
            })
            .await?;
        }
        run.step("tell", || async { Ok(()) }).await
    }
}

fn make(world: &Shared, name: &'static str) -> String {
    let mut world = world.lock().unwrap();
    if world.exists.insert(name, ()).is_none() {
        *world.made.entry(name).or_default() += 1;
    }
    name.to_owned()
}

struct House {
    test: TestDb,
    clock: Clock,
    world: Shared,
}

impl House {
    async fn new(engine: store::Engine) -> Self {
        let clock = Clock::at("2026-11-24T10:00:00Z".parse().unwrap());
        Self { test: fresh(engine, MIGRATIONS).await, clock, world: Shared::default() }
    }

    fn replica(&self, owner: &str, faults: Faults) -> Engine {
        let backoff = Backoff { first: SignedDuration::from_secs(1), most: SignedDuration::from_secs(8) };
        let settings = Settings { owner: owner.to_owned(), backoff, faults, ..Settings::default() };
        let kinds: [Arc<dyn Workflow>; 1] = [Arc::new(Build(Arc::clone(&self.world)))];
        Engine::new(self.test.db.clone(), self.clock.clone(), Entropy::seeded(7), settings, kinds)
    }

    async fn start(&self, id: &str) {
        let now = self.clock.now();
        let new = NewWorkflow {
            id: id.to_owned(),
            kind: "build.v1",
            subject: "x".to_owned(),
            input: "{}".to_owned(),
            now,
            deadline: now + SignedDuration::from_mins(10),
        };
        let mut tx = self.test.db.begin().await.unwrap();
        workflow::start(&mut tx, &new).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn record(&self, id: &str) -> workflow::WorkflowRecord {
        workflow::find(&self.test.db, id).await.unwrap().unwrap()
    }

    /// Lets time pass until the workflow is over.
    async fn settle(&self, engine: &Engine, id: &str) -> WorkflowState {
        for _ in 0..200 {
            engine.run_due().await.unwrap();
            let state = self.record(id).await.state;
            if state.is_over() {
                return state;
            }
            self.clock.advance(SignedDuration::from_secs(20));
        }
        panic!("workflow {id} did not end");
    }

    fn existing(&self) -> Vec<&'static str> {
        self.world.lock().unwrap().exists.keys().copied().collect()
    }

    fn nothing_was_made_twice(&self) -> bool {
        self.world.lock().unwrap().made.values().all(|made| *made == 1)
    }
}

fn once(point: Point, fault: Fault) -> Faults {
    let left = Mutex::new(Some(fault));
    Faults::by(move |here| if *here == point { left.lock().unwrap().take() } else { None })
}

fn always(point: Point, fault: Fault) -> Faults {
    Faults::by(move |here| (*here == point).then_some(fault))
}

fn points(prefix: &str) -> Vec<Point> {
    let sides = [Moment::Before, Moment::After];
    let point = |step: &str, moment| Point { kind: "build.v1".to_owned(), step: format!("{prefix}{step}"), moment };
    STEPS.into_iter().flat_map(|step| sides.map(|moment| point(step, moment))).collect()
}

async fn death_at_any_step_is_survived(engine: store::Engine) {
    for point in points("") {
        let house = House::new(engine).await;
        house.start("w").await;
        house.replica("first", once(point.clone(), Fault::Death)).run_due().await.unwrap();
        assert_eq!(house.record("w").await.state, WorkflowState::Running, "{point:?}");
        let second = house.replica("second", Faults::none());
        assert_eq!(house.settle(&second, "w").await, WorkflowState::Done, "{point:?}");
        assert_eq!(house.existing().len(), 3, "{point:?}");
        assert!(house.nothing_was_made_twice(), "{point:?}");
    }
}

#[tokio::test]
async fn death_at_any_step_is_survived_on_sqlite() {
    death_at_any_step_is_survived(store::Engine::Sqlite).await;
}

#[tokio::test]
async fn death_at_any_step_is_survived_on_postgres() {
    death_at_any_step_is_survived(store::Engine::Postgres).await;
}

#[tokio::test]
async fn a_passing_failure_at_any_step_is_tried_again() {
    for point in points("") {
        let house = House::new(store::Engine::Sqlite).await;
        house.start("w").await;
        let engine = house.replica("only", once(point.clone(), Fault::Temporary));
        assert_eq!(house.settle(&engine, "w").await, WorkflowState::Done, "{point:?}");
        assert_eq!(house.existing().len(), 3, "{point:?}");
    }
}

#[tokio::test]
async fn a_failure_for_good_at_any_step_leaves_nothing_even_if_the_way_back_is_interrupted() {
    for point in points("") {
        for death in std::iter::once(None).chain(points("undo ").into_iter().map(Some)) {
            let house = House::new(store::Engine::Sqlite).await;
            house.start("w").await;
            let (fails, dies) = (point.clone(), Mutex::new(death.clone()));
            let faults = Faults::by(move |here| {
                if *here == fails {
                    return Some(Fault::Permanent);
                }
                let mut dies = dies.lock().unwrap();
                (dies.as_ref() == Some(here)).then(|| {
                    *dies = None;
                    Fault::Death
                })
            });
            let engine = house.replica("only", faults);
            assert_eq!(house.settle(&engine, "w").await, WorkflowState::Failed, "{point:?}, died at {death:?}");
            assert_eq!(house.existing(), Vec::<&str>::new(), "{point:?}, died at {death:?}");
        }
    }
}

#[tokio::test]
async fn trying_too_long_counts_as_failed_and_is_undone() {
    let house = House::new(store::Engine::Sqlite).await;
    house.start("w").await;
    let engine = house.replica("only", always(points("").pop().unwrap(), Fault::Temporary));
    assert_eq!(house.settle(&engine, "w").await, WorkflowState::Failed);
    assert_eq!(house.existing(), Vec::<&str>::new());
    let error = house.record("w").await.error.unwrap();
    assert!(error.contains("longer than allowed") && error.contains("rehearsed"), "{error}");
}

#[tokio::test]
async fn an_abandoned_workflow_takes_back_what_it_did() {
    let house = House::new(store::Engine::Sqlite).await;
    house.start("w").await;
    let publish = Point { kind: "build.v1".into(), step: "publish".into(), moment: Moment::Before };
    let engine = house.replica("only", always(publish, Fault::Temporary));
    engine.run_due().await.unwrap();
    assert_eq!(house.existing().len(), 2);
    engine.abandon("w", "ada@example.com").await.unwrap();
    assert_eq!(house.settle(&engine, "w").await, WorkflowState::Failed);
    assert_eq!(house.existing(), Vec::<&str>::new());
    assert!(house.record("w").await.error.unwrap().contains("ada@example.com"));
    assert!(engine.abandon("w", "ada@example.com").await.is_err(), "what is over can't be abandoned");
    assert!(engine.retry("w").await.is_err(), "what is over can't be retried");
    assert!(engine.retry("nothing").await.is_err());
}

#[tokio::test]
async fn a_way_back_that_fails_for_good_waits_for_a_person_and_goes_on_when_told() {
    let house = House::new(store::Engine::Sqlite).await;
    house.start("w").await;
    let broken = Arc::new(Mutex::new(true));
    let seen = Arc::clone(&broken);
    let faults = Faults::by(move |here| {
        let fails = here.step == "publish" || (here.step == "undo deploy" && *seen.lock().unwrap());
        (fails && here.moment == Moment::Before).then_some(Fault::Permanent)
    });
    let engine = house.replica("only", faults);
    assert_eq!(house.settle(&engine, "w").await, WorkflowState::Stuck);
    *broken.lock().unwrap() = false;
    engine.retry("w").await.unwrap();
    assert_eq!(house.settle(&engine, "w").await, WorkflowState::Failed);
    assert_eq!(house.existing(), Vec::<&str>::new());
}

async fn a_replica_that_lost_its_lease_changes_nothing(engine: store::Engine) {
    let house = House::new(engine).await;
    house.start("w").await;
    // In the middle of its first step this replica freezes for longer than its lease, and another
    // one does the whole work meanwhile.
    house.world.lock().unwrap().intruder = Some((house.replica("thief", Faults::none()), house.clock.clone()));
    house.replica("frozen", Faults::none()).run_due().await.unwrap();
    let record = house.record("w").await;
    assert_eq!(record.state, WorkflowState::Done);
    let attempts: Vec<u32> = record.steps.iter().map(|step| step.attempts).collect();
    assert_eq!(attempts, [2, 1, 1], "the frozen replica went on after its lease was taken");
    assert!(house.nothing_was_made_twice());
}

#[tokio::test]
async fn a_replica_that_lost_its_lease_changes_nothing_on_sqlite() {
    a_replica_that_lost_its_lease_changes_nothing(store::Engine::Sqlite).await;
}

#[tokio::test]
async fn a_replica_that_lost_its_lease_changes_nothing_on_postgres() {
    a_replica_that_lost_its_lease_changes_nothing(store::Engine::Postgres).await;
}

async fn two_replicas_do_each_workflow_once(engine: store::Engine) {
    let house = House::new(engine).await;
    for number in 0..40 {
        house.start(&format!("w{number:02}")).await;
    }
    let (first, second) = (house.replica("a", Faults::none()), house.replica("b", Faults::none()));
    let (one, other) = tokio::join!(first.run_due(), second.run_due());
    one.unwrap();
    other.unwrap();
    let filter = workflow::Filter { limit: 100, ..Default::default() };
    let all = workflow::list(&house.test.db, &filter).await.unwrap();
    assert_eq!(all.len(), 40);
    for record in all {
        let record = house.record(&record.id).await;
        assert_eq!(record.state, WorkflowState::Done);
        assert!(record.steps.iter().all(|step| step.attempts == 1), "{}: a step ran twice", record.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_do_each_workflow_once_on_sqlite() {
    two_replicas_do_each_workflow_once(store::Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_do_each_workflow_once_on_postgres() {
    two_replicas_do_each_workflow_once(store::Engine::Postgres).await;
}

#[test]
fn a_crash_point_is_read_from_its_text() {
    let point = Point { kind: "provision.v1".into(), step: "create project".into(), moment: Moment::After };
    assert_eq!(Point::parse("provision.v1/create project/after"), Some(point));
    for bad in ["", "provision.v1", "provision.v1/x", "provision.v1/x/during"] {
        assert_eq!(Point::parse(bad), None, "{bad}");
    }
}

/// Waits in line, then for something that takes its time, then is done.
struct Patient(Mutex<u32>);

#[async_trait]
impl Workflow for Patient {
    fn kind(&self) -> &'static str {
        "build.v1"
    }
    fn time_limit(&self) -> SignedDuration {
        SignedDuration::from_mins(10)
    }
    fn on_failure(&self) -> OnFailure {
        OnFailure::Undo
    }
    async fn run(&self, run: &Run) -> Result<(), Stop> {
        run.step("make project", || async {
            workflow::note("provider create: 200 [req_1]".to_owned());
            let mut looks = self.0.lock().unwrap();
            *looks += 1;
            let until = "2026-11-24T12:00:00Z".parse().unwrap();
            match *looks {
                1 => Err(StepError::InLine { why: "one is before you".into(), until }),
                2 => Err(StepError::NotYet { why: "it is being built".into(), after: SignedDuration::from_secs(5) }),
                _ => Ok(()),
            }
        })
        .await
    }
    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

/// What it waits for happens just after it looked.
struct Overtaken {
    db: store::Db,
    clock: Clock,
    looks: Mutex<u32>,
}

#[async_trait]
impl Workflow for Overtaken {
    fn kind(&self) -> &'static str {
        "build.v1"
    }

    fn time_limit(&self) -> SignedDuration {
        SignedDuration::from_mins(10)
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Undo
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        run.step("wait", || async {
            let looks = {
                let mut looks = self.looks.lock().unwrap();
                *looks += 1;
                *looks
            };
            if looks > 1 {
                return Ok(());
            }
            let mut tx = self.db.begin().await?;
            workflow::nudge(&mut tx, "x", self.clock.now()).await?;
            tx.commit().await?;
            Err(StepError::NotYet { why: "nothing came yet".into(), after: SignedDuration::from_mins(5) })
        })
        .await
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

#[tokio::test]
async fn what_happens_just_after_a_look_is_looked_at_without_waiting() {
    for engine in [store::Engine::Sqlite, store::Engine::Postgres] {
        let house = House::new(engine).await;
        let (db, clock) = (house.test.db.clone(), house.clock.clone());
        let kinds: [Arc<dyn Workflow>; 1] =
            [Arc::new(Overtaken { db: db.clone(), clock: clock.clone(), looks: Mutex::default() })];
        let engine = Engine::new(db, clock, Entropy::seeded(7), Settings::default(), kinds);
        house.start("w").await;
        engine.run_due().await.unwrap();
        engine.run_due().await.unwrap();
        let done = workflow::find(&house.test.db, "w").await.unwrap().unwrap();
        assert_eq!(done.state, WorkflowState::Done, "{done:#?}");
    }
}

#[tokio::test]
async fn waiting_is_no_failure_and_time_in_line_does_not_count() {
    let house = House::new(store::Engine::Sqlite).await;
    let kinds: [Arc<dyn Workflow>; 1] = [Arc::new(Patient(Mutex::default()))];
    let settings = Settings::default();
    let engine = Engine::new(house.test.db.clone(), house.clock.clone(), Entropy::seeded(7), settings, kinds);
    house.start("w").await;
    let look = async || workflow::find(&house.test.db, "w").await.unwrap().unwrap();
    engine.run_due().await.unwrap();
    let waits = look().await;
    assert_eq!((waits.steps[0].state, waits.steps[0].attempts), (StepState::Waiting, 1));
    assert_eq!(waits.steps[0].error.as_deref(), Some("one is before you"));
    // Two hours in line, with a limit of ten minutes.
    assert_eq!(engine.next_due().await.unwrap(), Some("2026-11-24T12:00:00Z".parse().unwrap()));
    house.clock.advance(SignedDuration::from_hours(2));
    engine.run_due().await.unwrap();
    assert_eq!(look().await.steps[0].error.as_deref(), Some("it is being built"));
    // What somebody may be waiting for has happened: no need to wait for the next look.
    let mut tx = house.test.db.begin().await.unwrap();
    workflow::nudge(&mut tx, "x", house.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    engine.run_due().await.unwrap();
    let done = look().await;
    assert_eq!((done.state, done.steps[0].attempts), (WorkflowState::Done, 1));
    assert_eq!(done.steps[0].notes.as_deref(), Some("provider create: 200 [req_1]"));
}
