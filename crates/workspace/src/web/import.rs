//! Bringing in an export: sent, looked at, shown, and put in place by a click.

use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::app::App;
use crate::import::{self, Fate, ImportError, Plan, Record, Row, Stage};
use crate::moment::{self, Moment};
use crate::pages::import::{FateRows, ImportPage, ImportView, PastImport};
use crate::pages::{Changed, Chrome};
use crate::refusal::Refusal;
use crate::visitor::Visitor;
use crate::web::upload::{self, UploadError};
use crate::web::{Filled, draw};

/// The largest archive that is taken, in bytes.
const LARGEST: u64 = 2 << 30;

impl From<ImportError> for Refusal {
    fn from(error: ImportError) -> Self {
        let status = match error {
            ImportError::Library(error) => return error.into(),
            ImportError::Busy | ImportError::Working(_) | ImportError::Nothing | ImportError::Moved => {
                StatusCode::CONFLICT
            }
            ImportError::Fault(_) | ImportError::Project(..) => StatusCode::UNPROCESSABLE_ENTITY,
            ImportError::Unfinished(_) | ImportError::Disk(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, "The export was not brought in", error.to_string())
    }
}

#[derive(Deserialize)]
pub struct Before {
    done: Option<String>,
}

/// `GET /import`
pub async fn show(State(app): State<App>, by: Visitor, Query(before): Query<Before>) -> Result<Response, Refusal> {
    let flash = before.done.map(|_| "The export is brought in.");
    page(&app, &by, flash, None).await
}

/// `POST /import`: the archive, as a form sends it or as it is.
pub async fn receive(State(app): State<App>, by: Visitor, request: Request) -> Result<Response, Refusal> {
    let upload = app.imports.receive()?;
    if let Err(error) = upload::receive(request, &upload.file, LARGEST).await {
        app.imports.give_up(upload)?;
        let status = match error {
            UploadError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        return Ok((status, page(&app, &by, None, Some(error.to_string())).await?).into_response());
    }
    match app.imports.look_at(&app, upload, &app.sign(by.clone())).await {
        Ok(()) => Ok(Redirect::to("/import").into_response()),
        Err(error @ (ImportError::Fault(_) | ImportError::Project(..))) => {
            let page = page(&app, &by, None, Some(error.to_string())).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Deserialize)]
pub struct Approved {
    #[serde(default)]
    seen: String,
}

/// `POST /import/approval`: what was shown is done; or what was begun goes on.
pub async fn approve(
    State(app): State<App>,
    by: Visitor,
    Filled(approved): Filled<Approved>,
) -> Result<Response, Refusal> {
    match app.imports.carry_out(&app, &approved.seen, &app.sign(by.clone())).await {
        Ok(_) => Ok(Redirect::to("/import?done=yes").into_response()),
        Err(error @ (ImportError::Moved | ImportError::Working(_))) => {
            let page = page(&app, &by, None, Some(error.to_string())).await?;
            Ok((StatusCode::CONFLICT, page).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /import/refusal`: what was sent is given up.
pub async fn decline(State(app): State<App>, _: Visitor) -> Result<Redirect, Refusal> {
    app.imports.discard()?;
    Ok(Redirect::to("/import"))
}

async fn page(
    app: &App,
    by: &Visitor,
    flash: Option<&'static str>,
    trouble: Option<String>,
) -> Result<Response, Refusal> {
    let now = moment::now();
    let view = match app.imports.stage(app).await? {
        Stage::Nothing => ImportView::Nothing,
        Stage::BrokenOff(record) => ImportView::BrokenOff(changed(&record, now)),
        Stage::Ready { ready, plan, seen } => ImportView::Ready {
            sent: Changed { by: ready.by, moment: Some(Moment::new(ready.at, now)) },
            files: ready.files,
            fates: fates(&plan),
            seen,
        },
    };
    let past = import::past(app).map_err(ImportError::from)?;
    let page = ImportPage {
        chrome: Chrome::of(by),
        flash,
        trouble,
        view,
        most: LARGEST >> 20,
        past: past.iter().map(|record| past_import(record, now)).collect(),
    };
    draw(StatusCode::OK, &page)
}

fn past_import(record: &Record, now: jiff::Timestamp) -> PastImport {
    let is_aside = record.plan.rows.iter().any(|row| row.fate == Fate::Aside);
    PastImport {
        changed: changed(record, now),
        fates: fates(&record.plan),
        aside: is_aside.then(|| format!("imported/I-{}", record.number)),
    }
}

fn changed(record: &Record, now: jiff::Timestamp) -> Changed {
    Changed { by: record.by.clone(), moment: Some(Moment::new(record.at, now)) }
}

fn fates(plan: &Plan) -> Vec<FateRows> {
    let of = |fate: Fate| plan.rows.iter().filter(move |row| row.fate == fate);
    let rows = |(fate, title, hint)| FateRows {
        title,
        hint,
        rows: of(fate).map(|Row { what, why, .. }| (what.clone(), why.clone())).collect(),
    };
    let all = [
        (Fate::Added, "Added", "It is new here."),
        (Fate::Changed, "Changed", "It gets a new version; the present one stays in its history."),
        (Fate::Aside, "Kept beside", "It has no place of its own here. It is kept as files, and is not shown."),
        (Fate::Left, "Left as it is", "It is here already."),
    ];
    all.into_iter().map(rows).filter(|fate: &FateRows| !fate.rows.is_empty()).collect()
}
