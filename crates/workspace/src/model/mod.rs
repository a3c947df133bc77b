//! Models: asking any provider that speaks the OpenAI-compatible chat completions protocol.
//!
//! What holds: every call is written down before it is made and when it ended, and none is made that
//! a budget does not allow. A question is asked again by itself only while nothing of an answer was
//! heard and the fault is a passing one. An answer is whole, with calls that can be read, or it is an
//! error. The key goes to the provider in one header and nowhere else.

mod assembly;
mod call;
mod error;
mod ledger;
mod message;
mod price;
pub mod rehearsal;
mod role;
mod setup;
mod sse;
mod step;
mod wire;

use std::future::Future;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use world::Clock;

use assembly::Assembly;
use call::{Call, Fault};
pub use error::ModelError;
use ledger::Intended;
pub use ledger::{Ledger, Total};
pub use message::{Answer, Ask, Finish, Message, Purpose, Tool, ToolCall};
pub use price::{Cost, Counted, Price, Tokens, estimate};
pub use role::Role;
pub use setup::{BaseUrl, BaseUrlError, Budgets, Limits, Setup};
pub use step::{Step, StepKind};
use wire::Dialect;

/// A way to models; cheap to clone.
#[derive(Clone)]
pub struct Model(Arc<Inner>);

struct Inner {
    setup: RwLock<Option<Arc<Setup>>>,
    ledger: Ledger,
    clock: Clock,
    http: OnceLock<reqwest::Client>,
    direct: OnceLock<reqwest::Client>,
    dialect: Mutex<Dialect>,
}

impl Model {
    /// A way to models that cannot be asked until [`Model::configure`] says where they are. The
    /// account of use is kept in the data folder `root`.
    ///
    /// # Errors
    /// When the account cannot be read.
    pub fn open(root: &Path, clock: Clock) -> io::Result<Self> {
        Ok(Self(Arc::new(Inner {
            setup: RwLock::new(None),
            ledger: Ledger::open(root)?,
            clock,
            http: OnceLock::new(),
            direct: OnceLock::new(),
            dialect: Mutex::default(),
        })))
    }

    /// Asks there from now on; calls under way go on as they began.
    pub fn configure(&self, setup: Option<Setup>) {
        *self.0.setup.write().unwrap_or_else(PoisonError::into_inner) = setup.map(Arc::new);
        *self.0.dialect.lock().unwrap_or_else(PoisonError::into_inner) = Dialect::default();
    }

