//! Working on a sprint: does what comes next, writes down that it begins and what came of it, until
//! nothing is left, a person wants it to wait, or it cannot go on by itself.
//!
//! Dying anywhere in here loses nothing: the next life reads the journal and does the task that had
//! begun again, and every task may be done twice.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use world::Clock;

use super::brief;
use super::entry::{Acceptance, Entry, Story, TaskResult};
use super::shelf::Shelf;
use super::state::{Ground, Next, Phase, Point, Sprint};
use super::talk::{Fruitless, Topic};
use crate::bench::{Bench, BenchError, Ended, Job, Limits, Outcome, Purpose, Reach};
use crate::model::{Answer, Ask, Model, ModelError};
use crate::project::{Branch, FilePath, Merged, Problem, Project, Stack, Tag, Tests};

/// The most that is kept of what went wrong, in bytes.
const TAIL: usize = 6 * 1024;
/// What installing and building may take.
const PREPARATION: Duration = Duration::from_secs(600);
/// Where acceptance tests are.
const ACCEPTANCE: &str = "acceptance/";
/// What all tests together may take.
const TESTING: Duration = Duration::from_secs(300);

/// Hears which story begins (`false`) or is done (`true`).
pub(super) type Told = dyn Fn(&Story, bool) + Send + Sync;

/// Everything that working on a sprint needs.
pub(super) struct Work {
    pub(super) shelf: Shelf,
    pub(super) project: Project,
    pub(super) bench: Bench,
    pub(super) model: Model,
    pub(super) clock: Clock,
    /// How long to wait before the model is asked again, each time it gives no answer.
    pub(super) patience: Arc<[Duration]>,
    /// Shows it in the backlog.
    pub(super) told: Arc<Told>,
    pub(super) stop: CancellationToken,
}

/// Why work does not go on by itself. None of these is a story's fault.
pub(super) enum Halt {
    /// A person wants it so; that stands in the journal.
    Asked,
    /// It needs a person; what is the matter, and what to do about it.
    Stuck(String),
}

impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Self {
        Self::Stuck(format!("The disk refused ({error}). Make room on it and let the sprint go on."))
    }
}

impl From<BenchError> for Halt {
    fn from(error: BenchError) -> Self {
        Self::Stuck(error.to_string())
    }
}

impl From<Problem> for Halt {
    fn from(problem: Problem) -> Self {
        Self::Stuck(problem.to_string())
    }
}

impl Work {
    /// Works until nothing is left to do here.
    ///
    /// # Errors
    /// When not even that can be written down.
    pub(super) async fn go_on(&self, number: u32) -> io::Result<Phase> {
        loop {
            let Some(sprint) = self.shelf.sprint(number)? else { return Ok(Phase::Stopped) };
            if self.stop.is_cancelled() {
                return Ok(sprint.phase);
            }
            let step = match sprint.next() {
                Next::Nothing => return Ok(sprint.phase),
                Next::Finish => self.finish(&sprint).await,
                Next::Work(story, point) => self.take_on(&sprint, story, point).await,
            };
            match step {
                Ok(()) => {}
                Err(Halt::Asked) => {
                    return Ok(self.shelf.sprint(number)?.map_or(Phase::Stopped, |sprint| sprint.phase));
                }
                Err(Halt::Stuck(why)) => {
                    self.shelf.write(number, &Entry::Paused { at: self.now(), by: None, why: Some(why) })?;
                }
            }
        }
    }

    async fn take_on(&self, sprint: &Sprint, story: &Story, point: &Point) -> Result<(), Halt> {
        (self.told)(story, false);
        let began = Entry::Began { at: self.now(), story: story.number, task: point.task() };
        self.shelf.write(sprint.number, &began)?;
        let result = match point {
            Point::Design => self.design(sprint, story).await?,
            Point::WriteTests { design } => self.write_tests(sprint, story, design).await?,
            Point::WriteCode { ground, attempt, fell } => {
                let files = self.begin_on(sprint, story).await?;
                let brief = brief::code(story, ground, *attempt, fell.as_ref(), &files);
                self.write_code(sprint, story, point, ground, brief).await?
            }
            Point::Try { ground, .. } => self.try_out(sprint, story, ground).await?,
            Point::Merge { .. } => self.merge(sprint, story).await?,
        };
        // Before it is written down: after a death in between it is merged and told again, which changes nothing.
        if matches!(result, TaskResult::Merged { .. }) {
            (self.told)(story, true);
        }
        self.shelf.write(sprint.number, &Entry::Ended { at: self.now(), story: story.number, result })?;
        Ok(())
    }

