//! Sprints: chosen stories, worked on one after the other, each on a branch of its own: design, the
//! tester's tests, code, build, tests, repair, merge.
//!
//! What holds: a story is done only when its acceptance tests ran and passed; what the developer says
//! of it proves nothing. Everything stands in the journal before it has an effect, so a sprint goes on
//! after any end of the program where it was. When the model gives no answer the sprint waits, and
//! says so.

mod brief;
mod entry;
mod review;
mod said;
mod shelf;
mod state;
mod talk;
mod tools;
mod work;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use world::Clock;

use crate::bench::Bench;
use crate::history::Signature;
use crate::item::{Item, ItemStatus};
use crate::library::{Library, LibraryError};
use crate::model::{Model, Total};
use crate::name::{Name, Shelf as Documents};
use crate::project::{Problem, Project};
use crate::visitor::Visitor;
pub use entry::{Entry, Expected, Plan, Story, TaskResult};
pub use review::{Comment, Remark, Review, ReviewError, Said, Words, WordsError};
pub use said::Spoken;
pub use shelf::Shelf;
pub use state::{Phase, Point, Sprint, Standing};
use work::Work;

/// How often a story's code is written before it has failed, unless a person says otherwise.
pub const USUAL_ATTEMPTS: u32 = 3;

/// How long to wait for a model that gives no answer, each time; then a person is asked.
const PATIENCE: [Duration; 4] =
    [Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(120), Duration::from_secs(600)];

/// All sprints, and the one that is worked on; cheap to clone.
#[derive(Clone)]
pub struct Sprints(Arc<Inner>);

struct Inner {
    root: PathBuf,
    shelf: Shelf,
    bench: Bench,
    model: Model,
    clock: Clock,
    patience: Arc<[Duration]>,
    under_way: Mutex<Option<UnderWay>>,
}

struct UnderWay {
    sprint: u32,
    stop: CancellationToken,
    /// Cancelled once the work has come to its end.
    over: CancellationToken,
    task: JoinHandle<()>,
}

