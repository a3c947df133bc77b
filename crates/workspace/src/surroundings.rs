//! What holds for the request that is being answered and is said on every page, also on those that
//! say no: how it looks, whether this is a rehearsal, what the visitor may do, and how the app made is.

use std::future::Future;

use axum::http::HeaderMap;
use jiff::Timestamp;

use crate::made::{Made, News, State};
use crate::members::Standing;
use crate::settings::Theme;

/// What every page of an answer says.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// What the visitor may do.
    pub standing: Standing,
    /// How pages look.
    pub theme: Theme,
    /// Whether the model is a rehearsal.
    pub is_rehearsal: bool,
    /// How the app made is.
    pub app: AppAround,
}

/// What every page can say of the app made.
#[derive(Debug, Clone, Default)]
pub struct AppAround {
    /// Whose app runs, by the title of its vision.
    pub runs: Option<String>,
    /// Where it is seen, as this visitor came.
    pub address: Option<String>,
    /// That it stops by itself soon.
    pub stops: Option<Stops>,
    /// That it stopped by itself a while ago.
    pub stopped: Option<Stopped>,
}

/// The app stops by itself soon.
#[derive(Debug, Clone)]
pub struct Stops {
    /// Whose app, by the title of its vision.
    pub title: String,
    /// When.
    pub clock: TimeOfDay,
    /// How many minutes it gets if somebody wants it to go on.
    pub minutes: u64,
}

/// The app stopped by itself.
#[derive(Debug, Clone)]
pub struct Stopped {
    /// Whose app, by the title of its vision.
    pub title: String,
    /// The vision's name, to start it again.
    pub vision: String,
    /// When.
    pub clock: TimeOfDay,
    /// For how many minutes nobody had used it.
    pub minutes: u64,
}

/// A time of the day.
#[derive(Debug, Clone)]
pub struct TimeOfDay {
    /// For example `14:30 UTC`.
    pub words: String,
    /// RFC 3339, for programs.
    pub machine: String,
}

impl TimeOfDay {
    fn of(at: Timestamp) -> Self {
        Self { words: at.strftime("%H:%M UTC").to_string(), machine: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string() }
    }
}

impl AppAround {
    /// How the app is, for a visitor who came with these headers.
    #[must_use]
    pub fn of(made: &Made, headers: &HeaderMap) -> Self {
        let runs = match made.state() {
            State::Running { run, .. } => Some(run.vision.as_title()),
            _ => None,
        };
        let idle = made.idle().as_secs() / 60;
        let (stops, stopped) = match made.news() {
            Some(News::Stops(run, at)) => {
                (Some(Stops { title: run.vision.as_title(), clock: TimeOfDay::of(at), minutes: idle }), None)
            }
            Some(News::Stopped(run, at, minutes)) => {
                let (title, vision) = (run.vision.as_title(), run.vision.as_str().to_owned());
                (None, Some(Stopped { title, vision, clock: TimeOfDay::of(at), minutes }))
            }
            None => (None, None),
        };
        Self { runs, address: made.whereabouts().address(headers), stops, stopped }
    }
}

tokio::task_local! {
    static AROUND: Surroundings;
}

/// Answers a request within its surroundings.
pub async fn within<T>(around: Surroundings, answer: impl Future<Output = T>) -> T {
    AROUND.scope(around, answer).await
}

/// The surroundings of the request that is being answered; outside of one, nothing may be changed.
#[must_use]
pub fn now() -> Surroundings {
    let outside = || Surroundings {
        standing: Standing::Viewer,
        theme: Theme::Device,
        is_rehearsal: false,
        app: AppAround::default(),
    };
    AROUND.try_with(Surroundings::clone).unwrap_or_else(|_| outside())
}
