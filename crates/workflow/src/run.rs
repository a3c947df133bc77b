use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use jiff::SignedDuration;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::definition::{StepError, Stop};
use crate::engine::Context;
use crate::fault::{Fault, Moment};
use crate::lease::Claimed;
use crate::note::{self, Notes};
use crate::record::{Direction, StepRecord, StepState};
use crate::store::{self, StepEnd};

/// How soon a step under way notices that its workflow was cancelled.
const LOOK_FOR_CANCELLATION: std::time::Duration = std::time::Duration::from_millis(500);

/// A step's effect, its type forgotten and its result as it is stored.
type Effect<'a> = Pin<Box<dyn Future<Output = Result<String, StepError>> + Send + 'a>>;

/// Goes on with two branches of a story side by side. One that stops does not interrupt the other
/// within a step: what that asks of somebody else would be asked with the answer lost. Both over,
/// a failure counts first, then the earliest moment at which one goes on.
///
/// # Errors
/// [`Stop`], to be passed on with `?`.
pub async fn both(
    one: impl Future<Output = Result<(), Stop>>,
    other: impl Future<Output = Result<(), Stop>>,
) -> Result<(), Stop> {
    match tokio::join!(one, other) {
        (Ok(()), Ok(())) => Ok(()),
        (Err(Stop::Until(one)), Err(Stop::Until(other))) => Err(Stop::Until(one.min(other))),
        (Err(Stop::Until(_)), Err(stop)) | (Err(stop), _) | (Ok(()), Err(stop)) => Err(stop),
    }
}

/// One passage through a workflow's story: knows what is recorded, and records what happens.
pub struct Run {
    context: Arc<Context>,
    claimed: Claimed,
    direction: Direction,
    recorded: HashMap<(Direction, String), StepRecord>,
}

impl Run {
    pub(crate) async fn load(context: Arc<Context>, claimed: Claimed) -> Result<Self, sqlx::Error> {
        let steps = store::steps(&context.db, &claimed.lease.id).await?;
        let recorded = steps.into_iter().map(|step| ((step.direction, step.name.clone()), step)).collect();
        let direction = if claimed.undoing { Direction::Undo } else { Direction::Do };
        Ok(Self { context, claimed, direction, recorded })
    }

    /// The workflow's id.
    pub fn id(&self) -> &str {
        &self.claimed.lease.id
    }

    /// What the workflow works on.
    pub fn subject(&self) -> &str {
        &self.claimed.subject
    }

    /// What the workflow was started with.
    ///
    /// # Errors
    /// [`Stop::Failed`] when the stored input is of another form.
    pub fn input<T: DeserializeOwned>(&self) -> Result<T, Stop> {
        serde_json::from_str(&self.claimed.input)
            .map_err(|error| Stop::Failed(format!("the input of this workflow can't be read: {error}")))
    }

    /// Why it was turned round, for the way back to tell customer and operator.
    ///
    /// # Errors
    /// [`Stop::Store`] when the store can't be read.
    pub async fn failure(&self) -> Result<String, Stop> {
        let record = store::find(&self.context.db, &self.claimed.lease.id).await?;
        Ok(record.and_then(|record| record.error).unwrap_or_else(|| "no reason was recorded".to_owned()))
    }