    async fn design(&self, sprint: &Sprint, story: &Story) -> Result<TaskResult, Halt> {
        let files = self.begin_on(sprint, story).await?;
        let brief = brief::design(story, &files);
        let purpose = self.purpose(sprint.number, story.number);
        let ask = Ask { role: brief.role, messages: brief.messages, tools: Vec::new(), purpose };
        Ok(TaskResult::Designed { text: self.ask_model(sprint.number, ask).await?.text })
    }

    async fn write_tests(&self, sprint: &Sprint, story: &Story, design: &str) -> Result<TaskResult, Halt> {
        let files = self.begin_on(sprint, story).await?;
        let brief = brief::tests(story, design, &Stack::at(&self.project.work())?, &files);
        let branch = branch(sprint, story);
        let task = super::state::Task::WriteTests;
        let topic = Topic { sprint: sprint.number, story: story.number, task, branch: &branch, untouchable: &[] };
        let talked = match self.talk(&topic, brief).await? {
            Ok(talked) => talked,
            Err(Fruitless(why)) => return Ok(TaskResult::GaveUp { why }),
        };
        if !talked.written.iter().any(is_test) {
            let why = "the tester wrote no acceptance tests, so nothing could show that it is done".to_owned();
            return Ok(TaskResult::GaveUp { why });
        }
        let message = format!("B-{}: acceptance tests\n\n{}", story.number, talked.summary);
        let commit = self.project.keep(&branch, &message, self.now()).await?;
        let all = self.project.files(&commit).await?;
        let former =
            all.iter().filter(|file| file.starts_with(ACCEPTANCE)).filter_map(|file| FilePath::parse(file).ok());
        let former = former.filter(|file| !talked.written.contains(file)).collect();
        Ok(TaskResult::TestsWritten(Acceptance { files: talked.written, former, commit }))
    }

    async fn write_code(
        &self,
        sprint: &Sprint,
        story: &Story,
        point: &Point,
        ground: &Ground,
        brief: brief::Brief,
    ) -> Result<TaskResult, Halt> {
        let branch = branch(sprint, story);
        let untouchable = ground.acceptance.protected();
        let topic = Topic {
            sprint: sprint.number,
            story: story.number,
            task: point.task(),
            branch: &branch,
            untouchable: &untouchable,
        };
        let talked = match self.talk(&topic, brief).await? {
            Ok(talked) => talked,
            Err(Fruitless(why)) => return Ok(TaskResult::GaveUp { why }),
        };
        let message = format!("B-{}: {}\n\n{}", story.number, story.title, talked.summary);
        self.project.keep(&branch, &message, self.now()).await?;
        Ok(TaskResult::CodeWritten { summary: talked.summary })
    }

    async fn try_out(&self, sprint: &Sprint, story: &Story, ground: &Ground) -> Result<TaskResult, Halt> {
        self.begin_on(sprint, story).await?;
        let put_back = self.project.put_back(&ground.acceptance.commit, &ground.acceptance.protected()).await?;
        if !put_back.is_empty() {
            let message = format!("B-{}: the acceptance tests as the tester wrote them", story.number);
            self.project.keep(&branch(sprint, story), &message, self.now()).await?;
        }
        let stack = Stack::at(&self.project.work())?;
        let acceptance: Vec<FilePath> = ground.acceptance.files.iter().filter(|file| is_test(file)).cloned().collect();
        let job = self.job(sprint.number, story.number);
        let mut trial = Trial { put_back, commands: Vec::new() };
        let preparations = [
            ("it could not be installed", Reach::Registries, stack.install()),
            ("it could not be built", Reach::Nowhere, stack.build()),
        ];
        for (what, reach, command) in preparations {
            let Some(command) = command else { continue };
            let limits = Limits { time: Some(PREPARATION), ..Limits::default() };
            let outcome = self.run(&Job { command, limits, reach, ..job.clone() }).await?;
            trial.commands.extend(outcome.number);
            if !outcome.ended.is_success() {
                return Ok(trial.fell(format!("{what}: the command {}", outcome.ended), &outcome));
            }
        }
        let mut ran = 0;
        for (whose, files) in [("an acceptance test", &acceptance[..]), ("a test", &[])] {
            let limits = Limits { time: Some(TESTING), ..Limits::default() };
            let outcome = self.run(&Job { command: stack.test(files), limits, ..job.clone() }).await?;
            trial.commands.extend(outcome.number);
            let tests = Tests::count(&outcome.output.text());
            if let Some(why) = what_is_wrong(whose, &outcome.ended, tests) {
                return Ok(trial.fell(why, &outcome));
            }
            if !files.is_empty() && tests.hollow > 0 {
                return Ok(
                    trial.fell("a file of acceptance tests ended before any test in it ran".to_owned(), &outcome)
                );
            }
            ran = if files.is_empty() { ran } else { tests.passed };
        }
        Ok(TaskResult::Passed { tests: ran, put_back: trial.put_back, commands: trial.commands })
    }

