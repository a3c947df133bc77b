use jiff::SignedDuration;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use world::{Clock, Entropy};

use super::RailwaySettings;
use super::operations::Operation;
use super::refusal::{Judgement, judge};
use crate::ProviderError;
use crate::budget::{Budget, Rate, Turn};
use crate::http::{Api, Call, Repeat, Settings};
use crate::inventory::Line;

/// How long Railway wants to be left alone after "too quickly", and a little more.
const THROTTLED: SignedDuration = SignedDuration::from_secs(31);
/// The line of those who want a project.
pub(super) const PROJECTS: &str = "projects";
/// Railway makes one project in so long.
const BETWEEN_PROJECTS: SignedDuration = SignedDuration::from_secs(30);

/// Railway's API, asked in typed operations.
pub(super) struct Graph {
    api: Api,
    clock: Clock,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    data: Value,
    #[serde(default)]
    errors: Vec<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    #[serde(default)]
    message: String,
    #[serde(default)]
    extensions: Extensions,
}

#[derive(Default, Deserialize)]
struct Extensions {
    #[serde(default)]
    code: String,
}

impl Graph {
    pub(super) fn new(
        settings: &RailwaySettings,
        budget: Budget,
        clock: Clock,
        entropy: Entropy,
    ) -> Result<Self, ProviderError> {
        let bearer = HeaderValue::from_str(&format!("Bearer {}", settings.token.expose_secret()));
        let mut bearer = bearer.map_err(|_| {
            let why = "it holds characters that no token has";
            ProviderError::refused("use the Railway token", why, "copy it again without spaces and line ends")
        })?;
        bearer.set_sensitive(true);
        let settings = Settings {
            name: "Railway",
            url: settings.api.clone(),
            headers: HeaderMap::from_iter([(AUTHORIZATION, bearer)]),
            deadline: settings.deadline,
            rate: settings.rate,
            pause: settings.pause,
            observer: settings.observer.clone(),
        };
        Ok(Self { api: Api::new(settings, budget, clock.clone(), entropy)?, clock })
    }

    /// Asks, and gives what the root field holds.
    ///
    /// # Errors
    /// As [`judge`] says, beside those of [`Api::ask`].
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        operation: &Operation,
        variables: Value,
    ) -> Result<T, ProviderError> {
        let body = json!({ "query": operation.text, "operationName": operation.name, "variables": variables });
        let call = Call::new(operation.field, Method::POST, "/graphql/v2", operation.repeat).json(body);
        let reply = self.api.ask(&call).await?;
        let mut answer: Answer = reply.read(operation.field)?;
        if let Some(failure) = answer.errors.first() {
            let judgement = judge(operation, &failure.extensions.code, &failure.message);
            return Err(self.consequence(operation, judgement).await?);
        }
        let held = answer.data.get_mut(operation.field).map(Value::take).unwrap_or_default();
        serde_json::from_value(held).map_err(|error| {
            let (what, why) = (operation.field.to_owned(), format!("an answer of another form: {error}"));
            if operation.repeat == Repeat::Never {
                ProviderError::Lost { what, why }
            } else {
                ProviderError::unavailable(what, why)
            }
        })
    }

    /// Asks, and gives `None` when what it is about does not exist.
    pub(super) async fn find<T: DeserializeOwned>(
        &self,
        operation: &Operation,
        variables: Value,
    ) -> Result<Option<T>, ProviderError> {
        match self.ask(operation, variables).await {
            Err(ProviderError::NotFound { .. }) => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    /// Waits in the line of those who want a project; whoever gets in has to use it.
    pub(super) async fn line_up(&self, who: &str) -> Result<(), ProviderError> {
        let turn = self.api.budget().turn(PROJECTS, who, BETWEEN_PROJECTS).await;
        match turn.map_err(|error| ProviderError::unavailable("standing in line for Railway", error))? {
            Turn::Now => Ok(()),
            Turn::Wait { before, until } => {
                let place = match before {
                    0 => "you are next".to_owned(),
                    1 => "1 other is before you".to_owned(),
                    more => format!("{more} others are before you"),
                };
                let why = format!("{place}; your turn comes at about {}", until.strftime("%H:%M UTC"));
                Err(ProviderError::InLine { why, until })
            }
        }
    }

    /// How many stand in that line.
    pub(super) async fn line(&self) -> Result<Line, ProviderError> {
        let length = self.api.budget().length(PROJECTS).await;
        let length = length.map_err(|error| ProviderError::unavailable("looking at the line for Railway", error))?;
        Ok(Line { length, every: BETWEEN_PROJECTS })
    }

    /// Nothing was asked for in the turn: the next may have it.
    pub(super) async fn give_turn_back(&self, who: &str) -> Result<(), ProviderError> {
        let given = self.api.budget().give_back(PROJECTS, who).await;
        given.map_err(|error| ProviderError::unavailable("leaving the line for Railway", error))
    }

    pub(super) async fn leave_line(&self, who: &str) -> Result<(), ProviderError> {
        let left = self.api.budget().leave(PROJECTS, who).await;
        left.map_err(|error| ProviderError::unavailable("leaving the line for Railway", error))
    }

    /// Takes one of what Railway allows only slowly.
    pub(super) async fn slowly(&self, bucket: &str, between: SignedDuration) -> Result<(), ProviderError> {
        let rate = Rate { number: 1, per: between, burst: 1 };
        let turn = self.api.budget().take(bucket, rate).await;
        match turn.map_err(|error| ProviderError::unavailable("keeping to Railway's pace", error))? {
            Turn::Now => Ok(()),
            Turn::Wait { until, .. } => {
                Err(ProviderError::InLine { why: "others are being prepared just now".into(), until })
            }
        }
    }

    async fn consequence(&self, operation: &Operation, judgement: Judgement) -> Result<ProviderError, ProviderError> {
        let error = match judgement {
            Judgement::Error(error) => error,
            Judgement::Throttled => {
                let until = self.clock.now() + THROTTLED;
                let bucket = if operation.field == "projectCreate" { PROJECTS } else { operation.field };
                let blocked = self.api.budget().block(bucket, until).await;
                blocked.map_err(|error| ProviderError::unavailable("keeping to Railway's pace", error))?;
                let why = format!("Railway takes no more for now; it goes on at about {}", until.strftime("%H:%M UTC"));
                ProviderError::InLine { why, until }
            }
        };
        Ok(error)
    }
}
