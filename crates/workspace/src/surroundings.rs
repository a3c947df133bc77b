//! What holds for the request that is being answered and is said on every page, also on those that
//! say no: how it looks, whether this is a rehearsal, and what the visitor may do.

use std::future::Future;

use crate::members::Standing;
use crate::settings::Theme;

/// What every page of an answer says.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings {
    /// What the visitor may do.
    pub standing: Standing,
    /// How pages look.
    pub theme: Theme,
    /// Whether the model is a rehearsal.
    pub is_rehearsal: bool,
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
    let outside = Surroundings { standing: Standing::Viewer, theme: Theme::Device, is_rehearsal: false };
    AROUND.try_with(|around| *around).unwrap_or(outside)
}