    async fn merge(&self, sprint: &Sprint, story: &Story) -> Result<TaskResult, Halt> {
        let message = format!("B-{}: {}", story.number, story.title);
        Ok(match self.project.merge(&branch(sprint, story), &message, self.now()).await? {
            Merged::Done(commit) => TaskResult::Merged { commit },
            Merged::Conflict(files) => TaskResult::GaveUp {
                why: format!("the project changed meanwhile in the same places: {}", files.join(", ")),
            },
        })
    }

    async fn finish(&self, sprint: &Sprint) -> Result<(), Halt> {
        let commit = self.project.main().await?;
        self.project.tag(&Tag::of_sprint(sprint.number), &commit).await?;
        self.shelf.write(sprint.number, &Entry::Finished { at: self.now(), commit })?;
        Ok(())
    }

    /// Puts the story's branch into the work folder; gives its files.
    async fn begin_on(&self, sprint: &Sprint, story: &Story) -> Result<Vec<String>, Halt> {
        let head = self.project.work_on(&branch(sprint, story)).await?;
        Ok(self.project.files(&head).await?)
    }

    /// Asks the model, and again after a while when it gives no answer for a passing reason.
    pub(super) async fn ask_model(&self, sprint: u32, ask: Ask) -> Result<Answer, Halt> {
        let mut waits = self.patience.iter();
        loop {
            let error = match self.model.ask(ask.clone(), |_| (), &self.stop).await {
                Ok(answer) => return Ok(answer),
                Err(ModelError::Stopped) => return Err(Halt::Asked),
                Err(error) => error,
            };
            let Some(wait) = waits.next().filter(|_| error.is_passing()) else {
                return Err(Halt::Stuck(error.to_string()));
            };
            let (why, seconds) = (error.to_string(), wait.as_secs());
            self.shelf.write(sprint, &Entry::Waiting { at: self.now(), why, seconds })?;
            tokio::select! {
                () = self.stop.cancelled() => return Err(Halt::Asked),
                () = tokio::time::sleep(*wait) => {}
            }
        }
    }

    /// A command in the work folder, for a story.
    pub(super) fn job(&self, sprint: u32, story: u64) -> Job {
        let folder = self.project.work();
        let mut env = self.project.variables(&folder);
        env.push(("PORT", "0".to_owned()));
        Job {
            command: Vec::new(),
            folder,
            changes_folder: true,
            writable: vec![self.project.cache()],
            readable: Vec::new(),
            env,
            reach: Reach::Itself,
            limits: Limits::default(),
            purpose: Some(Purpose {
                project: self.project.name().as_str().to_owned(),
                story: Some((format!("S-{sprint}"), format!("B-{story}"))),
            }),
        }
    }

    pub(super) async fn run(&self, job: &Job) -> Result<Outcome, Halt> {
        let outcome = self.bench.run(job, |_| (), &self.stop).await?;
        match outcome.ended {
            Ended::Stopped => Err(Halt::Asked),
            _ => Ok(outcome),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

struct Trial {
    put_back: Vec<FilePath>,
    commands: Vec<u64>,
}

impl Trial {
    fn fell(self, why: String, outcome: &Outcome) -> TaskResult {
        TaskResult::Fell { why, tail: outcome.output.tail(TAIL), put_back: self.put_back, commands: self.commands }
    }
}

fn what_is_wrong(whose: &str, ended: &Ended, tests: Tests) -> Option<String> {
    if tests.failed > 0 {
        return Some(format!("{whose} failed ({} failed, {} passed)", tests.failed, tests.passed));
    }
    if !ended.is_success() {
        return Some(format!("running {whose} {ended}"));
    }
    (tests.passed == 0).then(|| "no test ran at all".to_owned())
}

fn branch(sprint: &Sprint, story: &Story) -> Branch {
    Branch::of_story(sprint.number, story.number)
}

/// Whether a file holds tests, by its name; the tester's others are there to help them.
fn is_test(file: &FilePath) -> bool {
    let name = file.file();
    name.contains(".test.") || name.contains(".spec.") || name.starts_with("test_") || name.contains("_test.")
}
