//! Durable workflows: steps that survive the death of the process, and undo what they began.
//!
//! A workflow is an ordinary async function that reads as the story of what is done. Each step's
//! intent is stored before its effect and its result after it, so a workflow that was interrupted
//! starts from the top and passes quickly over what is recorded. What that asks of a step: it may
//! run twice, it looks before it creates, and it shares only recorded results with later steps.
//!
//! - A temporary error is tried again with growing delays until the workflow's deadline.
//! - A permanent error, a passed deadline or a cancellation turns the workflow round: `undo` runs
//!   and takes back every step whose intent was stored, even if its effect never came.
//! - A replica holds a workflow by a lease with a number. Every write names that number, so a
//!   replica that froze and woke after its lease was taken changes nothing.
//! - Waiting costs nothing: due dates are rows. A step that waits for its turn, or for something that
//!   takes its time, has not failed and says so.

mod backoff;
mod definition;
mod engine;
mod fault;
mod lease;
mod note;
mod record;
mod run;
mod state;
mod store;

pub use backoff::Backoff;
pub use definition::{OnFailure, StepError, Stop, Workflow};
pub use engine::{Engine, EngineError, Settings};
pub use fault::{Fault, Faults, Moment, Point};
pub use note::note;
pub use record::{Direction, Filter, StepRecord, StepState, WorkflowRecord};
pub use run::{Run, both};
pub use state::WorkflowState;
pub use store::{
    MIGRATIONS, NewWorkflow, at_work_since, find, input, list, nudge, of_subject, request_cancel, start, under_way,
};