/// Why something did not go with a sprint.
#[derive(Debug, thiserror::Error)]
pub enum SprintError {
    /// There is none of that number.
    #[error("There is no such sprint.")]
    Missing,
    /// Another one is worked on.
    #[error("S-{0} is being worked on. Pause it or stop it first: only one sprint is worked on at a time.")]
    Busy(u32),
    /// It is over, or goes on already.
    #[error("The sprint cannot be started: it goes on already, or it is over.")]
    NotNow,
    /// Nothing was chosen.
    #[error("No story was chosen. Choose at least one backlog item of the vision that is not done.")]
    Empty,
    /// A chosen item cannot be worked on.
    #[error("“{0}” cannot be part of a sprint: {1}")]
    Unfit(String, &'static str),
    /// A document cannot be read.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The project cannot be used.
    #[error(transparent)]
    Project(#[from] Problem),
    /// The disk failed or is full.
    #[error("The sprint's folder cannot be used ({0}). Make room on the disk and try again.")]
    Disk(#[from] io::Error),
}

impl Sprints {
    /// The sprints in a data folder. Nothing is worked on until [`Sprints::take_up`].
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(root: &Path, bench: Bench, model: Model, clock: Clock) -> io::Result<Self> {
        Self::with_patience(root, bench, model, clock, PATIENCE.into())
    }

    fn with_patience(
        root: &Path,
        bench: Bench,
        model: Model,
        clock: Clock,
        patience: Arc<[Duration]>,
    ) -> io::Result<Self> {
        let shelf = Shelf::open(root)?;
        let (root, under_way) = (root.to_owned(), Mutex::new(None));
        Ok(Self(Arc::new(Inner { root, shelf, bench, model, clock, patience, under_way })))
    }

    /// What is on the disk.
    #[must_use]
    pub fn shelf(&self) -> &Shelf {
        &self.0.shelf
    }

    /// Goes on with the sprint that was worked on when the program ended, if there is one.
    ///
    /// # Errors
    /// [`SprintError`]
    pub async fn take_up(&self) -> Result<(), SprintError> {
        for number in self.0.shelf.numbers()? {
            if self.0.shelf.sprint(number)?.is_some_and(|sprint| sprint.phase == Phase::Running) {
                let (work, stop) = self.work(number).await?;
                self.begin(number, work, stop);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Chooses backlog items of a vision for a new sprint, in this order; gives its number.
    ///
    /// # Errors
    /// [`SprintError`]
    pub fn plan(&self, vision: &Name, items: &[Name], attempts: u32, by: &Signature) -> Result<u32, SprintError> {
        let library = Library::open(&self.0.root)?;
        let mut stories = items.iter().map(|name| story_of(&library, vision, name)).collect::<Result<Vec<_>, _>>()?;
        if stories.is_empty() {
            return Err(SprintError::Empty);
        }
        for story in &mut stories {
            story.done_in = self.done_in(vision, story)?;
        }
        let expected = self.expect(stories.len())?;
        let attempts = attempts.clamp(1, 10);
        let plan = Plan { vision: vision.as_str().to_owned(), stories, attempts, expected };
        let planned = |plan| Entry::Planned { at: by.at, by: by.by.to_string(), plan };
        Ok(self.0.shelf.add(&plan, planned)?)
    }

    /// The newest sprint of a vision in which a story was done, if it wants something else by now.
    fn done_in(&self, vision: &Name, story: &Story) -> io::Result<Option<u32>> {
        for number in self.0.shelf.numbers()? {
            let Some(sprint) = self.0.shelf.sprint(number)? else { continue };
            let known = sprint.story(story.number).filter(|_| sprint.plan.vision == vision.as_str());
            if let Some((before, Standing::Done { .. })) = known {
                let is_different = before.text != story.text || before.criteria != story.criteria;
                return Ok(is_different.then_some(number));
            }
        }
        Ok(None)
    }

    /// What so many stories can be expected to take; `None` when none was ever worked on.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn expect(&self, stories: usize) -> io::Result<Option<Expected>> {
        let (mut seen, mut seconds, mut millionths) = (0_u64, 0_u64, 0_u64);
        for number in self.0.shelf.numbers()? {
            let entries = self.0.shelf.entries(number)?;
            let Some(sprint) = Sprint::fold(number, &entries) else { continue };
            let (done, failed) = sprint.count();
            seen += (done + failed) as u64;
            seconds += worked_seconds(&entries);
            millionths += self.0.model.ledger().sprint(&sprint.id()).cost.as_millionths();
        }
        let each = |all: u64| all.checked_div(seen).map(|one| one.saturating_mul(stories as u64));
        let known_from = u32::try_from(seen).unwrap_or(u32::MAX);
        let expected = each(seconds).zip(each(millionths));
        Ok(expected.map(|(seconds, millionths)| Expected { known_from, seconds, millionths }))
    }

    /// What a sprint used of the model so far.
    #[must_use]
    pub fn used(&self, number: u32) -> Total {
        self.0.model.ledger().sprint(&format!("S-{number}"))
    }

    /// Starts a sprint, or lets it go on.
    ///
    /// # Errors
    /// [`SprintError`]
    pub async fn start(&self, number: u32, by: &Signature) -> Result<(), SprintError> {
        let sprint = self.0.shelf.sprint(number)?.ok_or(SprintError::Missing)?;
        if !sprint.can_start() {
            return Err(SprintError::NotNow);
        }
        if let Some(busy) = self.worked_on() {
            return Err(SprintError::Busy(busy));
        }
        // Before anything is written: what cannot be worked on is not started.
        let (work, stop) = self.work(number).await?;
        self.0.shelf.write(number, &Entry::Started { at: by.at, by: by.by.to_string() })?;
        self.begin(number, work, stop);
        Ok(())
    }

    /// Lets a sprint wait. What is under way is broken off and done again later, without paying twice
    /// for answers that were heard to the end.
    ///
    /// # Errors
    /// [`SprintError`]
    pub async fn pause(&self, number: u32, by: &Signature) -> Result<(), SprintError> {
        let entry = Entry::Paused { at: by.at, by: Some(by.by.to_string()), why: None };
        self.hold(number, &entry).await
    }

    /// Ends a sprint for good. What is done stays done.
    ///
    /// # Errors
    /// [`SprintError`]
    pub async fn stop(&self, number: u32, by: &Signature) -> Result<(), SprintError> {
        self.hold(number, &Entry::Stopped { at: by.at, by: by.by.to_string() }).await
    }

    /// The sprint that is worked on now.
    #[must_use]
    pub fn worked_on(&self) -> Option<u32> {
        let under_way = self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.as_ref().filter(|work| !work.task.is_finished()).map(|work| work.sprint)
    }

    /// Breaks off what is under way, since the program is to stop; its next life takes it up again.
    pub async fn close(&self) {
        if let Some(work) = self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            work.stop.cancel();
        }
        self.rest().await;
    }

    /// Waits until nothing is worked on any more.
    async fn rest(&self) {
        let over = {
            let under_way = self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner);
            under_way.as_ref().map(|work| work.over.clone())
        };
        if let Some(over) = over {
            over.cancelled().await;
        }
    }

    async fn hold(&self, number: u32, entry: &Entry) -> Result<(), SprintError> {
        let sprint = self.0.shelf.sprint(number)?.ok_or(SprintError::Missing)?;
        if matches!(sprint.phase, Phase::Stopped | Phase::Finished(_)) {
            return Err(SprintError::NotNow);
        }
        self.0.shelf.write(number, entry)?;
        let is_this = |work: &mut UnderWay| work.sprint == number;
        let under_way = self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner).take_if(is_this);
        if let Some(work) = under_way {
            work.stop.cancel();
            let _ = work.task.await;
        }
        Ok(())
    }

    fn begin(&self, number: u32, work: Work, stop: CancellationToken) {
        let over = CancellationToken::new();
        let at_the_end = over.clone().drop_guard();
        let task = tokio::spawn(async move {
            let _at_the_end = at_the_end;
            if let Err(error) = work.go_on(number).await {
                tracing::error!(%error, "S-{number} cannot go on: {error}");
            }
        });
        let mut under_way = self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        *under_way = Some(UnderWay { sprint: number, stop, over, task });
    }

    async fn work(&self, number: u32) -> Result<(Work, CancellationToken), SprintError> {
        let inner = &self.0;
        let sprint = inner.shelf.sprint(number)?.ok_or(SprintError::Missing)?;
        let vision = Name::parse(&sprint.plan.vision).map_err(|_| SprintError::Missing)?;
        let projects = inner.root.join("projects");
        let project = Project::open(&projects, &vision, &inner.bench, inner.clock.now()).await?;
        let (root, clock) = (inner.root.clone(), inner.clock.clone());
        let stop = CancellationToken::new();
        let work = Work {
            shelf: inner.shelf.clone(),
            project,
            bench: inner.bench.clone(),
            model: inner.model.clone(),
            clock: inner.clock.clone(),
            patience: Arc::clone(&inner.patience),
            told: Arc::new(move |story, is_done| tell_backlog(&root, &clock, story, is_done)),
            stop: stop.clone(),
        };
        Ok((work, stop))
    }
}

fn story_of(library: &Library, vision: &Name, name: &Name) -> Result<Story, SprintError> {
    let document = library.read(Documents::Backlog, name)?;
    let unfit = |why| Err(SprintError::Unfit(name.as_str().to_owned(), why));
    let item = Item::parse(name, document.exact_text().map_err(LibraryError::from)?).map_err(LibraryError::from)?;
    let Some(number) = name.item_number() else {
        return unfit("its file name does not begin with a number such as B-12");
    };
    if item.status == ItemStatus::Done {
        return unfit("it is done already");
    }
    if item.vision.as_ref() != Some(vision) {
        return unfit("it does not belong to the vision");
    }
    if item.criteria.is_empty() {
        return unfit("it has no acceptance criteria, so nobody could tell when it is done");
    }
    Ok(Story {
        number,
        name: name.as_str().to_owned(),
        title: item.title.as_str().to_owned(),
        text: item.story,
        criteria: item.criteria.into_iter().map(|criterion| criterion.text).collect(),
        done_in: None,
    })
}

/// Seconds between the beginning and the end of tasks.
fn worked_seconds(entries: &[Entry]) -> u64 {
    let mut began = None;
    let mut seconds = 0;
    for entry in entries {
        match entry {
            Entry::Began { at, .. } => began = Some(*at),
            Entry::Ended { at, .. } => {
                let since = began.take().map_or(0, |began| at.as_second() - began.as_second());
                seconds += u64::try_from(since).unwrap_or_default();
            }
            _ => {}
        }
    }
    seconds
}

/// The backlog follows what happens; where it cannot, the sprint's own record still says it.
fn tell_backlog(root: &Path, clock: &Clock, story: &Story, is_done: bool) {
    let told = || -> Result<(), LibraryError> {
        let Ok(name) = Name::parse(&story.name) else { return Ok(()) };
        let by = Signature { by: Visitor::Member("the team".to_owned()), at: clock.now() };
        Library::open(root)?.edit(Documents::Backlog, &name, None, &by, |document| {
            let text = document.exact_text()?;
            let mut item = Item::parse(&name, text)?;
            for criterion in &mut item.criteria {
                criterion.met |= is_done && story.criteria.contains(&criterion.text);
            }
            item.status = match (is_done, item.met() == item.criteria.len()) {
                (true, true) => ItemStatus::Done,
                // A change that was approved meanwhile was not part of what was tried.
                (true, false) => ItemStatus::Ready,
                (false, _) => ItemStatus::Doing,
            };
            Ok(item.write_over(text)?)
        })?;
        Ok(())
    };
    if let Err(error) = told() {
        tracing::warn!(%error, "{} does not show where it stands: {error}", story.name);
    }
}

#[cfg(test)]
mod tests;