    /// Does a step unless its result is recorded, and records the result. What it gives is read from the record
    /// either way, so a first passage and a later one can't differ.
    ///
    /// # Errors
    /// [`Stop`], to be passed on with `?`.
    pub async fn step<T, F, Fut>(&self, name: &'static str, effect: F) -> Result<T, Stop>
    where
        T: Serialize + DeserializeOwned,
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Result<T, StepError>> + Send,
    {
        let output = self.once(name, Box::pin(async move { stored(name, &effect().await?) })).await?;
        read(name, &output)
    }

    async fn once(&self, name: &'static str, effect: Effect<'_>) -> Result<String, Stop> {
        if let Some(done) = self.output(self.direction, name) {
            return Ok(done.to_owned());
        }
        if self.direction == Direction::Do {
            self.refuse_if_over().await?;
        }
        self.attempt(name, effect).await
    }

    /// Takes a step back, if its intent was ever stored: even one that failed or whose result
    /// never came may have had its effect.
    ///
    /// # Errors
    /// [`Stop`], to be passed on with `?`.
    pub async fn undo<T, F, Fut>(&self, name: &'static str, effect: F) -> Result<Option<T>, Stop>
    where
        T: Serialize + DeserializeOwned,
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Result<T, StepError>> + Send,
    {
        if !self.has_begun(name) {
            return Ok(None);
        }
        self.step(name, effect).await.map(Some)
    }

    /// Whether the intent of a step was ever stored: it may have had its effect.
    pub fn has_begun(&self, name: &str) -> bool {
        self.recorded.contains_key(&(Direction::Do, name.to_owned()))
    }

    /// What a step of the story gave, for the way back.
    ///
    /// # Errors
    /// [`Stop::Failed`] when what is stored is of another form.
    pub fn recorded<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Stop> {
        self.output(Direction::Do, name).map(|output| read(name, output)).transpose()
    }

    fn output(&self, direction: Direction, name: &str) -> Option<&str> {
        let step = self.recorded.get(&(direction, name.to_owned()))?;
        if step.state == StepState::Done { step.output.as_deref() } else { None }
    }

    async fn refuse_if_over(&self) -> Result<(), Stop> {
        if let Some(reason) = store::cancel_reason(&self.context.db, &self.claimed.lease.id).await? {
            return Err(Stop::Failed(reason));
        }
        if self.context.clock.now() >= self.claimed.deadline {
            let last = self.recorded.values().find_map(|step| step.error.clone());
            let detail = last.map(|error| format!("; last error: {error}")).unwrap_or_default();
            return Err(Stop::Failed(format!("it took longer than allowed{detail}")));
        }
        Ok(())
    }

    async fn attempt(&self, name: &'static str, effect: Effect<'_>) -> Result<String, Stop> {
        let context = &self.context;
        let begun = store::begin_step(&context.db, &self.claimed.lease, self.direction, name, context.clock.now());
        let attempts = begun.await?.ok_or(Stop::Released)?;
        context.changed();
        let notes = Notes::default();
        let result = match self.injected(name, Moment::Before)? {
            Some(error) => Err(error),
            None => match note::taken_of(self.unless_cancelled(effect), &notes).await {
                Ok(output) => self.injected(name, Moment::After)?.map_or(Ok(output), Err),
                Err(error) => Err(error),
            },
        };
        match result {
            Ok(output) => self.succeed(name, output, notes.text()).await,
            Err(error) => Err(self.fail(name, attempts, error, notes.text()).await?),
        }
    }

    /// Lets a cancellation end a step that takes long. What the effect has done by then is taken back
    /// like that of any step whose intent is stored.
    async fn unless_cancelled(&self, effect: Effect<'_>) -> Result<String, StepError> {
        if self.direction == Direction::Undo {
            return effect.await;
        }
        let cancelled = async {
            loop {
                tokio::time::sleep(LOOK_FOR_CANCELLATION).await;
                // While the store is away the effect goes on; its result could not be stored either.
                if let Ok(Some(reason)) = store::cancel_reason(&self.context.db, &self.claimed.lease.id).await {
                    return reason;
                }
            }
        };
        tokio::select! {
            biased;
            result = effect => result,
            reason = cancelled => Err(StepError::permanent(anyhow::anyhow!(reason))),
        }
    }

    async fn succeed(&self, name: &str, output: String, notes: Option<String>) -> Result<String, Stop> {
        let notes = notes.as_deref();
        self.end(&StepEnd { state: StepState::Done, output: Some(&output), notes, ..self.ended(name) }).await?;
        Ok(output)
    }

    async fn fail(&self, name: &str, attempts: u32, error: StepError, notes: Option<String>) -> Result<Stop, Stop> {
        let text = error.to_string();
        let waits = matches!(error, StepError::NotYet { .. } | StepError::InLine { .. });
        let state = if waits { StepState::Waiting } else { StepState::Failed };
        self.end(&StepEnd { state, error: Some(&text), notes: notes.as_deref(), ..self.ended(name) }).await?;
        let now = self.context.clock.now();
        if !waits {
            tracing::warn!(workflow.id = %self.claimed.lease.id, step = name, attempts, "Step {name:?} failed: {text}");
        }
        Ok(match error {
            StepError::Permanent(_) => Stop::Failed(format!("{name}: {text}")),
            StepError::Temporary(_) => {
                let chance = self.context.entropy.bytes::<1>()[0];
                Stop::Until(now + self.context.settings.backoff.after(attempts, chance))
            }
            StepError::NotYet { after, .. } => Stop::Until(now + after),
            StepError::InLine { until, .. } => {
                let time = until.duration_since(now).max(SignedDuration::ZERO);
                store::prolong(&self.context.db, &self.claimed.lease, time).await?;
                Stop::Until(until)
            }
        })
    }

    fn ended<'a>(&self, name: &'a str) -> StepEnd<'a> {
        StepEnd { direction: self.direction, name, state: StepState::Failed, output: None, error: None, notes: None }
    }

    async fn end(&self, end: &StepEnd<'_>) -> Result<(), Stop> {
        let kept = store::end_step(&self.context.db, &self.claimed.lease, end, self.context.clock.now()).await?;
        self.context.changed();
        if kept { Ok(()) } else { Err(Stop::Released) }
    }

    fn injected(&self, name: &str, moment: Moment) -> Result<Option<StepError>, Stop> {
        let step = match self.direction {
            Direction::Do => name.to_owned(),
            Direction::Undo => format!("undo {name}"),
        };
        let rehearsed = || anyhow::anyhow!("a rehearsed failure");
        match self.context.settings.faults.at(&self.claimed.kind, &step, moment) {
            None => Ok(None),
            Some(Fault::Temporary) => Ok(Some(StepError::temporary(rehearsed()))),
            Some(Fault::Permanent) => Ok(Some(StepError::permanent(rehearsed()))),
            Some(Fault::Death) => Err(Stop::Released),
        }
    }
}

fn stored<T: Serialize>(name: &str, result: &T) -> Result<String, StepError> {
    serde_json::to_string(result)
        .map_err(|error| StepError::permanent(anyhow::anyhow!("the result of {name:?} can't be stored: {error}")))
}

fn read<T: DeserializeOwned>(name: &str, output: &str) -> Result<T, Stop> {
    serde_json::from_str(output)
        .map_err(|error| Stop::Failed(format!("the recorded result of {name:?} can't be read: {error}")))
}