    /// Where models are asked now.
    #[must_use]
    pub fn setup(&self) -> Option<Arc<Setup>> {
        self.0.setup.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The account of use.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    /// Asks, and gives each piece of the answer's text to `heard` as it arrives, until the answer is
    /// whole or `stop` is cancelled.
    ///
    /// # Errors
    /// [`ModelError`]; what was heard until then is no answer, but may be shown as what it is.
    pub async fn ask(
        &self,
        ask: Ask,
        mut heard: impl FnMut(&str) + Send,
        stop: &CancellationToken,
    ) -> Result<Answer, ModelError> {
        let setup = self.setup().ok_or_else(|| ModelError::NotConfigured("No model is set up yet.".to_owned()))?;
        let model = setup.model_of(ask.role).to_owned();
        let price = price_of(&setup, &model)?;
        let input = estimate_input(&ask);
        let allowed = self
            .account({
                let (budgets, longest, model) = (setup.budgets, setup.limits.tokens, model.clone());
                let (role, purpose) = (ask.role, ask.purpose.clone());
                move |ledger, now| {
                    ledger.begin(
                        now,
                        budgets,
                        &Intended { role, model: &model, purpose: &purpose, price, input, longest },
                    )
                }
            })
            .await?;
        let mut assembly = Assembly::default();
        let call = Call { setup: &setup, ask: &ask, model: &model, longest: allowed.longest };
        let outcome = tokio::select! {
            biased;
            () = stop.cancelled() => Err(Fault::of(ModelError::Stopped)),
            outcome = tokio::time::timeout(setup.limits.total, self.converse(&call, &mut assembly, &mut heard)) => {
                outcome.unwrap_or_else(|_| Err(Fault::of(call::took_too_long(setup.limits.total))))
            }
        };
        let tokens = match &outcome {
            Err(fault) if fault.is_before_any_work() => Tokens::default(),
            _ => assembly.tokens(input),
        };
        let answer = outcome.map_err(|fault| fault.error).and_then(|()| assembly.finish(&ask.tools, input, price));
        let ended = answer.as_ref().map_or_else(ToString::to_string, |_| "answered".to_owned());
        self.account(move |ledger, now| ledger.end(now, allowed.call, tokens, price.of(tokens), &ended)).await?;
        answer
    }

    async fn converse(
        &self,
        call: &Call<'_>,
        assembly: &mut Assembly,
        heard: &mut (impl FnMut(&str) + Send),
    ) -> Result<(), Fault> {
        let limits = &call.setup.limits;
        let http = self.http(call.setup)?;
        let mut dialect = *self.0.dialect.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pause = limits.pause;
        let mut tries = 1;
        loop {
            let Err(fault) = call.make(&http, dialect, assembly, heard).await else { return Ok(()) };
            if assembly.has_begun() {
                return Err(fault);
            }
            if let Some(other) = fault.refused_field().and_then(|said| dialect.after_refusal(said)) {
                dialect = other;
                *self.0.dialect.lock().unwrap_or_else(PoisonError::into_inner) = dialect;
                continue;
            }
            let wait = fault.worth_waiting(pause);
            match wait {
                Some(wait) if tries < limits.tries => tokio::time::sleep(wait).await,
                _ => return Err(fault),
            }
            tries += 1;
            pause = pause.saturating_mul(2);
        }
    }

    /// The machine's certificates are read when they are first needed. This machine itself is asked
    /// without any proxy.
    fn http(&self, setup: &Setup) -> Result<reqwest::Client, Fault> {
        let cell = if setup.base.is_loopback() { &self.0.direct } else { &self.0.http };
        if let Some(http) = cell.get() {
            return Ok(http.clone());
        }
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(setup.limits.connect)
            .pool_idle_timeout(Duration::from_secs(30))
            .user_agent(concat!("ai-diy/", env!("CARGO_PKG_VERSION")));
        let builder = if setup.base.is_loopback() { builder.no_proxy() } else { builder };
        let http = builder.build().map_err(|error| Fault::of(call::unreachable(setup, &error)))?;
        Ok(cell.get_or_init(|| http).clone())
    }

    /// Writes in the account where waiting for the disk holds up nobody else.
    fn account<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Ledger, jiff::Timestamp) -> Result<T, ModelError> + Send + 'static,
    ) -> impl Future<Output = Result<T, ModelError>> + Send + 'static {
        let (ledger, now) = (self.0.ledger.clone(), self.0.clock.now());
        async move {
            let written = tokio::task::spawn_blocking(move || write(&ledger, now)).await;
            written.unwrap_or_else(|error| Err(ModelError::Unaccountable(error.to_string())))
        }
    }
}

/// A budget that nothing can be held against would be no budget.
fn price_of(setup: &Setup, model: &str) -> Result<Price, ModelError> {
    match setup.prices.get(model) {
        Some(price) => Ok(*price),
        None if setup.budgets.is_empty() => Ok(Price::default()),
        None => Err(ModelError::NotConfigured(format!(
            "There is a budget, but no price for the model “{model}”, so the budget could not be kept."
        ))),
    }
}

fn estimate_input(ask: &Ask) -> u64 {
    let messages: usize = ask.messages.iter().map(Message::bytes).sum();
    let tools: usize =
        ask.tools.iter().map(|tool| tool.name.len() + tool.description.len() + tool.parameters.to_string().len()).sum();
    estimate(messages + tools)
}

#[cfg(test)]
pub mod faulty;
#[cfg(test)]
mod tests;
