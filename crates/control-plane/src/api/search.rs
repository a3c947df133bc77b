use api::{Found, FoundThing};
use axum::extract::State;
use serde::Deserialize;

use super::{Query, Refusal};
use crate::app::App;
use crate::person::Program;
use crate::search::{self, Hit};

/// What is looked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    q: String,
}

pub(crate) async fn find(
    State(app): State<App>,
    _: Program,
    Query(asked): Query<Asked>,
) -> Result<axum::Json<Found>, Refusal> {
    let found = search::find(&app, &asked.q).await?;
    let thing = |Hit { kind, id, name, about, path }: Hit| FoundThing {
        kind: kind.to_owned(),
        id,
        name,
        about,
        url: app.site_url(&path),
    };
    Ok(axum::Json(Found { found: found.into_iter().map(thing).collect() }))
}
